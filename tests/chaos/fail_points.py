"""Fault 3: the gateway is killed at every call by which its buffer changes a file: before it, amid it or after it.

    python -m tests.chaos.fail_points FOLDER STRIDE SEED     -> one JSON line: what was tried and what was wrong

A life is written by a forked child until it dies; what it had been promised comes through a pipe. Then the buffer is
opened again: whole, chained, with everything that was promised, each thing once, and ready for more.
"""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from edge.buffer.contract import Draft
from edge.buffer.sqlite import SqliteBuffer
from tests.chaos.trial import CannotRun, Trial
from tests.support.processes import ROOT
from tests.support.system_calls import Cut, NoHook, end_at
from wire.batch import NO_PREVIOUS, open_batch
from wire.signature import SigningKey

_KEY = SigningKey(bytes(range(32)))
_QUOTA = 1 << 30
_BATCHES = 30
_BODY_BYTES = 16_000  # so that the journal is copied back more than once in a life


def sweep(trial: Trial) -> None:
    stride = trial.times(1, 13)
    command = [sys.executable, "-m", "tests.chaos.fail_points", trial.folder, stride, trial.dice.getrandbits(32)]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    if "cannot" in report:
        raise CannotRun(report["cannot"])
    trial.row.facts |= {"calls": report["calls"], "kills": report["kills"]}
    trial.row.produced, trial.row.committed_at_edge = report["appended"], report["promised"]
    trial.row.LOST, trial.row.DUPLICATED = report["lost"], report["doubled"]
    for what in report["wrong"][:5]:
        trial.row.wrong.append(what)
    trial.expect(report["kills"] > 50, f"only {report['kills']} kills")


class _Findings:
    def __init__(self) -> None:
        self.kills = self.appended = self.promised = self.lost = self.doubled = 0
        self.wrong: list[str] = []

    def check(self, folder: Path, promised: list[int], where: str) -> None:
        """After the death: what a start of the gateway finds."""
        self.promised += len(promised)
        try:
            buffer = _open(folder)
        except Exception as error:  # whatever it is, the gateway would not start
            self.wrong.append(f"{where}: {type(error).__name__}: {error}")
            return
        found = _drafts_of(folder)
        lost, doubled = len(set(promised) - set(found)), len(found) - len(set(found))
        self.lost, self.doubled = self.lost + lost, self.doubled + doubled
        chained = _is_chained(buffer)
        again = buffer.append(_draft(_BATCHES + 1, random.Random(1))).header.seq == buffer.next_seq - 1
        buffer.close(is_clean=False)
        with closing(sqlite3.connect(folder / "buffer.db")) as database:
            whole = database.execute("PRAGMA integrity_check").fetchone()[0]
        aside = [path.name for path in folder.iterdir() if "corrupt" in path.name]
        if lost or doubled or not chained or not again or whole != "ok" or aside:
            self.wrong.append(f"{where}: lost {lost}, doubled {doubled}, chained {chained}, {whole}, {aside}")


def _sweep(folder: Path, stride: int, seed: int) -> dict[str, object]:
    findings = _Findings()
    calls = _live(folder / "measured", 0, Cut.ALL, seed)[1]
    dice, cuts = random.Random(seed), [*Cut]
    for number in range(1 + dice.randrange(stride), calls + 1, stride):
        cut = dice.choice(cuts)
        life = folder / "life"
        promised, _ = _live(life, number, cut, seed)
        findings.kills += 1
        findings.appended += _BATCHES
        findings.check(life, promised, f"{cut.value} of call {number}")
    return {"calls": calls} | vars(findings)


def _live(folder: Path, number: int, cut: Cut, seed: int) -> tuple[list[int], int]:
    """What the child had been promised, and how many calls it made."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(source)
        counted = end_at(number, cut)
        _write_a_life(folder, sink, seed)
        os.write(sink, f"calls {counted()}\n".encode())
        os._exit(0)
    os.close(sink)
    with os.fdopen(source) as promises:
        lines = promises.read().split("\n")[:-1]
    os.waitpid(child, 0)
    calls = next((int(line.split()[1]) for line in lines if line.startswith("calls")), 0)
    return [int(line) for line in lines if line.isdigit()], calls


def _write_a_life(folder: Path, sink: int, seed: int) -> None:
    """Batches, acknowledgements, a new epoch in the middle, a close and a start: each promise is told when it is made."""
    dice = random.Random(seed)
    buffer = _open(folder)
    for number in range(1, _BATCHES + 1):
        buffer.append(_draft(number, dice))
        os.write(sink, f"{number}\n".encode())
        if number % 4 == 0:
            buffer.acknowledge(buffer.next_seq - 2)
        if number == _BATCHES // 2:
            buffer.begin_epoch(buffer.acknowledged)
        if number == 2 * _BATCHES // 3:
            buffer.close(is_clean=True)
            buffer = _open(folder)
    buffer.close(is_clean=True)


def _open(folder: Path) -> SqliteBuffer:
    return SqliteBuffer(folder / "buffer.db", "gw-01", _KEY, _QUOTA)


def _draft(number: int, dice: random.Random) -> Draft:
    """What is in a body is nobody's business here; it begins with its number."""
    body = number.to_bytes(2) + dice.randbytes(_BODY_BYTES)
    return Draft(bytes(16), None, 1000 * number, 1000 * number, 1, bytes(16), body)


def _drafts_of(folder: Path) -> list[int]:
    with closing(sqlite3.connect(f"file:{folder}/buffer.db?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT data FROM batch ORDER BY id").fetchall()
    return [int.from_bytes(open_batch(data).body[:2]) for (data,) in rows]


def _is_chained(buffer: SqliteBuffer) -> bool:
    previous, expected = NO_PREVIOUS, 1
    for data in buffer.flight(0, 1 << 30):
        header = open_batch(data).header
        if (header.prev, header.seq) != (previous, expected):
            return False
        previous, expected = open_batch(data).hash, expected + 1
    return expected == buffer.next_seq


def main() -> None:
    try:
        report = _sweep(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    except NoHook as error:
        report = {"cannot": str(error)}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
