"""Small worlds for property tests: limits with short delays and readings that cross them often."""

from decimal import Decimal

from hypothesis import strategies as st

from rules import ContextKind, ContextMark, Limit, LimitKind, Observation

TICK_MS = 1000
LAST_TICK = 40

limits = st.builds(
    Limit,
    zone=st.just("kho-lanh-b"),
    key=st.just("air"),
    kind=st.sampled_from(LimitKind),
    quantity=st.just("air_temperature"),
    setpoint=st.just(Decimal("-18.0")),
    deadband=st.sampled_from([Decimal(0), Decimal("0.5")]),
    on_delay_s=st.integers(0, 6),
    off_delay_s=st.integers(0, 4),
    max_gap_s=st.integers(1, 8),
    context_delays_s=st.dictionaries(
        st.sampled_from([ContextKind.DEFROST, ContextKind.DOOR]), st.integers(0, 12), max_size=2
    ),
    degree_minutes=st.sampled_from([None, None, Decimal("0.02"), Decimal("0.1")]),
)

observations = st.lists(
    st.builds(
        Observation,
        at=st.integers(0, LAST_TICK).map(lambda tick: tick * TICK_MS),
        point=st.integers(0, 2),
        value=st.sampled_from([-21.0, -18.5, -18.3, -18.0, -17.9, -17.5, -15.0]),
    ),
    max_size=60,
)

marks = st.lists(
    st.builds(
        lambda tick, source, hold: ContextMark(
            tick * TICK_MS,
            100 + source,
            [ContextKind.DEFROST, ContextKind.DEFROST, ContextKind.DOOR, ContextKind.LOADING][source],
            (tick + hold) * TICK_MS,
        ),
        tick=st.integers(0, LAST_TICK),
        source=st.integers(0, 3),
        hold=st.sampled_from([0, 0, 2, 5, 14]),
    ),
    max_size=14,
)
"""Two sources of defrost, one of doors, and one of a kind that no limit knows."""
