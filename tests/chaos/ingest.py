"""The ingest alone, as a program that is up in a second: without pages, evaluation and site.

python -m tests.chaos.ingest DATABASE BROKER_PORT
"""

import signal
import sys
import threading
import time

from cloud.ingest.service import Ingest
from cloud.store import open_store
from ground.mqtt import BrokerSettings


def main() -> None:
    database, port = sys.argv[1], int(sys.argv[2])
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    store = open_store(f"sqlite:///{database}")
    ingest = Ingest(
        store,
        BrokerSettings(port=port),
        ["s0"],
        listed=None,
        now_ms=lambda: time.time_ns() // 1_000_000,
        on_committed=lambda _committed: None,
        on_live=lambda _values: None,
    )
    ingest.start()
    ended.wait()
    ingest.stop()
    store.close()


if __name__ == "__main__":
    main()
