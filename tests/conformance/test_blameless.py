"""Sentences, texts and records that reviewers judged: what the lint of postmortems finds, and where it is wrong.

The rules were written by looking at the seen half only.
"""

from __future__ import annotations

import sys

import pytest

from tests.support.blameless import HALVES, score
from tests.support.conformance import document, need_folder

need_folder()

MOST_FLAGGED_PERCENT = 5
MOST_HITS = 1
LEAST_FOUND_PERCENT = 80
LEAST_STRUCTURAL_PERCENT = 90


@pytest.mark.parametrize("half", HALVES)
def test_the_lint_finds_what_reviewers_find_and_leaves_the_rest(half: str) -> None:
    """Each half, and the whole."""
    reached = score(document("blameless"), HALVES[half])
    sys.stdout.write(f"{half}: {reached}\n")
    assert reached.found.percent >= LEAST_FOUND_PERCENT, reached.wrong
    assert reached.flagged.whole == 0 or reached.flagged.percent <= MOST_FLAGGED_PERCENT, reached.wrong
    assert reached.hits <= MOST_HITS, reached.wrong
    assert reached.structural.percent >= LEAST_STRUCTURAL_PERCENT, reached.wrong
