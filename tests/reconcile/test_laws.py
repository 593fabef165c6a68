"""Laws that hold whatever happens: people at work, crashes, two runs at once, lists that lag behind."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.record import Unread
from incident_ops.reconcile import generated_block
from incident_ops.reconcile.apply import Applied, apply_changes
from incident_ops.reconcile.changes import ASSIGNEE, EDIT
from incident_ops.reconcile.desired import HANDS_OFF
from incident_ops.reconcile.diff import edits_by_path, key_of, new_numbers
from tests.reconcile.builders import CrashError, Watched, item, plan_for, record, wanted, written_back
from tests.support.laws import law
from tests.support.memory_tracker import MemoryTracker

BEFORE = [record(1, item(1), item(2)), record(2, item(1)), record(3, state="resolved"), record(7, item(1))]
AFTER = [
    record(1, item(1, "done"), item(2, "in_progress"), item(3)),
    record(2, item(1, "wont_do", reason="no need"), state="closed"),
    record(3, state="resolved", severity="SEV0"),
    record(4, item(1)),
]
BROKEN = Unread("incidents/INC-7/incident.yaml", "line 2: broken quote")
CALM = ("owned", "labels", "look_up", "closing", "assignable", "create", "create_label")
"""Calls before which a person may act: between the last look at an issue and the write nobody can be seen."""


class People:
    """What people do, by chance; the texts they wrote, and the issues that must not be touched."""

    def __init__(self, tracker: MemoryTracker, chance: Random) -> None:
        self.tracker, self.chance = tracker, chance
        self.notes: list[tuple[int, str]] = []

    def act(self) -> None:
        """One act of one person."""
        numbers = sorted(self.tracker.issues)
        if not numbers:
            return
        number = self.chance.choice(numbers)
        issue = self.tracker.issues[number]
        match self.chance.randrange(11):
            case 0:
                self.tracker.edit(number, title="renamed")
            case 1:
                self.tracker.edit(number, labels=self.chance.choice([(), ("mine",), ("incident", "sev3", "closed")]))
            case 2:
                self.tracker.edit(number, assignees=("carol",))
            case 3 if issue.is_open:
                self.tracker.close_by("carol", number, self.chance.choice(["completed", "not_planned"]))
            case 4:
                self.tracker.edit(number, state="open", state_reason="reopened")
            case 5 | 6:
                note = f"note {len(self.notes)}"
                self.notes.append((number, note))
                head, _, rest = issue.body.partition("\n")
                self.tracker.edit(number, body=self.chance.choice([f"{issue.body}\n{note}", f"{head}\n{note}\n{rest}"]))
            case 7:
                self.tracker.edit(
                    number,
                    body=issue.body.replace(self.chance.choice([generated_block.BEGIN, generated_block.END]), ""),
                )
            case 8 if self.chance.random() < 0.3:
                self.tracker.delete(number)
            case 9 if self.chance.random() < 0.3:
                self.tracker.transfer(number, "https://github.com/acme/other/issues/1")
            case 10 if self.chance.random() < 0.3:
                self.tracker.edit(number, labels=(*issue.labels, HANDS_OFF))
            case _:
                self.tracker.seat("mallory").open_by("mallory", "mine", issue.body, ("incident",))


def one_run(tracker: object, records: list, made: dict[str, int]) -> Iterator[Applied]:
    """A run as a program goes through it, one change a step; what it opened is noted in `made`."""
    plan = plan_for(records, tracker, [BROKEN])
    for one in apply_changes(plan.changes, tracker, wanted([])):
        if one.number is not None and one.change.number is None:
            made[one.change.key] = one.number
        yield one


def entangled(tracker: MemoryTracker, records: list, people: People, chance: Random) -> dict[str, int]:
    """Two runs at once, each of which may see an old list and may die; people act between any two calls."""
    made: dict[str, int] = {}
    first, second = tracker.seat(tracker.author), tracker.seat(tracker.author)
    first.is_stale, second.is_stale = chance.random() < 0.3, chance.random() < 0.3

    def meet_second(name: str, acted: bool) -> None:
        if chance.random() < 0.02:
            raise CrashError

    other = one_run(Watched(second, meet_second), records, made)

    def meet_first(name: str, acted: bool) -> None:
        if chance.random() < 0.05:
            raise CrashError
        if not acted and name in CALM and chance.random() < 0.1:
            people.act()
        if chance.random() < 0.4:
            with contextlib.suppress(CrashError):
                next(other, None)

    with contextlib.suppress(CrashError):
        list(one_run(Watched(first, meet_first), records, made))
    if chance.random() < 0.7:
        with contextlib.suppress(CrashError):
            list(other)
    return made


def calm(tracker: MemoryTracker, records: list) -> list:
    """One whole run by itself, and the merge of its proposal."""
    made: dict[str, int] = {}
    edits = plan_for(records, tracker, [BROKEN]).record_edits
    list(one_run(tracker, records, made))
    records = written_back(records, edits)
    return written_back(records, edits_by_path(new_numbers(wanted(records), made)))


def open_keys(tracker: MemoryTracker) -> Counter[str]:
    """Open issues a key; one that lost every label before any record named it is nobody's."""
    trusted = wanted([]).identities
    return Counter(
        key
        for issue in tracker.owned()
        if issue.is_open and (key := key_of(issue, trusted)) and not any(name == HANDS_OFF for name in issue.labels)
    )


def untouchable(tracker: MemoryTracker) -> dict:
    """Every issue of the record that cannot be read, and every one of a stranger."""
    trusted = wanted([]).identities
    return {
        number: issue
        for number, issue in tracker.issues.items()
        if (key_of(issue, trusted) or "INC-7").startswith("INC-7")
    }


@law("people, crashes and two runs", whole=250, sample=30)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_people_crashes_two_runs_and_old_lists(seed: int, rounds: int) -> None:
    """Whatever happened: after the last run each key has at most one open issue, and each wanted one that people did
    not take away has one; the next run plans nothing; no text of people is lost; what is unread is not touched."""
    chance, tracker = Random(seed), MemoryTracker()
    made: dict[str, int] = {}
    for one in apply_changes(plan_for(BEFORE, tracker).changes, tracker, wanted([])):
        made |= {one.change.key: one.number} if one.number else {}
    people = People(tracker, chance)
    records = BEFORE
    for turn in range(rounds, 0, -1):
        records = chance.choice([BEFORE, AFTER]) if turn > 1 else AFTER
        records = written_back(records, edits_by_path(new_numbers(wanted(records), made)))
        made |= entangled(tracker, records, people, chance)
    fixed = untouchable(tracker)
    list(one_run(tracker, records, made))
    assert {one.action for one in plan_for(records, tracker, [BROKEN]).changes} <= {EDIT}, "one run does all it can"
    for _ in range(3):
        records = calm(tracker, records)
    last = plan_for(records, tracker, [BROKEN])
    assert not last.changes, [(one.action, one.key, one.reason, one.fields) for one in last.changes]
    assert {number: tracker.issues[number] for number in fixed} == fixed
    counted = open_keys(tracker)
    assert set(counted.values()) <= {1}
    excused = {one.key for one in last.kept if "pasted by" not in one.reason and one.kind != ASSIGNEE}
    for key, issue in wanted(records).issues.items():
        if issue.closed_as is None and key not in excused and not key.startswith("INC-7"):
            assert counted[key] == 1, key
    for number, note in people.notes:
        if number in tracker.issues:
            assert note in tracker.issues[number].body.split("\n")
