import pytest
from epcis_documents import events_of
from small_plant import HOUR, MINUTE, NOW

from cloud.api.times import iso
from cloud.trace.epcis.tell import tell_own
from cloud.trace.epcis.vocabulary import CONTEXT

GTIN = "09521234543213"
ROOM, HALL = (f"https://id.gs1.org/414/9521234000075/254/{zone}" for zone in ("kho", "pha-loc"))


def link(lot: str) -> str:
    return f"https://id.gs1.org/01/{GTIN}/10/{lot}"


@pytest.fixture
def house(api, plant, store, context):
    """A room with a probe, a hall without, and a way to let the herald speak."""
    plant.zone("kho", "Kho lạnh", "Cold store", high="-18", on_delay_s=60)
    plant.zone("pha-loc", "Phòng pha lóc", "Cutting room")
    plant.readings(
        plant.probe("kho"), [(NOW - 5 * HOUR + i * MINUTE, -20.0 if i % 2 else -19.0) for i in range(5 * 60)]
    )
    api.tell = lambda: tell_own(store, context.trace, NOW)
    return api


def lot(api, key: str) -> str:
    body = {
        "key": key,
        "gtin": GTIN,
        "name": {"vi": "Cánh gà", "en": "Wings"},
        "quantity_kg": "100",
        "created_at": iso(NOW - 5 * HOUR),
    }
    assert api.post("/api/v1/lots", json=body).status_code == 201
    return key


def move(api, key: str, zone: str | None, hours_ago: float) -> None:
    body = {"zone": zone, "at": iso(NOW - int(hours_ago * HOUR)), "by": "An"}
    assert api.post(f"/api/v1/lots/{key}/move", json=body).status_code == 201


def found(api, **parameters: str) -> list[dict]:
    answer = api.get("/epcis/events", params={"orderBy": "eventTime", **parameters})
    assert answer.status_code == 200, answer.text
    return events_of(answer.json())


def test_where_a_lot_was_and_what_it_went_through_stands_in_the_books(house, is_official):
    lot(house, "BM1")
    move(house, "BM1", "kho", 4)
    move(house, "BM1", "pha-loc", 1)
    assert house.tell() and not house.tell()
    assert is_official(house.get("/epcis/events").json())
    arrivals = found(house, MATCH_epcClass=link("BM1"), EQ_bizStep="storing")
    assert [event["bizLocation"]["id"] for event in arrivals] == [ROOM, HALL]
    [summary] = found(house, EQ_bizStep="sensor_reporting", EQ_type="Temperature", LT_maxValue_KEL="255")
    [element] = summary["sensorElementList"]
    assert element["sensorMetadata"]["startTime"] == iso(NOW - 4 * HOUR)
    [report] = element["sensorReport"]
    assert (report["minValue"], report["maxValue"], report["uom"]) == (-20.0, -19.0, "CEL")
    assert report["coldlink:coverage"] == 1.0


def test_what_turns_out_otherwise_is_declared_and_told_anew(house):
    lot(house, "BM1")
    move(house, "BM1", "kho", 4)
    house.tell()
    [before] = found(house)
    move(house, "BM1", "pha-loc", 4.5)  # told late: it was in the hall before
    move(house, "BM1", "kho", 4.25)
    house.tell()
    declared = [event for event in found(house) if "errorDeclaration" in event]
    assert [(event["eventID"], event["errorDeclaration"]["reason"]) for event in declared] == [
        (before["eventID"], "did_not_occur")
    ]
    standing = {event["eventID"] for event in found(house)} - {before["eventID"]}
    assert {event["bizLocation"]["id"] for event in found(house) if event["eventID"] in standing} == {ROOM, HALL}


