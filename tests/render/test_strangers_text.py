"""Whatever a record's text holds, GitHub's own renderer shows it as text, and what our templates made stays as it was.

Each text goes through each filter into each place where our templates put one, and the page is compared with the same
template around harmless words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from itertools import product
from typing import Any

import jinja2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.documents.duty_reports import QUESTIONS, duty_report
from incident_ops.documents.issue_comments import unsettled_comment
from incident_ops.documents.markdown import code, inline, link, markdown
from incident_ops.documents.message_request import PUBLIC_TEXTS, MessageRequest, MessageSources
from incident_ops.documents.messages import message_for
from incident_ops.documents.war_room import war_room_sheet
from incident_ops.domain.incident import (
    ActionItem,
    Impact,
    Incident,
    Links,
    Measure,
    NamedLink,
    Postmortem,
    Prevention,
    Roles,
)
from incident_ops.domain.policy import Deadline, Service
from incident_ops.domain.public_updates import STATUSES
from incident_ops.domain.time import parse_instant
from incident_ops.resources import folder, preset_names
from tests.render.test_documents import MINIMAL
from tests.render.test_documents import made as documents_of
from tests.render.test_documents import policy as made_policy
from tests.render.test_issue_bodies import body, of_item
from tests.support.gfm import ZERO_WIDTH, Page, rendered
from tests.support.hostile import GLUES, PIECES, hostile_text
from tests.support.laws import cells_run, count_of, law

Fill = Callable[[str], str]

TEMPLATES = folder("templates")
LAW = "texts of strangers"
WORDS = "harmless words"
PLACES = {
    "paragraph": "{}\n\nafter",
    "line": "before {} after",
    "second line": "before\n{}\nafter",
    "after a hard break": "before\\\n{}",
    "list": "- {}\n- after",
    "line of an item": "- before\n  In {}: after\n- after",
    "box": "- [ ] **AI-1** {} · P1 <!-- box:a -->\n- [x] {} <!-- box:b -->",
    "heading": "# {}\n\nafter",
    "quote": "> **Goal:** {}\n>\n> {}",
    "cell": "| a | b |\n| --- | --- |\n| {} | b |\n| `c` | {} |\n\nafter",
    "head of a table": "| {} | b |\n| --- | --- |\n| c | d |",
    "bold": "- **{}**\n\n**{}** after",
    "note": "before _({})_",
    "joined": "{} · {}",
    "beside a link": "[a](<https://example.com/1>) · {}: <https://example.com/2>",
}
ON_ITS_OWN = {
    "block": "before\n\n{}\n\nafter",
    "after a label": "**Done when:** {}\n\n| a |\n| --- |\n| b |",
    "above a table": "{}\n\n| a | b |\n| --- | --- |\n| c | d |\n\n- [ ] box",
}
SUBJECT = "**{}**\n\nafter"
ADDRESS = "https://example.com/"
OF_TEXT = {"code", "span"}
_KEY = re.compile(r"box:prevention/\S+|incident-ops v1 document [0-9a-f]+")  # a digest of the text
_SHAPE = re.compile(r"h\d|table|tr|td|th|input|details|<!--")
OF_BLOCKS = {"code", "span", "em", "strong", "p", "ul", "ol", "li", "blockquote", "br"}

UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)


def expected(text: str) -> str:
    """A text as it is to be read: without what cannot be seen."""
    return folded(UNSEEN.sub("", text))


def folded(text: str) -> str:
    return " ".join(text.replace(ZERO_WIDTH, "").split())


def bare(text: str, signs: str) -> str:
    """A text without white space and signs that a page shows in another way."""
    return re.sub(rf"[\s{re.escape(signs)}]", "", text.replace(ZERO_WIDTH, ""))


@cache
def harmless(template: str, word: str = WORDS) -> Page:
    return rendered(template.replace("{}", word))


def check(template: str, made: str, text: str, free: set[str], words: Callable[[str], str], like: Page) -> None:
    """The page has the template's tags and nothing live, and every word can be read.

    `free` are the tags that a text may add; `words` is how two texts are compared; `like` is the template around
    harmless words.
    """
    page = rendered(template.replace("{}", made))
    tags, wanted = ([tag for tag in one.tags if tag not in free] for one in (page, like))
    assert tags == wanted, (text, made, page.tags)
    assert page.live == like.live, (text, made)
    assert words(page.text) == words(like.text.replace(WORDS, expected(text))), (text, made, page.text)


def check_line(text: str, template: str) -> None:
    """`inline` in a place for one line."""
    made = inline(text)
    words = (lambda one: bare(one, "`")) if "`" in text else folded
    check(template, made, text, OF_TEXT, words, harmless(template, WORDS if made else ""))


def check_code(text: str, template: str) -> None:
    made = code(text)
    check(template, made, text, {"code"}, folded, harmless(template, WORDS if made else ""))


def check_name(text: str, template: str) -> None:
    """A hostile name of a good address: one link, to the address."""
    like = harmless(template, f"[{WORDS}](<{ADDRESS}>)" if inline(text) else f"<{ADDRESS}>")
    check(template, link(text, ADDRESS), text, OF_TEXT, lambda one: bare(one, "`"), like)


def check_address(text: str, template: str) -> None:
    """A hostile address: text after its name, unless it is an address."""
    made = link("Bridge", text)
    typed = text.replace("&", "&amp;")  # as it is: an entity in it is no other character
    like = harmless(template, f"Bridge: {WORDS if code(text) else ''}" if made[0] != "[" else f"[Bridge](<{typed}>)")
    check(template, made, "" if made[0] == "[" else text, {"code"}, folded, like)


def check_blocks(text: str, template: str) -> None:
    """`markdown`: paragraphs, lists, quotes, emphasis and code are the author's, nothing else."""
    made = markdown(text)
    like = harmless(template, WORDS if made.strip() else "")
    check(template, made, text, OF_BLOCKS, lambda one: bare(one, "`*_>+-.)"), like)


