"""The real gateway on a machine whose clock is another: boots, jumps and the moment of synchronisation come from a file.

    python -m tests.chaos.odd_clock CLOCK.json coldlink edge run gateway.yaml

{"boot": "32 hex digits", "wrong_by_ms": -1700000000000, "is_synchronised": false}: read at every look at the clock. Time
since boot stays the machine's own, as the kernel's does whatever is done to the clock.
"""

import json
import runpy
import sys
import time
from pathlib import Path

from edge import clock


class OddTime(clock.MachineTime):
    """TimeSource whose boot and trust are scripted."""

    path = Path()

    def __init__(self, trust: clock.Trust) -> None:
        super().__init__(trust)
        self.boot_id = bytes.fromhex(self._script()["boot"])

    def utc(self) -> clock.UtcNow | None:
        script = self._script()
        if not script["is_synchronised"]:
            return None
        return clock.UtcNow(time.time_ns() // 1_000_000 + script["wrong_by_ms"], 100)

    def _script(self) -> dict:
        return json.loads(self.path.read_text())


def write_script(path: Path, *, boot: int, is_synchronised: bool, wrong_by_ms: int = 0) -> None:
    draft = path.with_suffix(".new")
    draft.write_text(
        json.dumps({"boot": f"{boot:032x}", "wrong_by_ms": wrong_by_ms, "is_synchronised": is_synchronised})
    )
    draft.replace(path)


def main() -> None:
    _, script, module, *arguments = sys.argv
    OddTime.path = Path(script)
    clock.MachineTime = OddTime
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
