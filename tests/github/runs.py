"""Whole reconcile runs against the stand-in, and the law that holds when the last of them has ended."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from incident_ops.adapters.github.connect import connect
from incident_ops.adapters.github.issues import GitHubTracker
from incident_ops.documents.issue_bodies import IssueBodies
from incident_ops.documents.issue_comments import unsettled_comment
from incident_ops.domain.record import Record
from incident_ops.errors import IncidentOpsError
from incident_ops.reconcile import generated_block
from incident_ops.reconcile.apply import DUPLICATE_TOPIC, UNSETTLED_TOPIC, apply_changes
from incident_ops.reconcile.desired import Desired, desired_issues
from incident_ops.reconcile.diff import kept_issues
from incident_ops.reconcile.limits import LimitOverrides, allow
from incident_ops.reconcile.observe import observe
from incident_ops.reconcile.plan import Plan, make_plan
from incident_ops.reconcile.unsettled import say_unsettled
from tests.reconcile.builders import NOW, POLICY, item, record, written_back
from tests.support.standin import LOGIN, PERSON_TOKEN, Standin

OURS = replace(POLICY, tracker=replace(POLICY.tracker, identities=[LOGIN]))
NAMES = (OURS.tracker.labels.incident, OURS.tracker.labels.action_item)
FIRST = [record(1, item(1), item(2), severity="SEV0"), record(2, item(1), title="Mail is late")]
LATER = [
    record(1, item(1, "done", done_at="2025-02-01", done_by="@bob"), item(2, title="Mend it well"), severity="SEV1"),
    record(2, item(1), item(2), title="Mail is late"),
]
NOTHING_LIFTED = LimitOverrides()
THEIRS = "People wrote this below."


def wanted(records: Sequence[Record]) -> Desired:
    """What the records ask for, with the stand-in's login as the trusted one."""
    return desired_issues(records, OURS, IssueBodies(records, OURS, NOW), NOW)


def tracker_at(url: str, repository: str, token: str) -> GitHubTracker:
    """The adapter as the command line makes it, but for its waits, which take no time."""
    environment = {"GITHUB_API_URL": url, "GITHUB_TOKEN": token, "GITHUB_REPOSITORY": repository}
    environment["GITHUB_REPOSITORY_ID"] = "7"
    owner_of, budget = generated_block.owner, OURS.tracker.limits.requests
    return connect(
        environment, None, NAMES, (LOGIN,), requests=budget, owner_of=owner_of, pause=0.0, sleep=lambda _: None
    )


class Run(NamedTuple):
    """One run: its plan (None where the look failed), what ended it or failed in it, and the records after it."""

    made: Plan | None
    errors: tuple[IncidentOpsError, ...]
    records: Sequence[Record]


def run(
    tracker: GitHubTracker,
    records: Sequence[Record],
    lifts: LimitOverrides = NOTHING_LIFTED,
    numbers: dict[str, int] | None = None,
) -> Run:
    """Observe, plan, allow, apply, and the merge of what the tracker told; only errors for people end it.

    `numbers` stands for the branch with the numbers of issues: it is read, and written at the end.
    """
    want, numbers = wanted(records), {} if numbers is None else numbers
    try:
        seen = observe(tracker, want, numbers=numbers)
        made = say_unsettled(make_plan(want, seen), want, seen, unsettled_comment)
        done = list(apply_changes(allow(made, OURS.tracker.limits, lifts).now, tracker, want, observed=seen))
    except IncidentOpsError as error:
        return Run(None, (error,), records)
    numbers |= {key: issue.number for key, issue in kept_issues(want, seen).items()}
    numbers |= {one.change.key: one.number for one in done if one.number and one.change.number is None}
    errors = tuple(one.error for one in done if one.error is not None)
    return Run(made, errors, written_back(records, made.record_edits))


