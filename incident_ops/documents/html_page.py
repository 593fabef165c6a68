"""A document as one HTML page to send or print: no script, nothing from elsewhere, pictures inside it."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from incident_ops.documents.document_mark import DOCUMENT_NAMES, without_mark
from incident_ops.resources import resource_text

if TYPE_CHECKING:
    from jinja2 import Template
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MOST_BYTES_OF_PICTURE = 5_000_000
_KINDS = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
_DOCUMENT = re.compile(rf"(\.\./[A-Za-z0-9-]+/)?({'|'.join(map(re.escape, DOCUMENT_NAMES))})")
_BOXES = {"[x] ": "☑ ", "[ ] ": "☐ "}


def html_page(document: str, picture: Callable[[str], bytes | None]) -> str:
    """The page of a rendered document. `picture` gives the bytes of a file beside the record, None where there is none.

    The same document gives the same bytes. A picture that is missing, too large or a drawing that can hold scripts is
    named instead of shown.
    """
    style = resource_text("templates/document-page.css")
    parser = _parser()
    tokens = parser.parse(without_mark(document).replace("<span>$</span>", "$"))
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
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
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
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    return parser


def _table_open(_renderer: Any, _tokens: Any, _place: Any, _options: Any, _env: Any) -> str:
    """A table in a box that scrolls on a phone, also by keyboard."""
    return '<div class="wide" tabindex="0" role="group" aria-label="Table"><table>\n'


def _table_close(_renderer: Any, _tokens: Any, _place: Any, _options: Any, _env: Any) -> str:
    return "</table></div>\n"


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
            return "".join(child.content for child in tokens[place + 1].children or [])
    return ""
