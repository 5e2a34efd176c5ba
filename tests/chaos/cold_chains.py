"""Fault 18: a room gets too warm while the broker is dead, while the line is cut, and while nobody knows the time.

Each must alarm once, however late its readings come; the room that stayed cold must not.
"""

from simulator.control import ask
from simulator.fault_proxy import CUT, FAIR
from tests.chaos.odd_clock import OddClock
from tests.chaos.trial import Trial
from tests.support.bad_line import bad_line
from tests.support.running_site import RunningSite

_ROOMS = 4  # the last one stays cold
_WARM_S, _COLD_AGAIN_S = 20, 15


def warm_rooms(trial: Trial) -> None:
    clock = OddClock(trial.folder / "clock.json")
    clock.begin_boot(is_synchronised=True)
    with (
        trial.broker() as broker,
        bad_line(broker.port, trial.dice.getrandbits(32)) as line,
        trial.site(
            broker,
            counters=2,
            rooms=_ROOMS,
            gateway_broker=("127.0.0.1", line.port),
            launchers={"gateway": clock.launcher},
        ) as site,
    ):
        broker.kill()
        _warm(site, "kho-1")
        broker.start()
        trial.recover(site)
        line.set_weather(CUT)
        _warm(site, "kho-2")
        line.set_weather(FAIR)
        trial.recover(site)
        site.kill("gateway")
        clock.begin_boot(is_synchronised=False)
        site.start("gateway")
        _warm(site, "kho-3")
        clock.set(is_synchronised=True)
        trial.recover(site)
        site.wait_until(lambda: _alarmed(site).get("kho-3", 0) > 0, "the third alarm", 60)
        site.finish()
        trial.judge(site, kills=1)
        alarms = _alarmed(site)
    warmed = {"kho-1", "kho-2", "kho-3"}
    trial.row.alarms_missed = len(warmed - alarms.keys())
    trial.row.alarms_false = sum(count - (zone in warmed) for zone, count in alarms.items())
    trial.expect(trial.row.alarms_missed == 0, f"alarms {alarms}: one is missing")
    trial.expect(trial.row.alarms_false == 0, f"alarms {alarms}: one too many")


def _warm(site: RunningSite, zone: str) -> None:
    run_dir = site.folder / "plant"
    for kind in ("door-open", "compressor-dead"):
        ask(run_dir, {"do": "fault", "kind": kind, "target": zone})
    site.pass_time(_WARM_S)
    ask(run_dir, {"do": "clear", "target": zone})
    site.pass_time(_COLD_AGAIN_S)


def _alarmed(site: RunningSite) -> dict[str, int]:
    return dict(
        site.ask_cloud_all(
            "SELECT zone.key, count(*) FROM alarm JOIN zone ON zone.id = alarm.zone_id GROUP BY zone.key"
        )
    )
