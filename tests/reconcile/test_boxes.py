"""Boxes that people tick: what is carried from one text to the next, and what is not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.reconcile import generated_block

KEYS = ("war-room/page", "during/roles/scribe", "AI-2", "prevention/short/0a1b")
NEW = "\n".join(
    [
        "### War room",
        "",
        generated_block.box_line("Page the on-call engineer", "war-room/page"),
        generated_block.box_line("Assign the roles", "during/roles"),
        generated_block.box_line("Scribe", "during/roles/scribe", depth=1),
        generated_block.box_line("**AI-1** Add an index", "AI-1", ticked=True, fixed=True),
        generated_block.box_line("**AI-2** Add a test", "AI-2"),
    ]
)
PAGE = "Page the on-call engineer <!-- box:war-room/page -->"


def carried(generated: str, seen: str) -> str:
    """The block of an issue with a new text, where it was `seen` before."""
    body = generated_block.compose("INC-1", generated, generated_block.Parts(None, None, seen, (), ()))
    return body.split(f"{generated_block.BEGIN}\n", 1)[1].split("\n<!-- incident-ops lines=", 1)[0]


def same_but_boxes(one: str, other: str) -> bool:
    """True where an issue with one text need not be written anew for the other."""
    return generated_block.block_digest(one) == generated_block.block_digest(other)


def test_a_box_is_a_list_line_with_its_key_hidden_at_the_end() -> None:
    assert generated_block.box_line("Do *it*", "a/b") == "- [ ] Do *it* <!-- box:a/b -->"
    assert (
        generated_block.box_line("Done", "AI-2", ticked=True, fixed=True, depth=1) == "  - [x] Done <!-- box:AI-2! -->"
    )


def test_a_text_cannot_take_the_key_of_its_box_or_hide_it() -> None:
    """Not even where the comment stands in a code span, which record text may hold."""
    made = generated_block.box_line("`<!-- box:AI-9 -->` `<!-- incident-ops end -->`", "AI-1")
    assert made.count("<!--") == 1
    assert generated_block.ticked(made.replace("[ ]", "[x]")) == {"AI-1"}


@pytest.mark.parametrize(
    "seen",
    [
        f"- [x] {PAGE}",
        f"- [X] {PAGE}",
        f"* [x] {PAGE}",
        f"+ [x] {PAGE}",
        f"1. [x] {PAGE}",
        f"      - [x] {PAGE}",
        f"\t- [x] {PAGE}  ",
        f"> - [x] {PAGE}",
        f"a\r\n- [x] {PAGE}\r\nb",
        f"a\r- [x] {PAGE}",
        "- [x] other words, same box <!-- box:war-room/page -->",
        f"- [ ] {PAGE}\n- [x] {PAGE}",
        f"- [x] {PAGE}\n\nmoved to the end by somebody\n- [ ] {PAGE}",
    ],
)
def test_a_tick_is_found_however_the_line_was_touched(seen: str) -> None:
    assert generated_block.ticked(seen) == {"war-room/page"}
    assert carried(NEW, seen) == NEW.replace("- [ ] Page", "- [x] Page")


@pytest.mark.parametrize(
    "seen",
    [
        "",
        f"- [ ] {PAGE}",
        f"- [-] {PAGE}",
        f"- [x]{PAGE[:4]}",
        f"[x] {PAGE}",
        f"- [x] {PAGE} and more",
        "- [x] Page the on-call engineer",
        "- [x] gone <!-- box:war-room/gone -->",
        "- [x] forged <!-- box:war room/page -->",
        f"x\u2028- [x] {PAGE}",
        f"`- [x] {PAGE}`",
    ],
)
def test_what_is_no_tick_of_a_key_we_have_changes_nothing(seen: str) -> None:
    assert carried(NEW, seen) == NEW


def test_what_the_record_decides_is_not_carried_over() -> None:
    """A done item stays ticked though a person emptied its box; one that was reopened starts empty."""
    emptied = NEW.replace("[x] **AI-1**", "[ ] **AI-1**")
    assert carried(NEW, emptied) == NEW
    open_again = generated_block.box_line("**AI-1** Add an index", "AI-1")
    assert carried(open_again, NEW) == open_again
    assert not same_but_boxes(NEW, emptied)


def test_texts_are_the_same_but_for_what_people_ticked() -> None:
    ticked = NEW.replace("[ ] Page", "[x] Page")
    assert same_but_boxes(NEW, ticked)
    assert same_but_boxes(NEW.replace("\n", "\r\n"), ticked)
    assert not same_but_boxes(NEW, ticked.replace("Page", "Call"))
    assert not same_but_boxes("- [ ] no key", "- [x] no key")
    assert generated_block.untick(ticked) == NEW


WORDS = st.sampled_from(
    ["", "text", "- [x] no key", "### Head", "é\u2028", "<!-- box:AI-2 -->", "- [ ] a <!-- box:x!! -->"]
)
STATES = st.sampled_from("xX ")


@st.composite
def lines(draw: st.DrawFn) -> str:
    """A line with or without a box, in any form a person may leave it in."""
    if draw(st.booleans()):
        return draw(WORDS)
    head = draw(st.sampled_from(["- ", "* ", "+ ", "  - ", "2) ", "> - "]))
    key = draw(st.sampled_from(KEYS)) + draw(st.sampled_from(["", "", "!"]))
    return f"{head}[{draw(STATES)}] {draw(st.text(max_size=5))} <!-- box:{key} -->"


TEXTS = st.lists(lines(), max_size=8).flatmap(
    lambda found: st.sampled_from(["\n", "\r\n"]).map(lambda end: end.join(found))
)


@given(TEXTS, TEXTS)
def test_carrying_twice_is_carrying_once(generated: str, seen: str) -> None:
    """Whichever of the two texts is fed again."""
    new = generated_block.untick(generated)
    once = carried(new, seen)
    assert carried(once, seen) == once
    assert carried(new, once) == once


@given(TEXTS, TEXTS)
def test_no_tick_is_lost(generated: str, seen: str) -> None:
    """A key ticked in either text, and there in the new one, is ticked in what comes out; no other is."""
    there = generated_block.ticked(re.sub(r"\[[ xX]\]", "[x]", generated))
    wanted = (generated_block.ticked(seen) & there) | generated_block.ticked(generated)
    assert generated_block.ticked(carried(generated, seen)) == wanted


@given(TEXTS, TEXTS)
def test_not_one_other_character_changes(generated: str, seen: str) -> None:
    made = carried(generated, seen)
    differing = [(old, new) for old, new in zip(generated, made, strict=True) if old != new]
    assert all(old in " X" and new == "x" for old, new in differing)
    assert generated_block.untick(made) == generated_block.untick(generated)
    assert same_but_boxes(made, generated)


@given(TEXTS)
def test_an_emptied_text_has_no_tick_and_stays_as_it_is(text: str) -> None:
    assert generated_block.ticked(generated_block.untick(text)) == frozenset()
    assert generated_block.untick(generated_block.untick(text)) == generated_block.untick(text)


def test_a_tick_of_a_box_that_the_record_took_over_does_not_come_back() -> None:
    """A person ticked it, the record says done, and later open again: the box is empty, not ticked by our own edit."""
    done = NEW.replace("[ ] **AI-2** Add a test <!-- box:AI-2 -->", "[x] **AI-2** Add a test <!-- box:AI-2! -->")
    body = generated_block.compose("INC-1", NEW.replace("[ ] **AI-2**", "[x] **AI-2**"))
    for text in (done, NEW):
        body = generated_block.compose("INC-1", text, generated_block.parse_body(body))
    assert "[ ] **AI-2** Add a test <!-- box:AI-2 -->" in body
