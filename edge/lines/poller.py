"""Asks the devices of one Modbus bus in turn, each in its own period, and makes readings of whatever comes of it.

    ONLINE --2 failed cycles--> OFFLINE --a probe is answered--> ONLINE

A cycle that could not be begun in time is skipped and counted, never queued. A reading carries the boot time at which
the answer to its own request was complete. A failure is a bad reading with a reason at the point's own period; an old
value is never given again. An offline device is probed ever more rarely (0.5 s steps to 10 s), with no more than one
probe per cycle of the bus and a twentieth of its time, so that dead devices do not slow living ones.

A read of several points that the device refuses is done point by point from then on. What is refused by itself is a
fault of commissioning (wrong profile, wrong wiring): it stays bad and is asked for once an hour, or when the device
comes back.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Container, Mapping, Sequence
from typing import NamedTuple

from edge.config import Gateway, ModbusDevice, ModbusRtuBus, ModbusTcpBus, pace_of, timeout_s_of, unit_id_of
from edge.drivers.modbus import EXCEPTION_NAMES, RtuMatcher, TcpMatcher, read_request
from edge.drivers.transport import StreamSettings
from edge.errors import BadAnswer, BusError, NoAnswer, PortDown, Refused
from edge.lines.bus import ModbusBus, Port, Statistics, Unit, backoff_s
from edge.lines.identity_check import Identity, identify_request, is_telltale
from edge.lines.suspicion import ADVICE, Suspicion, suspicions
from edge.profiles.blocks import ReadBlock, split_block
from edge.profiles.decode import BlockPlan, Raws, device_plans
from edge.profiles.profile import Profile
from edge.profiles.profile_types import Identify
from wire.entries import Quality, Reading

log = logging.getLogger(__name__)

CYCLES_TO_OFFLINE = 2
RETRY_GAPS_S = (0.05, 0.2)  # against noise; silence is asked again only once, and only in its first cycle
_GATEWAY_TARGET_SILENT = 11  # Modbus exception: the TCP gateway answers for a device that does not
_NOT_THERE = (1, 2, 3)  # Modbus exceptions that asking again does not heal: function, address, value
_DIVISIBLE = (2, 3)
_REOPEN_AFTER_S = 5.0  # all devices silent for so long: the port itself is suspect
_PROBE_SHARE = 0.05  # of the line's time goes to probes while other devices live
_MISSES_TO_REST = 3  # cycles in a row in which a block failed although its device lives
_REST_REFUSED_S = 3600.0
_REST_SILENT_S = 60.0
_IDENTIFY_TRIES = 3
_SUSPECT_EVERY_S = 10.0

ReadingSink = Callable[[list[Reading]], None]


class PolledBlock:
    """One block of one device: what to send, when next, and what its last outcome was."""

    def __init__(self, plan: BlockPlan, unit_id: int) -> None:
        block = plan.block
        self.plan, self.unit_id = plan, unit_id
        self.request = read_request(unit_id, block.table.read_function, block.address, block.size)
        self.at_least_s = block.period.at_least_s
        self.due = 0.0
        self.last_at = 0
        self.is_bad = False
        self.misses = 0  # in a row, while the device lives
        self.rests_until = 0.0  # it is not asked for before, because asking does not help
        self.fault = ""  # why it rests

    def stamp(self, now_ms: int) -> int:
        """Times of a point strictly increase; two answers within one millisecond are a millisecond apart."""
        self.last_at = now_ms if now_ms > self.last_at else self.last_at + 1
        return self.last_at

    def plan_next(self, now: float, period_s: float) -> None:
        """Blocks without a rhythm of their own are due in every cycle of their device."""
        if self.at_least_s:
            self.due = now + self.at_least_s - period_s / 2

    def rest(self, now: float, failure: BusError) -> bool:
        """After several misses: leave it alone for a while. True when that begins."""
        self.misses += 1
        if self.misses < _MISSES_TO_REST:
            return False
        begins = not self.fault
        self.fault = failure.reason
        self.rests_until = now + (_REST_REFUSED_S if isinstance(failure, Refused) else _REST_SILENT_S)
        return begins

    def recover(self) -> None:
        self.misses, self.rests_until, self.fault = 0, 0.0, ""


class PolledDevice:
    """One device and where it stands. `replan` compiles a block that the profile did not foresee."""

    def __init__(
        self,
        unit: Unit,
        blocks: Sequence[PolledBlock],
        period_s: float,
        *,
        telltales: Sequence[Identify] = (),
        replan: Callable[[ReadBlock], BlockPlan] | None = None,
    ) -> None:
        self.unit, self.blocks, self.period_s = unit, list(blocks), period_s
        self._replan = replan
        self.telltales = telltales
        self.identity = Identity.UNKNOWN
        self.identify_tries = 0
        self.due = 0.0
        self.is_well = True
        self.failed_cycles = 0
        self.probes = 0
        self.probe_at = 0.0
        self.answered_at = 0.0

    @property
    def is_offline(self) -> bool:
        return self.failed_cycles >= CYCLES_TO_OFFLINE

    @property
    def is_another_model(self) -> bool:
        return self.identity is Identity.WRONG_MODEL

    @property
    def faults(self) -> list[tuple[str, str]]:
        """What asking does not help: points and reason."""
        return [(_names(block), block.fault) for block in self.blocks if block.fault]

    def to_ask(self, now: float) -> list[PolledBlock]:
        """The blocks that are due. While the device fails, another one goes first each time: one may be at fault."""
        due = [block for block in self.blocks if block.due <= now and block.rests_until <= now]
        first = self.failed_cycles % len(due) if due else 0
        return due[first:] + due[:first]

    def split(self, block: PolledBlock) -> bool:
        """Read the points of `block` one by one from now on, if they are several."""
        parts = split_block(block.plan.block)
        if self._replan is None or len(parts) < 2:
            return False
        singles = [PolledBlock(self._replan(part), block.unit_id) for part in parts]
        for single in singles:
            single.last_at, single.is_bad = block.last_at, block.is_bad
        at = self.blocks.index(block)
        self.blocks[at : at + 1] = singles
        return True


class Answer(NamedTuple):
    """What became of asking for one block, and when."""

    at: int
    payload: bytes
    failure: BusError | None

    @property
    def is_silence(self) -> bool:
        """Nothing was heard from the device itself."""
        failure = self.failure
        if isinstance(failure, Refused):
            return failure.code == _GATEWAY_TARGET_SILENT
        return failure is not None


class Poller:
    """All devices of one bus. `run` is a task; readings go to `sink` cycle by cycle, in time order for each point."""

    def __init__(
        self, bus: ModbusBus, devices: Sequence[PolledDevice], sink: ReadingSink, now_ms: Callable[[], int]
    ) -> None:
        self.bus, self.devices = bus, devices
        self._sink, self._now_ms = sink, now_ms
        self._loop = asyncio.get_running_loop()
        self._round_s = min(device.period_s for device in devices)
        self._probe_turn = 0.0
        self._suspect_at = 0.0
        self.suspicions: dict[str, Suspicion] = {}
        self._nap: asyncio.Future[None] | None = None
        self._is_stopping = False

    @property
    def statistics(self) -> dict[str, Statistics]:
        return {device.unit.name: device.unit.statistics for device in self.devices}

    async def run(self) -> None:
        """Until `stop` or cancellation: keeps the port open and the devices polled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                port = tasks.create_task(self.bus.port.run(), name=f"port {self.bus.port.name}")
                await self._poll()
                port.cancel()
        finally:
            self.bus.close()

    def stop(self) -> None:
        """End after the cycle in hand: what an instrument has answered is not thrown away."""
        self._is_stopping = True
        self._wake()

    async def _poll(self) -> None:
        await self.bus.port.tried.wait()
        start = self._loop.time()
        for number, device in enumerate(self.devices):  # spread over the period: no bursts
            device.due = start + device.period_s * number / len(self.devices)
            device.answered_at = start
        while not self._is_stopping:
            device = min(self.devices, key=_due)
            pause = device.due - self._loop.time()
            if pause > 0:
                self.bus.lend(device.due)
                await self._sleep(pause)
                continue
            await self._cycle(device)
            self._plan_next(device)
            self._look_for_trouble()

    async def _sleep(self, pause: float) -> None:
        self._nap = self._loop.create_future()
        alarm = self._loop.call_later(pause, self._wake)
        try:
            await self._nap
        finally:
            alarm.cancel()

    def _wake(self) -> None:
        if self._nap is not None and not self._nap.done():
            self._nap.set_result(None)

    def _plan_next(self, device: PolledDevice) -> None:
        """The next beat of the device's own rhythm that has not passed."""
        device.due += device.period_s
        late_s = self._loop.time() - device.due
        if late_s > 0:
            missed = math.ceil(late_s / device.period_s)
            device.unit.statistics.missed_cycles += missed
            device.due += missed * device.period_s

    # ---- one cycle of one device

    async def _cycle(self, device: PolledDevice) -> None:
        now = self._loop.time()
        if device.is_offline and not self._may_probe(device, now):
            self._deliver(self._turned_bad(device, {}, "offline", now))
            return
        was_offline = device.is_offline
        answers = await self._ask_all(device, now)
        readings = self._decoded(device, answers, now)
        silence = next((answer.failure for answer in answers.values() if answer.is_silence), None)
        if silence is None or any(not answer.is_silence for answer in answers.values()):
            if answers:
                self._note_alive(device)
                self._note_misses(device, answers, now)
                await self._identify(device)
            readings += self._resting(device, now)
        else:
            self._note_silence(device, silence)
            readings += self._turned_bad(device, answers, silence.reason, now)
        if was_offline or device.is_offline:
            self._ration_probes(self._loop.time() - now)
        self._deliver(_doubted(readings) if device.is_another_model else readings)

    async def _ask_all(self, device: PolledDevice, now: float) -> dict[PolledBlock, Answer]:
        """Asks for one block after the other; who is silent at the first is not asked for the others."""
        answers: dict[PolledBlock, Answer] = {}
        for block in device.to_ask(now):
            try:
                payload, failure = await self._ask(device, block), None
            except BusError as error:
                payload, failure = b"", error
            answers[block] = answer = Answer(block.stamp(self._now_ms()), payload, failure)
            if answer.is_silence and len(answers) == 1:
                break
        return answers

    async def _ask(self, device: PolledDevice, block: PolledBlock) -> bytes:
        """With retries: twice against noise, once against silence, none for what failed last time as well."""
        retries = 0
        while True:
            try:
                return await self.bus.ask(block.request, device.unit)
            except (NoAnswer, BadAnswer) as error:
                most = len(RETRY_GAPS_S) if isinstance(error, BadAnswer) else 1
                if block.is_bad or retries >= most:
                    raise
                device.unit.statistics.retries += 1
                await asyncio.sleep(RETRY_GAPS_S[retries])
                retries += 1

    def _decoded(self, device: PolledDevice, answers: dict[PolledBlock, Answer], now: float) -> list[Reading]:
        """In the order of the plan, whatever was asked first: points lean on points of earlier blocks."""
        readings: list[Reading] = []
        raws: Raws = {}
        for block in device.blocks:
            answer = answers.get(block)
            if answer is None:
                continue
            if answer.failure is None:
                readings += block.plan.decode(answer.payload, answer.at, raws)
            else:
                readings += block.plan.failed(answer.at, answer.failure.reason)
            block.is_bad = answer.failure is not None
            block.plan_next(now, device.period_s)
        return readings

    def _turned_bad(
        self, device: PolledDevice, asked: Container[PolledBlock], reason: str, now: float
    ) -> list[Reading]:
        """For a silent device: bad readings of the blocks that are due, and of those whose last reading was good."""
        readings: list[Reading] = []
        for block in device.blocks:
            if block not in asked and (block.due <= now or not block.is_bad):
                readings += block.plan.failed(block.stamp(self._now_ms()), reason)
                block.is_bad = True
                block.plan_next(now, device.period_s)
        return readings

    def _resting(self, device: PolledDevice, now: float) -> list[Reading]:
        """Blocks that asking does not help: bad at their own period."""
        readings: list[Reading] = []
        for block in device.blocks:
            if block.rests_until > now and block.due <= now:
                readings += block.plan.failed(block.stamp(self._now_ms()), block.fault)
                block.plan_next(now, device.period_s)
        return readings

    def _deliver(self, readings: list[Reading]) -> None:
        if readings:
            self._sink(readings)

    # ---- where a device stands

    def _may_probe(self, device: PolledDevice, now: float) -> bool:
        if self.bus.port.stream is None or now < device.probe_at or now < self._probe_turn:
            return False
        self._probe_turn = now + self._round_s
        return True

    def _ration_probes(self, cost_s: float) -> None:
        if any(not device.is_offline for device in self.devices):
            self._probe_turn = max(self._probe_turn, self._loop.time() + cost_s / _PROBE_SHARE)

    def _note_alive(self, device: PolledDevice) -> None:
        device.answered_at = self._loop.time()
        if device.is_well:
            return
        if device.is_offline:
            log.info("%s: online again", device.unit.name)
            device.identity, device.identify_tries = Identity.UNKNOWN, 0
            for block in device.blocks:
                block.recover()
        device.is_well, device.unit.is_given_up = True, False
        device.failed_cycles = device.probes = 0
        for block in device.blocks:  # what is read rarely is read again now
            block.due = 0.0

    def _note_misses(self, device: PolledDevice, answers: Mapping[PolledBlock, Answer], now: float) -> None:
        """What fails although the device lives: merged reads are split, single ones rest."""
        for block, (_, _, failure) in answers.items():
            if failure is None:
                if block.fault:
                    log.info("%s: %s is answered now", device.unit.name, _names(block))
                block.recover()
                continue
            if isinstance(failure, Refused) and failure.code not in _NOT_THERE:
                continue
            is_divisible = isinstance(failure, NoAnswer) and block.misses + 1 >= _MISSES_TO_REST
            is_divisible |= isinstance(failure, Refused) and failure.code in _DIVISIBLE
            if is_divisible and device.split(block):
                log.warning(
                    "%s: does not give %s in one read (%s); they are read one by one from now on",
                    device.unit.name,
                    _names(block),
                    failure.reason,
                )
            elif isinstance(failure, Refused | NoAnswer) and block.rest(now, failure):
                log.warning(
                    "%s: does not give %s (%s): check its profile and its wiring",
                    device.unit.name,
                    _names(block),
                    EXCEPTION_NAMES.get(getattr(failure, "code", 0), failure.reason),
                )

    async def _identify(self, device: PolledDevice) -> None:
        """Once after each connection. No verdict is better than a wrong one: silence and refusal prove nothing."""
        if device.identity is not Identity.UNKNOWN or not device.telltales or device.identify_tries >= _IDENTIFY_TRIES:
            return
        device.identify_tries += 1
        for telltale in device.telltales:
            try:
                payload = await self.bus.ask(identify_request(device.unit.unit_id, telltale), device.unit)
            except BusError:
                return
            if not is_telltale(telltale, payload):
                device.identity = Identity.WRONG_MODEL
                log.warning(
                    "%s: is not the model that its profile describes (%s %d says %s); its readings are uncertain",
                    device.unit.name,
                    telltale.table.value,
                    telltale.address,
                    payload.hex(),
                )
                return
        device.identity = Identity.RIGHT

    def _note_silence(self, device: PolledDevice, failure: BusError) -> None:
        device.is_well = False
        if isinstance(failure, PortDown):  # the line's fault, which the port logs once; the device is as good as before
            return
        device.failed_cycles += 1
        if not device.is_offline:
            return
        if device.failed_cycles == CYCLES_TO_OFFLINE:
            log.warning("%s: offline (%s)", device.unit.name, failure.reason)
        device.unit.is_given_up = True
        device.probe_at = self._loop.time() + backoff_s(device.probes)
        device.probes += 1
        self._suspect_port()

    def _look_for_trouble(self) -> None:
        """Says when a suspicion begins and when it ends."""
        now = self._loop.time()
        if now < self._suspect_at:
            return
        self._suspect_at = now + _SUSPECT_EVERY_S
        found = suspicions(self.statistics)
        for name in found.keys() | self.suspicions.keys():
            if found.get(name) == self.suspicions.get(name):
                continue
            if name in found:
                log.warning("%s: %s", name, ADVICE[found[name]])
            else:
                log.info("%s: no longer suspect", name)
        self.suspicions = found

    def _suspect_port(self) -> None:
        """All devices silent for a while: an adapter that was replugged can stay open and dumb."""
        now = self._loop.time()
        if all(device.is_offline and now - device.answered_at > _REOPEN_AFTER_S for device in self.devices):
            self.bus.port.lose("all devices are silent", is_suspicion=True)
            for device in self.devices:
                device.answered_at = now


