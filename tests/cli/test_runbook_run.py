"""`runbook run --execute`: a real terminal, a real shell, a real service; what the record has afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.cli.scene import ROOT, Folder, call, run
from tests.support.typing import TypedSession

pytestmark = pytest.mark.usefixtures("somebody")

STEPS = """---
owner: "@team"
review_by: 2099-01-01
---
# The api fails

1. Service health: does it answer?

   ```sh
   curl --silent --fail "$SERVICE/health"
   ```

2. Recent deployments: ask in the channel.

3. Restart it.

   ```sh
   curl --silent --fail-with-body "$SERVICE/restart"
   echo never printed by a step that failed
   ```

4. Wait until it is warm.

   ```sh
   curl --silent --fail "$SERVICE/slow"
   ```

5. Say so.

   ```bash
   echo back | cat
   ```
"""


class Service(NamedTuple):
    """A service that runs, and the folder by which a test breaks it and sees who asked."""

    address: str
    folder: Path

    @property
    def requests(self) -> list[str]:
        return (self.folder / "requests").read_text().split()

    def wait_for(self, request: str) -> None:
        until = time.monotonic() + 60
        while request not in self.requests:
            assert time.monotonic() < until, self.requests
            time.sleep(0.05)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A scratch service on this machine."""
    home = tmp_path / "service"
    home.mkdir()
    (home / "requests").touch()
    process = subprocess.Popen([sys.executable, "-m", "tests.support.scratch_service", str(home)], cwd=ROOT)
    try:
        until = time.monotonic() + 60
        while not (home / "ready").exists():
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        yield Service((home / "ready").read_text(), home)
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def failing(folder: Folder) -> Folder:
    """A repository with the runbook of a service, and an incident on it."""
    folder.put()
    folder.write("runbooks/api.md", STEPS)
    folder.commit()
    return folder


def timeline(folder: Folder) -> list[dict[str, Any]]:
    """The entries of steps."""
    return [one for one in folder.data().get("timeline", []) if one["kind"] == "runbook"]


def said(folder: Folder) -> list[tuple[int, str]]:
    """(the number of the step, the beginning of its result) of each of them."""
    entries = timeline(folder)
    return [(int(one["event"].split("step ")[1].split(" ")[0]), one["result"].split(":")[0]) for one in entries]


def execute(folder: Folder, *words: str, columns: int = 80, **variables: str) -> TypedSession:
    return TypedSession(folder.path, "runbook", "run", "api", "--execute", *words, columns=columns, **variables)


@pytest.mark.slow
def test_it_stops_where_a_step_fails_and_goes_on_there_also_after_a_kill(failing: Folder, service: Service) -> None:
    """The timeline has each step once that was finished, and the failure of the one that failed first."""
    broken, held = service.folder / "broken", service.folder / "held"
    broken.touch()
    with execute(failing, SERVICE=service.address) as typed:
        typed.answer("Run it?", "run")
        typed.answer("Is it done?", "done")
        typed.answer("Run it?", "run")
        assert typed.end() == 4
        assert "step 3 failed: the runbook stops here" in typed.shown
    assert said(failing) == [(1, "done, exit code 0"), (2, "done by hand"), (3, "failed, exit code 22")]
    failed = timeline(failing)[-1]
    assert "cannot restart: token=*** is refused" in failed["result"]
    assert "never printed" not in failed["result"]
    assert failed["by"] == "@alice"
    assert '"$SERVICE/restart"' in failed["action"]

    broken.unlink()
    held.touch()
    with execute(failing, SERVICE=service.address) as typed:
        typed.wait_for("2 of 5 steps done before")
        typed.wait_for("failed, exit code 22")
        typed.answer("Run it?", "r")
        typed.wait_for("Wait until it is warm")
        typed.answer("Run it?", "r")
        service.wait_for("/slow")
        typed.process.kill()
        assert typed.end() == -9
    held.unlink()

    with execute(failing, SERVICE=service.address) as typed:
        typed.wait_for("how it ended is not known")
        typed.answer("Run it?", "run")
        typed.answer("Run it?", "run")
        assert typed.end() == 0
        assert "End of the runbook.\r\nReview what you found, and decide how to mitigate." in typed.shown
    done = "done, exit code 0"
    assert said(failing)[3:] == [(3, done), (4, done), (5, done)]
    assert service.requests == ["/health", "/restart", "/restart", "/slow", "/slow"]
    assert call("validate", at=failing.path, clock=None).code == 0


