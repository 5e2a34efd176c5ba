from small_plant import NOW, SmallPlant

from cloud.api.times import iso


def test_a_gateway_shows_its_devices_with_zone_and_last_seen(api, plant: SmallPlant):
    plant.zone("kho", "Kho", "Store")
    plant.readings(plant.probe("kho"), [(NOW - 4000, -19.4)])
    [gateway] = api.get("/api/v1/instruments").json()["gateways"]
    [device] = gateway["devices"]
    assert gateway["gateway"] == "gw-01"
    assert device["zone"] == {"vi": "Kho", "en": "Store"}
    assert device["last_seen"] == iso(NOW - 4000)
    assert device["points"][0]["latest"]["value"] == "-19.4"


def test_what_an_agent_says_of_itself_is_apart_from_its_instruments(api, plant: SmallPlant):
    own = plant.add(
        "series", gateway_id=plant.gateway, device="gateway", point="buffer_used", unit="%", quantity="share"
    )
    plant.readings(own, [(NOW - 1000, 12.0)], decimals=0)
    [gateway] = api.get("/api/v1/instruments").json()["gateways"]
    assert gateway["devices"] == []
    assert gateway["health"][0]["latest"]["value"] == "12"


def test_a_tag_reader_shows_what_it_saw_last_and_the_zone_it_looks_into(api, plant: SmallPlant):
    zone = plant.zone("kho", "Kho", "Store")
    reader = plant.add("series", gateway_id=plant.gateway, device="door", point="tag", unit="", quantity="tag")
    plant.add("read_point", series_name="gw-01/door/tag", antenna=0, zone_id=zone, role="presence", from_at=0)
    for second, epc in ((1, "e201"), (2, "e202")):
        at = NOW - 10_000 + second * 1000
        plant.add(
            "sighting", series_id=reader, epc=epc, observed_at=at, last_at=at, reads=1, antenna=0,
            clock_id=plant.clock, batch_id=plant.batch,
        )  # fmt: skip
    [gateway] = api.get("/api/v1/instruments").json()["gateways"]
    [device] = gateway["devices"]
    assert (device["zone_key"], device["points"][0]["last_tag"]) == ("kho", "e202")
    assert device["last_seen"] == iso(NOW - 8000)


def test_batches_that_wait_for_a_clock_are_counted(api, plant: SmallPlant):
    plant.change("batch", plant.batch, anchored=0)
    [gateway] = api.get("/api/v1/instruments").json()["gateways"]
    assert gateway["unanchored_batches"] == 1


def test_quarantine_is_counted_by_reason(api, plant: SmallPlant):
    for _ in range(2):
        plant.add("quarantine", gateway="gw-01", topic="t", reason="bad_signature", payload=b"x", received_at=NOW)
    state = api.get("/api/v1/ingest").json()
    assert state["quarantine"] == [{"reason": "bad_signature", "count": 2, "newest_at": iso(NOW)}]
    assert state["batches"] == 1


def test_health_needs_the_database(api, store):
    assert api.get("/healthz").json() == {"status": "ok"}
