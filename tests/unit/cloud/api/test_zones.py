from small_plant import DAY, HOUR, MINUTE, NOW, SmallPlant

from cloud.api.times import iso


def test_a_fresh_database_has_no_zones(api, store):
    assert api.get("/api/v1/zones").json() == {"now": iso(NOW), "zones": []}


def test_every_state_of_the_wall_is_told(api, busy_plant):
    zones = {zone["key"]: zone for zone in api.get("/api/v1/zones").json()["zones"]}
    assert zones["kho-lanh-a"]["state"] == "normal"
    assert zones["kho-lanh-b"]["state"] == "breach"
    assert zones["kho-mat-2"]["state"] == "pending"
    assert zones["kho-lanh-c"]["state"] == "unknown"
    assert zones["kho-lanh-b"]["unacknowledged"]
    assert zones["kho-lanh-b"]["since"] == iso(NOW - 54 * MINUTE)


def test_a_value_travels_with_unit_quality_and_both_times(api, plant: SmallPlant):
    plant.zone("kho", "Kho", "Store", high="-18", low="-24")
    plant.readings(plant.probe("kho"), [(NOW - 4000, -19.4)])
    [zone] = api.get("/api/v1/zones").json()["zones"]
    assert zone["shown"] == {
        "value": "-19.4",
        "unit": "°C",
        "quality": "good",
        "reason": None,
        "observed_at": iso(NOW - 4000),
        "received_at": iso(NOW - 3200),
        "time_uncertain": False,
    }
    assert (zone["low"], zone["high"]) == ("-24", "-18")


def test_an_old_value_is_unknown_and_keeps_its_last_value(api, plant: SmallPlant):
    plant.zone("kho", "Kho", "Store", high="-18")
    plant.readings(plant.probe("kho"), [(NOW - 301_000, -19.4)])
    [zone] = api.get("/api/v1/zones").json()["zones"]
    assert zone["state"] == "unknown"
    assert zone["shown"]["value"] == "-19.4"


def test_a_zone_that_never_spoke_is_unknown(api, plant: SmallPlant):
    plant.zone("kho", "Kho", "Store")
    [zone] = api.get("/api/v1/zones").json()["zones"]
    assert (zone["state"], zone["shown"], zone["points"]) == ("unknown", None, [])


def test_the_worst_probe_speaks_for_the_zone(api, plant: SmallPlant):
    plant.zone("kho", "Kho", "Store", high="-18")
    plant.readings(plant.probe("kho", "probe-1"), [(NOW - 1000, -22.0)])
    plant.readings(plant.probe("kho", "probe-2"), [(NOW - 9000, -18.5)])
    [zone] = api.get("/api/v1/zones").json()["zones"]
    assert zone["shown_point"] == "gw-01/probe-2/temperature"


def test_behind_a_bad_reading_the_last_good_one_speaks_with_its_own_time(api, plant: SmallPlant):
    plant.zone("kho", "Kho", "Store", high="-18")
    plant.readings(plant.probe("kho"), [(NOW - 90_000, -20.0), (NOW - 1000, None)])
    [zone] = api.get("/api/v1/zones").json()["zones"]
    assert (zone["state"], zone["shown"]["observed_at"]) == ("stale", iso(NOW - 90_000))
    assert zone["points"][0]["latest"]["reason"] == "timeout"


def test_only_bad_readings_are_unknown(api, plant: SmallPlant):
    plant.zone("kho", "Kho", "Store", high="-18")
    plant.readings(plant.probe("kho"), [(NOW - 9000, None), (NOW - 1000, None)])
    [zone] = api.get("/api/v1/zones").json()["zones"]
    assert (zone["state"], zone["shown"]) == ("unknown", None)


