"""The real gateway on a machine whose clock is another: boots, jumps and the moment of synchronisation come from a file.

    python -m tests.chaos.odd_clock CLOCK.json coldlink edge run gateway.yaml

{"boot": "32 hex digits", "began_ms": 1234, "wrong_by_ms": -1700000000000, "is_synchronised": false}: read at every look
at the clock. `began_ms` is when the boot began, in milliseconds of the machine's own boot; from then on time only passes, as
it does for a kernel whatever is done to its clock.
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
        script = self._script()
        self.boot_id, self._began_ms = bytes.fromhex(script["boot"]), script["began_ms"]

    def boot_ms(self) -> int:
        return super().boot_ms() - self._began_ms

    def utc(self) -> clock.UtcNow | None:
        script = self._script()
        if not script["is_synchronised"]:
            return None
        return clock.UtcNow(time.time_ns() // 1_000_000 + script["wrong_by_ms"], 100)

    def _script(self) -> dict:
        return json.loads(self.path.read_text())


class OddClock:
    """The hand on that file. `begin_boot` before the gateway starts, `set` while it runs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._boot, self._began_ms = 0, 0

    @property
    def launcher(self) -> list[str]:
        return [sys.executable, "-m", "tests.chaos.odd_clock", str(self._path)]

    def begin_boot(self, *, is_synchronised: bool, wrong_by_ms: int = 0) -> None:
        self._boot += 1
        self._began_ms = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
        self.set(is_synchronised=is_synchronised, wrong_by_ms=wrong_by_ms)

    def set(self, *, is_synchronised: bool, wrong_by_ms: int = 0) -> None:
        draft = self._path.with_suffix(".new")
        script = {"boot": f"{self._boot:032x}", "began_ms": self._began_ms}
        draft.write_text(json.dumps(script | {"wrong_by_ms": wrong_by_ms, "is_synchronised": is_synchronised}))
        draft.replace(self._path)


def main() -> None:
    _, script, module, *arguments = sys.argv
    OddTime.path = Path(script)
    clock.MachineTime = OddTime
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
