"""What is due by a release of the policy has the milestone of that release; everybody else's milestones are theirs."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from incident_ops.documents.issue_bodies import IssueBodies
from incident_ops.domain.policy import Policy
from incident_ops.domain.policy_sections import ReleaseTrain
from incident_ops.domain.ports import IssueTracker
from incident_ops.domain.record import Record
from incident_ops.domain.tracker import IssueEdit, Milestone
from incident_ops.errors import Incomplete
from incident_ops.reconcile.apply import CHANGED_MEANWHILE, Applied, apply_changes
from incident_ops.reconcile.desired import Desired, desired_issues
from incident_ops.reconcile.observe import observe
from incident_ops.reconcile.plan import Plan, make_plan
from incident_ops.render.plan import change_effect, plan_text
from incident_ops.render.plan_preview import plan_markdown
from tests.reconcile.builders import NOW, POLICY, CrashError, Dying, Watched, item, local, record
from tests.support.memory_tracker import MemoryTracker

DAY, LATER, OTHER = "2025-03-10", "2025-04-10", "2025-05-01"
KEY = "INC-1/AI-1"


def released(*releases: tuple[str, str]) -> Policy:
    """The policy with releases (name, day); a SEV3 is to be resolved in the next one."""
    levels = [replace(level, resolution="next_release" if level.id == "SEV3" else None) for level in POLICY.levels]
    return replace(POLICY, levels=levels, releases=[ReleaseTrain(name=name, on=on) for name, on in releases])


TWO = released(("2025.3", DAY), ("2025.4", LATER))


def asked(records: Sequence[Record], policy: Policy) -> Desired:
    return desired_issues(records, policy, IssueBodies(records, policy, NOW), NOW)


def planned(records: Sequence[Record], tracker: IssueTracker, policy: Policy = TWO) -> Plan:
    wanted = asked(records, policy)
    return make_plan(wanted, observe(tracker, wanted))


def synced(records: Sequence[Record], tracker: IssueTracker, policy: Policy = TWO) -> list[Applied]:
    """One run; another one right after it changes nothing on the tracker."""
    made = planned(records, tracker, policy)
    done = list(apply_changes(made.changes, tracker, asked(records, policy)))
    assert not [change for change in planned(records, tracker, policy).changes if change.is_on_tracker]
    return done


def milestones(tracker: IssueTracker) -> dict[str, str | None]:
    """Key -> the milestone of its issue."""
    return {issue.title.partition(": ")[0]: issue.milestone for issue in tracker.owned()}


def due(day: str | None, **more: str) -> Record:
    return record(1, item(1, due=day, **more))


def test_an_item_due_on_the_day_of_a_release_gets_its_milestone() -> None:
    """It is made once, with its day, before the issues that need it; an item of another day gets none."""
    tracker = MemoryTracker()
    records = [record(1, item(1, due=DAY), item(2, due="2025-03-11"), item(3, due=DAY), item(4))]
    done = synced(records, tracker)
    assert tracker.planned == {"2025.3": Milestone(title="2025.3", due=DAY)}
    found = milestones(tracker)
    assert {key for key, title in found.items() if title == "2025.3"} == {KEY, "INC-1/AI-3"}
    assert [one.change.kind for one in done if one.change.milestone] == ["milestone"]
    assert done.index(next(one for one in done if one.change.milestone)) < done.index(
        next(one for one in done if one.change.opens_issue)
    )


def test_an_incident_to_be_resolved_in_the_next_release_gets_its_milestone() -> None:
    """The first whose day is not over when it was declared; one of another level gets none."""
    tracker = MemoryTracker()
    policy = released(("old", "2025-01-01"), ("late", LATER), ("next", DAY))
    synced([record(1, severity="SEV3"), record(2, severity="SEV1")], tracker, policy)
    assert milestones(tracker) == {"INC-1": "next", "INC-2": None}


def test_of_two_releases_of_one_day_the_first_counts() -> None:
    tracker = MemoryTracker()
    synced([record(1, item(1, due=DAY), severity="SEV3")], tracker, released(("web", DAY), ("app", DAY)))
    assert milestones(tracker) == {"INC-1": "web", KEY: "web"}


@pytest.mark.parametrize("title", ["V 2025.3 ", "v  2025.3"])
def test_a_milestone_that_is_there_is_used_whatever_its_case(title: str) -> None:
    """It keeps its title and its day."""
    tracker = MemoryTracker()
    tracker.create_milestone(Milestone(title=title, due=OTHER))
    synced([due(DAY)], tracker, released((" v 2025.3", DAY)))
    assert milestones(tracker)[KEY] == title
    assert list(tracker.planned.values()) == [Milestone(title=title, due=OTHER)]


def test_it_moves_with_the_due_date_and_goes_with_it() -> None:
    """The plan says from which to which."""
    tracker = MemoryTracker()
    synced([due(DAY)], tracker)
    made = planned([due(LATER)], tracker)
    (moved,) = [change for change in made.changes if change.key == KEY and change.seen]
    assert "milestone: 2025.3 -> 2025.4" in change_effect(moved)
    synced([due(LATER)], tracker)
    assert milestones(tracker)[KEY] == "2025.4"
    (gone,) = [change for change in planned([due(OTHER)], tracker).changes if change.key == KEY and change.seen]
    assert "milestone: 2025.4 -> none" in change_effect(gone)
    synced([due(OTHER)], tracker)
    assert milestones(tracker)[KEY] is None


def test_one_that_a_person_sets_during_the_run_stays() -> None:
    tracker = MemoryTracker()
    tracker.create_milestone(Milestone(title="mine"))
    synced([record(1, item(1, due=DAY))], tracker, released())
    number = next(issue.number for issue in tracker.owned() if issue.title.startswith(KEY))

    def meet(name: str, acted: bool) -> None:
        if name == "look_up" and not acted:
            tracker.edit(number, milestone="mine")

    made = planned([due(DAY)], tracker)
    done = list(apply_changes(made.changes, Watched(tracker, meet), asked([due(DAY)], TWO)))
    assert [one.outcome for one in done if one.number == number and one.change.action == "update"] == [
        CHANGED_MEANWHILE
    ]
    assert milestones(tracker)[KEY] == "mine"


def test_a_closed_issue_and_one_with_hands_off_keep_theirs() -> None:
    tracker = MemoryTracker()
    synced([due(DAY)], tracker)
    number = next(issue.number for issue in tracker.owned() if issue.milestone)
    tracker.edit(number, labels=(*tracker.issues[number].labels, "incident-ops:hands-off"))
    synced([due(LATER)], tracker)
    assert milestones(tracker)[KEY] == "2025.3"
    tracker.edit(number, labels=("action-item",))
    synced([record(1, item(1, "done", due=LATER, done_at="2025-02-01"))], tracker)
    assert milestones(tracker)[KEY] == "2025.3"


def test_milestones_are_listed_only_where_an_issue_is_to_get_one() -> None:
    """Never where the policy names no releases, nor where every issue has its own."""
    tracker, calls = MemoryTracker(), list[str]()

    class Counted(MemoryTracker):
        def milestones(self) -> list[Milestone]:
            calls.append("milestones")
            return super().milestones()

    tracker = Counted()
    synced([due(DAY)], tracker, released())
    assert calls == []
    planned([due(DAY)], tracker)
    assert calls == ["milestones"]
    synced([due(DAY)], tracker)
    calls.clear()
    planned([due(DAY)], tracker)
    assert calls == []


def test_a_name_of_spaces_makes_no_milestone() -> None:
    tracker = MemoryTracker()
    synced([due(DAY)], tracker, released((" ", DAY)))
    assert (tracker.planned, milestones(tracker)[KEY]) == ({}, None)


def test_a_list_that_fails_ends_the_run() -> None:
    """There is no half snapshot, so no second milestone of one name."""

    class Broken(MemoryTracker):
        def milestones(self) -> list[Milestone]:
            raise Incomplete("half a page")

    with pytest.raises(Incomplete, match="half a page"):
        planned([due(DAY)], Broken())


HOSTILE = "**x** @alice #1 fixes #2 <!-- --> | [a](javascript:b) \x1b[31m ::set-output ![i](//e.example/p)".ljust(
    100, "w"
)


def test_a_hostile_name_is_text_wherever_it_is_shown() -> None:
    """Set to the letter on the tracker; inert in the plan that people read."""
    tracker, policy = MemoryTracker(), released((HOSTILE, DAY))
    made = planned([due(DAY)], tracker, policy)
    text, page = plan_text(made), plan_markdown(made)
    assert "\x1b" not in text
    assert "@alice" not in re.sub(r"`+[^`]+`+", "", page)
    assert HOSTILE not in page
    assert "<!--" not in re.sub(r"`+[^`]+`+", "", page)
    synced([due(DAY)], tracker, policy)
    assert milestones(tracker)[KEY] == " ".join(HOSTILE.split())


def test_the_embedded_tracker_keeps_it(tmp_path: Path) -> None:
    """A file from before milestones opens as it is, and gets them with the first one."""
    tracker = local(tmp_path)
    synced([due(DAY)], tracker, released())
    assert milestones(tracker)[KEY] is None
    synced([due(DAY)], tracker)
    assert milestones(tracker)[KEY] == "2025.3"
    tracker.update(next(issue.number for issue in tracker.owned() if issue.milestone), IssueEdit(title="x: other"))
    assert milestones(tracker)["x"] == "2025.3"
    synced([due(None)], tracker)
    assert milestones(tracker)[KEY] is None


TITLES = [None, "2025.3", "2025.4", "mine", "2025.5"]


@given(st.lists(st.tuples(st.sampled_from([None, DAY, LATER, OTHER]), st.sampled_from(TITLES)), max_size=6))
def test_whatever_people_and_records_do_the_next_plan_is_empty(steps: list[tuple[str | None, str | None]]) -> None:
    """After each run an issue has its release's milestone, or else what a person gave it that is no release's."""
    tracker = MemoryTracker()
    for title in TITLES:
        if title:
            tracker.create_milestone(Milestone(title=title))
    synced([due(None)], tracker)
    number = next(issue.number for issue in tracker.owned() if issue.title.startswith(KEY))
    releases = {DAY: "2025.3", LATER: "2025.4"}
    for day, title in steps:
        tracker.edit(number, milestone=title)
        synced([due(day)], tracker)
        is_peoples = title not in (None, *releases.values())
        assert tracker.issues[number].milestone == (title if is_peoples else releases.get(day or ""))


@given(st.integers(0, 6), st.booleans())
def test_a_crash_loses_nothing_and_doubles_nothing(at: int, acted: bool) -> None:
    tracker, records = MemoryTracker(), [record(1, item(1, due=DAY), item(2, due=LATER), severity="SEV3")]
    made = planned(records, tracker)
    with contextlib.suppress(CrashError):
        list(apply_changes(made.changes, Dying(tracker, at, acted=acted), asked(records, TWO)))
    synced(records, tracker)
    assert milestones(tracker) == {"INC-1": "2025.3", KEY: "2025.3", "INC-1/AI-2": "2025.4"}
    assert sorted(tracker.planned) == ["2025.3", "2025.4"]
