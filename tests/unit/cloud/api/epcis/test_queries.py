import pytest
from epcis_documents import events_of
from fastapi.testclient import TestClient
from small_plant import NOW

from cloud.api.app import create_api
from cloud.api.context import ApiContext
from cloud.api.times import iso
from cloud.live import LiveHub
from cloud.store.engine import open_store
from cloud.trace.epcis.vocabulary import CONTEXT
from cloud.trace.settings import TraceSettings

LOT = "https://id.gs1.org/01/09521234543213/10/BM261118-07"
ROOM, DOOR, SITE = (f"https://id.gs1.org/414/9521234000075{end}" for end in ("/254/K2", "/254/D1", ""))


def event(number: int, **more: object) -> dict:
    return {
        "type": "ObjectEvent",
        "action": "OBSERVE",
        "eventID": f"urn:uuid:{number:04}",
        "eventTime": iso(NOW - 3_600_000 * (10 - number)),
        "eventTimeZoneOffset": "+07:00",
        "quantityList": [{"epcClass": LOT, "quantity": 100 * number, "uom": "KGM"}],
        **more,
    }


def warm(**report: object) -> list[dict]:
    return [
        {
            "sensorMetadata": {"deviceID": "urn:epc:id:giai:9521234.1001"},
            "sensorReport": [{"type": "Temperature", **report}],
        }
    ]


EVENTS = [
    event(1, bizStep="receiving", readPoint={"id": "urn:epc:id:sgln:9521234.00007.D1"}),
    event(2, bizStep="storing", bizLocation={"id": ROOM}, sensorElementList=warm(value=4, uom="CEL")),
    event(3, bizStep="storing", bizLocation={"id": ROOM}, sensorElementList=warm(minValue=-2, maxValue=26.85, uom="CEL")),
    event(4, bizStep="urn:coldlink:bizstep:cutting", **{"vnx:line": "2", "vnx:more": {"vnx:shift": 3}}),
    event(5, bizStep="shipping", disposition="in_transit",
          bizTransactionList=[{"type": "desadv", "bizTransaction": "urn:epcglobal:cbv:bt:9521234000007:ASN1"}],
          destinationList=[{"type": "owning_party", "destination": "urn:epc:id:pgln:0614141.00000"}]),
    event(6, epcList=["urn:epc:id:sgtin:9521234.054321.42"], persistentDisposition={"set": ["recalled"]}),
    {"type": "AggregationEvent", "action": "ADD", "eventID": "urn:uuid:0007", "eventTime": iso(NOW), "eventTimeZoneOffset": "+07:00",
     "parentID": "urn:epc:id:sscc:9521234.0000000017", "childEPCs": ["https://id.gs1.org/8003/095212344010187001"]},
    {"type": "TransformationEvent", "eventID": "urn:uuid:0008", "eventTime": iso(NOW), "eventTimeZoneOffset": "+07:00",
     "transformationID": "urn:uuid:t", "inputQuantityList": [{"epcClass": LOT}], "outputEPCList": ["urn:epc:id:sgtin:9521234.054321.7"]},
]  # fmt: skip


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """One house for all questions: nobody here changes the books."""
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('books')}/coldlink.db")
    settings = TraceSettings(company_prefix="9521234", gln="9521234000075")
    context = ApiContext(store=store, hub=LiveHub(lambda: NOW), now_ms=lambda: NOW, trace=settings)
    document = {
        "@context": [CONTEXT, {"vnx": "https://example.vn/"}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": iso(NOW),
        "epcisBody": {"eventList": EVENTS},
    }
    with TestClient(create_api(context)) as client:
        assert client.post("/epcis/capture", json=document).status_code == 202
        yield client
    store.close()


def numbers(answer) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [int(event["eventID"][-4:]) for event in events_of(answer.json())]


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7, 8]),
        ({"eventType": "AggregationEvent|TransformationEvent"}, [7, 8]),
        ({"EQ_bizStep": "storing|shipping"}, [2, 3, 5]),
        ({"EQ_bizStep": "https://ref.gs1.org/cbv/BizStep-storing"}, [2, 3]),
        ({"EQ_bizStep": "urn:coldlink:bizstep:cutting"}, [4]),
        ({"EQ_disposition": "in_transit"}, [5]),
        ({"EQ_persistentDisposition_set": "recalled"}, [6]),
        ({"EQ_action": "ADD"}, [7]),
        ({"EQ_bizLocation": "urn:epc:id:sgln:9521234.00007.K2"}, [2, 3]),
        ({"EQ_bizLocation": SITE}, []),
        ({"WD_bizLocation": SITE}, [2, 3]),
        ({"WD_readPoint": SITE}, [1]),
        ({"EQ_readPoint": DOOR}, [1]),
        ({"EQ_bizTransaction_desadv": "urn:epcglobal:cbv:bt:9521234000007:ASN1"}, [5]),
        ({"EQ_destination_owning_party": "https://id.gs1.org/417/0614141000005"}, [5]),
        ({"EQ_transformationID": "urn:uuid:t"}, [8]),
        ({"EQ_eventID": "urn:uuid:0002|urn:uuid:0003"}, [2, 3]),
        ({"MATCH_epc": "https://firm.vn/01/09521234543213/21/42"}, [6]),
        ({"MATCH_epc": "urn:epc:idpat:sgtin:9521234.054321.*"}, [6]),
        ({"MATCH_anyEPC": "urn:epc:idpat:sgtin:9521234.054321.*"}, [6, 8]),
        ({"MATCH_anyEPC": "urn:epc:idpat:sgtin:9521234.*.*"}, [6, 8]),
        ({"MATCH_anyEPC": "urn:epc:idpat:sscc:9521234.*"}, [7]),
        ({"MATCH_parentID": "urn:epc:id:sscc:9521234.0000000017"}, [7]),
        ({"MATCH_anyEPC": "urn:epc:id:grai:9521234.40101.7001"}, [7]),
        ({"MATCH_inputEPCClass": "urn:epc:class:lgtin:9521234.054321.BM261118-07"}, [8]),
        ({"MATCH_epcClass": LOT, "EQ_bizStep": "shipping"}, [5]),
        ({"MATCH_anyEPCClass": LOT, "GE_eventTime": iso(NOW)}, [8]),
        ({"LT_eventTime": iso(NOW - 7 * 3_600_000)}, [1, 2]),
        ({"GE_recordTime": iso(NOW + 1)}, []),
        ({"GE_quantity_KGM": "400", "LT_quantity_KGM": "600"}, [4, 5]),
        ({"GE_quantity_GRM": "600000"}, [6]),
        ({"EQ_quantity": "400"}, []),
        ({"EQ_type": "Temperature"}, [2, 3]),
        ({"EQ_type": "Temperature", "GE_value_KEL": "277.15"}, [2]),
        ({"EQ_type": "Temperature", "EQ_value_FAH": "39.2"}, [2]),
        ({"GT_value_CEL": "4"}, []),
        ({"EQ_maxValue_KEL": "300"}, [3]),
        ({"LT_minValue_CEL": "0"}, [3]),
        ({"EQ_deviceID": "https://id.gs1.org/8004/95212341001"}, [2, 3]),
        ({"EQ_type": "Mass", "GE_value_CEL": "4"}, []),
        ({"EXISTS_sensorElementList": "true"}, [2, 3]),
        ({"EQ_vnx:line": "2"}, [4]),
        ({"GE_vnx:line": "3"}, []),
        ({"EXISTS_INNER_vnx:shift": "true"}, [4]),
        ({"EQ_INNER_vnx:shift": "3"}, [4]),
        ({"orderBy": "eventTime", "orderDirection": "DESC", "eventCountLimit": "3"}, [8, 7, 6]),
    ],
)  # fmt: skip
def test_a_query_finds_exactly_what_it_means(full, parameters, found):
    assert numbers(full.get("/epcis/events", params=parameters)) == found


