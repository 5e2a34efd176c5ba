"""GS1 keys as digits and links: check digits, allowed characters, and the three spellings an identity has."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from cloud.trace.errors import BadCheckDigit

# Characters a serial number may have: GS1 General Specifications, figure 7.11-1; TDS table A-1.
CHARACTERS = frozenset("!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
_ESCAPED_IN_URN = {character: f"%{ord(character):02X}" for character in '"%&/<>?'}  # TDS table A-1, "URI form"
_CANONICAL_HOST = "https://id.gs1.org"
_QUALIFIERS = ("21", "254")  # stand in the path after their key; dates go into the query


@dataclass(frozen=True, slots=True)
class Epc:
    """What a tag identifies.

    `element` is the GS1 element string as (AI, value) pairs; empty for GID, which is not a GS1 key.
    `urn_body` is what follows `urn:epc:id:<key>:`. TDS 2 schemes do not say where the company prefix ends, so they have
    none. `has_more_data` says that more (+AIDC data: batch, dates, weight) follows the identity in the tag.
    """

    scheme: str
    filter_value: int | None
    element: tuple[tuple[str, str], ...]
    urn_body: str | None = None
    has_more_data: bool = False

    @property
    def key(self) -> str:
        return self.scheme.rstrip("+").split("-")[0]

    @property
    def urn(self) -> str | None:
        """The pure identity: what EPCIS takes."""
        return None if self.urn_body is None else f"urn:epc:id:{self.key}:{self.urn_body}"

    @property
    def tag_urn(self) -> str | None:
        """With the filter value; never to be sent in an event."""
        if self.urn_body is None:
            return None
        head = "" if self.filter_value is None else f"{self.filter_value}."
        return f"urn:epc:tag:{self.scheme}:{head}{self.urn_body}"

    @property
    def digital_link(self) -> str | None:
        """The canonical GS1 Digital Link (GS1 Digital Link URI syntax 1.x), on id.gs1.org."""
        query = [f"{ai}={value}" for ai, value in self.element[1:] if ai not in _QUALIFIERS]
        link = self.identity_link
        return f"{link}?{'&'.join(query)}" if link and query else link

    @property
    def identity_link(self) -> str | None:
        """The Digital Link without dates: the identifier that EPCIS events carry and compare (TDS annex E.3)."""
        path = [pair for place, pair in enumerate(self.element) if place == 0 or pair[0] in _QUALIFIERS]
        return _CANONICAL_HOST + "".join(f"/{ai}/{quote(value, safe='')}" for ai, value in path) if path else None

    @property
    def element_string(self) -> str | None:
        return "".join(f"({ai}){value}" for ai, value in self.element) or None


def check_digit(digits: str) -> str:
    """The digit that completes `digits`: weights 3, 1, 3 ... from the right (GS1 General Specifications 7.9)."""
    total = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def completed(digits: str) -> str:
    return digits + check_digit(digits)


def verified(key: str, digits: str) -> str:
    """`digits` as they are. Raises BadCheckDigit, naming `key`, when the last one is wrong."""
    expected = check_digit(digits[:-1])
    if digits[-1] != expected:
        raise BadCheckDigit(key, digits, expected)
    return digits


def urn_text(text: str) -> str:
    return "".join(_ESCAPED_IN_URN.get(character, character) for character in text)
