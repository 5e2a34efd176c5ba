"""The agent's control socket: it tells how the lines do, and lends turns without missing its own polls."""

import asyncio
import contextlib
import json
import stat

import pytest

from edge.commissioning.line import LentLine, Place, open_line
from edge.commissioning.scan import Scan, ScanPlan
from edge.config import check
from edge.drivers.modbus import read_request, write_register_request
from edge.lines.bus import LineSettings
from edge.lines.poller import make_poller
from edge.local.control import SOCKET_NAME, ControlServer, short_path
from edge.local.control_client import AgentConnection, AgentError, NoAgent
from edge.local.control_messages import TalkRequest
from edge.profiles.profile import load_profile, profile_files
from tests.support.rs485_line import Make, Rs485Line, words_of
from wire.entries import Quality

XY = load_profile(profile_files()["generic-xy-md02"])
SETTINGS = """
gateway: gw-01
data_dir: {data_dir}
buses:
  - id: line-1
    kind: modbus_rtu
    port: {port}
    devices:
      - {{id: a, profile: generic-xy-md02, unit_id: 1, period_s: 0.5}}
      - {{id: b, profile: generic-xy-md02, unit_id: 2, period_s: 0.5}}
"""


class Agent:
    """The parts of an agent that a line and its socket need."""

    def __init__(self, folder, makes) -> None:
        self.data_dir = folder / "data"
        self.data_dir.mkdir()
        self.line = Rs485Line(makes)
        (folder / "gw.yaml").write_text(SETTINGS.format(data_dir=self.data_dir, port=self.line.path))
        gateway = check(folder / "gw.yaml")
        self.readings = []
        index_of = {(point.device, point.key): index for index, point in enumerate(gateway.points())}
        loop = asyncio.get_running_loop()
        self.poller = make_poller(
            gateway.config.buses[0], gateway, index_of, self.readings.extend, lambda: int(loop.time() * 1000)
        )
        self.server = ControlServer(self.data_dir, "gw-01", [self.poller])
        self._tasks = [asyncio.create_task(self.poller.run()), asyncio.create_task(self.server.run())]

    async def ready(self):
        async with asyncio.timeout(10):
            while not (self.data_dir / SOCKET_NAME).exists() or len(self.readings) < 8:
                await asyncio.sleep(0.01)
        return self

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        self.line.close()


@pytest.fixture
async def agent(tmp_path):
    makes = [Make(unit, words=words_of(XY), most=2) for unit in (1, 2)]
    makes.append(Make(9, 19200, "8N1", words=words_of(XY), most=2))
    agent = await Agent(tmp_path, makes).ready()
    yield agent
    await agent.close()


def read(unit: int) -> str:
    return read_request(unit, 4, 1, 2).rtu.hex()


async def test_it_tells_how_every_device_does(agent):
    async with AgentConnection(agent.data_dir) as connection:
        status = await connection.status()
    (bus,) = status.buses
    assert (status.gateway, bus.bus, bus.is_open) == ("gw-01", "line-1", True)
    assert [(one.device, one.unit_id, one.state) for one in bus.devices] == [("a", 1, "online"), ("b", 2, "online")]
    assert all(one.answers and one.answer_ms > 0 and 0 < one.share < 0.5 for one in bus.devices)


async def test_only_the_owner_may_speak_to_it(agent):
    assert stat.S_IMODE((agent.data_dir / SOCKET_NAME).stat().st_mode) == 0o600


async def test_a_turn_is_lent_and_the_answer_is_as_it_was_on_the_wire(agent):
    async with AgentConnection(agent.data_dir) as connection:
        heard = await connection.talk(TalkRequest(bus="line-1", frame=read(1), wait_ms=200, quiet_ms=20, enough=9))
    assert "".join(raw for _, raw in heard.chunks).startswith("0104 04".replace(" ", ""))
    assert not heard.is_echoing


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"type": "talk", "bus": "nowhere", "frame": read(1), "wait_ms": 9, "quiet_ms": 9}, "unknown_bus"),
        (
            {
                "type": "talk",
                "bus": "line-1",
                "frame": write_register_request(1, 0x101, 5).rtu.hex(),
                "wait_ms": 9,
                "quiet_ms": 9,
            },
            "not_a_read",
        ),
        ({"type": "talk", "bus": "line-1", "frame": "xyz", "wait_ms": 9, "quiet_ms": 9}, "bad_request"),
        ({"type": "reboot"}, "bad_request"),
    ],
)
async def test_what_it_does_not_do_is_said_and_the_conversation_goes_on(agent, asked, reason):
    with short_path(agent.data_dir) as path:
        reader, writer = await asyncio.open_unix_connection(path)
    writer.write(json.dumps(asked).encode() + b'\n{"type":"status"}\n')
    assert json.loads(await reader.readline())["reason"] == reason
    assert json.loads(await reader.readline())["type"] == "status"
    writer.close()
    assert 6 not in agent.line.functions


async def test_a_listener_sees_what_goes_over_the_line(agent):
    async with AgentConnection(agent.data_dir) as connection:
        seen = []
        async for exchange in connection.tap("line-1"):
            seen.append(exchange)
            if len(seen) == 4:
                break
    assert {exchange.frame for exchange in seen} == {read(1), read(2)}
    assert all(exchange.chunks for exchange in seen)
    async with asyncio.timeout(5):
        while agent.poller.bus.tap is not None:
            await asyncio.sleep(0.01)


async def test_a_scan_on_lent_turns_finds_a_stranger_and_no_poll_is_missed(agent):
    place = Place("line-1", agent.line.path, LineSettings(9600, "8N1"))
    settings = (LineSettings(9600, "8N1"), LineSettings(19200, "8N1"))
    plan = ScanPlan(settings, first_ids=range(1, 13), other_ids=(), home=settings[0], known=frozenset({1, 2}))
    missed = sum(one.missed_cycles for one in agent.poller.statistics.values())
    seen = len(agent.readings)
    async with open_line(place, agent.data_dir) as line:
        assert isinstance(line, LentLine)
        found = await Scan(line, [XY], plan).run()
    assert [(one.unit, one.settings, one.candidates[0].profile.meta.id) for one in found] == [
        (9, settings[1], "generic-xy-md02")
    ]
    assert sum(one.missed_cycles for one in agent.poller.statistics.values()) - missed <= 1
    assert len(agent.readings) > seen + 12
    assert all(reading.quality is Quality.GOOD for reading in agent.readings[seen:])


async def test_what_a_killed_agent_left_behind_is_no_hindrance(tmp_path):
    agent = Agent(tmp_path, [])
    agent.data_dir.joinpath(SOCKET_NAME).touch()
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(NoAgent):
                async with AgentConnection(agent.data_dir) as connection:
                    assert (await connection.status()).gateway == "gw-01"
                    break
            await asyncio.sleep(0.01)
    await agent.close()
    assert not agent.data_dir.joinpath(SOCKET_NAME).exists()


async def test_a_second_agent_does_not_take_the_socket_of_the_first(agent, caplog):
    await ControlServer(agent.data_dir, "impostor", []).run()
    assert any("no control socket" in record.message for record in caplog.records)
    async with AgentConnection(agent.data_dir) as connection:
        assert (await connection.status()).gateway == "gw-01"


async def test_without_an_agent_that_is_what_one_is_told(tmp_path):
    with pytest.raises(NoAgent):
        async with AgentConnection(tmp_path):
            pass
    assert issubclass(NoAgent, AgentError)
