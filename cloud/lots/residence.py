"""From sightings, scans and loads to where a lot was from when until when. Pure; the order of arrival never matters.

A door has two sides. What a reader sees becomes movement by the order of its antennas:

    outside, inside   ->  it came in          inside, outside           ->  it went out
    inside alone      ->  it is inside        outside alone             ->  it went out, if it was inside; else nothing
    outside, inside, outside within 30 s      ->  it turned round: nothing

A zone without door sides has read points of the role `presence`: seen there means being there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

SETTLE_MS = 30_000  # changes of side closer together than this are one passage


class Role(StrEnum):
    INSIDE = "inside"
    OUTSIDE = "outside"
    PRESENCE = "presence"


class Seen(NamedTuple):
    """One carrier at one antenna, from the first to the last read."""

    at: int
    last_at: int
    door: str  # the reader's point; its antennas share it
    role: Role
    zone_id: int
    inside_zone_id: int  # the zone on the inner side of the same door


class Move(NamedTuple):
    """From `at` on it is in `zone_id`; None: it left the site."""

    at: int
    is_by_hand: bool  # a person's word at the same moment outweighs an antenna's
    zone_id: int | None
    only_from: int | None = None  # counts only for what was in this zone until then


class Span(NamedTuple):
    """Half-open [from_at, until_at); None: still so."""

    from_at: int
    until_at: int | None


class Stay(NamedTuple):
    zone_id: int
    from_at: int
    until_at: int | None


@dataclass(frozen=True, slots=True)
class CarrierFacts:
    """What is known of a carrier while it holds the lot in question."""

    carrier_id: int
    moves: Sequence[Move]
    loads: Sequence[Span]


class Residence(NamedTuple):
    """A lot, or the part of it in one carrier, in a zone."""

    carrier_id: int | None
    zone_id: int
    from_at: int
    until_at: int | None


def residences(lot_moves: Sequence[Move], carriers: Iterable[CarrierFacts]) -> list[Residence]:
    """A part in a carrier goes where either the carrier or the whole lot was last said to be."""
    found: list[Residence] = []
    loads: list[Span] = []
    for carrier in carriers:
        loads += carrier.loads
        stays = track([*lot_moves, *carrier.moves])
        found += [Residence(carrier.carrier_id, *stay) for load in carrier.loads for stay in _clip(stays, load)]
    loose = track(lot_moves)
    found += [Residence(None, *stay) for span in _free(loads) for stay in _clip(loose, span)]
    return sorted(found, key=_by_time)


def track(moves: Iterable[Move]) -> list[Stay]:
    """One thing's way through the zones; being told again where it is changes nothing."""
    stays: list[Stay] = []
    here: int | None = None
    since = 0
    for at, _, zone_id, only_from in sorted(set(moves), key=_order):
        if zone_id == here or (only_from is not None and only_from != here):
            continue
        if here is not None and since < at:
            stays.append(Stay(here, since, at))
        here, since = zone_id, at
    if here is not None:
        stays.append(Stay(here, since, None))
    return _joined(stays)


def movements(seen: Iterable[Seen]) -> list[Move]:
    """What sightings of one carrier say about movement."""
    doors: dict[str, list[Seen]] = {}
    moves = []
    for sight in seen:
        if sight.role is Role.PRESENCE:
            moves.append(Move(sight.at, is_by_hand=False, zone_id=sight.zone_id))
            moves.append(Move(sight.last_at, is_by_hand=False, zone_id=sight.zone_id))
        else:
            doors.setdefault(sight.door, []).append(sight)
    for sights in doors.values():
        for visit in _visits(_glimpses(sights)):
            moves += _passages(visit)
    return moves


class _Glimpse(NamedTuple):
    """A moment at which a carrier was surely at one side of a door."""

    at: int
    role: Role
    zone_id: int
    inside_zone_id: int


def _glimpses(sights: Iterable[Seen]) -> list[_Glimpse]:
    ends = {
        _Glimpse(at, sight.role, sight.zone_id, sight.inside_zone_id)
        for sight in sights
        for at in (sight.at, sight.last_at)
    }
    return sorted(ends)


def _visits(glimpses: Sequence[_Glimpse]) -> list[list[_Glimpse]]:
    """Stretches in which the carrier was never out of sight for longer than the settling time."""
    visits: list[list[_Glimpse]] = []
    for glimpse in glimpses:
        if visits and glimpse.at - visits[-1][-1].at <= SETTLE_MS:
            visits[-1].append(glimpse)
        else:
            visits.append([glimpse])
    return visits


def _passages(visit: list[_Glimpse]) -> list[Move]:
    """Groups the changes of side that follow each other closely; the side after the group is where it went."""
    changes = [visit[0], *(after for before, after in pairwise(visit) if after.role is not before.role)]
    groups: list[list[_Glimpse]] = []
    for change in changes:
        if groups and change.at - groups[-1][-1].at <= SETTLE_MS:
            groups[-1].append(change)
        else:
            groups.append([change])
    moves = []
    came_from = visit[0].role
    for group in groups:
        side = group[-1]
        first_at = next(change.at for change in group if change.role is side.role)
        is_crossing = side.role is not came_from
        needs_inside = side.role is Role.OUTSIDE and not is_crossing
        moves.append(
            Move(
                first_at,
                is_by_hand=False,
                zone_id=side.zone_id,
                only_from=side.inside_zone_id if needs_inside else None,
            )
        )
        came_from = side.role
    return moves


def _by_time(stay: Residence) -> tuple[int, int, int, bool, int]:
    return (stay.from_at, stay.carrier_id or 0, stay.zone_id, stay.until_at is None, stay.until_at or 0)


def _order(move: Move) -> tuple[int, bool, int, int]:
    return (move.at, move.is_by_hand, move.zone_id or 0, move.only_from or 0)


def _joined(stays: Sequence[Stay]) -> list[Stay]:
    joined: list[Stay] = []
    for stay in stays:
        if joined and joined[-1].zone_id == stay.zone_id and joined[-1].until_at == stay.from_at:
            joined[-1] = joined[-1]._replace(until_at=stay.until_at)
        else:
            joined.append(stay)
    return joined


def _clip(stays: Iterable[Stay], span: Span) -> list[Stay]:
    clipped = []
    for stay in stays:
        from_at = max(stay.from_at, span.from_at)
        until_at = earlier(stay.until_at, span.until_at)
        if until_at is None or from_at < until_at:
            clipped.append(Stay(stay.zone_id, from_at, until_at))
    return clipped


def _free(loads: Iterable[Span]) -> list[Span]:
    """The time in which the lot was in no carrier at all."""
    free = []
    begin: int | None = -(1 << 62)
    for load in sorted(loads, key=lambda span: span.from_at):
        if begin is None:
            break
        if load.from_at > begin:
            free.append(Span(begin, load.from_at))
        begin = None if load.until_at is None else max(begin, load.until_at)
    if begin is not None:
        free.append(Span(begin, None))
    return free


def earlier(one: int | None, other: int | None) -> int | None:
    """Of two ends, of which None is never."""
    if one is None:
        return other
    return one if other is None else min(one, other)
