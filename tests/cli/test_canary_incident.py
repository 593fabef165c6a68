"""The incident of a failed canary: sent where people see it, one for each service and commit, with its rollback."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from incident_ops.app import declare, edit_record
from tests.cli.canary_scene import POLICY, Clock, Source, gate, stage
from tests.cli.scene import Done, Folder, call

Patch = pytest.MonkeyPatch
SHA = "7be19f2"
DECLARED = ("--declare", "--severity", "SEV2", "--send")
BRANCHES = "refs/heads/incident-ops/declare/"


class Runners:
    """A repository of records on a remote, and a fresh checkout for each job that rolls out."""

    def __init__(self, folder: Path, monkeypatch: Patch) -> None:
        for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ACTOR", "GITHUB_TOKEN", "GH_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        self.folder, self.bare, self._patch, self._jobs = folder, folder / "origin.git", monkeypatch, 0
        self.clock = Clock()
        seed = Folder(folder / "seed")
        seed.write("policy.yaml", POLICY)
        seed.write("gates/g.yaml", gate())
        seed.commit()
        seed.git("clone", "-q", "--bare", str(seed.path), str(self.bare))

    def checkout(self) -> Folder:
        """As a job gets it: the newest commit of main, and nothing else."""
        self._jobs += 1
        path = self.folder / f"job{self._jobs}"
        words = ["git", "clone", "-q", "--depth", "1", self.bare.as_uri(), str(path)]
        subprocess.run(words, check=True, capture_output=True)
        made = Folder.__new__(Folder)
        made.path, made.has_git = path, True
        return made

    def rollout(self, *words: str, at: Folder | None = None, ratio: float = 5.0) -> tuple[Done, dict[str, Any], Folder]:
        """A canary in a fresh checkout, or in `at`; `ratio` times as bad as the old version."""
        place = at or self.checkout()
        stage(self._patch, Source(ratio), self.clock)
        self._patch.setattr("incident_ops.adapters.clock.now", self.clock.now)
        given = ("canary", "run", "-f", "gates/g.yaml", "-s", "api", "--format", "json", *words)
        done = call(*given, at=place.path, clock=None)
        assert "Traceback" not in done.err
        return done, json.loads(done.out) if done.out else {}, place

    def git(self, *words: str) -> str:
        """Git in the remote."""
        return subprocess.run(
            ["git", "-C", str(self.bare), *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    def declared(self) -> list[str]:
        """The incidents that are declared on branches of the remote."""
        return self.git("for-each-ref", "--format=%(refname:lstrip=4)", BRANCHES).split()

    def record(self, name: str, branch: str = "") -> dict[str, Any]:
        """A record as the remote has it."""
        where = branch or f"incident-ops/declare/{name}"
        return dict(yaml.safe_load(self.git("show", f"{where}:incidents/{name}/incident.yaml")))

    def events(self, name: str, branch: str = "") -> list[str]:
        """What its timeline says."""
        return [entry["event"] for entry in self.record(name, branch)["timeline"]]

    def merge(self, name: str) -> None:
        """A person merges its declaration."""
        self.git("update-ref", "refs/heads/main", f"refs/heads/incident-ops/declare/{name}")


@pytest.fixture
def runners(tmp_path: Path, monkeypatch: Patch) -> Runners:
    return Runners(tmp_path, monkeypatch)


def test_what_a_job_declares_is_on_the_remote_when_the_job_is_gone(runners: Runners) -> None:
    """On a branch of its own, with the verdict, the figures and the rollback that ran; the exit code stays 1."""
    done, said, job = runners.rollout("--sha", SHA, *DECLARED, "--on-fail", "true")
    (name,) = said["incident_ids"]
    assert (done.code, said["verdict"], said["rollback"]) == (1, "fail", "done")
    assert runners.declared() == [name]
    assert (said["send"]["branch"], said["send"]["sent"]) == (f"incident-ops/declare/{name}", True)
    events = runners.events(name)
    assert any(event.startswith("fail: the canary has more errors") for event in events)
    assert events[-1] == "Rolled back: the --on-fail command succeeded"
    assert runners.record(name)["cause"] == {"category": "deploy", "trigger": "Its canary failed", "ref": SHA}
    assert job.git("status", "--porcelain").split() == ["??", "incidents/"]
    assert call("validate", at=job.path).code == 0


def test_the_same_canary_again_goes_on_with_its_incident(runners: Runners) -> None:
    """Another job, with nothing but main checked out: no second incident for the same commit, one for another."""
    _, first, _ = runners.rollout("--sha", SHA, *DECLARED, "--on-fail", "exit 7")
    (name,) = first["incident_ids"]
    before = runners.events(name)
    done, second, _ = runners.rollout("--sha", SHA, *DECLARED, "--on-fail", "true")
    assert (done.code, second["incident_ids"]) == (1, [name])
    assert runners.declared() == [name]
    events = runners.events(name)
    assert events[: len(before)] == before
    failed = "The rollback failed: the command of --on-fail ended with exit code 7; the canary is still out"
    assert (before[-1], events[-1]) == (failed, "Rolled back: the --on-fail command succeeded")
    assert events[len(before)].startswith("It failed again: fail: the canary has more errors")
    _, third, _ = runners.rollout("--sha", "a" * 40, *DECLARED)
    assert third["incident_ids"] != [name]
    assert len(runners.declared()) == 2


@pytest.mark.slow
def test_a_merged_incident_that_is_open_is_gone_on_with(runners: Runners) -> None:
    """From a checkout of before the merge, too; on a branch of edits. One that is over is left alone."""
    old = runners.checkout()
    _, first, _ = runners.rollout("--sha", SHA, *DECLARED)
    (name,) = first["incident_ids"]
    runners.merge(name)
    _, second, job = runners.rollout("--sha", SHA, *DECLARED)
    assert second["incident_ids"] == [name]
    edit = f"incident-ops/edit/{name}"
    assert runners.events(name, edit)[-1].startswith("No rollback was run")
    _, third, _ = runners.rollout("--sha", SHA, *DECLARED, "--on-fail", "true", at=old)
    assert third["incident_ids"] == [name]
    assert runners.events(name, edit)[-1].startswith("Rolled back")
    assert len([event for event in runners.events(name, edit) if event.startswith("It failed again")]) == 2
    withdrawn = ("withdraw", name, "--as", "false_alarm", "--reason", "a test", "--by", "@a", "--send")
    assert call(*withdrawn, at=job.path, clock=None).code == 0
    runners.git("update-ref", "refs/heads/main", f"refs/heads/{edit}")
    _, fourth, _ = runners.rollout("--sha", SHA, *DECLARED)
    assert fourth["incident_ids"] != [name]


def test_where_nothing_can_be_sent_the_verdict_stays_and_the_way_on_is_said(runners: Runners) -> None:
    """The remote goes away meanwhile: 1, the record is in the work tree, and `send` is named."""
    job, away = runners.checkout(), runners.folder / "away.git"
    gone = ("--sha", SHA, *DECLARED, "--on-fail", f"mv {runners.bare} {away}")
    done, said, _ = runners.rollout(*gone, at=job)
    (name,) = said["incident_ids"]
    assert (done.code, said["send"]["sent"], said["rollback"]) == (1, False, "done")
    assert (job.path / f"incidents/{name}/incident.yaml").exists()
    away.rename(runners.bare)
    text = call("canary", "run", "-f", "gates/g.yaml", "-s", "api", *gone, at=job.path, clock=None)
    assert text.code == 1
    assert f"next: incident-ops send {name}" in text.out
    assert "not sent:" in text.out


def test_without_send_the_record_stays_here_and_the_next_command_is_named(runners: Runners) -> None:
    """And a second run in the same work tree goes on with it."""
    job = runners.checkout()
    _, first, _ = runners.rollout("--sha", SHA, *DECLARED[:-1], at=job)
    (name,) = first["incident_ids"]
    assert "send" not in first
    words = ("canary", "run", "-f", "gates/g.yaml", "-s", "api", "--sha", SHA, *DECLARED[:-1])
    text = call(*words, at=job.path, clock=None)
    assert f"Written to {name}, which is open\nnot sent yet: incident-ops send {name}\n" in text.out
    assert [entry.name for entry in (job.path / "incidents").iterdir()] == [name]
    assert not runners.declared()


def test_a_record_that_cannot_be_written_leaves_the_verdict_and_the_rollback(runners: Runners) -> None:
    """Still 1 and JSON; what was wrong is said."""
    job = runners.checkout()
    (job.path / "incidents").write_text("in the way\n")
    done, said, _ = runners.rollout("--sha", SHA, *DECLARED, "--on-fail", "touch back", at=job)
    assert (done.code, said["verdict"], said["rollback"], said["incident_ids"]) == (1, "fail", "done", [])
    assert (job.path / "back").exists()


def test_the_incident_is_written_whole_or_not_at_all(runners: Runners, monkeypatch: Patch) -> None:
    """Verdict, figures, rollback and cause come with its first bytes, and a second failure is one edit: a job that is
    killed leaves no incident that the next one does not know again."""
    job, seen = runners.checkout(), []
    monkeypatch.setattr(declare, "write_in_new_folder", writes(seen, declare.write_in_new_folder))
    monkeypatch.setattr(edit_record, "replace_if_unchanged", writes(seen, edit_record.replace_if_unchanged))
    for number in (1, 2):
        _, said, _ = runners.rollout("--sha", SHA, *DECLARED[:-1], "--on-fail", "true", at=job)
        (name,) = said["incident_ids"]
        record = yaml.safe_load((job.path / f"incidents/{name}/incident.yaml").read_text())
        assert len(seen) == number
        assert yaml.safe_load(seen[-1]) == record
        assert (record["cause"]["ref"], "Rolled back" in record["timeline"][-1]["event"]) == (SHA, True)
    call("undo", name, at=job.path, clock=None)
    assert yaml.safe_load((job.path / f"incidents/{name}/incident.yaml").read_text()) == yaml.safe_load(seen[0])


def writes(seen: list[bytes], write: Any) -> Any:
    """The same, which keeps the bytes of each record that it writes."""

    def noted(path: Path, *content: Any) -> Any:
        seen.append([one for one in content if isinstance(one, bytes)][-1])
        return write(path, *content)

    return noted


def test_send_goes_with_declare(runners: Runners) -> None:
    """Known before anything is rolled out."""
    done, _, _ = runners.rollout("--sha", SHA, "--send", "--on-step", "touch stepped")
    done.told_once(2, "--send without --declare")


def test_the_incident_of_a_canary_does_not_hold_the_rollback(runners: Runners) -> None:
    """Merged, and of a level that holds deploys: the commit that passed before goes through, the bad one does not."""
    _, said, _ = runners.rollout("--sha", SHA, "--declare", "--severity", "SEV1", "--send")
    (name,) = said["incident_ids"]
    runners.merge(name)
    job = runners.checkout()
    good = "c" * 40
    job.write("passed", f"{good} api production\n")
    asked = ("gate", "check", "-s", "api", "--passed", "passed", "--sha")
    back = call(*asked, good, at=job.path, clock=None)
    assert (back.code, back.out.split(" (")[0].replace("\n ", "")) == (
        0,
        "pass: this commit of api to production passed before and is never held",
    )
    again = call(*asked, SHA, at=job.path, clock=None)
    assert again.code == 3
    assert name in again.out
