"""Real parts for tests: each test owns its servers, on free ports and in its own folder, and leaves nothing behind."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

_MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@dataclass
class Mosquitto:
    """A real broker that can be killed, stopped and started again on the same port."""

    folder: Path
    port: int
    process: subprocess.Popen | None = None

    def start(self) -> None:
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {self.folder}/\nmax_queued_messages 10000\nlog_type error\nlog_type warning\n"
            "user root\n"
        )
        self.process = subprocess.Popen([_MOSQUITTO, "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
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


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running broker."""
    if _MOSQUITTO is None:
        pytest.skip("mosquitto is not installed: `apt-get install mosquitto` lets this test run")
    folder = tmp_path / "mosquitto"
    folder.mkdir(mode=0o777)
    broker = Mosquitto(folder, free_port())
    broker.start()
    yield broker
    broker.stop()


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
