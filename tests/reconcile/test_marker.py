"""The hidden line, the generated block, and people's text around it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.reconcile import generated_block

BLOCK = generated_block.generated_text("ours\n\n| a | b |")
BODY = generated_block.compose("INC-1/AI-2", BLOCK)
PEOPLE = st.lists(st.text(alphabet="ab <!->\r#", max_size=12).map(str.rstrip), max_size=4).map("\n".join)


def test_the_first_line_names_the_owner_in_the_form_of_the_contract() -> None:
    """Line 1 is the marker, and reading it gives the key back."""
    digest = generated_block.block_digest(BLOCK)
    assert BODY.split("\n")[0] == f"<!-- incident-ops v1 key=INC-1/AI-2 repo=0 hash={digest} -->"
    assert generated_block.owner(BODY) == "INC-1/AI-2"
    assert generated_block.parse_body(BODY).is_ours


@pytest.mark.parametrize(
    "body",
    [
        "\n" + BODY,
        "x " + BODY,
        " " + BODY,
        BODY.replace("v1", "v2", 1),
        BODY.replace("INC-1/AI-2", "INC-1/AI-2 key=INC-2", 1),
        BODY.replace("INC-1/AI-2", "INC-x", 1),
        BODY.replace(" -->", " --> more", 1),
        "",
    ],
)
def test_anything_else_is_no_marker(body: str) -> None:
    """A marker counts on line 1, alone and exact; elsewhere it is text."""
    assert generated_block.owner(body) is None


def test_text_of_a_record_cannot_end_the_block() -> None:
    """A line that looks like one of ours inside generated text becomes visible text."""
    block = generated_block.generated_text(f"a\n{generated_block.END}\n{generated_block.CLOSED_MARK}")
    parts = generated_block.parse_body(generated_block.compose("INC-1", block))
    assert parts.block == block
    assert not parts.was_closed
    assert parts.below == ()


def test_line_ends_make_no_difference() -> None:
    """A browser that writes CRLF changes neither owner nor hash."""
    parts = generated_block.parse_body(BODY.replace("\n", "\r\n"))
    assert (parts.key, parts.block, parts.is_ours) == ("INC-1/AI-2", BLOCK, True)


@given(PEOPLE, PEOPLE)
def test_what_people_write_survives_a_new_block(above: str, below: str) -> None:
    """Lines before and after the block come out unchanged, as often as the block is written."""
    lines = BODY.split("\n")
    body = "\n".join([lines[0], above, *lines[1:], below])
    once = generated_block.compose("INC-1", generated_block.generated_text("new"), generated_block.parse_body(body))
    twice = generated_block.compose("INC-1", generated_block.generated_text("new"), generated_block.parse_body(once))
    assert twice == once
    for text in (above, below):
        assert text.replace("\r\n", "\n").replace("\r", "\n").strip() in once


@pytest.mark.parametrize("lost", [generated_block.BEGIN, generated_block.END])
def test_a_lost_block_marker_loses_no_text(lost: str) -> None:
    """Where a person deleted a marker, the block is written again and their text is kept once."""
    body = BODY.replace(lost + "\n" if lost == generated_block.BEGIN else "\n" + lost, "") + "\nmy note"
    made = generated_block.compose("INC-1/AI-2", BLOCK, generated_block.parse_body(body))
    assert made.count("| a | b |") == 1
    assert made.endswith(f"{generated_block.END}\nmy note")


def test_a_body_a_person_wrote_over_is_kept_below_the_block() -> None:
    """Without any marker all text is people's."""
    made = generated_block.compose("INC-1", BLOCK, generated_block.parse_body("all new\n\nby me"))
    assert made.endswith(f"{generated_block.END}\nall new\n\nby me")


WORDS = st.sampled_from(["a note", "- [ ] own step", "| x | y |", "> said", "  indented", "10:20 @alice"])
EDIT = st.tuples(st.sampled_from(["put", "cut", "mark", "tick", "new"]), st.integers(0, 40), WORDS)


@given(st.lists(EDIT, max_size=12))
def test_no_word_and_no_tick_is_lost_whatever_is_edited(edits: list[tuple[str, int, str]]) -> None:
    """Lines anywhere in the body, lines of ours cut, markers cut, boxes ticked, new texts between: all stays, once."""
    shown = [[generated_block.box_line(f"step {key}", f"k/{key}") for key in keys] for keys in ("123", "2", "", "13")]
    texts = [generated_block.generated_text("\n".join([f"level {level}", *boxes])) for level, boxes in enumerate(shown)]
    body, said, ticked = generated_block.compose("INC-1", texts[0]), [], set()
    for turn, (what, at, word) in enumerate(edits):
        lines = body.split("\n")
        place = at % (len(lines) + 1)
        inside = min(place, len(lines) - 1)
        if what == "put":
            said.append(f"{word} {turn}")
            lines.insert(max(1, place), said[-1])
        elif what == "cut" and lines[inside].strip() in (generated_block.BEGIN, generated_block.END):
            del lines[inside]
        elif what == "mark":
            lines = lines[1:] if generated_block.owner(body) else lines
        elif what == "tick" and "<!-- box:" in lines[inside] and "[ ] step" in lines[inside]:
            ticked.add(lines[inside].partition("box:")[2].split()[0])
            lines[inside] = lines[inside].replace("[ ]", "[x]")
        elif what == "new":
            lines = generated_block.compose("INC-1", texts[at % 4], generated_block.parse_body(body)).split("\n")
        body = "\n".join(lines)
    last = generated_block.compose("INC-1", texts[0], generated_block.parse_body(body))
    assert generated_block.compose("INC-1", texts[0], generated_block.parse_body(last)) == last
    for word in said:
        assert last.count(word) == 1, word
    parts = generated_block.parse_body(last)
    assert {word.strip() for word in said} <= {line.strip() for line in (*parts.above, *parts.below)}
    assert generated_block.ticked(last) == ticked
