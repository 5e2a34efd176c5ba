"""The broker and the lines to it: late, lost, doubled and out of order, as bad as the weather of the day."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tests.simulation.world import World
from wire.messages import Ack, read_ack
from wire.topics import Lane, Topic


class Listener(Protocol):
    """A gateway or the ingest at its end of the line."""

    def connected(self) -> None: ...

    def disconnected(self) -> None: ...


@dataclass
class Weather:
    lost: float = 0.0
    doubled: float = 0.0
    delay_ms: float = 100.0  # messages overtake each other when it varies much


@dataclass
class Network:
    world: World
    weather: Weather = field(default_factory=Weather)
    to_ingest: Callable[[Topic, bytes], None] = lambda _topic, _payload: None
    to_gateways: Callable[[Ack], None] = lambda _ack: None
    _lines: dict[int, bool] = field(default_factory=dict)
    _generation: int = 0  # a wiped broker forgets what was on its way

    def is_up(self, who: Listener) -> bool:
        return self._lines.get(id(who), False)

    def connect(self, who: Listener) -> None:
        if not self.is_up(who):
            self._lines[id(who)] = True
            who.connected()

    def cut(self, who: Listener) -> None:
        if self.is_up(who):
            self._lines[id(who)] = False
            who.disconnected()

    def forget(self) -> None:
        self._generation += 1

    def publish(self, sender: Listener, topic: Topic, payload: bytes) -> bool:
        if not self.is_up(sender):
            return False
        for _ in range(2 if self.world.chance(self.weather.doubled) else 1):
            if not self.world.chance(self.weather.lost):
                self._carry(topic, payload, self._generation)
        return True

    def _carry(self, topic: Topic, payload: bytes, generation: int) -> None:
        def arrive() -> None:
            if generation != self._generation:
                return
            if topic.lane is Lane.ACK:
                self.to_gateways(read_ack(payload))
            else:
                self.to_ingest(topic, payload)

        self.world.after(1 + self.world.dice.expovariate(1 / self.weather.delay_ms), arrive)
