"""One serial line (a pty) with instruments that misbehave: silence, noise, spoilt and late answers, a pulled plug."""

import asyncio
import os
import termios
import tty
from collections.abc import Callable

import pytest

from edge.drivers.crc import crc_modbus
from edge.drivers.modbus import RtuMatcher, read_request, write_register_request
from edge.drivers.transport import StreamSettings
from edge.errors import BadAnswer, NoAnswer, PortDown, Refused
from edge.lines.bus import LineSettings, ModbusBus, Patience, Port, Statistics, Unit
from edge.lines.identity_check import Identity
from edge.lines.line import serial_pace
from edge.lines.poller import PolledBlock, PolledDevice, Poller
from edge.lines.suspicion import Suspicion, suspicions
from edge.profiles.blocks import ReadBlock
from edge.profiles.decode import BlockPlan, device_plans, offered_points
from edge.profiles.profile import parse_profile
from edge.profiles.profile_types import Period, Point, Table
from wire.entries import Quality

TIMEOUT_S = 0.1


def framed(body: bytes) -> bytes:
    return body + crc_modbus(body).to_bytes(2, "little")


def good(request: bytes, *values: int) -> bytes:
    words = b"".join((value & 0xFFFF).to_bytes(2) for value in values)
    return framed(request[:2] + bytes([len(words)]) + words)


Answers = list[tuple[float, bytes]]  # seconds after the request, bytes


