"""Running a plan: whole, cut off at every call, killed, twice at once, and against people."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.adapters.local_tracker import LocalTracker
from incident_ops.domain.ports import IssueTracker
from incident_ops.domain.tracker import Issue, IssueEdit
from incident_ops.errors import Incomplete
from incident_ops.reconcile import generated_block
from incident_ops.reconcile.apply import APPLIED, CHANGED_MEANWHILE, EXISTS, apply_changes
from incident_ops.reconcile.changes import EDIT
from incident_ops.reconcile.diff import key_of
from tests.reconcile.builders import (
    CrashError,
    Dying,
    Forgetful,
    item,
    local,
    plan_for,
    record,
    run,
    steps,
    sync,
    wanted,
)
from tests.support.laws import cells_run, chosen, law
from tests.support.memory_tracker import MemoryTracker

BEFORE = [record(1, item(1), item(2)), record(2, item(1)), record(3, state="resolved")]
AFTER = [
    record(1, item(1, "done"), item(2, "wont_do"), item(3)),
    record(2, item(1, "done"), state="closed"),
    record(3, state="resolved", severity="SEV0"),
    record(4, item(1)),
]


def open_keys(tracker: IssueTracker) -> Counter[str]:
    return Counter(key_of(issue, wanted([]).identities) or "" for issue in tracker.owned() if issue.is_open)


def test_each_change_is_reported_as_it_is_done(tmp_path: Path) -> None:
    """A progress display sees every step in the plan's order, with the issue's number."""
    tracker = local(tmp_path)
    made = plan_for(BEFORE, tracker)
    seen = [(one.change.key, one.number, one.outcome) for one in apply_changes(made.changes, tracker, wanted([]))]
    assert seen == [(change.key, number, APPLIED) for number, change in enumerate(made.changes, 1)]
    assert plan_for(BEFORE, tracker).changes == ()


@pytest.mark.parametrize("acted", [False, True])
@pytest.mark.parametrize("hosted", [False, True])
def test_a_crash_at_any_call_is_completed_by_the_next_run(tmp_path: Path, acted: bool, hosted: bool) -> None:
    """Whichever write is the last, before or after it happened: the next run does the rest, and no key has two."""
    for at in range(20):
        tracker = Forgetful() if hosted else local(tmp_path / str(at))
        sync(BEFORE, tracker)
        try:
            sync(AFTER, Dying(tracker, at, acted=acted))
        except CrashError:
            crashed = True
        else:
            crashed = False
        sync(AFTER, tracker)
        assert plan_for(AFTER, tracker).changes == ()
        assert open_keys(tracker) == {"INC-1": 1, "INC-1/AI-3": 1, "INC-3": 1, "INC-4": 1, "INC-4/AI-1": 1}
        if not crashed:
            break
    assert not crashed, "every write of the run was tried"
    assert at >= 8


def test_a_first_run_cut_off_at_any_call_is_completed(tmp_path: Path) -> None:
    """The same for the very first run, when the tracker's file does not exist yet."""
    for at in range(6):
        for acted in (False, True):
            tracker = local(tmp_path / f"{at}{acted}")
            with pytest.raises(CrashError):
                sync(BEFORE, Dying(tracker, at, acted=acted))
            sync(BEFORE, tracker)
            assert len(tracker.owned()) == 6
            assert set(open_keys(tracker).values()) == {1}


def test_a_key_that_got_its_issue_meanwhile_is_not_created_again() -> None:
    """Two runs that planned the same creates open each issue once, also on a tracker that keeps no keys."""
    tracker = Forgetful()
    first, second = plan_for(BEFORE, tracker), plan_for(BEFORE, tracker)
    assert {one.outcome for one in run(first, tracker)} == {APPLIED}
    assert {one.outcome for one in run(second, tracker)} == {EXISTS}
    assert set(open_keys(tracker).values()) == {1}


def test_a_note_written_after_the_plan_is_not_written_over(tmp_path: Path) -> None:
    """An issue that changed since the plan is left for the next run, which keeps the note."""
    tracker = local(tmp_path)
    sync(BEFORE, tracker)
    made = plan_for(AFTER, tracker)
    issue = tracker.owned()[0]
    tracker.update(issue.number, IssueEdit(body=issue.body + "\nwritten meanwhile"))
    outcomes = {one.number: one.outcome for one in apply_changes(made.changes, tracker, wanted([]))}
    assert outcomes[issue.number] == CHANGED_MEANWHILE
    sync(AFTER, tracker)
    assert tracker.owned()[0].body.endswith("\nwritten meanwhile")


