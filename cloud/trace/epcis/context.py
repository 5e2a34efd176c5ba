"""JSON-LD contexts as far as events need them: which prefix stands for which namespace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cloud.trace.epcis.errors import Fault, InvalidEventError
from cloud.trace.epcis.vocabulary import CONTEXT

Definitions = dict[str, object]
"""What a document's @context adds to the standard one: prefixes, and types of extension fields."""

STANDARD_PREFIXES: Mapping[str, str] = {
    "epcis": "https://ref.gs1.org/epcis/",
    "cbv": "https://ref.gs1.org/cbv/",
    "cbvmda": "urn:epcglobal:cbv:mda:",
    "gs1": "https://gs1.org/voc/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dcterms": "http://purl.org/dc/terms/",
}
_LINKS = "@links"  # other contexts that the document names by address, kept and never fetched


def read_context(raw: object, path: str = "$['@context']") -> Definitions:
    """A context is never fetched: the standard one is known, others are kept by their address."""
    parts = raw if isinstance(raw, list) else [] if raw is None else [raw]
    found: Definitions = {}
    links = []
    for number, part in enumerate(parts):
        if isinstance(part, dict):
            found.update(part)
        elif not isinstance(part, str):
            raise InvalidEventError([Fault(f"{path}[{number}]", "a context is an address or an object")])
        elif not part.endswith("epcis-context.jsonld"):
            links.append(part)
    return {**found, _LINKS: links} if links else found


def context_json(definitions: Mapping[str, object]) -> list[object]:
    """The @context of a document whose events need `definitions`."""
    links = definitions.get(_LINKS)
    own = {name: value for name, value in definitions.items() if name != _LINKS}
    return [CONTEXT, *(links if isinstance(links, list) else []), *([own] if own else [])]


def merged(several: Iterable[Mapping[str, object]]) -> Definitions:
    """The definitions that contradict nothing said before them; whoever differs carries its own."""
    found: Definitions = {}
    for definitions in several:
        for name, value in definitions.items():
            found.setdefault(name, value)
    return found


def prefixes(definitions: Mapping[str, object]) -> dict[str, str]:
    own = {name: value for name, value in definitions.items() if isinstance(value, str)}
    return {**STANDARD_PREFIXES, **own}