class RtuLine:
    """Instruments on a pty: each unit id has a function request -> answers."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._master)
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self.units: dict[int, Callable[[bytes], Answers]] = {}
        self.requests: list[tuple[float, bytes]] = []
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._master, self._receive)
        self._pending: list[asyncio.TimerHandle] = []

    def _receive(self) -> None:
        request = os.read(self._master, 256)
        self.requests.append((self._loop.time(), request))
        assert len(request) == 8 and crc_modbus(request) == 0, request.hex()
        for delay, raw in self.units.get(request[0], lambda _: [])(request):
            self._pending.append(self._loop.call_later(delay, os.write, self._master, raw))

    def baud(self) -> int:
        """The speed at which the line is now spoken to, as the kernel knows it."""
        return termios.tcgetattr(self._master)[5]

    def asked(self, unit_id: int) -> list[float]:
        return [at for at, request in self.requests if request[0] == unit_id]

    def close(self) -> None:
        for timer in self._pending:
            timer.cancel()
        if self._master >= 0:
            self._loop.remove_reader(self._master)
            os.close(self._master)
            os.close(self._slave)
            self._master = -1


@pytest.fixture
async def line():
    line = RtuLine()
    yield line
    line.close()


@pytest.fixture
async def bus(line):
    port = Port("line-1", StreamSettings(line.path))
    running = asyncio.create_task(port.run())
    await port.tried.wait()
    yield ModbusBus(port, RtuMatcher(), serial_pace(115200, "8N1"))
    running.cancel()
    await asyncio.wait([running])


def unit(unit_id: int, *, timeout_s: float = TIMEOUT_S, is_given_up: bool = False) -> Unit:
    return Unit(f"unit-{unit_id}", unit_id, timeout_s, 0.0, Statistics(), is_given_up)


def now_ms() -> int:
    return int(asyncio.get_running_loop().time() * 1000)


# ---- the bus


async def test_an_answer_is_brought_back(line, bus):
    line.units[7] = lambda request: [(0, good(request, 42))]
    assert await bus.ask(read_request(7, 3, 0, 1), unit(7)) == bytes([0, 42])


async def test_an_answer_in_pieces_behind_noise_is_found(line, bus):
    line.units[7] = lambda request: [(0, b"\x00\xff"), (0.01, good(request, 42)[:3]), (0.03, good(request, 42)[3:])]
    assert await bus.ask(read_request(7, 3, 0, 1), unit(7)) == bytes([0, 42])


async def test_silence_is_a_timeout(line, bus):
    with pytest.raises(NoAnswer):
        await bus.ask(read_request(9, 3, 0, 1), unit(9))


async def test_an_exception_answer_is_told_with_its_code(line, bus):
    line.units[7] = lambda request: [(0, framed(bytes([7, 0x83, 2])))]
    with pytest.raises(Refused) as caught:
        await bus.ask(read_request(7, 3, 0, 1), unit(7))
    assert caught.value.reason == "exception_2"


async def test_a_spoilt_answer_fails_before_the_timeout_is_over(line, bus):
    line.units[7] = lambda request: [(0, good(request, 42)[:-1] + b"\x00")]
    began = asyncio.get_running_loop().time()
    with pytest.raises(BadAnswer) as caught:
        await bus.ask(read_request(7, 3, 0, 1), unit(7, timeout_s=5))
    assert caught.value.reason == "crc"
    assert asyncio.get_running_loop().time() - began < 2


async def test_an_answer_that_breaks_off_is_called_truncated(line, bus):
    line.units[7] = lambda request: [(0, good(request, 42)[:4])]
    with pytest.raises(BadAnswer) as caught:
        await bus.ask(read_request(7, 3, 0, 1), unit(7))
    assert caught.value.reason == "truncated"


async def test_late_answers_never_shift_values(line, bus):
    """The trap of Modbus RTU: no sequence numbers, and the same question asked again."""
    values = iter(range(100))
    late_s = iter([1.5 * TIMEOUT_S, 0, 1.5 * TIMEOUT_S, 0, 0])

    def slow(request: bytes) -> Answers:
        address = int.from_bytes(request[2:4])
        return [(next(late_s, 0), good(request, address + 1000 * next(values)))]

    line.units[7] = slow
    slow_unit = unit(7)
    with pytest.raises(NoAnswer):
        await bus.ask(read_request(7, 3, 10, 1), slow_unit)
    assert int.from_bytes(await bus.ask(read_request(7, 3, 10, 1), slow_unit)) == 1010
    with pytest.raises(NoAnswer):
        await bus.ask(read_request(7, 3, 20, 1), slow_unit)
    assert int.from_bytes(await bus.ask(read_request(7, 3, 20, 1), slow_unit)) == 3020
    assert int.from_bytes(await bus.ask(read_request(7, 3, 30, 1), slow_unit)) == 4030
    assert slow_unit.statistics.late_answers == 2


async def test_a_late_answer_is_not_taken_for_that_of_a_neighbour(line, bus):
    line.units[7] = lambda request: [(1.2 * TIMEOUT_S, good(request, 7))]
    line.units[8] = lambda request: [(0.5 * TIMEOUT_S, good(request, 8))]
    dead = unit(7, is_given_up=True)  # offline: the line does not rest for it
    with pytest.raises(NoAnswer):
        await bus.ask(read_request(7, 3, 0, 1), dead)
    assert await bus.ask(read_request(8, 3, 0, 1), unit(8)) == bytes([0, 8])
    assert dead.is_late  # from now on the line rests for it


async def test_a_pulled_plug_is_noticed_and_healed(tmp_path):
    stable = tmp_path / "ttyUSB"
    first = RtuLine()
    stable.symlink_to(first.path)
    port = Port("line-1", StreamSettings(str(stable)))
    running = asyncio.create_task(port.run())
    await port.tried.wait()
    bus = ModbusBus(port, RtuMatcher(), serial_pace(115200, "8N1"))
    first.units[7] = lambda request: [(0, good(request, 1))]
    assert await bus.ask(read_request(7, 3, 0, 1), unit(7)) == bytes([0, 1])

    first.close()
    with pytest.raises((PortDown, NoAnswer)):
        await bus.ask(read_request(7, 3, 0, 1), unit(7))
    second = RtuLine()
    second.units[7] = lambda request: [(0, good(request, 2))]
    stable.unlink()
    stable.symlink_to(second.path)
    async with asyncio.timeout(20):
        while port.stream is None:
            await asyncio.sleep(0.02)
    assert await bus.ask(read_request(7, 3, 0, 1), unit(7)) == bytes([0, 2])
    running.cancel()
    await asyncio.wait([running])
    second.close()


# ---- the poller

PROFILE = parse_profile("""
profile_version: 1
meta: {id: x, vendor: x, model: x, class: temperature, status: draft, sources: [{id: a, kind: own, ref: a}]}
link: {transport: modbus_rtu, timeout_ms: 100, max_read_registers: 2}
points:
  - {key: value, table: holding, address: 0, type: s16, scale: "0.1"}
  - {key: setpoint, table: holding, address: 50, type: s16, period: slow}
