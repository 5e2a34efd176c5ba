"""GS1 keys in the spellings that events use: EPC URN, Digital Link on any host, element string; one canonical form.

    urn:epc:class:lgtin:9521234.054321.BM261118-07 ─┐
    https://id.firm.vn/01/09521234543213/10/BM261118-07 ─┼─> Key -> https://id.gs1.org/01/09521234543213/10/BM261118-07
    (01)09521234543213(10)BM261118-07              ─┘

Facts are of GS1 General Specifications (lengths, check digits), Tag Data Standard 2.3 section 6 (URNs) and the Digital
Link URI syntax. A URN says where the company prefix ends, a link does not: only who knows its length gets a URN back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from cloud.trace.gs1 import CHARACTERS, check_digit, completed, urn_text

CANONICAL_HOST = "https://id.gs1.org"
_URN = re.compile(r"urn:epc:(id|class|idpat):([a-z]+):(.+)")
_ELEMENT = re.compile(r"\((\d{2,4})\)([^(]*)")


class BadKeyError(ValueError):
    """It claims to be a GS1 key and is none."""

    def __init__(self, text: str, reason: str) -> None:
        self.text, self.reason = text, reason
        super().__init__(f"{text!r}: {reason}")


class _Shape(NamedTuple):
    """`digits` of which the last one checks the others (0: no fixed part), then up to `rest` characters."""

    name: str
    digits: int
    rest: int = 0
    qualifiers: Sequence[str] = ()


_SHAPES: Mapping[str, _Shape] = {
    "00": _Shape("SSCC", 18),
    "01": _Shape("GTIN", 14, 0, ("22", "10", "21", "235")),
    "253": _Shape("GDTI", 13, 17),
    "255": _Shape("GCN", 13, 12),
    "401": _Shape("GINC", 0, 30),
    "402": _Shape("GSIN", 17),
    "414": _Shape("GLN", 13, 0, ("254",)),
    "417": _Shape("party GLN", 13),
    "8003": _Shape("GRAI", 14, 16),
    "8004": _Shape("GIAI", 0, 30),
    "8006": _Shape("ITIP", 14, 4, ("22", "10", "21")),
    "8010": _Shape("CPI", 0, 30, ("8011",)),
    "8017": _Shape("GSRN (provider)", 18),
    "8018": _Shape("GSRN", 18),
}
_QUALIFIER_LENGTHS = {"22": 20, "10": 20, "21": 20, "235": 28, "254": 20, "8011": 12}
_FINEST = ("21", "235", "10", "254", "8011")  # the finest level alone stays in the canonical form (CBV 2.0, 8.9)
_SHORT_GTINS = (8, 12, 13)


@dataclass(frozen=True, slots=True)
class Key:
    """One identity: its key and at most one qualifier. `prefix_digits` is known when it came as a URN."""

    element: tuple[tuple[str, str], ...]
    prefix_digits: int | None = None

    @property
    def link(self) -> str:
        """The canonical, constrained Digital Link: what is compared."""
        return CANONICAL_HOST + self.path

    @property
    def path(self) -> str:
        return "".join(f"/{ai}/{quote(value, safe='')}" for ai, value in self.element)

    @property
    def element_string(self) -> str:
        return "".join(f"({ai}){value}" for ai, value in self.element)

    @property
    def kind(self) -> str:
        """lgtin, sgtin, gtin, sscc, sgln, pgln, grai, grai_type, giai, gdti, gdti_type and so on."""
        ai, value = self.element[0]
        qualifier = self.element[1][0] if len(self.element) > 1 else None
        if ai == "01":
            return {None: "gtin", "10": "lgtin", "21": "sgtin", "235": "upui"}.get(qualifier, "gtin")
        if ai in ("253", "255", "8003") and len(value) == _SHAPES[ai].digits:
            return _NAMES[ai] + "_type"
        return _NAMES[ai]

    @property
    def is_class(self) -> bool:
        """Goods of a kind or lot rather than one thing."""
        return self.kind in ("gtin", "lgtin", "grai_type", "gdti_type", "sgcn_type")

    def urn(self, prefix_digits: int | None = None) -> str | None:
        """The EPC URN; None when nobody says how long the company prefix is."""
        digits = prefix_digits or self.prefix_digits
        return None if digits is None else _as_urn(self, digits)


_NAMES = {
    "00": "sscc",
    "253": "gdti",
    "255": "sgcn",
    "401": "ginc",
    "402": "gsin",
    "414": "sgln",
    "417": "pgln",
    "8003": "grai",
    "8004": "giai",
    "8006": "itip",
    "8010": "cpi",
    "8017": "gsrnp",
    "8018": "gsrn",
}


def parse_key(text: str) -> Key | None:
    """None for what is no GS1 identifier (a URI of a firm without GS1 keys, say). Raises BadKeyError."""
    if match := _URN.fullmatch(text):
        return _from_urn(text, *match.groups())
    if text.startswith(("http://", "https://")):
        return _from_link(text)
    if text.startswith("("):
        return key_of(_ELEMENT.findall(text), text)
    return None


def canonical(text: str) -> str:
    """The form in which identifiers are compared; what is no GS1 key, or a broken one, is its own form."""
    try:
        key = parse_key(text)
    except BadKeyError:
        return text
    return text if key is None else key.link


def key_of(pairs: Sequence[tuple[str, str]], text: str = "") -> Key:
    """From (AI, value) pairs, the key first; what does not qualify it is dropped. Raises BadKeyError."""
    if not pairs or pairs[0][0] not in _SHAPES:
        raise BadKeyError(text, "it begins with no GS1 key")
    ai, value = pairs[0]
    key = (ai, _checked(text or value, ai, value))
    held = {name: value for name, value in pairs[1:] if name in _SHAPES[ai].qualifiers}
    for name, value in held.items():
        if not (0 < len(value) <= _QUALIFIER_LENGTHS[name] and CHARACTERS.issuperset(value)):
            raise BadKeyError(text, f"({name}) has 1 to {_QUALIFIER_LENGTHS[name]} characters of a GS1 serial number")
    finest = next((name for name in _FINEST if name in held), None)
    return Key((key,) if finest is None else (key, (finest, held[finest])))


def _checked(text: str, ai: str, value: str) -> str:
    shape = _SHAPES[ai]
    if ai == "01" and len(value) in _SHORT_GTINS:
        value = value.zfill(14)
    fixed, rest = value[: shape.digits], value[shape.digits :]
    if not CHARACTERS.issuperset(value) or not value:
        raise BadKeyError(text, f"a {shape.name} has no such characters")
    if not shape.digits:
        if len(value) > shape.rest or not value[:4].isdecimal():
            raise BadKeyError(
                text, f"a {shape.name} begins with a company prefix and has at most {shape.rest} characters"
            )
        return value
    if len(fixed) != shape.digits or not (fixed.isascii() and fixed.isdecimal()) or len(rest) > shape.rest:
        more = f" and up to {shape.rest} characters" if shape.rest else ""
        raise BadKeyError(text, f"a {shape.name} has {shape.digits} digits{more}")
    if check_digit(fixed[:-1]) != fixed[-1]:
        raise BadKeyError(text, f"the check digit of {shape.name} {fixed} should be {check_digit(fixed[:-1])}")
    return value


def _from_link(text: str) -> Key | None:
    path = urlsplit(text).path.split("/")
    is_gs1 = text.startswith((CANONICAL_HOST, "http://id.gs1.org"))
    for place, ai in enumerate(path[:-1]):
        if ai in _SHAPES and (is_gs1 or _looks_like(ai, path[place + 1])):
            segments = [unquote(segment) for segment in path[place:] if segment]
            return key_of(list(zip(segments[::2], segments[1::2], strict=False)), text)
    if is_gs1 and path[1:2] != [""] and len(path) > 1:
        raise BadKeyError(text, "it stands on id.gs1.org and has no GS1 key in its path")
    return None


def _looks_like(ai: str, value: str) -> bool:
    """On other hosts a path such as /01/ may be anything; digits of the right number make it a Digital Link."""
    digits = _SHAPES[ai].digits
    if ai == "01":
        return value.isdecimal() and len(value) in (*_SHORT_GTINS, 14)
    return value[: digits or 7].isdecimal() and len(value) >= (digits or 7)


class _Urn(NamedTuple):
    """How a URN's parts make a key: `pair` digits of company prefix and reference together, 0 when they are free."""

    ai: str
    pair: int
    parts: int


