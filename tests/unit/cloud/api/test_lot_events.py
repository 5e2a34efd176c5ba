"""Events, genealogy, holds and recall lists as the interface tells them."""

import csv
import io

import pytest
from small_plant import HOUR, MINUTE, NOW

from cloud.api.times import iso
from cloud.lots import settle

AT = NOW - 6 * HOUR


@pytest.fixture
def poultry(plant, api):
    """Two flocks, two carcass lots, legs of both, trays of legs; everything in a hall but the legs, which are in a store."""
    plant.zone("pha-loc", "Phòng pha lóc", "Cutting room")
    plant.zone("kho-lanh-b", "Kho lạnh B", "Cold store B", high="-18")
    for key, kilograms in {
        "F1": "2000", "F2": "1000", "C1": "1400", "C2": "700", "LEGS": "2000", "TRAYS": "640",
    }.items():  # fmt: skip
        plant.lot(key, f"Lô {key}", f"Lot {key}", kilograms)
    post(api, "slaughter", inputs=["F1"], outputs=["C1"], zone="pha-loc")
    post(api, "slaughter", inputs=["F2"], outputs=["C2"], zone="pha-loc")
    post(api, "cut", 1, inputs=["C1", "C2"], outputs=["LEGS"], zone="kho-lanh-b")
    return plant


def post(api, kind, hours=0, status=201, **facts):
    body = {"kind": kind, "at": iso(AT + hours * HOUR), "by": "Võ Thị Hạnh"}
    for side in ("inputs", "outputs", "subjects"):
        body[side] = [item if isinstance(item, dict) else {"lot": item} for item in facts.pop(side, [])]
    answer = api.post("/api/v1/lot-events", json={**body, **facts})
    assert answer.status_code == status, answer.text
    return answer.json()


def test_an_event_told_twice_is_one_event(api, poultry):
    told = post(api, "receive", subjects=[{"lot": "F1", "pieces": 900}], documents=[{"type": "cert", "number": "KD-1"}])
    again = post(api, "receive", 0, 200, subjects=[{"lot": "F1", "pieces": 900}],
                 documents=[{"type": "cert", "number": "KD-1"}])  # fmt: skip
    assert told == again
    assert (told["biz_step"], told["corrected_at"]) == ("receiving", None)
    kinds = [event["kind"] for event in api.get("/api/v1/lot-events", params={"lot": "F1"}).json()["events"]]
    assert sorted(kinds) == ["receive", "slaughter"]


@pytest.mark.parametrize(
    ("status", "name", "kind", "facts"),
    [
        (422, "bad_event", "hold", {"subjects": ["F1"]}),
        (409, "cycle", "rework", {"inputs": ["LEGS"], "outputs": ["F1"], "hours": 2}),
        (404, "unknown_lot", "ship", {"subjects": ["nothing"]}),
        (404, "unknown_event", "correction", {"corrects": "urn:x"}),
        (422, "bad_quantity", "ship", {"subjects": [{"lot": "F1", "quantity_kg": "-4"}]}),
    ],
)
def test_a_wrong_event_is_refused_with_its_reason(api, poultry, status, name, kind, facts):
    assert post(api, kind, status=status, **facts)["type"] == f"urn:coldlink:problem:{name}"


def test_genealogy_tells_both_directions_with_weights_and_balance(api, poultry):
    post(api, "pack", 2, inputs=[{"lot": "LEGS", "quantity_kg": "650"}], outputs=["TRAYS"])
    told = api.get("/api/v1/lots/LEGS/genealogy").json()
    assert {lot["key"]: lot["generation"] for lot in told["lots"]} == {
        "F1": -2, "F2": -2, "C1": -1, "C2": -1, "LEGS": 0, "TRAYS": 1,
    }  # fmt: skip
    assert told["origins"] == [{"lot": "F1", "share": "0.6667"}, {"lot": "F2", "share": "0.3333"}]
    assert [each["balance"] for each in told["transformations"]] == ["balanced"] * 4
    assert {each["parent"]: each["kg"] for each in told["descent"]}["LEGS"] == "640"
    back = api.get("/api/v1/lots/LEGS/genealogy", params={"direction": "back"}).json()
    assert "TRAYS" not in {lot["key"] for lot in back["lots"]}


