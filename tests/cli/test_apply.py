"""plan and apply as processes: killed, interrupted, twice, two at once; never two open issues for one key."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from incident_ops.errors import UserError
from tests.cli.scene import AT, CLOSED, Folder, call, command, many, record, run
from tests.support.killing import run_with_signal
from tests.support.laws import cells_run, chosen


def start(*args: str, at: Path) -> subprocess.Popen[str]:
    """Starts a command and goes on."""
    return subprocess.Popen(
        command(*args), cwd=at, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    )


def test_a_second_plan_is_empty(folder: Folder) -> None:
    """plan, apply, plan: the first shows everything, the last nothing, and the tracker did not change between."""
    keys = many(folder, 3)
    folder.commit()
    first = json.loads(call("plan", "--format", "json", at=folder.path).out)
    assert list(first) == ["schema", "checksum", "changes", "kept"]
    assert sorted(change["key"] for change in first["changes"] if change["action"] == "create") == keys
    assert {change["action"] for change in first["changes"]} == {"create", "notify"}
    assert list(first["changes"][0]) == ["action", "kind", "key", "number", "reason", "fields"]
    assert not folder.tracker.exists()
    done = call("apply", at=folder.path)
    assert (done.code, done.err) == (0, "")
    assert folder.open_keys() == keys
    before = folder.tracker.read_bytes()
    second = json.loads(call("plan", "--format", "json", at=folder.path).out)
    assert (second["schema"], second["changes"]) == (1, [])
    assert call("apply", at=folder.path) == (0, "Nothing to do: the tracker matches the records.\n", "")
    assert folder.tracker.read_bytes() == before


def test_plan_may_fail_on_changes(folder: Folder) -> None:
    """--fail-on changes ends with 1 while there is something to do, then with 0."""
    folder.put()
    assert call("plan", "--fail-on", "changes", at=folder.path).code == 1
    assert call("plan", at=folder.path).code == 0
    assert call("apply", at=folder.path).code == 0
    assert call("plan", "--fail-on", "changes", at=folder.path).code == 0


@pytest.mark.parametrize(("words", "requests"), [((), 7), (("--max-requests", "9"), 9)])
def test_the_policy_limits_the_requests_of_a_run(
    words: tuple[str, ...], requests: int, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`tracker.limits.requests` is what the way to GitHub is given, unless the command line says a number."""
    given: list[int] = []

    def dialled(*_: Any, requests: int, **__: Any) -> None:
        given.append(requests)
        raise UserError("there is no network here")

    monkeypatch.setattr("incident_ops.adapters.github.connect.connect", dialled)
    folder.write("policy.yaml", "extends: sev0-3\ntracker: {limits: {requests: 7}}\n")
    folder.put()
    folder.commit()
    call("plan", "--tracker", "github", *words, at=folder.path).told_once(2, "there is no network here")
    assert given == [requests]


def test_only_the_reviewed_plan_is_applied(folder: Folder) -> None:
    """A checksum of another plan is refused before anything is written; the right one is carried out."""
    folder.put()
    reviewed = json.loads(call("plan", "--format", "json", at=folder.path).out)["checksum"]
    folder.put("INC-2")
    call("apply", "--checksum", reviewed, at=folder.path).told_once(6, "not the one that was reviewed", "plan again")
    assert not folder.tracker.exists()
    now = json.loads(call("plan", "--format", "json", at=folder.path).out)["checksum"]
    assert call("apply", "--checksum", now, at=folder.path).code == 0
    assert folder.open_keys() == ["INC-1", "INC-2"]


def test_issues_of_an_unread_record_are_left_alone_and_listed(folder: Folder) -> None:
    """Exit 3 from plan and apply; the broken record's issue stays open, the others go on."""
    folder.put("INC-1")
    folder.put("INC-2")
    assert call("apply", at=folder.path).code == 0
    folder.put("INC-1", text="id: INC-1\nstate: [\n")
    folder.put("INC-2", **CLOSED)
    plan = call("plan", at=folder.path)
    assert plan.code == 3
    assert "incidents/INC-1/incident.yaml: line 3" in plan.out
    assert "#1" in plan.out
    data = json.loads(call("plan", "--format", "json", at=folder.path).out)
    assert [(one["path"], one["numbers"]) for one in data["unread"]] == [("incidents/INC-1/incident.yaml", [1])]
    done = call("apply", at=folder.path)
    done.told_once(3, "incidents/INC-1/incident.yaml", "not read", "left alone")
    assert folder.open_keys() == ["INC-1"]


def test_a_record_that_is_gone_from_the_work_tree_closes_nothing(folder: Folder) -> None:
    """An issue no record names is kept and listed, never closed."""
    folder.put("INC-1")
    folder.put("INC-2")
    assert call("apply", at=folder.path).code == 0
    (folder.path / "incidents/INC-1/incident.yaml").unlink()
    assert "INC-1" in call("plan", at=folder.path).out
    assert call("apply", at=folder.path).code == 0
    assert folder.open_keys() == ["INC-1", "INC-2"]


