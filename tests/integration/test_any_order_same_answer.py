"""Any order, same answer: signed batches of several gateways, in order, shuffled as far as the protocol allows, repeated,
and six hours late, through the real ingest into the real store, give equal breaches, residences and lot histories."""

import shutil
from dataclasses import asdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud.alarms import evaluate
from cloud.ingest.book import Book
from cloud.ingest.flight import Flight
from cloud.ingest.transaction import take
from cloud.lots import LotFact, lot_story, recompute, record_carrier, record_load, record_lot, record_lot_move
from cloud.site import apply_site, read_site
from cloud.store import open_store
from tests.support.sending_gateway import OFFSET, SendingGateway
from wire.entries import Quality, Reading, Sighting
from wire.points import Point, PointTable
from wire.topics import Lane, Topic

MINUTE, HOUR = 60_000, 3_600_000
T0 = OFFSET + 1000 * HOUR
UNTIL = T0 + 6 * HOUR
CRATE = "306f8c040400fbffffffffff"
SITE = """
key: small
name: {vi: Nhỏ, en: Small}
since: 2023-01-01
zones:
  - key: store
    name: {vi: Kho lạnh, en: Cold store}
    points: [{point: gw-a/probe/temperature}, {point: gw-b/probe/temperature}]
    limits: [{key: high, kind: above, setpoint: -18, deadband: "0.5", on_delay_s: 600, off_delay_s: 120, max_gap_s: 900, severity: high}]
  - {key: dock, name: {vi: Sảnh, en: Dock}}
read_points:
  - {point: gw-c/door/tag, antenna: 1, zone: dock, role: outside}
  - {point: gw-c/door/tag, antenna: 2, zone: store, role: inside}
"""
PROBE = PointTable((Point("probe", "temperature", "Cel", "air_temperature"),))
DOOR = PointTable((Point("door", "tag", "", "tag"),))

