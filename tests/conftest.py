"""Real parts for tests: each test owns its servers, on free ports and in its own folder, and leaves nothing behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.broker import MOSQUITTO, Mosquitto, free_port


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running broker."""
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed: `apt-get install mosquitto` lets this test run")
    broker = Mosquitto(tmp_path / "mosquitto", free_port())
    broker.start()
    yield broker
    broker.stop()