_URNS: Mapping[str, _Urn] = {
    "sgtin": _Urn("01", 13, 3),
    "lgtin": _Urn("01", 13, 3),
    "upui": _Urn("01", 13, 3),
    "itip": _Urn("8006", 13, 5),
    "sscc": _Urn("00", 17, 2),
    "sgln": _Urn("414", 12, 3),
    "pgln": _Urn("417", 12, 2),
    "grai": _Urn("8003", 12, 3),
    "gdti": _Urn("253", 12, 3),
    "sgcn": _Urn("255", 12, 3),
    "giai": _Urn("8004", 0, 2),
    "ginc": _Urn("401", 0, 2),
    "cpi": _Urn("8010", 0, 3),
    "gsin": _Urn("402", 16, 2),
    "gsrn": _Urn("8018", 17, 2),
    "gsrnp": _Urn("8017", 17, 2),
}
_TAILS = {"sgtin": "21", "lgtin": "10", "upui": "235", "sgln": "254", "cpi": "8011", "itip": "21"}


def _from_urn(text: str, space: str, scheme: str, body: str) -> Key | None:
    if scheme == "gid":
        return None  # not a GS1 key: a manager number of its own (TDS 6.3.7)
    rule = _URNS.get(scheme)
    if rule is None or (space == "class") != (scheme == "lgtin"):
        raise BadKeyError(text, f"there is no EPC scheme {space}:{scheme}")
    parts = [unquote(part) for part in body.split(".", rule.parts - 1)]
    if len(parts) != rule.parts:
        raise BadKeyError(text, f"urn:epc:{space}:{scheme} has {rule.parts} parts with dots between them")
    prefix, reference, tail = parts[0], parts[1], "" if rule.parts == 2 else parts[-1]
    if not (prefix.isdecimal() and 6 <= len(prefix) <= 12):
        raise BadKeyError(text, f"the company prefix {prefix!r} has not 6 to 12 digits")
    pair = prefix + reference
    if rule.pair and (len(pair) != rule.pair or not pair.isdecimal()):
        raise BadKeyError(text, f"company prefix and reference have {len(pair)} digits together, not {rule.pair}")
    value = _urn_value(scheme, prefix, reference, parts)
    if space == "idpat":
        if tail != "*":
            raise BadKeyError(text, "only patterns of all serials, ending in .*, name a class")
        return Key(key_of([(rule.ai, value.removesuffix("*"))], text).element, len(prefix))
    qualifier = _TAILS.get(scheme)
    pairs = [(rule.ai, value)] + ([(qualifier, tail)] if qualifier and (scheme, tail) != ("sgln", "0") else [])
    return Key(key_of(pairs, text).element, len(prefix))


