"""The published document of topics and payloads says what the code does."""

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator, ValidationError

import wire
from wire.batch import MAX_FLIGHT_BYTES
from wire.entries import Quality, Reading
from wire.messages import Ack, Gone, Hello, Live
from wire.points import MAX_POINTS, Point, PointTable
from wire.topics import ROOT, Lane, Topic

DOCUMENT = yaml.safe_load((Path(wire.__file__).parent / "asyncapi.yaml").read_text())
MESSAGES = {
    "Hello": Hello(bytes(16), 5, 2, bytes(16), bytes(32), "coldlink 0.1", Gone(3, 4, "thinned")).encode(),
    "Ack": Ack(bytes(16), 4, bytes(32), None, bytes(32)).encode(),
    "Live": Live(
        bytes(16), -5, (Reading(0, 5, None, 0, Quality.BAD, "crc"), Reading(1, 5, 4, 1, Quality.GOOD, None))
    ).encode(),
    "PointTable": PointTable((Point("probe", "temperature", "Cel", "air_temperature"),)).data,
}


def validator(name):
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]})


@pytest.mark.parametrize("name", MESSAGES)
def test_every_message_that_the_code_writes_is_as_documented(name):
    validator(name).validate(yaml.safe_load(MESSAGES[name]))


@pytest.mark.parametrize("name", MESSAGES)
def test_every_documented_key_is_written_and_no_other(name):
    raw = yaml.safe_load(MESSAGES[name])
    assert set(raw) == set(DOCUMENT["components"]["schemas"][name]["properties"])
    with pytest.raises(ValidationError):
        validator(name).validate(raw | {"extra": 1})


def test_every_lane_has_its_channel_with_the_topic_of_the_code():
    addresses = {name: channel["address"] for name, channel in DOCUMENT["channels"].items()}
    assert addresses == {lane.value: f"{ROOT}/{{shard}}/{{gateway}}/{lane.value}" for lane in Lane}
    assert str(Topic("s0", "gw-01", Lane.ACK)) == addresses["ack"].format(shard="s0", gateway="gw-01")


def test_the_bounds_are_the_codes():
    assert DOCUMENT["components"]["messages"]["flight"]["payload"]["maxLength"] == MAX_FLIGHT_BYTES
    assert DOCUMENT["components"]["schemas"]["PointTable"]["properties"]["points"]["maxItems"] == MAX_POINTS
