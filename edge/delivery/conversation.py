"""What the gateway says to the ingest, and when: events in, messages out; no network, no clock, no thread.

    OFFLINE --connected--> GREETING --ack--> FLYING --ack--> FLYING ... --all heard--> IDLE --sealed--> FLYING
                              ^  no answer in time, later each time: RESTING              |
                              +------------------- the cloud has less than it had --------+

One flight at a time, moved on only by what the ingest's database has committed; the broker is believed in nothing.
Epochs that have ended are settled first, oldest first: whoever restores the cloud from an older backup gets them again.
uplink.py lends it a connection and a clock; tests/simulation lets it live thousands of lives in virtual time.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from edge.buffer.contract import Buffer, BufferFailure
from wire.messages import Ack, Gone, Hello
from wire.topics import Lane

log = logging.getLogger(__name__)

ACK_TIMEOUT_S = 5.0
MAX_BACKOFF_S = 15.0
MIN_FLIGHT_BYTES = 8 << 10
MAX_FLIGHT_BYTES = 1 << 20
_FIRST_FLIGHT_BYTES = 64 << 10
_SLOWEST_BYTES_PER_S = 8 << 10  # a line of 64 kbit/s
_FAST_ACK_S, _SLOW_ACK_S = 1.0, 4.0
_PATIENCE = 8  # an answer may take so much longer than the one before it


class Verdict(Enum):
    """What an acknowledgement says about our history."""

    FOREIGN_EPOCH = auto()  # meant for another epoch of ours: no news
    ADVANCE = auto()  # committed up to there
    BEHIND = auto()  # the cloud has less than it once said (restored from a backup): send again from there
    OTHER_HISTORY = auto()  # the cloud knows batches of this epoch that we never sealed so: a cloned or old card


def judge(
    ack: Ack, *, epoch: bytes, acknowledged: int, next_seq: int, own_hash: bytes | None, is_held: bool
) -> Verdict:
    """Pure. `own_hash`: ours of batch `ack.through`, None when nothing tells it. `is_held`: we can send that batch."""
    if ack.epoch != epoch:
        return Verdict.FOREIGN_EPOCH
    if ack.through >= next_seq:
        return Verdict.OTHER_HISTORY
    if ack.hash is not None and own_hash is not None and ack.hash != own_hash:
        return Verdict.OTHER_HISTORY
    if ack.hash is None and is_held and ack.through > acknowledged:
        return Verdict.OTHER_HISTORY  # declared lost there, and not by us
    return Verdict.BEHIND if ack.through < acknowledged else Verdict.ADVANCE


class Signal(Enum):
    """What can happen beside an acknowledgement."""

    CONNECTED = auto()
    DISCONNECTED = auto()
    SEALED = auto()  # there is a new batch in the buffer
    TIME = auto()  # `wake_at` has come


class Message(NamedTuple):
    lane: Lane
    payload: bytes


class Phase(Enum):
    OFFLINE = auto()
    GREETING = auto()
    RESTING = auto()
    FLYING = auto()
    IDLE = auto()


@dataclass
class UplinkState:
    """For the health readings and the local page."""

    is_connected: bool = False
    flights: int = 0
    sent_bytes: int = 0
    resent_flights: int = 0
    last_ack_s: float | None = None  # by the clock that `on` is given


class _Flight(NamedTuple):
    last_seq: int
    size: int
    began: float


class Conversation:
    """One caller at a time, in the thread that may block on the buffer."""

    def __init__(
        self,
        buffer: Buffer,
        *,
        points: bytes,
        key: bytes,
        agent: str,
        dice: random.Random | None = None,
        ack_timeout_s: float = ACK_TIMEOUT_S,
    ) -> None:
        self._buffer, self._points, self._key, self._agent = buffer, points, key, agent
        self._dice = dice or random.Random()
        self._ack_timeout_s = ack_timeout_s
        self.state = UplinkState()
        self.wake_at: float | None = None
        self._phase = Phase.OFFLINE
        self._current = buffer.epoch
        self._agenda: list[bytes] = []  # epochs to settle; the last one is the current, which never is
        self._parted: set[bytes] = set()  # epochs of which the cloud knows another history
        self._heard = 0  # of the epoch that is first on the agenda
        self._flight = _Flight(0, 0, 0.0)
        self._flight_bytes = _FIRST_FLIGHT_BYTES
        self._bytes_per_s = float(_SLOWEST_BYTES_PER_S)
        self._failures = 0
        self._told_gone: Gone | None = None

    @property
    def phase(self) -> Phase:
        return self._phase

    def on(self, event: Signal | Ack, now: float) -> list[Message]:
        """Messages to send at once, in this order; after it, `wake_at` says when to come with Signal.TIME."""
        try:
            return self._on(event, now)
        except BufferFailure as error:
            log.warning("the buffer cannot be read or begun anew, trying again later: %s", error)
            return self._rest(now)

    def _on(self, event: Signal | Ack, now: float) -> list[Message]:
        if event is Signal.CONNECTED:
            self.state.is_connected, self._failures = True, 0
            return self._begin(now)
        if event is Signal.DISCONNECTED:
            self.state.is_connected, self._phase, self.wake_at = False, Phase.OFFLINE, None
            return []
        if self._phase is Phase.OFFLINE:
            return []
        if self._current != self._buffer.epoch:
            return self._begin(now)  # the file was damaged, and mended under a new epoch
        if isinstance(event, Ack):
            return self._hear(event, now)
        if event is Signal.SEALED:
            return self._go_on(now) if self._phase is Phase.IDLE else []
        return self._on_time(now)

    # ---- greeting

    def _begin(self, now: float) -> list[Message]:
        self._current = self._buffer.epoch
        self._agenda = [*self._buffer.earlier_epochs, self._current]
        return self._take_up(now)

    def _take_up(self, now: float) -> list[Message]:
        self._heard = self._buffer.acknowledged if self._is_current else 0
        return self._greet(now)

    def _greet(self, now: float) -> list[Message]:
        """Say who we are and what we hold; answered with the ingest's cursor."""
        oldest, following = self._buffer.span(self._subject)
        gone = self._buffer.gone(self._heard, self._subject)
        if gone is not None and gone != self._told_gone:
            log.warning("batches %d to %d cannot be sent (%s); the cloud is told", gone.first, gone.last, gone.reason)
        self._told_gone = gone
        hello = Hello(
            epoch=self._subject,
            next=following,
            oldest=oldest,
            points=self._points,
            key=self._key,
            agent=self._agent,
            gone=gone,
        )
        self._phase, self.wake_at = Phase.GREETING, now + self._ack_timeout_s
        return [Message(Lane.HELLO, hello.encode())]

    # ---- hearing

    def _hear(self, ack: Ack, now: float) -> list[Message]:
        answer = self._points_wanted(ack)
        verdict = self._judge(ack)
        if self._current != self._buffer.epoch:
            return self._begin(now)  # mended while we looked: this acknowledgement is of an epoch that ended
        match verdict:
            case Verdict.FOREIGN_EPOCH:
                return answer + (self._begin(now) if self._tells_of_loss(ack) else [])
            case Verdict.OTHER_HISTORY:
                return answer + self._part(ack, now)
        self._note_heard(ack.through, now)
        if verdict is Verdict.BEHIND and self._phase is not Phase.GREETING:
            log.warning("the cloud has committed %d, less than before: sending again from there", ack.through)
            return answer + self._begin(now)
        return answer + self._move(ack, now)

    def _judge(self, ack: Ack) -> Verdict:
        if ack.epoch != self._subject:
            return Verdict.FOREIGN_EPOCH
        return judge(
            ack,
            epoch=self._subject,
            acknowledged=self._heard,
            next_seq=self._buffer.span(self._subject).next,
            own_hash=self._buffer.hash_at(ack.through, self._subject) if ack.through else None,
            is_held=self._buffer.holds(ack.through, self._subject),
        )

    def _move(self, ack: Ack, now: float) -> list[Message]:
        match self._phase:
            case Phase.FLYING if self._heard >= self._flight.last_seq:
                self._tune(now - self._flight.began)
                return self._go_on(now)
            case Phase.FLYING if ack.want_points is not None:
                return self._try_again(now)
            case Phase.GREETING | Phase.IDLE:
                return self._go_on(now)
        return []

    def _note_heard(self, through: int, now: float) -> None:
        if through > self._heard:
            self._failures = 0
        self._heard = through
        if self._is_current:
            self._buffer.acknowledge(through)
            self.state.last_ack_s = now

    def _part(self, ack: Ack, now: float) -> list[Message]:
        """Our history and the cloud's are two: what was not heard is sealed again under a new epoch."""
        if self._is_current:
            log.warning("the cloud knows another history of this gateway (a cloned or restored card?): new epoch")
            self._buffer.begin_epoch(self._buffer.acknowledged)
            return self._begin(now)
        if ack.known is None and ack.through >= self._buffer.span(self._subject).next and self._phase is Phase.GREETING:
            return []  # an answer to somebody else's hello: it says nothing of where we parted
        own = self._buffer.hash_at(self._buffer.span(self._subject).next - 1, self._subject)
        if own is not None and own != ack.known:
            log.warning("the cloud no longer knows what it had acknowledged: sealed again as well")
            self._buffer.reseal(self._subject)
        else:
            self._parted.add(self._subject)
        del self._agenda[0]
        return self._take_up(now)

    def _tells_of_loss(self, ack: Ack) -> bool:
        """An epoch that was settled is no longer: the cloud was restored from a backup."""
        if ack.epoch in self._agenda or ack.epoch in self._parted or ack.epoch not in self._buffer.earlier_epochs:
            return False
        return ack.through + 1 < self._buffer.span(ack.epoch).next

    def _points_wanted(self, ack: Ack) -> list[Message]:
        if ack.want_points is None:
            return []
        table = self._buffer.points(ack.want_points)
        if table is None:
            log.error("the ingest asks for the point table %s, which is not here", ack.want_points.hex())
            return []
        return [Message(Lane.POINTS, table.data)]

    # ---- flying

    def _go_on(self, now: float) -> list[Message]:
        flight = self._buffer.flight(self._heard, self._flight_bytes, self._subject)
        if flight:
            return self._fly(flight, now)
        if self._heard + 1 < self._buffer.span(self._subject).next:
            return self._try_again(now)  # what comes next is gone: the greeting says so
        if not self._is_current:
            del self._agenda[0]
            return self._take_up(now)
        self._phase, self.wake_at, self._failures = Phase.IDLE, None, 0
        return []

    def _fly(self, flight: Sequence[bytes], now: float) -> list[Message]:
        payload = b"".join(flight)
        self._phase, self._flight = Phase.FLYING, _Flight(self._heard + len(flight), len(payload), now)
        slowest = max(self._bytes_per_s / _PATIENCE, _SLOWEST_BYTES_PER_S)
        self.wake_at = now + self._ack_timeout_s + len(payload) / slowest
        self.state.flights += 1
        self.state.sent_bytes += len(payload)
        return [Message(Lane.BATCH, payload)]

    def _tune(self, took_s: float) -> None:
        """A flight is as large as the line can take quickly: a slow line keeps its live lane alive between flights."""
        self._bytes_per_s = max(self._flight.size / max(took_s, 0.01), _SLOWEST_BYTES_PER_S)
        if took_s < _FAST_ACK_S:
            self._flight_bytes = min(self._flight_bytes * 2, MAX_FLIGHT_BYTES)
        elif took_s > _SLOW_ACK_S:
            self._flight_bytes = max(self._flight_bytes // 2, MIN_FLIGHT_BYTES)

    # ---- waiting

    def _on_time(self, now: float) -> list[Message]:
        if self.wake_at is None or now < self.wake_at:
            return []
        match self._phase:
            case Phase.RESTING:
                return self._greet(now)
            case Phase.FLYING:
                self.state.resent_flights += 1
                self._flight_bytes = max(self._flight_bytes // 2, MIN_FLIGHT_BYTES)
                self._bytes_per_s = float(_SLOWEST_BYTES_PER_S)
        return self._try_again(now)

    def _try_again(self, now: float) -> list[Message]:
        """The first time at once, then later each time: the ingest may be new, or want a point table."""
        self._failures += 1
        return self._greet(now) if self._failures == 1 else self._rest(now)

    def _rest(self, now: float) -> list[Message]:
        pause_s = min(2.0 ** max(0, self._failures - 2), MAX_BACKOFF_S)
        self._phase, self.wake_at = Phase.RESTING, now + pause_s * self._dice.uniform(0.5, 1.5)
        return []

    @property
    def _subject(self) -> bytes:
        return self._agenda[0]

    @property
    def _is_current(self) -> bool:
        return self._agenda[0] == self._current
