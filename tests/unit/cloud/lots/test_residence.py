"""Where a lot was: the order of antennas gives direction, the order of arrival gives nothing."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.lots.residence import (
    SETTLE_MS,
    CarrierFacts,
    Move,
    Residence,
    Role,
    Seen,
    Span,
    Stay,
    movements,
    residences,
    track,
)

STORE, DOCK, FREEZER, PACKING = 1, 2, 3, 4
MINUTE = 60_000


def outside(at, last_at=None):
    return Seen(at, last_at or at, "door", Role.OUTSIDE, DOCK, STORE)


def inside(at, last_at=None):
    return Seen(at, last_at or at, "door", Role.INSIDE, STORE, STORE)


def scan(at, zone):
    return Move(at, is_by_hand=True, zone_id=zone)


def way(*sights, before=()):
    return track([*before, *movements(sights)])


def test_outside_then_inside_comes_in():
    assert way(outside(1000), inside(4000)) == [Stay(STORE, 4000, None)]


def test_inside_then_outside_goes_out():
    stays = way(inside(1000), outside(4000), before=[scan(0, STORE)])
    assert stays == [Stay(STORE, 0, 4000), Stay(DOCK, 4000, None)]


def test_seen_again_in_the_same_zone_changes_nothing():
    assert way(outside(0), inside(2000), *(inside(2000 + i * MINUTE) for i in range(9))) == [Stay(STORE, 2000, None)]


def test_turning_round_in_the_door_changes_nothing():
    stays = way(outside(1000), inside(3000), outside(6000), before=[scan(0, FREEZER)])
    assert stays == [Stay(FREEZER, 0, None)]


def test_overlapping_fields_of_both_antennas_are_one_passage():
    assert way(outside(1000, 5000), inside(4000, 9000)) == [Stay(STORE, 4000, None)]


def test_passing_by_outside_is_no_movement():
    assert way(outside(1000), before=[scan(0, FREEZER)]) == [Stay(FREEZER, 0, None)]


def test_seen_outside_alone_is_out_if_it_was_inside():
    assert way(outside(1000), before=[scan(0, STORE)]) == [Stay(STORE, 0, 1000), Stay(DOCK, 1000, None)]


def test_seen_inside_alone_is_inside():
    assert way(inside(1000), before=[scan(0, FREEZER)]) == [Stay(FREEZER, 0, 1000), Stay(STORE, 1000, None)]


def test_standing_at_the_door_for_hours_and_then_leaving_is_two_passages():
    hour = [inside(4000 + i * 10_000, 10_000 + i * 10_000) for i in range(360)]
    stays = way(outside(0, 3000), *hour, outside(3_604_000))
    assert stays == [Stay(STORE, 4000, 3_604_000), Stay(DOCK, 3_604_000, None)]


def test_presence_is_being_there():
    seen = Seen(1000, 9000, "gate", Role.PRESENCE, DOCK, DOCK)
    assert track(movements([seen])) == [Stay(DOCK, 1000, None)]


def test_a_persons_word_at_the_same_moment_stands():
    moves = [scan(1000, PACKING), Move(1000, is_by_hand=False, zone_id=STORE)]
    assert track(moves) == [Stay(PACKING, 1000, None)]


def test_leaving_the_site_ends_the_way():
    assert track([scan(0, STORE), scan(1000, None)]) == [Stay(STORE, 0, 1000)]


def test_a_part_in_a_carrier_goes_where_the_carrier_goes_while_it_holds_it():
    crate = CarrierFacts(7, [scan(500, FREEZER), scan(900, STORE)], [Span(300, 800)])
    assert residences([scan(0, PACKING)], [crate]) == [
        Residence(None, PACKING, 0, 300),
        Residence(7, PACKING, 300, 500),
        Residence(7, FREEZER, 500, 800),
        Residence(None, PACKING, 800, None),
    ]


def test_what_nobody_said_where_it_is_has_no_residence_until_it_is_seen():
    crate = CarrierFacts(7, movements([outside(1000), inside(2000)]), [Span(0, None)])
    assert residences([], [crate]) == [Residence(7, STORE, 2000, None)]


@st.composite
def walks(draw):
    """A crate in and out of one door, always read by both antennas, now and then again on the side where it is."""
    at, sights, stays = 0, [], []
    is_inside = draw(st.booleans())
    for _ in range(draw(st.integers(1, 8))):
        at += draw(st.integers(2 * SETTLE_MS, 20 * MINUTE))
        crossing = draw(st.integers(500, 8000))
        first, then = (inside, outside) if is_inside else (outside, inside)
        overlap = draw(st.integers(0, 400))
        sights += [first(at, at + overlap + crossing), then(at + crossing, at + crossing + 3000)]
        if draw(st.booleans()):
            sights.append(then(at + crossing + draw(st.integers(3000, SETTLE_MS))))
        at += crossing
        is_inside = not is_inside
        stays.append((at, STORE if is_inside else DOCK))
        at += SETTLE_MS
    return sights, stays


@settings(max_examples=200, deadline=None)
@given(walks(), st.randoms())
def test_a_walk_is_understood_as_it_was_whatever_the_order_of_reports(walk, random):
    sights, truth = walk
    reports = sights + random.sample(sights, len(sights) // 2)
    random.shuffle(reports)
    ends = [at for at, _ in truth[1:]] + [None]
    assert track(movements(reports)) == [Stay(zone, at, end) for (at, zone), end in zip(truth, ends, strict=True)]


moments = st.integers(0, 400).map(lambda tick: tick * 1000)
sights = st.lists(
    st.builds(lambda see, at, last: see(at, at + last), st.sampled_from([inside, outside]), moments, moments),
    max_size=12,
)
scans = st.lists(
    st.builds(scan, moments, st.sampled_from([STORE, DOCK, FREEZER, None])), max_size=6, unique_by=lambda move: move.at
)
loads = st.lists(st.tuples(moments, moments).map(sorted).map(lambda ends: Span(*ends)), max_size=2)


@settings(max_examples=200, deadline=None)
@given(scans, scans, sights, loads, st.randoms())
def test_any_order_of_facts_gives_the_same_residences(lot_moves, crate_moves, seen, spans, random):
    def understood():
        return residences(lot_moves, [CarrierFacts(7, [*crate_moves, *movements(seen)], spans)])

    before = understood()
    for facts in (lot_moves, crate_moves, seen):
        facts.extend(facts[:2])
    for facts in (lot_moves, crate_moves, seen, spans):
        random.shuffle(facts)
    assert understood() == before


@settings(max_examples=200, deadline=None)
@given(scans, scans, loads)
def test_at_every_moment_a_lot_is_where_it_was_last_said_to_be(lot_moves, crate_moves, spans):
    found = residences(lot_moves, [CarrierFacts(7, crate_moves, spans)])
    for at in range(500, 400_000, 7_000):
        is_loaded = any(span.from_at <= at < span.until_at for span in spans)
        said = [*lot_moves, *(crate_moves if is_loaded else [])]
        if len({move.at for move in said}) < len(said):
            continue
        last = max((move for move in said if move.at <= at), key=lambda move: move.at, default=None)
        here = {
            stay.zone_id
            for stay in found
            if stay.from_at <= at
            and (stay.until_at is None or at < stay.until_at)
            and (stay.carrier_id is not None) == is_loaded
        }
        assert here == ({last.zone_id} if last is not None and last.zone_id is not None else set())


@settings(max_examples=200, deadline=None)
@given(scans, sights)
def test_stays_never_overlap_and_never_repeat(said, seen):
    stays = track([*said, *movements(seen)])
    for before, after in pairwise(stays):
        assert before.from_at < before.until_at <= after.from_at
        assert before.zone_id != after.zone_id or before.until_at < after.from_at


@pytest.mark.parametrize("gap", [SETTLE_MS, SETTLE_MS + 1])
def test_the_settling_time_is_half_a_minute(gap):
    stays = way(outside(0), inside(1000), outside(1000 + gap), before=[scan(-1, FREEZER)])
    zones = [stay.zone_id for stay in stays]
    assert zones == ([FREEZER] if gap == SETTLE_MS else [FREEZER, STORE, DOCK])
