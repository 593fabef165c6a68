"""What every workflow and action of this house keeps, whoever writes the next one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.workflows.running import ROOT, WORKFLOWS

LAID = [*ROOT.glob("template/.github/workflows/*.y*ml")]
FILES = sorted([*WORKFLOWS.glob("*.y*ml"), *LAID])
ACTIONS = sorted((ROOT / "actions").glob("*/action.yml"))
INSTALL = "Install incident-ops"
TELLING = {"issues", "issue_comment", "repository_dispatch"}
"""Events whose payload says what no later run could read elsewhere, or that come in bursts."""

every_workflow = pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
every_file = pytest.mark.parametrize("file", [*FILES, *ACTIONS], ids=lambda file: str(file.relative_to(ROOT)))


def read(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader)
    return document


def jobs(file: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = read(file)["jobs"]
    return found


def steps(file: Path) -> Iterator[dict[str, Any]]:
    document = read(file)
    for job in document["jobs"].values() if "jobs" in document else [document["runs"]]:
        yield from job.get("steps", [])


def scripts(file: Path) -> list[str]:
    return [step["run"] for step in steps(file) if "run" in step]


def code(text: str) -> str:
    """Without comments."""
    return re.sub(r"(^|\s)#.*", "", text)


@every_workflow
def test_rights_are_given_to_a_job_each_with_its_reason(file: Path) -> None:
    assert read(file)["permissions"] == {}
    for name, job in jobs(file).items():
        assert job["permissions"], name
        assert set(job["permissions"].values()) <= {"read", "write"}, name
        for right, level in job["permissions"].items():
            line = rf"^ +{right}: {level} # \w.*$"
            assert re.search(line, file.read_text(encoding="utf-8"), re.MULTILINE), (name, right)


@every_workflow
def test_every_job_ends_by_itself_in_a_group_of_its_own(file: Path) -> None:
    """A group of the whole workflow lets a run whose job is filtered out displace one that is not."""
    assert "concurrency" not in read(file)
    events = set(read(file)["on"])
    for name, job in jobs(file).items():
        if "uses" not in job:
            assert job["timeout-minutes"], name
        group = job["concurrency"]
        assert group["group"], name
        assert group["cancel-in-progress"] in ("true", "false"), name
        if "write" in job["permissions"].values():
            assert group["cancel-in-progress"] == "false", f"{name} would be ended halfway"
        if events & TELLING:
            assert group["queue"] == "max", f"{name} would lose an event"


@every_file
def test_no_branch_is_called_by_its_usual_name(file: Path) -> None:
    """The default branch of a repository has any name."""
    assert not re.search(r"\b(main|master)\b", code(file.read_text(encoding="utf-8")))


@every_file
def test_no_event_runs_the_code_of_a_stranger_with_rights(file: Path) -> None:
    text = code(file.read_text(encoding="utf-8"))
    assert not re.search(r"\b(pull_request_target|workflow_run)\b", text)


@every_file
def test_no_text_from_outside_stands_in_a_script(file: Path) -> None:
    assert [script for script in scripts(file) if "${{" in script] == []


@every_file
def test_no_module_of_a_checkout_stands_in_for_one_of_ours(file: Path) -> None:
    """Every call of Python is isolated: a pip.py or a sitecustomize.py beside it is not looked at."""
    for script in scripts(file):
        for call in re.finditer(r"python3?(\}?\"|)(?= )(?P<rest>.*)", code(script)):
            assert call["rest"].startswith(" -I "), call[0]


@every_file
def test_a_checkout_leaves_no_token_behind(file: Path) -> None:
    for step in steps(file):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] == "false"


@every_file
def test_actions_of_others_are_pinned_with_their_version_beside(file: Path) -> None:
    """Only what belongs to this repository has no commit: `$/` and `./` are of the commit that runs."""
    used = re.findall(r"^ *(?:- )?uses: (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    others = [name for name in used if not name.startswith(("$/", "./"))]
    assert [one for one in others if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)] == []


def test_every_workflow_installs_by_the_same_lines() -> None:
    """A repository that gets a workflow has no local action beside it, so the lines stand in each; none differs."""
    found = {step["run"] for file in FILES for step in steps(file) if step.get("name") == INSTALL}
    assert len(found) == 1
    (script,) = found
    assert script.rstrip().endswith("python -I -m pip check")
    assert all("--require-hashes" in line or "--no-deps" in line for line in script.splitlines() if "install" in line)


def test_every_action_installs_by_the_same_lines() -> None:
    """But for the extras, which not each of them offers; a gate check needs less."""
    found = {file.parent.name: step for file in ACTIONS for step in steps(file) if step.get("name") == INSTALL}
    assert set(found) == {file.parent.name for file in ACTIONS}
    told = {name: re.sub(r".*EXTRAS.*\n|pinned=build\n", "", step["run"]) for name, step in found.items()}
    told = {name: re.sub(r"(\$pinned|gate)\.txt", "build.txt", text) for name, text in told.items()}
    assert len(set(told.values())) == 1


@every_workflow
def test_secrets_are_given_only_to_jobs_in_their_environment(file: Path) -> None:
    """Where they are protected, and where a deployment is not recorded; a called workflow has those of its caller."""
    called = read(file)["on"]
    declared = (
        called["workflow_call"].get("secrets", {}) if isinstance(called, dict) and "workflow_call" in called else {}
    )
    for name, job in jobs(file).items():
        secrets = set(re.findall(r"secrets\.([\w-]+)", json.dumps(job))) - set(declared) - {"GITHUB_TOKEN"}
        assert job.get("secrets") != "inherit", name
        if secrets:
            assert job["environment"] == {"name": "incident-ops", "deployment": "false"}, (name, secrets)


@every_workflow
def test_what_is_printed_of_records_is_fenced_or_goes_into_a_file(file: Path) -> None:
    for script in scripts(file):
        for call in re.findall(r"(?:^|\s)incident-ops (?:[^\n\\]|\\\n)*", code(script)):
            assert "--format github" in call or '"${words[@]}"' in call or ">" in call, call


def test_what_signs_or_publishes_a_release_checks_nothing_out() -> None:
    """A job with a right to write takes what another built, which may only read, and installs nothing."""
    for name, job in jobs(WORKFLOWS / "release.yml").items():
        may_write = "write" in job["permissions"].values()
        used = [step.get("uses", "").partition("@")[0] for step in job["steps"]]
        assert ("actions/checkout" in used) != may_write, name
        assert ("actions/download-artifact" in used) == may_write, name
        assert may_write or job["permissions"] == {"contents": "read"}, name


@pytest.mark.parametrize("file", [file for file in FILES if file.name != "release.yml"], ids=lambda file: file.name)
def test_a_job_that_acts_reads_the_tip_of_the_default_branch(file: Path) -> None:
    """Never the commit of the event: it may be old, and it may be a stranger's. The event of a schedule names no
    repository, and its ref is the default branch."""
    scheduled = "schedule" in read(file)["on"]
    tip = f"${{{{ github.event.repository.default_branch{' || github.ref_name' if scheduled else ''} }}}}"
    for name, job in jobs(file).items():
        if "write" in job["permissions"].values() or scheduled:
            refs = [step["with"].get("ref") for step in job["steps"] if "actions/checkout@" in step.get("uses", "")]
            assert refs, name
            assert set(refs) == {tip}, name
