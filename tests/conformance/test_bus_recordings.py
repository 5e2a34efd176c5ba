"""Every recorded line means today what it meant when it was recorded (`coldlink device record` makes such files)."""

import json
from pathlib import Path

import pytest

from edge.commissioning.transcript import NotATranscript, differences
from edge.profiles.profile import load_profile, profile_files

RECORDINGS = sorted((Path(__file__).parents[1] / "recordings" / "bus").glob("*.jsonl"))
PROFILES = {profile_id: load_profile(path) for profile_id, path in profile_files().items()}


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_a_recorded_line_means_what_it_meant(recording):
    assert list(differences(recording.read_text("utf-8").splitlines(), PROFILES)) == []


def test_the_recordings_hold_faults_and_not_only_fair_weather():
    text = "".join(path.read_text("utf-8") for path in RECORDINGS)
    for reason in ('"failure":"crc"', '"failure":"timeout"', "probe_fault"):
        assert reason in text


def test_a_changed_byte_or_meaning_is_noticed():
    head, *spoken = RECORDINGS[0].read_text("utf-8").splitlines()
    good = next(row for row in map(json.loads, spoken) if row.get("expect"))
    point, value = next(iter(good["expect"].items()))
    changed = {**good, "expect": {**good["expect"], point: "999"}}
    (said,) = differences([head, json.dumps(changed)], PROFILES)
    assert value in said and "999" in said


@pytest.mark.parametrize("lines", [["{}"], ["nonsense"], [b'{"transcript":1,"kind":"modbus_rtu","units":{}}', "x"]])
def test_another_file_is_told_to_be_none(lines):
    with pytest.raises(NotATranscript):
        list(differences(lines, PROFILES))