tests: [{response: "", expect: {}, origin: computed}]
""")


def polled(unit_id: int, period_s: float) -> PolledDevice:
    keys = [offered.key for offered in offered_points(PROFILE)]
    index_of = {key: unit_id * 10 + number for number, key in enumerate(keys)}
    blocks = [PolledBlock(plan, unit_id) for plan in device_plans(PROFILE, index_of)]
    return PolledDevice(unit(unit_id), blocks, period_s)


class Readings(list):
    """A sink that can be waited for."""

    def take(self, readings):
        self.extend(readings)

    async def until(self, condition):
        async with asyncio.timeout(30):
            while not condition(self):
                await asyncio.sleep(0.01)

    def of(self, point: int):
        return [reading for reading in self if reading.point == point]


@pytest.fixture
async def polling(bus):
    """start(*devices) -> (poller, readings)"""
    started = []

    def start(*devices: PolledDevice):
        readings = Readings()
        poller = Poller(bus, devices, readings.take, now_ms)
        started.append(asyncio.create_task(poller._poll()))
        return poller, readings

    yield start
    for task in started:
        task.cancel()
    if started:
        await asyncio.wait(started)


def counting():
    """A device whose value says how often it was read."""
    reads = iter(range(1, 10_000))
    return lambda request: [(0.002, good(request, next(reads)))]


async def test_a_dead_device_does_not_slow_its_neighbours_and_is_never_restamped(line, polling, caplog):
    period_s = 0.2
    line.units = {unit_id: counting() for unit_id in (1, 2, 3)}
    poller, readings = polling(*(polled(unit_id, period_s) for unit_id in (1, 2, 3)))
    await readings.until(lambda seen: len(seen.of(20)) >= 3)

    last_value = readings.of(20)[-1].mantissa
    del line.units[2]
    await readings.until(lambda seen: any(reading.reason == "offline" for reading in seen.of(20)))
    offline_at = now_ms()
    missed = sum(poller.statistics[f"unit-{n}"].missed_cycles for n in (1, 3))
    await readings.until(lambda _: now_ms() - offline_at > 4000)

    # Its neighbours keep their rhythm: none of their cycles is missed but for the few in which a probe took 100 ms.
    for neighbour in (10, 30):
        after = [reading for reading in readings.of(neighbour) if reading.at > offline_at]
        assert len(after) >= 0.85 * 4000 / (1000 * period_s)
        assert all(reading.quality is Quality.GOOD for reading in after)
    assert sum(poller.statistics[f"unit-{n}"].missed_cycles for n in (1, 3)) - missed <= 2

    # Its own points turn bad with a reason, carry no number, and their times go on.
    dead = [reading for reading in readings.of(20) if reading.quality is Quality.BAD]
    assert [reading.reason for reading in dead[:2]] == ["timeout"] * 2
    assert {reading.reason for reading in dead[2:]} <= {"offline", "timeout"}
    assert all(reading.mantissa is None for reading in dead)
    times = [reading.at for reading in readings.of(20)]
    assert times == sorted(set(times))
    assert [reading.mantissa for reading in readings.of(20) if reading.mantissa is not None][-1] == last_value
    assert sum("offline" in record.message for record in caplog.records) == 1  # said when it began, not while it lasts

    # What is read every ten minutes does not stay good for ten minutes either.
    assert [reading.quality for reading in readings.of(21)][-1] is Quality.BAD
    # It is probed ever more rarely: 0.5, 1.0, 1.5 ... s apart.
    probes = [at for at in line.asked(2) if at * 1000 > offline_at]
    assert 1 <= len(probes) <= 5


async def test_a_device_that_comes_back_is_read_again_wholly(line, polling):
    line.units = {1: counting(), 2: counting()}
    _, readings = polling(polled(1, 0.1), polled(2, 0.1))
    await readings.until(lambda seen: len(seen.of(21)) >= 1)
    answers = line.units.pop(2)
    await readings.until(lambda seen: any(reading.reason == "offline" for reading in seen.of(20)))
    line.units[2] = answers
    await readings.until(lambda seen: seen.of(20)[-1].quality is Quality.GOOD)
    await readings.until(lambda seen: seen.of(21)[-1].quality is Quality.GOOD)
    values = [reading.mantissa for point in (20, 21) for reading in readings.of(point) if reading.mantissa]
    assert len(values) == len(set(values))  # no value was given twice


async def test_a_spoilt_answer_is_asked_for_again_within_the_cycle(line, polling):
    count = iter(range(1, 10_000))

    def noisy(request: bytes) -> Answers:
        number = next(count)
        answer = good(request, number)
        return [(0.001, answer if number % 2 == 0 else answer[:-1] + b"\x55")]

    line.units = {1: noisy}
    poller, readings = polling(polled(1, 0.3))
    await readings.until(lambda seen: len(seen.of(10)) >= 3)
    assert all(reading.quality is Quality.GOOD for reading in readings.of(10))
    assert poller.statistics["unit-1"].retries >= 3


async def test_a_wrong_address_is_bad_with_its_exception_and_leaves_the_rest_alone(line, polling):
    def picky(request: bytes) -> Answers:
        address = int.from_bytes(request[2:4])
        return [(0, good(request, 5) if address == 0 else framed(bytes([request[0], request[1] | 0x80, 2])))]

    line.units = {1: picky}
    _, readings = polling(polled(1, 0.05))
    await readings.until(lambda seen: len(seen.of(10)) >= 5)
    assert all(reading.quality is Quality.GOOD for reading in readings.of(10))
    assert [reading.reason for reading in readings.of(11)] == ["exception_2"]


async def test_cycles_that_do_not_fit_are_skipped_and_counted(line, polling):
    line.units = {1: lambda request: [(0.05, good(request, 1))]}
    poller, readings = polling(polled(1, 0.02))
    await readings.until(lambda seen: len(seen.of(10)) >= 5)
    assert poller.statistics["unit-1"].missed_cycles >= 8
    gaps = [b.at - a.at for a, b in zip(readings.of(10), readings.of(10)[1:], strict=False)]
    assert min(gaps) >= 40  # no burst to catch up


async def test_a_port_that_goes_away_turns_all_points_bad_and_comes_back(line, bus, polling, caplog):
    line.units = {1: counting()}
    _, readings = polling(polled(1, 0.05))
    await readings.until(lambda seen: len(seen.of(10)) >= 2)
    bus.port.lose("unplugged")
    await readings.until(lambda seen: seen.of(10)[-1].reason == "port_down")
    await readings.until(lambda seen: seen.of(10)[-1].quality is Quality.GOOD)
    assert not any("offline" in record.message for record in caplog.records)


async def test_stop_lets_the_cycle_in_hand_end(line, bus):
    line.units = {1: lambda request: [(0.05, good(request, 1))]}
    readings = Readings()
    poller = Poller(bus, [polled(1, 0.06)], readings.take, now_ms)
    running = asyncio.create_task(poller._poll())
    while not line.requests:
        await asyncio.sleep(0.005)
    poller.stop()
    await running
    assert sum(reading.quality is Quality.GOOD for reading in readings) == len(line.requests)


# ---- what a line can do to us: echo, twins, borrowed turns


def echoing(line: RtuLine, delay_s: float = 0.002) -> None:
    """An adapter that hears itself: every request comes back before the answer does."""
    answers = line.units

    class Echo(dict):
        def get(self, unit_id, default=None):
            answer = answers.get(unit_id, lambda _: [])
            return lambda request: [(delay_s, request), *((delay_s * 2 + at, raw) for at, raw in answer(request))]

    line.units = Echo()


@pytest.mark.parametrize(("is_known", "finds_echo"), [(True, False), (False, True)])
async def test_the_echo_of_a_write_to_a_dead_device_is_not_its_answer(line, bus, is_known, finds_echo):
    echoing(line)
    own = ModbusBus(bus.port, RtuMatcher(is_echoing=is_known), serial_pace(115200, "8N1"), finds_echo=finds_echo)
    with pytest.raises(NoAnswer):
        await own.ask(write_register_request(7, 0x10, 5), unit(7))
    assert own.is_echoing


async def test_the_answer_behind_the_echo_is_found(line, bus):
    line.units[7] = lambda request: [(0.005, request if request[1] == 6 else good(request, 42))]
    echoing(line)
    own = ModbusBus(bus.port, RtuMatcher(), serial_pace(115200, "8N1"), finds_echo=True)
    assert await own.ask(read_request(7, 3, 0, 1), unit(7)) == bytes([0, 42])
    assert await own.ask(write_register_request(7, 0x10, 5), unit(7)) == b""


async def test_a_line_without_echo_is_seen_as_such(line, bus):
    line.units[7] = lambda request: [(0, good(request, 42))]
    own = ModbusBus(bus.port, RtuMatcher(), serial_pace(115200, "8N1"), finds_echo=True)
    assert await own.ask(read_request(7, 3, 0, 1), unit(7)) == bytes([0, 42])
    assert not own.is_echoing
    assert [request[0] for _, request in line.requests] == [247, 7]  # one question to nobody, and only once
    await own.ask(read_request(7, 3, 0, 1), unit(7))
    assert [request[0] for _, request in line.requests] == [247, 7, 7]


@pytest.mark.parametrize("second_after_s", [0, 0.0005])
async def test_a_question_answered_twice_betrays_two_devices_with_one_id(line, bus, second_after_s):
    line.units[7] = lambda request: [(0, good(request, 42)), (second_after_s, good(request, 43))]
    one = unit(7, timeout_s=0.1)
    for _ in range(5):
        await bus.ask(read_request(7, 3, 0, 1), one)
        await asyncio.sleep(0.01)
    assert one.statistics.second_answers >= 4
    assert suspicions({"a": one.statistics, "b": Statistics()}) == {"a": Suspicion.DUPLICATE_UNIT_ID}


async def test_the_commissioning_speaks_only_between_polls(line, bus):
    line.units[7] = lambda request: [(0, good(request, 1))]
    loop = asyncio.get_running_loop()
    bus.lend(loop.time())  # a poll is due at once: nothing to lend
    talking = asyncio.create_task(bus.talk(read_request(9, 3, 0, 1).rtu, Patience(0.05, 0.01)))
    for _ in range(5):
        await bus.ask(read_request(7, 3, 0, 1), unit(7))
    assert not line.asked(9)
    bus.lend(loop.time() + 10)
    assert await talking == []
    assert len(line.asked(9)) == 1


async def test_on_a_line_that_is_never_idle_the_commissioning_waits_two_seconds_at_most(line, bus):
    bus.lend(asyncio.get_running_loop().time())
    line.units[9] = lambda request: [(0.001, good(request, 1))]
    async with asyncio.timeout(5):
        heard = await bus.talk(read_request(9, 3, 0, 1).rtu, Patience(0.05, 0.01))
    assert heard[0].raw == good(read_request(9, 3, 0, 1).rtu, 1)


async def test_other_line_settings_last_for_one_exchange(line, bus):
    line.units[7] = lambda request: [(0, good(request, 1))]
    speeds = []
    line.units[9] = lambda request: speeds.append(line.baud()) or []
    await bus.talk(read_request(9, 3, 0, 1).rtu, Patience(0.02, 0.01), LineSettings(19200, "8N1"))
    line.units[7] = lambda request: speeds.append(line.baud()) or [(0, good(request, 1))]
    await bus.ask(read_request(7, 3, 0, 1), unit(7))
    assert speeds == [termios.B19200, termios.B9600]


# ---- merged reads, points that are not there, another model

MERGED = parse_profile("""
profile_version: 1
meta: {id: x, vendor: x, model: x, class: temperature, status: draft, sources: [{id: a, kind: own, ref: a}]}
link: {transport: modbus_rtu, timeout_ms: 100, max_read_registers: 8, max_hole: 8}
identify: [{table: holding, address: 100, type: u16, equals: [57]}]
points:
  - {key: first, table: holding, address: 0, type: u16}
  - {key: second, table: holding, address: 4, type: u16}
  - {key: third, table: holding, address: 6, type: u16}
