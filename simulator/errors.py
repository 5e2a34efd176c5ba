"""What can go wrong in the plant itself.

PlantError
 ├─ UnknownTarget       a fault names a device or zone that the plant does not have
 ├─ UnknownFault        a fault kind that does not exist, or not for this target
 └─ ControlUnavailable  no plant answers in this run directory
"""

from __future__ import annotations


class PlantError(Exception):
    """Base of this room's errors; the same request will fail again."""


class UnknownTarget(PlantError):
    def __init__(self, target: str, known: list[str]) -> None:
        self.target, self.known = target, known
        super().__init__(f"no device or zone `{target}`; known: {', '.join(known)}")


class UnknownFault(PlantError):
    def __init__(self, kind: str, target: str, known: list[str]) -> None:
        self.kind, self.target, self.known = kind, target, known
        super().__init__(f"no fault `{kind}` for `{target}`; possible: {', '.join(known)}")


class ControlUnavailable(PlantError):
    def __init__(self, run_dir: str, reason: str) -> None:
        self.run_dir = run_dir
        super().__init__(f"no plant answers in {run_dir}: {reason}; is `coldlink sim run ... --run {run_dir}` running?")
