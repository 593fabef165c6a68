"""Which issue belongs to which key, before any record names a number, and whose issues they are."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from incident_ops.domain.tracker import GITHUB, Snapshot
from incident_ops.reconcile import generated_block
from incident_ops.reconcile.changes import CREATE
from incident_ops.reconcile.diff import recorded_numbers
from incident_ops.reconcile.observe import observe
from incident_ops.reconcile.plan import Plan, make_plan
from tests.reconcile.builders import item, kept_rows, record, run, steps, wanted
from tests.support.laws import law
from tests.support.memory_tracker import MemoryTracker

RECORDS = [record(1, item(1), item(2)), record(2)]
KEYS = ("INC-1", "INC-1/AI-1", "INC-1/AI-2", "INC-2")
OTHERS = 8
"""The id of another repository with records."""


def opened(tracker: MemoryTracker) -> dict[str, int]:
    """The first run on a tracker -> the numbers that it keeps."""
    made = make_plan(wanted(RECORDS), observe(tracker, wanted(RECORDS)))
    return {one.change.key: one.number for one in run(made, tracker) if one.number}


def planned(tracker: MemoryTracker, numbers: dict[str, int] | None = None) -> Plan:
    """The plan of a later run, before any record names a number."""
    return make_plan(wanted(RECORDS), observe(tracker, wanted(RECORDS), numbers=numbers))


def edit(tracker: MemoryTracker, chance: Random) -> None:
    """What somebody does to one of our issues."""
    number = chance.choice(sorted(tracker.issues))
    issue = tracker.issues[number]
    lines = issue.body.split("\n")
    match chance.randrange(10):
        case 0:
            tracker.edit(number, body=f"Update: see the bridge\n{issue.body}")
        case 1:
            tracker.edit(number, body="\n".join(lines[1:]))
        case 2:
            tracker.edit(number, body=chance.choice(["", "we talk on the bridge"]))
        case 3:
            tracker.edit(number, body=tracker.issues[chance.choice(sorted(tracker.issues))].body)
        case 4:
            tracker.edit(number, labels=chance.choice([(), ("mine",), ("ticket", "closed")]))
        case 5:
            tracker.edit(number, title="Bridge")
        case 6:
            del lines[chance.randrange(len(lines))]
            tracker.edit(number, body="\n".join(lines))
        case 7:
            lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
            tracker.edit(number, body="\n".join(lines))
        case 8:
            tracker.edit(number, assignees=("carol",))
        case 9:
            tracker.edit(number, body=issue.body.replace("\n", "\r\n"))


@law("no edit opens a second issue", whole=500, sample=60)
@given(st.integers(0, 2**32), st.lists(st.booleans(), max_size=12))
def test_no_edit_opens_a_second_issue(seed: int, runs: list[bool]) -> None:
    """People edit, runs come between: each key keeps its one issue, whole again after the next run."""
    chance, tracker = Random(seed), MemoryTracker()
    numbers = opened(tracker)
    assert sorted(numbers) == sorted(KEYS)
    for is_run in (*runs, True):
        edit(tracker, chance)
        if is_run:
            made = planned(tracker, numbers)
            assert CREATE not in {one.action for one in made.changes if one.kind != "label"}
            run(made, tracker)
    assert len(tracker.issues) == len(KEYS)
    assert {key: generated_block.owner(tracker.issues[number].body) for key, number in numbers.items()} == {
        key: key for key in KEYS
    }
    assert all(issue.labels for issue in tracker.issues.values())
    assert not [one for one in planned(tracker, numbers).changes if one.action != "edit"]


def test_two_repositories_of_records_share_a_tracker() -> None:
    """The same ids twice: neither takes, changes, closes or lists the other's issues."""
    tracker = MemoryTracker()
    opened(tracker)
    first = dict(tracker.issues)
    tracker.records_id = OTHERS
    assert [key for action, key in steps(planned(tracker)) if action == CREATE and key in KEYS] == list(KEYS)
    opened(tracker)
    assert not [one for one in planned(tracker).changes if one.action != "edit"]
    assert {number: tracker.issues[number] for number in first} == first
    gone = make_plan(wanted([]), observe(tracker, wanted([])), deleted=dict.fromkeys(KEYS, "abc"))
    assert {one.number for one in gone.changes} == set(tracker.issues) - set(first)


def test_a_line_1_of_an_older_version_is_ours_in_the_records_own_repository() -> None:
    """It names no repository: every text changes once, and no second issue is opened."""
    tracker = MemoryTracker()
    opened(tracker)
    for number, issue in list(tracker.issues.items()):
        tracker.edit(number, body=issue.body.replace(" repo=7", "", 1))
    made = planned(tracker)
    assert {action for action, _ in steps(made)} == {"update", "edit"}
    run(made, tracker)
    assert not [one for one in planned(tracker).changes if one.action != "edit"]


def test_on_a_shared_tracker_an_older_line_1_needs_a_number() -> None:
    """It may be of other records: it is neither taken nor is a second issue opened; its number decides."""
    tracker = MemoryTracker()
    numbers = opened(tracker)
    tracker.repository_id = OTHERS
    for number, issue in list(tracker.issues.items()):
        tracker.edit(number, body=issue.body.replace(" repo=7", "", 1))
    made = planned(tracker)
    assert not made.changes
    assert kept_rows(made)[0] == ("INC-1", 1, "#1 may be its issue or other records'; write its number into the record")
    assert {action for action, _ in steps(planned(tracker, numbers))} == {"update", "edit"}


def test_an_issue_that_is_gone_is_not_opened_again_before_the_merge() -> None:
    """Its number is known: deleted or moved away it is listed, even where it was the last one."""
    tracker = MemoryTracker()
    numbers = opened(tracker)
    for key, number in numbers.items():
        if key == "INC-1":
            tracker.transfer(number, "https://github.com/acme/other/issues/1")
        else:
            tracker.delete(number)
    made = planned(tracker, numbers)
    assert not made.changes
    assert made.lost == 0
    assert "was moved to https://github.com/acme/other/issues/1" in kept_rows(made)[0][2]


def test_a_number_of_the_record_comes_before_the_kept_one() -> None:
    """People who name another issue of ours mean it."""
    tracker = MemoryTracker()
    numbers = opened(tracker)
    want = wanted(RECORDS)
    named = want._replace(issues={**want.issues, "INC-2": want.issues["INC-2"]._replace(number=99)})
    seen = recorded_numbers(named, Snapshot(source=GITHUB, numbers=numbers))
    assert seen == {**numbers, "INC-2": 99}
    assert recorded_numbers(named, replace(Snapshot(numbers=numbers), source="local")) == {}