def test_the_ledger_of_goods_speaks_epcis(house, is_official):
    for key in ("FLOCK", "CARCASS"):
        lot(house, key)
    events = [
        {"kind": "receive", "at": iso(NOW - 5 * HOUR), "by": "An", "subjects": [{"lot": "FLOCK", "pieces": 600}],
         "source": "Trại Hòa Bình", "documents": [{"type": "cert", "number": "KD 12/26"}]},
        {"kind": "slaughter", "at": iso(NOW - 4 * HOUR), "by": "An", "zone": "pha-loc",
         "inputs": [{"lot": "FLOCK", "quantity_kg": "1500"}], "outputs": [{"lot": "CARCASS", "quantity_kg": "1080.5"}]},
        {"kind": "measure", "at": iso(NOW - 3 * HOUR), "by": "An", "subjects": [{"lot": "CARCASS"}], "core_celsius": "3.1"},
        {"kind": "hold", "at": iso(NOW - 2 * HOUR), "by": "An", "subjects": [{"lot": "CARCASS"}], "reason": "đứt gãy"},
    ]  # fmt: skip
    made = [house.post("/api/v1/lot-events", json=event) for event in events]
    assert [answer.status_code for answer in made] == [201] * 4, [answer.text for answer in made]
    house.tell()
    assert is_official(house.get("/epcis/events").json())
    told = found(house, EQ_eventID="|".join(answer.json()["event_id"] for answer in made))
    received, slaughtered, measured, held = told
    assert received["quantityList"] == [{"epcClass": link("FLOCK"), "quantity": 600}]
    assert received["bizTransactionList"][0]["type"] == "cert"
    assert slaughtered["outputQuantityList"] == [{"epcClass": link("CARCASS"), "quantity": 1080.5, "uom": "KGM"}]
    assert slaughtered["bizLocation"]["id"] == HALL
    assert measured["sensorElementList"][0]["sensorReport"][0]["value"] == 3.1
    assert held["persistentDisposition"] == {"set": ["unavailable"]} and held["coldlink:reason"] == "đứt gãy"
    assert "An" not in house.get("/epcis/events").text.replace("AnyEPC", "")


def test_what_a_partner_captured_becomes_a_fact(house):
    arrival = {
        "@context": CONTEXT, "type": "ObjectEvent", "action": "OBSERVE", "bizStep": "receiving",
        "eventID": "urn:uuid:11111111-0000-4000-8000-000000000001",
        "eventTime": iso(NOW - 3 * HOUR), "eventTimeZoneOffset": "+07:00",
        "quantityList": [{"epcClass": f"https://id.farm.vn/01/{GTIN}/10/DAN-7", "quantity": 1200.5, "uom": "KGM"}],
        "bizLocation": {"id": "urn:epc:id:sgln:9521234.00007.kho"},
    }  # fmt: skip
    cut = {
        "@context": CONTEXT, "type": "TransformationEvent", "eventTime": iso(NOW - 2 * HOUR), "eventTimeZoneOffset": "+07:00",
        "inputQuantityList": [{"epcClass": link("DAN-7")}], "outputQuantityList": [{"epcClass": link("CUT-7"), "quantity": 5, "uom": "KGM"}],
    }  # fmt: skip
    assert house.post("/epcis/events", json=arrival).status_code == 201
    entered = house.get("/api/v1/lots/DAN-7").json()
    assert (entered["gtin"], entered["quantity_kg"], entered["place"]["zone"]) == (GTIN, "1200.5", "kho")
    assert house.post("/epcis/events", json=cut).status_code == 201
    family = house.get("/api/v1/lots/CUT-7/genealogy").text
    assert "DAN-7" in family
    house.tell()
    assert len(found(house, EQ_eventID="urn:uuid:11111111-0000-4000-8000-000000000001")) == 1


def test_what_the_ledger_refuses_stays_an_event_and_is_said(house):
    def making(one: str, other: str) -> dict:
        return {"type": "TransformationEvent", "eventTime": iso(NOW - HOUR), "eventTimeZoneOffset": "+07:00",
                "inputQuantityList": [{"epcClass": link(one)}], "outputQuantityList": [{"epcClass": link(other)}]}  # fmt: skip

    document = {"@context": [CONTEXT], "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": iso(NOW),
                "epcisBody": {"eventList": [making("A", "B"), making("B", "A")]}}  # fmt: skip
    answer = house.post("/epcis/capture", json=document).json()
    assert (answer["success"], answer["coldlink:facts"]) == (True, 1)
    assert answer["coldlink:notes"][0].startswith("$.epcisBody.eventList[1]: ")


def test_a_stay_is_summed_up_when_the_gateway_has_told_what_it_measured(house, plant, store, context):
    lot(house, "BM1")
    move(house, "BM1", "kho", 4)
    move(house, "BM1", "pha-loc", 1)
    with store.write() as connection:  # the gateway is behind: an hour of the stay is still on its way
        connection.exec_driver_sql(f"UPDATE latest SET observed_at = {NOW - 2 * HOUR}")
    house.tell()
    assert found(house, EQ_bizStep="sensor_reporting") == []
    with store.write() as connection:
        connection.exec_driver_sql(f"UPDATE latest SET observed_at = {NOW}")
    house.tell()
    assert len(found(house, EQ_bizStep="sensor_reporting")) == 1
