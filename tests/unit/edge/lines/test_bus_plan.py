"""Whether periods fit a line is said before start, with the figures an installer needs."""

import pytest

from edge.config import check
from edge.lines.bus_plan import plan_of, table

HEAD = """
gateway: gw-01
buses:
  - id: line-1
    kind: modbus_rtu
    port: /dev/ttyS9
    baud: {baud}
    devices:
"""


@pytest.fixture
def plan(tmp_path):
    def of(devices: int, period_s: float, baud: int = 9600):
        rows = "".join(
            f"      - {{id: d{n}, profile: generic-xy-md02, unit_id: {n}, period_s: {period_s}}}\n"
            for n in range(1, devices + 1)
        )
        path = tmp_path / "gw.yaml"
        path.write_text(HEAD.format(baud=baud) + rows)
        (one,) = plan_of(check(path, may_overload=True))
        return one

    return of


def test_a_read_of_two_registers_at_9600_takes_45_ms(plan):
    """The table of the practice notes: T(2, 20 ms) = 45.0 ms."""
    one = plan(1, 1.0)
    assert one.devices[0].cycle_s == pytest.approx(0.0450, abs=0.0001)
    assert one.devices[0].characters == 17
    assert one.devices[0].share == pytest.approx(0.045, abs=0.001)


def test_thirty_two_sensors_fit_ten_seconds(plan):
    one = plan(32, 10)
    assert one.fits
    assert one.needed_s == pytest.approx(1.44, abs=0.01)
    assert one.verdict == "fits: 10 s wanted, 1.4 s needed; the line is 14% busy"


def test_what_does_not_fit_is_said_with_what_would(plan):
    one = plan(32, 1)
    assert not one.fits
    assert one.verdict.startswith("does not fit: 1 s wanted, 1.4 s needed; make each period_s 1.4 times as long")


def test_a_faster_line_needs_less(plan):
    assert plan(10, 1, 19200).load < 0.75 * plan(10, 1, 9600).load


def test_the_table_has_a_row_for_each_device_and_a_sum(plan):
    rows = table(plan(3, 1))
    assert [row[0] for row in rows] == ["device", "d1", "d2", "d3", "all"]
    assert {len(row) for row in rows} == {6}
