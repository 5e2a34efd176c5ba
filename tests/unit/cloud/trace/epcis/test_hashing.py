import json
import random

import pytest
from epcis_documents import OFFICIAL, events_of
from hypothesis import given
from hypothesis import strategies as st

from cloud.trace.epcis.context import read_context
from cloud.trace.epcis.hashing import event_hash, pre_hash

VECTORS = ("ReferenceEventHashAlgorithm", "ReferenceEventHashAlgorithm2", "ReferenceEventHashAlgorithm3")
DEPARTURE = {
    "type": "ObjectEvent",
    "action": "OBSERVE",
    "eventTime": "2026-11-21T07:32:05.2504+07:00",
    "eventTimeZoneOffset": "+07:00",
    "quantityList": [{"epcClass": "urn:epc:class:lgtin:9521234.054321.BM261118-07", "quantity": 12.50, "uom": "KGM"}],
    "bizStep": "departing",
    "bizLocation": {"id": "https://id.gs1.org/414/9521234000075"},
    "vnx:note": "a",
}
CONTEXT = {"vnx": "https://example.vn/"}


@pytest.mark.parametrize("name", VECTORS)
def test_the_reference_vectors_pass(name):
    folder = OFFICIAL / "hash-vectors"
    if not folder.exists():
        pytest.skip("NO HASH VECTORS: ../shared/epcis is absent")
    document = json.loads((folder / f"{name}.jsonld").read_text("utf-8"))
    definitions = read_context(document["@context"])
    [event] = events_of(document)
    assert pre_hash(event, definitions) == (folder / f"{name}.prehashes").read_text("utf-8").rstrip("\n")
    assert event_hash(event, definitions) == (folder / f"{name}.hashes").read_text("utf-8").strip()


@pytest.mark.parametrize(
    "change",
    [
        {"eventTime": "2026-11-21T00:32:05.250Z"},
        {"eventID": "urn:uuid:1", "recordTime": "2026-11-21T07:32:05Z"},
        {"bizStep": "urn:epcglobal:cbv:bizstep:departing"},
        {"bizLocation": {"id": "urn:epc:id:sgln:9521234.00007.0"}},
        {
            "quantityList": [
                {"epcClass": "https://a.vn/01/09521234543213/10/BM261118-07", "quantity": 12.5, "uom": "KGM"}
            ]
        },
        {"rdfs:comment": "nobody hashes a comment"},
        {"errorDeclaration": {"declarationTime": "2026-11-21T07:32:05Z"}},
    ],
)
def test_another_spelling_of_the_same_event_has_the_same_id(change):
    assert event_hash({**DEPARTURE, **change}, CONTEXT) == event_hash(DEPARTURE, CONTEXT)


@pytest.mark.parametrize(
    "change",
    [
        {"eventTime": "2026-11-21T00:32:05.251Z"},
        {"bizStep": "arriving"},
        {"vnx:note": "b"},
        {"vnx:other": "a"},
        {"action": "ADD"},
    ],
)
def test_another_event_has_another_id(change):
    assert event_hash({**DEPARTURE, **change}, CONTEXT) != event_hash(DEPARTURE, CONTEXT)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=8, unique=True), st.randoms())
def test_the_order_in_lists_does_not_matter(serials, chance: random.Random):
    epcs = [f"urn:epc:id:sgtin:9521234.054321.{serial}" for serial in serials]
    shuffled = chance.sample(epcs, len(epcs))
    assert event_hash({**DEPARTURE, "epcList": epcs}, CONTEXT) == event_hash(
        {**DEPARTURE, "epcList": shuffled}, CONTEXT
    )
