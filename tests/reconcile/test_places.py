"""Which repository has the issue of an item, and what a plan makes of several repositories."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from incident_ops.documents.issue_bodies import IssueBodies
from incident_ops.domain.policy import Service
from incident_ops.domain.record import Record, Set
from incident_ops.domain.tracker import FAILED, GITHUB, LOCAL, TAKES_NONE, Snapshot, Unreached
from incident_ops.errors import UserError
from incident_ops.reconcile.changes import CREATE, PlannedChange
from incident_ops.reconcile.desired import Desired, desired_issues
from incident_ops.reconcile.generated_block import compose, generated_text
from incident_ops.reconcile.observe import load_snapshot, observe, save_snapshot
from incident_ops.reconcile.places import asked_repositories, settle_places
from incident_ops.reconcile.plan import Plan, make_plan
from tests.reconcile.builders import NOW, POLICY, item, kept_rows, record, synced, written_back
from tests.support.memory_tracker import MemoryTracker

APP, OTHER = "acme/app", "other/app"
KEY = "INC-1/AI-1"
OURS = compose(KEY, generated_text("x"), repository=7)
"""The text of the issue of this key."""


def asking(records: Sequence[Record], team: str = APP) -> Desired:
    """What records ask for, where the service of theirs has its issues in `team`."""
    services = {"auth": Service(owner="@acme/auth", issues=team or None)}
    return desired_issues(records, POLICY, IssueBodies(records, POLICY, NOW), NOW, services)


def team_of(name: str = APP, **how: object) -> MemoryTracker:
    """A team's repository."""
    made = MemoryTracker(repository=name, listed=("action-item",), **how)
    made.repository_id = 8
    return made


def look(desired: Desired, home: MemoryTracker, *teams: MemoryTracker, **more: object) -> tuple[Desired, Snapshot]:
    """One look at all of them, as a run takes it, and what records ask for where."""
    outline = Snapshot(
        source=home.source, elsewhere=tuple(Snapshot(repository=one.repository) for one in teams), **more
    )
    settled = settle_places(desired, outline)
    seen = [observe(one, settled._replace(repository=one.repository)) for one in teams]
    snapshot = replace(observe(home, settled), elsewhere=tuple(seen), **more)
    return settle_places(desired, snapshot), snapshot


def plan(desired: Desired, home: MemoryTracker, *teams: MemoryTracker, **more: object) -> Plan:
    """What a run would do."""
    return make_plan(*look(desired, home, *teams, **more))


def opened(made: Plan) -> PlannedChange:
    """The one issue of an item that it opens."""
    (found,) = (change for change in made.changes if change.action == CREATE and change.key == KEY)
    return found


def recorded(place: int | str) -> tuple[MemoryTracker, list[Record]]:
    """A tracker after the first run, and records in which the item names its issue so."""
    tracker, records = synced()
    edit = Set(("action_items", 0, "issue"), place)
    return tracker, written_back(records, {records[0].path: (edit,)})


def test_a_new_item_goes_to_its_team_below_its_tracking_issue() -> None:
    """As a sub-issue where both have one owner; across owners GitHub has no such link."""
    tracker, team = MemoryTracker(), team_of()
    made = plan(asking([record(1, item(1))]), tracker, team)
    assert (opened(made).repository, opened(made).parent) == (APP, "INC-1")
    elsewhere = plan(asking([record(1, item(1))], OTHER), tracker, team_of(OTHER))
    assert (opened(elsewhere).repository, opened(elsewhere).parent) == (OTHER, None)


def test_an_item_stays_where_its_record_says_whatever_the_services_say() -> None:
    """A number alone is beside the tracking issue."""
    tracker, records = synced()
    assert not plan(asking(records), tracker, team_of()).changes
    tracker, records = recorded("ACME/App#1")
    team = team_of()
    team.open_by("github-actions[bot]", "x", OURS, ["action-item"])
    for later in ("", OTHER):
        made = plan(asking(records, later), tracker, team)
        assert {(change.action, change.repository) for change in made.changes if change.key == KEY} == {("update", APP)}


def test_an_issue_of_an_item_that_is_elsewhere_is_listed() -> None:
    """People close it; nothing is done to it."""
    tracker, records = recorded(f"{APP}#1")
    team = team_of()
    team.open_by("github-actions[bot]", "x", OURS, ["action-item"])
    rows = kept_rows(plan(asking(records), tracker, team))
    assert (KEY, 2, f"the issue of this key is in {APP}; close this one") in rows


