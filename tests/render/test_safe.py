"""What record text may do in Markdown: be read, and nothing else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from incident_ops.documents.markdown import code, inline, link, markdown

RENDERER = MarkdownIt("commonmark").enable("table")
INERT = re.compile(r"(?<![A-Za-z0-9_])[@#][A-Za-z0-9]|\bGH-[0-9]")
NASTY = st.text(alphabet="`\\|@#<>!-~=*_[]:& \nab1G H;x0", max_size=60)


def prose(source: str) -> str:
    """The text GitHub would search for mentions: everything but code, which also parts what stands before and after
    it, since each piece of text between two elements is searched by itself."""
    return re.sub(r"<code>.*?</code>", "<code></code>", RENDERER.render(source), flags=re.DOTALL)


@pytest.mark.parametrize(
    "text",
    [
        "ask @alice",
        "see #12",
        "o/r#12",
        "GH-7",
        "&#64;alice",
        "&commat;alice",
        "\\@alice",
        "<!-- @alice -->",
        "`@a\n\nb @alice`",
        "``@a` @alice",
        "\\`@alice`",
        "(@org/team)",
    ],
)
def test_nobody_is_pinged_and_nothing_linked(text: str) -> None:
    """A mention or a number is broken, however it is spelled."""
    for made in (markdown(text), inline(text)):
        assert not INERT.search(prose(made)), made


@pytest.mark.parametrize("text", ["Fixes https://github.com/o/r/issues/1", "closes: o/r#1", "resolved\n#4", "fix GH-3"])
def test_closing_words_are_broken(text: str) -> None:
    """No closing keyword stays in front of a reference, even in the raw text a commit message would hold."""
    assert not re.search(
        r"(?i)\b(fix(e[sd])?|close[sd]?|resolve[sd]?):?\s+(https?:|#\d|GH-\d|\w+/\w+#\d)", markdown(text)
    )


def test_ordinary_words_are_left_alone() -> None:
    """Plain text, emphasis, lists and one-line code come out as they went in."""
    text = "Resolved in 5 min: *really*.\n- p95 > 2s at a `<` b, `#1 @x`\n- C# and 50 % of users_total, R&D"
    assert markdown(text) == text


@pytest.mark.parametrize("text", ["# Big", "a\n===", "a\n---", "```\nx", "~~~\nx", "- ```", "> # x", "[a]: http://x"])
def test_structure_is_not_taken_over(text: str) -> None:
    """No heading, fence, rule or hidden definition comes out of a record's text."""
    html = RENDERER.render(markdown(text) + "\n\nafter")
    assert not re.search(r"<h\d|<pre|<hr", html)
    assert "after" in html
    assert "http://x" in html or "http://x" not in text


@given(NASTY)
def test_raw_html_never_passes(text: str) -> None:
    """No text can start a tag or a comment, so none can fake or hide one of our markers."""
    for made in (markdown(text), inline(text)):
        kinds = {kid.type for token in RENDERER.parse(made) for kid in (token.children or [])}
        assert "html_inline" not in kinds
        assert "html_block" not in {token.type for token in RENDERER.parse(made)}


@given(NASTY)
def test_mentions_never_pass(text: str) -> None:
    """Any mixture of backticks, backslashes and entities still pings nobody."""
    indented = re.sub(r"(?m)^[ \t]+", "", text)
    assert not INERT.search(prose(markdown(indented)).replace("&amp;#", "").replace("&#8203;", ""))
    assert not INERT.search(prose(inline(text)).replace("&amp;#", ""))


@given(NASTY, NASTY)
def test_a_cell_stays_a_cell(first: str, second: str) -> None:
    """Whatever two values hold, a row of two cells has two cells and nothing leaks out of the table."""
    table = f"| a | b |\n| --- | --- |\n| x{inline(first)} | x{inline(second)} |\n"
    tokens = RENDERER.parse(table)
    assert sum(token.type == "td_open" for token in tokens) == 2
    cells = [token.content for token in tokens if token.type == "inline"]
    assert len(cells) == 4
    assert all(cell.startswith("x") for cell in cells[2:])


