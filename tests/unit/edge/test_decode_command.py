"""`coldlink device decode`: one answer per case, in order, whatever the case."""

import io
import json
import sys
from types import SimpleNamespace

import pytest

from edge.decode_command import add_commands, decode_lines, run
from edge.drivers.registry import DRIVERS

EM4100 = "0230413030313233343536374103"


def answers(*cases: object) -> list[dict[str, object]]:
    lines = [case if isinstance(case, str) else json.dumps(case) for case in cases]
    return [json.loads(answer) for answer in decode_lines(lines)]


def test_a_reading_has_exactly_the_promised_keys() -> None:
    case = {"id": "a", "driver": "mt_sics", "params": {}, "chunks": ["5320532020202020", "3130302E303020670D0A"]}
    assert answers(case) == [
        {
            "id": "a",
            "frames": [
                {
                    "type": "reading",
                    "point": None,
                    "value": "100.00",
                    "unit": "g",
                    "quality": "good",
                    "reason": None,
                    "stable": True,
                    "mode": None,
                }
            ],
            "pending": False,
        }
    ]


def test_a_tag_has_exactly_the_promised_keys() -> None:
    (answer,) = answers({"id": 1, "driver": "em4100", "chunks": [EM4100]})
    tag = {"type": "tag", "epc": None, "id": "0A00123456", "rssi_dbm": None, "antenna": None}
    assert answer == {"id": 1, "frames": [tag], "pending": False}


def test_bytes_of_an_unfinished_frame_are_pending() -> None:
    (answer,) = answers({"id": 1, "driver": "em4100", "chunks": [EM4100[:10]]})
    assert answer == {"id": 1, "frames": [], "pending": True}


def test_an_unknown_driver_is_an_error_that_lists_the_known_ones() -> None:
    (answer,) = answers({"id": "x", "driver": "dymo", "chunks": ["00"]})
    assert answer["id"] == "x"
    (frame,) = answer["frames"]
    assert frame["type"] == "error" and all(driver in frame["detail"] for driver in DRIVERS)


@pytest.mark.parametrize(
    ("line", "identity"),
    [
        ("{", None),
        ("[]", None),
        ("nonsense", None),
        ('"text"', None),
        ('{"id": 5}', 5),
        ('{"id": "h", "driver": "em4100", "chunks": ["zz"]}', "h"),
        ('{"id": "i", "driver": "em4100", "chunks": "02"}', "i"),
        ('{"id": "j", "driver": 7, "chunks": []}', "j"),
        ('{"id": "k", "driver": "em4100", "params": [], "chunks": []}', "k"),
        ('{"id": "l", "driver": "modbus_rtu", "chunks": ["00"], "request": "xyz"}', "l"),
        ('{"id": "m", "driver": "modbus_rtu", "params": {"points": 3}, "chunks": ["00"], "request": "00"}', "m"),
        ('{"id": "n", "driver": "modbus_rtu", "params": {"profile": "no-such"}, "chunks": ["00"]}', "n"),
        ('{"id": "\\ud800", "driver": "em4100", "chunks": ["0"]}', "\ud800"),
        ("[" * 100_000, None),
    ],
)
def test_one_bad_case_never_stops_the_next(line: str, identity: object) -> None:
    bad, good = answers(line, {"id": "next", "driver": "em4100", "chunks": [EM4100]})
    assert bad["id"] == identity and bad["frames"][0]["type"] == "error"
    assert good["id"] == "next" and good["frames"][0]["id"] == "0A00123456"


def test_every_driver_of_the_catalogue_is_there() -> None:
    catalogue = (
        "mt_sics toledo_continuous yaohua_a9 yaohua_command yaohua_a12e yaohua_w_line yaohua_eq and_standard st_gs "
        "weightech_wt1000 cas_22 cas_10 cas_and18 ohaus sartorius_16 em4100 wl134_fdxb m100_r200 uhfreader18 "
        "uhfreader288 thingmagic chainway llrp modbus_rtu modbus_tcp"
    )
    assert set(DRIVERS) == set(catalogue.split())


def test_the_command_reads_lines_and_writes_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = json.dumps({"id": 1, "driver": "em4100", "chunks": [EM4100]}).encode()
    stdin = SimpleNamespace(buffer=io.BytesIO(case + b"\n\n\xff\xfe\n" + case + b"\n"))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert run(SimpleNamespace()) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["id"] for one in shown] == [1, None, 1]


def test_help_teaches_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    import argparse

    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())
    with pytest.raises(SystemExit):
        parser.parse_args(["device", "decode", "--help"])
    shown = capsys.readouterr().out
    assert "coldlink device decode" in shown and "yaohua_a9" in shown
