"""gate check asks the tip of the remote's default branch, whatever is checked out: real remotes, real clones."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.scene import CLOSED, Done, Folder, call, record

SHA = "7be19f2" + "0" * 33
FREEZE = "name: {0}\nreason: {1}\nfrom: 2025-01-26T12:00:00Z\n"
OVERRIDE = (
    f"name: override-7be19f2\nkind: override\nreason: r\nfrom: 2025-01-26T12:00:00Z\nuntil: 2025-01-26T18:00:00Z\n"
    f"services: [api]\nenvironments: [production]\nby: '@dana'\nsha: {SHA}\n"
)


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTOR", "GITHUB_TOKEN", "GH_TOKEN", "GITHUB_REPOSITORY", "INCIDENT_OPS_BY"):
        monkeypatch.delenv(name, raising=False)


class Hosted:
    """A bare repository and two clones of it: `main` of whoever merges, `job` of the pipeline that deploys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.main = Folder(folder / "main")
        self.main.git("config", "user.name", "A")
        self.main.git("config", "user.email", "a@example.com")
        self.main.commit()
        self.bare = folder / "bare.git"
        self.git("clone", "-q", "--bare", str(self.main.path), str(self.bare))
        self.main.git("remote", "add", "origin", str(self.bare))
        self.main.git("fetch", "-q", "origin")
        self.main.git("tag", "v1")
        self.main.git("push", "-q", "origin", "v1")

    def git(self, *words: str) -> None:
        subprocess.run(["git", *words], check=True, capture_output=True)

    def clone(self, *options: str) -> Folder:
        """The job's checkout."""
        self.git("clone", "-q", *options, f"file://{self.bare}", str(self.folder / "job"))
        job = Folder.__new__(Folder)
        job.path, job.has_git = self.folder / "job", True
        job.git("config", "user.name", "B")
        job.git("config", "user.email", "b@example.com")
        return job

    def merge(self) -> None:
        """What lies in `main` is merged."""
        self.main.commit()
        self.main.git("push", "-q", "origin", "HEAD:main")


@pytest.fixture
def hosted(tmp_path: Path) -> Hosted:
    return Hosted(tmp_path)


def check(folder: Folder, *args: str, before: tuple[str, ...] = (), service: str = "api") -> Done:
    return call(*before, "gate", "check", "-s", service, *args, at=folder.path)


HELD = 3


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--depth=1",), ("--depth=1", "--branch=v1"), ("--branch=v1",)])
def test_a_checkout_behind_the_tip_is_held_by_what_was_merged_since(hosted: Hosted, options: tuple[str, ...]) -> None:
    """Whole and shallow clones, and a tag as a deploy of a tag checks it out."""
    job = hosted.clone(*options)
    hosted.main.put()
    hosted.merge()
    done = check(job)
    assert (done.code, "INC-1" in done.out) == (HELD, True), done
    assert "looked at: main on origin" in done.out
    assert job.git("status", "--porcelain") == ""
    assert "INC-1" not in str(list((job.path / "incidents").glob("*")))


def test_the_history_of_a_whole_clone_stays_whole(hosted: Hosted) -> None:
    job = hosted.clone()
    hosted.main.put()
    hosted.merge()
    check(job)
    assert job.git("rev-parse", "--is-shallow-repository").strip() == "false"
    assert job.git("fsck", "--no-dangling") == ""


def test_a_detached_head_and_a_branch_are_not_what_is_looked_at(hosted: Hosted) -> None:
    hosted.main.write("freezes/f.yaml", FREEZE.format("f", "books"))
    hosted.merge()
    job = hosted.clone()
    job.git("checkout", "-q", "--detach", "v1")
    assert check(job).code == HELD
    job.git("checkout", "-q", "-b", "feature", "main")
    (job.path / "freezes/f.yaml").unlink()
    job.write("freezes/override-7be19f2.yaml", OVERRIDE)
    job.commit()
    done = check(job, "--sha", SHA)
    assert done.code == HELD
    said = " ".join(done.out.split())
    assert "is written in freezes/override-7be19f2.yaml, and releases nothing until it is merged" in said
    job.write("freezes/f.yaml", FREEZE.format("f", "books").replace("12:00", "23:00"))
    assert check(job).code == HELD


