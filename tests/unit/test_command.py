"""The command line teaches, and takes its log options wherever they stand."""

import json
import subprocess
import sys

import pytest

from coldlink.__main__ import _parser


def leaves(parser, path=()):
    """Every command that does something, with its parser."""
    below = [action for action in parser._actions if hasattr(action, "choices") and isinstance(action.choices, dict)]
    if not below:
        yield path, parser
    for action in below:
        for name, child in action.choices.items():
            yield from leaves(child, (*path, name))


COMMANDS = dict(leaves(_parser()))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_teaches_with_an_example(path):
    text = COMMANDS[path].format_help()
    assert "example" in text
    assert "--log-format" in text


@pytest.mark.parametrize(
    "arguments", [["--log-format", "json", "edge", "check", "x"], ["edge", "check", "x", "--log-format", "json"]]
)
def test_log_options_may_stand_before_and_behind_the_command(arguments):
    assert _parser().parse_args(arguments).log_format == "json"
    assert _parser().parse_args(["edge", "check", "x"]).log_format == "text"


def test_a_settings_file_that_is_not_there_is_said_so_with_code_2(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "coldlink", "edge", "check", tmp_path / "none.yaml"], capture_output=True, text=True
    )
    assert (done.returncode, "no such file" in done.stderr) == (2, True)


def test_json_logs_are_one_object_a_line(tmp_path):
    (tmp_path / "cloud.yaml").write_text("broker: {port: 1}\nlisten: {port: 0}\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "coldlink", "cloud", "run", tmp_path / "cloud.yaml", "--log-format", "json"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = json.loads(process.stderr.readline())
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert {"time", "level", "logger", "message"} <= line.keys()
