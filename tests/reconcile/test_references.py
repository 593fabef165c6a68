"""Issues that name each other and the files of the records: in one run, whatever is cut off, after a rename."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from incident_ops.documents.markdown import code, inline, markdown
from incident_ops.domain.tracker import IssueEdit
from incident_ops.errors import WriteFailed
from incident_ops.reconcile.apply import LEFT_OVER
from incident_ops.reconcile.changes import EDIT
from incident_ops.reconcile.generated_block import END, compose, parse_body
from incident_ops.reconcile.observe import observe
from incident_ops.reconcile.plan import Plan, make_plan
from incident_ops.reconcile.references import (
    file_place,
    fill_places,
    issue_place,
    kept_address,
    leave_places,
    repository_at,
)
from tests.reconcile.builders import item, plan_for, record, run, steps, sync, wanted
from tests.support.memory_tracker import MemoryTracker

RECORDS = [record(1, item(1), item(2)), record(2)]
HERE, RENAMED = "https://github.com/acme/records/blob/HEAD/", "https://github.com/acme/incidents/blob/HEAD/"


def on_tracker(made: Plan) -> list[tuple[str, str]]:
    """The steps on the tracker; the numbers go into the records by a proposal."""
    return [step for step in steps(made) if step[0] != EDIT]


def test_one_run_opens_the_issues_and_names_them_in_each_other() -> None:
    """The second plan is empty."""
    tracker = MemoryTracker()
    sync(RECORDS, tracker)
    assert "**AI-1** #2 Mend part 1" in tracker.issues[1].body
    assert "**AI-2** #3 Mend part 2" in tracker.issues[1].body
    assert "- **Incident:** #1 Login fails" in tracker.issues[3].body
    assert on_tracker(plan_for(RECORDS, tracker)) == []


def test_items_that_a_limit_held_back_are_named_by_the_run_that_opens_them() -> None:
    """What a person wrote on the tracking issue meanwhile, and ticked there, stays."""
    tracker = MemoryTracker()
    made = plan_for(RECORDS, tracker)
    run(made._replace(changes=tuple(one for one in made.changes if "/" not in one.key)), tracker)
    assert "**AI-1** Mend part 1" in tracker.issues[1].body
    tracker.edit(1, body=f"{tracker.issues[1].body}\nours")
    assert on_tracker(plan_for(RECORDS, tracker)) == [("create", "INC-1/AI-1"), ("create", "INC-1/AI-2")]
    sync(RECORDS, tracker)
    assert "**AI-1** #3 Mend part 1" in tracker.issues[1].body
    assert tracker.issues[1].body.endswith("\nours")
    assert on_tracker(plan_for(RECORDS, tracker)) == []


class Refusing(MemoryTracker):
    """A tracker that refuses every new text."""

    def update(self, number: int, edit: IssueEdit) -> None:
        raise WriteFailed(f"#{number} is refused")


def test_a_text_that_could_not_be_named_is_left_and_mended_by_the_next_run() -> None:
    """The issues are there, the run says what is left."""
    refusing = Refusing()
    outcomes = sync(RECORDS, refusing)
    assert [(one.change.key, one.number) for one in outcomes if one.outcome == LEFT_OVER] == [("INC-1/AI-2", 1)]
    tracker = MemoryTracker()
    tracker.issues, tracker.named = refusing.issues, refusing.named
    assert on_tracker(plan_for(RECORDS, tracker)) == [("update", "INC-1")]
    sync(RECORDS, tracker)
    assert on_tracker(plan_for(RECORDS, tracker)) == []


def test_another_name_of_the_repository_plans_nothing() -> None:
    """GitHub leads from the old address to the new one; another site, or an edited text, gets the present one."""
    tracker, want = MemoryTracker(), wanted(RECORDS)
    run(make_plan(want, replace(observe(tracker, want), records_at=HERE)), tracker)
    assert f"[Record](<{HERE}incidents/INC-1/incident.yaml>)" in tracker.issues[1].body
    assert "[Record](<https:" in tracker.issues[3].body
    seen = replace(observe(tracker, want), records_at=RENAMED)
    assert on_tracker(make_plan(want, seen)) == []
    moved = replace(seen, records_at=HERE.replace("github.com", "ghe.example.com"))
    assert {key for _, key in on_tracker(make_plan(want, moved))} == set(want.issues)
    tracker.edit(4, body=tracker.issues[4].body.replace(HERE, "https://github.com/mallory/records/blob/HEAD/"))
    edited = replace(observe(tracker, want), records_at=RENAMED)
    (change,) = (one for one in make_plan(want, edited).changes if one.action != EDIT)
    generated = (change.edit.body or "").partition(END)[0]
    assert (change.key, "mallory" in generated, HERE.replace("records", "incidents") in generated) == (
        "INC-2",
        False,
        True,
    )


def test_no_text_of_a_record_makes_a_place() -> None:
    """A title that holds the very characters names no issue and no file."""
    forged = issue_place("INC-2", "see ") + file_place("x", "y", "z")
    for spelled in (markdown(forged), inline(forged), code(forged)):
        assert fill_places(spelled, {"INC-2": 7}, HERE) == leave_places(spelled) == spelled
        assert "#7" not in spelled


@pytest.mark.parametrize(
    "forged",
    [
        "https://github.com/mallory/records/blob/HEAD/",
        "https://github.com/acme/records/raw/HEAD/",
        "https://github.com/acme/records/blob/evil/",
        "https://github.com/acme/records/blob/HEAD/elsewhere/",
        "https://github.com/acme/../mallory/records/blob/HEAD/",
        "https://github.com/acme/../blob/HEAD/",
        "https://github.com/login?return_to=/acme/records/blob/HEAD/",
        "https://github.com/acme/records/blob/HEAD/../../../../mallory/records/blob/HEAD/",
    ],
)
def test_an_address_that_somebody_wrote_with_its_digest_gives_way(forged: str) -> None:
    """Who may edit an issue can compute what line 1 says of the text."""
    tracker, want = MemoryTracker(), wanted(RECORDS)
    run(make_plan(want, replace(observe(tracker, want), records_at=HERE)), tracker)
    for number in (1, 3):
        parts = parse_body(tracker.issues[number].body)
        block = (parts.block or "").replace(HERE, forged)
        tracker.edit(number, body=compose(str(parts.key), block, None, parts.repository or 0))
        assert parse_body(tracker.issues[number].body).is_ours
    made = make_plan(want, replace(observe(tracker, want), records_at=HERE))
    bodies = {one.key: one.edit.body or "" for one in made.changes if one.action != EDIT}
    assert set(bodies) == {"INC-1", "INC-1/AI-2"}
    assert all(forged not in body.partition(END)[0] and HERE in body for body in bodies.values())


def test_an_address_is_kept_on_the_same_site_alone() -> None:
    text = f"[Record](<{HERE}incidents/a%20b.yaml>)"
    assert kept_address(text, "incidents/a b.yaml", RENAMED) == HERE
    assert kept_address(text, "incidents/other.yaml", RENAMED) == RENAMED
    assert kept_address(text, "incidents/a b.yaml", "") == ""
    assert kept_address(text.replace("https", "http"), "incidents/a b.yaml", RENAMED) == RENAMED


def test_an_address_of_another_owner_is_kept_where_the_repository_was_there() -> None:
    """By whole names, on the same site, in the same folder."""
    path, moved = "incidents/INC-1/incident.yaml", HERE.replace("acme", "newcorp")
    text, was = f"[Record](<{HERE}{path}>)", repository_at(HERE)
    assert was == "acme/records"
    assert kept_address(text, path, moved) == moved
    assert kept_address(text, path, moved, [was.upper()]) == HERE
    assert kept_address(text, path, moved, ["acme/record", "cme/records", "acme/records2"]) == moved
    assert kept_address(text.replace("github.com", "github.example"), path, moved, [was]) == moved
    assert kept_address(text.replace("/blob/HEAD/", "/blob/HEAD/other/"), path, moved, [was]) == moved
    assert repository_at("") == repository_at("https://github.com/acme") == ""
