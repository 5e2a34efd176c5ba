"""Finds mosquitto, or installs it from the distribution where this user may."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

_POLICY = Path("/usr/sbin/policy-rc.d")  # Debian: 101 means that no service may start by itself


class NoBroker(Exception):
    """Mosquitto is not here and cannot be installed; the text says how to get it."""


def find_or_install() -> str:
    """The path of mosquitto. Raises NoBroker."""
    found = _find()
    if found is not None:
        return found
    if shutil.which("apt-get") is None:
        raise NoBroker("mosquitto (the MQTT broker) is needed; install it with this system's package manager")
    root = [] if os.geteuid() == 0 else _sudo()
    if root is None:
        raise NoBroker("mosquitto (the MQTT broker) is needed: sudo apt-get install mosquitto, then again")
    print("installing mosquitto from the distribution", flush=True)
    problem = _install(root)
    found = _find()
    if found is None:
        raise NoBroker(f"mosquitto could not be installed ({problem}); try: apt-get install mosquitto")
    return found


def _find() -> str | None:
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def _sudo() -> list[str] | None:
    sudo = shutil.which("sudo")
    if sudo is None or subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode:
        return None
    return [sudo, "-n"]


def _install(root: list[str]) -> str:
    """What went wrong, if anything. The distribution's own service is kept from starting: the demo runs its own."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    is_ours = not _POLICY.exists()
    if is_ours:
        subprocess.run([*root, "tee", str(_POLICY)], input=b"#!/bin/sh\nexit 101\n", capture_output=True, check=False)
        subprocess.run([*root, "chmod", "+x", str(_POLICY)], capture_output=True, check=False)
    try:
        for step in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", "mosquitto"]):
            done = subprocess.run([*root, "apt-get", *step], capture_output=True, env=environment, check=False)
            if done.returncode:
                return done.stderr.decode(errors="replace").strip().splitlines()[-1:][0] if done.stderr else "apt-get"
    finally:
        if is_ours:
            subprocess.run([*root, "rm", "-f", str(_POLICY)], capture_output=True, check=False)
    return "unknown reason"
