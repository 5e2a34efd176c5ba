"""Recorded readings give the breaches and alarms that would have been, from the command too."""

import json

import pytest

from cloud.alarms.replay import ReplayRow, ReplaySpan, replay
from cloud.site import read_site
from coldlink.__main__ import main
from rules import ContextKind

MINUTE = 60_000
T0 = 1_795_000_020_000 // MINUTE * MINUTE
SITE = """
key: small
name: {vi: Nhỏ, en: Small}
since: 2025-01-01
zones:
  - key: store
    name: {vi: Kho, en: Store}
    points:
      - {point: g/probe/t}
      - {point: g/controller/status.defrost, quantity: defrost}
    limits:
      - {key: high, kind: above, setpoint: -18, on_delay_s: 1800, context_delays_s: {defrost: 4800, maintenance: 7200}, off_delay_s: 300}
      - {key: defrost-too-long, kind: above, quantity: defrost, setpoint: "0.5", on_delay_s: 2700}
"""


@pytest.fixture
def site(tmp_path):
    (tmp_path / "site.yaml").write_text(SITE, "utf-8")
    return read_site(tmp_path / "site.yaml")


def night(defrost_minutes, warm_minutes=50, length=240):
    """A defrost at minute 60 and a spike from minute 70 on."""
    for minute in range(length):
        at = T0 + minute * MINUTE
        yield ReplayRow(at, "g/probe/t", -15.0 if 70 <= minute < 70 + warm_minutes else -20.0 - minute % 7 / 10)
        yield ReplayRow(at, "g/controller/status.defrost", float(60 <= minute < 60 + defrost_minutes))


def alarms(outcome):
    return [(alarm.key, (alarm.at - T0) // MINUTE) for alarm in outcome.alarms]


def test_a_defrost_explains_its_spike(site):
    assert alarms(replay(site, night(25))) == []
    assert alarms(replay(site, [row for row in night(25) if row.point == "g/probe/t"])) == [("high", 100)]


def test_a_heater_that_sticks_is_known_by_its_own_limit(site):
    assert alarms(replay(site, night(180, warm_minutes=170)))[:2] == [("defrost-too-long", 105), ("high", 140)]


def test_maintenance_is_a_persons_word(site):
    rows = [row for row in night(0)]  # noqa: C416  read twice
    span = ReplaySpan("store", ContextKind.MAINTENANCE, T0 + 65 * MINUTE, T0 + 150 * MINUTE)
    assert alarms(replay(site, rows)) == [("high", 100)]
    assert alarms(replay(site, rows, [span])) == []


def test_the_order_of_the_lines_does_not_matter(site):
    rows = list(night(180, warm_minutes=170))
    assert replay(site, reversed(rows)) == replay(site, rows)


def test_silence_is_an_alarm_of_its_own(site):
    rows = [row for row in night(25) if not T0 + 150 * MINUTE < row.at < T0 + 170 * MINUTE]
    assert alarms(replay(site, rows)) == [("no_data", 155)]


def test_the_command_reads_csv_and_answers_in_json(tmp_path, site, capsys):
    lines = ["time,point,value,quality"]
    lines += [f"{stamp(row.at)},{row.point},{row.value},good" for row in night(180, warm_minutes=170)]
    lines += [f"{stamp(T0)},g/probe/t,,bad"]
    (tmp_path / "readings.csv").write_text("\n".join(lines))
    (tmp_path / "said.csv").write_text(f"zone,kind,from,until\nstore,loading,{stamp(T0)},{stamp(T0 + 5)}\n")
    command = ["alarms", "replay", "--config", str(tmp_path / "site.yaml"), str(tmp_path / "readings.csv")]
    assert main([*command, "--json", "--contexts", str(tmp_path / "said.csv")]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [alarm["limit"] for alarm in answer["alarms"]] == ["defrost-too-long", "high"]
    assert answer["alarms"][0]["at"] == stamp(T0 + 105 * MINUTE)
    assert {breach["confirmed_by"] for breach in answer["breaches"]} == {"delay"}
    assert answer["distrust"][0]["reason"] == "failed"
    assert main(command) == 0
    assert "2 alarms, 2 confirmed breaches" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("time,point,value\n", "line 1: no column 'quality'"),
        ("time,point,value,quality\nnoon,p,1,good\n", "line 2: time 'noon'"),
        ("time,point,value,quality\n2026-01-01,p,warm,good\n", "line 2: value 'warm'"),
        ("time,point,value,quality\n2026-01-01,p,1,fine\n", "line 2: quality 'fine'"),
        ("time,point,value,quality\n2026-01-01,p\n", "line 2: too few columns"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_its_line(tmp_path, site, capsys, text, said):
    (tmp_path / "readings.csv").write_text(text)
    assert main(["alarms", "replay", "--config", str(tmp_path / "site.yaml"), str(tmp_path / "readings.csv")]) == 2
    assert said in capsys.readouterr().err


def stamp(at):
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