temperatures = st.lists(
    st.tuples(st.integers(0, 359), st.sampled_from([-215, -190, -181, -179, -170, None])),
    min_size=2,
    max_size=40,
    unique_by=lambda pair: pair[0],
).map(sorted)
passages = st.lists(st.tuples(st.integers(0, 359), st.booleans()), max_size=6, unique_by=lambda pair: pair[0]).map(
    sorted
)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A migrated database with the site in it, copied for each case."""
    folder = tmp_path_factory.mktemp("template")
    (folder / "site.yaml").write_text(SITE, "utf-8")
    store = open_store(f"sqlite:///{folder}/plant.db")
    with store.write() as connection:
        apply_site(connection, read_site(folder / "site.yaml"), T0)
        fact = LotFact(
            key="LOT-1", gtin="9521234543213", name_vi="Đùi", name_en="Legs", quantity_kg="12.5", created_at=T0
        )
        record_lot(connection, fact, now_ms=T0)
        record_carrier(connection, epc=CRATE, kind="crate", name="C1", now_ms=T0)
        record_load(connection, epc=CRATE, lot="LOT-1", at=T0, now_ms=T0)
        record_lot_move(connection, lot="LOT-1", zone="dock", at=T0, by="scan", now_ms=T0)
    store.close()
    return folder / "plant.db"


def probe_gateway(name, readings, batch_size):
    gateway = SendingGateway(name, table=PROBE)
    rows = [
        Reading(0, T0 - OFFSET + minute * MINUTE, value, 1, Quality.BAD if value is None else Quality.GOOD,
                "timeout" if value is None else None)
        for minute, value in readings
    ]  # fmt: skip
    for start in range(0, len(rows), batch_size):
        gateway.seal(rows[start : start + batch_size])
    return gateway


def door_gateway(passed):
    gateway = SendingGateway("gw-c", table=DOOR)
    for minute, goes_in in passed:
        at = T0 - OFFSET + minute * MINUTE
        first, second = (1, 2) if goes_in else (2, 1)
        gateway.seal(
            [Sighting(0, at, at, CRATE, 1, -50, first), Sighting(0, at + 4000, at + 4000, CRATE, 2, -48, second)]
        )
    return gateway


def flight(gateway, lane, payload):
    return Flight(Topic("s0", gateway.name, lane), payload)


def answer(template, folder, gateways, deliveries):
    """`deliveries` are (gateway, batch number), with None where the waiting work is thought over; what then is known."""
    path = folder / "case.db"
    shutil.copy(template, path)
    store, book = open_store(f"sqlite:///{path}"), Book()
    try:
        for gateway in gateways:
            greet(store, book, gateway)
        for step in [*deliveries, None]:
            with store.write() as connection:
                if step is None:
                    recompute(connection)
                    evaluate(connection, UNTIL)
                else:
                    gateway, number = step
                    take(connection, [flight(gateway, Lane.BATCH, gateway.sent[number].data)], book, UNTIL)
        with store.read() as connection:
            return known(connection)
    finally:
        store.close()
        path.unlink()


def greet(store, book, gateway):
    with store.write() as connection:
        take(connection, [flight(gateway, Lane.HELLO, gateway.hello())], book, UNTIL)
        take(connection, [flight(gateway, Lane.POINTS, gateway.table.data)], book, UNTIL)


def known(connection):
    breaches = connection.exec_driver_sql(
        "SELECT key, onset_at, confirmed_at, ended_at, extreme, extreme_at, status FROM breach"
        " WHERE current = 1 AND status <> 'withdrawn' ORDER BY key"
    ).all()
    residences = connection.exec_driver_sql(
        "SELECT zone_id, from_at, until_at FROM residence WHERE current = 1 ORDER BY from_at, zone_id"
    ).all()
    readings = connection.exec_driver_sql(
        "SELECT series.device, gateway.name, observed_at, value FROM reading JOIN series ON series.id = series_id"
        " JOIN gateway ON gateway.id = gateway_id ORDER BY 2, 3"
    ).all()
    story = asdict(lot_story(connection, "LOT-1", UNTIL))
    return breaches, residences, readings, _without_row_ids(story)


def _without_row_ids(story):
    """Numbers that only say in which order rows were written."""
    if isinstance(story, dict):
        return {
            key: _without_row_ids(value) for key, value in story.items() if key not in {"id", "series_id", "version"}
        }
    if isinstance(story, list | tuple):
        return [_without_row_ids(value) for value in story]
    return story


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.data(), temperatures, temperatures, passages, st.integers(1, 8))
def test_in_order_shuffled_repeated_and_six_hours_late_give_the_same_answer(
    template, tmp_path_factory, data, first, second, passed, batch_size
):
    gateways = [
        probe_gateway("gw-a", first, batch_size),
        probe_gateway("gw-b", second, batch_size),
        door_gateway(passed),
    ]
    batches = [(gateway, number) for gateway in gateways for number in range(len(gateway.sent))]
    in_order = sorted(batches, key=lambda step: step[0].sent[step[1]].header.first_at)
    folder = tmp_path_factory.mktemp("case")
    expected = answer(template, folder, gateways, [step for one in in_order for step in (one, None)])

    late = data.draw(st.sampled_from(gateways), label="six hours late")
    a_gateway_late = [step for step in in_order if step[0] is not late] + [None]
    a_gateway_late += [step for step in in_order if step[0] is late]
    assert answer(template, folder, gateways, a_gateway_late) == expected

    shuffled = interleaved(data, gateways)
    assert answer(template, folder, gateways, shuffled) == expected


def interleaved(data, gateways):
    """Any interleaving that keeps each gateway's own order, with repeats, batches ahead of their turn, and thinking."""
    left = {gateway.name: list(range(len(gateway.sent))) for gateway in gateways}
    steps = []
    while any(left.values()):
        gateway = data.draw(st.sampled_from([one for one in gateways if left[one.name]]))
        what = data.draw(st.sampled_from(["next", "next", "next", "repeat", "ahead", "think"]))
        if what == "next":
            steps.append((gateway, left[gateway.name].pop(0)))
        elif what == "repeat" and left[gateway.name][0] > 0:
            steps.append((gateway, data.draw(st.integers(0, left[gateway.name][0] - 1))))
        elif what == "ahead":
            steps.append((gateway, left[gateway.name][-1]))  # beyond a hole: not taken, or simply the next
            if len(left[gateway.name]) == 1:
                left[gateway.name].clear()
        else:
            steps.append(None)
    return steps
