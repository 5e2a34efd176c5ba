"""How a fixed reader is made to take inventory over LLRP: what to say next, given what it said. No I/O, no clock.

    open -> GREETING --connected--> SETTING_UP --all steps done--> RUNNING
               |  refused              |  step refused               |  closed, inventory ended, out of step
               +-----------------------+--------------> ENDED <------+        (then: close, connect, open)

Before it runs, tag reports are those of an inventory that is not ours, maybe hours old, and are not passed on. A
session that was never opened says nothing and passes on everything: so recordings are decoded.
"""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from edge.drivers.frames import ErrorFrame, Frame, TagFrame
from edge.drivers.llrp import frames_of, message_decoder
from edge.drivers.llrp_messages import Kind, Message, events_of, message, parameter, refusal
from edge.drivers.params import Params

_ROSPEC_ID = 0xC01D  # ours; other applications have theirs
_ROSPEC = _ROSPEC_ID.to_bytes(4)
_EVERY_ROSPEC = bytes(4)
_ANSWER = 10  # added to a request's type
_CONNECTED, _ANOTHER_CLIENT = 0, (1, 2)

_NO_RESET = b"\x00"  # antennas, power and region stay as the installer set them
_PERIODIC, _NO_TRIGGER = b"\x01", b"\x00"
_FOREVER = bytes(4)
_HIGHEST_PRIORITY, _DISABLED = b"\x00", b"\x00"
_GEN2 = b"\x01"
_EVERY_TAG = b"\x01" + (1).to_bytes(2)  # a report upon one tag
_ANTENNA, _PEAK_RSSI, _SEEN_COUNT = 1 << 12, 1 << 10, 1 << 7
_PC_BITS = b"\x40"
_EVERY_ANTENNA = (1).to_bytes(2) + bytes(2)  # a list of one, and 0 stands for all
_EVENTS = (2, 4, 8)  # inventories, exceptions, antennas
_ROSPEC_ENDED = (1, 2)  # ended, preempted


class Step(NamedTuple):
    """A request; some may be refused without harm."""

    code: Message
    body: bytes
    may_fail: bool = False


class State(Enum):
    UNOPENED = "unopened"
    GREETING = "greeting"
    SETTING_UP = "setting up"
    RUNNING = "running"
    ENDED = "ended"


def decoder(params: Params) -> "LlrpSession":
    """`rospecs`: which inventories to delete first, our `own` or `all`, those of other applications too."""
    rospecs = params.choice("rospecs", ("own", "all"), "own")
    keepalive_ms = params.whole("keepalive_ms", 100, 60_000, 1000)
    return LlrpSession(_setup_steps(keepalive_ms, _EVERY_ROSPEC if rospecs == "all" else _ROSPEC))


def _setup_steps(keepalive_ms: int, deleted: bytes) -> Sequence[Step]:
    return (
        Step(Message.SET_READER_CONFIG, _keepalives(keepalive_ms)),
        Step(Message.SET_READER_CONFIG, _events(), may_fail=True),  # some readers know fewer events
        Step(Message.DELETE_ROSPEC, deleted, may_fail=True),  # there may be none
        Step(Message.ADD_ROSPEC, _inventory()),
        Step(Message.ENABLE_ROSPEC, _ROSPEC),
        Step(Message.START_ROSPEC, _ROSPEC),
    )


