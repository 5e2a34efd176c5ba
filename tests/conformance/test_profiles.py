"""Every profile that ships: it loads, its recorded frames decode as written, and editors get a current schema.

`UPDATE_SCHEMA=1 pytest tests/conformance/test_profiles.py` writes the schema anew.
"""

import json
import os

import jsonschema
import pytest
import yaml

from edge.profiles.decode import device_plans, offered_points
from edge.profiles.golden import golden_mismatches
from edge.profiles.profile import load_profile, profile_files, profiles_dir, schema

FILES = profile_files()
SCHEMA_FILE = profiles_dir() / "profile.schema.json"


@pytest.fixture(params=sorted(FILES))
def profile(request):
    return load_profile(FILES[request.param])


def test_its_golden_frames_decode_as_written(profile):
    assert golden_mismatches(profile) == []


def test_each_of_its_measured_points_is_in_a_golden_frame(profile):
    """What no frame covers, nobody has looked at."""
    covered = {key for test in profile.tests for key in test.expect}
    measured = {point.key for point in profile.points if point.quantity not in ("health", "active_energy")}
    assert measured <= covered


def test_it_can_be_compiled_and_its_points_are_unique(profile):
    keys = [point.key for point in offered_points(profile)]
    assert len(set(keys)) == len(keys)
    if profile.is_modbus:
        plans = device_plans(profile, {key: index for index, key in enumerate(keys)})
        assert sorted(point for plan in plans for point, _ in plan.points) == list(range(len(keys)))


def test_it_keeps_the_published_schema(profile):
    raw = yaml.safe_load(FILES[profile.meta.id].read_bytes())
    jsonschema.validate(json.loads(json.dumps(raw)), schema())


def test_the_published_schema_is_current():
    text = json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_SCHEMA"):
        SCHEMA_FILE.write_text(text)
    assert SCHEMA_FILE.read_text() == text
