"""Every state and reason that a person can meet stands in the glossary."""

from pathlib import Path

import pytest

from cloud.alarms.lifecycle import AlarmEventKind, AlarmKind, AlarmState
from cloud.lots.residence import Role
from cloud.lots.verdict import Outcome, Reason
from rules import BreachStatus, LimitKind, Severity

GLOSSARY = Path(__file__).parents[2] / "docs" / "glossary.md"
WORDS = [
    word
    for kind in (AlarmEventKind, AlarmKind, AlarmState, Role, Outcome, Reason, BreachStatus, LimitKind, Severity)
    for word in kind
]


@pytest.mark.parametrize("word", WORDS, ids=lambda word: f"{type(word).__name__}-{word}")
def test_the_word_is_explained(word):
    assert f"`{word}`" in GLOSSARY.read_text("utf-8")
