"""Just enough MQTT 3.1.1 to find the messages in a stream of bytes and to write them again. Pure; no connection."""

from __future__ import annotations

from typing import NamedTuple

_PUBLISH = 3
_MAX_LENGTH_BYTES = 4  # of the variable length, MQTT 3.1.1, 2.2.3


class NotMqtt(ValueError):
    """A length that no packet can have."""


class Publish(NamedTuple):
    """A message as it travels; `packet_id` is None at QoS 0."""

    topic: str
    payload: bytes
    packet_id: int | None = None
    retain: bool = False

    def encode(self) -> bytes:
        topic = self.topic.encode()
        body = len(topic).to_bytes(2) + topic
        if self.packet_id is not None:
            body += self.packet_id.to_bytes(2)
        body += self.payload
        qos = 0 if self.packet_id is None else 1
        return bytes([_PUBLISH << 4 | qos << 1 | self.retain]) + _encode_length(len(body)) + body


class PacketSplitter:
    """Bytes in, whole packets out; what is not yet whole is kept."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Raises NotMqtt."""
        held, packets = self._held + data, []
        while (end := _end_of_packet(held)) is not None and end <= len(held):
            packets.append(held[:end])
            held = held[end:]
        self._held = held
        return packets


def read_publish(packet: bytes) -> Publish | None:
    """None when it is another kind of packet."""
    if packet[0] >> 4 != _PUBLISH:
        return None
    qos, retain = packet[0] >> 1 & 3, bool(packet[0] & 1)
    at = 1 + _length_bytes(packet)
    topic_ends = at + 2 + int.from_bytes(packet[at : at + 2])
    topic = packet[at + 2 : topic_ends].decode()
    if not qos:
        return Publish(topic, packet[topic_ends:], None, retain)
    packet_id = int.from_bytes(packet[topic_ends : topic_ends + 2])
    return Publish(topic, packet[topic_ends + 2 :], packet_id, retain)


def _end_of_packet(held: bytes) -> int | None:
    """None: not even its length is there."""
    length = 0
    for place, byte in enumerate(held[1 : 1 + _MAX_LENGTH_BYTES]):
        length |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return 2 + place + length
    if len(held) > _MAX_LENGTH_BYTES:
        raise NotMqtt(held[:8].hex())
    return None


def _length_bytes(packet: bytes) -> int:
    return next(count for count in range(1, _MAX_LENGTH_BYTES + 1) if packet[count] < 0x80)


def _encode_length(length: int) -> bytes:
    encoded = bytearray()
    while True:
        length, byte = length >> 7, length & 0x7F
        encoded.append(byte | 0x80 if length else byte)
        if not length:
            return bytes(encoded)
