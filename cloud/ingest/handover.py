"""Between the network thread and the ingest: bounded in number and bytes, and blocking when full.

While `put` blocks, nobody reads the socket and TCP pushes back on the broker. It gives up before the keep-alive
would end the connection; what is dropped then was never acknowledged, so its gateway sends it again.
"""

import threading
from collections import deque

from cloud.ingest.flight import Flight

MAX_FLIGHTS = 512
MAX_BYTES = 32 << 20
PATIENCE_S = 8.0  # the keep-alive is 20 s, brokers wait 1.5 times that; ground.mqtt


class Handover:
    def __init__(
        self, max_flights: int = MAX_FLIGHTS, max_bytes: int = MAX_BYTES, patience_s: float = PATIENCE_S
    ) -> None:
        self._max_flights = max_flights
        self._max_bytes = max_bytes
        self._patience_s = patience_s
        self._changed = threading.Condition()
        self._flights: deque[Flight] = deque()
        self._bytes = 0
        self._is_closed = False

    def put(self, flight: Flight) -> bool:
        """False: there was no room in time, or the ingest has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._has_room(), self._patience_s)
            if self._is_closed or not self._has_room():
                return False
            self._flights.append(flight)
            self._bytes += len(flight.payload)
            self._changed.notify_all()
            return True

    def collect(self, max_flights: int, max_bytes: int, wait_s: float) -> list[Flight]:
        """What is there, at least one unless the wait or the ingest is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._flights, wait_s)
            taken: list[Flight] = []
            size = 0
            while self._flights and len(taken) < max_flights and size < max_bytes:
                taken.append(self._flights.popleft())
                size += len(taken[-1].payload)
            self._bytes -= size
            self._changed.notify_all()
            return taken

    def close(self) -> None:
        """Lets a blocked network thread go; what is still here can be collected."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    @property
    def depth(self) -> int:
        return len(self._flights)

    @property
    def bytes_waiting(self) -> int:
        return self._bytes

    def _has_room(self) -> bool:
        return not self._flights or (len(self._flights) < self._max_flights and self._bytes < self._max_bytes)
