"""Small worlds for property tests: limits with short delays and readings that cross them often."""

from decimal import Decimal

from hypothesis import strategies as st

from rules import Limit, LimitKind, Observation

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
