"""A limit: which value is too much for a zone, and how long that must last before it counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from rules.context import CONTEXT_OF_QUANTITY, ContextKind


class LimitKind(StrEnum):
    ABOVE = "above"
    BELOW = "below"


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One version of one limit of one zone; what was true under it stays true when a newer version comes."""

    zone: str
    key: str
    kind: LimitKind
    quantity: str  # in the words of the point table: air_temperature, relative_humidity ...
    setpoint: Decimal
    deadband: Decimal = Decimal(0)
    on_delay_s: int = 0
    context_delays_s: Mapping[ContextKind, int] = field(default_factory=dict)  # counted from the start of the context
    degree_minutes: Decimal | None = None  # so much heat confirms a breach whatever the delays say
    off_delay_s: int = 0
    max_gap_s: int = 300
    severity: Severity = Severity.MEDIUM
    citation: str = ""
    version: int = 1
    valid_from: int = 0
    valid_until: int | None = None

    def __post_init__(self) -> None:
        if self.deadband < 0 or self.on_delay_s < 0 or self.off_delay_s < 0:
            raise ValueError(f"limit {self.zone}/{self.key}: deadband and delays cannot be negative")
        if any(delay_s < 0 for delay_s in self.context_delays_s.values()):
            raise ValueError(f"limit {self.zone}/{self.key}: a delay in a context cannot be negative")
        if self.degree_minutes is not None and self.degree_minutes <= 0:
            raise ValueError(f"limit {self.zone}/{self.key}: degree_minutes must be above 0, not {self.degree_minutes}")
        if self.max_gap_s <= 0:
            raise ValueError(f"limit {self.zone}/{self.key}: max_gap_s must be above 0, not {self.max_gap_s}")

    @property
    def sign(self) -> int:
        """+1 when more is worse, -1 when less is: a value times the sign grows as things get worse."""
        return 1 if self.kind is LimitKind.ABOVE else -1

    @property
    def is_about_goods(self) -> bool:
        """False for limits on machinery (a defrost too long, a door left open): they alarm, but judge no lot."""
        return self.quantity not in CONTEXT_OF_QUANTITY

    @property
    def max_gap_ms(self) -> int:
        return self.max_gap_s * 1000

    def is_exceeded_by(self, value: float) -> bool:
        return self.sign * value > self.sign * float(self.setpoint)

    def is_cleared_by(self, value: float) -> bool:
        """True below the setpoint by at least the deadband (above it, for a lower limit)."""
        return self.sign * value <= float(self.sign * self.setpoint - self.deadband)