@pytest.mark.parametrize("text", ["@alice", "a `b` c", "`", "a|b", "a\\|b @x"])
def test_code_shows_a_handle_without_pinging(text: str) -> None:
    """A code span holds the text as written, also one with backticks or a pipe in it."""
    cell = RENDERER.render(f"| a |\n| --- |\n| {code(text)} |\n")
    shown = re.sub(r"<[^>]+>", "", cell.split("<td>")[1]).replace("\u200b", "").strip()
    assert shown == text
    assert not INERT.search(prose(code(text)))


def test_control_and_direction_characters_are_dropped() -> None:
    """Nothing invisible reorders or ends a line."""
    assert inline("a\u202eb\x00c\x1bd\r\ne") == "abcd e"
    assert code("") == ""


@pytest.mark.parametrize("unseen", ["\x9b", "\x85", "\u061c", "\u200e", "\u200f", "\u2028", "\u2029", "\u2067"])
def test_what_steers_a_terminal_or_the_direction_of_text_is_dropped(unseen: str) -> None:
    """Also the controls of eight bits and the marks of direction."""
    assert markdown(f"a{unseen}b") == "ab"
    assert unseen not in inline(f"a{unseen}b") + code(f"a{unseen}b")


@pytest.mark.parametrize(
    "text", ["![x](https://e.com/p.png)", "!![x](y)", "\\![x](y)", "a ![][b] c\n\n[b]: http://e.com/x"]
)
def test_an_image_shows_as_typed_and_loads_nothing(text: str) -> None:
    """An image in an issue would tell its owner who reads it."""
    assert "<img" not in RENDERER.render(markdown(text))
    assert "<img" not in RENDERER.render(inline(text))


def test_only_an_https_address_becomes_a_link() -> None:
    """Nothing else is a link, and a name cannot end one early."""
    assert link("Bridge", "https://meet.example.com/a(b)") == "[Bridge](<https://meet.example.com/a(b)>)"
    assert link("", "https://example.com/1") == "<https://example.com/1>"
    assert link("Bridge", "http://example.com") == "Bridge: `http://example.com`"
    assert link("Bridge", "javascript:alert(1)") == "Bridge: `javascript:alert(1)`"
    assert link("", "see @alice") == "see @&#8203;alice"
    assert link("Bridge", "https://e.com/> [z](y") == "Bridge: `https://e.com/> [z](y`"


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("p95 > 2s in eu-west-1 (50 %)", "p95 > 2s in eu-west-1 (50 %)"),
        ("see https://e.com/a_b#1.", "see `https://e.com/a_b#1`."),
        ("[Log in](https://e.com)", "\\[Log in\\](`https://e.com`)"),
        ("rm -rf /tmp/*", "rm -rf /tmp/\\*"),
        ("ps | grep x", "ps \\| grep x"),
        ("`ps | grep x`", "`ps `&#124;` grep x`"),
        ("costs $5", "costs <span>$</span>5"),
        ("arn:aws:iam::1:x fe80::1:2 12:30:45", "arn:aws:iam::1:x fe80::1:2 12:30:45"),
        ("1. Fix it", "1\\. Fix it"),
    ],
)
def test_a_line_is_escaped_no_more_than_it_takes(text: str, made: str) -> None:
    """An address and a pipe in code can be copied as they were typed."""
    assert inline(text) == made


def test_a_list_keeps_its_marks_and_its_numbers() -> None:
    """Indents go, since they would make code; a number that the list would not show stays as typed."""
    assert markdown("1. a\n2. b\n5. c") == "1. a\n2. b\n5\\. c"
    assert markdown("- a\n    - *b* c\n\n        d") == "- a\n- *b* c\n\nd"
    assert markdown("> **now** | x") == "> **now** \\| x"