def prepare(github: Standin, repository: str, token: str) -> Sequence[Record]:
    """The tracker before LATER: FIRST is in step, people wrote on it, and one key has two issues -> LATER, numbered."""
    tracker = tracker_at(github.url, repository, token)
    assert not run(tracker, FIRST).errors
    want = wanted(LATER)
    numbered = written_back(LATER, make_plan(want, observe(tracker, want)).record_edits)
    first = {generated_block.owner(one["body"]): one for one in issues(github, repository)}
    twice = first["INC-2/AI-1"]
    names = {field: [one[name] for one in twice[field]] for field, name in (("labels", "name"), ("assignees", "login"))}
    github.ask("POST", f"/repos/{repository}/issues", {"title": twice["title"], "body": twice["body"], **names})
    changed = first["INC-1/AI-2"]
    edit = {"body": f"{changed['body']}\n\n{THEIRS}", "labels": ["theirs", *(one["name"] for one in changed["labels"])]}
    github.ask("PATCH", f"/repos/{repository}/issues/{changed['number']}", edit, token=PERSON_TOKEN)
    return numbered


def issues(github: Standin, repository: str) -> list[dict[str, Any]]:
    """Every issue of a repository, by number, asked beside the proxy."""
    out: list[dict[str, Any]] = []
    for page in range(1, 9):
        found = github.ask("GET", f"/repos/{repository}/issues?state=all&per_page=100&direction=asc&page={page}")
        out += found
        if len(found) < 100:
            break
    return sorted(out, key=lambda one: one["number"])


def broken_laws(
    github: Standin, repository: str, records: Sequence[Record], *, doubles: bool, handed: Collection[int] = ()
) -> list[str]:
    """What is not as it must be; `doubles` says whether a key may have had a second issue, closed again.

    `handed` are the issues whose assignees people chose.
    """
    want, seen = wanted(records), issues(github, repository)
    ours = defaultdict(list)
    faults = []
    for one in seen:
        key = generated_block.owner(one["body"] or "")
        if one["user"]["login"] != LOGIN:
            continue
        if key is None or generated_block.parse_body(one["body"]).block is None or not one["labels"]:
            faults.append(f"#{one['number']} is half made")
        ours[key].append(one)
    for key, wish in want.issues.items():
        found = ours.pop(key, [])
        stay = [one for one in found if one["state"] == "open"]
        if len(stay) != (wish.closed_as is None):
            faults.append(f"{key} has {len(stay)} open issues")
        if len(found) > 1 and not doubles:
            faults.append(f"{key} was opened {len(found)} times")
        faults += [fault for one in stay for fault in _differs(wish, one, handed)]
        for one in found:
            told, is_double = _told(github, repository, one, DUPLICATE_TOPIC), one["state_reason"] == "duplicate"
            if told != is_double and (one in stay or is_double or told > 1):
                faults.append(f"#{one['number']} has {told} comments on duplicates")
            if _told(github, repository, one, UNSETTLED_TOPIC) > 1:
                faults.append(f"#{one['number']} has more than one comment on what is left")
    return faults + [f"{key} is no key of ours" for key in ours]


def _differs(wish: Any, one: dict[str, Any], handed: Collection[int]) -> list[str]:
    """How an open issue differs from what its record asks for; people's labels and assignees are theirs."""
    place, out = f"#{one['number']} of {wish.key}", []
    if one["title"] != wish.title:
        out.append(f"{place} is called {one['title']}")
    if not {name.casefold() for name in wish.labels} <= {label["name"].casefold() for label in one["labels"]}:
        out.append(f"{place} lacks labels")
    is_handed = wish.item is not None and one["number"] in handed
    if not is_handed and not set(wish.assignees) <= {login["login"] for login in one["assignees"]}:
        out.append(f"{place} lacks assignees")
    return out


def _told(github: Standin, repository: str, one: dict[str, Any], topic: str) -> int:
    """How many of our comments on a topic an issue has."""
    found = github.ask("GET", f"/repos/{repository}/issues/{one['number']}/comments") if one["comments"] else []
    return sum(1 for text in found if f"comment={topic}" in text["body"])


if __name__ == "__main__":  # one run as a process of its own, for tests that kill it: URL REPOSITORY first|later
    address, name, which = sys.argv[1:]
    ended = run(tracker_at(address, name, os.environ["GITHUB_TOKEN"]), FIRST if which == "first" else LATER)
    sys.exit(4 if ended.errors else 0)
