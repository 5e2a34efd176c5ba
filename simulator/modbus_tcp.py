"""Modbus TCP: a gateway with several units behind it, lean enough for thousands of requests a second.

Not pymodbus's server: that one answers for units that do not exist, cannot be silent for one of them, and says nothing
about which answer went out when, which the ledger needs. pymodbus is the peer in the tests instead.
"""

from __future__ import annotations

import asyncio
import struct
from types import TracebackType
from typing import Self

from simulator.ledger import Ledger
from simulator.station import Answer, Station

_HEADER = struct.Struct(">HHHB")  # transaction, protocol, length, unit (MODBUS Messaging on TCP/IP V1.0b, 3.1.3)
_MAX_PDU = 253


class ModbusTcpServer:
    """An async context manager; `port` is the real one once it is open."""

    def __init__(self, station: Station, ledger: Ledger, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._station, self._ledger = station, ledger
        self._links: set[_Link] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Link(self._station, self._ledger, self._links), self.host, self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
            for link in list(self._links):
                link.close()
            await self._server.wait_closed()


class _Link(asyncio.Protocol):
    def __init__(self, station: Station, ledger: Ledger, links: set[_Link]) -> None:
        self._station, self._ledger, self._links = station, ledger, links
        self._transport: asyncio.Transport | None = None
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._links.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        self._transport = None
        self._links.discard(self)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        held = self._held + data if self._held else data
        while len(held) >= 8:
            transaction, protocol, length, unit_id = _HEADER.unpack_from(held)
            if protocol != 0 or not 2 <= length <= _MAX_PDU + 1:
                self.close()  # not Modbus: there is no way to find the next frame
                return
            if len(held) < 6 + length:
                break
            pdu, held = held[7 : 6 + length], held[6 + length :]
            answer = self._station.answer(unit_id, pdu)
            if answer is not None:
                self._give(transaction, unit_id, answer)
        self._held = held

    def _give(self, transaction: int, unit_id: int, answer: Answer) -> None:
        wait_ms = answer.treatment.delay_ms + answer.turnaround_ms
        if wait_ms:
            asyncio.get_running_loop().call_later(wait_ms / 1000, self._send, transaction, unit_id, answer)
        else:
            self._send(transaction, unit_id, answer)

    def _send(self, transaction: int, unit_id: int, answer: Answer) -> None:
        """A gateway passes on no frame that came spoilt from its serial side: then there is only silence."""
        why, delivered = answer.treatment.why, answer.treatment.delivered
        if self._transport is None or self._transport.is_closing():
            why, delivered = why or "gone", False
        if answer.points:
            self._ledger.write(answer.device, answer.points, answer.values, why=why, delivered=delivered)
        if delivered and self._transport is not None:
            self._transport.write(_HEADER.pack(transaction, 0, len(answer.pdu) + 1, unit_id) + answer.pdu)
