import json

import pytest
from epcis_documents import INVALID, events_of, official_documents

from cloud.trace.epcis.vocabulary import CONTEXT

EVENT = {
    "type": "ObjectEvent",
    "action": "OBSERVE",
    "eventTime": "2026-11-20T09:00:00.000+07:00",
    "eventTimeZoneOffset": "+07:00",
    "epcList": ["urn:epc:id:sscc:9521234.0000000017"],
    "bizStep": "shipping",
}


def document(*events: dict) -> dict:
    return {
        "@context": [CONTEXT],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-11-20T09:00:00Z",
        "epcisBody": {"eventList": list(events)},
    }


def without_ids(event: dict, original: dict) -> dict:
    """What the books add: the time of recording, and an ID where there was none."""
    return {
        name: value
        for name, value in event.items()
        if name in original or name not in ("recordTime", "eventID", "@context")
    }


@pytest.mark.parametrize("original", official_documents())
def test_every_official_document_is_captured_and_comes_back_without_loss(api, is_official, original):
    taken = api.post("/epcis/capture", json=original)
    assert taken.status_code == 202
    job = api.get(taken.headers["location"]).json()
    assert (job["running"], job["success"], job["errors"]) == (False, True, [])
    answer = api.get("/epcis/events", headers={"GS1-EPC-Format": "Never_Translates"})
    returned = answer.json()
    assert is_official(returned)
    given, found = events_of(original), events_of(returned)
    assert [without_ids(event, raw) for event, raw in zip(found, given, strict=True)] == [
        {**raw, **({"recordTime": event["recordTime"]} if "recordTime" in raw else {})}
        for event, raw in zip(found, given, strict=True)
    ]
    assert [part for part in original["@context"][1:] if not part.items() <= returned["@context"][-1].items()] == []
    assert is_official(api.get("/epcis/events").json())
    assert is_official(api.get("/epcis/events", headers={"GS1-EPC-Format": "Always_EPC_URN"}).json())


def test_one_wrong_event_refuses_all_and_says_where_it_is_wrong(api):
    for path in sorted(INVALID.glob("*.json")):
        case = json.loads(path.read_text("utf-8"))
        case["document"]["epcisBody"]["eventList"].append(EVENT)
        answer = api.post("/epcis/capture", json=case["document"])
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
        assert answer.json()["type"] == "epcisException:ValidationException"
        assert [fault["path"] for fault in answer.json()["errors"]] == [where for where, _ in case["expected"]]
    assert events_of(api.get("/epcis/events").json()) == []


def test_proceed_takes_the_right_ones_and_the_job_tells_of_the_others(api):
    wrong = {**EVENT, "bizStep": "slaughtering"}
    answer = api.post(
        "/epcis/capture", json=document(wrong, EVENT, EVENT), headers={"GS1-Capture-Error-Behaviour": "proceed"}
    )
    job = api.get(answer.headers["location"]).json()
    assert (job["success"], job["captureErrorBehaviour"]) == (False, "proceed")
    assert [error["type"].removeprefix("epcisException:") for error in job["errors"]] == [
        "ValidationException",
        "ResourceAlreadyExistsException",
    ]
    assert job["errors"][0]["detail"].startswith("$.epcisBody.eventList[0].bizStep: ")
    assert job["errors"][1]["detail"].startswith("$.epcisBody.eventList[2].eventID: ")
    assert len(events_of(api.get("/epcis/events").json())) == 1


def test_rollback_takes_nothing_when_one_is_there_already(api):
    api.post("/epcis/capture", json=document(EVENT))
    other = {**EVENT, "bizStep": "receiving"}
    job = api.get(api.post("/epcis/capture", json=document(other, EVENT)).headers["location"]).json()
    assert (job["success"], len(job["errors"])) == (False, 1)
    assert len(events_of(api.get("/epcis/events").json())) == 1


def test_one_event_is_created_once(api, is_official):
    first = api.post("/epcis/events", json={"@context": CONTEXT, **EVENT})
    again = api.post("/epcis/events", json={"@context": CONTEXT, **EVENT})
    assert (first.status_code, again.status_code) == (201, 409)
    assert again.json()["type"] == "epcisException:ResourceAlreadyExistsException"
    shown = api.get(first.headers["location"])
    assert is_official(shown.json())
    [event] = events_of(shown.json())
    assert event["eventID"].startswith("ni:///sha-256;") and event["epcList"] == [
        "https://id.gs1.org/00/095212340000000174"
    ]


def test_a_declared_error_stands_beside_what_was_said(api):
    said = {**EVENT, "eventID": "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8"}
    declared = {**said, "errorDeclaration": {"declarationTime": "2026-11-20T10:00:00Z", "reason": "did_not_occur"}}
    codes = [
        api.post("/epcis/events", json={"@context": CONTEXT, **event}).status_code
        for event in (said, declared, declared)
    ]
    assert codes == [201, 201, 409]
    both = events_of(api.get(f"/epcis/events/{said['eventID']}").json())
    assert ["errorDeclaration" in event for event in both] == [False, True]
    found = events_of(
        api.get("/epcis/events", params={"EXISTS_errorDeclaration": "true", "EQ_errorReason": "did_not_occur"}).json()
    )
    assert len(found) == 1


def test_jobs_are_listed_page_by_page(api):
    for number in range(3):
        api.post("/epcis/capture", json=document({**EVENT, "eventID": f"urn:uuid:{number}"}))
    first = api.get("/epcis/capture", params={"perPage": 2})
    assert len(first.json()) == 2 and 'rel="next"' in first.headers["link"]
    rest = api.get(first.headers["link"].split(">")[0].removeprefix("<"))
    assert len(rest.json()) == 1 and "link" not in rest.headers


@pytest.mark.parametrize(
    ("headers", "content", "status", "exception"),
    [
        ({"content-type": "text/xml"}, b"<a/>", 415, "UnsupportedMediaTypeException"),
        ({"content-type": "application/json"}, b"{", 400, "ValidationException"),
        ({"content-type": "application/json"}, b"[]", 400, "ValidationException"),
        ({"content-type": "application/json"}, b" " * (9 << 20), 413, "CaptureLimitExceededException"),
        ({"content-type": "application/json", "accept": "text/xml"}, b"{}", 406, "NotAcceptableException"),
        ({"content-type": "application/json", "GS1-EPCIS-Version": "1.2"}, b"{}", 406, "NotAcceptableException"),
        ({"content-type": "application/json", "GS1-Capture-Error-Behaviour": "all"}, b"{}", 400, "ValidationException"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_refused_by_its_kind(api, headers, content, status, exception):
    answer = api.post("/epcis/capture", content=content, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (status, f"epcisException:{exception}")
    assert answer.json()["status"] == status
