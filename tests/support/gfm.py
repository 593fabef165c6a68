"""GitHub's renderer of Markdown (cmark-gfm), and what GitHub finds in a page that it has rendered."""

from __future__ import annotations

import html
import re
from typing import NamedTuple

from cmarkgfm import markdown_to_html_with_extensions
from cmarkgfm.cmark import Options

_EXTENSIONS = ["table", "autolink", "strikethrough", "tasklist"]
_PIECE = re.compile(r"<!--.*?-->|<(?P<end>/?)(?P<tag>[A-Za-z][\w-]*)(?P<rest>[^>]*)>|(?P<text>[^<]+)|<", re.DOTALL)
_START = re.compile(r'start="(\d+)"')
_SKIPPED = ("code", "pre", "a")
_MAYBE_LIVE = re.compile(r"[@#:$\[]|gh-|www|[0-9a-f]{40}", re.IGNORECASE)
ZERO_WIDTH = "\u200b"

LIVE = {
    "mention": re.compile(r"@[A-Za-z0-9]"),
    "reference": re.compile(r"#[0-9]|(?<![A-Za-z0-9])GH-[0-9]", re.IGNORECASE),
    "commit": re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{40}(?![0-9A-Za-z])", re.IGNORECASE),
    "closing": re.compile(
        r"\b(clos|fix|resolv)(e[sd]?|ed|es)?:?\s+(https?://|#\d|GH-\d|[\w.-]+/[\w.-]+#\d)", re.IGNORECASE
    ),
    "address": re.compile(r"(?:https?|ftp)://|(?<![A-Za-z0-9])www\.", re.IGNORECASE),
    "emoji": re.compile(r"(?<![:0-9A-Za-z]):[a-z0-9_+-]*[a-z0-9]:"),
    "math": re.compile(r"(?<![0-9A-Za-z])\$\S"),
    "alert": re.compile(r"^\[!"),
}
"""What GitHub acts on in a page's text outside code and links, after Markdown has been decoded."""


class Page(NamedTuple):
    """A rendered page: its tags in order (with the attributes that matter), its words, and what of them is live."""

    tags: list[str]
    text: str
    live: list[tuple[str, str]]


def rendered(source: str) -> Page:
    """Markdown -> what GitHub's renderer makes of it; raw HTML is not cleaned, so that it shows among the tags."""
    made = markdown_to_html_with_extensions(source, Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES, _EXTENSIONS)
    tags: list[str] = []
    words: list[str] = []
    live: list[tuple[str, str]] = []
    inside: list[str] = []
    counts: list[int | None] = []
    for piece in _PIECE.finditer(made):
        tag, text = piece["tag"], piece["text"]
        if text is not None:
            said = html.unescape(text)
            words.append(said)
            if _MAYBE_LIVE.search(said) and not any(one in _SKIPPED for one in inside):
                live += [(kind, said) for kind, pattern in LIVE.items() if pattern.search(said)]
        elif tag is None:
            tags.append(piece.group())
        elif piece["end"]:
            _close(tag, inside, counts)
        else:
            tags.append(_named(tag, piece["rest"]))
            words += _open(tag, piece["rest"], inside, counts)
    return Page(tags, "".join(words), live)


def _named(tag: str, rest: str) -> str:
    return tag if tag in ("ol", "td", "th") else f"{tag}{rest.rstrip(' /')}"


def _open(tag: str, rest: str, inside: list[str], counts: list[int | None]) -> list[str]:
    """The number that a page shows before an item of a list."""
    if tag not in ("br", "hr", "img", "input"):
        inside.append(tag)
    if tag in ("ol", "ul"):
        start = _START.search(rest)
        counts.append(None if tag == "ul" else int(start[1]) if start else 1)
    if tag == "li" and counts and counts[-1] is not None:
        counts[-1] += 1
        return [f"{counts[-1] - 1} "]
    return []


def _close(tag: str, inside: list[str], counts: list[int | None]) -> None:
    if tag in inside:
        del inside[len(inside) - 1 - inside[::-1].index(tag) :]
    if tag in ("ol", "ul") and counts:
        counts.pop()
