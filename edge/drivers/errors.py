"""What can go wrong around a driver, by what the caller can do about it.

DriverError
├── UnknownDriver      a name the registry lacks: repair the profile
├── BadParameter       a value the driver cannot use: repair the profile
└── PortError
    ├── PortUnavailable    could not be opened: try again later
    └── PortLost           was open and is gone: close it, open it again
"""

from collections.abc import Iterable


class DriverError(Exception):
    """Base of all below."""


class UnknownDriver(DriverError):
    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = sorted(known)
        super().__init__(f"unknown driver {name!r}; known drivers: {', '.join(self.known)}")


class BadParameter(DriverError):
    def __init__(self, name: str, value: object, wanted: str) -> None:
        self.name = name
        self.value = value
        self.wanted = wanted
        super().__init__(f"params.{name} is {value!r}; wanted: {wanted}")


class PortError(DriverError):
    def __init__(self, port: str, why: str) -> None:
        self.port = port
        self.why = why
        super().__init__(f"{port}: {why}")


class PortUnavailable(PortError):
    pass


class PortLost(PortError):
    pass
