"""The `detail` number beside every stored value, packed so that a reading stays one narrow row.

bits 0-3 decimals | 4-5 quality | 6 the time is uncertain | 8.. reason id (0: none)
"""

from wire.entries import Quality

TIME_UNCERTAIN = 1 << 6


def pack_detail(decimals: int, quality: Quality = Quality.GOOD, reason_id: int = 0) -> int:
    return decimals | quality << 4 | reason_id << 8


def decimals_of(detail: int) -> int:
    return detail & 0xF


def quality_of(detail: int) -> Quality:
    return Quality(detail >> 4 & 3)


def is_time_uncertain(detail: int) -> bool:
    return bool(detail & TIME_UNCERTAIN)


def reason_id_of(detail: int) -> int:
    return detail >> 8


def exact_text(value: float | None, detail: int) -> str | None:
    """The decimal as the instrument gave it: a double holds 15 digits, which `decimals` cuts to the true ones."""
    if value is None:
        return None
    text = f"{value:.{decimals_of(detail)}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text