tests: [{response: "", expect: {}, origin: computed}]
""")


MERGED_STATUS = ReadBlock(
    Table.HOLDING, 50, 1, Period.FAST, (Point(key="status", table=Table.HOLDING, address=50, type="u16"),)
)


def merged(unit_id: int, period_s: float) -> PolledDevice:
    own = {"first": 0, "second": 1, "third": 2}
    plans = device_plans(MERGED, own)
    return PolledDevice(
        unit(unit_id),
        [PolledBlock(plan, unit_id) for plan in plans],
        period_s,
        telltales=MERGED.identify,
        replan=lambda block: BlockPlan(block, own, set()),
    )


def knowing(registers: dict[int, int], most: int = 1):
    """A device that has these registers, gives so many at a time, and refuses the rest."""

    def answer(request: bytes) -> Answers:
        address, count = int.from_bytes(request[2:4]), int.from_bytes(request[4:6])
        wanted = range(address, address + count)
        if count > most or any(at not in registers for at in wanted):
            return [(0, framed(bytes([request[0], request[1] | 0x80, 2])))]
        return [(0, good(request, *(registers[at] for at in wanted)))]

    return answer


async def test_a_merged_read_that_is_refused_is_split_for_good(line, polling):
    line.units = {1: knowing({0: 10, 4: 20, 6: 30, 100: 57})}
    _, readings = polling(merged(1, 0.05))
    await readings.until(lambda seen: sum(one.quality is Quality.GOOD for one in seen) >= 9)
    assert {one.point: one.mantissa for one in readings if one.quality is Quality.GOOD} == {0: 10, 1: 20, 2: 30}
    sizes = [int.from_bytes(request[4:6]) for _, request in line.requests]
    assert [size for size in sizes if size > 1] == [7]  # asked once for all, and never again
    assert [one.reason for one in readings if one.quality is Quality.BAD] == ["exception_2"] * 3


async def test_a_merged_read_that_is_met_with_silence_is_split_as_well(line, polling):
    device = knowing({0: 10, 4: 20, 6: 30, 50: 5, 100: 57})
    line.units = {1: lambda request: device(request) if int.from_bytes(request[4:6]) == 1 else []}
    polled_one = merged(1, 0.05)
    polled_one.blocks.append(PolledBlock(BlockPlan(MERGED_STATUS, {"status": 3}, set()), 1))
    _, readings = polling(polled_one)
    await readings.until(lambda seen: {one.point for one in seen if one.quality is Quality.GOOD} == {0, 1, 2, 3})


async def test_a_point_that_is_not_there_is_asked_for_no_more_but_stays_bad(line, polling, caplog):
    line.units = {1: knowing({0: 10, 6: 30, 100: 57})}
    poller, readings = polling(merged(1, 0.03))
    await readings.until(lambda seen: sum(one.point == 1 for one in seen) >= 12)
    asked = [request for _, request in line.requests if int.from_bytes(request[2:4]) == 4]
    assert len(asked) == 3
    missing = [one for one in readings if one.point == 1]
    assert {one.reason for one in missing} == {"exception_2"}
    assert all(one.mantissa is None for one in missing)
    assert poller.devices[0].faults == [("second", "exception_2")]
    assert sum("does not give second" in record.message for record in caplog.records) == 1


async def test_a_device_that_is_another_model_gives_uncertain_readings(line, polling, caplog):
    line.units = {1: knowing(dict.fromkeys(range(200), 3), most=8)}
    _, readings = polling(merged(1, 0.05))
    await readings.until(lambda seen: len(seen) >= 9)
    assert {one.quality for one in readings} == {Quality.UNCERTAIN}
    assert {one.reason for one in readings} == {"wrong_model"}
    assert sum("not the model" in record.message for record in caplog.records) == 1
    assert [int.from_bytes(request[2:4]) for _, request in line.requests].count(100) == 1


async def test_the_right_model_is_recognised_once_at_connect(line, polling):
    line.units = {1: knowing({**dict.fromkeys(range(20), 3), 100: 57}, most=8)}
    poller, readings = polling(merged(1, 0.05))
    await readings.until(lambda seen: len(seen) >= 9)
    assert {one.quality for one in readings} == {Quality.GOOD}
    assert poller.devices[0].identity is Identity.RIGHT
    assert [int.from_bytes(request[2:4]) for _, request in line.requests].count(100) == 1
