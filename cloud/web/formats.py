"""Numbers and times as people read them; `static/js/formats.js` prints the same strings in the browser."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from cloud.web.words import Words

MINUS = "−"
NOTHING = "—"
_EPOCH = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))
_UNITS = {"degC": "°C", "Cel": "°C", "%RH": "% RH", "MiBy": "MiB", "1": ""}
_MARKS = {"vi": (".", ","), "en": (",", ".")}  # thousands, decimal


@dataclass(frozen=True, slots=True)
class Formats:
    """One language, one site zone, one moment."""

    words: Words
    zone: ZoneInfo
    now_ms: int

    def number(self, value: str | float | Decimal | None, decimals: int | None = None) -> str:
        """An exact decimal keeps its digits; `decimals` rounds half away from zero, as the browser does."""
        if value is None:
            return NOTHING
        exact = Decimal(value)
        if decimals is not None:
            exact = exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
        thousands, mark = _MARKS[self.words.lang]
        whole, _, rest = f"{abs(exact):f}".partition(".")
        groups = f"{int(whole):,}".replace(",", thousands)
        sign = MINUS if exact < 0 else ""
        return sign + groups + (mark + rest if rest else "")

    def short(self, value: str | float | Decimal | None) -> str:
        """Without needless zeros: limits and quantities."""
        return self.number(None if value is None else plain(value))

    def quantity(self, value: str | float | Decimal | None, unit: str, decimals: int | None = None) -> str:
        text = self.number(value, decimals)
        return f"{text} {self.unit(unit)}" if self.unit(unit) else text

    def unit(self, unit: str) -> str:
        """As printed; a unit without another spelling is its own."""
        return _UNITS.get(unit, unit)

    def hm(self, at_ms: int) -> str:
        return f"{self._local(at_ms):%H:%M}"

    def hms(self, at_ms: int) -> str:
        return f"{self._local(at_ms):%H:%M:%S}"

    def dm(self, at_ms: int) -> str:
        return f"{self._local(at_ms):%d/%m}"

    def dmy(self, at_ms: int) -> str:
        return f"{self._local(at_ms):%d/%m/%Y}"

    def when(self, at_ms: int) -> str:
        """As much of the date as is needed to tell it from today."""
        then, today = self._local(at_ms), self._local(self.now_ms)
        if then.date() == today.date():
            return self.hm(at_ms)
        return f"{self.hm(at_ms)} {self.dm(at_ms) if then.year == today.year else self.dmy(at_ms)}"

    def span(self, from_ms: int, until_ms: int | None) -> str:
        """The end repeats the date only when it is another day."""
        if until_ms is None:
            now = self.words("now")
            return f"{self.when(from_ms)} → {now}"
        same_day = self._local(from_ms).date() == self._local(until_ms).date()
        return f"{self.when(from_ms)} → {self.hm(until_ms) if same_day else self.when(until_ms)}"

    def duration(self, ms: float) -> str:
        seconds = max(0, round_half_up(ms / 1000))
        if seconds < 60:
            return self.words("{n} s", n=seconds)
        minutes = round_half_up(seconds / 60)
        if minutes < 60:
            return self.words("{n} min", n=minutes)
        days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
        if not days:
            return self.words("{h} h {m}", h=hours, m=f"{rest:02}") if rest else self.words("{n} h", n=hours)
        return self.words("{d} d {h} h", d=days, h=hours) if hours else self.words("{n} d", n=days)

    def ago(self, at_ms: int) -> str:
        return self.words("{duration} ago", duration=self.duration(self.now_ms - at_ms))

    def iso(self, at_ms: int) -> str:
        moment = _EPOCH + timedelta(milliseconds=at_ms)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03}Z"

    def limit(self, low: str | float | None, high: str | float | None, unit: str = "°C") -> str:
        if low is None and high is None:
            return self.words("no limit")
        if low is None:
            return f"≤ {self.short(high)} {unit}"
        if high is None:
            return f"≥ {self.short(low)} {unit}"
        return f"{self.short(low)} … {self.short(high)} {unit}"

    def _local(self, at_ms: int) -> datetime:
        return (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(self.zone)


def plain(value: str | float | Decimal) -> Decimal:
    """Decimal without trailing zeros and without an exponent."""
    exact = Decimal(str(value)).normalize()
    return exact.quantize(Decimal(1)) if exact == exact.to_integral_value() else exact


def round_half_up(value: float) -> int:
    return int(value + 0.5)
