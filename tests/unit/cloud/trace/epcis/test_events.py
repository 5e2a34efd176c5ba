import pytest
from epcis_documents import events_of, official_documents

from cloud.trace.epcis.context import read_context
from cloud.trace.epcis.errors import InvalidEventError
from cloud.trace.epcis.events import ExtendedEvent, ObjectEvent, event_json, read_event
from cloud.trace.epcis.validate import validate


@pytest.mark.parametrize("document", official_documents())
def test_every_official_event_is_read_and_written_without_loss(document):
    for raw in events_of(document):
        assert event_json(read_event(raw)) == raw


@pytest.mark.parametrize("document", official_documents())
def test_every_official_event_is_found_right(document):
    definitions = read_context(document["@context"])
    assert [fault for raw in events_of(document) for fault in validate(read_event(raw), definitions)] == []


def test_what_a_firm_adds_stays_at_every_depth():
    raw = {
        "type": "ObjectEvent",
        "action": "OBSERVE",
        "eventTime": "2026-11-21T07:32:05.250+07:00",
        "eventTimeZoneOffset": "+07:00",
        "epcList": [],
        "readPoint": {"id": "urn:uuid:1", "vnx:door": "D1"},
        "sensorElementList": [
            {
                "sensorReport": [{"type": "Temperature", "value": -19.4, "uom": "CEL", "vnx:coverage": 0.993}],
                "vnx:a": [1],
            }
        ],
        "errorDeclaration": {"declarationTime": "2026-11-21T07:32:05Z", "vnx:by": {"vnx:name": "An"}},
        "vnx:extensions": {"extensions": 1},
    }
    event = read_event(raw)
    assert isinstance(event, ObjectEvent)
    assert event_json(event) == raw


def test_a_type_of_a_firms_own_is_kept_whole():
    raw = {"type": "vnx:Inspection", "eventTime": "x", "eventTimeZoneOffset": "+07:00", "vnx:what": [1, {"a": None}]}
    assert isinstance(read_event(raw), ExtendedEvent)
    assert event_json(read_event(raw)) == raw


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"eventTime": 5}, "$.eventTime"),
        ({"epcList": "urn:x:1"}, "$.epcList"),
        ({"readPoint": {"id": 1}}, "$.readPoint.id"),
        (
            {"sensorElementList": [{"sensorReport": [{"type": "Mass", "value": "5"}]}]},
            "$.sensorElementList[0].sensorReport",
        ),
    ],
)
def test_a_wrong_type_is_refused_with_its_path(change, where):
    raw = {"type": "ObjectEvent", "action": "ADD", "eventTime": "x", "eventTimeZoneOffset": "x", **change}
    with pytest.raises(InvalidEventError) as caught:
        read_event(raw)
    assert caught.value.faults[0].path.startswith(where)
