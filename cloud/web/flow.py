"""Goods as ribbons: which lots stand in which column, and how many kilograms went from one to the next."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from urllib.parse import quote

from cloud.api.genealogy import Genealogy, Relative
from cloud.api.trace import TouchedLot, Trace
from cloud.web import states
from cloud.web.pages import Page


@dataclass(frozen=True, slots=True)
class Node:
    id: str
    column: int
    name: str
    sub: str
    kg: float
    kg_text: str
    state: str = ""  # tone of components.css: hold, fail, warn, unknown, ok
    icon: str = ""
    badge: str = ""
    href: str = ""
    is_me: bool = False
    parents: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Graph:
    columns: Sequence[str]
    nodes: Sequence[Node]
    links: Sequence[tuple[str, str, float]]

    def for_browser(self) -> dict[str, object]:
        return asdict(self)


def genealogy_graph(page: Page, told: Genealogy) -> Graph:
    words = page.words
    depths = sorted({lot.generation for lot in told.lots})
    names = {-1: words("What it was made of"), 0: words("This lot"), 1: words("What was made of it")}
    columns = [names.get(depth, words("Origin") if depth < 0 else words("Further on")) for depth in depths]
    nodes = [
        Node(
            id=lot.key,
            column=depths.index(lot.generation),
            name=lot.key,
            sub=page.name(lot.name),
            kg=_kg(lot.quantity_kg),
            kg_text=kg_text(page, lot.quantity_kg),
            href=f"/lots/{quote(lot.key)}",
            is_me=lot.key == told.lot,
            parents=[each.parent for each in told.descent if each.child == lot.key],
            **_mark(page, lot),
        )
        for lot in told.lots
    ]
    return Graph(columns, nodes, [(each.parent, each.child, _kg(each.kg)) for each in told.descent])


def trace_graph(page: Page, trace: Trace, start: str) -> Graph:
    """From where it began to where everything is now; `start` names the beginning."""
    words = page.words
    depth = _depths(trace)
    last = max(depth.values(), default=0) + 1 if trace.breach else max(depth.values(), default=-1)
    builder = _Builder(page, trace, depth, goal_column=last + 1)
    if trace.breach:
        builder.add_start(start)
    for lot in trace.lots:
        builder.add_lot(lot)
    middle = [words("Lots that were there"), *[words("What was made of it")] * (last - 1)]
    if not trace.breach:
        middle = [words("This lot"), *[words("What was made of it")] * last]
    columns = [*([words("Breach")] if trace.breach else []), *middle, words("Where it is now")]
    return Graph(columns, [*builder.nodes, *builder.goals.values()], builder.links)


@dataclass(slots=True)
class _Builder:
    page: Page
    trace: Trace
    depth: Mapping[str, int]
    goal_column: int
    nodes: list[Node] = field(default_factory=list)
    goals: dict[str, Node] = field(default_factory=dict)
    links: list[tuple[str, str, float]] = field(default_factory=list)

    def add_start(self, name: str) -> None:
        there = [lot for lot in self.trace.lots if not lot.made_of]
        total = sum(_kg(lot.quantity_kg) for lot in there)
        node = Node("", 0, name, "", total, kg_text(self.page, str(total)), state="fail")
        self.nodes.append(node)
        self.links += [("", lot.key, _kg(lot.quantity_kg)) for lot in there]

    def add_lot(self, lot: TouchedLot) -> None:
        amount = lot.affected_kg or lot.quantity_kg
        text = kg_text(self.page, amount)
        if lot.exposed_minutes is not None:
            exposed = self.page.formats.duration(lot.exposed_minutes * 60_000)
            text = " · ".join(part for part in (text, self.page.words("{duration} in it", duration=exposed)) if part)
        self.nodes.append(
            Node(
                id=lot.key,
                column=self.depth[lot.key] + (1 if self.trace.breach else 0),
                name=lot.key,
                sub=self.page.name(lot.name),
                kg=_kg(amount),
                kg_text=text,
                href=f"/lots/{quote(lot.key)}",
                is_me=self.trace.breach is None and not lot.made_of,
                parents=lot.made_of,
                **_mark(self.page, lot),
            )
        )
        self._link_on(lot, _kg(amount))

    def _link_on(self, lot: TouchedLot, amount: float) -> None:
        children = [each for each in self.trace.descent if each.parent == lot.key]
        self.links += [(lot.key, each.child, _kg(each.kg)) for each in children]
        left = amount - sum(_kg(each.kg) for each in children)
        for shipment in lot.shipments:
            shipped = min(_kg(shipment.quantity_kg), amount)
            left -= shipped
            goal = shipment.destination or self.page.words("Left the site")
            self._link_to(lot, f"to {goal}", goal, shipped, state="warn" if self.trace.breach else "ok")
        for place in lot.places:
            self._link_to(lot, f"in {place.zone}", self.page.name(place.name), max(left, 0.0), state=self._tone(lot))

    def _tone(self, lot: TouchedLot) -> str:
        """What a breach has touched and nobody holds asks for an action."""
        if lot.state != "free":
            return states.STANDINGS[lot.state].tone
        return "warn" if self.trace.breach else "ok"

    def _link_to(self, lot: TouchedLot, key: str, name: str, kilograms: float, *, state: str) -> None:
        before = self.goals.get(key)
        total = kilograms + (before.kg if before else 0)
        parents = [*(before.parents if before else ()), lot.key]
        text = kg_text(self.page, f"{total:.1f}")
        self.goals[key] = Node(key, self.goal_column, name, "", total, text, state=state, parents=parents)
        self.links.append((lot.key, key, kilograms))


def kg_text(page: Page, quantity: str | None) -> str:
    return "" if quantity is None else f"{page.formats.number(quantity, 1)} kg"


def _mark(page: Page, lot: Relative | TouchedLot) -> dict[str, str]:
    """State in word and silhouette; what left although it is touched asks for an action."""
    look = states.STANDINGS[lot.state]
    if lot.state == "free":
        return {"state": "ok"}
    return {"state": look.tone, "icon": look.icon, "badge": look.say(page.words)}


def _depths(trace: Trace) -> dict[str, int]:
    """The longest way from the beginning counts."""
    depth = {lot.key: 0 for lot in trace.lots}
    for _ in trace.lots:
        before = dict(depth)
        for each in trace.descent:
            depth[each.child] = max(depth[each.child], depth[each.parent] + 1)
        if depth == before:
            break
    return depth


def _kg(text: str | None) -> float:
    return 0.0 if text is None else float(text)
