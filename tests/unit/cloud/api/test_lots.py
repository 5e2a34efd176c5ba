import json

import pytest
from small_plant import HOUR, MINUTE, NOW, SmallPlant

from cloud.api.times import iso

LOT = {
    "key": "BM261121-01",
    "gtin": "09521234543213",
    "name": {"vi": "Ức phi lê", "en": "Breast fillet"},
    "quantity_kg": "986.2",
    "created_at": iso(NOW - 5 * HOUR),
}
CRATE = {"epc": "e2806894000040051c8d4b3a", "kind": "crate", "name": "K-017"}


@pytest.fixture
def cold_room(plant: SmallPlant) -> SmallPlant:
    plant.zone("kho", "Kho lạnh", "Cold store", high="-18", on_delay_s=60)
    minutes = range(5 * 60)
    plant.readings(plant.probe("kho"), [(NOW - 5 * HOUR + i * MINUTE, -20.0 if i < 240 else -15.0) for i in minutes])
    return plant


def test_a_lot_is_recorded_once_and_a_repeat_changes_nothing(api, plant):
    first = api.post("/api/v1/lots", json=LOT)
    again = api.post("/api/v1/lots", json=LOT)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["quantity_kg"] == "986.2"


def test_another_lot_of_the_same_number_is_a_conflict(api, plant):
    api.post("/api/v1/lots", json=LOT)
    answer = api.post("/api/v1/lots", json={**LOT, "quantity_kg": "1"})
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:coldlink:problem:conflicting_fact"
    assert "quantity_kg" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"gtin": "09521234543214"}, "bad_gtin"),
        ({"quantity_kg": "much"}, "bad_quantity"),
        ({"colour": "red"}, "invalid_request"),
        ({"created_at": "yesterday"}, "invalid_request"),
        ({"key": ""}, "invalid_request"),
    ],
)
def test_what_cannot_be_a_lot_is_refused_with_a_reason(api, plant, change, name):
    answer = api.post("/api/v1/lots", json={**LOT, **change})
    assert answer.status_code == 422
    assert answer.json()["type"] == f"urn:coldlink:problem:{name}"


def test_lots_are_found_by_number_or_name_page_by_page(api, busy_plant):
    first = api.get("/api/v1/lots", params={"per_page": 10}).json()
    assert (first["total"], len(first["lots"])) == (17, 10)
    rest = api.get(first["next"]).json()
    assert (len(rest["lots"]), rest["next"]) == (7, None)
    assert [lot["key"] for lot in api.get("/api/v1/lots", params={"q": "cánh"}).json()["lots"]] == ["BM261120-04"]
    assert [lot["key"] for lot in api.get("/api/v1/lots", params={"q": "61120-03"}).json()["lots"]] == ["BM261120-03"]


def test_a_lot_shows_where_it_is_and_whether_it_was_in_a_breach(api, busy_plant):
    lots = {lot["key"]: lot for lot in api.get("/api/v1/lots", params={"per_page": 50}).json()["lots"]}
    assert lots["BM261120-03"]["place"]["zone"] == "kho-lanh-b"
    assert lots["BM261120-03"]["breaches"] == 1
    assert lots["BM261110-01"]["breaches"] == 0


def test_an_unknown_lot_is_not_found(api, plant):
    assert api.get("/api/v1/lots/none").json()["type"] == "urn:coldlink:problem:unknown_lot"
    assert api.get("/api/v1/lots/none/readings").status_code == 404


def test_a_moved_lot_has_a_story(api, cold_room):
    api.post("/api/v1/lots", json=LOT)
    move = {"zone": "kho", "at": iso(NOW - 4 * HOUR), "by": "Võ Thị Hạnh"}
    assert api.post("/api/v1/lots/BM261121-01/move", json=move).status_code == 201
    assert api.post("/api/v1/lots/BM261121-01/move", json=move).status_code == 200
    story = api.get("/api/v1/lots/BM261121-01/story").json()
    [stop] = story["stops"]
    assert (stop["zone"], stop["until_at"]) == ("kho", None)
    assert (stop["min"], stop["max"]) == (-20.0, -15.0)
    assert stop["minutes_above"] == 60
    assert stop["limits"][0]["setpoint"] == "-18"
    assert len(stop["buckets"]["at"]) == 240


def test_a_crate_carries_its_lot(api, cold_room):
    api.post("/api/v1/lots", json=LOT)
    assert [api.post("/api/v1/carriers", json=CRATE).status_code for _ in range(2)] == [201, 200]
    load = {"lot": LOT["key"], "at": iso(NOW - 3 * HOUR)}
    url = f"/api/v1/carriers/{CRATE['epc']}"
    assert [api.post(f"{url}/load", json=load).status_code for _ in range(2)] == [201, 200]
    api.post(f"{url}/move", json={"zone": "kho", "at": iso(NOW - 2 * HOUR), "by": "scan"})
    lot = api.get("/api/v1/lots/BM261121-01").json()
    assert (lot["place"]["zone"], lot["carriers"][0]["name"]) == ("kho", "K-017")
    api.post(f"{url}/unload", json={"at": iso(NOW - HOUR)})
    assert api.get("/api/v1/lots/BM261121-01").json()["carriers"][0]["until_at"] == iso(NOW - HOUR)


def test_an_empty_crate_cannot_be_unloaded(api, plant):
    api.post("/api/v1/carriers", json=CRATE)
    answer = api.post(f"/api/v1/carriers/{CRATE['epc']}/unload", json={"at": iso(NOW)})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:coldlink:problem:unload_before_load")


def test_the_readings_of_a_lot_are_those_of_its_zones_while_it_was_there(api, cold_room):
    api.post("/api/v1/lots", json=LOT)
    api.post("/api/v1/lots/BM261121-01/move", json={"zone": "kho", "at": iso(NOW - 10 * MINUTE), "by": "scan"})
    rows = [json.loads(line) for line in api.get("/api/v1/lots/BM261121-01/readings").text.splitlines()]
    assert {row["point"] for row in rows} == {"temperature"}
    assert all(row["observed_at"] >= iso(NOW - 15 * MINUTE) for row in rows)
    assert len(rows) in range(10, 16)
