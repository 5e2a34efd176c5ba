"""Who was made of whom: shares, origins and mass balance over transformations. Pure.

A child of several parents holds all of them in the proportion of their weights; nothing finer is ever claimed, so a
tray of two flocks is "of flocks A and B", and what one of them went through counts for all of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from cloud.lots.events import EventKind

# Share of the input's weight that is expected to come out. Whole birds lose blood, feathers and viscera; after that
# only drip and trimmings. The house's own experience may narrow these.
YIELD_BANDS: Mapping[EventKind, tuple[Decimal, Decimal]] = {
    EventKind.SLAUGHTER: (Decimal("0.60"), Decimal("0.85")),
    EventKind.CUT: (Decimal("0.85"), Decimal("1.01")),
    EventKind.PACK: (Decimal("0.95"), Decimal("1.02")),
    EventKind.SPLIT: (Decimal("0.98"), Decimal("1.01")),
    EventKind.MERGE: (Decimal("0.98"), Decimal("1.01")),
    EventKind.REWORK: (Decimal("0.80"), Decimal("1.05")),
}


class Balance(StrEnum):
    BALANCED = "balanced"
    TOO_LITTLE = "too_little"
    TOO_MUCH = "too_much"
    UNKNOWN = "unknown"  # something was not weighed


@dataclass(frozen=True, slots=True)
class Transformation:
    """One transformation with the weights of what went in and came out; None: not weighed."""

    event_id: str
    kind: EventKind
    at: int
    inputs: Mapping[str, Decimal | None]
    outputs: Mapping[str, Decimal | None]
    pieces: int | None = None

    @property
    def piece_kg(self) -> float | None:
        """What one piece weighs on average."""
        return float(self.out_kg) / self.pieces if self.pieces and self.out_kg is not None else None

    @property
    def in_kg(self) -> Decimal | None:
        return _total(self.inputs.values())

    @property
    def out_kg(self) -> Decimal | None:
        return _total(self.outputs.values())

    @property
    def gained(self) -> Decimal | None:
        """What came out of each kilogram that went in."""
        if not self.in_kg or self.out_kg is None:
            return None
        return self.out_kg / self.in_kg

    @property
    def balance(self) -> Balance:
        low, high = YIELD_BANDS[self.kind]
        if self.gained is None:
            return Balance.UNKNOWN
        if self.gained < low:
            return Balance.TOO_LITTLE
        return Balance.TOO_MUCH if self.gained > high else Balance.BALANCED


class Edge(NamedTuple):
    parent: str
    child: str
    event_id: str
    kind: EventKind
    at: int
    share: Decimal | None  # of the parent in what this transformation made
    kilograms: Decimal | None  # of the parent in the child


class Origin(NamedTuple):
    """A lot that nothing here was made into; `share` None: known to be in it, not how much."""

    lot: str
    share: Decimal | None


def edges_of(transformations: Iterable[Transformation]) -> list[Edge]:
    found = []
    for made in transformations:
        for parent, weight in made.inputs.items():
            share = _share(weight, made)
            for child, out in made.outputs.items():
                kilograms = None if share is None or out is None else share * out
                found.append(Edge(parent, child, made.event_id, made.kind, made.at, share, kilograms))
    return found


def shares_of_ancestors(lot: str, edges: Sequence[Edge]) -> dict[str, Decimal | None]:
    """How much of the lot came through each of its ancestors; None where something was not weighed."""
    above: dict[str, list[Edge]] = {}
    for edge in edges:
        above.setdefault(edge.child, []).append(edge)
    shares: dict[str, Decimal | None] = {lot: Decimal(1)}
    for child in _children_first(lot, above):
        mine = shares[child]
        made = above.get(child, [])
        is_made_once = len({edge.event_id for edge in made}) == 1
        total = _total(edge.kilograms for edge in made)
        for edge in made:
            part = _part_of(mine, edge, total, is_made_once=is_made_once)
            if edge.parent in shares:
                before = shares[edge.parent]
                shares[edge.parent] = None if part is None or before is None else before + part
            else:
                shares[edge.parent] = part
    del shares[lot]
    return shares


def origins(lot: str, edges: Sequence[Edge]) -> list[Origin]:
    """The union of what it was made of, the largest part first; the lot itself if it was made of nothing."""
    made = {edge.child for edge in edges}
    shares = shares_of_ancestors(lot, edges)
    found = [Origin(key, share) for key, share in shares.items() if key not in made]
    return sorted(found or [Origin(lot, Decimal(1))], key=lambda origin: (-(origin.share or 0), origin.lot))


def generations(lot: str, edges: Iterable[Edge]) -> dict[str, int]:
    """The lot is 0, what it was made of -1 and less, what was made of it 1 and more: the longest way counts."""
    found = {lot: 0}
    listed = list(edges)
    for direction in (-1, 1):
        line = {lot}
        depth = 0
        while line and depth < len(listed) + 1:
            depth += 1
            line = {
                (edge.parent if direction < 0 else edge.child)
                for edge in listed
                if (edge.child if direction < 0 else edge.parent) in line
            }
            for key in line:
                found[key] = direction * depth
    return found


def used_until(lot: str, edges: Iterable[Edge]) -> dict[str, int]:
    """For each ancestor, until when what it went through is the lot's own history, too."""
    until: dict[str, int] = {}
    for edge in edges:
        if edge.parent != lot:
            until[edge.parent] = max(edge.at, until.get(edge.parent, edge.at))
    return until