def _due(device: PolledDevice) -> float:
    return device.due


def _names(block: PolledBlock) -> str:
    return ", ".join(point.key for point in block.plan.block.points)


def _doubted(readings: list[Reading]) -> list[Reading]:
    """What a device says that is not the model it should be."""
    return [
        one._replace(quality=Quality.UNCERTAIN, reason="wrong_model") if one.quality is Quality.GOOD else one
        for one in readings
    ]


# ---- from settings to pollers


def make_poller(
    settings: ModbusRtuBus | ModbusTcpBus,
    gateway: Gateway,
    index_of: Mapping[tuple[str, str], int],
    sink: ReadingSink,
    now_ms: Callable[[], int],
) -> Poller:
    """`index_of` gives the wire's index of (device id, point key)."""
    if isinstance(settings, ModbusTcpBus):
        port = Port(settings.id, StreamSettings(f"tcp://{settings.host}:{settings.port}"))
        bus = ModbusBus(port, TcpMatcher())
    else:
        port = Port(settings.id, StreamSettings(settings.port, settings.baud, settings.format))
        matcher = RtuMatcher(is_echoing=settings.echo == "strip")
        bus = ModbusBus(port, matcher, pace_of(settings), finds_echo=settings.echo == "auto")
    devices = [_polled(device, gateway.profiles[device.profile], index_of) for device in settings.devices]
    taken = {device.unit.unit_id for device in devices}
    bus.unused_unit = next(unit_id for unit_id in range(247, 0, -1) if unit_id not in taken)
    return Poller(bus, devices, sink, now_ms)


def _polled(device: ModbusDevice, profile: Profile, index_of: Mapping[tuple[str, str], int]) -> PolledDevice:
    unit_id = unit_id_of(device, profile)
    unit = Unit(device.id, unit_id, timeout_s_of(device, profile), profile.link.min_gap_ms / 1000, Statistics())
    own = {key: index for (name, key), index in index_of.items() if name == device.id}
    plans = device_plans(profile, own)
    leaned_on = {point.key for point in profile.points}
    return PolledDevice(
        unit,
        [PolledBlock(plan, unit_id) for plan in plans],
        device.period_s,
        telltales=profile.identify,
        replan=lambda block: BlockPlan(block, own, leaned_on),
    )
