import json

from small_plant import MINUTE, NOW, SmallPlant

from cloud.api.times import iso


def lines(answer) -> list[dict]:
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


def test_every_reading_is_exported_with_its_exact_value(api, plant: SmallPlant):
    plant.zone("kho", "Kho", "Store")
    plant.readings(plant.probe("kho"), [(NOW - 3000, -20.0), (NOW - 2000, -19.95), (NOW - 1000, None)], decimals=2)
    rows = lines(api.get("/api/v1/readings/export"))
    assert [row["value"] for row in rows] == ["-20.00", "-19.95", None]
    assert rows[0] == {
        "gateway": "gw-01",
        "device": "kho-probe",
        "point": "temperature",
        "observed_at": iso(NOW - 3000),
        "value": "-20.00",
        "unit": "°C",
        "quality": "good",
        "reason": None,
        "time_uncertain": False,
    }
    assert (rows[2]["quality"], rows[2]["reason"]) == ("bad", "timeout")


def test_an_export_longer_than_one_chunk_is_complete(api, plant: SmallPlant):
    plant.zone("kho", "Kho", "Store")
    plant.readings(plant.probe("kho"), [(NOW - i * 1000, float(i)) for i in range(1234)])
    assert len(lines(api.get("/api/v1/readings/export"))) == 1234


def test_an_export_keeps_to_gateway_and_half_open_range(api, plant: SmallPlant):
    plant.zone("kho", "Kho", "Store")
    plant.readings(plant.probe("kho"), [(NOW - i * MINUTE, 1.0) for i in range(5)])
    between = {"from": iso(NOW - 3 * MINUTE), "until": iso(NOW - MINUTE)}
    assert len(lines(api.get("/api/v1/readings/export", params=between))) == 2
    assert lines(api.get("/api/v1/readings/export", params={"gateway": "gw-99"})) == []


def test_sightings_and_weighings_are_exported(api, plant: SmallPlant):
    reader = plant.add("series", gateway_id=plant.gateway, device="rfid", point="tag", unit="", quantity="tag")
    scale = plant.add("series", gateway_id=plant.gateway, device="scale", point="net", unit="kg", quantity="weight")
    origin = {"clock_id": plant.clock, "batch_id": plant.batch}
    plant.add(
        "sighting", series_id=reader, epc="e280", observed_at=NOW - 900, last_at=NOW, reads=7, antenna=1, **origin
    )
    plant.add(
        "weighing", series_id=scale, observed_at=NOW, value=12.5, decimals=3, unit="kg", stable_derived=0, **origin
    )
    [sighting] = lines(api.get("/api/v1/sightings/export"))
    assert (sighting["epc"], sighting["reads"], sighting["antenna"]) == ("e280", 7, 1)
    [weighing] = lines(api.get("/api/v1/weighings/export"))
    assert (weighing["value"], weighing["stable_derived"]) == ("12.500", False)


def test_declared_gaps_are_told(api, plant: SmallPlant):
    plant.add("gap", gateway_id=plant.gateway, reason="power_off", from_at=NOW - 9000, until_at=NOW - 5000, detail="")
    plant.add("gap", gateway_id=plant.gateway, reason="not_kept", detail="1..7")
    assert [gap["reason"] for gap in api.get("/api/v1/gaps").json()["gaps"]] == ["power_off", "not_kept"]
    later = api.get("/api/v1/gaps", params={"from": iso(NOW)}).json()["gaps"]
    assert [gap["reason"] for gap in later] == ["not_kept"]
