"""The lint on sentences that were written before it was tried on them: how much it sees, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from incident_ops.postmortem_lint.actions import is_vague
from tests.postmortem_lint.test_language import rules_on
from tests.postmortem_lint.test_structure import of_last_why, titled

TEXTS: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("second_corpus.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("text", TEXTS["faulty"])
def test_a_faulty_sentence_is_found(text: str) -> None:
    assert rules_on(text)


@pytest.mark.parametrize("text", TEXTS["missed"])
def test_what_is_missed_is_known(text: str) -> None:
    """A sentence that is found by now moves to the others."""
    assert rules_on(text) == set()


def test_four_of_five_faults_are_seen() -> None:
    assert len(TEXTS["faulty"]) >= 4 * len(TEXTS["missed"])


@pytest.mark.parametrize("text", TEXTS["fine"])
def test_a_fine_sentence_is_left_alone(text: str) -> None:
    assert rules_on(text) == set()


def test_structure_is_seen_where_it_stops_short_and_nowhere_else() -> None:
    """Chains of whys that end in people, and items without an end."""
    assert [text for text in TEXTS["whys_end_in_people"] if not of_last_why(text)] == []
    assert [text for text in TEXTS["whys_that_go_on"] if of_last_why(text)] == []
    assert [text for text in TEXTS["vague_items"] if not is_vague(titled(text))] == []
    assert [text for text in TEXTS["clear_items"] if is_vague(titled(text))] == []