class LlrpSession:
    """A Decoder that holds a Conversation (edge/drivers/frames.py)."""

    poll_request = b""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.state = State.UNOPENED
        self.ended: str | None = None
        self._steps = steps
        self._stream = message_decoder(self._heed)
        self._replies = bytearray()
        self._done = 0  # steps behind us; the number of a step is its message id

    @property
    def pending(self) -> bool:
        return self._stream.pending

    @property
    def is_ready(self) -> bool:
        return self.state is State.RUNNING

    def open(self) -> None:
        self.state, self.ended, self._done = State.GREETING, None, 0
        self._stream = message_decoder(self._heed)
        self._replies.clear()

    def take_replies(self) -> bytes:
        replies = bytes(self._replies)
        self._replies.clear()
        return replies

    def feed(self, chunk: bytes) -> list[Frame]:
        frames = self._stream.feed(chunk)
        if self._is_open and any(isinstance(frame, ErrorFrame) and frame.kind == "format" for frame in frames):
            self._end("out_of_step")
        return frames

    def expect(self, request: bytes) -> None:
        """Messages carry their own numbers."""

    def idle(self) -> list[Frame]:
        return self._stream.idle()

    @property
    def _is_open(self) -> bool:
        return self.state not in (State.UNOPENED, State.ENDED)

    def _heed(self, code: int, number: int, body: bytes) -> list[Frame]:
        frames = frames_of(code, body)
        if self.state is State.UNOPENED:
            return frames
        if not self.is_ready:
            frames = [frame for frame in frames if not isinstance(frame, TagFrame)]
        if self._is_open:
            self._answer(code, number, body)
        return frames

    def _answer(self, code: int, number: int, body: bytes) -> None:
        if code == Message.KEEPALIVE:
            self._replies += message(Message.KEEPALIVE_ACK, number)
        elif code == Message.EVENT:
            for kind, fields in events_of(body):
                self._note_event(kind, fields)
        elif self.state is State.SETTING_UP:
            self._note_answer(code, number, body)

    def _note_event(self, kind: int, fields: bytes) -> None:
        if kind == Kind.CONNECTION_CLOSE:
            self._end("connection_closed")
        elif kind == Kind.CONNECTION_ATTEMPT and self.state is State.GREETING:
            status = int.from_bytes(fields[:2])
            if status == _CONNECTED:
                self._next_step()
            else:
                self._end("another_client" if status in _ANOTHER_CLIENT else "refused")
        elif kind == Kind.ROSPEC_EVENT and self.is_ready and fields[1:5] == _ROSPEC and fields[0] in _ROSPEC_ENDED:
            self._end("inventory_ended")

    def _note_answer(self, code: int, number: int, body: bytes) -> None:
        step = self._steps[self._done]
        if number != self._done + 1 or code not in (step.code + _ANSWER, Message.ERROR):
            return
        if refusal(body) is not None and not step.may_fail:
            self._end("setup_refused")
            return
        self._done += 1
        self._next_step()

    def _next_step(self) -> None:
        if self._done == len(self._steps):
            self.state = State.RUNNING
            return
        self.state = State.SETTING_UP
        step = self._steps[self._done]
        self._replies += message(step.code, self._done + 1, step.body)

    def _end(self, reason: str) -> None:
        if self._is_open:
            self.state, self.ended = State.ENDED, reason


def _keepalives(period_ms: int) -> bytes:
    return _NO_RESET + parameter(Kind.KEEPALIVE_SPEC, _PERIODIC, period_ms.to_bytes(4))


def _events() -> bytes:
    """Of inventories, exceptions and antennas; and what we missed is not told afterwards, with a wrong time."""
    told = (parameter(Kind.EVENT_STATE, number.to_bytes(2), b"\x80") for number in _EVENTS)
    return _NO_RESET + parameter(Kind.EVENT_SPEC, *told) + parameter(Kind.EVENTS_AND_REPORTS, b"\x00")


def _inventory() -> bytes:
    """On every antenna, from start to for ever, each tag told at once with what a sighting needs."""
    content = parameter(
        Kind.REPORT_CONTENT,
        (_ANTENNA | _PEAK_RSSI | _SEEN_COUNT).to_bytes(2),
        parameter(Kind.GEN2_CONTENT, _PC_BITS),
    )
    return parameter(
        Kind.ROSPEC,
        _ROSPEC,
        _HIGHEST_PRIORITY,
        _DISABLED,
        parameter(
            Kind.BOUNDARY,
            parameter(Kind.START_TRIGGER, _NO_TRIGGER),
            parameter(Kind.STOP_TRIGGER, _NO_TRIGGER, _FOREVER),
        ),
        parameter(
            Kind.ANTENNA_INVENTORY,
            _EVERY_ANTENNA,
            parameter(Kind.ANTENNA_STOP_TRIGGER, _NO_TRIGGER, _FOREVER),
            parameter(Kind.INVENTORY_PARAMETERS, (1).to_bytes(2), _GEN2),
        ),
        parameter(Kind.REPORT_SPEC, _EVERY_TAG, content),
    )
