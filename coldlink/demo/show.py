"""Directs the demo: sets the stage, fills in the past, waits until every instrument is live, leaves a door open."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import sys
import threading
import time
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cloud.alarms import set_alarms_since
from cloud.site import apply_site, read_site
from cloud.store import open_store
from coldlink.demo import settings
from coldlink.demo.broker import NoBroker, find_or_install
from coldlink.demo.past import seal_past
from coldlink.demo.stage import ActorLost, Stage, free_port, is_listening
from edge.config import check
from simulator import announce, history
from simulator.ancestry import Post, cut_posts
from simulator.control import ask
from simulator.plan import PlantPlan, load_plan

_DAY_MS = 86_400_000
_MARK = ".coldlink-demo"  # only a folder with this file in it is ever removed
_FRESH = timedelta(seconds=15)
_DOOR, _DOOR_OPEN_S = "kho-lanh-b", 420
_KINDS = {"air_temperature", "mass", "tag"}


@dataclass(frozen=True)
class Show:
    """What was asked for."""

    data: Path
    port: int
    days: int
    door_after_s: int


def run_show(show: Show) -> int:
    """Until Ctrl-C. 0: shown; 1: could not be shown, and why is printed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a supervisor's stop is a Ctrl-C
    try:
        broker = find_or_install()
        data = _fresh_folder(show.data)
        with Stage(data / "logs") as stage:
            _play(show, data, broker, stage)
    except KeyboardInterrupt:
        print("\nstopped", flush=True)
        return 0
    except (NoBroker, ActorLost, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _play(show: Show, data: Path, broker: str, stage: Stage) -> None:
    plan = load_plan(settings.firmware_config() / "plants" / "binh-minh.yaml")
    page_port, broker_port = free_port(show.port or 8080), free_port()
    url = f"http://127.0.0.1:{page_port}"
    if show.port and page_port != show.port:
        raise ActorLost(f"port {show.port} is taken; choose another with --port, or none for a free one")
    _say("broker and cloud")
    stage.start("broker", [broker, "-c", settings.write_broker(data / "broker" / "mosquitto.conf", broker_port)])
    stage.wait_for("broker", lambda: is_listening(broker_port), 10)
    site = settings.write_site(data / "cloud" / "site.yaml", _site_source())
    _judge_the_past_by_its_own_limits(data / "cloud" / "coldlink.db")
    cloud = settings.write_cloud(data / "cloud" / "cloud.yaml", page_port=page_port, broker_port=broker_port, site=site)
    stage.coldlink("cloud", "cloud", "run", cloud)
    _say("plant")
    stage.coldlink(
        "plant", "sim", "run", plan_path(), "--run", data / "plant", "--ledger", data / "ledger.jsonl", "--cloud", url
    )
    stage.wait_for("plant", (data / "plant" / "plant.json").exists, 30)
    endpoints = json.loads((data / "plant" / "plant.json").read_text())
    gateway_file = settings.write_gateway(
        data / "gateway" / "gateway.yaml", broker_port=broker_port, endpoints=endpoints
    )
    _past(show, plan, gateway_file)
    stage.coldlink("gateway", "edge", "run", gateway_file)
    stage.wait_for("cloud", lambda: is_listening(page_port), 60)
    _say("live readings of probes, scale and tag reader")
    stage.wait_for("live readings", lambda: _live_kinds(url) >= _KINDS, 90)
    teller = threading.Thread(target=_tell_past, args=(show, plan, url), daemon=True)
    teller.start()
    print(f"ready {url}", flush=True)
    print(f"everything is in {data}; a door is left open in {show.door_after_s} s; Ctrl-C ends all", flush=True)
    _watch(show, stage, data / "plant")


def _judge_the_past_by_its_own_limits(database: Path) -> None:
    """The past keeps the limits of the example site and alarms nobody; the shorter delays hold from now on."""
    now_ms = time.time_ns() // 1_000_000
    store = open_store(f"sqlite:///{database}")
    with store.write() as connection:
        apply_site(connection, read_site(_site_source()), now_ms)
        set_alarms_since(connection, now_ms)
    store.close()


def plan_path() -> Path:
    return settings.firmware_config() / "plants" / "binh-minh.yaml"


def _site_source() -> Path:
    return settings.firmware_config() / "sites" / "binh-minh.site.yaml"


def _past(show: Show, plan: PlantPlan, gateway_file: Path) -> None:
    until_ms = time.time_ns() // 1_000_000
    from_ms = until_ms - show.days * _DAY_MS
    shown = -1

    def progress(reached_ms: int) -> None:
        nonlocal shown
        percent = 100 * (reached_ms - from_ms) // max(1, until_ms - from_ms)
        if percent >= shown + 10:
            shown = percent
            _say(f"{show.days} days of past: {percent} %")

    if show.days > 0:
        seal_past(check(gateway_file), history.readings(plan, plan.seed, from_ms, until_ms), from_ms, progress)


def _tell_past(show: Show, plan: PlantPlan, url: str) -> None:
    """The lots of the past and where they were, told to the interface that a plant's own system would use."""
    until_ms = time.time_ns() // 1_000_000
    from_ms = until_ms - show.days * _DAY_MS
    for post in _past_posts(plan, from_ms, until_ms):
        request = urllib.request.Request(  # noqa: S310  our own loopback address
            url + post.path, json.dumps(post.body).encode(), {"Content-Type": "application/json"}, method="POST"
        )
        try:
            urllib.request.urlopen(request, timeout=10).close()  # noqa: S310
        except OSError as error:
            print(f"a lot of the past was not taken: {post.path}: {error}", file=sys.stderr, flush=True)


def _past_posts(plan: PlantPlan, from_ms: int, until_ms: int) -> Iterable[Post]:
    for lot in history.lots(plan, plan.seed, from_ms, until_ms):
        yield from announce.lot_posts(lot)
        for stop in lot.stops:
            if stop.at_ms == lot.cut_ms and stop.at_ms <= until_ms:
                yield from cut_posts(lot)
            if stop.at_ms <= until_ms:
                yield from announce.move_posts(lot, stop.zone, stop.at_ms)


def _watch(show: Show, stage: Stage, plant: Path) -> None:
    """Opens the door once, closes it again, and notices if anybody leaves the stage."""
    began = time.monotonic()
    plot = [
        (show.door_after_s, {"do": "fault", "kind": "door-open", "target": _DOOR}, f"the door of {_DOOR} is left open"),
        (show.door_after_s + _DOOR_OPEN_S, {"do": "clear", "target": _DOOR}, f"somebody closed the door of {_DOOR}"),
    ]
    while True:
        stage.check()
        if plot and time.monotonic() - began >= plot[0][0]:
            _, order, words = plot.pop(0)
            ask(plant, order)
            _say(words)
        time.sleep(0.5)


def _live_kinds(url: str) -> set[str]:
    """Quantities that the cloud has heard of within the last seconds, one of each kind of instrument."""
    try:
        with urllib.request.urlopen(f"{url}/api/v1/instruments", timeout=5) as answer:  # noqa: S310
            picture: dict[str, Any] = json.load(answer)
        with urllib.request.urlopen(f"{url}/api/v1/sightings/export", timeout=5) as answer:  # noqa: S310
            has_tags = bool(answer.readline().strip())
    except (OSError, ValueError):
        return set()
    now = datetime.fromisoformat(picture["now"])
    kinds = {
        point["quantity"]
        for gateway in picture["gateways"]
        for device in gateway["devices"]
        for point in device["points"]
        if point["latest"] and now - datetime.fromisoformat(point["latest"]["observed_at"]) < _FRESH
    }
    return kinds | {"tag"} if has_tags else kinds


def _fresh_folder(folder: Path) -> Path:
    """Emptied if it is of an earlier demo; refused if it is anything else, or if that demo still runs."""
    folder = folder.resolve()
    mark = folder / _MARK
    if folder.exists() and any(folder.iterdir()):
        if not mark.exists():
            raise ActorLost(f"{folder} is not empty and not of an earlier demo; choose another with --data")
        _hold(mark)
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    mark.touch()
    _hold(mark)
    return folder


def _hold(mark: Path) -> None:
    """The lock ends with the process, however that ends."""
    handle = os.open(mark, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise ActorLost(f"a demo runs in {mark.parent} already; end it, or choose another folder with --data") from None


def _say(text: str) -> None:
    print(f"... {text}", flush=True)
