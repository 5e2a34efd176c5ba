import http.server
import json
import threading
from datetime import datetime

import pytest
from epcis_documents import events_of
from small_plant import NOW

from cloud.api.times import iso
from cloud.trace.epcis.errors import InvalidEventError
from cloud.trace.epcis.herald import Herald, signature
from cloud.trace.epcis.schedule import next_due, refuse_bad_schedule
from cloud.trace.epcis.vocabulary import CONTEXT

EVENT = {
    "@context": CONTEXT,
    "type": "ObjectEvent",
    "action": "OBSERVE",
    "eventTime": iso(NOW),
    "eventTimeZoneOffset": "+07:00",
    "epcList": ["https://id.gs1.org/00/095212340000000174"],
    "bizStep": "shipping",
}


class Client:
    """Takes what is told; refuses as often as told to."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes, dict[str, str]]] = []
        self.refusals = 0

    def __call__(self, dest: str, body: bytes, headers: dict[str, str]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise OSError("not now")
        self.heard.append((dest, body, headers))

    @property
    def events(self) -> list[str]:
        return [event["eventID"] for _, body, _ in self.heard for event in events_of(json.loads(body))]


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def asked(api):
    api.post("/epcis/events", json={**EVENT, "eventID": "urn:uuid:before"})
    api.post("/epcis/queries", json={"name": "leaving", "query": {"EQ_bizStep": ["shipping"]}})
    return api


def test_a_subscriber_hears_each_new_event_once(asked, store, is_official):
    client, clock = Client(), Clock()
    herald = Herald(store, clock, client)
    body = {"dest": "https://client.example/epcis", "signatureToken": "s3cret", "stream": True}
    made = asked.post("/epcis/queries/leaving/subscriptions", json=body)
    assert made.status_code == 201 and "s3cret" not in made.text
    asked.post("/epcis/events", json={**EVENT, "eventID": "urn:uuid:1"})
    asked.post("/epcis/events", json={**EVENT, "eventID": "urn:uuid:2", "bizStep": "storing"})
    assert (herald.tell_due(), herald.tell_due()) == (1, 0)
    [(dest, document, headers)] = client.heard
    assert (dest, client.events) == ("https://client.example/epcis", ["urn:uuid:1"])
    assert headers["GS1-Signature"] == signature("s3cret", document)
    assert is_official(json.loads(document))
    shown = asked.get(made.headers["location"]).json()
    assert (shown["stream"], shown["lastNotifiedAt"]) == (True, iso(NOW))
    assert asked.delete(made.headers["location"]).status_code == 204
    asked.post("/epcis/events", json={**EVENT, "eventID": "urn:uuid:3"})
    assert herald.tell_due() == 0


def test_whoever_does_not_answer_is_told_later_and_loses_nothing(asked, store):
    client, clock = Client(), Clock()
    herald = Herald(store, clock, client)
    asked.post("/epcis/queries/leaving/subscriptions", json={"dest": "http://127.0.0.1:9/x", "stream": True})
    asked.post("/epcis/events", json={**EVENT, "eventID": "urn:uuid:1"})
    client.refusals = 2
    assert herald.tell_due() == 0 and client.heard == []
    clock.now += 4_000
    assert herald.tell_due() == 0
    clock.now += 2_000
    assert herald.tell_due() == 0  # the second refusal
    asked.post("/epcis/events", json={**EVENT, "eventID": "urn:uuid:2"})
    clock.now += 10_000
    assert herald.tell_due() == 1 and client.events == ["urn:uuid:1", "urn:uuid:2"]


def test_a_timetable_is_kept_and_an_empty_report_is_sent_when_wanted(asked, store):
    client, clock = Client(), Clock()
    herald = Herald(store, clock, client)
    body = {"dest": "https://a.example/", "schedule": {"hour": "1", "minute": "5"}, "reportIfEmpty": True}
    asked.post("/epcis/queries/leaving/subscriptions", json=body)
    assert herald.tell_due() == 0
    clock.now += 24 * 3_600_000
    assert herald.tell_due() == 1 and client.events == []
    assert herald.tell_due() == 0


@pytest.mark.parametrize(
    "body",
    [{}, {"dest": "file:///etc/passwd", "stream": True}, {"dest": "https://a.example/"},
     {"dest": "https://a.example/", "stream": True, "schedule": {"hour": "1"}},
     {"dest": "https://a.example/", "schedule": {"hour": "25"}}],
)  # fmt: skip
def test_a_subscription_without_sense_is_refused(asked, body):
    assert asked.post("/epcis/queries/leaving/subscriptions", json=body).status_code == 400


def test_a_real_webhook_is_called(asked, store):
    heard: list[bytes] = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        dest = f"http://127.0.0.1:{server.server_port}/hook"
        asked.post("/epcis/queries/leaving/subscriptions", json={"dest": dest, "stream": True})
        asked.post("/epcis/events", json={**EVENT, "eventID": "urn:uuid:1"})
        assert Herald(store, lambda: NOW).tell_due() == 1
        thread.join(10)
    assert events_of(json.loads(heard[0]))[0]["eventID"] == "urn:uuid:1"


@pytest.mark.parametrize(
    ("schedule", "after", "due"),
    [
        ({"hour": "1", "minute": "5"}, "2026-11-21T01:05:00Z", "2026-11-22T01:05:00Z"),
        ({"minute": "0,30"}, "2026-11-21T01:05:10Z", "2026-11-21T01:30:00Z"),
        ({"second": "[10-12]"}, "2026-11-21T01:05:10Z", "2026-11-21T01:05:11Z"),
        ({"dayOfWeek": "1"}, "2026-11-21T01:05:10Z", "2026-11-23T00:00:00Z"),
        ({"dayOfMonth": "29", "month": "2"}, "2026-11-21T00:00:00Z", "2028-02-29T00:00:00Z"),
    ],
)
def test_the_next_moment_of_a_timetable(schedule, after, due):
    found = next_due(refuse_bad_schedule(schedule), int(datetime.fromisoformat(after).timestamp() * 1000))
    assert iso(found) == due.replace("Z", ".000Z")


def test_the_thirty_first_of_february_never_comes():
    assert next_due({"dayOfMonth": "31", "month": "2"}, NOW) is None
    with pytest.raises(InvalidEventError):
        refuse_bad_schedule({"fortnight": "1"})
