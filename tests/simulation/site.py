"""One seed, one life: a gateway (at times two from one card), a broker, an ingest, and everything that can go wrong."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from cloud.store import open_store
from tests.simulation.check import Verdict, judge
from tests.simulation.cloud import Cloud
from tests.simulation.gateway import Card, Gateway
from tests.simulation.ledger import Ledger
from tests.simulation.network import Network, Weather
from tests.simulation.world import World
from wire.messages import Ack

LIFE_MS, HEALING_MS = 60_000, 300_000
TWO_WEEKS_MS = 14 * 86_400_000
_SCRATCH = Path("/dev/shm") if Path("/dev/shm").is_dir() else None


def live(seed: int, *, is_told: bool = False) -> Verdict:
    """The whole life of a seed and the judgement on it."""
    with tempfile.TemporaryDirectory(dir=_SCRATCH) as folder:
        site = _Site(World(seed, is_told=is_told), Path(folder))
        with site.opened():
            site.live()
            return site.judge()


@cache
def _template() -> Path:
    """An empty database, migrated once for all seeds of this process."""
    folder = Path(tempfile.mkdtemp(dir=_SCRATCH))
    open_store(f"sqlite:///{folder}/cloud.db").close()
    return folder / "cloud.db"


class _Site:
    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        dice = world.dice
        self.ledger = Ledger()
        self.network = Network(world)
        self.quota_bytes = dice.choice([100 << 20, 100 << 20, 100 << 20, 24 << 10])
        self.cloud = Cloud(world, self.network, folder, _template())
        card = Card(folder / "card")
        card.folder.mkdir()
        self.gateways = [Gateway(world, self.network, self.ledger, card, self.quota_bytes)]
        self.network.to_ingest = self.cloud.take
        self.network.to_gateways = self._tell_gateways
        self.is_ring_cut = self.quota_bytes < 1 << 20
        self.is_healing, self.is_history_plain = False, True
        self.has_clock_lied = False

    @contextmanager
    def opened(self) -> Iterator[None]:
        try:
            yield
        finally:
            for gateway in self.gateways:
                gateway.kill()
            if self.cloud.is_alive:
                self.cloud.store.close()

    def live(self) -> None:
        world, dice = self.world, self.world.dice
        begin = world.now
        self.network.weather = Weather(
            lost=dice.choice([0, 0, 0.02, 0.2]),
            doubled=dice.choice([0, 0, 0.05, 0.5]),
            delay_ms=dice.choice([10, 100, 1500]),
        )
        self.gateways[0].has_clock = dice.random() < 0.7
        self.gateways[0].cut_power()
        self.gateways[0].start()
        world.after(dice.choice([0, 0, 30_000]), self.cloud.start)
        is_clock_lying = dice.random() < 0.1
        faults = _FAULTS_WITHIN_A_BOOT if is_clock_lying else _FAULTS
        if is_clock_lying:
            self.clock_lies()
        for _ in range(dice.randint(2, 9)):
            fault = dice.choice(faults)
            world.after(dice.uniform(0, LIFE_MS), lambda fault=fault: fault(self))
        world.run_until(begin + LIFE_MS)
        self._heal()

    def judge(self) -> Verdict:
        return judge(
            self.ledger, self.cloud, self.gateways, is_ring_cut=self.is_ring_cut, is_history_plain=self.is_history_plain
        )

    def _heal(self) -> None:
        world = self.world
        world.tell("--- everything gets well")
        self.is_healing = True
        self.network.weather = Weather()
        self.cloud.is_slow, self.cloud.dies_at = False, None
        self.cloud.get_well()
        for gateway in self.gateways:
            self._mend(gateway)
        self.cloud.start()
        world.run_until(world.now + (40_000 if self.has_clock_lied else 10_000))  # the agent looks every 30 s
        for gateway in self.gateways:
            gateway.is_measuring = False
        world.run_until(world.now + 6000)  # the last flush
        end = world.now + HEALING_MS
        while world.now < end and not (self.cloud.is_alive and all(gateway.is_heard for gateway in self.gateways)):
            for gateway in self.gateways:
                self._mend(gateway)
            self.cloud.get_well()
            world.run_until(world.now + 5000)
        world.run_until(world.now + 2000)

    def _mend(self, gateway: Gateway) -> None:
        gateway.has_clock = True
        gateway.synchronise()
        gateway.start()
        gateway.fill_disk(is_full=False)
        gateway.buffer.dies_before_commit = gateway.buffer.dies_after_commit = gateway.dies_before_sending = False

    def _tell_gateways(self, ack: Ack) -> None:
        for gateway in self.gateways:
            gateway.hear(ack)

    # ---- what can go wrong

    def agent_killed(self) -> None:
        gateway = self._gateway()
        gateway.kill()
        self._later(10_000, gateway.start)

    def agent_dies_before_commit(self) -> None:
        gateway = self._gateway()
        if gateway.is_alive:
            gateway.buffer.dies_before_commit = True

    def agent_dies_after_commit(self) -> None:
        gateway = self._gateway()
        if gateway.is_alive:
            gateway.buffer.dies_after_commit = True

    def agent_dies_before_sending(self) -> None:
        self._gateway().dies_before_sending = True

    def power_cut(self) -> None:
        gateway = self._gateway()
        gateway.has_clock = self.world.chance(0.6)
        gateway.cut_power(is_torn=self.world.chance(0.3))
        self._later(20_000, gateway.start)

    def line_cut(self) -> None:
        self._gateway().cut_line()

    def line_flaps(self) -> None:
        gateway = self._gateway()
        for second in range(self.world.dice.randint(2, 10)):
            self.world.after(second * 2000, gateway.cut_line)

    def broker_killed(self) -> None:
        self.network.forget()
        for gateway in self.gateways:
            gateway.cut_line()
        if self.cloud.is_alive:
            self.network.cut(self.cloud)
            self._later(5000, lambda: self.network.connect(self.cloud) if self.cloud.is_alive else None)

    def ingest_killed(self) -> None:
        self.cloud.kill()
        self._later(15_000, self.cloud.start)

    def ingest_dies_before_commit(self) -> None:
        self.cloud.dies_at = "ingest.before_commit"

    def ingest_dies_after_commit(self) -> None:
        self.cloud.dies_at = "ingest.after_commit"

    def ingest_slow(self) -> None:
        self.cloud.is_slow = True
        self._later(30_000, lambda: setattr(self.cloud, "is_slow", False))

    def disk_full(self) -> None:
        gateway = self._gateway()
        gateway.fill_disk(is_full=True)
        self._later(40_000, lambda: gateway.fill_disk(is_full=False))

    def record_spoilt(self) -> None:
        self._gateway().spoil_record()

    def clock_found(self) -> None:
        self._gateway().synchronise()

    def clock_lies(self) -> None:
        """Something sets the clock two weeks off, and the agent has been told to believe it."""
        self.has_clock_lied = True
        self._gateway().synchronise(self.world.dice.choice([-TWO_WEEKS_MS, TWO_WEEKS_MS]))

    def cloud_restored(self) -> None:
        backup = self.cloud.backup()
        self._later(40_000, lambda: self._restore(backup))

    def old_card(self) -> None:
        gateway = self._gateway()
        image = gateway.image()
        self._later(40_000, lambda: self._replace_card(gateway, image))

    def card_cloned(self) -> None:
        if len(self.gateways) > 1:
            return
        clone = Gateway(self.world, self.network, self.ledger, self.gateways[0].image(), self.quota_bytes)
        self.gateways.append(clone)
        self.is_history_plain = False
        self._later(10_000, clone.start)

    def _restore(self, backup: Path) -> None:
        self.cloud.restore(backup)
        self._later(5000, self.cloud.start)

    def _replace_card(self, gateway: Gateway, image: Card) -> None:
        gateway.replace_card(image)
        self.is_history_plain = False
        self._later(5000, gateway.start)

    def _gateway(self) -> Gateway:
        return self.world.dice.choice(self.gateways)

    def _later(self, most_ms: int, call: Callable[[], object]) -> None:
        """Once the site heals, nothing of what was still to come happens."""

        def unless_healing() -> None:
            if not self.is_healing:
                call()

        self.world.after(self.world.dice.uniform(100, most_ms), unless_healing)


_FAULTS: tuple[Callable[[_Site], None], ...] = (
    _Site.agent_killed,
    _Site.agent_dies_before_commit,
    _Site.agent_dies_after_commit,
    _Site.agent_dies_before_sending,
    _Site.power_cut,
    _Site.power_cut,
    _Site.line_cut,
    _Site.line_flaps,
    _Site.broker_killed,
    _Site.ingest_killed,
    _Site.ingest_dies_before_commit,
    _Site.ingest_dies_after_commit,
    _Site.ingest_slow,
    _Site.disk_full,
    _Site.record_spoilt,
    _Site.clock_found,
    _Site.cloud_restored,
    _Site.old_card,
    _Site.card_cloned,
)

_FAULTS_WITHIN_A_BOOT = (
    *(fault for fault in _FAULTS if fault not in {_Site.power_cut, _Site.old_card, _Site.card_cloned}),
    _Site.clock_lies,
    _Site.clock_lies,
)


def clean_up() -> None:
    shutil.rmtree(_template().parent, ignore_errors=True)