def check_everything(text: str, at: int) -> None:
    """Each filter, in the place whose turn it is; `at` counts the texts."""
    places, own = list(PLACES.values()), list(ON_ITS_OWN.values())
    place = places[at % len(places)]
    check_line(text, place)
    check_code(text, place)
    (check_name if at // len(places) % 2 else check_address)(text, place)
    check_blocks(text, own[at % len(own)])


def everywhere(text: str) -> None:
    for template in PLACES.values():
        for one in (check_line, check_code, check_name, check_address):
            one(text, template)
    for template in ON_ITS_OWN.values():
        check_blocks(text, template)
    check_blocks(" ".join(text.split()), SUBJECT)


FOUND = (
    "Login fails https://e.x/`@acme/security fixes #1 <img src=https://evil/p.png> <details>`",
    "Down\n| `a | @acme/everybody fixes #1` |",
    "| `a | @acme/everybody fixes #1` |\n| --- | --- |\n| b | c |",
    "_GH-1_",
    "[Acknowledge this page](https://evil/login)",
    "[x](javascript:alert(1))",
    "<https://evil/login>",
    "www.evil.example",
    "see https://evil/login",
    "mail a@evil.example",
    "a](https://evil) [b",
    "Ends with C #",
    "1. Fix it",
    "- [x] done",
    "> [!CAUTION]\n> Do it now",
    "a[^1]\n\n[^1]: b",
    "a\n===",
    "a\n:-",
    "a\n\n    @acme `code`",
    "- a\n\n      @acme",
    "rm -rf /tmp/* and /var/*",
    "costs $5 or 6$, `$x`",
    ":x: failed :shipit:",
    "0123456789abcdef0123456789abcdef01234567",
    "`0123456789abcdef0123456789abcdef01234567`0123456789abcdef0123456789abcdef01234567",
    "`kubectl get pods | grep -v Running`",
    "a\\|b\\",
    "&#64;acme &commat;acme &amp;#64;acme",
    "a\0b\u202ec\u200bd\u2066e@\u200bacme #\u20601",
    "+@.H",
    "0123456789abcdef0123456789abcdef01234567_a and a_https://e.x/",
    "é0123456789abcdef0123456789abcdef01234567é",
    "\u200b",
)


@pytest.mark.parametrize("text", FOUND)
def test_each_text_that_once_broke_out_stays_text(text: str) -> None:
    """What was found by hand, in every place."""
    everywhere(text)


@pytest.mark.parametrize("piece", PIECES)
def test_each_piece_alone_stays_text(piece: str) -> None:
    """Every sign that means something to GitHub, at the start, in the middle and at the end."""
    for at, text in enumerate((piece, f"word {piece}", f"{piece} word", f"a{piece}b", f"a\n{piece}\nb")):
        for turn in range(4):
            check_everything(text, at + 7 * turn)


@pytest.mark.law
@pytest.mark.parametrize("part", range(30))
def test_no_mixture_of_pieces_breaks_out(part: int, record_property: Callable[[str, object], None]) -> None:
    """10,000 texts a part."""
    count = count_of(10_000, sample=10)
    for at in range(count):
        check_everything(hostile_text(f"{part}/{at}"), at)
    record_property(*cells_run(LAW, f"part {part}", count, 10_000))


pieces = st.lists(st.sampled_from((*PIECES, *GLUES)), max_size=10).map("".join)


def test_an_empty_line_ends_no_list() -> None:
    """Else the number that follows would be shown as the next one of the list."""
    assert markdown("2. b\n\n1. a") == "2. b\n\n1\\. a"


def test_an_entity_in_an_address_stays_what_it_is() -> None:
    check_address("https://e.x/&#64;acme", "{}\n\nafter")


@law(LAW, whole=10_000, sample=50)
@given(st.one_of(pieces, st.text(max_size=40)), st.integers(0, 1_000))
def test_no_text_at_all_breaks_out(text: str, at: int) -> None:
    """Whatever hypothesis thinks of; what it finds, it makes short."""
    check_everything(text, at)


def whole_record(text: str) -> dict[str, Any]:
    """The fields of a record that has every part a document shows, with one text wherever the schema takes any."""
    at = "2025-03-01T23:31:00Z"
    entry = {"at": at, "event": text, "action": text, "result": text, "by": text, "ref": text}
    paper: dict[str, Any] = dict.fromkeys(("summary", "public_summary", "conclusion", "approved_by"), text)
    paper |= {name: [text] for name in ("went_well", "went_poorly", "lucky", "authors", "reviewers", "attendees")}
    paper |= {"lessons": {kind: [text] for kind in ("technical", "process", "cultural")}, "follow_up_on": "2025-04-01"}
    paper |= {"prevention": {term: [{"text": text}] for term in ("short", "medium", "long")}, "status": "draft"}
    cause = {"category": "deploy", "five_whys": [{"why": text, "because": text}], "contributing": [text]}
    item = {"id": "AI-1", "description": text, "acceptance": text, "reason": text, "status": "wont_do"}
    series = [{"name": text, "unit": "percent", "points": [{"from": at, "to": "2025-03-01T23:36:00Z", "value": 1}]}]
    return {
        "title": text,
        "description": text,
        "detection": {"source": "alert", "detail": text},
        "roles": {"commander": text, "technical_lead": text},
        "impact": {"summary": text, "qualitative": [text], "data_loss": text, "users": text, "series": series},
        "timeline": [{**entry, "kind": "action"}, {**entry, "kind": "runbook", "result": f"failed, {text}"}],
        "updates": [{"at": at, "audience": "internal", "status": "investigating", "text": text}],
        "links": {"bridge": text, "others": [{"name": text, "url": "https://example.com/1"}]},
        "cause": {**cause, **dict.fromkeys(("what", "why", "where", "trigger", "ref"), text)},
        "resolution": dict.fromkeys(("immediate", "permanent", "deployed", "ref"), text),
        "postmortem": paper,
        "action_items": [{**item, "title": text}, {"id": "AI-2", "title": text, "owner": text, "kind": "runbook"}],
    }


ELSEWHERE = {
    "canary-page.html.j2": "tests/render/test_canary_page.py",
    "document-page.html.j2": "tests/render/test_html_page.py",
    "sections/narrative.md.j2": "tests/render/test_narrative.py",
}
"""The templates that hold another kind of text, and the tests that give them a hostile one."""


def test_no_template_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file of the folder is among what is filled with strangers' texts here, or is named with its test.

    A runbook's starter holds a name and an owner that the schema has checked, and becomes a file that people edit.
    """
    used: set[str] = set()
    load = jinja2.Environment._load_template

    def noted(self: jinja2.Environment, name: str, names: Any) -> jinja2.Template:
        used.add(name)
        return load(self, name, names)

    monkeypatch.setattr(jinja2.Environment, "_load_template", noted)
    pages(WORDS)
    there = {path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.j2")}
    assert {name for name in there - used - ELSEWHERE.keys() if not name.startswith("runbooks/")} == set()
    for name, test in ELSEWHERE.items():
        assert name in there - used
        assert "<script" in (TEMPLATES.parent / test).read_text(encoding="utf-8")


def pages(text: str) -> list[str]:
    """Every kind of page that holds a record's words, with one text wherever the schema takes any."""
    documents = [page for layout in preset_names() for page in documents_of(layout, **whole_record(text)).values()]
    issue = body(
        title=text,
        description=text,
        services=[text],
        impact=Impact(summary=text),
        roles=Roles(commander=text),
        links=Links(bridge=text, others=[NamedLink(name=text, url="https://example.com/1")]),
        action_items=[ActionItem(id="AI-1", title=text, owner=text)],
        postmortem=Postmortem(status="draft", prevention=Prevention(short=[Measure(text=text)])),
    )
    of_its_item = of_item(title=text, description=text, acceptance=text, owner=text, evidence=text, reason=text)
    whole = {**whole_record(text), "timeline": [{"at": "2025-03-01T23:31:00Z", "kind": "decision", "event": text}]}
    working = msgspec.convert({**MINIMAL, **whole, "state": "in_progress"}, Incident)
    sheet = war_room_sheet(working, made_policy("sev0-3"), parse_instant("2025-03-01T23:40:00Z"))
    return [*documents, issue, of_its_item, sheet, unsettled_comment([text, text]), *messages(text)]


def messages(text: str) -> list[str]:
    """Every text of `comms draft`, with one text wherever the record, the services and the policy take any."""
    update = {"at": "2025-03-01T23:31:00Z", "status": "identified", "text": text}
    fields: dict[str, Any] = {
        "title": text,
        "description": text,
        "visibility": "public",
        "services": ["api", text],
        "impact": {"summary": text, "revenue": text, "users": text, "data_loss": text},
        "timeline": [{"at": "2025-03-01T23:31:00Z", "kind": "action", "event": text, "action": text, "result": text}],
        "updates": [{**update, "audience": "public"}, {**update, "audience": "internal"}],
        "cause": {"category": "deploy", "what": text, "why": text},
        "resolution": {"immediate": text, "permanent": text, "deployed": text},
        "postmortem": {"status": "draft", "summary": text, "public_summary": text, "meeting": "2025-03-02"},
        "action_items": [{"id": "AI-1", "title": text, "owner": text, "due": "2025-03-05"}],
    }
    sources = MessageSources(
        made_policy("sev1-3"),
        {"api": Service(owner=text, public_name=text)},
        parse_instant("2025-03-01T23:40:00Z"),
        text,
    )
    incident = msgspec.convert({**MINIMAL, "severity": "SEV-1", **fields}, Incident)
    wanted = [MessageRequest("public", status, kind) for status, kind in product(STATUSES, PUBLIC_TEXTS)]
    wanted += [MessageRequest(audience, status) for audience in ("internal", "executive") for status in STATUSES]
    reports = [
        Deadline(id="bank", to=text, source=text),
        *(Deadline(id=name, to=text, source=text) for name in QUESTIONS),
    ]
    return [
        *(message_for(incident, sources, one).markdown for one in wanted),
        *(duty_report(incident, sources, one).markdown for one in reports),
    ]


@pytest.mark.parametrize("number", range(60))
def test_the_whole_pages_hold_nothing_of_it(number: int) -> None:
    """Documents, both kinds of issues and the comment: nothing is live, no tag is there that words would not make."""
    text = FOUND[number] if number < len(FOUND) else hostile_text(f"page {number}")
    for source, plain in zip(pages(text), pages(WORDS), strict=True):
        page, like = rendered(source), rendered(plain)
        assert page.live == like.live, (text, source)
        links = {f'a href="{text}"'} if text.startswith("https://") else set()
        tags, wanted = ([_KEY.sub("box:", tag) for tag in one.tags if tag not in OF_BLOCKS] for one in (page, like))
        assert set(tags) - links <= set(wanted), (text, source)
        assert not inline(text) or [tag for tag in tags if _SHAPE.match(tag)] == [
            tag for tag in wanted if _SHAPE.match(tag)
        ], (
            text,
            source,
        )
