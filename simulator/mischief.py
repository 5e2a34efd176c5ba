"""What a hostile or broken line does to the messages of one lane, from a seed. Pure: bytes in, bytes out.

    corrupt     one bit of the payload turns            truncate   the payload ends too soon
    duplicate   the message comes twice                 stale      an old message of this sender comes again
    foreign     another sender's message comes under this sender's name

Bytes that arrive spoilt take the place of the good ones, as on a real line; copies travel beside the original.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from simulator.mqtt_packets import PacketSplitter, Publish, read_publish

_REMEMBERED = 50  # messages of each sender, to be sent again


@dataclass(frozen=True, slots=True)
class Mischief:
    """Shares of the messages on the lane; the default is none."""

    corrupt: float = 0.0
    truncate: float = 0.0
    duplicate: float = 0.0
    stale: float = 0.0
    foreign: float = 0.0


NO_MISCHIEF = Mischief()


class Injection(NamedTuple):
    """One thing that was done, as evidence for whoever checks the result."""

    kind: str
    topic: str
    payload: bytes


@dataclass(slots=True)
class Past:
    """What went by on all connections of one line, by topic."""

    messages: defaultdict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    injections: list[Injection] = field(default_factory=list)

    def remember(self, message: Publish) -> None:
        kept = self.messages[message.topic]
        kept.append(message.payload)
        del kept[:-_REMEMBERED]

    def not_of(self, topic: str) -> list[bytes]:
        return [payload for other, kept in self.messages.items() if other != topic for payload in kept]


class MessageSpoiler:
    """One connection's stream towards the broker; messages whose topic ends with `lane` are in danger."""

    def __init__(self, lane: str, past: Past, dice: random.Random) -> None:
        self._lane, self._past, self._dice = lane, past, dice
        self._splitter = PacketSplitter()
        self.mischief = NO_MISCHIEF

    def feed(self, data: bytes) -> bytes:
        return b"".join(self._treat(packet) for packet in self._splitter.feed(data))

    def _treat(self, packet: bytes) -> bytes:
        message = read_publish(packet)
        if message is None or not message.topic.endswith(self._lane):
            return packet
        copies = self._copies(message)
        self._past.remember(message)
        spoilt = self._spoil(message)
        return b"".join([packet if spoilt is None else spoilt.encode(), *(copy.encode() for copy in copies)])

    def _spoil(self, message: Publish) -> Publish | None:
        payload, dice = message.payload, self._dice
        if payload and self._is_due(self.mischief.corrupt):
            place = dice.randrange(len(payload))
            turned = payload[place] ^ 1 << dice.randrange(8)
            return self._inject("corrupt", message, payload[:place] + bytes([turned]) + payload[place + 1 :])
        if len(payload) > 1 and self._is_due(self.mischief.truncate):
            return self._inject("truncate", message, payload[: dice.randrange(1, len(payload))])
        return None

    def _copies(self, message: Publish) -> list[Publish]:
        """Copies travel at QoS 0: the sender never asked for them and must not hear of them."""
        own, others = self._past.messages[message.topic], self._past.not_of(message.topic)
        copies = []
        if self._is_due(self.mischief.duplicate):
            copies.append(self._inject("duplicate", message, message.payload))
        if own and self._is_due(self.mischief.stale):
            copies.append(self._inject("stale", message, self._dice.choice(own)))
        if others and self._is_due(self.mischief.foreign):
            copies.append(self._inject("foreign", message, self._dice.choice(others)))
        return [copy._replace(packet_id=None) for copy in copies]

    def _inject(self, kind: str, message: Publish, payload: bytes) -> Publish:
        self._past.injections.append(Injection(kind, message.topic, payload))
        return message._replace(payload=payload)

    def _is_due(self, share: float) -> bool:
        return share > 0 and self._dice.random() < share
