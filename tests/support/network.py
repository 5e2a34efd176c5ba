"""Two sides of a real network that can be cut, slowed and made to lose packets: namespaces, a veth pair, nftables, tbf.

    ns `site` (10.77.0.2): plant, gateway  ---- veth ----  ns `cloud` (10.77.0.1): broker, cloud

Addresses exist only inside these namespaces. Needs root, `ip`, `tc` and `nft`.
"""

import itertools
import os
import shutil
import subprocess
from contextlib import suppress

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_ENVIRONMENT = os.environ | {"PATH": _PATH, "LC_ALL": "C"}
_numbers = itertools.count()

CLOUD_ADDRESS = "10.77.0.1"
_SITE_ADDRESS = "10.77.0.2"


class NoNetwork(Exception):
    """This machine gives us no network of our own."""


class TwoSides:
    """`close` always; `site` and `cloud` are names of namespaces."""

    def __init__(self) -> None:
        """Raises NoNetwork."""
        missing = [tool for tool in ("ip", "tc", "nft") if shutil.which(tool, path=_PATH) is None]
        if os.geteuid() != 0 or missing:
            raise NoNetwork(f"namespaces need root and {', '.join(missing) or 'nothing else'}")
        stem = f"cl{os.getpid()}x{next(_numbers)}"
        self.site, self.cloud = f"{stem}s", f"{stem}c"
        try:
            self._make()
        except subprocess.CalledProcessError as error:
            self.close()
            raise NoNetwork(f"namespaces: {error.stderr.strip()}") from error

    def close(self) -> None:
        for name in (self.site, self.cloud):
            with suppress(subprocess.CalledProcessError):
                _do("ip", "netns", "del", name)

    def within(self, name: str) -> list[str]:
        return [shutil.which("ip", path=_PATH) or "ip", "netns", "exec", name]

    def cut(self) -> None:
        """Nothing passes, and nobody is told."""
        self._drop("drop")

    def drop_towards_cloud(self) -> None:
        self._inside(self.site, "nft", "add", "rule", "inet", "chaos", "out", "oifname", "wire", "drop")

    def drop_towards_site(self) -> None:
        self._inside(self.cloud, "nft", "add", "rule", "inet", "chaos", "out", "oifname", "wire", "drop")

    def lose(self, percent: int) -> None:
        self._drop("numgen", "random", "mod", "100", "<", str(percent), "drop")

    def slow_down(self, rate: str) -> None:
        """e.g. 64kbit, in each direction."""
        for name in (self.site, self.cloud):
            rule = ("root", "tbf", "rate", rate, "burst", "4kb", "latency", "1s")
            self._inside(name, "tc", "qdisc", "replace", "dev", "wire", *rule)

    def heal(self) -> None:
        for name in (self.site, self.cloud):
            self._inside(name, "nft", "flush", "chain", "inet", "chaos", "out")
            with suppress(subprocess.CalledProcessError):
                self._inside(name, "tc", "qdisc", "del", "dev", "wire", "root")

    def _make(self) -> None:
        for name in (self.site, self.cloud):
            _do("ip", "netns", "add", name)
        _do(
            "ip", "link", "add", "wire", "netns", self.site, "type", "veth", "peer", "name", "wire", "netns", self.cloud
        )
        for name, address in ((self.site, _SITE_ADDRESS), (self.cloud, CLOUD_ADDRESS)):
            self._inside(name, "ip", "address", "add", f"{address}/30", "dev", "wire")
            self._inside(name, "ip", "link", "set", "lo", "up")
            self._inside(name, "ip", "link", "set", "wire", "up")
            self._inside(name, "nft", "add", "table", "inet", "chaos")
            hook = "{ type filter hook output priority 0 ; }"
            self._inside(name, "nft", "add", "chain", "inet", "chaos", "out", hook)

    def _drop(self, *rule: str) -> None:
        for name in (self.site, self.cloud):
            self._inside(name, "nft", "add", "rule", "inet", "chaos", "out", "oifname", "wire", *rule)

    def _inside(self, name: str, *command: str) -> None:
        _do("ip", "netns", "exec", name, *command)


def _do(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, env=_ENVIRONMENT)
