"""A plan from what is remembered and what changed is the plan from the whole list, or is not used."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from incident_ops.documents.issue_comments import unsettled_comment
from incident_ops.domain.record import Record
from incident_ops.domain.tracker import Issue, Snapshot, StoredList, WholeList
from incident_ops.reconcile import generated_block
from incident_ops.reconcile.apply import apply_changes
from incident_ops.reconcile.diff import edits_by_path, kept_issues, new_numbers
from incident_ops.reconcile.observe import observe
from incident_ops.reconcile.plan import Plan, make_plan
from incident_ops.reconcile.stored_list import Increment, list_to_store, scope_of
from incident_ops.reconcile.unsettled import say_unsettled
from tests.reconcile.builders import CrashError, Watched, item, record, wanted, written_back
from tests.reconcile.test_laws import AFTER, BEFORE, BROKEN, People
from tests.support.laws import law
from tests.support.memory_tracker import MemoryTracker

LABELS = ("incident", "action-item")
OURS = ("github-actions[bot]",)
WHOLE = WholeList(at="2025-02-01T12:00:00Z", pages=4, labels="digest")


class Scene:
    """A tracker, the records it is kept in step with, and what is remembered of its list."""

    def __init__(self, records: Sequence[Record], tracker: MemoryTracker | None = None) -> None:
        self.tracker = tracker or MemoryTracker()
        self.records = list(records)
        self.numbers: dict[str, int] = {}
        self.known: StoredList | None = None
        self.base: dict[int, Issue] = {}
        self.gone: set[int] = set()

    def look(self, recall: Increment | None = None) -> Snapshot:
        """The tracker as a run sees it."""
        return observe(self.tracker, wanted(self.records), numbers=self.numbers, increment=recall)

    def plan(self, seen: Snapshot) -> Plan:
        """The plan from what was seen."""
        want = wanted(self.records)
        return say_unsettled(make_plan(want, seen, [BROKEN]), want, seen, unsettled_comment)

    def run(self, crash: Callable[[str, bool], None] = lambda *_: None) -> None:
        """A run, which may end at any call; then its proposal is merged."""
        want = wanted(self.records)
        made: dict[str, int] = {}
        with contextlib.suppress(CrashError):
            seen = self.look()
            plan = self.plan(seen)
            for one in apply_changes(plan.changes, Watched(self.tracker, crash), want, observed=seen):
                made |= {one.change.key: one.number} if one.number and one.change.number is None else {}
            self.numbers |= {key: issue.number for key, issue in kept_issues(want, seen).items()} | made
            self.records = written_back(self.records, plan.record_edits)
            self.records = written_back(self.records, edits_by_path(new_numbers(wanted(self.records), made)))

    def remember(self) -> None:
        """The list is read whole and kept, as bytes are."""
        listed = {issue.number: issue for issue in self.tracker.owned()}
        known = list_to_store(replace(self.look(), whole=WHOLE), LABELS, OURS)
        assert known is not None
        self.known = msgspec.json.decode(msgspec.json.encode(known), type=StoredList)
        self.base = listed if self.tracker.is_stale else dict(self.tracker.issues)
        self.gone = set(self.base)

    def changed(self, chance: Random | None = None) -> list[Issue]:
        """What GitHub has a newer date of, by chance with some more."""
        extra = 0.2 if chance else 0.0
        return [
            issue
            for number, issue in self.tracker.issues.items()
            if self.base.get(number) != issue or (chance and chance.random() < extra)
        ]

    def recall(self, chance: Random | None = None) -> Snapshot:
        """The tracker as a run sees it that remembers the list."""
        assert self.known is not None
        return self.look(Increment(self.known, LABELS, partial(self.changed, chance)))

    def compare(self, chance: Random | None = None) -> bool:
        """True where a run made do with what it remembers: then the whole list says the same."""
        seen = self.recall(chance)
        few, whole = self.plan(seen), self.plan(self.look())
        if not seen.is_incremental or few.changes:
            return False
        assert few == whole
        return True


def happen(scene: Scene, people: People, chance: Random) -> None:
    """What comes between two runs, and one of them."""

    def crash(name: str, acted: bool) -> None:
        if chance.random() < 0.05:
            raise CrashError

    for _ in range(chance.randrange(3)):
        people.act()
    if chance.random() < 0.3:
        records = chance.choice([BEFORE, AFTER])
        told = edits_by_path(new_numbers(wanted(records), scene.numbers))
        scene.records = written_back(records, told if chance.random() < 0.5 else {})
    if chance.random() < 0.5:
        scene.run(crash)
    if chance.random() < 0.4:
        scene.tracker.is_stale = chance.random() < 0.2
        scene.remember()
        scene.tracker.is_stale = False


@pytest.mark.slow
@law("lists that are remembered", whole=400, sample=40)
@given(st.integers(0, 2**32))
def test_nothing_to_do_is_nothing_to_do_in_the_whole_list(seed: int) -> None:
    """People edit, records change, runs fail: a plan without a change is the one that the whole list gives."""
    chance = Random(seed)
    scene = Scene(BEFORE)
    people = People(scene.tracker, chance)
    scene.run()
    scene.remember()
    for _ in range(8):
        happen(scene, people, chance)
        if scene.gone <= set(scene.tracker.issues):  # what is deleted or moved away is seen in the daily list
            scene.compare(chance)
    for _ in range(4):
        scene.run()
    scene.remember()
    assert not {change.action for change in scene.plan(scene.look()).changes} - {"edit"}


def settled() -> Scene:
    """Two incidents with items, in step, remembered."""
    scene = Scene([record(1, item(1), item(2)), record(2, item(1), title="Mail is late")])
    scene.run()
    scene.run()
    scene.remember()
    assert scene.compare()
    return scene


def edited(scene: Scene, number: int, **fields: object) -> None:
    scene.tracker.edit(number, **fields)


def test_an_unchanged_tracker_is_not_listed() -> None:
    """Nothing is asked but what changed and which labels there are."""
    scene = settled()
    asked: list[str] = []

    def note(name: str, acted: bool) -> None:
        asked.append(name)

    seen = observe(
        Watched(scene.tracker, note),
        wanted(scene.records),
        numbers=scene.numbers,
        increment=Increment(scene.known, LABELS, scene.changed),  # type: ignore[arg-type]
    )
    assert seen.is_incremental
    assert set(asked) == {"labels"}


def test_no_word_is_remembered() -> None:
    """Neither a title nor a text, whoever wrote it."""
    scene = settled()
    for number, issue in list(scene.tracker.issues.items()):
        edited(scene, number, body=f"{issue.body}\nA secret of people")
    scene.remember()
    kept = msgspec.json.encode(scene.known).decode()
    assert "secret" not in kept
    assert not any(issue.title in kept for issue in scene.tracker.issues.values())
    assert scene.compare(), "and yet there is nothing to do"


def test_people_write_around_the_text_and_tick() -> None:
    """Their words are not remembered, their ticks are; neither is anything to do."""
    scene = settled()
    one = scene.tracker.issues[1]
    ticked = one.body.replace("- [ ]", "- [x]", 1)
    assert ticked != one.body
    edited(scene, 1, body=f"{ticked}\n\nA note")
    scene.run()
    scene.remember()
    assert scene.compare()


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "Another"},
        {"labels": ()},
        {"labels": ("people",)},
        {"assignees": ()},
        {"state": "closed", "state_reason": "completed"},
        {"body": ""},
    ],
)
def test_whatever_people_change_is_found(fields: dict[str, object]) -> None:
    """Also an issue that no label of ours lists any more."""
    scene = settled()
    number = next(number for number, issue in scene.tracker.issues.items() if "/" in (_key(issue) or ""))
    edited(scene, number, **fields)
    seen = scene.recall()
    if seen.is_incremental:
        assert scene.plan(seen).changes
    assert not scene.compare()
    assert scene.plan(scene.look()).changes


def test_a_changed_record_is_compared_with_the_whole_list() -> None:
    """The remembered digest is not that of what the record asks for by now."""
    scene = settled()
    scene.records[0] = written_back([record(1, item(1), item(2), title="Nobody can log in")], {})[0]
    assert not scene.recall().is_incremental


def test_what_no_text_can_be_made_for_is_looked_up_alone() -> None:
    """One of them costs one request; many, and the list is read whole."""
    scene = settled()
    for number in (1, 2, 3):
        edited(scene, number, labels=(*scene.tracker.issues[number].labels,), body=_edited_block(scene, number))
    scene.known = None
    scene.remember()
    assert scene.known is not None
    assert [row.text for row in scene.known.issues][:3] == ["", "", ""]
    assert not scene.recall().is_incremental


def test_in_doubt_the_list_is_read_whole() -> None:
    """The tracker says what changed, or that it cannot."""
    scene = settled()
    assert scene.known is not None
    seen = scene.look(Increment(scene.known, LABELS, lambda: None))
    assert not seen.is_incremental
    assert seen.issues == tuple(scene.tracker.owned())


def test_a_list_read_in_another_way_is_not_remembered() -> None:
    """Other labels, other identities."""
    assert len({scope_of(*one) for one in ((LABELS, OURS), (LABELS[:1], OURS), (LABELS, ("us",)), (OURS, LABELS))}) == 4


def _key(issue: Issue) -> str | None:
    return generated_block.owner(issue.body)


def _edited_block(scene: Scene, number: int) -> str:
    body = scene.tracker.issues[number].body
    return body.replace(generated_block.END, f"Inside\n{generated_block.END}")
