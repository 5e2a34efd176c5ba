"""`coldlink device ...` as an installer types it, on a line with instruments, without an agent."""

import argparse
import asyncio
import json
from pathlib import Path

import pytest

from edge import device_commands
from edge.commissioning import set_command
from edge.profiles.profile import load_profile, profile_files
from tests.support.rs485_line import Make, Parity, Rs485Line, words_of

XY = load_profile(profile_files()["generic-xy-md02"])
MB8ART = load_profile(profile_files()["comwintop-mb8art"])
SETTINGS = """
gateway: gw-01
data_dir: {folder}/none
buses:
  - id: line-1
    kind: modbus_rtu
    port: {port}
    devices:
      - {{id: kho-a, profile: generic-xy-md02, unit_id: 1, period_s: 0.1}}
      - {{id: kho-b, profile: comwintop-mb8art, unit_id: 4, period_s: 0.1}}
"""


class Renumbered(Make):
    """Takes a new id and speed at once, as an MB8ART does."""

    def answer(self, pdu: bytes) -> bytes | None:
        answer = super().answer(pdu)
        if pdu[0] == 6:
            asyncio.get_running_loop().call_later(0.01, self._move)
        return answer

    def _move(self) -> None:
        self.unit = self.words[3, 70]
        self.baud = {3: 9600, 4: 19200}[self.words[3, 71]]


@pytest.fixture
async def line(monkeypatch):
    probe = Make(1, words={**words_of(XY), (3, 0x101): 1, (3, 0x102): 9600, (3, 0x103): 0}, most=2)
    board = Renumbered(4, words={**words_of(MB8ART), (3, 70): 4, (3, 71): 3, (3, 72): 0}, most=8)
    line = Rs485Line([probe, board], Parity(monkeypatch))
    yield line
    line.close()


@pytest.fixture
def settings(tmp_path, line):
    path = tmp_path / "gw.yaml"
    path.write_text(SETTINGS.format(folder=tmp_path, port=line.path))
    return path


@pytest.fixture
def run(capsys):
    """run("scan", ...) -> (exit code, what was printed)"""

    async def command(*words: object):
        parser = argparse.ArgumentParser()
        device_commands.add_commands(parser.add_subparsers())
        args = parser.parse_args(["device", *map(str, words)])
        code = await asyncio.to_thread(args.run, args)
        return code, capsys.readouterr()

    return command


async def test_scan_shows_ids_settings_and_models(run, settings, line):
    code, shown = await run("scan", settings, "--ids", "1-5", "--only-this-setting")
    assert code == 0
    assert "2 found" in shown.out
    assert "generic-xy-md02 (likely" in shown.out
    assert "comwintop-mb8art (likely" in shown.out
    assert "asking id 1 at 9600 8N1" in shown.err
    assert 6 not in line.functions


async def test_scan_tells_programs_the_same(run, line):
    code, shown = await run("scan", "--port", line.path, "--ids", "4", "--only-this-setting", "--json")
    (one,) = json.loads(shown.out)
    assert (code, one["unit_id"], one["baud"], one["verdict"]) == (0, 4, 9600, "one_device")
    assert one["profiles"][0]["profile"] == "comwintop-mb8art"


async def test_scan_ends_with_1_when_two_share_an_id(run, line):
    line.makes.append(Make(1, words={at: word + 3 for at, word in line.makes[0].words.items()}, turnround_s=0.04))
    code, shown = await run("scan", "--port", line.path, "--ids", "1", "--only-this-setting")
    assert code == 1
    assert "disconnect half of the bus" in shown.out


async def test_probe_reads_a_device_as_its_profile_says(run, settings):
    code, shown = await run("probe", settings, "--device", "kho-a")
    assert code == 0
    assert "answered 20 of 20 times" in shown.out
    assert "-19.0" in shown.out


async def test_probe_of_nobody_says_what_to_check(run, line):
    code, shown = await run("probe", "--port", line.path, "--unit", "99")
    assert code == 1
    assert "does not answer" in shown.out


async def test_read_marks_what_looks_like_a_temperature(run, settings):
    code, shown = await run("read", settings, "--device", "kho-a", "--table", "input", "--address", "1")
    (marked,) = [row for row in shown.out.splitlines() if row.startswith("->")]
    assert (code, marked.split()) == (0, ["->", "s16", "0.1", "-19.0"])


async def test_read_of_an_address_that_is_not_there_says_so(run, settings):
    code, shown = await run("read", settings, "--device", "kho-a", "--address", "0x700")
    assert code == 1
    assert "illegal data address" in shown.out


async def test_watch_draws_a_curve_per_point(run, settings):
    code, shown = await run("watch", settings, "--device", "kho-a", "--every", "0.01", "--count", "3")
    assert code == 0
    assert [row.split()[-1] for row in shown.out.splitlines()[-2:]] == ["▅▅▅", "▅▅▅"]


async def test_set_without_an_item_shows_what_can_be_set(run, settings, line):
    code, shown = await run("set", settings, "--device", "kho-b")
    assert code == 0
    assert "address" in shown.out and "9600 (3)" in shown.out
    assert 6 not in line.functions


async def test_set_writes_with_consent_and_reads_back_at_the_new_place(run, settings, line):
    consent = ("--yes", "--i-am-alone-on-the-bus")
    code, shown = await run("set", settings, "--device", "kho-b", "--item", "address=9", *consent)
    assert (code, shown.out.splitlines()[-1]) == (0, "done: read back 9 from unit 9")
    assert line.makes[1].unit == 9
    code, shown = await run(
        "set", "--port", line.path, "--unit", "9", "--profile", "comwintop-mb8art", "--item", "baud=19200", *consent
    )
    assert (code, shown.out.splitlines()[-1]) == (0, "done: read back 19200 (4) from unit 9 at 19200 8N1")
    assert len(line.makes[1].written) == 2