def _urn_value(scheme: str, prefix: str, reference: str, parts: Sequence[str]) -> str:
    match scheme:
        case "sgtin" | "lgtin" | "upui" | "sscc":
            return completed(reference[0] + prefix + reference[1:])
        case "itip":
            return completed(reference[0] + prefix + reference[1:]) + parts[2] + parts[3]
        case "grai":
            return "0" + completed(prefix + reference) + parts[2]
        case "gdti" | "sgcn":
            return completed(prefix + reference) + parts[2]
        case "giai" | "ginc" | "cpi":
            return prefix + reference
        case _:
            return completed(prefix + reference)


def _as_urn(key: Key, digits: int) -> str | None:
    value = key.element[0][1]
    tail = key.element[1][1] if len(key.element) > 1 else None
    body = None
    match key.kind:
        case "sgtin" | "lgtin" | "upui":
            body = _pair(value[1 : 1 + digits], value[0] + value[1 + digits : 13], tail)
        case "gtin":
            body = _pair(value[1 : 1 + digits], value[0] + value[1 + digits : 13], None) + ".*"
        case "sscc":
            body = _pair(value[1 : 1 + digits], value[0] + value[1 + digits : 17], None)
        case "sgln":
            body = _pair(value[:digits], value[digits:12], tail or "0")
        case "pgln":
            body = _pair(value[:digits], value[digits:12], None)
        case "grai" | "grai_type":
            body = _pair(value[1 : 1 + digits], value[1 + digits : 13], value[14:] or None)
        case "gdti" | "sgcn" | "gdti_type" | "sgcn_type":
            body = _pair(value[:digits], value[digits:12], value[13:] or None)
        case "giai" | "ginc":
            body = _pair(value[:digits], urn_text(value[digits:]), None)
        case "cpi":
            body = _pair(value[:digits], urn_text(value[digits:]), tail)
        case "gsin":
            body = _pair(value[:digits], value[digits:16], None)
        case "gsrn" | "gsrnp":
            body = _pair(value[:digits], value[digits:17], None)
        case _:
            return None
    if key.kind == "lgtin":
        return f"urn:epc:class:lgtin:{body}"
    if key.kind == "gtin":
        return f"urn:epc:idpat:sgtin:{body}"
    if key.kind.endswith("_type"):
        return f"urn:epc:idpat:{key.kind.removesuffix('_type')}:{body}.*"
    return f"urn:epc:id:{key.kind}:{body}"


def _pair(prefix: str, reference: str, tail: str | None) -> str:
    return f"{prefix}.{reference}" + ("" if tail is None else f".{urn_text(tail)}")
