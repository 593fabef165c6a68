"""Laws of one plan beside another, over records, trackers and changes of every kind."""

from __future__ import annotations

import random

import pytest

from incident_ops.domain.record import Record
from incident_ops.domain.tracker import Issue, IssueEdit, Label, Milestone
from incident_ops.reconcile.changes import CREATE, LABEL, MILESTONE, UPDATE, PlannedChange
from incident_ops.reconcile.field_changes import FieldChange, edit_between, field_changes, issue_after, seen_lines
from incident_ops.reconcile.plan import Plan
from incident_ops.reconcile.plan_difference import NO_BASIS, compare_plans
from incident_ops.reconcile.references import file_place, issue_place
from incident_ops.render.plan import plan_text
from tests.reconcile.builders import item, plan_for, record
from tests.reconcile.builders import run as carry_out
from tests.support.memory_tracker import MemoryTracker

STATES, STATUSES = ("new", "in_progress", "resolved", "closed"), ("open", "done", "wont_do")


def some_records(chance: random.Random) -> list[Record]:
    """Up to five incidents with up to three items."""
    return [
        record(
            number,
            *(item(place, chance.choice(STATUSES)) for place in range(1, chance.randint(1, 4))),
            state=chance.choice(STATES),
            severity=chance.choice(("SEV0", "SEV1")),
            title=chance.choice(("Login fails", "Search is slow")),
        )
        for number in range(1, chance.randint(2, 6))
    ]


def two_plans(seed: int) -> tuple[Plan, Plan]:
    """Plans of other records for one tracker, which is in step with a third state."""
    chance = random.Random(seed)
    tracker = MemoryTracker()
    if seed % 3:
        carry_out(plan_for(some_records(chance), tracker), tracker)
    return plan_for(some_records(chance), tracker), plan_for(some_records(chance), tracker)


@pytest.mark.parametrize("seed", range(40))
def test_beside_itself_a_plan_adds_nothing(seed: int) -> None:
    plan, _ = two_plans(seed)
    shown, basis = compare_plans(plan, plan, NO_BASIS)
    assert (shown.changes, shown.kept, basis.dropped) == ((), (), ())


@pytest.mark.parametrize("seed", range(40))
def test_beside_nothing_it_is_whole(seed: int) -> None:
    plan, _ = two_plans(seed)
    nothing = plan._replace(changes=(), kept=())
    shown, basis = compare_plans(plan, nothing, NO_BASIS)
    assert (shown.changes, shown.kept, basis.dropped) == (plan.changes, plan.kept, ())
    shown, basis = compare_plans(nothing, plan, NO_BASIS)
    assert (shown.changes, basis.dropped) == ((), plan.changes)


@pytest.mark.parametrize(
    "change",
    [
        PlannedChange(CREATE, LABEL, "ticket", None, "", label=Label("ticket", "ff0000", "A ticket")),
        PlannedChange(CREATE, MILESTONE, "2025.2", None, "", milestone=Milestone("2025.2", "2025-02-01")),
        PlannedChange(CREATE, "item", "INC-1/AI-1", None, "", IssueEdit(title="Mend it", labels=())),
        PlannedChange(UPDATE, "item", "INC-1/AI-1", 7, "", IssueEdit(title="Mend it")),
    ],
)
def test_the_same_in_another_repository_is_another_change(change: PlannedChange) -> None:
    """What is made in one repository comes, in the other it falls away; both say where."""
    there = change._replace(repository="acme/app")
    nothing = two_plans(0)[0]._replace(changes=(), kept=())
    base = nothing._replace(changes=(change, there))
    shown, basis = compare_plans(nothing._replace(changes=(change,)), base, NO_BASIS)
    assert (shown.changes, basis.dropped) == ((), (there,))
    found = plan_text(shown, basis=basis._replace(commit="0123abc", revision="main"))
    assert f"in {there.repository}" in found or f"{there.repository}#7" in found
    shown, basis = compare_plans(base, nothing._replace(changes=(change,)), NO_BASIS)
    assert (shown.changes, basis.dropped) == ((there,), ())


def issues_after(plan: Plan) -> dict[tuple[str, int | None], Issue]:
    """The issues that a plan leaves, of those it changes."""
    found: dict[tuple[str, int | None], Issue] = {}
    for change in plan.changes:
        if change.is_on_tracker and change.kind != "label":
            name = change.key, change.number
            found[name] = issue_after(change, found.get(name, change.seen))
    return found


@pytest.mark.parametrize("seed", range(40))
def test_every_issue_that_ends_otherwise_is_shown_and_no_other(seed: int) -> None:
    """By its key among the changes, or among what falls away."""
    plan, base = two_plans(seed)
    shown, basis = compare_plans(plan, base, NO_BASIS)
    ends, ends_in_base = issues_after(plan), issues_after(base)
    differing = {name for name in ends.keys() | ends_in_base.keys() if ends.get(name) != ends_in_base.get(name)}
    told = {(change.key, change.number) for change in (*shown.changes, *basis.dropped) if change.kind != "label"}
    on_tracker = {name for name in told if name in ends or name in ends_in_base}
    assert on_tracker == differing


@pytest.mark.parametrize("seed", range(40))
def test_the_fields_shown_lead_from_the_old_issue_to_the_new(seed: int) -> None:
    """The edit between two issues makes one of the other; what is shown of it are exactly the fields that differ."""
    plan, _ = two_plans(seed)
    for change in plan.changes:
        if change.seen is None:
            assert field_changes(change) == ()
            continue
        after = issue_after(change, change.seen)
        edit = edit_between(change.seen, after)
        assert (edit.title is None) == (after.title == change.seen.title)
        assert edit.labels_after(change.seen.labels) == after.labels
        names = {field.name for field in field_changes(change)}
        assert ("title" in names) == (after.title != change.seen.title)
        assert ("body" in names) == (after.body != change.seen.body)
        assert ("labels" in names) == (set(after.labels) != set(change.seen.labels))
        assert ("state" in names) == (after.state != change.seen.state)


def test_hidden_lines_and_references_are_not_what_people_see() -> None:
    assert seen_lines("<!-- incident-ops v1 -->\n@&#8203;bob &lt;b> <!-- box:a -->\n\n a\n") == ["@bob <b>", " a"]


def test_a_place_for_a_number_that_is_not_known_yet_is_no_control_character() -> None:
    text = (
        f"- {issue_place('INC-1/AI-2')} {file_place('the record', 'a.yaml', 'a.yaml')}{issue_place('INC-1', ' ', '-')}"
    )
    assert seen_lines(text) == ["-  a.yaml-"]


def test_a_field_knows_whether_it_is_a_value() -> None:
    assert FieldChange("title", None, "a").is_value
    assert not FieldChange("labels", added=("a",)).is_value
