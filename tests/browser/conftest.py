"""A real server and a real Chromium: what a person would see."""

import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from cloud.api.app import create_api
from cloud.api.context import ApiContext
from cloud.live import LiveHub, LiveValue
from cloud.store.engine import Store, open_store
from cloud.web.app import add_pages

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from small_plant import SmallPlant, binh_minh

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def now_ms() -> int:
    return int(time.time() * 1000)


@dataclass
class Site:
    """A running site; `fail` makes it stop answering, as a cut line does."""

    url: str
    hub: LiveHub
    plant: SmallPlant
    stop: Callable[[], None]

    def measure(self, zone: str, text: str, ago_ms: int = 0) -> None:
        point = f"gw-01/{zone}-probe/temperature"
        self.hub.publish_values([LiveValue(point, now_ms() - ago_ms, text, "°C", "good")])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip("NO CHROMIUM: the pages were not looked at (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path}/coldlink.db")
    yield store
    store.close()


@pytest.fixture
def site(store: Store) -> Iterator[Site]:
    plant = binh_minh(store, now_ms(), hours=36, period_ms=120_000)
    hub = LiveHub(now_ms)
    app = create_api(ApiContext(store=store, hub=hub, now_ms=now_ms))
    add_pages(app)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()

    def stop() -> None:
        server.should_exit = True
        thread.join()
        listener.close()

    yield Site(f"http://127.0.0.1:{listener.getsockname()[1]}", hub, plant, stop)
    stop()


@dataclass
class Watched:
    """A page and everything it complained about."""

    page: Page
    complaints: list[str]


@pytest.fixture
def open_page(browser: Browser, site: Site) -> Iterator[Callable[..., Watched]]:
    contexts = []

    def open_page(path: str, width: int = 1280, theme: str = "light", **options: object) -> Watched:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce", **options
        )
        contexts.append(context)
        page = context.new_page()
        complaints: list[str] = []

        def heard(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                complaints.append(message.text)

        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.goto(site.url + path)
        return Watched(page, complaints)

    yield open_page
    for context in contexts:
        context.close()
