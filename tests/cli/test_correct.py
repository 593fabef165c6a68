"""`correct`: a wrong time is put right; one that is merged keeps what it was, who corrected it, and why."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from tests.cli.scene import Done, Folder, call

pytestmark = pytest.mark.usefixtures("somebody")

PATH = "incidents/INC-1/incident.yaml"
TIMES = (
    "{started: 2025-01-26T12:00:00Z, declared: 2025-01-26T12:05:00Z, acknowledged: 2025-01-26T12:06:00Z, "
    "restored: 2025-01-26T12:20:00Z, resolved: 2025-01-26T12:30:00Z}"
)
STEPS = ("new", "triaged", "assigned", "in_progress", "resolved")
CHANGES = "".join(
    f"\n- {{at: 2025-01-26T12:30:00Z, field: state, from: {old}, to: {new}}}" for old, new in pairwise(STEPS)
)
RESOLVED = {"state": "resolved", "times": TIMES, "cause": "{category: unknown}", "changes": CHANGES}


@pytest.fixture
def merged(folder: Folder) -> Folder:
    folder.put(**RESOLVED)
    folder.commit()
    return folder


def correct(folder: Folder, *words: str) -> Done:
    done = call("correct", *words, at=folder.path)
    assert done.code == 0, (words, done)
    checked = call("validate", "--base", "HEAD", at=folder.path)
    assert checked.code == 0, checked
    return done


def text(folder: Folder) -> str:
    return (folder.path / PATH).read_text(encoding="utf-8")


def test_a_merged_time_keeps_what_it_was(merged: Folder) -> None:
    """The record gets a correction; views go by it, those of an earlier time do not."""
    done = correct(merged, "started", "2025-01-26T11:50:00Z", "--reason", "the logs say so")
    said = "INC-1: times.started is 2025-01-26T11:50:00Z (was: 2025-01-26T12:00:00Z), corrected: the logs say so\n"
    assert said in done.out
    assert "started: 2025-01-26T12:00:00Z" in text(merged)
    (entry,) = text(merged).split("corrections:\n")[1:]
    assert entry == (
        "- at: 2025-01-26T14:00:00Z\n  field: times.started\n  from: 2025-01-26T12:00:00Z\n"
        '  to: 2025-01-26T11:50:00Z\n  by: "@alice"\n  reason: the logs say so\n'
    )
    assert call("render", "INC-1", at=merged.path).code == 0
    document = (merged.path / "incidents/INC-1/incident.md").read_text(encoding="utf-8")
    assert "| Started | 2025-01-26 11:50" in document
    timeline = (merged.path / "incidents/INC-1/timeline.md").read_text(encoding="utf-8")
    assert "the logs say so" in timeline


def test_what_is_committed_counts_as_merged_where_nobody_knows_what_is(merged: Folder) -> None:
    """A remote whose default branch this clone has never heard of."""
    merged.git("config", "remote.origin.url", "https://example.org/x.git")
    correct(merged, "started", "2025-01-26T11:50:00Z", "--reason", "the logs say so")
    assert "corrections:" in text(merged)


def test_corrected_twice_the_last_one_counts(merged: Folder) -> None:
    """Each begins where the one before ended; the same again changes nothing."""
    correct(merged, "times.started", "2025-01-26T11:50:00Z", "--reason", "logs")
    correct(merged, "started", "unknown", "--reason", "the logs were of another host")
    assert "from: 2025-01-26T11:50:00Z\n  to: unknown\n" in text(merged)
    assert "nothing changed" in correct(merged, "started", "unknown", "--reason", "again").out


def test_a_time_that_is_not_merged_is_changed_in_place(folder: Folder) -> None:
    """And it says so: nobody has seen the wrong one."""
    folder.put(**RESOLVED)
    done = call("correct", "INC-1", "restored", "2025-01-26T12:15:00Z", at=folder.path)
    assert done.code == 0, done
    assert (
        "times.restored is 2025-01-26T12:15:00Z (was: 2025-01-26T12:20:00Z), changed in place: it was not merged"
        in (done.out)
    )
    assert "restored: 2025-01-26T12:15:00Z" in text(folder)
    assert "corrections" not in text(folder)


def test_a_time_that_is_missing_is_filled_in(merged: Folder) -> None:
    """That needs no correction."""
    done = correct(merged, "INC-1", "detected", "2025-01-26T12:03:00Z")
    assert "times.detected is 2025-01-26T12:03:00Z" in done.out
    assert "detected: 2025-01-26T12:03:00Z" in text(merged)
    assert "corrections" not in text(merged)


def test_after_a_reopening_it_is_the_present_cycle(merged: Folder) -> None:
    """`restored` alone means the last one; the first is named in full."""
    for clock, words in (
        ("13:00:00", ("reopen", "INC-1", "--reason", "back")),
        ("13:10:00", ("resolve", "INC-1", "--restored", "2025-01-26T13:05:00Z")),
    ):
        assert call(*words, at=merged.path, clock=f"2025-01-26T{clock}Z").code == 0
    merged.commit()
    correct(merged, "restored", "2025-01-26T13:04:00Z", "--reason", "dashboard")
    correct(merged, "times.restored", "2025-01-26T12:21:00Z", "--reason", "dashboard")
    assert [line for line in text(merged).splitlines() if "field: times" in line or "field: cycles" in line] == [
        "  field: cycles.1.restored",
        "  field: times.restored",
    ]


def test_a_cycle_is_the_same_however_its_number_is_written(merged: Folder) -> None:
    for clock, words in (
        ("13:00:00", ("reopen", "INC-1", "--reason", "back")),
        ("13:10:00", ("resolve", "INC-1", "--restored", "2025-01-26T13:05:00Z")),
    ):
        assert call(*words, at=merged.path, clock=f"2025-01-26T{clock}Z").code == 0
    merged.commit()
    correct(merged, "cycles.01.restored", "2025-01-26T13:04:00Z", "--reason", "dashboard")
    assert "field: cycles.1.restored" in text(merged)
    told = call("correct", "cycles.2.restored", "2025-01-26T13:04:00Z", "--reason", "x", at=merged.path)
    told.told_once(2, "no cycles.2.restored", "INC-1 was reopened once")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("reopened", "12:00", "--reason", "x"), ("there is no reopened: INC-1 was never reopened",)),
        (("startd", "12:00", "--reason", "x"), ("'startd' is not a time", "did you mean started?")),
        (("cycles.1.restored", "12:00", "--reason", "x"), ("cycles.1.restored", "never reopened")),
        (("started", "2025-01-26T11:50:00Z"), ("--reason", "merged")),
        (("started", "2025-01-26T12:06:30Z", "--reason", "x"), ("nothing was changed", "before times.started")),
        (("resolved", "2025-01-26T12:10:00Z", "--reason", "x"), ("nothing was changed", "before times.restored")),
        (("declared", "unknown", "--reason", "x"), ("declared cannot be unknown",)),
        (("started", "later", "--reason", "x"), ("WHEN", "'later'")),
        (("started",), ("correct FIELD WHEN",)),
    ],
)
def test_wrong_input_changes_nothing(merged: Folder, words: tuple[str, ...], told: tuple[str, ...]) -> None:
    """And says what would be right."""
    call("correct", *words, at=merged.path).told_once(2, *told)
    assert merged.git("status", "--porcelain") == ""


def test_what_is_set_already_names_the_command(merged: Folder) -> None:
    """Where another command will not write a time a second time."""
    done = call("timeline", "Logs", "--mark", "started", "--at", "2025-01-26T11:50:00Z", "INC-1", at=merged.path)
    done.told_once(
        2,
        "times.started is already",
        "so nothing was written",
        'incident-ops correct INC-1 started 2025-01-26T11:50:00Z --reason "..."',
    )


def test_resolving_again_swallows_nothing(merged: Folder) -> None:
    """What was typed beside it, and is not on record, has a command."""
    words = ("resolve", "INC-1", "--restored", "2025-01-26T12:15:00Z", "--cause", "deploy", "--what", "bad release")
    done = call(*words, at=merged.path)
    assert done.code == 0, done
    assert "was resolved already" in done.out
    assert 'incident-ops cause INC-1 --category deploy --what "bad release"' in done.err.replace("'", '"')
    assert 'incident-ops correct INC-1 restored 2025-01-26T12:15:00Z --reason "..."' in done.err
    again = call("resolve", "INC-1", "--restored", "2025-01-26T12:20:00Z", "--cause", "unknown", at=merged.path)
    assert again.err == ""
    data = json.loads(call(*words, "--format", "json", at=merged.path).out)
    assert len(data["warnings"]) == 2
