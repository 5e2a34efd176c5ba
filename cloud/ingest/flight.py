"""What came over MQTT, as the network thread hands it to the ingest."""

from typing import NamedTuple

from wire.topics import Lane, Topic


class Flight(NamedTuple):
    """One message. The gateway is the topic's, whatever the payload says of itself."""

    topic: Topic
    payload: bytes

    @property
    def gateway(self) -> str:
        return self.topic.gateway

    @property
    def lane(self) -> Lane:
        return self.topic.lane
