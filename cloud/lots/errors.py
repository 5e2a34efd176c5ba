"""Facts about lots that cannot be taken. None of them gets better by trying again.

LotError
├── UnknownZoneError / UnknownLotError / UnknownCarrierError    what is named is not known here
├── BadGtinError / BadEpcError / BadQuantityError               it is not what it claims to be
├── ConflictingFactError                                        the same thing was recorded with other facts
├── OverlappingLoadError                                        the carrier still holds a lot at that time
├── UnloadBeforeLoadError                                       the carrier held nothing at that time
├── BadEventError                                               an event does not say what its kind must say
├── UnknownEventError                                           the event to correct is not known here
├── CycleError                                                  a lot would be made of itself
└── ShipmentRefusedError                                        a hold or an open breach stands in the way
"""

from collections.abc import Sequence

from cloud.errors import CloudError


class LotError(CloudError):
    pass


class UnknownZoneError(LotError):
    def __init__(self, zone: str) -> None:
        super().__init__(f"there is no zone {zone!r}")
        self.zone = zone


class UnknownLotError(LotError):
    def __init__(self, lot: str) -> None:
        super().__init__(f"there is no lot {lot!r}")
        self.lot = lot


class UnknownCarrierError(LotError):
    def __init__(self, epc: str) -> None:
        super().__init__(f"there is no carrier with EPC {epc!r}")
        self.epc = epc


class BadGtinError(LotError):
    def __init__(self, gtin: str, why: str) -> None:
        super().__init__(f"{gtin!r} is no GTIN: {why}")
        self.gtin = gtin
        self.why = why


class BadEpcError(LotError):
    def __init__(self, epc: str) -> None:
        super().__init__(f"{epc!r} is no EPC: it must be whole bytes in hex, 8 to 62 of them")
        self.epc = epc


class BadQuantityError(LotError):
    def __init__(self, quantity: str) -> None:
        super().__init__(f"{quantity!r} is no quantity: write a decimal number that is not negative, such as 1248.6")
        self.quantity = quantity


class ConflictingFactError(LotError):
    def __init__(self, what: str, recorded: dict[str, object], given: dict[str, object]) -> None:
        differing = ", ".join(name for name in given if recorded.get(name) != given[name])
        super().__init__(f"{what} is recorded with another {differing}")
        self.what = what
        self.recorded = recorded
        self.given = given


class OverlappingLoadError(LotError):
    def __init__(self, epc: str, lot: str, held_lot: str, held_from: int, held_until: int | None) -> None:
        super().__init__(f"carrier {epc} holds lot {held_lot} at that time; unload it before loading {lot}")
        self.epc = epc
        self.lot = lot
        self.held_lot = held_lot
        self.held_from = held_from
        self.held_until = held_until


class UnloadBeforeLoadError(LotError):
    def __init__(self, epc: str, at: int) -> None:
        super().__init__(f"carrier {epc} held no lot at that time")
        self.epc = epc
        self.at = at


class BadEventError(LotError):
    def __init__(self, kind: str, why: str) -> None:
        super().__init__(f"this `{kind}` cannot be taken: {why}")
        self.kind = kind
        self.why = why


class UnknownEventError(LotError):
    def __init__(self, event_id: str) -> None:
        super().__init__(f"there is no event {event_id!r}")
        self.event_id = event_id


class CycleError(LotError):
    def __init__(self, path: Sequence[str]) -> None:
        super().__init__(f"a lot cannot be made of itself: {' > '.join(path)}; give what is made a new lot number")
        self.path = tuple(path)


class ShipmentRefusedError(LotError):
    def __init__(self, obstacles: Sequence[str]) -> None:
        super().__init__("nothing leaves yet: " + "; ".join(obstacles))
        self.obstacles = tuple(obstacles)
