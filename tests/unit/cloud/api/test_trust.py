import math

from small_plant import HOUR, MINUTE, NOW


def swinging(hours):
    return [(NOW - m * MINUTE, round(-20 + math.sin(m / 9), 1)) for m in range(hours * 60, -1, -1)]


def trust(api):
    points = api.get("/api/v1/zones/kho-lanh-b/trust").json()["points"]
    return {point["point"].split("/")[1]: point for point in points}


def test_each_point_says_how_far_it_can_be_believed(api, plant):
    plant.zone("kho-lanh-b", "Kho lạnh B", "Cold store B", high="-18")
    for device in ("sound", "frozen", "lost", "broken"):
        plant.probe("kho-lanh-b", device)
    series = {name.split("/")[1]: number for name, number in plant.series.items()}
    plant.readings(series["sound"], swinging(24))
    plant.readings(series["frozen"], [(NOW - m * MINUTE, -20.0) for m in range(24 * 60, -1, -1)])
    plant.readings(series["lost"], [(at, value) for at, value in swinging(24) if at < NOW - 3 * HOUR])
    plant.readings(series["broken"], [*swinging(24)[:-5], *((NOW - m * MINUTE, None) for m in range(4, -1, -1))])
    found = trust(api)
    assert {name: (one["state"], one["test"]) for name, one in found.items()} == {
        "sound": ("fresh", None),
        "frozen": ("suspect", "flat_line"),
        "lost": ("stale", None),
        "broken": ("failed", None),
    }
    assert [spell["reason"] for spell in found["lost"]["spells"]] == ["stale"]


def test_a_point_that_never_spoke_is_stale_and_an_unknown_zone_is_not_found(api, plant):
    plant.zone("kho-lanh-b", "Kho lạnh B", "Cold store B", high="-18")
    plant.probe("kho-lanh-b")
    assert trust(api)["kho-lanh-b-probe"]["state"] == "stale"
    assert api.get("/api/v1/zones/nowhere/trust").status_code == 404
