"""Starts the programs that a test torments; they end with whoever started them, however that ends."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
_TETHER = (
    [tool, "--pdeathsig", "KILL"] if (tool := shutil.which("setpriv")) else []
)  # util-linux; it execs, the pid stays


def start(command: Sequence[object], log: Path | None = None, **environment: str) -> subprocess.Popen:
    """What it says goes to the end of `log`, or nowhere."""
    command = [*_TETHER, *map(str, command)]
    if log is None:
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with log.open("ab") as file:
        return subprocess.Popen(command, stdout=file, stderr=file, cwd=ROOT, env=os.environ | environment)
