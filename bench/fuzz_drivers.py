"""Searches for bytes that a driver cannot bear, beginning from the samples of the conformance suite.

    python bench/fuzz_drivers.py                                 every driver for 10 s
    python bench/fuzz_drivers.py --driver llrp --seconds 60      one of them for longer
    python bench/fuzz_drivers.py --driver llrp --replay FILE     what a finding does

Guided by coverage when atheris is installed (`pip install atheris`; it is no dependency of ours), by chance otherwise.
What must hold for any bytes: nothing is raised, how they are cut changes no frame, each frame can be shown as JSON, and
after a silence a good frame is read as ever. A finding is kept in --findings; repair the driver and put its bytes into
tests/conformance/drivers/<driver>.yaml.

The first byte of an input chooses the driver's options and the request before it, the second the size of the chunks.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "tests" / "conformance" / "drivers"
PROFILES = ROOT / "firmware-config" / "profiles"
LONGEST = 2048
_HAS_ATHERIS = importlib.util.find_spec("atheris") is not None


class FoundError(AssertionError):
    """A promise of `Decoder` is broken."""


class Setting(NamedTuple):
    params: dict[str, Any]
    request: bytes


class Target:
    """One driver in every setting that its samples know."""

    def __init__(self, driver: str) -> None:
        self.driver = driver
        told = yaml.safe_load((SAMPLES / f"{driver}.yaml").read_text("utf-8"))
        self._home = Setting(_without_file(told.get("params", {})), bytes.fromhex(told.get("request") or ""))
        self._good = _bytes_of(told["good"][0])
        self._recovers = told.get("resyncs", True) and not driver.startswith("modbus")  # there each request begins anew
        self.settings = [self._home]
        self.corpus = [b"\x00\x00" + _bytes_of(sample) for sample in told["good"]]
        for case in told["cases"]:
            params = _without_file(case.get("params", self._home.params))
            setting = Setting(params, bytes.fromhex(case.get("request") or ""))
            if setting not in self.settings:
                self.settings.append(setting)
            self.corpus.append(bytes((self.settings.index(setting), 1)) + _bytes_of(case))

    def run(self, given: bytes) -> None:
        """Raises whatever the driver raises, or FoundError."""
        if len(given) < 2:
            return
        setting, size, stream = self.settings[given[0] % len(self.settings)], given[1] + 1, given[2:]
        whole, cut = self._decoder(setting), self._decoder(setting)
        frames = whole.feed(stream)
        in_pieces = [frame for at in range(0, len(stream), size) for frame in cut.feed(stream[at : at + size])]
        if (frames, whole.pending) != (in_pieces, cut.pending):
            raise FoundError(f"in chunks of {size} it says {in_pieces}, at once {frames}")
        frames += whole.idle()
        json.dumps([frame.to_json() for frame in frames], allow_nan=False)
        if setting == self._home and self._recovers:
            self._check_recovery(whole)

    def _check_recovery(self, decoder: Any) -> None:
        """`decoder`: an edge.drivers.frames.Decoder, whose module is imported only once atheris watches."""
        expected = self._decoder(self._home).feed(self._good)
        if (found := decoder.feed(self._good)) != expected:
            raise FoundError(f"after silence a good frame says {found}, not {expected}")

    def _decoder(self, setting: Setting) -> Any:
        from edge.drivers.registry import make_decoder

        decoder, _ = make_decoder(self.driver, setting.params)
        if setting.request:
            decoder.expect(setting.request)
        return decoder


def _bytes_of(sample: dict[str, Any]) -> bytes:
    return bytes.fromhex(sample["hex"]) if "hex" in sample else str(sample["text"]).encode("latin-1")


def _without_file(params: dict[str, Any]) -> dict[str, Any]:
    """A profile's points instead of its name: nobody wants to read YAML a thousand times a second."""
    if "profile" not in params:
        return params
    (path,) = PROFILES.rglob(f"{params['profile']}.yaml")
    return {"points": yaml.safe_load(path.read_text("utf-8"))["points"]}


# ---- one driver, in a process of its own


def fuzz(driver: str, seconds: float, seed: int, findings: Path) -> None:
    """Ends by raising when it has found something."""
    if _HAS_ATHERIS:
        _guided(driver, seconds, seed, findings)
    else:
        _by_chance(driver, seconds, seed, findings)


