"""Markdown that people wrote in a record, written anew so that it can do what a document may and nothing else.

It is parsed as GitHub would, and put together again from what the parser found: headings below those of the document,
paragraphs, lists, quotes, tables, code, https links, and pictures that lie beside the record. HTML, mentions,
references, closing words and every other address become the text that they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from incident_ops.documents.markdown import code, inline, link, printable

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_TOP_HEADING = 3
_LOWEST_HEADING = 6
_PICTURE = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,100}\.(?:png|jpe?g|gif|svg|webp)", re.IGNORECASE)
_RUNS = re.compile(r"`+")
_DRAWN = frozenset({"mermaid", "math", "geojson", "topojson", "stl"})
"""Languages whose code GitHub draws, with links, instead of showing it."""


def code_block(text: str, language: str | None = None) -> str:
    """Code between fences that are longer than any inside it; what cannot be seen is left out."""
    shown = printable(text).rstrip("\n")
    ticks = "`" * max(3, 1 + max((len(run) for run in _RUNS.findall(shown)), default=0))
    return f"{ticks}{language or ''}\n{shown}\n{ticks}"


def narrative_markdown(text: str) -> str:
    """The story of a postmortem as Markdown that pings, links, closes, hides and loads nothing from outside."""
    return "\n\n".join(_blocks(_parser().parse(printable(text))))


@cache
def _parser() -> MarkdownIt:
    return document_parser()


def document_parser() -> MarkdownIt:
    """A parser of the Markdown that documents are made of."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False, "xhtmlOut": False}).enable(["table", "strikethrough"])


def _blocks(tokens: Sequence[Token]) -> Iterator[str]:
    place = 0
    while place < len(tokens):
        end = _end(tokens, place)
        if text := _block(tokens[place], tokens[place + 1 : end]):
            yield text
        place = end + 1


def _end(tokens: Sequence[Token], start: int) -> int:
    """The place of the token that closes the one at `start`; `start` where it is a block by itself."""
    if tokens[start].nesting != 1:
        return start
    depth = 0
    for place in range(start, len(tokens)):
        depth += tokens[place].nesting
        if depth == 0:
            return place
    return len(tokens) - 1


def _block(token: Token, inner: Sequence[Token]) -> str:
    match token.type:
        case "heading_open":
            level = min(_LOWEST_HEADING, _TOP_HEADING - 1 + int(token.tag[1]))
            return f"{'#' * level} {_spans(inner).strip()}"
        case "paragraph_open":
            return _spans(inner)
        case "bullet_list_open" | "ordered_list_open":
            return _list(token, inner)
        case "blockquote_open":
            return _indented("\n\n".join(_blocks(inner)), "> ", "> ")
        case "table_open":
            return _table(inner)
        case "fence" | "code_block":
            return code_block(token.content, _language(token.info))
        case "hr":
            return "---"
        case _:
            return inline(token.content) if token.content else ""


def _language(info: str) -> str | None:
    word = info.split()[0] if info.split() else ""
    is_drawn = word.lower() in _DRAWN
    return word if re.fullmatch(r"[A-Za-z0-9+#._-]{1,30}", word) and not is_drawn else None


def _first_number(token: Token) -> int:
    start = token.attrGet("start")
    return 1 if start is None else int(start)


def _list(token: Token, inner: Sequence[Token]) -> str:
    number = _first_number(token) if token.type == "ordered_list_open" else None
    lines, place = [], 0
    while place < len(inner):
        end = _end(inner, place)
        sign = "- " if number is None else f"{number}. "
        item = inner[place + 1 : end]
        joint = "\n" if any(one.type == "paragraph_open" and one.hidden for one in item) else "\n\n"
        lines.append(_indented(joint.join(_blocks(item)), sign, " " * len(sign)))
        number = None if number is None else number + 1
        place = end + 1
    return "\n".join(lines)


def _indented(text: str, first: str, rest: str) -> str:
    lines = text.split("\n")
    return "\n".join(
        (first if place == 0 else rest) + line if line else rest.rstrip() for place, line in enumerate(lines)
    )


def _table(inner: Sequence[Token]) -> str:
    rows: list[list[str]] = []
    for place, token in enumerate(inner):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and inner[place - 1].type in ("th_open", "td_open"):
            rows[-1].append(_spans([token]).replace("\n", " "))
    head = rows[0] if rows else []
    lines = [head, ["---"] * len(head), *rows[1:]]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) if head else ""


def _spans(tokens: Sequence[Token]) -> str:
    """What stands in a paragraph, a heading or a cell."""
    children = [child for token in tokens for child in (token.children or [])]
    return "".join(_span_texts(children))


_MARKS = {"strong_open": "**", "strong_close": "**", "em_open": "_", "em_close": "_", "s_open": "~~", "s_close": "~~"}


def _span_texts(children: Sequence[Token]) -> Iterator[str]:
    place = 0
    while place < len(children):
        token, end = children[place], _end(children, place)
        if token.type == "link_open":
            yield _link(str(token.attrGet("href") or ""), children[place + 1 : end])
            place = end
        elif token.type == "image":
            yield _picture(str(token.attrGet("src") or ""), token.content)
        elif token.type == "code_inline":
            yield code(token.content)
        elif token.type in ("softbreak", "hardbreak"):
            yield "\n" if token.type == "softbreak" else "  \n"
        else:
            yield _MARKS.get(token.type) or _words(token.content)
        place += 1


def _words(text: str) -> str:
    """Text between marks, its outer blanks kept."""
    inner = text.strip()
    if not inner:
        return " " if text else ""
    lead, tail = (" " if text[0] == " " else ""), (" " if text[-1] == " " else "")
    return f"{lead}{inline(inner)}{tail}"


def _link(address: str, children: Sequence[Token]) -> str:
    return link(" ".join(child.content for child in children if child.content), address)


def _picture(source: str, words: str) -> str:
    """A picture from the folder of the record; any other one is its words and its address, as text."""
    if _PICTURE.fullmatch(source):
        return f"![{inline(words)}]({source})"
    return inline(f"{words} ({source})" if words else source)
