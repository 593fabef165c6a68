"""A plan is made from the records that concern the tracker, and is the one that all records would give."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from incident_ops.app.concerned import ConcernedRecords
from incident_ops.app.observed_tracker import tracking_issues
from incident_ops.app.workspace import Workspace
from incident_ops.documents.issue_bodies import IssueBodies
from incident_ops.domain.record import Record
from incident_ops.domain.tracker import GITHUB, LOCAL, Issue, Snapshot
from incident_ops.errors import UserError
from incident_ops.reconcile import generated_block
from incident_ops.reconcile.desired import Desired, desired_issues
from incident_ops.reconcile.places import settle_places
from incident_ops.reconcile.plan import Plan, make_plan
from incident_ops.records.history import deletions, every_record
from tests.support.repository import NOW, Repo

OURS, HERE = "github-actions[bot]", 7
HOME, TEAM = "acme/records", "acme/app"
AUTHORS = (OURS, OURS, OURS, "alice", "acme[bot]", "")
OVER = {"state": "closed", "outcome": "withdrawn"}
LIVE = {"state": "in_progress"}


def filled(root: Path, dice: random.Random) -> Workspace:
    """Records of every fate: open, over, over lately, with clashing ids, broken, deleted in git or only in the tree."""
    repo = Repo(root)
    for number in range(1, 18):
        issue = dice.choice((None, 8, f"{TEAM}#{dice.randint(1, 12)}", f"{HOME.upper()}#{dice.randint(1, 12)}"))
        item = {"title": "Mend it", "status": dice.choice(("done", "wont_do", "open")), "issue": issue}
        declared = dice.choice(("2020-01-26T12:05:00Z", "2025-05-30T12:05:00Z"))
        repo.put(
            f"INC-{number}",
            id=f"INC-{1 if dice.random() < 0.15 else number}",
            times={"declared": declared},
            links={"tracking_issue": dice.randint(1, 12)} if dice.random() < 0.5 else None,
            related=[f"INC-{dice.randint(1, 14)}"] if dice.random() < 0.3 else None,
            action_items=[{"id": f"AI-{dice.choice((1, 1, 2))}", **item} for _ in range(dice.randint(0, 2))] or None,
            **(dice.choice((OVER, OVER, LIVE))),
        )
    if dice.random() < 0.5:
        repo.write("incidents/INC-11/incident.yaml", "id: [")
    repo.commit()
    repo.git("rm", "-rq", "incidents/INC-2")
    repo.commit()
    if dice.random() < 0.5:
        (root / "incidents/INC-3/incident.yaml").unlink()
    repo.put("INC-4", title="Not committed", **dice.choice((OVER, LIVE)))
    return Workspace(root, repo.around(), repo.store(), NOW)


def seen(dice: random.Random, every: Desired) -> Snapshot:
    """A tracker with issues of any of these keys, in step, edited or cut, and of others."""
    keys = [*every.issues, "INC-2", "INC-2/AI-1", "INC-99", *(f"INC-{dice.randint(1, 11)}/AI-9" for _ in range(2))]
    issues = [issue_of(number, dice, every, dice.choice(keys)) for number in range(1, 13) if dice.random() < 0.6]
    source = dice.choice((GITHUB, GITHUB, LOCAL))
    kept = {key: dice.randint(1, 12) for key in keys if dice.random() < 0.2}
    some = [issue_of(number, dice, every, dice.choice(keys)) for number in range(1, 13) if dice.random() < 0.3]
    there = [replace(issue, author=dice.choice((OURS, OURS, "alice"))) for issue in some]
    team = Snapshot(
        source=source, repository=TEAM, records_id=HERE, repository_id=8, issues=tuple(there), tells_all=True
    )
    return Snapshot(
        source=source,
        repository=HOME,
        elsewhere=(team,) if source == GITHUB else (),
        records_id=HERE if source == GITHUB else 0,
        repository_id=dice.choice((HERE, HERE, 9)) if source == GITHUB else 0,
        numbers=kept if source == GITHUB and dice.random() < 0.6 else {},
        issues=tuple(issues) if dice.random() < 0.8 else (),
    )


def issue_of(number: int, dice: random.Random, every: Desired, key: str) -> Issue:
    """An issue that may be of a key."""
    wish = every.issues.get(key)
    text = generated_block.generated_text(every.bodies[key] if wish else "Gone", closed=dice.random() < 0.5)
    body = generated_block.compose(key, text, repository=dice.choice((HERE, HERE, 8, 0)))
    if dice.random() < 0.3:
        body = "\n".join(body.splitlines()[1:])
    return Issue(
        number=number,
        title=wish.title if wish and dice.random() < 0.7 else "Another title",
        body=body if dice.random() < 0.9 else "",
        labels=wish.labels if wish and dice.random() < 0.7 else ("theirs",),
        state=dice.choice(("open", "closed")),
        state_reason=dice.choice((None, "completed", "duplicate")),
        author=dice.choice(AUTHORS),
    )


def planned(
    workspace: Workspace, records: Sequence[Record], wanted: Desired, snapshot: Snapshot, again: Sequence[str]
) -> Plan | str:
    """The plan, or why there is none."""
    keys = {generated_block.owner(issue.body) for issue in snapshot.issues} - {None, *wanted.issues, *wanted.clashes}
    git, commit = workspace.git, workspace.store.commit
    assert git is not None
    assert commit is not None
    deleted = deletions(git, commit, [key for key in keys if key], records)
    try:
        return make_plan(wanted, snapshot, workspace.catalogue.unreadable(), deleted, again)
    except UserError as error:
        return str(error)


def compare(workspace: Workspace, dice: random.Random) -> int:
    """One tracker, both ways -> how many records were not read."""
    every = list(every_record(workspace.store, workspace.catalogue))
    policy = workspace.judged_by[0]
    whole = desired_issues(every, policy, IssueBodies(every, policy, NOW), NOW)
    snapshot = seen(dice, whole)
    whole = settle_places(whole, snapshot)
    again = [dice.choice(list(whole.issues))] if whole.issues and dice.random() < 0.3 else []
    concerned = ConcernedRecords(workspace, again)
    recent = concerned.recent()
    few = concerned.placed(snapshot)
    expected = planned(workspace, every, whole, snapshot, again)
    made = planned(workspace, concerned.records, few, snapshot, again)
    left = {record.incident.id for record in every} - {record.incident.id for record in concerned.records}
    assert shown(made, left) == shown(expected, left)
    assert tracking_issues(few, snapshot) == tracking_issues(whole, snapshot)
    assert [one.incident.id for one in recent] == [
        one.incident.id for one in every if one.path in concerned.recent_paths and one.incident.id not in whole.clashes
    ]
    assert few.beside.records == len(left)
    return len(left)


def shown(made: Plan | str, left: set[str]) -> Plan | str:
    """A plan, but for what it says of records that are `left` out and have no issue."""
    if isinstance(made, str):
        return made
    kept = (one for one in made.kept if one.key.partition("/")[0] not in left and one.key != "settled")
    return made._replace(kept=tuple(kept))


@pytest.mark.parametrize("seed", range(8))
def test_the_plan_of_the_few_is_the_plan_of_all(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    workspace = filled(tmp_path, dice)
    assert sum(compare(workspace, dice) for _ in range(25)) > 0
