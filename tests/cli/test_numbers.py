"""Numbered ids: two clones of one remote never get the same one, and without a remote an id is by time."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from incident_ops.adapters.git_numbers import NUMBERS_BRANCH
from tests.cli.scene import AT, Done, call, command, run
from tests.support.origin import Origin
from tests.support.repository import SERVICES, Repo

pytestmark = pytest.mark.usefixtures("somebody")

BY_YEAR, BY_NUMBER = "INC-YYYY-NNNNN", "INC-N"
BY_TIME = "INC-20250126-140000"


def numbered(origin: Origin, form: str = BY_YEAR) -> Repo:
    """A clone whose records are numbered, with that policy on the remote's main."""
    repo = origin.clone()
    repo.write("policy.yaml", f"extends: sev0-3\nids: {{incident: {form}}}\n")
    repo.write("services.yaml", SERVICES)
    repo.git("rm", "--quiet", "-r", "incidents")
    repo.commit("policy")
    repo.git("push", "--quiet", "origin", "main")
    return repo


def declare(repo: Repo, *more: str) -> Done:
    done = call("declare", "Login fails", "-s", "api", "--severity", "SEV2", *more, at=repo.root)
    assert done.code == 0, done
    return done


def id_of(done: Done) -> str:
    return done.out.partition(":")[0]


@pytest.mark.parametrize(
    ("form", "ids"), [(BY_NUMBER, ["INC-1", "INC-2"]), (BY_YEAR, ["INC-2025-00001", "INC-2025-00002"])]
)
def test_each_declaration_takes_the_next_number_of_the_remote(origin: Origin, form: str, ids: list[str]) -> None:
    """Also where nothing of the first is committed."""
    one = numbered(origin, form)
    other = origin.clone("other")
    assert [id_of(declare(one)), id_of(declare(other))] == ids
    assert json.loads(origin.show(NUMBERS_BRANCH, "last.json")) == {ids[0].rstrip("012345"): 2}


@pytest.mark.slow
def test_two_clones_racing_never_get_the_same_id(origin: Origin) -> None:
    numbered(origin)
    clones = [origin.clone(f"clone-{n}") for n in range(4)]
    words = command("declare", "Login fails", "-s", "api", "--severity", "SEV2", "--format", "json")
    racing = [
        subprocess.Popen(words, cwd=clone.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for clone in clones
    ]
    answers = [one.communicate(timeout=120) for one in racing]
    assert [one.returncode for one in racing] == [0] * 4, answers
    ids = sorted(json.loads(out)["incident"] for out, _ in answers)
    assert ids == [f"INC-2025-0000{n}" for n in range(1, 5)]


def test_a_number_is_greater_than_those_of_every_merged_record(origin: Origin) -> None:
    """Records that were written by hand count, though this clone has not fetched them."""
    repo, other = numbered(origin), origin.clone("other")
    other.git("checkout", "--quiet", "main")
    other.put("INC-2025-00041")
    other.commit("by hand")
    other.git("push", "--quiet", "origin", "main")
    assert id_of(declare(repo)) == "INC-2025-00042"
    assert id_of(declare(origin.clone("third"))) == "INC-2025-00043"


def test_a_record_here_alone_counts_as_well(origin: Origin) -> None:
    repo = numbered(origin)
    repo.put("INC-2025-00007")
    assert id_of(declare(repo)) == "INC-2025-00008"


def test_a_declaration_that_is_refused_takes_no_number(origin: Origin) -> None:
    repo = numbered(origin)
    call("declare", "x", "-s", "api", "--severity", "SEV9", at=repo.root).told_once(2, "SEV9")
    assert origin.tip(NUMBERS_BRANCH) == ""


def without_remote(repo: Repo, _origin: Origin) -> str:
    repo.git("remote", "remove", "origin")
    return "has no remote 'origin'"


def without_the_right_to_push(_repo: Repo, origin: Origin) -> str:
    origin.hook("echo not for you >&2; exit 1")
    return "refused the push"


def with_a_remote_that_is_gone(_repo: Repo, origin: Origin) -> str:
    origin.path.rename(origin.path.with_name("moved.git"))
    return "cannot be read"


def with_something_else_on_the_branch(repo: Repo, _origin: Origin) -> str:
    repo.git("push", "--quiet", "origin", f"main:refs/heads/{NUMBERS_BRANCH}")
    return "does not hold numbers"


@pytest.mark.parametrize(
    "fault",
    [without_remote, without_the_right_to_push, with_a_remote_that_is_gone, with_something_else_on_the_branch],
    ids=lambda fault: fault.__name__,
)
def test_where_no_number_can_be_taken_the_id_is_by_time_and_one_line_says_so(origin: Origin, fault: object) -> None:
    repo = numbered(origin)
    assert callable(fault)
    why = fault(repo, origin)
    done = declare(repo)
    assert id_of(done) == BY_TIME
    said = [line for line in done.err.splitlines() if "is a timestamp" in line]
    assert len(said) == 1
    assert said[0].startswith("warning: the id is a timestamp, because no number could be taken: ")
    assert why in said[0]
    assert call("validate", at=repo.root).code == 0
    told = json.loads(declare(repo, "--format", "json").out)
    assert told["incident"] == "INC-20250126-140001"
    assert why in told["warnings"][-1]


def test_without_git_the_id_is_by_time(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "plain", git=False)
    repo.write("policy.yaml", f"extends: sev0-3\nids: {{incident: {BY_YEAR}}}\n")
    done = run("declare", "x", "-s", "api", "--severity", "SEV2", at=repo.root, clock=AT)
    assert (done.code, id_of(done)) == (0, BY_TIME)


def test_a_remote_without_a_commit_gives_the_first_number(origin: Origin, tmp_path: Path) -> None:
    """As on the first day of a repository."""
    repo = Repo(tmp_path / "new")
    repo.write("policy.yaml", f"extends: sev0-3\nids: {{incident: {BY_YEAR}}}\n")
    empty = Repo(tmp_path / "empty.git", git=False, settings=False)
    empty.git("init", "--quiet", "--bare")
    repo.git("remote", "add", "origin", str(empty.root))
    assert id_of(declare(repo)) == "INC-2025-00001"
