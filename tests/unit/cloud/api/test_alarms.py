from small_plant import MINUTE, NOW

from cloud.api.times import iso
from cloud.live import Change

WHO = {"by": "Nguyễn Thị Mai", "note": "Đã đóng cửa"}


def open_alarms(api) -> dict[str, dict]:
    return {alarm["zone"]: alarm for alarm in api.get("/api/v1/alarms").json()["alarms"]}


def test_open_alarms_are_listed_with_limit_and_lots(api, busy_plant):
    alarms = open_alarms(api)
    assert set(alarms) == {"kho-lanh-b", "kho-lanh-c", "xuat-hang"}
    alarm = alarms["kho-lanh-b"]
    assert (alarm["state"], alarm["limit"]["setpoint"], alarm["lots"]) == ("unacknowledged", "-18", 3)
    assert alarm["onset_at"] == iso(NOW - 54 * MINUTE)


def test_all_alarms_include_the_closed_ones(api, busy_plant):
    assert len(api.get("/api/v1/alarms", params={"state": "all"}).json()["alarms"]) == 4


def test_an_acknowledgement_keeps_the_first_name(api, busy_plant):
    number = open_alarms(api)["kho-lanh-b"]["id"]
    first = api.post(f"/api/v1/alarms/{number}/acknowledge", json=WHO)
    again = api.post(f"/api/v1/alarms/{number}/acknowledge", json={"by": "Somebody else"})
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json()["ack_by"] == "Nguyễn Thị Mai"
    assert again.json()["state"] == "acknowledged"
    assert [event["kind"] for event in again.json()["events"]] == ["raised", "acknowledged"]


def test_acknowledging_what_has_returned_closes_it(api, busy_plant):
    number = open_alarms(api)["xuat-hang"]["id"]
    assert api.post(f"/api/v1/alarms/{number}/acknowledge", json=WHO).json()["state"] == "normal"


def test_browsers_hear_of_an_acknowledgement_once(api, busy_plant, context, monkeypatch):
    told = []
    monkeypatch.setattr(context.hub, "publish_changed", told.append)
    number = open_alarms(api)["kho-lanh-b"]["id"]
    for _ in range(2):
        api.post(f"/api/v1/alarms/{number}/acknowledge", json=WHO)
    assert told == [[Change("alarm", str(number)), Change("zone", "kho-lanh-b")]]


def test_an_acknowledgement_needs_a_name(api, busy_plant):
    answer = api.post("/api/v1/alarms/1/acknowledge", json={"by": "", "note": ""})
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "body.by")


def test_an_unknown_alarm_is_not_found(api, busy_plant):
    assert api.post("/api/v1/alarms/999/acknowledge", json=WHO).status_code == 404
    assert api.get("/api/v1/alarms/999").json()["type"] == "urn:coldlink:problem:unknown_alarm"


def test_an_alarm_names_the_lots_that_were_there(api, busy_plant):
    number = open_alarms(api)["kho-lanh-b"]["id"]
    lots = api.get(f"/api/v1/alarms/{number}").json()["lots_there"]
    assert [lot["key"] for lot in lots] == ["BM261120-03", "BM261120-04", "BM261119-02"]