def test_series_come_in_buckets_with_minimum_mean_and_maximum(api, plant: SmallPlant):
    plant.zone("kho", "Kho", "Store", high="-18")
    start = NOW - NOW % HOUR - HOUR
    plant.readings(plant.probe("kho"), [(start + i * MINUTE, -20.0 - i) for i in range(4)])
    series = api.get(
        "/api/v1/zones/kho/series", params={"from": iso(start), "until": iso(start + 4 * MINUTE), "buckets": 2}
    ).json()
    assert series["step_s"] == 120
    assert series["buckets"] == {
        "at": [iso(start), iso(start + 2 * MINUTE)],
        "min": [-21.0, -23.0],
        "mean": [-20.5, -22.5],
        "max": [-20.0, -22.0],
        "count": [2, 2],
    }
    assert series["gaps"] == []


def test_a_hole_is_told_and_never_filled(api, plant: SmallPlant):
    plant.zone("kho", "Kho", "Store", high="-18")
    minutes = [i for i in range(120) if not 30 <= i < 72]
    plant.readings(plant.probe("kho"), [(NOW - 2 * HOUR + i * MINUTE, -20.0) for i in minutes])
    series = api.get("/api/v1/zones/kho/series", params={"from": iso(NOW - 2 * HOUR), "buckets": 120}).json()
    [gap] = series["gaps"]
    assert gap == {"from_at": iso(NOW - 90 * MINUTE), "until_at": iso(NOW - 48 * MINUTE)}


def test_times_that_are_only_bounded_are_told_as_such(api, plant: SmallPlant, store):
    plant.zone("kho", "Kho", "Store")
    plant.readings(plant.probe("kho"), [(NOW - minutes * MINUTE, -20.0) for minutes in range(60)])
    with store.write() as connection:
        begin, end = NOW - 40 * MINUTE, NOW - 31 * MINUTE
        connection.exec_driver_sql(
            "UPDATE reading SET detail = detail | 64 WHERE observed_at BETWEEN ? AND ?", (begin, end)
        )
        connection.exec_driver_sql("UPDATE latest SET detail = detail | 64")
    asked = {"from": iso(NOW - HOUR), "until": iso(NOW), "buckets": 60}
    [stretch] = api.get("/api/v1/zones/kho/series", params=asked).json()["uncertain"]
    assert (stretch["from_at"], stretch["until_at"]) == (iso(begin), iso(end + MINUTE))
    [zone] = api.get("/api/v1/zones").json()["zones"]
    assert zone["shown"]["time_uncertain"]
    assert zone["points"][0]["latest"]["time_uncertain"]


def test_series_name_breaches_and_lots_of_their_time(api, busy_plant):
    series = api.get("/api/v1/zones/kho-lanh-b/series").json()
    assert [breach["status"] for breach in series["breaches"]] == ["active"]
    assert [lot["key"] for lot in series["lots"]] == ["BM261120-03", "BM261120-04", "BM261119-02"]


def test_an_unknown_zone_names_the_known_ones(api, plant: SmallPlant):
    plant.zone("kho-a", "Kho A", "Store A")
    answer = api.get("/api/v1/zones/kho-x")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:coldlink:problem:unknown_zone"
    assert "kho-a" in answer.json()["detail"]


def test_unknown_query_keys_are_refused(api, store):
    answer = api.get("/api/v1/zones", params={"zone": "kho-a"})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"where": "query.zone", "message": "unknown key"}]


def test_a_time_without_zone_is_refused_with_an_example(api, plant: SmallPlant):
    plant.zone("kho", "Kho", "Store")
    answer = api.get("/api/v1/zones/kho/series", params={"from": "2026-11-20T10:00:00"})
    assert answer.status_code == 422
    assert "does not say its zone" in answer.json()["detail"]


def test_a_range_of_ten_years_is_refused(api, plant: SmallPlant):
    plant.zone("kho", "Kho", "Store")
    answer = api.get("/api/v1/zones/kho/series", params={"from": iso(NOW - 3650 * DAY)})
    assert answer.json()["type"] == "urn:coldlink:problem:range_too_long"


def test_an_unknown_path_is_a_problem_too(api, store):
    answer = api.get("/api/v1/nowhere")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
