"""Records, a policy and trackers for the tests of reconcile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from incident_ops.adapters.local_tracker import LocalTracker
from incident_ops.documents.issue_bodies import IssueBodies
from incident_ops.documents.issue_comments import unsettled_comment
from incident_ops.documents.proposal_text import proposal_text
from incident_ops.domain import record as record_edit
from incident_ops.domain.incident import ActionItem, Incident, Roles, Times
from incident_ops.domain.policy import LevelPolicy, Policy, Scheme
from incident_ops.domain.policy_sections import Tracker
from incident_ops.domain.ports import IssueTracker
from incident_ops.domain.record import Record
from incident_ops.domain.tracker import LOCAL, Issue, Proposal, ProposedFile, PullRequest, Snapshot
from incident_ops.reconcile.apply import Applied, apply_changes
from incident_ops.reconcile.changes import PlannedChange
from incident_ops.reconcile.desired import Desired, desired_issues
from incident_ops.reconcile.diff import edits_by_path, new_numbers
from incident_ops.reconcile.observe import observe
from incident_ops.reconcile.plan import Plan, make_plan
from incident_ops.reconcile.proposals import DesiredProposal, branch_of, fingerprint
from incident_ops.reconcile.unsettled import say_unsettled
from tests.support.memory_tracker import MemoryTracker

POLICY = Policy(
    scheme=Scheme(id="sev0-3", version=1, drives_clocks="severity"),
    levels=[LevelPolicy(id=f"SEV{rank}", rank=rank + 1, label=f"Level {rank}") for rank in range(4)],
    tracker=Tracker(identities=["github-actions[bot]", "acme-ops[bot]"]),
)

NOW = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)


def item(number: int = 1, status: str = "open", **fields: Any) -> ActionItem:
    """An action item `AI-<number>`."""
    return ActionItem(id=f"AI-{number}", status=status, **{"title": f"Mend part {number}", "owner": "@bob", **fields})


def record(
    number: int = 1, *items: ActionItem, state: str = "in_progress", severity: str = "SEV1", title: str = "Login fails"
) -> Record:
    """A record with id `INC-<number>`, declared on day `number`."""
    incident = Incident(
        id=f"INC-{number}",
        title=title,
        services=["auth"],
        state=state,
        severity=severity,
        times=Times(declared=f"2025-01-{number % 28 + 1:02}T12:05:00Z"),
        roles=Roles(commander="@alice"),
        action_items=list(items),
    )
    return Record(path=f"incidents/{incident.id}/incident.yaml", incident=incident, data={})


def wanted(records: Sequence[Record]) -> Desired:
    """What records ask for."""
    return desired_issues(records, POLICY, IssueBodies(records, POLICY, NOW), NOW)


def plan_for(records: Sequence[Record], tracker: IssueTracker, unread: Sequence = (), **more) -> Plan:
    """What an apply would do now."""
    return make_plan(wanted(records), observe(tracker, wanted(records)), unread, **more)


def plan_from(records: Sequence[Record], issues: Sequence[Issue], unread: Sequence = (), **more) -> Plan:
    """The same against a written-down list of a tracker that makes labels by itself."""
    return make_plan(wanted(records), Snapshot(issues=tuple(issues)), unread, **more)


def plan_with_comments(records: Sequence[Record], tracker: IssueTracker, **more) -> Plan:
    """The same with the comment on each issue that says what is left to people."""
    seen = observe(tracker, wanted(records))
    return say_unsettled(make_plan(wanted(records), seen, **more), wanted(records), seen, unsettled_comment)


def run(made: Plan, tracker: IssueTracker) -> list[Applied]:
    """Carries a whole plan out, without limits."""
    return list(apply_changes(made.changes, tracker, wanted([])))


def sync(records: Sequence[Record], tracker: IssueTracker, **more) -> list[Applied]:
    """One whole run, without limits and without the write-back."""
    return run(plan_for(records, tracker, **more), tracker)


def written_back(records: Sequence[Record], edits: Mapping[str, Sequence[record_edit.Edit]]) -> list[Record]:
    """The records after the proposal with these edits was merged."""
    return [
        one._replace(incident=msgspec.convert(_edited(one.incident, edits.get(one.path, ())), Incident))
        for one in records
    ]


def merged(records: Sequence[Record], made: Plan) -> list[Record]:
    """The records after the proposal of a plan was merged."""
    return written_back(records, made.record_edits)


def synced(*records: Record, **how: Any) -> tuple[MemoryTracker, list[Record]]:
    """A tracker after the first run, and the records (INC-1 with one item) after the numbers were merged."""
    tracker, there = MemoryTracker(**how), list(records) or [record(1, item(1))]
    made = {one.change.key: one.number for one in sync(there, tracker) if one.number}
    there = written_back(there, edits_by_path(new_numbers(wanted(there), made)))
    assert not plan_with_comments(there, tracker).changes, "a second plan is empty"
    return tracker, there


def _edited(incident: Incident, edits: Sequence[record_edit.Edit]) -> dict:
    data = msgspec.to_builtins(incident)
    for one in edits:
        place: Any = data
        for step in one.route[:-1]:
            place = place.setdefault(step, {}) if isinstance(step, str) else place[step]
        if isinstance(one, record_edit.Append):
            place.setdefault(one.route[-1], []).append(one.value)
        elif isinstance(one, record_edit.Remove):
            place.pop(one.route[-1], None)
        else:
            place[one.route[-1]] = one.value
    return data


def proposal_of(changes: Sequence[PlannedChange], number: int = 7) -> tuple[DesiredProposal, Proposal]:
    """What the branch of these edits should hold, and an open pull request that holds it."""
    title, body, stated = proposal_text(changes)
    files = {change.path: ProposedFile("before", "after") for change in stated if change.path}
    wish = DesiredProposal(branch_of(changes[0]), title, body, stated, files)
    pull = PullRequest(number, f"https://github.com/acme/app/pull/{number}", "open", title, body)
    holds = tuple(fingerprint(change) for change in stated)
    return wish, Proposal(wish.branch, "c" * 40, dict(files), holds, pull=pull)


def steps(made: Plan) -> list[tuple[str, str]]:
    """The plan as (action, key)."""
    return [(change.action, change.key) for change in made.changes]


def local(folder: Path) -> LocalTracker:
    """An embedded tracker in a folder that does not exist yet."""
    return LocalTracker(folder / "incident-ops" / "tracker.db")


class CrashError(Exception):
    """The process died here."""


WRITES = ("create", "update", "close", "reopen", "link", "comment", "create_label", "create_milestone")
READS = ("owned", "labels", "look_up", "closing", "assignable")


class Watched:
    """A tracker of which every call can be met: `meet(name, acted)` runs before it (acted False) and after it."""

    def __init__(self, inner: IssueTracker, meet: Callable[[str, bool], None]) -> None:
        self.inner, self.meet = inner, meet

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if name not in (*WRITES, *READS):
            return found

        def call(*args: Any) -> Any:
            self.meet(name, False)
            done = found(*args)
            self.meet(name, True)
            return done

        return call


class Dying(Watched):
    """A tracker whose process dies at write `at` (from 0), before or after the tracker acted."""

    def __init__(self, inner: IssueTracker, at: int, *, acted: bool) -> None:
        super().__init__(inner, self._die)
        self.left, self.acted = at, acted

    def _die(self, name: str, acted: bool) -> None:
        if name in WRITES and acted == self.acted:
            if self.left == 0:
                raise CrashError
            self.left -= 1


class Forgetful(MemoryTracker):
    """A hosted tracker that is not the one records carry numbers of, and makes labels by itself."""

    source = LOCAL

    def owned(self) -> list[Issue]:
        return list(self.issues.values())

    def labels(self) -> None:
        return None


def kept_rows(made: Plan) -> list[tuple[str, int | None, str]]:
    """What a plan leaves unchanged, as (key, number, reason)."""
    return [(one.key, one.number, one.reason) for one in made.kept]
