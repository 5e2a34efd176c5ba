"""A disk that is full at will: a small tmpfs and a file that takes all the room. Needs root."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_BALLAST = "ballast"


class NoDisk(Exception):
    """This machine does not let us mount one."""


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Raises NoDisk."""
    path = folder / "disk"
    path.mkdir()
    if os.geteuid() != 0:
        raise NoDisk("a full disk needs root for a small tmpfs")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(path)]
    try:
        subprocess.run(mount, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoDisk(f"a full disk needs a tmpfs: {getattr(error, 'stderr', None) or error}") from error
    try:
        yield path
    finally:
        with suppress(subprocess.CalledProcessError):
            subprocess.run(["umount", "-l", str(path)], check=True, capture_output=True)


def fill(path: Path) -> None:
    """To the last byte."""
    handle = os.open(path / _BALLAST, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        for size in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while os.write(handle, bytes(size)):
                    pass
    finally:
        os.close(handle)


def set_free(path: Path) -> None:
    (path / _BALLAST).unlink()
