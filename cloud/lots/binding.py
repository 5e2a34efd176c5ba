"""Which readings are about a lot: through its residence in a zone and what was installed there then. Pure.

A reading never carries a lot id; it binds by where it was measured, and when.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from cloud.lots.residence import Residence, Stay, earlier
from cloud.site.repository import InstalledPoint


class ReadingRange(NamedTuple):
    """One series' readings over [from_at, until_at); None: all that are still to come."""

    series_id: int
    zone_id: int
    from_at: int
    until_at: int | None


def stays_of(residences: Iterable[Residence]) -> list[Stay]:
    """Where the lot was, whichever part of it: overlapping and adjoining residences in one zone are one stay."""
    stays: list[Stay] = []
    for stay in sorted((Stay(*residence[1:]) for residence in residences), key=lambda stay: stay[:2]):
        last = stays[-1] if stays else None
        if (
            last is not None
            and last.zone_id == stay.zone_id
            and (last.until_at is None or stay.from_at <= last.until_at)
        ):
            stays[-1] = last._replace(until_at=_later(last.until_at, stay.until_at))
        else:
            stays.append(stay)
    return sorted(stays, key=lambda stay: (stay.from_at, stay.zone_id))


def bind(stays: Iterable[Stay], installed: Mapping[int, Sequence[InstalledPoint]]) -> list[ReadingRange]:
    """`installed` by zone."""
    ranges = []
    for stay in stays:
        for point in installed.get(stay.zone_id, ()):
            from_at = max(stay.from_at, point.from_at)
            until_at = earlier(stay.until_at, point.until_at)
            if until_at is None or from_at < until_at:
                ranges.append(ReadingRange(point.series_id, stay.zone_id, from_at, until_at))
    return ranges


def _later(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)
