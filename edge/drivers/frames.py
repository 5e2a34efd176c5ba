"""What a decoder hands on: a frame is one thing an instrument said, or one thing that was wrong on the line.

Identities (EPC, card number) are upper-case hex, as GS1 and the cards themselves print them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

Json = Mapping[str, object]
QualityName = Literal["good", "uncertain", "bad"]
Mode = Literal["gross", "net"]


@dataclass(frozen=True, slots=True)
class ReadingFrame:
    """One value as sent: `value` is a decimal string with the digits received, None when there is no value."""

    value: str | None
    unit: str | None = None
    quality: QualityName = "good"
    reason: str | None = None
    stable: bool | None = None  # None: the protocol does not say
    mode: Mode | None = None
    point: str | None = None  # None: the instrument's one and only quantity
    is_stability_derived: bool = False

    def to_json(self) -> Json:
        shown: dict[str, object] = {
            "type": "reading",
            "point": self.point,
            "value": self.value,
            "unit": self.unit,
            "quality": self.quality,
            "reason": self.reason,
            "stable": self.stable,
            "mode": self.mode,
        }
        if self.is_stability_derived:
            shown["stable_derived"] = True
        return shown


@dataclass(frozen=True, slots=True)
class TagFrame:
    """One read of one tag: `epc` for UHF tags, `id` for a serial number or TID."""

    epc: str | None = None
    id: str | None = None
    rssi_dbm: float | None = None
    antenna: int | None = None
    pc: int | None = None  # protocol control word, when the reader passes it on
    rssi_raw: int | None = None  # a reader's own scale; never shown as dBm

    def to_json(self) -> Json:
        return {
            "type": "tag",
            "epc": self.epc,
            "id": self.id,
            "rssi_dbm": self.rssi_dbm,
            "antenna": self.antenna,
        }


@dataclass(frozen=True, slots=True)
class ErrorFrame:
    """Something was wrong: on the line (checksum, format, truncated ...) or in the device itself (device)."""

    kind: str
    detail: str = ""
    code: int | None = None  # the device's own error number

    def to_json(self) -> Json:
        shown: dict[str, object] = {"type": "error", "kind": self.kind, "detail": self.detail}
        if self.code is not None:
            shown["code"] = self.code
        return shown


@dataclass(frozen=True, slots=True)
class WarningFrame:
    """Worth a person's look, yet nothing is lost by it."""

    kind: str
    detail: str = ""

    def to_json(self) -> Json:
        return {"type": "warning", "kind": self.kind, "detail": self.detail}


@dataclass(frozen=True, slots=True)
class AckFrame:
    """The device answered and has nothing to report: a command carried out, no tag in range, a keep-alive.

    It proves that the device lives; `coldlink device decode` does not show it.
    """

    kind: str
    detail: str = ""

    def to_json(self) -> None:
        return None


Frame = ReadingFrame | TagFrame | ErrorFrame | WarningFrame | AckFrame


class Decoder(Protocol):
    """Bytes in, frames out: no I/O, no clock, bounded memory, linear time, and no input makes it raise.

    How the bytes are cut into chunks never changes the frames.
    """

    @property
    def poll_request(self) -> bytes:
        """What to send to get an answer; empty for an instrument that speaks unasked."""
        ...

    @property
    def pending(self) -> bool:
        """Whether bytes of an unfinished frame are held."""
        ...

    def feed(self, chunk: bytes) -> list[Frame]: ...

    def expect(self, request: bytes) -> None:
        """Tell what the host has just sent, so that the answer can be judged against it."""
        ...

    def idle(self) -> list[Frame]:
        """The line has been silent: what is held will not be completed. Gives up on it and looks behind it."""
        ...


@runtime_checkable
class Probing(Protocol):
    """A decoder of an instrument that may have nothing to say and still be well."""

    @property
    def probe_request(self) -> bytes:
        """A harmless question that it always answers."""
        ...


@runtime_checkable
class Conversation(Decoder, Protocol):
    """A decoder that answers: for instruments which must be spoken to in many steps before they measure.

    After each `feed`, `take_replies` is to be sent. Unopened, it is a decoder like any other.
    """

    @property
    def is_ready(self) -> bool:
        """Whether the instrument does what it is there for."""
        ...

    @property
    def ended(self) -> str | None:
        """Why this connection leads nowhere any more; a new one may."""
        ...

    def open(self) -> None:
        """A new connection: nothing of the last one counts."""
        ...

    def take_replies(self) -> bytes: ...


def bad(reason: str, *, unit: str | None = None, point: str | None = None) -> ReadingFrame:
    """A measurement that failed, as the instrument itself says."""
    return ReadingFrame(None, unit=unit, quality="bad", reason=reason, point=point)
