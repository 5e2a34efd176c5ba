"""A real broker that can be killed, stopped, wiped and started again on the same port."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import start

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@dataclass
class Mosquitto:
    """`within` is a command that starts others, such as `ip netns exec NAME`; who uses it waits for the port himself."""

    folder: Path
    port: int
    process: subprocess.Popen | None = None
    within: Sequence[str] = ()
    address: str = "127.0.0.1"

    def start(self) -> None:
        self.folder.mkdir(mode=0o777, exist_ok=True)
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} {self.address}\nallow_anonymous true\npersistence true\n"
            f"persistence_location {self.folder}/\nmax_queued_messages 10000\nlog_type error\nlog_type warning\n"
            "user root\n"
        )
        self.process = start([*self.within, MOSQUITTO, "-c", config])
        if not self.within:
            wait_for_port(self.port)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def wipe(self) -> None:
        for file in self.folder.glob("*.db*"):
            file.unlink()

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(10)
            self.process = None


def wait_for_port(port: int, timeout_s: float = 10) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 0.2):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
