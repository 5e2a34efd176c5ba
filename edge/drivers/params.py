"""A driver's options as a profile or a test bench gives them, checked as they are asked for."""

from collections.abc import Mapping, Sequence

from edge.drivers.errors import BadParameter


class Params:
    """Remembers what was asked for: what is left over is an option that the driver lacks."""

    def __init__(self, given: Mapping[str, object]) -> None:
        self._given = given
        self._asked: set[str] = set()

    @property
    def unused(self) -> list[str]:
        return sorted(set(self._given) - self._asked)

    def given(self, name: str) -> object:
        self._asked.add(name)
        return self._given.get(name)

    def text(self, name: str) -> str | None:
        value = self.given(name)
        if value is None or isinstance(value, str):
            return value
        raise BadParameter(name, value, "text")

    def flag(self, name: str) -> bool:
        value = self.given(name)
        if value is None or isinstance(value, bool):
            return bool(value)
        raise BadParameter(name, value, "true or false")

    def choice(self, name: str, options: Sequence[str], default: str) -> str:
        value = self.given(name)
        if value is None:
            return default
        if isinstance(value, bool):  # a YAML or JSON writer's on and off
            value = "on" if value else "off"
        if str(value) in options:
            return str(value)
        raise BadParameter(name, value, " | ".join(options))

    def whole(self, name: str, low: int, high: int, default: int) -> int:
        value = self.given(name)
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        raise BadParameter(name, value, f"a whole number from {low} to {high}")

    def checksum(self) -> str:
        return self.choice("checksum", ("auto", "on", "off"), "auto")
