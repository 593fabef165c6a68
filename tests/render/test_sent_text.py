"""The words of what people send: what a record says is text in them, and a template is filled where it asks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.documents.sent_text import SentFacts, commit_message, pull_body, pull_title, with_edits
from incident_ops.domain.incident import Incident, Times

FACTS = SentFacts("INC-1", "Login fails", "SEV1", ("api", "web"), "incidents/INC-1/incident.yaml", "main")
INCIDENT = Incident(
    id="INC-1",
    title="Login fails",
    severity="SEV1",
    state="new",
    services=["api"],
    times=Times(declared="2025-01-26T12:05:00Z"),
)
LIVE = ("@alice", "#7", "GH-9", "https://", "[skip ci]", "[ci skip]", "[no actions]", "\n\n\nCo-authored-by:")
HOSTILE = st.lists(st.sampled_from([*LIVE, "fixes ", "\r\n", "`", "|", "<img>", "\x1b[2J", "word ", "\u202e"])).map(
    "".join
)


@given(HOSTILE)
def test_a_commit_and_a_title_say_nothing_to_github(text: str) -> None:
    """No mention, number, address or trailer is live, and nothing steers a terminal."""
    message = commit_message("INC-1", INCIDENT, (f"timeline: {text}",), is_new=False)
    title = pull_title(FACTS._replace(title=f"x {text}"), [message.split("\n")[0]])
    for made in (message, title):
        assert not [live for live in LIVE if live in made], made
        assert made.replace("\n", "").replace("\u200b", "").isprintable()
    assert "\n" not in title
    assert len(title) <= 256


def test_a_commit_says_what_was_done() -> None:
    """The newest first; of a declaration its subject is the declaration. A long line is whole in the list."""
    assert commit_message("INC-1", INCIDENT, (), is_new=True) == "INC-1: declared, SEV1"
    assert commit_message("INC-1", INCIDENT, ("one",), is_new=False) == "INC-1: one"
    assert commit_message("INC-1", INCIDENT, ("two", "one"), is_new=False) == ("INC-1: two, and 1 more\n\n- two\n- one")
    assert commit_message("INC-1", INCIDENT, ("two", "one"), is_new=True) == (
        "INC-1: declared, SEV1, and 2 more\n\n- two\n- one\n- declared, SEV1"
    )
    long = commit_message("INC-1", INCIDENT, ("x" * 200, "one"), is_new=False).split("\n")
    assert (len(long[0]), long[0][-13:], long[2]) == (100, "…, and 1 more", f"- {'x' * 200}")


def test_a_title_names_the_newest_edit_and_how_many_more() -> None:
    assert pull_title(FACTS, ["INC-1: declared, SEV1"]) == "INC-1: Login fails (SEV1): declared"
    assert (
        pull_title(FACTS, ["INC-1: resolved", "INC-1: x", "mine"]) == "INC-1: Login fails (SEV1): resolved, and 2 more"
    )
    assert pull_title(FACTS._replace(title="", label=""), ["x"]) == "INC-1: incident: x"


@pytest.mark.parametrize(
    "template", ["", "Thank you!", "**Level:** ?\n\n- [ ] a box", "## What changed?\n\n### Services\n"]
)
def test_every_fact_stands_in_the_text_once_whatever_the_template(template: str) -> None:
    body = pull_body(FACTS, ["INC-1: resolved"], template)
    for fact in ("INC-1 Login fails", "- resolved", "SEV1", "`api`, `web`", "Until then nobody is notified"):
        assert body.count(fact) == 1, body
    for line in template.split("\n"):
        assert line.removesuffix(" ?") in body


def test_the_edits_are_brought_up_to_date_and_a_persons_words_stay() -> None:
    body = f"My words.\n\n{pull_body(FACTS, ['one'], '')}\n\nMore."
    after = with_edits(body, ["two", "one"])
    assert after == body.replace("- one", "- two\n- one")
    assert with_edits("only mine", ["two"]) == "only mine"