@pytest.mark.parametrize(
    ("parameters", "status", "exception"),
    [
        ({"EQ_colour": "red"}, 400, "QueryParameterException"),
        ({"GE_eventTime": "yesterday"}, 400, "QueryParameterException"),
        ({"GE_value_CEL": "warm"}, 400, "QueryParameterException"),
        ({"perPage": "0"}, 400, "QueryParameterException"),
        ({"orderBy": "weight"}, 400, "QueryParameterException"),
        ({"nextPageToken": "x"}, 400, "QueryParameterException"),
        ({"maxEventCount": "2"}, 413, "QueryTooLargeException"),
        ({"maxEventCount": "9", "eventCountLimit": "3"}, 400, "QueryParameterException"),
        ({"EQ_bizStep": ""}, 400, "QueryParameterException"),
    ],
)
def test_a_question_without_sense_is_refused(full, parameters, status, exception):
    answer = full.get("/epcis/events", params=parameters)
    assert (answer.status_code, answer.json()["type"]) == (status, f"epcisException:{exception}")


@pytest.mark.parametrize("order", [{}, {"orderBy": "eventTime"}, {"orderBy": "eventTime", "orderDirection": "DESC"}])
def test_pages_follow_each_other_without_hole_or_double(full, order):
    whole = numbers(full.get("/epcis/events", params=order))
    pieces, answer = [], full.get("/epcis/events", params={**order, "perPage": 3})
    while True:
        pieces += numbers(answer)
        if "link" not in answer.headers:
            break
        answer = full.get(answer.headers["link"].split(">")[0].removeprefix("<"))
    assert (len(whole), pieces) == (8, whole)


