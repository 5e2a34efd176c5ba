"""A scan finds every instrument at whatever settings it speaks, says which id two of them share, and only asks."""

import time

import pytest

from edge.commissioning.line import Place, WriteRefused, own_line
from edge.commissioning.scan import Scan, ScanPlan, settings_to_try
from edge.commissioning.twins import Verdict
from edge.drivers.modbus import write_register_request
from edge.lines.bus import LineSettings, Patience
from edge.profiles.profile import load_profile, profile_files
from tests.support.rs485_line import Make, Parity, Rs485Line, words_of

PROFILES = {profile_id: load_profile(path) for profile_id, path in profile_files().items()}
READS = {1, 2, 3, 4, 17, 43}
HOME = LineSettings(9600, "8N1")


def make(profile_id: str, unit: int, baud: int, form: str, **more) -> Make:
    profile = PROFILES[profile_id]
    return Make(unit, baud, form, words_of(profile), most=profile.link.max_read_registers, **more)


@pytest.fixture
async def scanned(monkeypatch):
    """scan(makes, plan) -> (found, line)"""
    lines = []

    async def scan(makes: list[Make], plan: ScanPlan):
        line = Rs485Line(makes, Parity(monkeypatch))
        lines.append(line)
        async with own_line(Place("line", line.path, HOME)) as own:
            return await Scan(own, list(PROFILES.values()), plan).run(), line

    yield scan
    for line in lines:
        line.close()


def quick(*ids: int, settings=(HOME,)) -> ScanPlan:
    return ScanPlan(settings, first_ids=ids, other_ids=())


async def test_a_device_is_found_where_it_speaks_and_nowhere_else(scanned):
    makes = [make("generic-xy-md02", 3, 19200, "8E1"), make("comwintop-mb8art", 4, 9600, "8N1")]
    found, line = await scanned(makes, quick(*range(1, 6), settings=settings_to_try(HOME, (9600, 19200))))
    assert [(one.unit, str(one.settings)) for one in found] == [(4, "9600 8N1"), (3, "19200 8E1")]
    assert line.functions <= READS
    assert all(one.verdict is Verdict.ONE_DEVICE for one in found)


async def test_a_telltale_register_makes_the_model_sure(scanned):
    found, _ = await scanned([make("comwintop-mb8art", 4, 9600, "8N1")], quick(4))
    best = found[0].candidates[0]
    assert best.profile.meta.id == "comwintop-mb8art"
    assert best.confidence > 0.9
    assert ("temperature_1", "-18.4 degC") in best.values


async def test_a_slow_device_is_recognised_by_its_late_answer(scanned):
    slow = make("generic-xy-md02", 2, 9600, "8N1", turnround_s=0.15)
    found, _ = await scanned([slow], quick(*range(1, 12)))
    assert [one.unit for one in found] == [2]


@pytest.mark.parametrize("second_s", [0.003, 0.03])
async def test_two_devices_on_one_id_are_reported(scanned, second_s):
    other = make("generic-xy-md02", 5, 9600, "8N1", turnround_s=second_s)
    other.words = {at: word + 7 for at, word in other.words.items()}
    found, _ = await scanned([make("generic-xy-md02", 5, 9600, "8N1"), other], quick(4, 5, 6))
    assert [(one.unit, one.verdict) for one in found] == [(5, Verdict.DUPLICATE_UNIT_ID)]


async def test_what_a_device_says_of_itself_is_shown_and_counts(scanned):
    words = {"server_id": b"\x05\xffDIXELL", "identification": (b"Dixell", b"XR60CX", b"2.1")}
    talker = make("generic-xy-md02", 5, 9600, "8N1", **words)
    found, _ = await scanned([talker], quick(5))
    assert found[0].described.product == "XR60CX"
    assert "DIXELL" in found[0].described.server_id


async def test_ids_that_the_agent_knows_are_left_alone(scanned):
    plan = ScanPlan((HOME,), first_ids=(1, 2), other_ids=(), home=HOME, known=frozenset({1}))
    found, line = await scanned(
        [make("generic-xy-md02", 1, 9600, "8N1"), make("generic-xy-md02", 2, 9600, "8N1")], plan
    )
    assert [one.unit for one in found] == [2]
    assert 1 not in {frame[0] for _, frame in line.requests}


async def test_a_line_that_may_not_write_refuses_to(monkeypatch):
    line = Rs485Line([], Parity(monkeypatch))
    async with own_line(Place("line", line.path, HOME)) as own:
        with pytest.raises(WriteRefused):
            await own.talk(write_register_request(1, 0, 1).rtu, Patience(0.01, 0.01))
        assert 6 not in line.functions
    line.close()


TWELVE = (
    ("generic-xy-md02", 1, 9600, "8N1"),
    ("renke-rs-ws-n01", 2, 9600, "8N1"),
    ("comwintop-mb8art", 7, 19200, "8E1"),
    ("eletechsup-r4dcb08", 9, 19200, "8N1"),
    ("dixell-xr-series", 12, 9600, "8N1"),
    ("carel-ir33", 17, 19200, "8N2"),
    ("eastron-sdm120", 21, 9600, "8E1"),
    ("autonics-tk4", 28, 9600, "8N2"),
    ("danfoss-ekc-202b", 33, 19200, "8E1"),
    ("laumas-tlb4", 60, 115200, "8N1"),
    ("vaisala-hmp110", 240, 19200, "8N2"),
    ("wellpro-wp8028adam", 100, 9600, "8N1"),
)


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_twelve_makes_at_mixed_settings_are_all_found_within_three_minutes(scanned):
    makes = [make(*row, turnround_s=0.003 + 0.004 * number) for number, row in enumerate(TWELVE)]
    twin = make("renke-rs-ws-n01", 2, 9600, "8N1", turnround_s=0.035)
    began = time.monotonic()
    found, line = await scanned([*makes, twin], ScanPlan(settings_to_try(HOME)))
    took_s = time.monotonic() - began

    assert {(one.unit, *one.settings) for one in found} == {(unit, baud, form) for _, unit, baud, form in TWELVE}
    assert len(found) == len(TWELVE)
    assert [one.unit for one in found if one.verdict is Verdict.DUPLICATE_UNIT_ID] == [2]
    assert line.functions <= READS  # not one write
    assert took_s < 180
    for one in found:
        expected = next(profile_id for profile_id, unit, *_ in TWELVE if unit == one.unit)
        guesses = [(candidate.profile.meta.id, round(candidate.confidence, 2)) for candidate in one.candidates]
        print(one.unit, expected, guesses, one.tries)
    recognised = {
        one.unit
        for one in found
        for candidate in one.candidates
        if (candidate.profile.meta.id, one.unit) in {(profile_id, unit) for profile_id, unit, *_ in TWELVE}
    }
    assert recognised >= {unit for _, unit, *_ in TWELVE}
