"""Hears every acknowledgement and looks whether it is true: what was acknowledged is committed, at that moment."""

import sqlite3
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from ground.mqtt import BrokerSettings, MqttLink
from wire.messages import read_ack
from wire.topics import parse_topic


class AckWitness:
    """A context manager. `lies` are acknowledgements for which the database has less than they say."""

    def __init__(self, port: int, database: Path) -> None:
        self.lies: list[str] = []
        self.heard = 0
        self._database = database
        self._link = MqttLink(
            BrokerSettings(port=port),
            "chaos-witness",
            subscriptions=[("coldlink/v1/+/+/ack", 1)],
            on_message=self._hear,
        )

    def __enter__(self) -> Self:
        self._link.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._link.stop()

    def _hear(self, topic: str, payload: bytes) -> None:
        parsed, ack = parse_topic(topic), read_ack(payload)
        assert parsed is not None
        self.heard += 1
        committed = self._committed(parsed.gateway, ack.epoch)
        if committed < ack.through:
            self.lies.append(f"{parsed.gateway}: through {ack.through}, committed {committed}")

    def _committed(self, gateway: str, epoch: bytes) -> int:
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, timeout=10)) as database:
            row = database.execute(
                "SELECT cursor.through FROM cursor JOIN gateway ON gateway.id = cursor.gateway_id"
                " WHERE gateway.name = ? AND cursor.epoch = ?",
                (gateway, epoch),
            ).fetchone()
        return row[0] if row else 0
