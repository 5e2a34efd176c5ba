"""Which model fits is weighed, not guessed: what is told apart by evidence, and what honestly cannot be."""

import pytest

from edge.commissioning.asking import Outcome
from edge.commissioning.recognise import Ask, evidence, information, ranked
from edge.commissioning.self_description import SelfDescription
from edge.lines.bus import LineSettings
from edge.profiles.blocks import plan_blocks
from edge.profiles.profile import load_profile, profile_files
from tests.support.rs485_line import Make, words_of

PROFILES = {profile_id: load_profile(path) for profile_id, path in profile_files().items()}
MODBUS = [profile for profile in PROFILES.values() if profile.is_modbus]
NOWHERE = LineSettings(9600, "8N1")
NOBODY = SelfDescription()


def told_by(make: Make) -> dict[Ask, Outcome]:
    """What a device would say to every question that any profile has."""
    asks = {
        Ask(block.table.read_function, block.address, block.size)
        for profile in MODBUS
        for block in plan_blocks(profile)
    } | {Ask(one.table.read_function, one.address, 1) for profile in MODBUS for one in profile.identify}
    answers = {}
    for ask in asks:
        pdu = make.answer(bytes((ask.function,)) + ask.address.to_bytes(2) + ask.size.to_bytes(2))
        if pdu is None or pdu[0] & 0x80:
            reason = "timeout" if pdu is None else f"exception_{pdu[1]}"
            answers[ask] = Outcome(None, reason, None, False, b"")
        else:
            answers[ask] = Outcome(pdu[2:], None, 0.01, False, b"")
    return answers


def best_guesses(make: Make, described: SelfDescription = NOBODY):
    answers = told_by(make)
    return ranked([(one, evidence(one, answers, NOWHERE, described, 1)) for one in MODBUS], answers)


@pytest.mark.parametrize("profile_id", ["generic-xy-md02", "comwintop-mb8art", "autonics-tk4", "dixell-xr-series"])
def test_a_model_with_a_map_of_its_own_is_recognised(profile_id):
    profile = PROFILES[profile_id]
    guesses = best_guesses(Make(1, words=words_of(profile), most=profile.link.max_read_registers))
    assert guesses[0].profile.meta.id == profile_id
    assert guesses[0].confidence > 0.8


def test_a_device_that_answers_everything_with_zero_is_nothing_in_particular():
    zeros = {(function, at): 0 for function in (1, 2, 3, 4) for at in range(0x500)}
    assert all(one.confidence < 0.5 for one in best_guesses(Make(1, words=zeros)))


def test_a_device_that_refuses_everything_is_unknown():
    assert best_guesses(Make(1, words={(3, 0xFFF0): 1})) == []


def test_its_own_name_decides_between_models_with_one_map():
    relays = {one.profile.meta.id for one in best_guesses(Make(1, words=words_of(PROFILES["wellpro-wp8028adam"])))}
    assert len(relays) > 1
    named = SelfDescription(vendor="WELLPRO", product="WP8028ADAM")
    guesses = best_guesses(Make(1, words=words_of(PROFILES["wellpro-wp8028adam"])), named)
    assert guesses[0].profile.meta.id == "wellpro-wp8028adam"


def test_a_tight_range_says_more_than_a_wide_one():
    temperature, humidity = PROFILES["generic-xy-md02"].points
    assert information(temperature) == pytest.approx(5.4, abs=0.1)
    assert information(humidity) == pytest.approx(6.0, abs=0.1)
