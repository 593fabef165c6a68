"""No record, however large, makes a document that nothing shows any more."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from incident_ops.documents import output_cap
from incident_ops.documents.incident_documents import tidied
from incident_ops.documents.output_cap import CUT, capped

NOTE = CUT.format(most=200)
ROWS = "# T\n\n| a | b |\n| --- | --- |\n" + "| one | two |\n" * 60
FENCE = "# T\n\nText.\n\n````sql\n" + "SELECT 1;\n```\n" * 60 + "````\n\nEnd.\n"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output_cap, "MOST_CHARACTERS", 200)


@pytest.mark.parametrize("text", [ROWS, FENCE, "x" * 500 + "\n", "word\n" * 100])
def test_a_document_is_cut_between_lines_and_never_inside_code(text: str) -> None:
    """The word that says so is a paragraph of its own."""
    shown = capped(text)
    assert len(shown) <= 200 + len(NOTE) + 2
    tokens = MarkdownIt("commonmark").enable("table").parse(shown)
    assert [one.content for one in tokens if one.type == "inline"][-1] == NOTE
    assert tokens[-1].type == "paragraph_close"


def test_what_is_not_too_long_stays_as_it_is() -> None:
    assert capped("a\n" * 100) == "a\n" * 100


def test_whatever_a_template_gives_is_capped() -> None:
    assert tidied("line\n" * 100).endswith(f"\n\n{NOTE}\n")
