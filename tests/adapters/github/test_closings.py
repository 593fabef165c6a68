"""Who closed an issue, when, and with what, out of its timeline."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from incident_ops.adapters.github.timelines import Event, acts, closing
from incident_ops.domain.tracker import Closing

SITE = "https://github.com"
CLOSED = {"event": "closed", "actor": {"login": "alice"}, "created_at": "2026-11-21T12:00:00Z", "commit_url": None}
AT = "2026-11-21T12:00:00Z"
PULL = "https://github.com/acme/app/pull/9"


def _pull(merged: str | None, text: str | None = "", url: str = PULL) -> dict[str, Any]:
    source = {"html_url": url, "body": text, "pull_request": {"merged_at": merged, "html_url": url}}
    return {"event": "cross-referenced", "created_at": merged, "source": {"type": "issue", "issue": source}}


def _read(*events: dict[str, Any]) -> Closing:
    return closing(msgspec.convert(list(events), list[Event]), 12, SITE)


def test_the_last_closing_counts() -> None:
    """Closed by bob, reopened, closed by alice: alice."""
    first = {**CLOSED, "actor": {"login": "bob"}, "created_at": "2026-11-01T00:00:00Z"}
    assert _read(first, {"event": "reopened"}, CLOSED, {"event": "labeled"}) == Closing(by="alice", at=AT)


def test_nothing_known_is_nothing_said() -> None:
    """No closing in the timeline, or by an account that is gone."""
    assert _read({"event": "labeled"}) == Closing()
    assert _read({**CLOSED, "actor": None}) == Closing(at=AT)
    assert _read({**CLOSED, "created_at": "2026-11-21T12:00:00.555Z"}).at == AT


@pytest.mark.parametrize(
    ("by", "association", "belongs"),
    [("alice", "MEMBER", True), ("alice", "CONTRIBUTOR", False), ("bob", "OWNER", False)],
)
def test_a_comment_in_the_timeline_says_who_belongs(by: str, association: str, belongs: bool) -> None:
    """Of whoever closed it, by the name that GitHub gives the author of a comment."""
    said = {"event": "commented", "actor": {"login": by}, "author_association": association}
    assert _read(said, CLOSED).belongs is belongs
    assert acts(msgspec.convert([said, CLOSED], list[Event]))[0].belongs is belongs


def test_who_set_which_label() -> None:
    """As GitHub's timeline has it."""
    label = {"name": "reopen", "color": "ededed"}
    event = {"event": "labeled", "actor": {"login": "bob"}, "created_at": "2026-11-21T12:00:00Z", "label": label}
    (found,) = acts(msgspec.convert([event], list[Event]))
    assert (found.event, found.by, found.at, found.whom) == ("labeled", "bob", AT, "reopen")


def test_a_commit_that_closed_it_is_the_evidence() -> None:
    """At the address where people read it, in its own repository."""
    by_commit = {**CLOSED, "commit_url": "https://api.github.com/repos/acme/app/commits/0a1b2c3d"}
    assert _read(_pull("2026-11-21T11:59:50Z"), by_commit).evidence == "https://github.com/acme/app/commit/0a1b2c3d"
    assert _read({**CLOSED, "commit_url": "https://evil.example/x"}).evidence is None


@pytest.mark.parametrize(
    ("merged", "text", "counts"),
    [
        ("2026-11-21T11:59:57Z", "", True),
        ("2026-11-21T11:59:57Z", None, True),
        ("2026-11-20T00:00:00Z", "Fixes #12", True),
        ("2026-11-20T00:00:00Z", "closes: acme/app#12.", True),
        ("2026-11-20T00:00:00Z", "Resolves https://github.com/acme/app/issues/12", True),
        ("2026-11-20T00:00:00Z", "fixes #123, see #12", False),
        ("2026-11-20T00:00:00Z", "see #12", False),
        ("2026-11-21T13:00:00Z", "Fixes #12", False),
        (None, "Fixes #12", False),
        ("soon", "Fixes #12", False),
    ],
)
def test_a_pull_request_counts_where_it_closed_the_issue(merged: str | None, text: str | None, counts: bool) -> None:
    """Merged before, and either it says so or the closing followed at once."""
    assert _read(_pull(merged, text), CLOSED).evidence == (PULL if counts else None)


def test_the_pull_request_merged_last_is_named() -> None:
    """Of several, the one that did it."""
    late = _pull("2026-11-21T11:59:57Z", url="https://github.com/acme/app/pull/10")
    assert _read(late, _pull("2026-11-20T00:00:00Z", "fix #12"), CLOSED).evidence == late["source"]["issue"]["html_url"]


def test_a_mention_by_an_issue_is_no_evidence() -> None:
    """Cross-references come from issues too, and from nothing at all."""
    mention = {"event": "cross-referenced", "source": {"issue": {"html_url": "x", "body": "fixes #12"}}}
    assert _read(mention, {"event": "cross-referenced", "source": {}}, CLOSED).evidence is None
