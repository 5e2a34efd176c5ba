"""Who we are to the outside: GS1 keys, the address of our links, and what the public page may say. YAML, read once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import msgspec

from cloud.trace.gs1 import check_digit
from cloud.trace.keys import BadKeyError, canonical, key_of
from ground.configfile import ConfigError, load

PublicField = Literal[
    "name", "image", "producer", "address", "stages", "produced", "code", "brand", "shelf_life", "standards", "weight"
]
ELEMENTS: tuple[PublicField, ...] = (
    "name",
    "image",
    "producer",
    "address",
    "stages",
    "produced",
    "code",
    "brand",
    "shelf_life",
    "standards",
)
"""The ten elements of Circular 02/2024/TT-BKHCN, article 5, in its order."""


class Name(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    vi: str
    en: str


class Producer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name
    address: Name
    phone: str = ""  # shown in a recall


class Product(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Master data of one trade item."""

    gtin: str
    brand: Name | None = None
    image: str = ""  # a file beside these settings: .svg, .png, .jpg or .webp
    shelf_life_days: int | None = None
    storage: Name | None = None
    standards: tuple[str, ...] = ()


class TraceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All there is to set. A firm without GS1 keys leaves prefix and GLN out: its places get names of its own."""

    base_url: str = ""  # where links of ours lead, such as https://id.firm.vn; empty: where they were asked for
    company_prefix: str = ""
    gln: str = ""
    producer: Producer | None = None
    products: tuple[Product, ...] = ()
    public: tuple[PublicField, ...] = (*ELEMENTS, "weight")
    folder: str = ""  # set when read: what image names are relative to

    @property
    def prefix_digits(self) -> int | None:
        return len(self.company_prefix) or None

    def product(self, gtin: str) -> Product | None:
        return next((each for each in self.products if each.gtin.zfill(14) == gtin.zfill(14)), None)

    def place(self, zone: str) -> str:
        """The identifier of a zone in events."""
        if self.gln and len(zone) <= 20:
            return canonical(f"https://id.gs1.org/414/{self.gln}/254/{zone}")
        return f"{self.base_url}/obj/zone/{zone}" if self.base_url else f"urn:coldlink:zone:{zone}"

    def zone_of(self, place: str, zones: Sequence[str]) -> str | None:
        """Which zone an identifier in somebody's event means."""
        wanted = canonical(place)
        return next((zone for zone in zones if self.place(zone) == wanted), None)

    def lot(self, gtin: str, number: str) -> str:
        """The identifier of a lot in events."""
        try:
            return key_of([("01", gtin), ("10", number)]).link
        except BadKeyError:
            return f"urn:coldlink:lot:{quote(number, safe='')}"


NO_SETTINGS = TraceSettings()


def read_trace(path: Path) -> TraceSettings:
    """Raises ConfigError, which names file, key, value and what would be right."""
    settings = load(path, TraceSettings)
    if settings.company_prefix and not (
        settings.company_prefix.isdecimal() and 6 <= len(settings.company_prefix) <= 12
    ):
        raise ConfigError(path, f"{settings.company_prefix!r}", key="company_prefix", hint="6 to 12 digits, in quotes")
    if settings.gln:
        _refuse_bad_key(path, "gln", "414", settings.gln)
    for number, product in enumerate(settings.products):
        _refuse_bad_key(path, f"products[{number}].gtin", "01", product.gtin)
        if product.image and not (path.parent / product.image).is_file():
            raise ConfigError(path, f"{product.image!r} is no file", key=f"products[{number}].image")
    if settings.base_url and not settings.base_url.startswith(("https://", "http://")):
        raise ConfigError(path, f"{settings.base_url!r}", key="base_url", hint="such as https://id.firm.vn")
    return msgspec.structs.replace(settings, base_url=settings.base_url.rstrip("/"), folder=str(path.parent))


def _refuse_bad_key(path: Path, key: str, ai: str, value: str) -> None:
    try:
        key_of([(ai, value)])
    except BadKeyError as error:
        hint = f"its last digit would be {check_digit(value[:-1])}" if value.isdecimal() else "digits, in quotes"
        raise ConfigError(path, f"{value!r}: {error.reason}", key=key, hint=hint) from error