@pytest.mark.parametrize(
    ("item", "flags", "code", "said"),
    [
        ("address=9", ("--yes",), 1, "no consent"),  # consent in advance says nothing about being alone
        ("address=9", (), 1, "no consent"),
        ("address=9", ("--i-am-alone-on-the-bus",), 1, "no consent"),
        ("address=1", ("--yes", "--i-am-alone-on-the-bus"), 2, "is taken"),
        ("address=248", ("--yes",), 2, "between 1 and 247"),
        ("baud=9601", ("--yes",), 2, "neither"),
        ("bauds=9600", ("--yes",), 2, "its settings: address, baud"),
        ("address", ("--yes",), 2, "KEY=VALUE"),
        ("baud=9600", (), 0, "nothing to do"),
    ],
)
async def test_set_refuses_what_is_not_wanted_by_a_person_or_cannot_be(run, settings, line, item, flags, code, said):
    done, shown = await run("set", settings, "--device", "kho-b", "--item", item, *flags)
    told = shown.out + shown.err
    if said == "neither":
        said = "is neither" if "neither" in told else "not one of"
    assert (done, said in told) == (code, True), told
    assert 6 not in line.functions


async def test_set_refuses_when_two_would_take_the_change(run, settings, line):
    line.makes.append(Make(4, words={at: word ^ 1 for at, word in line.makes[1].words.items()}, turnround_s=0.04))
    code, shown = await run(
        "set", settings, "--device", "kho-b", "--item", "address=9", "--yes", "--i-am-alone-on-the-bus"
    )
    assert code == 2
    assert "both would be changed" in shown.err
    assert 6 not in line.functions


@pytest.mark.parametrize(
    ("answers", "is_consent"),
    [
        (["alone", "yes", "Hạnh", "Dũng"], True),
        (["alone", "yes", "Hạnh", "Hạnh"], False),
        (["alone", "yes", "", "Dũng"], False),
        (["alone", "no"], False),
        (["yes"], False),
    ],
)
def test_a_dangerous_item_wants_two_persons_who_say_that_it_is_alone(answers, is_consent):
    item = MB8ART.setup[0].__class__(
        key="address", title={"en": "id"}, table="holding", address=1, type="u16", effect="reconnect",
        only_one_on_bus=True, confirm="two_persons",
    )  # fmt: skip
    said = iter(answers)
    args = argparse.Namespace(yes=False, i_am_alone_on_the_bus=False)
    assert set_command.consented(item, args, lambda _: next(said)) is is_consent


async def test_record_writes_what_goes_over_the_line_and_names_nobody(run, settings, tmp_path):
    output = tmp_path / "line.jsonl"
    code, _ = await run("record", settings, "--output", output, "--seconds", "1.5")
    assert code == 0
    head, *spoken = map(json.loads, output.read_text().splitlines())
    assert head["units"] == {"1": "generic-xy-md02", "4": "comwintop-mb8art"}
    assert {"temperature": "-19.0", "humidity": "87.0"} in [one.get("expect") for one in spoken]
    for name in ("kho-a", "kho-b", "gw-01", "line-1", str(settings), "/dev/"):
        assert name not in output.read_text()
    code, shown = await run("record", settings, "--output", output)
    assert (code, "never overwritten" in shown.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("probe",), "which line?"),
        (("probe", "--port", "/dev/none", "--host", "x"), "which line?"),
        (("probe", "FILE"), "which line?"),
        (("probe", "FILE", "--bus", "line-9"), "its lines: line-1"),
        (("probe", "FILE", "--bus", "line-1"), "which device?"),
        (("probe", "FILE", "--bus", "line-1", "--device", "kho"), "devices: kho-a, kho-b"),
        (("watch", "FILE", "--device", "kho-a", "--profile", "xyz"), "there is no profile 'xyz'"),
        (("scan", "FILE", "--ids", "one"), "such as 1-32,240"),
        (("record", "--port", "/dev/none", "--output", "x"), "must be known"),
    ],
)
async def test_a_wrong_question_is_answered_with_what_would_be_right(run, settings, words, said):
    code, shown = await run(*(settings if word == "FILE" else word for word in words))
    if words == ("probe", "FILE"):
        said = "which device?"
    assert (code, said in shown.err) == (2, True), shown.err


async def test_a_port_that_is_not_there_says_so(run):
    code, shown = await run("probe", "--port", "/dev/none", "--unit", "1")
    assert (code, "/dev/none" in shown.err) == (1, True)


async def test_profiles_are_listed_shown_and_checked(run, tmp_path):
    code, shown = await run("profiles", "list", "--class", "temperature_humidity", "--json")
    assert code == 0
    assert "generic-xy-md02" in [row["id"] for row in json.loads(shown.out)]
    code, shown = await run("profiles", "show", "generic-xy-md02")
    assert (code, "input 1" in shown.out, "address: Modbus address" in shown.out) == (0, True, True)
    code, shown = await run("profiles", "show", "generic-xy-md03")
    assert (code, "known:" in shown.err) == (2, True)
    good = profile_files()["generic-xy-md02"]
    code, shown = await run("profiles", "check", good)
    assert (code, shown.out.strip().endswith("right")) == (0, True)
    bad = tmp_path / "generic-xy-md02.yaml"
    bad.write_text(Path(good).read_text().replace('temperature: "-19.0"', 'temperature: "-18.0"'))
    code, shown = await run("profiles", "check", bad)
    assert (code, "expected" in shown.err) == (2, True)
