"""Takes the pictures of this folder from the real thing: runs the demo, waits for its breach, opens a real browser.

    .venv/bin/python docs/screenshots/take.py

Needs mosquitto and Debian's chromium; takes about four minutes.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent
WIDTHS = (1280, 390)
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def main() -> None:
    with tempfile.TemporaryDirectory() as data:
        demo = subprocess.Popen(
            [sys.executable, "-m", "coldlink", "demo", "--data", data], stdout=subprocess.PIPE, text=True
        )
        try:
            url = _ready(demo)
            pages = _pages(url)
            with sync_playwright() as play:
                browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                for width in WIDTHS:
                    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme="light")
                    for name, path in pages.items():
                        _take(page, url + path, FOLDER / f"{name}-{width}.png")
                browser.close()
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(30)


def _ready(demo: subprocess.Popen[str]) -> str:
    assert demo.stdout is not None
    for line in demo.stdout:
        print(line, end="")
        if line.startswith("ready "):
            return line.split()[1]
    raise SystemExit("the demo did not get ready")


def _pages(url: str) -> dict[str, str]:
    """Waits for the alarm of the open door; then wall, zone, a lot that was there, and the alarm."""
    deadline = time.monotonic() + 240
    while not (alarms := _get(url, "/api/v1/alarms")["alarms"]):
        if time.monotonic() > deadline:
            raise SystemExit("no alarm came")
        time.sleep(2)
    time.sleep(20)
    zone = alarms[0]["zone"]
    lots = _get(url, f"/api/v1/zones/{zone}/series")["lots"]
    oldest = min(lots, key=lambda lot: str(lot["from_at"]))
    return {
        "wall": "/",
        "wall-en": "/?lang=en",
        "zone": f"/zones/{zone}?lang=vi",
        "zone-30d": f"/zones/{zone}?range=30d",
        "lot": f"/lots/{oldest['key']}",
        "alarm": f"/alarms?a={alarms[0]['id']}",
        "instruments": "/instruments",
    }


def _get(url: str, path: str) -> dict:  # Any JSON of our own API
    with urllib.request.urlopen(url + path, timeout=10) as answer:  # noqa: S310  our own loopback address
        return json.load(answer)


def _take(page: Page, url: str, path: Path) -> None:
    page.goto(url)
    page.wait_for_timeout(2500)  # charts draw after their data
    page.screenshot(path=path, full_page=True)
    print(path.name)


if __name__ == "__main__":
    main()
