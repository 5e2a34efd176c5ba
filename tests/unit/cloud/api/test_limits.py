from small_plant import HOUR, MINUTE, NOW

KNOWN = {"from_at": "2026-11-21T05:00:00Z", "until_at": "2026-11-21T06:00:00Z", "kind": "maintenance", "by": "Tám"}


def store_with_spikes(plant, count=9, long_ones=1):
    """A cold store whose air is warm for 40 min a day, and for three hours on some."""
    plant.zone("kho-lanh-b", "Kho lạnh B", "Cold store B", high="-18")
    series = plant.probe("kho-lanh-b")
    values = []
    for day in range(1, count + long_ones + 1):
        begin = NOW - day * 24 * HOUR
        warm = 180 if day <= long_ones else 40
        values += [(begin + m * MINUTE, -15.0 if 60 <= m < 60 + warm else -20.0) for m in range(300)]
    plant.readings(series, sorted(values))


def test_a_longer_delay_shows_what_it_saves_and_what_it_misses(api, plant):
    store_with_spikes(plant)
    [limit] = api.get("/api/v1/limits").json()["limits"]
    assert (limit["key"], limit["setpoint"], limit["is_about_goods"]) == ("above-air", "-18", True)
    tried = api.get(f"/api/v1/limits/{limit['id']}/what-if", params={"on_delay_s": 3600}).json()
    assert (tried["before"], tried["after"], tried["missed"], len(tried["gone"])) == (10, 1, [], 9)
    tried = api.get(f"/api/v1/limits/{limit['id']}/what-if", params={"setpoint": "-14"}).json()
    assert (tried["before"], tried["after"], len(tried["missed"])) == (10, 0, 1)
    tried = api.get(f"/api/v1/limits/{limit['id']}/what-if", params={"on_delay_s": 60, "days": 2}).json()
    assert (tried["before"], tried["after"], tried["new"]) == (2, 2, [])
    heat = api.get(f"/api/v1/limits/{limit['id']}/what-if", params={"on_delay_s": 86_400, "degree_minutes": "300"})
    assert heat.json()["after"] == 1, "3 K for 100 of 180 minutes"


def test_what_if_writes_nothing(api, plant, store):
    store_with_spikes(plant, count=1)
    api.get("/api/v1/limits/1/what-if", params={"setpoint": "-14"})
    with store.read() as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM breach").scalar() == 0


def test_what_makes_no_sense_is_refused(api, plant):
    assert api.get("/api/v1/limits/7/what-if").json()["type"] == "urn:coldlink:problem:unknown_limit"
    assert api.get("/api/v1/limits/7/what-if", params={"delay": 5}).status_code == 422
    assert api.get("/api/v1/limits/7/what-if", params={"on_delay_s": -5}).status_code == 422


def test_a_person_says_what_is_going_on_once(api, plant):
    plant.zone("kho-lanh-b", "Kho lạnh B", "Cold store B", high="-18")
    url = "/api/v1/zones/kho-lanh-b/contexts"
    assert [api.post(url, json=KNOWN).status_code for _ in range(2)] == [201, 200]
    [said] = api.get(url).json()["contexts"]
    assert (said["kind"], said["by"], said["from_at"]) == ("maintenance", "Tám", "2026-11-21T05:00:00.000Z")
    assert api.post("/api/v1/zones/nowhere/contexts", json=KNOWN).status_code == 404
    assert api.post(url, json={**KNOWN, "until_at": KNOWN["from_at"]}).status_code == 422
    assert api.post(url, json={**KNOWN, "kind": "siesta"}).status_code == 422
