"""What the timeline of an issue tells: who closed, reopened and assigned it, and what closed it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from incident_ops.adapters.github.client import Client
from incident_ops.adapters.github.responses import BELONG, Account, Login, check
from incident_ops.domain.time import parse_instant, stamp
from incident_ops.domain.tracker import (
    ASSIGNED_EVENT,
    CLOSED_EVENT,
    LABELED_EVENT,
    REOPENED_EVENT,
    UNASSIGNED_EVENT,
    Act,
    Closing,
)
from incident_ops.errors import Incomplete

_COMMIT = re.compile(r"/repos/([^/]+/[^/]+)/commits/([0-9a-f]{7,64})$")
_SOON = timedelta(minutes=1)  # GitHub closes the issue within seconds of the merge


class _Merge(msgspec.Struct, frozen=True):
    merged_at: str | None = None
    html_url: str = ""


class _Source(msgspec.Struct, frozen=True):
    html_url: str = ""
    body: str | None = None
    pull_request: _Merge | None = None


class _From(msgspec.Struct, frozen=True):
    issue: _Source | None = None


class _Label(msgspec.Struct, frozen=True):
    name: str = ""


class Event(msgspec.Struct, frozen=True):
    """One entry of a timeline; entries of other kinds have other fields, and most have fewer."""

    event: str = ""
    actor: Account | None = None
    assignee: Login | None = None
    label: _Label | None = None
    created_at: str | None = None
    commit_url: str | None = None
    source: _From | None = None
    author_association: str = ""


def read(client: Client, number: int, doing: str) -> list[Event]:
    """The timeline of an issue or a pull request, oldest first; `doing` says for people what it is read for."""
    pages = client.pages(f"/issues/{number}/timeline", doing=doing)
    return [event for page in pages for event in check(page, list[Event], doing)]


def last_closing(events: Sequence[Event]) -> Event | None:
    """The entry of the last closing."""
    return next((one for one in reversed(events) if one.event == CLOSED_EVENT), None)


def instant_of(event: Event, doing: str) -> datetime:
    """When it happened. Incomplete where GitHub does not tell."""
    at = _instant(event.created_at)
    if at is None:
        raise Incomplete(f"{doing}: {event.created_at!r} is not an instant", hint="run it again")
    return at


def closing(events: Sequence[Event], number: int, site: str) -> Closing:
    """The last closing of issue `number`; evidence is the merged pull request or commit that did it, at `site`.

    A pull request counts where it was merged before the closing, and either says that it closes this issue or was
    merged within the minute before.
    """
    last = last_closing(events)
    if last is None:
        return Closing()
    at = _instant(last.created_at)
    return Closing(
        by=last.actor.login if last.actor else None,
        at=stamp(at) if at else None,
        evidence=_commit(last, site) if last.commit_url else _pull(events, at, number),
        belongs=bool(last.actor and last.actor.login in _who_belongs(events)),
    )


def acts(events: Sequence[Event]) -> list[Act]:
    """The closings, reopenings, assignments and labels among the events of a timeline, in order."""
    found = (event for event in events if event.event in _ACTS)
    belong = _who_belongs(events)
    return [
        Act(
            event=event.event,
            by=event.actor.login if event.actor else None,
            at=stamp(at) if (at := _instant(event.created_at)) else None,
            whom=event.assignee.login if event.assignee else event.label.name if event.label else None,
            belongs=bool(event.actor and event.actor.login in belong),
        )
        for event in found
    ]


_ACTS = (CLOSED_EVENT, REOPENED_EVENT, ASSIGNED_EVENT, UNASSIGNED_EVENT, LABELED_EVENT)


def _who_belongs(events: Sequence[Event]) -> frozenset[str]:
    """Those whom a comment in the timeline names owner, member or collaborator."""
    comments = (one for one in events if one.event == "commented" and one.author_association in BELONG)
    return frozenset(one.actor.login for one in comments if one.actor)


def _commit(event: Event, site: str) -> str | None:
    found = _COMMIT.search(event.commit_url or "")
    return f"{site}/{found[1]}/commit/{found[2]}" if found else None


def _pull(events: Sequence[Event], closed: datetime | None, number: int) -> str | None:
    """The address of the pull request merged last among those that closed the issue."""
    found: list[tuple[datetime, str]] = []
    for event in events:
        source = event.source.issue if event.source else None
        merged = _instant(source.pull_request.merged_at) if source and source.pull_request else None
        if not source or not merged or not closed or merged > closed + _SOON:
            continue
        if closed - merged <= _SOON or _closes(source.body or "", number):
            found.append((merged, source.html_url))
    return max(found)[1] if found else None


def _closes(body: str, number: int) -> bool:
    words = r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\b:?\s+"
    return bool(re.search(rf"{words}(?:[\w.-]+/[\w.-]+)?(?:#|https?://\S+/issues/){number}\b", body, re.IGNORECASE))


def _instant(text: str | None) -> datetime | None:
    try:
        return parse_instant(text).replace(microsecond=0) if text else None
    except ValueError:
        return None