@pytest.mark.parametrize("commits", [True, False])
def test_what_is_only_here_is_said_and_holds_nothing(hosted: Hosted, commits: bool) -> None:
    job = hosted.clone()
    job.put("INC-7", services="[api]")
    job.write("freezes/f.yaml", FREEZE.format("f", "books"))
    if commits:
        job.commit()
    done = check(job)
    assert done.code == 0, done
    assert "Not merged, does not hold yet:" in done.out
    assert "  INC-7  SEV1  new  Login fails" in done.out
    assert "  f  books" in done.out
    data = json.loads(check(job, "--format", "json").out)
    assert [hold["id"] for hold in data["not_merged"]] == ["INC-7", "f"]


@pytest.mark.parametrize("commits", [True, False])
def test_an_end_that_is_not_merged_is_said_and_holds_until_then(hosted: Hosted, commits: bool) -> None:
    """Also where more was merged since; a clone that only lacks what was merged claims nothing."""
    behind = hosted.clone()
    behind.path = behind.path.rename(behind.path.with_name("behind"))
    hosted.main.put()
    hosted.main.write("freezes/f.yaml", FREEZE.format("f", "books"))
    hosted.merge()
    job = hosted.clone()
    hosted.main.write("notes.txt", "x")
    hosted.merge()
    assert "in your files" not in check(behind).out
    job.put("INC-1", **CLOSED)
    job.write("freezes/f.yaml", FREEZE.format("f", "books") + "until: 2025-01-26T12:30:00Z\n")
    if commits:
        job.commit()
    done = check(job)
    said = " ".join(done.out.split())
    assert done.code == HELD, done
    assert "INC-1 is closed in your files, but that is not merged; until then it holds" in said
    assert "freeze f is lifted in your files, but that is not merged; until then it holds" in said


def test_a_declaration_on_a_branch_is_said(hosted: Hosted) -> None:
    """Known by the name of its branch, whatever was fetched."""
    job = hosted.clone("--depth=1")
    hosted.main.git("checkout", "-q", "-b", "incident-ops/declare/INC-8")
    hosted.main.put("INC-8")
    hosted.main.commit()
    hosted.main.git("push", "-q", "origin", "HEAD")
    done = check(job)
    assert done.code == 0
    assert "INC-8" in done.out
    assert "not merged" in done.out.replace("\n ", "")


def test_the_default_branch_is_the_remotes_and_the_address_is_the_one_that_is_fetched_from(hosted: Hosted) -> None:
    job = hosted.clone()
    hosted.main.put()
    hosted.main.commit()
    hosted.main.git("push", "-q", "origin", "HEAD:refs/heads/trunk")
    hosted.git("-C", str(hosted.bare), "symbolic-ref", "HEAD", "refs/heads/trunk")
    job.git("remote", "set-url", "--push", "origin", str(hosted.folder / "nowhere"))
    done = check(job)
    assert done.code == HELD
    assert "looked at: trunk on origin" in done.out


def test_without_a_remote_the_last_commit_answers(hosted: Hosted) -> None:
    job = hosted.clone()
    job.git("remote", "remove", "origin")
    job.put()
    done = check(job)
    assert (done.code, "looked at: HEAD" in done.out, "INC-1" in done.out) == (0, True, True)
    job.commit()
    assert check(job).code == HELD


def test_a_single_remote_may_have_any_name_and_of_several_origin_counts(hosted: Hosted) -> None:
    job = hosted.clone("--origin=upstream")
    hosted.main.put()
    hosted.merge()
    assert check(job).code == HELD
    job.git("remote", "add", "fork", str(hosted.folder / "nowhere"))
    done = check(job)
    assert done.code == HELD
    assert "incident_repo_unreachable" in done.out
    assert "--rev upstream/main" in done.out