def test_a_list_with_one_issue_twice_is_not_believed() -> None:
    """A page that shifted while it was read stops the run."""

    class Shifting(Forgetful):
        def owned(self) -> list[Issue]:
            return [*self.issues.values(), *self.issues.values()]

    tracker = Shifting()
    tracker.open_by("alice", "x", "")
    with pytest.raises(Incomplete, match="twice"):
        plan_for(BEFORE, tracker)


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.reconcile.builders import item, record, sync
from tests.support.killing import signal_at
from incident_ops.adapters.local_tracker import LocalTracker
records = [record(number, item(1), item(2, "done")) for number in range(1, 31)]
calls = signal_at(int(sys.argv[3]))
sync(records, LocalTracker(Path(sys.argv[1])))
sys.setprofile(None)
print(calls.made, calls.before_issues)
"""
KILLS = 8


def killed_sync(python: str, path: Path, call: int = 0) -> subprocess.CompletedProcess[str]:
    """An apply in a process of its own, killed at a call."""
    words = [python, "-c", KILLED, str(path), str(Path(__file__).parents[2]), str(call)]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=240)


@pytest.mark.slow
@pytest.mark.law
def test_kill_9_at_any_moment_leaves_a_whole_tracker(
    tmp_path: Path, python: str, record_property: Callable[[str, Any], None]
) -> None:
    """A process killed in the middle of an apply loses at most the step it was in; the next run completes it."""
    records = [record(number, item(1), item(2, "done")) for number in range(1, 31)]
    calls, first = map(int, killed_sync(python, tmp_path / "whole.db").stdout.split())
    moments = chosen("kills of a sync", range(KILLS), sample=3)
    record_property(*cells_run("kills of a sync", "", len(moments), KILLS))
    caught = 0
    for moment in moments:
        path = tmp_path / str(moment) / "tracker.db"
        killed = killed_sync(python, path, -(1 + (calls - first) * moment // KILLS))
        assert (killed.returncode, killed.stderr) == (-signal.SIGKILL, "")
        tracker = LocalTracker(path)
        caught += plan_for(records, tracker).changes != ()
        sync(records, tracker)
        assert plan_for(records, tracker).changes == ()
        assert len(open_keys(tracker)) == 60
        assert set(open_keys(tracker).values()) == {1}
    assert caught, "at least one kill came in the middle"


def test_two_processes_at_once_open_each_issue_once(tmp_path: Path, python: str) -> None:
    """Two applies of the same records at the same time end with one issue a key, and neither fails."""
    path = tmp_path / "tracker.db"
    command = [python, "-c", KILLED, str(path), str(Path(__file__).parents[2]), "0"]
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(2)]
    failures = [process.communicate(timeout=60)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], failures
    assert set(open_keys(LocalTracker(path)).values()) == {1}
    assert len(LocalTracker(path).owned()) == 60


NOTES = st.text(alphabet="ab #@<!->\n", min_size=1, max_size=20).map(lambda text: f"note {text}".rstrip())
EDITS = st.lists(
    st.tuples(
        st.integers(1, 6),
        st.one_of(
            st.tuples(st.just("title"), NOTES),
            st.tuples(st.just("labels"), st.sampled_from([(), ("mine",), ("incident", "closed"), ("SEV3", "done")])),
            st.tuples(st.just("assignees"), st.sampled_from([(), ("carol",)])),
            st.tuples(st.just("state"), st.sampled_from(["open", "closed"])),
            st.tuples(st.just("above"), NOTES),
            st.tuples(st.just("below"), NOTES),
            st.tuples(st.just("block"), NOTES),
            st.tuples(
                st.just("unmark"),
                st.sampled_from([generated_block.BEGIN, generated_block.END, generated_block.CLOSED_MARK]),
            ),
        ),
    ),
    max_size=6,
)


def meddle(tracker: Forgetful, number: int, what: str, value: object) -> None:
    """One thing a person may do to an issue."""
    body = tracker.issues[number].body
    head, rest = body.split("\n", 1)
    bodies = {
        "above": f"{head}\n{value}\n{rest}",
        "below": f"{body}\n{value}",
        "block": body.replace(generated_block.BEGIN, f"{generated_block.BEGIN}\n{value}"),
        "unmark": body.replace(str(value), ""),
    }
    tracker.edit(number, **({"body": bodies[what]} if what in bodies else {what: value}))


@law("edits, record changes and a crash", whole=150, sample=25)
@given(EDITS, EDITS, st.permutations([BEFORE, AFTER, BEFORE]), st.integers(0, 12), st.booleans())
def test_whatever_people_do_a_second_run_plans_nothing(first, second, histories, at: int, acted: bool) -> None:
    """Human edits, record changes and a crash in any order: then one run, and the next has nothing to do.

    What waits is only an edit of a record that follows a person's closing. Notes outside the block survive, and no key
    has two open issues.
    """
    tracker = Forgetful()
    sync(BEFORE, tracker)
    notes: list[tuple[int, str]] = []
    for records, edits in zip(histories, (first, second, []), strict=True):
        for number, (what, value) in edits:
            meddle(tracker, number, what, value)
            notes += [(number, value)] if what in ("above", "below") else []
        with contextlib.suppress(CrashError):
            sync(records, Dying(tracker, at, acted=acted))
        sync(records, tracker)
        assert {action for action, _ in steps(plan_for(records, tracker))} <= {EDIT}
        assert set(open_keys(tracker).values()) <= {1}
    for number, note in notes:
        for line in note.split("\n"):
            assert line in tracker.issues[number].body


def test_people_on_the_embedded_tracker_too() -> None:
    """The embedded tracker knows an issue by its own key, even where a person removed the marker."""
    with tempfile.TemporaryDirectory() as folder:
        tracker = local(Path(folder))
        sync(BEFORE, tracker)
        tracker.update(1, IssueEdit(title="mine", body="all mine", labels=()))
        sync(BEFORE, tracker)
        issue = tracker.owned()[0]
        assert issue.body.endswith("\nall mine")
        assert generated_block.owner(issue.body) == issue.key
        assert plan_for(BEFORE, tracker).changes == ()
        assert len(tracker.owned()) == 6
        assert msgspec.structs.asdict(issue)["labels"] == ("incident", "SEV1", "state:in-progress")


def test_what_another_run_did_meanwhile_is_done() -> None:
    """Two runs with one plan: nothing is left for a third."""
    tracker = MemoryTracker()
    sync([record(1)], tracker)
    made = plan_for([record(1, title="Another title")], tracker)
    assert [done.outcome for done in run(made, tracker)] == [APPLIED]
    assert [done.outcome for done in run(made, tracker)] == [EXISTS]
