"""The ledger's words: what happened to goods, in the shape of EPCIS 2.0. Pure; `ledger.py` keeps and finds them.

    flock --slaughter--> carcasses --cut--> legs, breasts, frames --pack--> trays ... --ship-->
                                    `--rework--> a new lot, never an older one

Nothing is edited: a `correction` names the event that was wrong, and from then on that one does not count.
"""

import hashlib
import uuid
from decimal import Decimal
from enum import StrEnum

import msgspec

from cloud.lots.errors import BadEventError, BadQuantityError

_NAMESPACE = uuid.UUID("6f6cbb0e-52d5-5b43-9a53-6d3b8a0c0b0d")  # ours, for ids made from what an event says
_OWN = "urn:coldlink:bizstep:"


class EventKind(StrEnum):
    RECEIVE = "receive"
    SLAUGHTER = "slaughter"
    CUT = "cut"
    PACK = "pack"
    SPLIT = "split"
    MERGE = "merge"
    REWORK = "rework"
    AGGREGATE = "aggregate"  # into a carrier
    MEASURE = "measure"  # a core temperature, taken by hand
    SHIP = "ship"
    HOLD = "hold"
    RELEASE = "release"
    REJECT = "reject"
    DOWNGRADE = "downgrade"
    RECALL = "recall"
    DESTROY = "destroy"
    CORRECTION = "correction"


class Shape(StrEnum):
    """The EPCIS event type."""

    OBJECT = "ObjectEvent"
    TRANSFORMATION = "TransformationEvent"
    AGGREGATION = "AggregationEvent"


class Meaning(msgspec.Struct, frozen=True):
    """CBV 2.0 words where it has them; `killing` is not slaughter there but the end of an RFID tag."""

    shape: Shape
    biz_step: str
    disposition: str = ""


_MADE = "in_progress"
MEANINGS = {
    EventKind.RECEIVE: Meaning(Shape.OBJECT, "receiving", _MADE),
    EventKind.SLAUGHTER: Meaning(Shape.TRANSFORMATION, _OWN + "slaughtering", _MADE),
    EventKind.CUT: Meaning(Shape.TRANSFORMATION, _OWN + "cutting", _MADE),
    EventKind.PACK: Meaning(Shape.TRANSFORMATION, "packing", _MADE),
    EventKind.SPLIT: Meaning(Shape.TRANSFORMATION, "repackaging", _MADE),
    EventKind.MERGE: Meaning(Shape.TRANSFORMATION, _OWN + "merging", _MADE),
    EventKind.REWORK: Meaning(Shape.TRANSFORMATION, _OWN + "reworking", _MADE),
    EventKind.AGGREGATE: Meaning(Shape.AGGREGATION, "loading", _MADE),
    EventKind.MEASURE: Meaning(Shape.OBJECT, "inspecting", _MADE),
    EventKind.SHIP: Meaning(Shape.OBJECT, "shipping", "in_transit"),
    EventKind.HOLD: Meaning(Shape.OBJECT, "holding", "non_sellable_other"),
    EventKind.RELEASE: Meaning(Shape.OBJECT, "inspecting", "conformant"),
    EventKind.REJECT: Meaning(Shape.OBJECT, "inspecting", "non_conformant"),
    EventKind.DOWNGRADE: Meaning(Shape.OBJECT, "inspecting", "available"),
    EventKind.RECALL: Meaning(Shape.OBJECT, "holding", "recalled"),
    EventKind.DESTROY: Meaning(Shape.OBJECT, "destroying", "destroyed"),
    EventKind.CORRECTION: Meaning(Shape.OBJECT, "", ""),
}
TRANSFORMATIONS = frozenset(kind for kind, meaning in MEANINGS.items() if meaning.shape is Shape.TRANSFORMATION)
DECISIONS = frozenset({EventKind.RELEASE, EventKind.REJECT, EventKind.DOWNGRADE})


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much of a lot took part; quantities are exact decimals."""

    lot: str
    quantity_kg: str | None = None
    pieces: int | None = None


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A paper that belongs to the event: `cert` with the number of a quarantine certificate, `desadv`, `inv` ..."""

    type: str
    number: str


class LotEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened. Transformations have inputs and outputs, all others have subjects."""

    kind: EventKind
    at: int  # when it happened; UTC milliseconds
    by: str  # the person or program that says so
    event_id: str = ""  # a URI; made from what the event says where none is given
    inputs: tuple[Item, ...] = ()
    outputs: tuple[Item, ...] = ()
    subjects: tuple[Item, ...] = ()
    zone: str | None = None  # where, and where the subjects or outputs are afterwards
    reason: str = ""
    carrier: str | None = None  # aggregate: the EPC that holds the lots from now on
    breach: str | None = None  # hold, release ...: the key of the breach it is about
    corrects: str | None = None  # correction: the event that was wrong
    transformation_id: str | None = None  # joins the parts of one transformation over a shift
    source: str | None = None  # receive: from whom
    destination: str | None = None  # ship: to whom
    core_celsius: str | None = None  # measure: in the thickest part
    documents: tuple[Document, ...] = ()
    biz_step: str = ""  # where it says more than the kind does
    disposition: str = ""

    @property
    def meaning(self) -> Meaning:
        return MEANINGS[self.kind]

    @property
    def items(self) -> tuple[Item, ...]:
        return self.inputs + self.outputs + self.subjects


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """An event in the books."""

    event: LotEvent
    number: int  # counts up in the order of arrival
    recorded_at: int
    corrected_at: int | None  # when its correction became known


def checked(event: LotEvent) -> LotEvent:
    """The event in its one written form, with words and id filled in. Raises BadEventError, BadQuantityError."""
    _refuse_wrong_sides(event)
    _refuse_wrong_companions(event)
    plain = msgspec.structs.replace(
        event,
        inputs=_plain(event.inputs),
        outputs=_plain(event.outputs),
        subjects=_plain(event.subjects),
        carrier=None if event.carrier is None else event.carrier.lower(),
        core_celsius=None if event.core_celsius is None else _decimal(event.core_celsius),
        biz_step=event.biz_step or event.meaning.biz_step,
        disposition=event.disposition or event.meaning.disposition,
    )
    return msgspec.structs.replace(plain, event_id=plain.event_id or _id_of(plain))


def digest(event: LotEvent) -> str:
    """Equal for equal facts."""
    return hashlib.sha256(msgspec.json.encode(event, order="deterministic")).hexdigest()


def kilograms(text: str) -> str:
    """Raises BadQuantityError."""
    quantity = _decimal(text)
    if Decimal(quantity) < 0:
        raise BadQuantityError(text)
    return quantity


def _id_of(event: LotEvent) -> str:
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, digest(event))}"


def _plain(items: tuple[Item, ...]) -> tuple[Item, ...]:
    return tuple(
        msgspec.structs.replace(item, quantity_kg=None if item.quantity_kg is None else kilograms(item.quantity_kg))
        for item in items
    )


def _decimal(text: str) -> str:
    try:
        number = Decimal(text)
    except ArithmeticError as error:
        raise BadQuantityError(text) from error
    if not number.is_finite() or abs(number) > Decimal(10) ** 9:
        raise BadQuantityError(text)
    return f"{number:f}"


def _refuse_wrong_sides(event: LotEvent) -> None:
    if event.kind in TRANSFORMATIONS:
        if not event.inputs or not event.outputs or event.subjects:
            raise BadEventError(event.kind, "it turns inputs into outputs: name at least one of each, and no subjects")
    elif event.inputs or event.outputs:
        raise BadEventError(event.kind, "it has subjects, and neither inputs nor outputs")
    elif not event.subjects and event.kind is not EventKind.CORRECTION:
        raise BadEventError(event.kind, "it has no subjects: name at least one lot")
    for side in (event.inputs, event.outputs, event.subjects):
        if len({item.lot for item in side}) < len(side):
            raise BadEventError(event.kind, "a lot stands twice on one side")
    if any(item.pieces is not None and item.pieces < 0 for item in event.items):
        raise BadEventError(event.kind, "a number of pieces cannot be negative")


def _refuse_wrong_companions(event: LotEvent) -> None:
    required = {
        EventKind.CORRECTION: ("corrects", event.corrects),
        EventKind.AGGREGATE: ("carrier", event.carrier),
        EventKind.MEASURE: ("core_celsius", event.core_celsius),
    }
    for kind, (name, value) in required.items():
        if (event.kind is kind) != (value is not None):
            raise BadEventError(event.kind, f"`{name}` belongs to `{kind}` and to nothing else")
    needs_reason = event.kind in DECISIONS or event.kind in {EventKind.HOLD, EventKind.RECALL, EventKind.DESTROY}
    if needs_reason and not event.reason.strip():
        raise BadEventError(event.kind, "it needs a reason")
    if not event.by.strip():
        raise BadEventError(event.kind, "somebody must say so: `by` is empty")
