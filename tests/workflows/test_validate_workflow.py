"""`.github/workflows/validate.yml`, run on real pull requests: a good one passes, all else does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.repository import Repo
from tests.workflows.running import WORKFLOWS, Job, describe, faulty_program, need_node, run_job

pytestmark = pytest.mark.usefixtures("_node")
COMPLETE = "-I -m pip check"
CHECK = "Check the records"
TIMELINE = [
    {"at": "2025-01-26T12:05:00Z", "kind": "detection", "event": "Alert fired"},
    {"at": "2025-01-26T12:09:00Z", "kind": "action", "event": "Rolled back"},
]
REWRITTEN = [{**TIMELINE[0], "event": "Nothing happened"}, TIMELINE[1]]


@pytest.fixture
def _node() -> None:
    need_node()


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository whose main holds INC-1 with two entries in its timeline."""
    repo = Repo(tmp_path / "incidents")
    repo.put("INC-1", timeline=TIMELINE)
    repo.commit("INC-1 declared")
    return repo


def open_pull_request(repo: Repo) -> dict[str, Any]:
    """What a pull request event says of main as base and the branch `change`, which is checked out, as head."""
    head, base = repo.git("rev-parse", "HEAD"), repo.git("rev-parse", "main")
    return {
        "number": 7,
        "title": "a change",
        "head": {"sha": head, "ref": "change"},
        "base": {"sha": base, "ref": "main"},
    }


def check(repo: Repo, event: dict[str, Any], name: str = "pull_request", **environment: str) -> Job:
    """The job on the event, in a fresh clone of main; a pull request is there as the merge commit that GitHub makes."""
    if name == "pull_request":
        repo.git("checkout", "--quiet", "--detach", "main")
        repo.git("merge", "--quiet", "--no-ff", "--message", "merged", event["pull_request"]["head"]["sha"])
    environment.setdefault("sha", repo.git("rev-parse", "HEAD"))
    return judge(repo, event, name, **environment)


def judge(repo: Repo, event: dict[str, Any], name: str = "pull_request", *, sha: str, **environment: str) -> Job:
    """The job on the event of a commit."""
    temp = repo.root.parent / f"job-{name}"
    origin, clone = temp / "origin.git", temp / "clone"
    refs = ("main:refs/heads/main", "HEAD:refs/pull/7/merge")
    repo.git("init", "--quiet", "--bare", "--initial-branch=main", str(origin))
    repo.git("push", "--quiet", str(origin), *refs)
    repo.git("clone", "--quiet", "--branch=main", "--single-branch", origin.as_uri(), str(clone))
    event = {"repository": {"default_branch": "main"}, **event}
    return run_job("validate.yml", "validate", clone, temp, name, event, sha=sha, **environment)


def on_pull_request(repo: Repo, **environment: str) -> Job:
    repo.commit("the change")
    return check(repo, {"pull_request": open_pull_request(repo)}, **environment)


def branch(repo: Repo) -> None:
    repo.git("checkout", "--quiet", "-b", "change")


@pytest.mark.slow
def test_a_good_pull_request_passes(repo: Repo) -> None:
    """A new incident and an entry more in the timeline: green, without an error, and the summary says fine."""
    branch(repo)
    more = {"at": "2025-01-26T12:20:00Z", "kind": "note", "event": "Users can sign in"}
    repo.put("INC-1", timeline=[*TIMELINE, more])
    repo.put("INC-2", title="Search is slow")
    job = on_pull_request(repo)
    assert job.conclusion == "success", job.steps[CHECK]
    assert "::error" not in job.steps[CHECK]["output"]
    assert job.summary.startswith("## Incident records: fine\n")


@pytest.mark.slow
def test_a_bad_record_is_refused_on_its_line(repo: Repo) -> None:
    """A level that does not exist: red, with an annotation at the file and line, and the same in the summary."""
    branch(repo)
    repo.put("INC-2", severity="SEVEN")
    job = on_pull_request(repo)
    assert (job.conclusion, job.steps[CHECK]["exit"]) == ("failure", 1)
    line = (repo.root / "incidents/INC-2/incident.yaml").read_text(encoding="utf-8").splitlines().index(
        "severity: SEVEN"
    ) + 1
    assert f"::error file=incidents/INC-2/incident.yaml,line={line}," in job.steps[CHECK]["output"]
    assert job.summary.startswith("## Incident records: fix the errors before merging\n")
    assert f"| error | `incidents/INC-2/incident.yaml:{line}` |" in job.summary


