"""The connection to the broker: what it leaves to the kernel is little, so that what is said now is not old on arrival."""

import socket
import sys
import threading

import pytest

from ground.mqtt import UNSENT_BYTES, BrokerSettings, MqttLink

_TCP_NOTSENT_LOWAT = 25


@pytest.mark.skipif(sys.platform != "linux", reason="the bound is an option of Linux sockets")
def test_a_slow_line_does_not_have_minutes_of_messages_before_it(mosquitto):
    """Without the bound, live values on 64 kbit/s with 10 % loss were 40 s old after a minute, and ageing."""
    connected = threading.Event()
    link = MqttLink(
        BrokerSettings(port=mosquitto.port),
        "test",
        subscriptions=[],
        on_message=lambda _topic, _payload: None,
        on_connected=connected.set,
    )
    link.start()
    try:
        assert connected.wait(10)
        assert link._client.socket().getsockopt(socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT) == UNSENT_BYTES
        large = link.publish("any", bytes(1 << 20), 1)
        while not large.is_done:
            assert link.is_connected
    finally:
        link.stop()