@pytest.mark.parametrize("kind", [FAILED, TAKES_NONE])
def test_what_is_in_a_repository_that_is_not_reached_is_left(kind: str) -> None:
    """Listed, never opened a second time; a new one waits where it did not answer, and stays where it takes none."""
    tracker, records = recorded(f"{APP}#4")
    tracker.delete(2)
    left = Unreached(APP, kind, "did not answer")
    made = plan(asking(records), tracker, unreached=(left,))
    assert [(one.path, one.reason.partition(" (")[0], one.numbers) for one in made.unread] == [
        (APP, "did not answer", (4,))
    ]
    assert ("--recreate KEY" in made.unread[0].reason) is (kind == TAKES_NONE)
    assert all(change.key != KEY for change in made.changes)
    new = plan(asking([record(1, item(1))]), MemoryTracker(), unreached=(left,))
    if kind == FAILED:
        assert [one.path for one in new.unread] == [APP]
        assert all(change.key != KEY for change in new.changes)
    else:
        assert opened(new).repository == ""
        assert not new.unread


def test_an_item_is_known_there_by_what_earlier_runs_kept() -> None:
    """Also where that repository does not answer now, and the services name another one."""
    left = Unreached(APP, FAILED, "did not answer", numbers={KEY: 4})
    made = plan(asking([record(1, item(1))], OTHER), MemoryTracker(), team_of(OTHER), unreached=(left,))
    (edit,) = (change for change in made.changes if change.key == KEY)
    assert (edit.action, edit.edits[0].value) == ("edit", f"{APP}#4")
    assert [(one.path, one.numbers) for one in made.unread] == [(APP, (4,))]


def test_a_bot_that_is_not_trusted_there_stops_only_what_is_there() -> None:
    """A forgotten setting opens no second issue there; the tracking issue is still opened."""
    team = team_of()
    team.open_by("acme[bot]", "x", OURS, ["action-item"])
    made = plan(asking([record(1, item(1))]), MemoryTracker(), team)
    assert [change.key for change in made.changes if change.kind == "incident"] == ["INC-1"]
    assert all(change.key != KEY for change in made.changes)
    assert "acme[bot]" in made.unread[0].reason
    with pytest.raises(UserError):
        plan(asking([record(1, item(1))], ""), team)


def test_only_repositories_with_something_to_look_for_are_asked() -> None:
    """Those with an issue of ours, and those of open items."""
    done = item(1, "done", done_at="2025-02-01")
    assert asked_repositories(asking([record(1, done)]), {}) == frozenset()
    assert asked_repositories(asking([record(1, item(1))]), {}) == {APP}
    assert asked_repositories(asking([record(1, item(1))]), {OTHER: [KEY]}) == {OTHER}
    assert asked_repositories(asking([record(1, item(1, "done", issue=f"{OTHER}#3"))]), {}) == {OTHER}


def test_a_look_at_several_repositories_can_be_saved() -> None:
    """And gives the same plan."""
    desired, snapshot = look(asking([record(1, item(1))]), MemoryTracker(), team_of())
    again = load_snapshot(save_snapshot(snapshot))
    assert again == snapshot
    assert make_plan(desired, again) == make_plan(desired, snapshot)


def test_labels_are_made_in_the_repository_that_lacks_them() -> None:
    """Each on its own."""
    made = plan(asking([record(1, item(1, priority="P1"))]), MemoryTracker(), team_of())
    labels = {change.key: change.repository for change in made.changes if change.kind == "label"}
    ours = {"incident": "", "SEV1": "", "state:in-progress": ""}
    assert labels == {**ours, "action-item": APP, "priority:P1": APP}


@pytest.mark.parametrize(
    ("snapshot", "place"),
    [
        (Snapshot(source=GITHUB, elsewhere=(Snapshot(repository=APP, names=("acme/Old",)),)), APP),
        (Snapshot(source=GITHUB, repository="acme/records", names=("acme/old",)), ""),
        (Snapshot(source=GITHUB, repository="Acme/Old"), ""),
        (Snapshot(source=LOCAL), ""),
    ],
)
def test_several_names_of_a_repository_are_one(snapshot: Snapshot, place: str) -> None:
    """As GitHub resolves them, in any case; the embedded tracker is one for all."""
    desired = asking([record(1, item(1, issue="acme/old#1"))])
    assert settle_places(desired, snapshot).issues[KEY].repository == place