KILLS = 20


@pytest.mark.slow
@pytest.mark.law
def test_kill_9_at_any_moment_is_completed_by_the_next_apply(
    folder: Folder, tmp_path: Path, record_property: Callable[[str, Any], None]
) -> None:
    """Kills at moments all over an apply of 40 records; afterwards one apply brings one issue a key."""
    keys = many(folder, 40)
    folder.commit()
    for _ in range(2):  # the first run fills the caches, the second counts
        clear_tracker(folder)
        whole = run_with_signal("--at", AT, "apply", at=folder.path, notes=tmp_path)
        assert (whole.code, whole.err, folder.open_keys()) == (0, "", keys)
    turns = chosen("kills of apply", range(KILLS), sample=3)
    record_property(*cells_run("kills of apply", "", len(turns), KILLS))
    half_done = 0
    for turn in turns:
        clear_tracker(folder)
        reading, writing = whole.before_issues, whole.calls - whole.before_issues
        moment = -(1 + writing * turn // KILLS) if turn % 2 else 1 + reading * turn // KILLS
        for place in (moment, reading // 2):  # the second run goes on with what the first has left
            killed = run_with_signal("--at", AT, "apply", at=folder.path, notes=tmp_path, call=place)
            assert (killed.code, killed.err) == (-signal.SIGKILL, "")
            if folder.tracker.exists():
                found = folder.open_keys()
                assert len(found) == len(set(found))
                assert set(found) <= set(keys)
                half_done += 0 < len(found) < len(keys)
        assert run("apply", at=folder.path)[::2] == (0, "")
        assert folder.open_keys() == keys
    assert half_done, "at least one kill came between two issues"
    assert call("plan", "--fail-on", "changes", at=folder.path).code == 0


def clear_tracker(folder: Folder) -> None:
    """No tracker any more."""
    for file in folder.tracker.parent.glob("tracker.db*"):
        file.unlink()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_the_middle_of_apply_ends_it_cleanly(folder: Folder, number: signal.Signals, code: int) -> None:
    """The code of docs/contract.md#exit-codes, no traceback, every issue whole; the next apply does the rest."""
    keys = many(folder, 150)
    process = start("apply", "--no-notify", at=folder.path)
    assert process.stdout is not None
    for _ in range(4):
        process.stdout.readline()
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) <= 1
    half = folder.open_keys()
    assert 0 < len(half) < len(keys)
    assert run("apply", at=folder.path).code == 0
    assert folder.open_keys() == keys


def test_two_applies_at_once_never_make_two_issues(folder: Folder) -> None:
    """Each does all, or leaves to the next run what the other changed meanwhile; one issue a key is there."""
    keys = many(folder, 40)
    folder.commit()
    both = [start("apply", at=folder.path), start("apply", at=folder.path)]
    ends = [(*process.communicate(timeout=60), process.returncode) for process in both]
    for out, err, code in ends:
        assert (err, code) in (("", 0), ("", 5)), (out, err)
        assert (code == 5) == ("changed since the plan" in out), out
    assert folder.open_keys() == keys
    assert call("plan", "--fail-on", "changes", at=folder.path).code == 0


def test_two_folders_of_records_in_one_git_repository_share_nothing(folder: Folder) -> None:
    """Cache and tracker of one never show up in the other, whatever ran first."""
    for name, incident in (("a", "INC-1"), ("b", "INC-2")):
        for file in ("policy.yaml", "services.yaml"):
            folder.write(f"{name}/{file}", (folder.path / file).read_text())
        folder.write(f"{name}/incidents/{incident}/incident.yaml", record(incident))
    folder.commit()
    for _ in range(2):
        for name, incident in (("a", "INC-1"), ("b", "INC-2")):
            seen = json.loads(call("--repo", name, "sla", "check", "--format", "json", at=folder.path).out)
            assert {clock["incident"] for clock in seen["clocks"]} == {incident}
            assert call("--repo", name, "apply", at=folder.path).code == 0
            kept = json.loads(call("--repo", name, "plan", "--format", "json", at=folder.path).out)
            assert kept["changes"] == []
            assert {one["key"].partition("/")[0] for one in kept["kept"]} <= {incident}


def test_plan_counts_the_records_that_are_over_and_opens_the_others(folder: Folder) -> None:
    """What was over long ago and has no issue is one line, however many there are; with an issue it is looked at."""
    times = str(CLOSED["times"]).replace("2025", "2020")
    for number in range(2, 6):
        folder.put(f"INC-{number}", **{**CLOSED, "times": times, "severity": "SEV3"})
    folder.put()
    folder.commit()
    shown = call("plan", at=folder.path)
    assert shown.out.startswith("1 issue to create, ")
    assert "  = settled: 4 records are over and have no issue\n" in shown.out
