"""Where a part of a value stands in its file, whatever the style of the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.records.text_offsets import source_index
from incident_ops.records.yaml_positions import find_node, nodes
from incident_ops.records.yaml_reader import Document, read_yaml


def index_of(text: str, words: str) -> int:
    """Where these words of the value of `a` stand in the text."""
    document = read_yaml(text, "f")
    assert isinstance(document, Document), text
    value = document.data["a"]
    return source_index(text, find_node(nodes(text), ("a",)), value, value.index(words))


@pytest.mark.parametrize(
    "text",
    [
        "a: one two three\n",
        "a: one\n  two\n  three\n",
        "a: 'it''s one two'\n",
        'a: "one \\"quoted\\" two"\n',
        'a: "one\\ntwo"\n',
        'a: "\\u00e4 one\\\n  two"\n',
        "a: |\n  one\n  two\n",
        "a: |2-\n    one\n  two\n",
        "a: >-  # why\n  one\n  two\n\n  three\n",
        "a: >\n\n  one\n   more two\n",
        "# before\nb: x\na: |\n  one\n\n  two\n",
    ],
)
def test_a_word_is_found_in_every_style(text: str) -> None:
    """At its own first letter."""
    assert text[index_of(text, "two") :].startswith("two")


WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=6)


@given(st.lists(WORDS, min_size=1, max_size=20))
def test_every_word_of_a_block_text_is_where_it_is_said_to_be(words: list[str]) -> None:
    """Line by line, and folded."""
    for style in "|>":
        text = f"a: {style}\n" + "".join(f"  w{word}\n" for word in words)
        document = read_yaml(text, "f")
        if not isinstance(document, Document) or not isinstance(document.data["a"], str):
            continue
        value = document.data["a"]
        node = find_node(nodes(text), ("a",))
        at = 0
        for word in words:
            at = value.index(f"w{word}", at)
            assert text[source_index(text, node, value, at) :].startswith(f"w{word}")
            at += len(word)
