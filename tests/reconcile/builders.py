"""Records, a policy and trackers for the tests of reconcile."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from incident_ops.adapters.local import LocalTracker
from incident_ops.model.incident import ActionItem, Incident, Roles, Times
from incident_ops.model.observed import Edit, Issue, Snapshot
from incident_ops.model.policy import LevelPolicy, Policy, Scheme
from incident_ops.model.record import Record
from incident_ops.ports import IssueTracker
from incident_ops.reconcile.apply import Applied, apply
from incident_ops.reconcile.desired import desired
from incident_ops.reconcile.observe import observe
from incident_ops.reconcile.plan import Plan, plan
from incident_ops.render.issue_bodies import Bodies

POLICY = Policy(
    scheme=Scheme(id="sev0-3", version=1, drives_clocks="severity"),
    levels=[LevelPolicy(id=f"SEV{rank}", rank=rank + 1, label=f"Level {rank}") for rank in range(4)],
)


def item(number: int = 1, status: str = "open", **fields: str) -> ActionItem:
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


def plan_for(records: Sequence[Record], tracker: IssueTracker, unread: Sequence = ()) -> Plan:
    """What an apply would do now."""
    return plan(desired(records, POLICY, Bodies(records, POLICY)), observe(tracker), unread)


def plan_from(records: Sequence[Record], issues: Sequence[Issue], unread: Sequence = ()) -> Plan:
    """The same against a written-down snapshot."""
    return plan(desired(records, POLICY, Bodies(records, POLICY)), Snapshot(issues=tuple(issues)), unread)


def sync(records: Sequence[Record], tracker: IssueTracker) -> list[Applied]:
    """One whole run."""
    return list(apply(plan_for(records, tracker), tracker))


def steps(made: Plan) -> list[tuple[str, str]]:
    """The plan as (action, key)."""
    return [(change.action, change.key) for change in made.changes]


def local(folder: Path) -> LocalTracker:
    """An embedded tracker in a folder that does not exist yet."""
    return LocalTracker(folder / "incident-ops" / "tracker.db")


class CrashError(Exception):
    """The process died here."""


class Dying:
    """A tracker whose process dies at write `at` (from 0), before or after the tracker acted."""

    def __init__(self, inner: IssueTracker, at: int, *, acted: bool) -> None:
        self.inner, self.left, self.acted = inner, at, acted

    def owned(self) -> Sequence[Issue]:
        return self.inner.owned()

    def create(self, key: str, title: str, body: str, labels: Sequence[str], assignees: Sequence[str]) -> int:
        return self._run(lambda: self.inner.create(key, title, body, labels, assignees))

    def update(self, number: int, edit: Edit) -> None:
        return self._run(lambda: self.inner.update(number, edit))

    def close(self, number: int, reason: str, edit: Edit) -> None:
        return self._run(lambda: self.inner.close(number, reason, edit))

    def reopen(self, number: int, edit: Edit) -> None:
        return self._run(lambda: self.inner.reopen(number, edit))

    def _run(self, write):
        if self.left == 0 and not self.acted:
            raise CrashError
        done = write()
        if self.left == 0:
            raise CrashError
        self.left -= 1
        return done


class Forgetful:
    """A tracker that keeps no key of its own and would open an issue twice, as a hosted one would."""

    def __init__(self, issues: Sequence[Issue] = ()) -> None:
        self.issues = {issue.number: issue for issue in issues}

    def owned(self) -> Sequence[Issue]:
        return list(self.issues.values())

    def create(self, key: str, title: str, body: str, labels: Sequence[str], assignees: Sequence[str]) -> int:
        number = len(self.issues) + 1
        made = Issue(number=number, title=title, body=body, labels=tuple(labels), assignees=tuple(assignees))
        self.issues[number] = made
        return number

    def update(self, number: int, edit: Edit) -> None:
        self.edit(
            number, **{name: value for name in edit.__struct_fields__ if (value := getattr(edit, name)) is not None}
        )

    def close(self, number: int, reason: str, edit: Edit) -> None:
        self.update(number, edit)
        self.edit(number, state="closed", state_reason=reason)

    def reopen(self, number: int, edit: Edit) -> None:
        self.update(number, edit)
        self.edit(number, state="open", state_reason="reopened")

    def edit(self, number: int, **fields: object) -> None:
        """What a person, or we, change on an issue."""
        self.issues[number] = msgspec.structs.replace(self.issues[number], **fields)
