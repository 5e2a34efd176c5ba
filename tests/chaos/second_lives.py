"""Faults 19 to 21: what was is not what comes back: other settings, an older database, an older card, the same card twice."""

import shutil
import sys
from pathlib import Path

import yaml

from tests.chaos.trial import Trial
from tests.support.running_site import RunningSite, change_yaml


def change_settings(trial: Trial) -> None:
    """Fault 19: while nobody hears the gateway, an instrument is taken out and another way of polling is set."""
    with trial.broker() as broker, trial.site(broker, counters=6) as site:
        broker.kill()
        site.pass_time(trial.times(15, 4))
        for stop in (site.end, site.kill):
            stop("gateway")
            _take_out_one(site.gateway_file)
            site.start("gateway")
            site.wait_for_a_flush()
            site.pass_time(trial.times(10, 3))
        broker.start()
        trial.recover(site)
        site.finish()
        trial.judge(site, kills=1)


def restore_cloud(trial: Trial) -> None:
    """Fault 20: the cloud comes back as it was before; the gateway's ring gives what it has forgotten."""
    backup = trial.folder / "backup"
    with trial.broker() as broker, trial.site(broker, counters=4) as site:
        for _ in range(trial.times(3, 1)):
            site.end("cloud")
            _copy_database(site.database, backup)
            site.start("cloud")
            trial.recover(site)
            site.pass_time(trial.times(15, 5))
            site.kill("cloud")
            before = site.readings_stored()
            _copy_database(backup / site.database.name, site.database.parent)
            trial.expect(site.readings_stored() < before, "the backup is not older")
            site.start("cloud")
            trial.recover(site)
            site.wait_until(lambda before=before: site.readings_stored() > before, "what was forgotten is back")
        site.finish()
        trial.judge(site)


def restore_card(trial: Trial) -> None:
    """Fault 21: a card from an image of yesterday takes no number for its own that today's card has used."""
    image = trial.folder / "image"
    with trial.broker() as broker, trial.site(broker, counters=4) as site, trial.witness(broker, site.database):
        for _ in range(trial.times(3, 1)):
            site.end("gateway")
            shutil.rmtree(image, ignore_errors=True)
            shutil.copytree(site.gateway_data, image)
            site.start("gateway")
            trial.recover(site)
            site.pass_time(trial.times(10, 4))
            site.end("gateway")
            site.start("gateway")  # delivers the last flush: what only the lost card had is lost with it
            site.wait_until(site.is_delivered, "all of it is delivered")
            epoch, _ = site.sealed()
            site.kill("gateway")
            shutil.rmtree(site.gateway_data)
            shutil.copytree(image, site.gateway_data)
            site.start("gateway")
            trial.recover(site)
            site.wait_until(lambda epoch=epoch: site.sealed()[0] != epoch, "a new epoch")
        site.finish()
        trial.judge(site)


def clone_card(trial: Trial) -> None:
    """Fault 21: two gateways with the same card, each with its own instruments; neither believes itself heard."""
    with trial.broker() as broker, trial.site(broker, counters=6) as site, trial.witness(broker, site.database):
        site.end("gateway")
        twin = trial.folder / "twin" / "gateway.yaml"
        shutil.copytree(site.gateway_data, twin.parent / "data")
        _divide(site.gateway_file, twin)
        site.start("gateway")
        site.launch("twin", [sys.executable, "-m", "coldlink", "edge", "run", twin])
        site.pass_time(trial.times(45, 15))
        site.end("twin")
        site.launch("twin", [sys.executable, "-m", "coldlink", "edge", "run", twin])
        site.end("plant")
        _deliver(site, twin)
        site.finish()
        evidence = site.ask_cloud(
            "SELECT count(*) FROM quarantine WHERE reason IN ('two_histories', 'conflict', 'chain_broken')"
        )
        trial.row.facts |= {"evidence": evidence, "may_be_quarantined": evidence}
        trial.judge(site)
        trial.expect(evidence > 0, "two gateways with one card, and nobody said so")


def _deliver(site: RunningSite, twin: Path) -> None:
    """The two push each other from the broker as long as both are there; alone each can say what it still has."""
    buffer = twin.parent / "data" / "buffer.db"
    site.pass_time(4)
    site.end("gateway")
    site.wait_until(lambda: site.is_delivered(buffer), "the twin's batches are committed", 90)
    site.end("twin")
    site.start("gateway")


def _take_out_one(path: Path) -> None:
    buses = yaml.safe_load(path.read_text())["buses"]
    tcp = next(bus for bus in buses if bus["kind"] == "modbus_tcp")
    del tcp["devices"][0]
    tcp["devices"][-1]["period_s"] = 1.0
    change_yaml(path, buses=buses)


def _divide(path: Path, twin: Path) -> None:
    """Each counter is read by one of them: two readers in one millisecond would be one reading too many."""
    settings = yaml.safe_load(path.read_text())
    tcp = next(bus for bus in settings["buses"] if bus["kind"] == "modbus_tcp")
    half = len(tcp["devices"]) // 2
    theirs = tcp | {"devices": tcp["devices"][half:]}
    ours = [bus | {"devices": bus["devices"][:half]} if bus is tcp else bus for bus in settings["buses"]]
    twin.write_text(yaml.safe_dump(settings | {"data_dir": str(twin.parent / "data"), "buses": [theirs]}))
    change_yaml(path, buses=ours)


def _copy_database(path: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for suffix in ("", "-wal", "-shm"):
        (folder / f"{path.name}{suffix}").unlink(missing_ok=True)
        source = path.with_name(f"{path.name}{suffix}")
        if source.exists():
            shutil.copy(source, folder)
