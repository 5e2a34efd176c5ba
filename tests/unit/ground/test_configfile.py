"""A settings file is taken as it stands or refused with file, line, key, value and what would be right."""

import msgspec
import pytest

from ground.configfile import ConfigError, load, parse


class Bus(msgspec.Struct, forbid_unknown_fields=True):
    port: int
    mode: str = "fast"


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    buses: list[Bus]
    names: dict[str, Bus] = {}


def refused(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse(text, Settings, "site.yaml")
    return caught.value


def test_a_good_file_becomes_its_types():
    assert parse("buses: [{port: 0x10}]", Settings).buses == [Bus(16)]


def test_words_that_yaml_1_1_turns_into_booleans_and_numbers_stay_words():
    for word in ("off", "on", "yes", "no", "12:30", "2026-11-21"):
        assert parse(f"buses: [{{port: 1, mode: {word}}}]", Settings).buses[0].mode == word


def test_an_unknown_key_is_named_with_its_line_and_the_key_that_was_meant():
    error = refused("buses:\n  - port: 1\n    mod: fast\n")
    assert (error.key, error.line) == ("buses[0].mod", 3)
    assert "did you mean `mode`" in str(error)


def test_a_wrong_value_is_shown_with_what_would_be_right():
    error = refused("buses:\n  - {port: 1}\n  - {port: soon}\n")
    assert str(error) == "site.yaml:3: buses[1].port: 'soon' is not right; expected `int`, got `str`"


def test_a_missing_key_is_named():
    assert "`port` is missing" in str(refused("buses: [{mode: fast}]"))


def test_a_key_that_stands_twice_is_refused():
    error = refused("buses: []\nbuses: []\n")
    assert (error.problem, error.line) == ("key `buses` stands twice", 2)


@pytest.mark.parametrize("text", ["a: [", "\x00", "!!python/object:os.system {}", "- 1", "{[1]: 2}", b"\xff\xfe\xfa"])
def test_what_is_not_yaml_of_ours_is_refused_and_never_crashes(text):
    refused(text)


def test_a_missing_file_is_said_so(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        load(tmp_path / "nowhere.yaml", Settings)