def _guided(driver: str, seconds: float, seed: int, findings: Path) -> None:
    import atheris  # type: ignore[import-untyped, import-not-found, unused-ignore]

    with atheris.instrument_imports(include=["edge.drivers"]):
        import edge.drivers.registry  # noqa: F401  watched from here on

    target = Target(driver)
    with tempfile.TemporaryDirectory() as corpus:
        for number, sample in enumerate(target.corpus):
            (Path(corpus) / str(number)).write_bytes(sample)
        limits = [f"-max_total_time={int(seconds)}", f"-max_len={LONGEST}", f"-seed={seed}", "-timeout=10"]
        options = ["-verbosity=0", "-print_final_stats=1", f"-artifact_prefix={findings}/{driver}-"]
        atheris.Setup([sys.argv[0], *limits, *options, corpus], target.run)
        atheris.Fuzz()


def _by_chance(driver: str, seconds: float, seed: int, findings: Path) -> None:
    target, random, count = Target(driver), Random(f"{driver} {seed}"), 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        given = _mutated(random, target.corpus)
        count += 1
        try:
            target.run(given)
        except Exception:
            path = findings / f"{driver}-{count}"
            path.write_bytes(given)
            print(f"found after {count}: {path}")
            raise
    print(f"stat::number_of_executed_units: {count}")


def _mutated(random: Random, corpus: list[bytes]) -> bytes:
    """Samples joined, then torn, spoilt and repeated here and there."""
    given = bytearray(random.choice(corpus)[:2])
    for _ in range(random.randint(1, 4)):
        given += random.choice(corpus)[2:]
    for _ in range(random.choice((0, 1, 1, 2, 4, 16))):
        at = random.randrange(len(given) + 1)
        match random.randrange(5):
            case 0:
                given[at : at + 1] = random.randbytes(1)
            case 1:
                del given[at : at + random.randint(1, 12)]
            case 2:
                given[at:at] = random.randbytes(random.randint(1, 12))
            case 3:
                given[at : at + 1] = random.choice((b"\x00", b"\xff", b"\x7f", b"\x80", b"\r\n", b"\x02", b"\x03"))
            case _:
                given[at:at] = given[at : at + random.randint(1, 30)] * random.randint(1, 4)
    return bytes(given[:LONGEST])


# ---- all of them


def main() -> int:
    arguments = _arguments()
    if arguments.replay:
        Target(arguments.driver[0]).run(arguments.replay.read_bytes())
        return 0
    arguments.findings.mkdir(parents=True, exist_ok=True)
    if arguments.alone:
        fuzz(arguments.driver[0], arguments.seconds, arguments.seed, arguments.findings)
        return 0
    print("guided by coverage (atheris)" if _HAS_ATHERIS else "by chance (atheris is not installed)")
    failed = [driver for driver in arguments.driver or _drivers() if not _report(driver, arguments)]
    print(f"findings in {arguments.findings}: {', '.join(failed)}" if failed else "nothing found")
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--driver", action="append", choices=sorted(_drivers()), help="may be repeated; otherwise all")
    parser.add_argument("--seconds", type=float, default=10, help="for each driver")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--findings", type=Path, default=Path(tempfile.gettempdir()) / "coldlink-fuzz")
    parser.add_argument("--replay", type=Path, help="run one input, of the one --driver")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _drivers() -> Iterator[str]:
    return (path.stem for path in sorted(SAMPLES.glob("*.yaml")))


def _report(driver: str, arguments: argparse.Namespace) -> bool:
    """Whether the driver bore it all."""
    options = ["--seconds", arguments.seconds, "--seed", arguments.seed, "--findings", arguments.findings]
    ran = subprocess.run(
        [sys.executable, __file__, "--alone", "--driver", driver, *map(str, options)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    said = ran.stdout + ran.stderr
    tried = [line.split()[-1] for line in said.splitlines() if "number_of_executed_units" in line]
    print(
        f"{driver:20} {tried[0] if tried else '?':>10} inputs   {'ok' if ran.returncode == 0 else 'FOUND'}", flush=True
    )
    if ran.returncode:
        print(said[-3000:])
    return ran.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
