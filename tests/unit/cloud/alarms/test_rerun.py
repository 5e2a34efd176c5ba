"""Late data leads to the same breaches, and only as much is thought over as can have changed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.alarms.evaluate import stretches
from cloud.alarms.rerun import HOUR_MS, Checkpoint, rerun
from rules import Observation, WatchState
from tests.unit.rules import plain
from tests.unit.rules.test_breach import FREEZER
from tests.unit.rules.worlds import limits, marks, observations


class Books:
    """What the database keeps for one limit, in memory."""

    def __init__(self, limit):
        self.limit = limit
        self.observations = set()
        self.checkpoints = {}
        self.breaches = {}
        self.read = 0

    def add(self, batch):
        if not batch:
            return
        self.observations |= set(batch)
        from_at, until_at = min(entry.at for entry in batch), max(entry.at for entry in batch)
        start_at = max((at for at in self.checkpoints if at <= from_at), default=None)
        start = WatchState() if start_at is None else self.checkpoints[start_at]
        kept = [Checkpoint(*item) for item in self.checkpoints.items() if start_at is None or item[0] > start_at]
        outcome = rerun(self.limit, start, self._from(start_at), kept=kept, changed_until=until_at)
        self._replace(start_at, outcome)

    def _from(self, start_at):
        for entry in sorted(self.observations, key=lambda entry: entry.at):
            if start_at is None or entry.at >= start_at:
                self.read += 1
                yield entry

    def _replace(self, start_at, outcome):
        end = float("inf") if outcome.until_at is None else outcome.until_at
        begin = -1 if start_at is None else start_at
        self.checkpoints = {at: state for at, state in self.checkpoints.items() if at <= begin or at >= end}
        self.checkpoints |= dict(outcome.checkpoints)
        begin = -1 if outcome.from_at is None else outcome.from_at
        going_on = outcome.going_on.key if outcome.going_on else None
        self.breaches = {
            key: breach
            for key, breach in self.breaches.items()
            if not begin <= breach.onset_at < end or key == going_on
        }
        self.breaches |= {breach.key: breach for breach in outcome.breaches}


@settings(max_examples=100, deadline=None)
@given(limits, observations, marks, st.sampled_from([0, 7, 61]), st.integers(1, 12), st.randoms())
def test_any_order_any_batches_and_repeats_give_the_plain_answer(limit, entries, marked, spread, size, random):
    # Spread over hours, so that the checkpoints at full hours take part.
    def spread_out(at):
        return at + at // 1000 // 8 * spread * 60_000

    entries = [entry._replace(at=spread_out(entry.at)) for entry in entries]
    marked = [mark._replace(at=spread_out(mark.at), until_at=spread_out(mark.at) + mark.until_at - mark.at)
              for mark in marked if mark.kind in limit.context_delays_s]  # fmt: skip
    everything = [*entries, *marked]
    random.shuffle(everything)
    horizon = max((entry.at for entry in everything), default=0)
    deliveries = [everything[i : i + size] for i in range(0, len(everything), size)]
    deliveries += random.sample(deliveries, len(deliveries) // 2)
    random.shuffle(deliveries)
    books = Books(limit)
    for batch in deliveries:
        books.add(batch)
    expected = plain.breaches(limit, entries, horizon, marked)
    assert sorted(books.breaches.values(), key=lambda breach: breach.onset_at) == expected


def long_day(hours=24, step_ms=60_000):
    return [Observation(at, 1, -17.0 if at // HOUR_MS == 3 else -20.0) for at in range(0, hours * HOUR_MS, step_ms)]


def test_data_in_order_is_read_once():
    books = Books(FREEZER)
    day = long_day()
    for i in range(0, len(day), 5):
        books.add(day[i : i + 5])
    assert books.read < len(day) * 1.3
    assert [breach.onset_at for breach in books.breaches.values()] == [3 * HOUR_MS]


def test_one_late_reading_is_thought_over_for_an_hour_not_for_a_day():
    books = Books(FREEZER)
    day = long_day()
    books.add(day)
    before, books.read = dict(books.breaches), 0
    books.add([Observation(6 * HOUR_MS + 1, 1, -20.0)])
    assert books.read <= 70
    assert books.breaches == before


def test_late_data_can_split_a_breach():
    books = Books(FREEZER)
    books.add([Observation(at, 1, -17.0) for at in range(0, 120_001, 15_000)])
    assert len(books.breaches) == 1
    books.add([Observation(at, 1, -20.0) for at in range(31_000, 45_000, 1000)])
    assert sorted(breach.onset_at for breach in books.breaches.values()) == [0, 45_000]


def test_late_data_can_merge_breaches():
    books = Books(FREEZER)
    hot, cold = [-17.0] * 5, [-20.0] * 2
    books.add([Observation(i * 10_000, 1, value) for i, value in enumerate(hot + cold + hot)])
    assert len(books.breaches) == 2
    books.add([Observation(at, 2, -17.0) for at in range(45_000, 75_000, 5_000)])
    assert [breach.onset_at for breach in books.breaches.values()] == [0]


def test_late_data_that_fills_a_lie_withdraws_the_breach():
    books = Books(FREEZER)
    books.add([Observation(0, 1, -17.0), Observation(19_000, 1, -17.0)])
    assert [breach.confirmed_at for breach in books.breaches.values()] == [10_000]
    books.add([Observation(at, 1, -20.0) for at in range(2_000, 19_000, 1000)])
    assert list(books.breaches.values()) == []


def test_changes_near_in_time_are_thought_over_together_and_distant_ones_apart():
    dirty = [(1, 9 * HOUR_MS, 9 * HOUR_MS + 5), (2, 0, 5), (1, 0, 5), (1, 3, HOUR_MS), (1, 2 * HOUR_MS, 2 * HOUR_MS)]
    assert stretches(dirty) == [(1, 0, 2 * HOUR_MS), (1, 9 * HOUR_MS, 9 * HOUR_MS + 5), (2, 0, 5)]
