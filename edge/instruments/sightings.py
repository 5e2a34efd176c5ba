"""From the 5 to 200 reads of a tag that passes a gate to the few facts worth keeping.

The first read is a sighting at once (a door must react); the reads after it are one more sighting when the tag has not
been seen for 2 s, or at the next flush while it stays. Their reads add up: no read is in two sightings.
"""

from __future__ import annotations

from dataclasses import dataclass

from wire.entries import Sighting

GONE_AFTER_MS = 2_000


@dataclass(slots=True)
class _Presence:
    last_seen: int
    last_at: int  # end of the last sighting given out; the next begins later
    first_at: int = 0
    reads: int = 0
    best_rssi: int | None = None


class SightingWindow:
    """The tags in the field of one reader."""

    def __init__(self, point: int) -> None:
        self._point = point
        self._present: dict[tuple[str, int | None], _Presence] = {}

    def __len__(self) -> int:
        return len(self._present)

    def see(self, epc: str, antenna: int | None, rssi_dbm: int | None, at: int) -> Sighting | None:
        """One read. A tag that was not there before is a sighting at once."""
        presence = self._present.get((epc, antenna))
        if presence is None:
            self._present[epc, antenna] = _Presence(last_seen=at, last_at=at)
            return Sighting(self._point, at, at, epc, 1, rssi_dbm, antenna)
        presence.last_seen = at
        if presence.reads == 0:
            presence.first_at = max(at, presence.last_at + 1)
            presence.best_rssi = rssi_dbm
        presence.reads += 1
        if rssi_dbm is not None and (presence.best_rssi is None or rssi_dbm > presence.best_rssi):
            presence.best_rssi = rssi_dbm
        return None

    def due(self, now: int) -> list[Sighting]:
        """Sightings of tags that have left; to be asked a few times a second."""
        gone = [key for key, presence in self._present.items() if now - presence.last_seen >= GONE_AFTER_MS]
        found = [self._counted(*key, self._present[key]) for key in gone if self._present[key].reads]
        for key in gone:
            del self._present[key]
        return found

    def held(self) -> list[Sighting]:
        """What is counted so far of tags that stay; asked before each flush, so that a kill costs no more than one."""
        return [self._counted(*key, presence) for key, presence in self._present.items() if presence.reads]

    def _counted(self, epc: str, antenna: int | None, presence: _Presence) -> Sighting:
        last_at = max(presence.last_seen, presence.first_at)
        found = Sighting(self._point, presence.first_at, last_at, epc, presence.reads, presence.best_rssi, antenna)
        presence.last_at, presence.reads, presence.best_rssi = last_at, 0, None
        return found
