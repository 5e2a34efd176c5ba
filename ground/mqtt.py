"""The only module that knows paho-mqtt: one connection that comes back by itself and never queues behind our back.

MQTT 3.1.1, clean session: nothing of ours relies on the broker's memory or on MQTT 5 properties, so any broker and any
bridge will do. Delivery is proved by the acknowledgement of the ingest, not by the broker's PUBACK.

Callbacks run in paho's network thread. A callback that blocks stops the reading of the socket, which is how a slow
consumer pushes back; it must not block for longer than the keep-alive.
"""

from __future__ import annotations

import logging
import random
import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

log = logging.getLogger(__name__)

KEEPALIVE_S = 20
MAX_RECONNECT_S = 15
UNSENT_BYTES = 16_384
"""So much may wait in the kernel for the line. Without this bound a slow line has minutes of messages before it that
nobody can take back, and what is said now arrives when it is old."""

_TCP_NOTSENT_LOWAT = 25  # tcp(7); Python knows the name from 3.12 on


class BrokerSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Where the broker is and who we are to it."""

    host: str = "127.0.0.1"
    port: int = 1883
    username: str | None = None
    password_file: str | None = None  # a file that holds the password and nothing else
    ca_file: str | None = None  # given: TLS, and only this authority is trusted
    certificate_file: str | None = None
    key_file: str | None = None


class Publication:
    """One message on its way. For QoS 0 done means written to the socket, for QoS 1 acknowledged by the broker."""

    def __init__(self, info: paho.MQTTMessageInfo) -> None:
        self._info = info

    @property
    def is_done(self) -> bool:
        try:
            return self._info.is_published()
        except (ValueError, RuntimeError):  # paho: the queue was full or the connection is gone
            return True


class MqttLink:
    """A connection to the broker with its subscriptions; use `start` and `stop`.

    `on_message(topic, payload)`, `on_connected()` and `on_disconnected(why)` are called in the network thread.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        client_id: str,
        *,
        subscriptions: list[tuple[str, int]],
        on_message: Callable[[str, bytes], None],
        on_connected: Callable[[], None] = lambda: None,
        on_disconnected: Callable[[str], None] = lambda _why: None,
    ) -> None:
        self._settings = settings
        self._subscriptions = subscriptions
        self._on_message = on_message
        self._on_connected = on_connected
        self._on_disconnected = on_disconnected
        self._is_lost_said = False
        self._client = self._make_client(client_id)

    def start(self) -> None:
        """Begin to connect, and to connect again whenever the connection is lost. Returns at once."""
        self._client.connect_async(self._settings.host, self._settings.port, KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect and end the network thread."""
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def is_connected(self) -> bool:
        return self._client.is_connected()

    def publish(self, topic: str, payload: bytes, qos: int) -> Publication | None:
        """Send now, or not at all: None when there is no connection. Nothing is kept for later by this module."""
        if not self._client.is_connected():
            return None
        info = self._client.publish(topic, payload, qos)
        return Publication(info) if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    def _make_client(self, client_id: str) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id, clean_session=True, protocol=paho.MQTTv311)
        client.max_queued_messages_set(100)
        client.reconnect_delay_set(min_delay=1, max_delay=random.randint(MAX_RECONNECT_S // 2, MAX_RECONNECT_S))
        if self._settings.username is not None:
            client.username_pw_set(self._settings.username, _password(self._settings))
        if self._settings.ca_file is not None:
            client.tls_set(
                self._settings.ca_file,
                self._settings.certificate_file,
                self._settings.key_file,
                tls_version=ssl.PROTOCOL_TLS_CLIENT,
            )
        client.on_socket_open = _tune_socket
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_message = self._message
        client.on_connect_fail = self._connect_failed
        return client

    def _connected(
        self, client: paho.Client, _userdata: Any, _flags: Any, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._say_lost(f"the broker refused: {reason}")
            return
        log.info("connected to the broker at %s:%d", self._settings.host, self._settings.port)
        self._is_lost_said = False
        if self._subscriptions:
            client.subscribe(self._subscriptions)
        self._on_connected()

    def _disconnected(
        self, _client: paho.Client, _userdata: Any, _flags: Any, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._say_lost(str(reason))
        self._on_disconnected(str(reason))

    def _connect_failed(self, _client: paho.Client, _userdata: Any) -> None:
        self._say_lost("nobody answers")

    def _say_lost(self, why: str) -> None:
        """Once when it begins; the reconnection is logged when it ends."""
        if not self._is_lost_said:
            log.warning("no connection to the broker at %s:%d: %s", self._settings.host, self._settings.port, why)
            self._is_lost_said = True

    def _message(self, _client: paho.Client, _userdata: Any, message: paho.MQTTMessage) -> None:
        try:
            self._on_message(message.topic, bytes(message.payload))
        except Exception:  # the network thread must not die of one message; what it was is in the log
            log.exception("a message on %s could not be taken", message.topic)


def _tune_socket(_client: paho.Client, _userdata: Any, opened: Any) -> None:
    """A flight leaves at once (waiting for the answer to the piece before cost 40 ms each way), and little waits."""
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if sys.platform == "linux":
        opened.setsockopt(socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, UNSENT_BYTES)


def _password(settings: BrokerSettings) -> str | None:
    return None if settings.password_file is None else Path(settings.password_file).read_text().strip()
