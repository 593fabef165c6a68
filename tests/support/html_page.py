"""An HTML page read strictly: what is wrong with it for browsers, for screen readers, and for safety."""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise

VOID = {"meta", "br", "img", "link", "input", "hr"}
KNOWN = {
    *("html", "head", "meta", "title", "style", "body", "main", "header", "section", "h1", "h2", "h3", "p", "span"),
    *("ul", "ol", "li", "dl", "div", "dt", "dd", "figure", "figcaption", "details", "summary"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td"),
    *("svg", "defs", "pattern", "path", "line", "rect", "circle", "text"),
}
"""All elements that a page of ours may have: none of them runs or fetches anything."""
FORBIDDEN = re.compile(r"on.*|style|href|src|srcset|xlink:href|action|formaction")


class HtmlPage(HTMLParser):
    """The page's elements, its visible text, and what does not fit together."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.style = ""
        self.broken: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        self.broken += [f"<{tag}> is not closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = Counter(name for name, _ in attrs)
        self.broken += [f"{name} twice in <{tag}>" for name, count in names.items() if count > 1]
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.broken.append(f"</{tag}> closes another element")

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            self.style += data
        elif data.strip():
            self.words.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        """What a person reads, in one line."""
        return " ".join(self.words)

    def of(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every element of that name."""
        return [attributes for name, attributes in self.elements if name == tag]


def faults(text: str) -> list[str]:
    """What is wrong with a page; nothing for one that is fine."""
    page = HtmlPage(text)
    start = [] if text.startswith("<!DOCTYPE html>\n<html lang=") else ["no doctype, or no language"]
    return [*start, *page.broken, *_unsafe(page, text), *_unreadable(page)]


def _unsafe(page: HtmlPage, text: str) -> Iterator[str]:
    for tag, attributes in page.elements:
        if tag not in KNOWN:
            yield f"<{tag}>"
        yield from (f"{name} in <{tag}>" for name in attributes if FORBIDDEN.fullmatch(name))
        if tag == "meta" and attributes.get("http-equiv", "Content-Security-Policy") != "Content-Security-Policy":
            yield f"<meta http-equiv={attributes['http-equiv']}>"
    policy = next((one["content"] for one in page.of("meta") if one.get("http-equiv")), "")
    digest = b64encode(sha256(page.style.encode()).digest()).decode()
    if policy != f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'":
        yield f"its policy is {policy!r}"
    if "://" in text or "@import" in page.style or re.search(r"url\((?!#)", page.style):
        yield "it names something elsewhere"
    yield from (f"{char!r} stands in it" for char in sorted(set(text)) if not char.isprintable() and char != "\n")


def _unreadable(page: HtmlPage) -> Iterator[str]:
    names = [tag for tag, _ in page.elements]
    levels = [int(tag[1]) for tag in names if re.fullmatch(r"h[1-6]", tag)]
    if levels.count(1) != 1 or levels[0] != 1 or any(later > before + 1 for before, later in pairwise(levels)):
        yield f"headings of levels {levels}"
    for drawing in page.of("svg"):
        is_said = drawing.get("role") == "img" and drawing.get("aria-label", "").strip()
        if not is_said and drawing.get("aria-hidden") != "true":
            yield "a picture without words"
    if names.count("figure") != names.count("figcaption") or names.count("table") < names.count("figure"):
        yield "a figure without a caption or a table"
    if names.count("table") != names.count("caption") or any(
        one.get("scope") not in ("row", "col") for one in page.of("th")
    ):
        yield "a table without a caption, or a head without a scope"
    yield from (
        f"id {name} twice"
        for name, count in Counter(one["id"] for _, one in page.elements if "id" in one).items()
        if count > 1
    )
    if names.count("title") != 1 or names.count("main") != 1 or not page.of("html")[0].get("lang"):
        yield "no title, main part or language"