def affected(seeds: Mapping[str, int], edges: Iterable[Edge]) -> dict[str, int]:
    """What was made of lots after each had been touched; with the time from which it is touched, too."""
    touched = dict(seeds)
    for edge in sorted(edges, key=lambda edge: (edge.at, edge.event_id)):
        since = touched.get(edge.parent)
        if since is not None and edge.at >= since:
            touched[edge.child] = min(edge.at, touched.get(edge.child, edge.at))
    return touched


def affected_kilograms(
    seeds: Iterable[str], edges: Iterable[Edge], touched: Mapping[str, int], weights: Mapping[str, Decimal | None]
) -> dict[str, Decimal | None]:
    """How much of each touched lot came from the seeds; None: it is in there, nobody weighed how much."""
    amounts: dict[str, Decimal | None] = {key: weights.get(key) for key in seeds}
    begun = set(amounts)
    for edge in sorted(edges, key=lambda edge: (edge.at, edge.event_id)):
        since = touched.get(edge.parent)
        if since is None or edge.at < since or edge.child in begun:
            continue
        whole, part = weights.get(edge.parent), amounts.get(edge.parent)
        came = None if edge.kilograms is None or not whole or part is None else edge.kilograms * part / whole
        before = amounts.get(edge.child, Decimal(0))
        amounts[edge.child] = None if came is None or before is None else before + came
    return amounts


def _share(weight: Decimal | None, made: Transformation) -> Decimal | None:
    if len(made.inputs) == 1:
        return Decimal(1)
    if weight is None or not made.in_kg:
        return None
    return weight / made.in_kg


def _part_of(mine: Decimal | None, edge: Edge, total: Decimal | None, *, is_made_once: bool) -> Decimal | None:
    if mine is None or edge.share is None:
        return None
    if is_made_once:
        return mine * edge.share
    return None if not total or edge.kilograms is None else mine * edge.kilograms / total


def _children_first(lot: str, above: Mapping[str, Sequence[Edge]]) -> list[str]:
    """Topological: everything that was made of a lot stands before it."""
    order: list[str] = []
    seen: set[str] = set()
    stack: list[tuple[str, bool]] = [(lot, False)]
    while stack:
        key, is_done = stack.pop()
        if is_done:
            order.append(key)
        elif key not in seen:
            seen.add(key)
            stack.append((key, True))
            stack += [(edge.parent, False) for edge in above.get(key, ())]
    return order[::-1]


def _total(weights: Iterable[Decimal | None]) -> Decimal | None:
    known = list(weights)
    if not known or any(weight is None for weight in known):
        return None
    return sum((weight for weight in known if weight is not None), Decimal(0))
