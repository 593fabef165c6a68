"""A document as one HTML page to send or print: no script, nothing from elsewhere, pictures inside it."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from incident_ops.documents.document_mark import DOCUMENT_NAMES, without_mark
from incident_ops.documents.narrative import document_parser
from incident_ops.documents.page_pictures import MeasuredSpan, series_svg, timeline_svg
from incident_ops.documents.pictures import read_gantt
from incident_ops.resources import resource_text

if TYPE_CHECKING:
    from jinja2 import Template
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MOST_BYTES_OF_PICTURE = 5_000_000
_KINDS = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
_DOCUMENT = re.compile(rf"(\.\./[A-Za-z0-9-]+/)?({'|'.join(map(re.escape, DOCUMENT_NAMES))})")
_SERIES_HEAD = ["From – to (UTC)", "Value"]
_SPAN = re.compile(r"((?:\S{10} )?\d\d:\d\d) – ((?:\S{10} )?\d\d:\d\d)")
_LARGEST_VALUE = 1e15
_BOXES = {"[x] ": "☑ ", "[ ] ": "☐ "}


def html_page(document: str, picture: Callable[[str], bytes | None]) -> str:
    """The page of a rendered document. `picture` gives the bytes of a file beside the record, None where there is none.

    The same document gives the same bytes. A picture that is missing, too large or a drawing that can hold scripts is
    named instead of shown.
    """
    style = resource_text("templates/document-page.css")
    parser = _parser()
    tokens = parser.parse(without_mark(document).replace("<span>$</span>", "$"))
    tokens = list(_with_pictures(tokens))
    for place, token in enumerate(tokens[:-2]):
        if token.type == "list_item_open" and tokens[place + 2].content[:4] in _BOXES:
            token.attrSet("class", "box")
    for child in _children(tokens):
        _fit(child, picture)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    body = parser.renderer.render(tokens, parser.options, {})
    view: dict[str, Any] = {"style": style, "digest": digest, "title": _title(tokens), "body": body}
    return html_template("document-page.html.j2", lambda value: value).render(view)


@cache
def html_template(name: str, finalize: Callable[[Any], Any]) -> Template:
    """A template of a page: sandboxed, every value escaped, none missing; `finalize` sees each value first."""
    from jinja2 import FunctionLoader, StrictUndefined

    from incident_ops.documents.sandbox import Sandbox

    environment = Sandbox(
        loader=FunctionLoader(lambda file: resource_text(f"templates/{file}")),
        undefined=StrictUndefined,
        finalize=finalize,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name)


@cache
def _parser() -> MarkdownIt:
    parser = document_parser()
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    return parser


def _table_open(_renderer: Any, _tokens: Any, _place: Any, _options: Any, _env: Any) -> str:
    """A table in a box that scrolls on a phone, also by keyboard."""
    return '<div class="wide" tabindex="0" role="group" aria-label="Table"><table>\n'


def _table_close(_renderer: Any, _tokens: Any, _place: Any, _options: Any, _env: Any) -> str:
    return "</table></div>\n"


def _with_pictures(tokens: Sequence[Token]) -> Iterator[Token]:
    """The tokens with each timeline drawn instead of written, and with a picture above each table of a series."""
    for place, token in enumerate(tokens):
        timeline = read_gantt(token.content.rstrip("\n")) if token.type == "fence" and token.info == "mermaid" else None
        if timeline is not None:
            yield _drawn(token, timeline_svg(timeline))
            continue
        if token.type == "table_open":
            title = _plain_text(tokens[place - 2]) if place > 1 and tokens[place - 2].type == "inline" else ""
            yield _drawn(token, series_svg(title, _spans(_cells(tokens[place:]))))
        yield token


def _drawn(token: Token, svg: str) -> Token:
    return token.copy(type="html_block", tag="", nesting=0, content=svg, children=None, attrs={})


def _cells(tokens: Sequence[Token]) -> list[str]:
    """The text of every cell of the table that begins here."""
    end = next(place for place, token in enumerate(tokens) if token.type == "table_close")
    return [_plain_text(token) for token in tokens[:end] if token.type == "inline"]


def _spans(cells: Sequence[str]) -> list[MeasuredSpan]:
    """What the table of a series measured; [] for another table. An interval whose value is unknown is left out."""
    rows = zip(cells[2::2], cells[3::2], strict=False) if cells[:2] == _SERIES_HEAD else ()
    return [span for interval, value in rows if (span := _span(interval, value))]


def _span(interval: str, text: str) -> MeasuredSpan | None:
    found = _SPAN.fullmatch(interval)
    try:
        value = float(text.replace(",", ""))
        begin, end = (_clock_time(one) for one in found.groups()) if found else (None, None)
    except ValueError:
        return None
    is_drawable = begin and end and begin < end and abs(value) < _LARGEST_VALUE
    return MeasuredSpan(begin, end, value, text) if begin and end and is_drawable else None


def _clock_time(text: str) -> datetime:
    """`10:15`, or `2025-01-20 10:15`; without its day it is of any one day."""
    return datetime.strptime(text if " " in text else f"2000-01-01 {text}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


def _plain_text(token: Token) -> str:
    return "".join(child.content for child in token.children or [])


def _children(tokens: Sequence[Token]) -> Iterator[Token]:
    return (child for token in tokens for child in token.children or [])


def _fit(child: Token, picture: Callable[[str], bytes | None]) -> None:
    """Makes one piece of a line fit a page: pictures inside it, documents by their pages, boxes as signs."""
    if child.type == "image":
        _embed(child, picture)
    elif child.type == "link_open":
        target = str(child.attrGet("href") or "")
        if found := _DOCUMENT.fullmatch(target):
            child.attrSet("href", f"{found[1] or ''}{found[2].removesuffix('.md')}.html")
        else:
            child.attrSet("rel", "noopener noreferrer")
    elif child.type == "text" and child.content[:4] in _BOXES:
        child.content = _BOXES[child.content[:4]] + child.content[4:]


def _embed(child: Token, picture: Callable[[str], bytes | None]) -> None:
    source = str(child.attrGet("src") or "")
    kind = _KINDS.get(source.rpartition(".")[2].lower())
    content = picture(source) if kind else None
    if content is None or len(content) > MOST_BYTES_OF_PICTURE:
        child.type, child.tag, child.content = "text", "", f"[picture: {child.content or source}]"
        return
    child.attrSet("src", f"data:{kind};base64,{b64encode(content).decode()}")


def _title(tokens: Sequence[Token]) -> str:
    """The text of the first heading."""
    for place, token in enumerate(tokens):
        if token.type == "heading_open" and place + 1 < len(tokens):
            return _plain_text(tokens[place + 1])
    return ""
