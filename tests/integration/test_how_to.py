"""The how-to pages work when they are followed word for word, in a copy of the project with a device on a port."""

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest

from edge.profiles.profile import load_profile, profile_files
from tests.support.how_to import Command, amend, commands, missing, steps, write
from tests.support.rs485_line import Make, Rs485Line, words_of

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "how-to"
COPIED = ("coldlink", "edge", "ground", "rules", "wire", "firmware-config", "tests/conformance", "tests/recordings/bus")


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name in ("coldlink", "pytest"):
        script = folder / "bin" / name
        script.parent.mkdir(exist_ok=True)
        script.write_text(f'#!/bin/sh\nexec {sys.executable} -m {name} "$@"\n')
        script.chmod(0o755)
    return folder


@pytest.fixture
async def port():
    """A probe with unit id 7 that knows its two registers only."""
    words = words_of(load_profile(profile_files()["generic-xy-md02"]))
    line = Rs485Line([Make(7, words={cell: words[cell] for cell in ((4, 1), (4, 2))})])
    yield line
    assert not line.functions & {5, 6, 15, 16}  # nothing on these pages writes to a device
    line.close()


async def typed(command: Command, folder: Path) -> tuple[int, str]:
    """In the newcomer's shell."""
    shell = await asyncio.create_subprocess_shell(
        command.line,
        cwd=folder,
        env={**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await shell.communicate()
    return shell.returncode, printed.decode()


async def follow(page: Path, folder: Path, port: str) -> int:
    """How many commands were typed."""
    count = 0
    for step in steps(page):
        here = step.__class__(step.kind, step.path, step.text.replace("/dev/ttyUSB0", port))
        if step.kind == "diff":
            amend(here, folder)
        elif step.kind == "console":
            for command in commands(here):
                code, printed = await typed(command, folder)
                assert (code, missing(command, printed)) == (0, []), f"$ {command.line}\n{printed}"
                count += 1
        elif step.path:
            write(here, folder)
    return count


async def test_a_newcomer_adds_a_device_model(project, port):
    assert await follow(PAGES / "add-a-device.md", project, port.path) == 8
    assert (project / "tests" / "recordings" / "bus" / "acme-th1.jsonl").stat().st_size > 200


async def test_a_newcomer_adds_a_driver(project):
    assert await follow(PAGES / "add-a-driver.md", project, "/dev/null") == 3