@pytest.mark.slow
def test_merged_history_cannot_be_rewritten(repo: Repo) -> None:
    """A merged entry of the timeline says something else: red, though the record by itself is valid."""
    branch(repo)
    repo.put("INC-1", timeline=REWRITTEN)
    job = on_pull_request(repo)
    assert (job.conclusion, job.steps[CHECK]["exit"]) == ("failure", 1)
    assert "::error file=incidents/INC-1/incident.yaml," in job.steps[CHECK]["output"]


@pytest.mark.slow
def test_a_broken_file_on_main_does_not_block_another_change(repo: Repo) -> None:
    """Also when it came to main after the pull request was opened and its event was written."""
    branch(repo)
    repo.put("INC-2")
    repo.commit("the change")
    event = {"pull_request": open_pull_request(repo)}
    repo.git("checkout", "--quiet", "main")
    repo.write("incidents/INC-3/incident.yaml", "id: INC-3\nseverity: [\n")
    repo.commit("broken, and forced onto main")
    job = check(repo, event)
    assert job.conclusion == "success", job.steps[CHECK]


@pytest.mark.slow
def test_a_push_and_a_merge_group_are_checked_against_their_own_base(repo: Repo) -> None:
    """Rewritten history is refused on the way into main and on main."""
    base = repo.git("rev-parse", "HEAD")
    repo.put("INC-1", timeline=REWRITTEN)
    repo.commit("rewritten")
    for name, event in (("push", {"before": base}), ("merge_group", {"merge_group": {"base_sha": base}})):
        job = check(repo, event, name)
        assert (job.conclusion, job.steps[CHECK]["exit"]) == ("failure", 1), name


@pytest.mark.slow
def test_the_first_push_of_a_branch_is_checked_without_a_base(repo: Repo) -> None:
    """GitHub says forty zeros where nothing was before."""
    assert check(repo, {"before": "0" * 40}, "push").conclusion == "success"


@pytest.mark.slow
@pytest.mark.parametrize("before", ["", "f" * 40], ids=["none", "not in this repository"])
def test_a_base_that_cannot_be_read_never_passes(repo: Repo, before: str) -> None:
    """Without the base nothing is known of history, so the check fails."""
    job = check(repo, {"before": before}, "push")
    assert job.conclusion == "failure"
    assert job.steps[CHECK]["exit"] not in (0, 1)
    assert "fine" not in job.summary


@pytest.mark.slow
def test_a_crash_is_red_and_nothing_was_checked(repo: Repo) -> None:
    """The job has the code of the crash, and its summary does not speak of records."""
    branch(repo)
    job = on_pull_request(repo, program=faulty_program(repo.root.parent), CRASHES="validate")
    assert (job.conclusion, job.steps[CHECK]["exit"]) == ("failure", 70)
    assert job.summary == "## Incident records: not checked\n\n"


@pytest.mark.slow
def test_nothing_is_checked_where_the_install_failed(repo: Repo) -> None:
    """The job is red, and the summary says that nothing was looked at."""
    branch(repo)
    job = on_pull_request(repo, INSTALL_CODE="1")
    assert (job.conclusion, job.steps[CHECK]["outcome"]) == ("failure", "skipped")
    assert job.summary == "## Incident records: not checked\n\n"


@pytest.mark.slow
@pytest.mark.parametrize("here", [True, False], ids=["incident_ops itself", "a repository of records"])
def test_only_hashed_packages_are_installed(repo: Repo, here: bool) -> None:
    """This repository installs its own checkout, others what .github/incident-ops.txt pins; all of it hashed."""
    if here:
        repo.write("pyproject.toml", '[project]\nname = "incident-ops"\n')
        repo.commit("the tool itself")
    told = check(repo, {"before": "0" * 40}, "push").installed.splitlines()
    if here:
        assert told[0].endswith("--require-hashes -r requirements/build.txt")
        assert told[1].endswith("--no-deps --no-build-isolation .")
        assert told[2:] == [COMPLETE]
    else:
        assert [line.partition("--require")[2] for line in told[:-1]] == ["-hashes -r .github/incident-ops.txt"]
        assert told[-1] == COMPLETE


