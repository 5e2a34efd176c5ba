"""A memory card whose power can be cut: ext4 on a loop device and its shutdown ioctl, as xfstests does it.

Without a log flush nothing that was not synced survives: neither pages nor journal. Needs root and a loop device.
"""

import fcntl
import os
import struct
import subprocess
from contextlib import suppress
from pathlib import Path

_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN
_NO_LOG_FLUSH = 2


class NoCard(Exception):
    """This machine gives us no loop device to put a file system on."""


class Card:
    """`path` is where it is mounted. `cut`, end who writes to it, `pull_out`, `plug_in`; `close` always."""

    def __init__(self, folder: Path, megabytes: int = 64) -> None:
        """Raises NoCard."""
        self.path = folder / "card"
        self._image = folder / "card.img"
        if os.geteuid() != 0:
            raise NoCard("power cuts need root for a loop-mounted ext4")
        self.path.mkdir()
        with self._image.open("wb") as file:
            file.truncate(megabytes << 20)
        try:
            _do("mkfs.ext4", "-q", "-F", self._image)
            self.plug_in()
        except (OSError, subprocess.CalledProcessError) as error:
            raise NoCard(f"power cuts need a loop-mounted ext4: {getattr(error, 'stderr', None) or error}") from error

    def close(self) -> None:
        with suppress(subprocess.CalledProcessError):
            _do("umount", "-l", self.path)
        self._image.unlink(missing_ok=True)

    def cut(self) -> None:
        folder = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(folder)

    def pull_out(self) -> None:
        """Nobody may have a file of it open any more."""
        _do("umount", self.path)

    def plug_in(self) -> None:
        _do("mount", "-o", "loop,noatime", self._image, self.path)


def _do(*command: object) -> None:
    subprocess.run([*map(str, command)], check=True, capture_output=True, text=True, env=_ENVIRONMENT)


_ENVIRONMENT = os.environ | {"PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin", "LC_ALL": "C"}
