"""Numbers as instruments print them, kept as exact text."""

import re

_NUMBER = re.compile(r" *([+-]?) *(\d{0,20})(?:\.(\d{0,20}))? *", re.ASCII)


def decimal_text(shown: str) -> str | None:
    """'+00045.60' -> '45.60': digits as received, padding gone, minus zero is zero. None if it is no number."""
    match = _NUMBER.fullmatch(shown)
    if match is None or not (match[2] or match[3]):
        return None
    sign, whole, fraction = match.groups()
    text = (whole.lstrip("0") or "0") + (f".{fraction}" if fraction else "")
    is_negative = sign == "-" and text.strip("0.") != ""
    return f"-{text}" if is_negative else text


def scaled_text(digits: str, decimals: int, *, is_negative: bool) -> str | None:
    """Digits without a point and how many of them come after it (negative: zeros to append)."""
    if not digits.isascii() or not digits.isdigit():
        return None
    if decimals <= 0:
        digits, point = digits + "0" * -decimals, ""
    else:
        digits = digits.rjust(decimals + 1, "0")
        digits, point = digits[:-decimals], "." + digits[-decimals:]
    return decimal_text(("-" if is_negative else "") + digits + point)