def yes_to_all(folder: Folder, kill_at: int = 0) -> subprocess.CompletedProcess[str]:
    """Carries the runbook out, or is killed at that call."""
    words = [sys.executable, "-m", "tests.support.runbook_killing", str(kill_at), str(folder.path)]
    env = {key: value for key, value in os.environ.items() if key != "GITHUB_ACTIONS"}
    home = {"PYTHONPATH": str(ROOT), "LOG": str(folder.path / "log")}
    return subprocess.run(
        words, cwd=folder.path, env=env | home, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.slow
def test_killed_anywhere_each_step_is_in_the_timeline_once(failing: Folder, tmp_path: Path) -> None:
    """A step in which it was killed may be run again, none is left out, and none is recorded twice."""
    steps = "".join(f'{number}. Step\n\n   ```sh\n   echo {number} >> "$LOG"\n   ```\n\n' for number in (1, 2, 3))
    failing.write("runbooks/api.md", f"# T\n\n{steps}")
    failing.commit()
    calls = int(yes_to_all(failing.copy(tmp_path / "whole")).stdout)
    assert calls > 1000
    killed = 0
    for part in range(1, 10):
        folder = failing.copy(tmp_path / f"killed-{part}")
        first = yes_to_all(folder, kill_at=calls * part // 10)
        killed += first.returncode == -9
        again = yes_to_all(folder)
        assert again.returncode == 0, (part, again.stderr)
        assert said(folder) == [(number, "done, exit code 0") for number in (1, 2, 3)], part
        assert sorted(set((folder.path / "log").read_text().split())) == ["1", "2", "3"]
    assert killed == 9


@pytest.mark.slow
def test_ctrl_c_ends_the_step_and_not_the_record(failing: Folder, service: Service) -> None:
    (service.folder / "held").touch()
    with execute(failing, "--step", "4", SERVICE=service.address) as typed:
        typed.answer("Run it?", "run")
        service.wait_for("/slow")
        typed.type("\x03")
        assert typed.end() == 130
    assert said(failing) == [(4, "interrupted, ended by Ctrl-C")]


@pytest.mark.slow
def test_what_a_kill_left_between_the_record_and_what_is_kept_is_not_written_twice(failing: Folder) -> None:
    """A step that the timeline has is known by its words; one that it does not have is written before all else."""
    with execute(failing, "--step", "5") as typed:
        typed.answer("Run it?", "run")
        assert typed.end() == 0
    (kept,) = (failing.path / ".git/incident-ops/runbooks").glob("INC-1-api-*.json")
    data = json.loads(kept.read_text())
    assert data["steps"]["5"]["recorded"] is True
    data["steps"]["5"]["recorded"] = False
    kept.write_text(json.dumps(data))
    with execute(failing) as typed:
        assert typed.end() == 0
    assert said(failing) == [(5, "done, exit code 0")]
    failing.put()
    kept.write_text(json.dumps(data))
    with execute(failing) as typed:
        assert typed.end() == 0
    assert said(failing) == [(5, "done, exit code 0")]


@pytest.mark.slow
def test_a_step_is_left_out_and_the_run_is_stopped_by_a_word(failing: Folder) -> None:
    with execute(failing, "--incident", "INC-1") as typed:
        typed.answer("Run it?", "perhaps")
        typed.answer("Run it?", "skip")
        typed.answer("Is it done?", "stop")
        assert typed.end() == 0
        assert "stopped before step 2; to go on: incident-ops runbook run api --execute" in typed.shown
    assert said(failing) == [(1, "skipped")]


@pytest.mark.slow
def test_a_command_has_a_terminal_and_gets_what_is_typed(failing: Folder) -> None:
    failing.write("runbooks/api.md", '# T\n\n- Ask\n\n  ```sh\n  tty\n  read answer\n  echo "it is $answer"\n  ```\n')
    with execute(failing) as typed:
        typed.wait_for("is not what the default branch has")
        typed.answer("Run it?", "run")
        typed.answer("/dev/pts/", "blue")
        assert typed.end() == 0
    assert "it is blue" in timeline(failing)[0]["result"]


@pytest.mark.slow
def test_without_an_open_incident_it_is_run_and_nothing_is_recorded(failing: Folder) -> None:
    failing.put(services="[web]")
    before = failing.data()
    with execute(failing, "--step", "5") as typed:
        typed.wait_for("no incident is open on it")
        typed.answer("Run it?", "run")
        assert typed.end() == 0
    assert failing.data() == before
    assert not list((failing.path / ".git/incident-ops/runbooks").iterdir())  # the next time begins anew


def closed(**more: str) -> dict[str, str]:
    times = "{started: 2025-01-26T12:00:00Z, declared: 2025-01-26T12:05:00Z, acknowledged: 2025-01-26T12:06:00Z, "
    times += "restored: 2025-01-26T12:10:00Z, resolved: 2025-01-26T12:30:00Z, closed: 2025-01-26T12:35:00Z}"
    return {"state": "closed", "times": times, **more}


@pytest.mark.slow
def test_it_says_before_the_first_step_which_incident_it_records_in(failing: Folder) -> None:
    with execute(failing, "--step", "5") as typed:
        typed.wait_for("Run it?")
        said_first = " ".join(typed.shown.split("5. Say so")[0].split())
        assert "each step goes into the timeline of INC-1 (SEV1, new): Login fails" in said_first
        typed.type("stop\n")
        assert typed.end() == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("here", "other", "named", "doubt"),
    [
        ({"drill": "true"}, {"services": "[web]"}, "", "INC-1 is a drill, and INC-2 is a real incident"),
        ({"drill": "true"}, {"services": "[web]"}, "INC-1", "INC-1 is a drill, and INC-2 is a real incident"),
        ({}, {"services": "[web]", "drill": "true"}, "", "INC-1 is a real incident, and the drill INC-2 is going on"),
        (closed(), {"services": "[web]"}, "INC-1", "INC-1 is closed"),
        ({"services": "[web]"}, closed(), "INC-1", "INC-1 is not on api"),
    ],
)
def test_where_it_may_be_the_wrong_record_it_asks_first(
    failing: Folder, here: dict[str, str], other: dict[str, str], named: str, doubt: str
) -> None:
    """Nothing is run and nothing recorded until somebody says yes."""
    failing.put("INC-2", **other)
    failing.put("INC-1", **here)
    words = ("--step", "5", *(("--incident", named) if named else ()))
    with execute(failing, *words, columns=200) as typed:
        typed.answer("Record in INC-1?", "n")
        assert doubt in " ".join(typed.shown.split())
        assert typed.end() == 2
        assert "--incident" in typed.shown
    assert timeline(failing) == []
    with execute(failing, *words) as typed:
        typed.answer("Record in INC-1?", "y")
        typed.answer("Run it?", "run")
        assert typed.end() == 0
    assert said(failing) == [(5, "done, exit code 0")]


@pytest.mark.slow
def test_a_real_incident_that_somebody_names_beside_a_drill_is_no_doubt(failing: Folder) -> None:
    failing.put("INC-2", drill="true")
    failing.put("INC-1")
    with execute(failing, "--step", "5", "--incident", "INC-1") as typed:
        typed.answer("Run it?", "run")
        assert typed.end() == 0
    with execute(failing, "--step", "5") as typed:
        typed.wait_for("drill, new")
        typed.answer("Number", "1")
        typed.answer("Run it?", "stop")
        assert typed.end() == 0


@pytest.mark.slow
def test_an_outcome_is_said_also_where_the_record_does_not_take_it(failing: Folder) -> None:
    """What was not recorded, and how it will be; the next run records it first, at its own time."""
    record = failing.path / "incidents/INC-1/incident.yaml"
    whole = record.read_text()
    failing.write("runbooks/api.md", f"# T\n\n1. Look\n\n   ```sh\n   echo 'x: [' >> {record}\n   ```\n\n2. Think\n")
    with execute(failing) as typed:
        typed.answer("Run it?", "run")
        assert typed.end() == 2
        shown = " ".join(typed.shown.split())
    outcome, lost, error = (
        shown.index(text)
        for text in (
            "step 1: done, exit code 0",
            "step 1 is not in the timeline of INC-1",
            "error: incidents/INC-1/incident.yaml",
        )
    )
    assert outcome < lost < error
    assert "the next run records it first: incident-ops runbook run api --execute" in shown
    record.write_text(whole)
    with execute(failing) as typed:
        typed.answer("Is it done?", "done")
        assert typed.end() == 0
    assert said(failing) == [(1, "done, exit code 0"), (2, "done by hand")]


@pytest.mark.slow
def test_an_outcome_is_said_also_where_the_disk_does_not_take_it(failing: Folder) -> None:
    """Nothing keeps it then but the person, who reads the command that records it."""
    kept = failing.path / ".git/incident-ops/runbooks"
    command = f"cd {kept}; kept=$(ls INC-1*.json); rm $kept; mkdir -p $kept/in-the-way"
    failing.write("runbooks/api.md", f"# T\n\n1. Look\n\n   ```sh\n   {command}\n   ```\n\n2. Think\n")
    with execute(failing, columns=400) as typed:
        typed.answer("Run it?", "run")
        assert typed.end() == 4
        shown = " ".join(typed.shown.split())
    assert shown.index("step 1: done, exit code 0") < shown.index("step 1 is not in the timeline of INC-1")
    assert 'incident-ops timeline "Runbook runbooks/api.md, step 1 of 2: Look" INC-1 --kind runbook --at ' in shown
    assert '--result "done, exit code 0"' in shown


def test_only_a_person_at_a_terminal_executes(failing: Folder) -> None:
    done = run("runbook", "run", "api", "--execute", at=failing.path, clock=None)
    done.told_once(2, "asks at each step, and here nobody can be asked")
    done = run("runbook", "run", "api", "--execute", at=failing.path, clock=None, env={"GITHUB_ACTIONS": "true"})
    done.told_once(2, "never executed inside GitHub Actions")
    assert timeline(failing) == []


def test_a_broken_runbook_an_old_one_and_a_step_too_far_are_refused(failing: Folder) -> None:
    at = failing.path
    call("runbook", "run", "api", "--execute", "--step", "9", at=at, clock=None).told_once(2, "there is no step 9")
    call("runbook", "run", "api", "--execute", at=at).told_once(2, "a runbook is executed now", "leave out --at")
    call("--rev", "HEAD", "runbook", "run", "api", "--execute", at=at, clock=None).told_once(2, "old revision")
    failing.write("runbooks/api.md", "---\nowner: @x\n---\n- Look\n")
    call("runbook", "run", "api", "--execute", at=at, clock=None).told_once(2, "runbooks/api.md:2:8", "quotes")


def test_a_dry_run_says_what_would_be_run_and_runs_nothing(failing: Folder) -> None:
    failing.write("runbooks/api.md", "# T\n\n1. Look\n\n   ```sh\n   touch seen\n   ```\n\n2. Think\n")
    done = call("runbook", "run", "api", at=failing.path)
    assert done.code == 0
    assert "    $ touch seen\n" in done.out.replace("   $", "    $")
    assert "-> would ask, then run 1 command" in done.out
    assert "-> by hand: it would ask whether it is done" in done.out
    assert "Nothing was run. With --execute each step goes into the timeline of INC-1." in done.out
    assert "runbooks/api.md is not what the default branch has" in done.err
    assert not (failing.path / "seen").exists()


def test_a_dry_run_asks_for_no_incident_and_keeps_the_one_it_was_given(failing: Folder) -> None:
    failing.put("INC-2")
    both = call("runbook", "run", "api", at=failing.path)
    assert both.code == 0
    assert "2 incidents are open on api (INC-1, INC-2): name one by --incident" in both.err
    one = call("runbook", "run", "api", "--incident", "INC-2", at=failing.path)
    assert one.out.endswith("To run it, step by step: incident-ops runbook run api --execute --incident INC-2\n")


@pytest.mark.parametrize("words", [("show",), ("run",)])
def test_whoever_follows_it_hears_that_its_review_is_late(failing: Folder, words: tuple[str, ...]) -> None:
    text = '---\nowner: "@team"\nreview_by: {day}\n---\n# T\n\n1. Look\n'
    failing.write("runbooks/api.md", text.format(day="2025-01-01"))
    late = call("runbook", *words, "api", at=failing.path)
    assert (late.code, "runbooks/api.md: its review was due on 2025-01-01" in late.err) == (0, True)
    failing.write("runbooks/api.md", text.format(day="2099-01-01"))
    assert "its review" not in call("runbook", *words, "api", at=failing.path).err