def test_a_page_holds_thirty_events_unless_asked_otherwise(api):
    for number in range(31):
        api.post("/epcis/events", json={"@context": CONTEXT, **event(1), "eventID": f"urn:uuid:{number:04}"})
    answer = api.get("/epcis/events")
    assert len(numbers(answer)) == 30 and answer.headers["link"].endswith('rel="next"')


def test_a_token_of_another_question_is_refused(full):
    link = full.get("/epcis/events", params={"perPage": 1}).headers["link"]
    token = link.split("nextPageToken=")[1].split(">")[0]
    assert full.get("/epcis/events", params={"EQ_bizStep": "storing", "nextPageToken": token}).status_code == 400


def test_identifiers_are_spelled_as_asked(full):
    def spelled(wanted: str | None) -> list[str]:
        headers = {} if wanted is None else {"GS1-EPC-Format": wanted}
        answer = full.get("/epcis/events", params={"eventType": "AggregationEvent"}, headers=headers)
        [found] = events_of(answer.json())
        return [found["parentID"], *found["childEPCs"]]

    links = ["https://id.gs1.org/00/095212340000000174", "https://id.gs1.org/8003/095212344010187001"]
    assert spelled(None) == spelled("Always_GS1_Digital_Link") == links
    assert spelled("Always_EPC_URN") == ["urn:epc:id:sscc:9521234.0000000017", "urn:epc:id:grai:9521234.40101.7001"]
    assert spelled("Never_Translates") == ["urn:epc:id:sscc:9521234.0000000017", links[1]]
    assert full.get("/epcis/events", headers={"GS1-EPC-Format": "Runes"}).status_code == 406


def test_what_events_name_can_be_browsed(full):
    assert full.get("/epcis/").json()["member"][:2] == ["capture", "events"]
    assert "ObjectEvent" in full.get("/epcis/eventTypes").json()["member"]
    steps = full.get("/epcis/bizSteps", params={"perPage": 100}).json()["member"]
    assert "storing" in steps and "urn:coldlink:bizstep:cutting" in steps
    assert full.get("/epcis/bizLocations").json()["member"] == [ROOM]
    assert full.get("/epcis/epcs", params={"perPage": 2}).headers["link"]
    assert full.get("/epcis/dispositions/in_transit").json()["member"] == ["events"]
    assert numbers(full.get("/epcis/bizSteps/storing/events")) == [2, 3]
    assert numbers(full.get("/epcis/eventTypes/AggregationEvent/events")) == [7]
    assert numbers(
        full.get("/epcis/epcs/urn:epc:class:lgtin:9521234.054321.BM261118-07/events?EQ_bizStep=shipping")
    ) == [5]
    assert numbers(
        full.get("/epcis/bizLocations/https%3A%2F%2Fid.gs1.org%2F414%2F9521234000075%2F254%2FK2/events")
    ) == [2, 3]
    assert full.get("/epcis/epcs/urn:epc:id:sscc:9521234.0000000099/events").status_code == 404
    assert full.get("/epcis/weather").json()["type"] == "epcisException:NoSuchNameException"


def test_every_address_says_what_it_allows(api):
    for path, allowed in (
        ("capture", "OPTIONS, POST, GET"),
        ("queries/x", "OPTIONS, GET, DELETE"),
        ("epcs", "OPTIONS, GET"),
    ):
        answer = api.options(f"/epcis/{path}")
        assert (answer.status_code, answer.headers["allow"]) == (204, allowed)
        assert answer.headers["gs1-epcis-version"] == "2.0.0"
    assert api.options("/epcis/capture").headers["gs1-epcis-capture-limit"] == "5000"
    assert api.delete("/epcis/nextPageToken/abc").status_code == 204


def test_a_named_query_is_kept_asked_and_forgotten(full):
    question = {"name": "warm", "query": {"eventType": ["ObjectEvent"], "EQ_type": ["Temperature"], "GE_value_CEL": 4}}
    made = full.post("/epcis/queries", json=question)
    assert (made.status_code, made.headers["location"]) == (201, "/epcis/queries/warm")
    assert full.post("/epcis/queries", json=question).status_code == 409
    assert full.get("/epcis/queries/warm").json() == question
    assert full.get("/epcis/queries").json() == [question]
    answer = full.get("/epcis/queries/warm/events")
    assert numbers(answer) == [2] and answer.json()["epcisBody"]["queryResults"]["queryName"] == "warm"
    assert full.delete("/epcis/queries/warm").status_code == 204
    assert full.get("/epcis/queries/warm/events").status_code == 404
    bad = full.post("/epcis/queries", json={"name": "bad", "query": {"EQ_colour": ["red"]}})
    assert (bad.status_code, bad.json()["type"]) == (400, "epcisException:QueryParameterException")
