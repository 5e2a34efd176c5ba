"""What can go wrong between the agent and an instrument, by what the caller can do about it.

BusError (carries the `reason` that the readings will show)
├── PortDown     there is no line to speak on: wait until the bus has reopened it
├── CannotTune   the line has no settings to change (a network): ask for its own only
├── NoAnswer     silence: trying again may help, a device that stays silent is offline
├── BadAnswer    bytes came, but not a good answer: trying again helps against noise
└── Refused      the device answered with a Modbus exception: it lives; for codes 1 to 3 the profile or wiring is wrong
"""


class BusError(Exception):
    """A request that brought no value."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason, self.detail = reason, detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


class PortDown(BusError):
    def __init__(self, detail: str = "") -> None:
        super().__init__("port_down", detail)


class CannotTune(BusError):
    def __init__(self, port: str) -> None:
        super().__init__("cannot_tune", f"{port} has one line setting, which its far end decides")


class NoAnswer(BusError):
    def __init__(self) -> None:
        super().__init__("timeout")


class BadAnswer(BusError):
    """`reason` is crc, garbled or wrong_answer."""


class Refused(BusError):
    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"exception_{code}")