def test_genealogy_as_it_was_known_then(api, poultry):
    told = api.get("/api/v1/lots/LEGS/genealogy", params={"known_at": iso(NOW - 1)}).json()
    assert [lot["key"] for lot in told["lots"]] == ["LEGS"]


def test_a_breach_holds_the_lots_that_were_there_and_what_was_made_of_them(api, poultry, store):
    key = poultry.breach("kho-lanh-b", AT + 2 * HOUR)
    post(api, "pack", 3, inputs=[{"lot": "LEGS", "quantity_kg": "650"}], outputs=["TRAYS"], zone="pha-loc")
    with store.write() as connection:
        assert settle(connection, NOW) == ["LEGS", "TRAYS"]
        assert settle(connection, NOW + MINUTE) == []
    refused = post(api, "ship", 4, 409, subjects=["TRAYS"], destination="Siêu thị Hòa Bình")
    assert refused["detail"] == "nothing leaves yet: lot TRAYS is held: breach of above-air in kho-lanh-b"
    released = {"subjects": ["TRAYS"], "reason": "tâm −19,1 °C", "breach": key}
    post(api, "release", 8, **released)
    post(api, "ship", 9, subjects=["TRAYS"], destination="Siêu thị Hòa Bình")
    trace = api.get(f"/api/v1/breaches/{key}/lots").json()
    assert [(lot["key"], lot["made_of"], lot["state"], lot["affected_kg"]) for lot in trace["lots"]] == [
        ("LEGS", [], "held", "2000"),
        ("TRAYS", ["LEGS"], "free", "640"),
    ]
    assert trace["lots"][0]["exposed_minutes"] == 240
    assert [place["zone"] for place in trace["lots"][0]["places"]] == ["kho-lanh-b"]
    assert trace["lots"][1]["shipments"][0]["destination"] == "Siêu thị Hòa Bình"


def test_what_met_a_breach_leaves_only_with_a_reason_and_never_when_rejected(api, poultry):
    poultry.breach("kho-lanh-b", AT + 2 * HOUR)
    post(api, "pack", 3, inputs=["LEGS"], outputs=["TRAYS"])
    refused = post(api, "ship", 4, 409, subjects=["TRAYS"])  # nobody held it yet: what it was made of was in the breach
    assert "was in the breach" in refused["detail"]
    post(api, "ship", 4, subjects=["TRAYS"], reason="đo tâm −18,6 °C, TP chất lượng đồng ý")
    post(api, "reject", 5, subjects=["C1"], reason="mùi lạ")
    assert "is rejected" in post(api, "ship", 6, 409, subjects=["C1"], reason="gấp")["detail"]


def test_the_recall_list_is_a_table_that_no_spreadsheet_runs(api, poultry):
    poultry.lot("=SUM(A1)", "=cmd|' /C calc'!A0", "x", "5")
    post(api, "pack", 3, inputs=["LEGS"], outputs=["TRAYS", "=SUM(A1)"])
    post(api, "ship", 4, subjects=[{"lot": "TRAYS", "quantity_kg": "40"}], destination="A")
    post(api, "ship", 5, subjects=[{"lot": "TRAYS", "quantity_kg": "60"}], destination="B")
    answer = api.get("/api/v1/lots/F2/recall.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert [(row["lot"], row["shipped_to"], row["shipped_kg"]) for row in rows] == [
        ("F2", "", ""),
        ("C2", "", ""),
        ("LEGS", "", ""),
        ("'=SUM(A1)", "", ""),
        ("TRAYS", "A", "40"),
        ("TRAYS", "B", "60"),
    ]
    assert rows[3]["name"].startswith("'=")


def test_a_breach_that_nobody_stated_is_not_found(api, plant):
    assert api.get("/api/v1/breaches/none/lots").status_code == 404
    assert api.get("/api/v1/breaches/none/recall.csv").status_code == 404
