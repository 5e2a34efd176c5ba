import json

import pytest
from epcis_documents import INVALID, OFFICIAL

from cloud.trace.epcis.document import parse_json, read_document
from cloud.trace.epcis.errors import NotEpcisError

CASES = sorted(INVALID.glob("*.json"))
SEEN_BY_THE_SCHEMA = {
    "action-in-words", "event-time-missing", "event-type-unknown", "field-of-another-event", "master-data-while-observing",
    "no-children", "nothing-comes-out", "no-what", "no-what-and-no-place", "offset-in-words", "quantity-as-text",
    "quantity-unit-as-a-word", "step-as-an-old-urn", "unknown-field", "unknown-step", "old-measurement-type",
    "time-without-zone",
}  # fmt: skip


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_what_cannot_be_is_refused_with_a_reason_that_names_its_path(path):
    case = json.loads(path.read_text("utf-8"))
    faults = read_document(case["document"]).faults
    assert [fault.path for fault in faults] == [where for where, _ in case["expected"]]
    for fault, (_, words) in zip(faults, case["expected"], strict=True):
        assert words in fault.reason


def test_the_official_schema_does_not_see_most_of_it():
    jsonschema = pytest.importorskip("jsonschema")
    if not OFFICIAL.exists():
        pytest.skip("NO OFFICIAL SCHEMA: ../shared/epcis is absent")
    schema = json.loads((OFFICIAL / "schema" / "EPCIS-JSON-Schema.json").read_text("utf-8"))
    validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
    missed = {path.stem for path in CASES if validator.is_valid(json.loads(path.read_text("utf-8"))["document"])}
    assert missed >= {path.stem for path in CASES} - SEEN_BY_THE_SCHEMA


def test_all_that_is_wrong_is_said_at_once():
    both = [json.loads((INVALID / f"{name}.json").read_text("utf-8")) for name in ("unit-degc", "least-above-greatest")]
    document = both[0]["document"]
    document["epcisBody"]["eventList"] += both[1]["document"]["epcisBody"]["eventList"]
    faults = read_document(document).faults
    assert [fault.path[:26] for fault in faults] == ["$.epcisBody.eventList[0].s", "$.epcisBody.eventList[1].s"]


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[1, NaN]", b"\xff", b"[" * 100_000, b'"text"', b"{}", b'{"type": "EPCISDocument"}']
)
def test_what_is_no_document_is_refused(raw):
    with pytest.raises(NotEpcisError):
        read_document(parse_json(raw))
