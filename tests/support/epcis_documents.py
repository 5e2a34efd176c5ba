"""EPCIS documents to try: the official ones, which are not ours to ship, and wrong ones of our own."""

import json
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
OFFICIAL = REPOSITORY.parent / "shared" / "epcis"
INVALID = REPOSITORY / "tests" / "recordings" / "epcis" / "invalid"


def official(folder: str) -> list[Path]:
    """The reference documents, which are not ours to ship."""
    return sorted(path for path in (OFFICIAL / folder).rglob("*.json*") if "EPCIS" in path.read_text("utf-8")[:400])


def official_documents() -> list:
    found = [path for path in official("examples") if "epcisBody" in path.read_text("utf-8")]
    if not found:
        reason = "NO OFFICIAL EPCIS DOCUMENTS: ../shared/epcis is absent, so they were not tried"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason))]
    return [pytest.param(json.loads(path.read_text("utf-8")), id=path.stem) for path in found]


def events_of(document: dict) -> list[dict]:
    body = document["epcisBody"]
    return body["eventList"] if "eventList" in body else body["queryResults"]["resultsBody"]["eventList"]
