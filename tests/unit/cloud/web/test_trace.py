"""Decisions on the lot page, and the trace page with its ribbons."""

import json
import re

import pytest
from small_plant import HOUR, NOW

from cloud.lots import EventKind, Item, LotEvent, record_event, settle

PAYLOAD = "</script><img src=x>"


@pytest.fixture
def poultry(plant, store):
    """A carcass lot cut into legs, which were in a breach and are packed; one part of the trays has left."""
    plant.zone("kho-lanh-b", "Kho lạnh B", "Cold store B", high="-18")
    for key, kilograms in (("C1", "1400"), ("LEGS", "1300"), ("TRAYS", "640")):
        plant.lot(key, f"Lô {key}", PAYLOAD, kilograms)
    plant.key = plant.breach("kho-lanh-b", NOW - 3 * HOUR, confirmed_at=NOW - 2 * HOUR, extreme=-14.2)
    with store.write() as connection:
        tell(connection, EventKind.CUT, 5, inputs=("C1",), outputs=("LEGS",), zone="kho-lanh-b")
        tell(connection, EventKind.PACK, 2, inputs=("LEGS",), outputs=("TRAYS",), zone="kho-lanh-b")
        shipped = (Item(lot="TRAYS", quantity_kg="40"),)
        record_event(
            connection,
            LotEvent(kind=EventKind.SHIP, at=NOW - HOUR, by="Phước", subjects=shipped, destination="Hòa Bình", reason="đo tâm"),
            NOW,
        )  # fmt: skip
        settle(connection, NOW)
    return plant


def tell(connection, kind, hours, inputs, outputs, zone):
    sides = {"inputs": tuple(Item(lot=lot) for lot in inputs), "outputs": tuple(Item(lot=lot) for lot in outputs)}
    record_event(connection, LotEvent(kind=kind, at=NOW - hours * HOUR, by="Hạnh", zone=zone, **sides), NOW)


def graph_of(text):
    return json.loads(re.search(r'id="flow-data" data-swap>(.*?)</script>', text, re.DOTALL)[1])


def test_a_breach_is_followed_to_where_everything_is_now(web, poultry):
    text = web.get("/trace", params={"breach": poultry.key}).text
    graph = graph_of(text)
    assert [(node["id"], node["column"], node["state"]) for node in graph["nodes"]] == [
        ("", 0, "fail"),
        ("LEGS", 1, "ok"),  # used up: nothing to hold
        ("TRAYS", 2, "hold"),
        ("to Hòa Bình", 3, "warn"),
        ("in kho-lanh-b", 3, "hold"),
    ]
    assert "Gọi lại TRAYS" in text
    assert "40,0 kg đã đi Hòa Bình" in text
    assert f"/api/v1/breaches/{poultry.key}/recall.csv" in text


def test_a_lot_is_followed_back_to_its_origins(web, poultry):
    text = web.get("/trace", params={"lot": "TRAYS", "dir": "back"}).text
    assert [node["id"] for node in graph_of(text)["nodes"]] == ["C1", "LEGS", "TRAYS"]
    assert "TRAYS có các nguồn gốc này" in text


def test_the_lot_page_shows_standing_ancestors_and_ledger(web, poultry):
    text = web.get("/lots/TRAYS").text
    assert "Tạm giữ từ" in text
    assert 'value="release"' in text
    assert ">từ LEGS</a>" in text
    assert "đo tâm" in text
    assert [node["is_me"] for node in graph_of(text)["nodes"]] == [False, False, True]


def test_names_in_the_graph_cannot_end_its_block(web, poultry):
    text = web.get("/trace", params={"breach": poultry.key, "lang": "en"}).text
    assert "<img src=x>" not in text
    assert graph_of(text)["nodes"][1]["sub"] == PAYLOAD


def test_what_nobody_stated_is_a_page_for_people(web, store):
    assert web.get("/trace", params={"breach": "none"}).status_code == 404
