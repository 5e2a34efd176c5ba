"""`coldlink edge plan` says before start what a line needs; `coldlink edge status` asks the agent that runs."""

import argparse
import asyncio
import json
import signal
import sys

import pytest

from edge import commands
from edge.profiles.profile import load_profile, profile_files
from tests.support.rs485_line import Make, Rs485Line, words_of

SETTINGS = """
gateway: gw-01
data_dir: {folder}/data
broker: {{host: 127.0.0.1, port: 1}}
buses:
  - id: line-1
    kind: modbus_rtu
    port: {port}
    devices:
      - {{id: kho-a, profile: generic-xy-md02, unit_id: 1, period_s: {period_s}}}
      - {{id: kho-b, profile: generic-xy-md02, unit_id: 9, period_s: {period_s}}}
"""


@pytest.fixture
def run(capsys):
    """run("plan", ...) -> (exit code, what was printed)"""

    async def command(*words: object):
        parser = argparse.ArgumentParser()
        commands.add_commands(parser.add_subparsers())
        args = parser.parse_args(["edge", *map(str, words)])
        return await asyncio.to_thread(args.run, args), capsys.readouterr()

    return command


@pytest.fixture
def settings(tmp_path):
    def write(period_s: float, port: str = "/dev/ttyS9"):
        path = tmp_path / "gw.yaml"
        path.write_text(SETTINGS.format(folder=tmp_path, period_s=period_s, port=port))
        return path

    return write


async def test_a_plan_that_fits_ends_with_0_and_one_that_does_not_with_1(run, settings):
    code, shown = await run("plan", settings(1))
    assert (code, "fits: 1 s wanted, 0.09 s needed" in shown.out) == (0, True)
    code, shown = await run("plan", settings(0.05))
    assert (code, "does not fit: 0.05 s wanted, 0.09 s needed" in shown.out) == (1, True)
    code, shown = await run("plan", settings(0.05), "--json", "--turnround-ms", "5")
    (line,) = json.loads(shown.out)
    assert (code, line["fits"], len(line["devices"])) == (1, False, 2)
    assert line["needed_s"] == pytest.approx(0.06, abs=0.001)


async def test_a_wrong_file_is_told(run, tmp_path):
    code, shown = await run("plan", tmp_path / "none.yaml")
    assert (code, "no such file" in shown.err) == (2, True)


async def test_without_an_agent_status_says_so(run, settings):
    code, shown = await run("status", settings(1))
    assert (code, "no agent answers" in shown.err) == (1, True)


async def test_status_of_a_running_agent_tells_each_device_with_its_faults(run, settings, tmp_path):
    words = words_of(load_profile(profile_files()["generic-xy-md02"]))
    line = Rs485Line([Make(1, words=words, most=2)])  # and nobody with id 9
    agent = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "coldlink", "edge", "run", settings(0.1, line.path), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(30):
            while True:
                code, shown = await run("status", tmp_path / "data", "--json")
                if code == 0 and '"offline"' in shown.out:
                    break
                await asyncio.sleep(0.1)
        (bus,) = json.loads(shown.out)["buses"]
        assert [(one["device"], one["state"]) for one in bus["devices"]] == [("kho-a", "online"), ("kho-b", "offline")]
        assert bus["devices"][1]["timeouts"] >= 2
        _, shown = await run("status", tmp_path / "gw.yaml")
        assert "kho-b" in shown.out and "offline" in shown.out and "% busy" in shown.out
    finally:
        agent.send_signal(signal.SIGTERM)
        assert await agent.wait() == 0
        line.close()
    assert not (tmp_path / "data" / "control.sock").exists()
