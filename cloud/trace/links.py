"""What a Digital Link of ours leads to: a set of links, of which the caller's wish chooses one. Pure.

GS1-Conformant Resolver standard 1.2; the set is a linkset of RFC 9264.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

VOCABULARY = "https://gs1.org/voc/"
LINKSET_TYPE = "application/linkset+json"
_EVERYTHING = ("all", "linkset")


class Link(NamedTuple):
    """`languages`: those of the target, empty when it has none of its own."""

    kind: str  # pip, epcis, traceability ...
    href: str
    title: str
    media_type: str = "text/html"
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkSet:
    """The first link is the default one."""

    anchor: str
    description: str
    links: Sequence[Link]

    def as_json(self) -> dict[str, object]:
        """As application/linkset+json."""
        default = self.links[0]
        entry: dict[str, object] = {
            "anchor": self.anchor,
            "itemDescription": self.description,
            VOCABULARY + "defaultLink": [{"href": default.href, "title": default.title}],
        }
        for link in self.links:
            target: dict[str, object] = {"href": link.href, "title": link.title, "type": link.media_type}
            if link.languages:
                target["hreflang"] = list(link.languages)
            kind = entry.setdefault(VOCABULARY + link.kind, [])
            assert isinstance(kind, list)
            kind.append(target)
        return {"linkset": [entry]}

    def choose(self, kind: str | None, languages: Sequence[str]) -> Link | None:
        """The link of a kind in the language that comes first; None when there is none of the kind."""
        wanted = self.links[0].kind if kind is None else kind.removeprefix("gs1:").removeprefix(VOCABULARY)
        if wanted == "defaultLink":
            wanted = self.links[0].kind
        found = [link for link in self.links if link.kind == wanted]
        for language in languages:
            for link in found:
                if language in link.languages:
                    return link
        return found[0] if found else None


def wants_everything(link_type: str | None, accept: str) -> bool:
    return link_type in _EVERYTHING or LINKSET_TYPE in accept


def preferred_languages(header: str) -> list[str]:
    """From Accept-Language, the dearest first, without regions."""
    ranked = []
    for place, part in enumerate(header.split(",")):
        language, _, weight = part.strip().partition(";q=")
        try:
            ranked.append((-float(weight or 1), place, language.strip().lower().split("-")[0]))
        except ValueError:
            continue
    return [language for weight, _, language in sorted(ranked) if weight < 0 and language]
