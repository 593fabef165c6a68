"""A document as a page: complete by itself, unable to run or load anything, the same bytes each time."""

from __future__ import annotations

import re
from base64 import b64encode
from html.parser import HTMLParser

import pytest

from incident_ops.documents.html_page import MOST_BYTES_OF_PICTURE, html_page
from tests.render.test_documents import HOSTILE, example, rich

ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "h4", "h5", "h6", "p", "ul", "ol"),
    *("li", "a", "blockquote", "div", "table", "thead", "tbody", "tr", "th", "td", "code", "pre", "img", "hr", "br"),
    *("strong", "em", "s"),
    *("svg", "path", "rect", "text"),
}


class Tags(HTMLParser):
    """The tags of a page, and every address in it."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def tags(page: str) -> Tags:
    found = Tags()
    found.feed(page)
    return found


def page(text: str) -> str:
    return html_page(text, lambda _name: None)


def test_it_is_the_document() -> None:
    shown = page(example("INC-20250120-102000")["postmortem.md"])
    assert "<title>Postmortem: Database migration locks the users table and the API fails</title>" in shown
    for part in (
        "<h2>Executive summary</h2>",
        "<td>10:30</td>",
        "<strong>Who was affected:</strong>",
        "<code>@jane</code>",
    ):
        assert part in shown
    assert 'href="timeline.html"' in shown
    assert 'href="../INC-20241115-140000/incident.html"' in shown
    assert "incident-ops v1 document" not in shown
    assert "_" not in re.findall(r"<em>(.*?)</em>", shown)[0]
    assert shown == page(example("INC-20250120-102000")["postmortem.md"])


def test_boxes_are_signs() -> None:
    shown = page(example("INC-2025-05678")["postmortem.md"])
    assert '<li class="box">☑ Upgrade to 2.3.2 (done 2025-10-21)</li>' in shown
    assert '<li class="box">☐ Memory profiling</li>' in shown


@pytest.mark.parametrize("layout", ["sev0-3", "itil-p1-p4", "sev1-3", "p0-p3"])
def test_nothing_in_it_can_run_or_load(layout: str) -> None:
    for text in rich(HOSTILE + "<script>alert(1)</script>", layout).values():
        found = tags(page(text))
        assert found.names <= ALLOWED
        assert not [name for name, _ in found.attributes if name.startswith("on") or name in ("style", "srcset")]
        assert not [value for name, value in found.attributes if name in ("src", "href") and "javascript" in value]
        (policy,) = [value for _, value in found.attributes if value.startswith("default-src 'none'")]
        assert "script-src" not in policy


def test_a_picture_beside_the_record_is_inside_the_page() -> None:
    picture = b"\x89PNG\r\n"
    shown = html_page("# T\n\n![errors](errors.png)\n", {"errors.png": picture}.get)
    assert f'src="data:image/png;base64,{b64encode(picture).decode()}" alt="errors"' in shown


@pytest.mark.parametrize(
    ("name", "content"), [("a.svg", b"<svg/>"), ("a.png", None), ("a.png", b"x" * (MOST_BYTES_OF_PICTURE + 1))]
)
def test_a_picture_that_cannot_be_shown_is_named(name: str, content: bytes | None) -> None:
    shown = html_page(f"# T\n\n![errors]({name})\n", lambda _name: content)
    assert "<img" not in shown
    assert "[picture: errors]" in shown