@pytest.fixture
def silent() -> Iterator[int]:
    """A server that takes a call and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.slow
@pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
def test_a_remote_that_does_not_answer_is_no_yes_and_the_ways_on_are_named(
    hosted: Hosted, silent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = hosted.clone()
    monkeypatch.setattr("incident_ops.app.gate_source.SECONDS", 1.0)
    job.git("remote", "set-url", "origin", f"https://127.0.0.1:{silent}/x.git")
    begun = time.monotonic()
    done = check(job)
    assert time.monotonic() - begun < 6
    assert (done.code, "incident_repo_unreachable" in done.out) == (HELD, True), done
    assert "did not answer within 1 s" in " ".join(done.out.split())
    assert "--rev origin/main" in done.out
    assert "--records" in done.out
    data = json.loads(check(job, "--format", "json").out)
    assert (data["verdict"], data["reason_code"]) == ("inconclusive", "incident_repo_unreachable")


def test_a_remote_that_is_gone_or_empty_is_no_yes(hosted: Hosted) -> None:
    job = hosted.clone()
    hosted.bare.rename(hosted.folder / "gone")
    assert "incident_repo_unreachable" in check(job).out
    hosted.git("init", "-q", "--bare", str(hosted.bare))
    done = check(job)
    assert done.code == HELD
    assert "origin has no commit on its default branch" in done.out


def test_a_revision_that_is_named_answers_and_its_age_is_said(hosted: Hosted) -> None:
    job = hosted.clone()
    hosted.main.put()
    hosted.merge()
    hosted.bare.rename(hosted.folder / "gone")
    done = check(job, before=("--rev", "origin/main"))
    assert done.code == 0
    assert "last fetched 0s ago" in done.out
    assert "looked at: v1" in check(job, before=("--rev", "v1")).out


def test_what_the_tip_cannot_read_is_judged_by_the_tips_history(hosted: Hosted) -> None:
    """A record that is broken on main and closed there before holds nothing."""
    job = hosted.clone()
    hosted.main.put("INC-1", **CLOSED)
    hosted.merge()
    hosted.main.put("INC-1", text="id: [")
    hosted.merge()
    done = check(job)
    assert done.code == 0, done
    hosted.main.put("INC-2", text="id: [")
    hosted.merge()
    assert check(job).code == HELD


def test_a_fix_is_judged_by_the_tip_and_written_here(hosted: Hosted) -> None:
    hosted.main.put(roles="{commander: '@alice'}")
    hosted.merge()
    job = hosted.clone()
    done = check(job, "--sha", SHA, "--fixes", "INC-1", "--by", "@alice")
    assert (done.code, "overridden" in done.out) == (0, True), done
    assert "only this answer lets it through; a pipeline's does once the record of INC-1 is merged" in " ".join(
        done.out.split()
    )
    assert SHA in (job.path / "incidents/INC-1/incident.yaml").read_text()
    again = check(job, "--sha", SHA)
    said = " ".join(again.out.split())
    assert (again.code, "written in INC-1, and releases nothing until it is merged" in said) == (HELD, True), again
    assert "asks with `--fixes INC-1 --sha SHA`, and only that answer lets it through" in said
    forged = record(roles="{commander: '@bob'}")
    job.put(text=forged)
    done = check(job, "--sha", SHA, "--fixes", "INC-1", "--by", "@bob")
    assert done.code == HELD
    assert "the commander of INC-1 is @alice" in done.out


def test_a_checkout_without_the_record_cannot_write_the_fix_and_says_so(hosted: Hosted) -> None:
    job = hosted.clone()
    hosted.main.put(roles="{commander: '@alice'}")
    hosted.merge()
    done = check(job, "--sha", SHA, "--fixes", "INC-1", "--by", "@alice")
    assert done.code == HELD
    assert "git checkout" in done.out


def test_records_below_a_folder_of_the_repository(hosted: Hosted) -> None:
    inner = hosted.main.path / "ops"
    inner.mkdir()
    for name in ("policy.yaml", "services.yaml"):
        (inner / name).write_text((hosted.main.path / name).read_text())
    hosted.merge()
    job = hosted.clone()
    file = inner / "incidents/INC-1/incident.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(record())
    hosted.merge()
    done = call("gate", "check", "-s", "api", at=job.path / "ops")
    assert done.code == HELD


def test_records_below_others_are_no_yes_until_it_is_said_which_count(hosted: Hosted) -> None:
    """A policy.yaml of a folder below hides the incidents of the repository from whoever stands there."""
    inner = hosted.main.path / "ops"
    inner.mkdir()
    for name in ("policy.yaml", "services.yaml"):
        (inner / name).write_text((hosted.main.path / name).read_text())
    hosted.main.put()
    hosted.merge()
    job = hosted.clone()
    done = call("gate", "check", "-s", "api", at=job.path / "ops")
    assert done.code == HELD
    assert "(unreadable_record)" in done.out
    assert "say which records count, --repo .. or --repo ." in " ".join(done.out.split())
    assert call("--repo", "..", "gate", "check", "-s", "api", at=job.path / "ops").code == HELD
    assert call("--repo", ".", "gate", "check", "-s", "api", at=job.path / "ops").code == 0


@pytest.mark.slow
def test_a_drill_is_said_and_a_false_alarm_holds_until_it_is_closed(hosted: Hosted) -> None:
    """Neither may switch an open incident off unseen."""
    job = hosted.clone()
    hosted.main.put()
    hosted.merge()
    before = hosted.main.git("rev-parse", "HEAD").strip()
    hosted.main.put(drill="true")
    hosted.merge()
    done = check(job)
    assert (done.code, "INC-1 is a drill and holds nothing" in done.out) == (0, True), done
    found = call("validate", "--base", before, at=hosted.main.path)
    assert "becomes a drill: it holds no deploys any more" in found.out
    hosted.main.put(outcome="false_alarm")
    hosted.merge()
    assert check(job).code == HELD


@pytest.mark.slow
def test_a_commander_is_nobodys_second_person(hosted: Hosted) -> None:
    """--fixes releases from the incident, not from a freeze of everything."""
    hosted.main.put(roles="{commander: '@alice'}")
    hosted.main.write("freezes/year-end.yaml", FREEZE.format("year-end", "books"))
    hosted.merge()
    job = hosted.clone()
    done = check(job, "--sha", SHA, "--fixes", "INC-1", "--by", "@alice")
    assert done.code == HELD
    assert "the override of INC-1 does not release from year-end" in " ".join(done.out.split())
    hosted.main.write("freezes/override-7be19f2.yaml", OVERRIDE)
    hosted.merge()
    assert check(job, "--sha", SHA).code == 0


@pytest.mark.slow
def test_an_older_commit_never_takes_the_place_of_a_newer_one(hosted: Hosted) -> None:
    """By ancestry: the older one is published later, by a clock that is ahead, from a shallow clone."""
    for depth in ((), ("--depth=1",)):
        job = hosted.clone(*depth)
        hosted.main.put(title=f"{len(depth)} more", services="[api]")
        hosted.merge()
        assert "public: published" in call("gate", "publish", at=hosted.main.path).out
        done = call("gate", "publish", at=job.path, clock="2025-01-26T15:00:00Z")
        assert "a newer one is published already, it stays" in done.out
        place = f"file://{hosted.bare}@incident-ops/public"
        assert check(job, "--records", place).code == HELD
        shutil.rmtree(job.path)


def test_a_default_branch_that_is_not_there_is_not_called_an_empty_remote(hosted: Hosted) -> None:
    """It was renamed on the server, or the server names one that nobody pushed."""
    job = hosted.clone()
    hosted.git("-C", str(hosted.bare), "symbolic-ref", "HEAD", "refs/heads/trunk")
    done = check(job)
    assert (done.code, "origin has no commit on its default branch" in " ".join(done.out.split())) == (HELD, True), done