@pytest.mark.slow
@pytest.mark.parametrize("here", [True, False], ids=["incident_ops itself", "a repository of records"])
def test_a_change_cannot_bring_its_own_checker(repo: Repo, here: bool) -> None:
    """What is installed is what main says; of the pull request nothing stands in a folder that anything runs in."""
    mine, theirs = ("pyproject.toml", '[project]\nname = "incident-ops"\n'), (".github/incident-ops.txt", "x==1\n")
    repo.write(*(mine if here else theirs))
    repo.commit("how main is judged")
    branch(repo)
    for path, text in (mine, theirs, ("pip.py", ""), ("incident_ops/__init__.py", "")):
        repo.write(path, f"# brought along\n{text}")
    job = on_pull_request(repo)
    assert job.conclusion == "success", job
    pinned = ["requirements/build.txt"] if here else [".github/incident-ops.txt"]
    assert [line.rpartition(" ")[2] for line in job.installed.splitlines() if "-r" in line.split()] == pinned
    clone = repo.root.parent / "job-pull_request/clone"
    assert (clone / "policy.yaml").exists()
    assert not (clone / "pip.py").exists()
    assert not (clone / "incident_ops").exists()


@pytest.mark.slow
def test_text_from_outside_stays_text(repo: Repo) -> None:
    """Commands in a branch, a title, a record or a file name are neither run by the shell nor obeyed by the log."""
    branch(repo)
    hostile = "$(touch hacked)`touch hacked`'; touch hacked; \"\n::set-output name=x::y\n::stop-commands::x\n# Fine"
    repo.put("INC-2", title=hostile, severity=f"SEV9 {hostile}")
    repo.write("incidents/INC-3 $(touch hacked)/incident.yaml", "id: [")
    repo.commit("hostile")
    pull_request = {**open_pull_request(repo), "title": hostile}
    pull_request["head"]["ref"] = "change;touch${IFS}hacked"
    job = check(repo, {"pull_request": pull_request})
    assert (job.conclusion, job.steps[CHECK]["exit"]) == ("failure", 1)
    assert "SEV9" in job.summary
    assert not [*repo.root.parent.rglob("hacked")]
    log = job.steps[CHECK]["output"].splitlines()
    assert not [line for line in log if line.startswith(("::set-output", "::stop-commands"))]
    assert not [line for line in job.summary.splitlines()[1:] if line.startswith(("#", "::"))]


@pytest.mark.slow
def test_runs_replace_each_other_only_within_one_pull_request(repo: Repo) -> None:
    """A newer push to a pull request replaces its run; two pushes to main never do, for each has a base of its own."""
    first = repo.git("rev-parse", "HEAD")
    assert check(repo, {"before": "0" * 40}, "push").group == f"validate-{first}"
    branch(repo)
    assert on_pull_request(repo).group == "validate-7"


def test_a_merge_commit_that_is_not_there_is_red(repo: Repo) -> None:
    """GitHub makes none where there is a conflict."""
    branch(repo)
    repo.put("INC-2")
    repo.commit("the change")
    job = judge(repo, {"pull_request": open_pull_request(repo)}, sha="f" * 40)
    assert (job.conclusion, job.steps[CHECK]["outcome"]) == ("failure", "skipped")
    assert "::error title=incident-ops::the commit to judge is not there: is there a conflict" in str(job.steps)
    assert job.summary == "## Incident records: not checked\n\n"


def test_the_merge_of_another_commit_is_not_judged(repo: Repo) -> None:
    """The result would stand at a commit that nobody looked at."""
    branch(repo)
    repo.put("INC-2")
    repo.commit("the change")
    event = {"pull_request": {**open_pull_request(repo), "head": {"sha": repo.git("rev-parse", "main")}}}
    job = judge(repo, event, sha=repo.git("rev-parse", "HEAD"))
    assert (job.conclusion, job.steps[CHECK]["exit"]) == ("failure", 2)
    assert "::error title=incident-ops::this is not the merge of the commit" in job.steps[CHECK]["output"]


@pytest.mark.slow
def test_the_required_check_is_never_skipped(repo: Repo) -> None:
    """A push to a branch has no such job: one that was skipped under its name would count as passed."""
    document = describe(WORKFLOWS / "validate.yml")[0]["document"]
    name = document["jobs"]["validate"]["name"]
    assert name == "${{ github.event_name == 'push' && 'validate what was pushed' || 'incident-ops/validate' }}"
    repository = {"repository": {"default_branch": "trunk"}}
    assert check(repo, {"before": "0" * 40, **repository}, "push").conclusion == "skipped"
    assert list(document["on"]) == ["pull_request", "merge_group", "push"]
    assert document["on"]["pull_request"] == {}


def test_history_is_checked_out_and_no_token_left_behind(repo: Repo) -> None:
    """The whole history is there to compare with, and the records' own scripts could not push."""
    told = check(repo, {"before": "0" * 40}, "push").steps["Check out what judges"]
    assert told["with"] == {"ref": "main", "fetch-depth": "0", "persist-credentials": "false"}
