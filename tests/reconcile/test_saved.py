"""A snapshot as a document."""

from __future__ import annotations

import json

import pytest

from incident_ops.domain.tracker import (
    Closing,
    Issue,
    Label,
    MissingIssue,
    Proposal,
    ProposedFile,
    PullRequest,
    Snapshot,
)
from incident_ops.errors import UserError
from incident_ops.reconcile.observe import load_snapshot, observe, save_snapshot
from incident_ops.reconcile.plan import make_plan
from tests.reconcile.builders import item, record, sync, wanted
from tests.support.memory_tracker import MemoryTracker

FULL = Snapshot(
    source="github",
    repository="acme/incidents",
    issues=(Issue(number=3, title="\u00e9 \u2028", body="b\r\n", labels=("x",), author="a", parent=1, state="closed"),),
    labels=(Label(name="x", color="ffffff", description="d"),),
    closings={3: Closing(by="carol", at="2025-02-01T10:00:00Z", evidence="https://x")},
    gone=(MissingIssue(number=9, why="transferred", place="https://y"),),
    unassignable=("bob",),
    has_sub_issues=False,
    proposals=(
        Proposal(
            branch="incident-ops/numbers",
            commit="c" * 40,
            files={"incidents/INC-1/incident.yaml": ProposedFile("ab", "cd")},
            holds=("ef",),
            pull=PullRequest(7, "https://github.com/acme/app/pull/7", "open", "Numbers", "text"),
            refused=(PullRequest(5, "https://github.com/acme/app/pull/5", "closed", "Numbers", "text", "bob"),),
        ),
    ),
)


@pytest.mark.parametrize("snapshot", [FULL, Snapshot(), Snapshot(labels=())])
def test_what_is_saved_is_loaded(snapshot: Snapshot) -> None:
    """Every field comes back, the same bytes every time, and the version is in front."""
    assert load_snapshot(save_snapshot(snapshot)) == snapshot
    assert save_snapshot(load_snapshot(save_snapshot(snapshot))) == save_snapshot(snapshot)
    assert next(iter(json.loads(save_snapshot(snapshot)))) == "schema"


def test_a_plan_from_a_file_is_the_plan_from_the_tracker() -> None:
    """What was observed once can be planned from again."""
    tracker = MemoryTracker()
    sync([record(1, item(1))], tracker)
    asked = wanted([record(1, item(1, "done")), record(2)])
    seen = observe(tracker, asked)
    assert make_plan(asked, load_snapshot(save_snapshot(seen))) == make_plan(asked, seen)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        (save_snapshot(FULL)[:-9], "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "no `schema`"),
        ("{}", "no `schema`"),
        ('{"schema": 2}', "schema 2, expected 1"),
        ('{"schema": true}', "schema True, expected 1"),
        ('{"schema": 1, "more": 1}', "unknown field `more`"),
        ('{"schema": 1, "issues": [{"number": "3", "title": "", "body": ""}]}', r"issues\[0\].number"),
        ('{"schema": 1, "issues": [{"number": 3}]}', "missing required field"),
        (json.dumps({"schema": 1, "issues": [{"number": 3, "title": "", "body": ""}] * 2}), "one issue twice"),
        ('{"schema": 1, "heard_since": "soon"}', "`heard_since` is 'soon', which is not an instant"),
        (
            '{"schema": 1, "noticed": {"INC-1/x": "2025-13-01T00:00:00Z"}}',
            "`noticed.INC-1/x` is '2025-13-01T00:00:00Z'",
        ),
        ('{"schema": 1, "closings": {"7": {"at": "2025-01-01"}}}', "`closings.7.at` is '2025-01-01'"),
        ('{"schema": 1, "comments": [{"issue": 1, "by": "a", "at": "", "body": ""}]}', "`comments.0.at` is ''"),
    ],
)
def test_a_foreign_or_damaged_file_is_told(text: str, said: str) -> None:
    """What was expected, where, and how to get a good one."""
    with pytest.raises(UserError, match=rf"seen.json: .*{said}.*--save-observed"):
        load_snapshot(text, "seen.json")


@pytest.mark.parametrize(
    "fields",
    [
        {"comments": [{"issue": 3, "by": "carol", "at": "yesterday", "body": "Any news?"}]},
        {"closings": {"3": {"by": "carol", "at": "0001-01-01T00:00:00Z"}}},
        {"heard_since": "soon"},
        {"noticed": {"INC-1/escalation": "2025-02-30T00:00:00Z"}},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_an_instant_that_is_none_is_refused(fields: dict[str, object]) -> None:
    """Edited by hand, or written by another program: an error with the file's name, never a traceback later."""
    text = json.dumps({**json.loads(save_snapshot(FULL)), **fields})
    with pytest.raises(UserError, match="is not an instant") as refused:
        load_snapshot(text, "seen.json")
    assert refused.value.where == "seen.json"
