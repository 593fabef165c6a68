"""Every workflow: GitHub's parser finds nothing wrong, actions are pinned, rights are named, no outside text is run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from incident_ops.adapters.heartbeat import HEARTBEAT
from incident_ops.adapters.notifiers import variable
from incident_ops.adapters.notifiers.issue_comment import TICKET
from incident_ops.adapters.pager_reads import TOKEN_VARIABLE
from incident_ops.adapters.statuspage import TOKEN_VARIABLE as STATUS_PAGE
from incident_ops.domain.notification import INCIDENT_CHANNEL
from incident_ops.records.policy import preset, to_policy
from incident_ops.resources import preset_names
from tests.workflows.running import ROOT, RUNNER, WORKFLOWS, describe, need_node

FILES = sorted([*WORKFLOWS.glob("*.yml"), *WORKFLOWS.glob("*.yaml")])
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
GOOD = """\
on: push
permissions: {}
jobs:
  one:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
      - env: {TITLE: "${{ github.event.head_commit.message }}"}
        run: echo "$TITLE"
"""


def _steps(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in document["jobs"].values():
        yield from job.get("steps", [])


def _used(document: dict[str, Any]) -> list[str]:
    jobs = [job["uses"] for job in document["jobs"].values() if "uses" in job]
    used = jobs + [step["uses"] for step in _steps(document) if "uses" in step]
    return [name for name in used if not name.startswith(("./", "$/"))]


def complaints(*files: Path) -> dict[Path, list[str]]:
    """What is wrong with each workflow, in words; none when all is well."""
    return {Path(told["file"]): told["errors"] or _complaints(told) for told in describe(*files)}


def _complaints(told: dict[str, Any]) -> list[str]:
    document = told["document"]
    found = [] if document.get("permissions") == {} else ["permissions at the top are not {}"]
    found += [f"not pinned: {name}" for name in _used(document) if not PINNED.fullmatch(name)]
    lines = re.findall(r"^.*\buses:.*@.*$", Path(told["file"]).read_text(encoding="utf-8"), re.MULTILINE)
    found += [f"no version told: {line.strip()}" for line in lines if not re.search(r"# v\d+\.\d+\.\d+$", line)]
    return found + [
        f"an expression in a script: {one['run']}" for one in _steps(document) if "${{" in one.get("run", "")
    ]


def test_there_are_workflows() -> None:
    """The checks below look at something."""
    assert WORKFLOWS / "validate.yml" in FILES


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_workflow_is_well_made(file: Path) -> None:
    """No unknown key, `permissions: {}` at the top, actions at full commits, no expression in a script."""
    assert complaints(file) == {file: []}


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_job_ends_by_itself_and_keeps_no_credentials(file: Path) -> None:
    """Each job has a time limit and names its permissions; a checkout leaves no token behind."""
    document = describe(file)[0]["document"]
    for job in document["jobs"].values():
        assert "permissions" in job
        assert "uses" in job or "timeout-minutes" in job
    for step in _steps(document):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] == "false"


# what is changed in GOOD, into what, and the words that must be in the complaint
SLIPS = [
    ("on: push", "on: pushed", "Unexpected value 'pushed'"),
    ("runs-on:", "run-on:", "Unexpected value 'run-on'"),
    ("        run: echo", "        shel: bash\n        run: echo", "Unexpected value 'shel'"),
    ("github.event.head", "github.evnt(head", "Unexpected"),
    ("permissions: {}", "permissions: {contents: write}", "permissions at the top"),
    ("permissions: {}\n", "", "permissions at the top"),
    ("@3d3c42e5aac5ba805825da76410c181273ba90b1", "@v7", "not pinned"),
    (" # v7.0.1", "", "no version told"),
    ('echo "$TITLE"', "echo ${{ github.event.head_commit.message }}", "an expression in a script"),
    ('echo "$TITLE"', "echo ${{ github.head_ref }}", "an expression in a script"),
    ("jobs:", "jobs: [", "Flow"),
]


def test_a_slip_is_seen(tmp_path: Path) -> None:
    """The checks above can fail: each slip is told, and the workflow without it is fine."""
    good = tmp_path / "good.yml"
    good.write_text(GOOD, encoding="utf-8")
    slips = {tmp_path / f"{number}.yml": slip for number, slip in enumerate(SLIPS)}
    for file, (was, instead, _) in slips.items():
        assert was in GOOD
        file.write_text(GOOD.replace(was, instead), encoding="utf-8")
    told = complaints(good, *slips)
    assert told.pop(good) == []
    for file, (was, _, words) in slips.items():
        assert any(words in one for one in told[file]), (was, told[file])


def _actionlint() -> list[str]:
    found = sorted(ROOT.glob(".venv/actionlint/*/actionlint"))
    if not found:
        pytest.skip("actionlint is not here: `make test` builds it where Go is")
    ignored = ["-ignore", 'unexpected key "queue" for "concurrency"']
    return [str(found[-1]), "-no-color", "-shellcheck=", "-pyflakes=", *ignored]


@pytest.mark.parametrize(
    ("kind", "text", "slip"),
    [
        ("github-workflows", GOOD, GOOD.replace("    steps:", "    step:")),
        ("github-actions", (ROOT / "actions/setup/action.yml").read_text(encoding="utf-8"), "name: x\nruns: {}\n"),
        ("dependabot", (ROOT / ".github/dependabot.yml").read_text(encoding="utf-8"), "version: 3\nupdates: []\n"),
    ],
)
def test_the_checker_of_schemas_finds_a_slip(tmp_path: Path, kind: str, text: str, slip: str) -> None:
    """It has the schemas of GitHub's files with it, and asks no network."""
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{kind}"]
    ended = []
    for content in (text, slip):
        (tmp_path / "file.yml").write_text(content, encoding="utf-8")
        ended.append(subprocess.run([*words, "file.yml"], cwd=tmp_path, capture_output=True, check=False).returncode)
    assert ended == [0, 1]


def _language_service() -> list[str]:
    need_node()
    return ["node", str(RUNNER / "lint.mjs")]


@pytest.mark.slow
@pytest.mark.parametrize("checker", [_actionlint, _language_service])
def test_a_job_that_does_not_exist_is_found(checker: Callable[[], list[str]], tmp_path: Path) -> None:
    """Both checkers of `make lint` find a job that is not there; the workflow as it is now is fine."""
    text = (WORKFLOWS / "sla.yml").read_text(encoding="utf-8")
    right = "ref: ${{ github.event.repository.default_branch }}"
    assert text.count(right) == 1
    line = text[: text.index(right)].count("\n") + 1
    file = tmp_path / "sla.yml"
    told = []
    for content in (text, text.replace(right, "ref: ${{ needs.plan.outputs.commit }}")):
        file.write_text(content, encoding="utf-8")
        done = subprocess.run([*checker(), str(file)], capture_output=True, text=True, check=False)
        told.append((done.returncode, done.stdout + done.stderr))
    assert told[0] == (0, "")
    assert told[1][0] == 1
    assert re.search(rf"sla\.yml:{line}:.*\bplan\b", told[1][1])


@pytest.mark.slow
def test_every_job_that_notifies_has_the_secrets_of_every_channel() -> None:
    """Those of all presets, in the one step that runs the program, the same in each workflow; nobody gets all there
    are. The doctor looks which of them are set, and does not read the pager."""
    assert not [file for file in FILES if re.search(r"toJSON\(\s*secrets", file.read_text(encoding="utf-8"))]
    presets = [to_policy(preset(name)) for name in preset_names()]
    channels = {name for policy in presets for name in policy.notify.channels}
    channels |= {name for policy in presets for level in policy.levels for name in level.channels}
    wanted = {variable(name) for name in channels - {TICKET, INCIDENT_CHANNEL}}
    wanted |= {"SLACK_BOT_TOKEN", "PAGER_KEY", TOKEN_VARIABLE, HEARTBEAT, STATUS_PAGE}
    holders = {file.name: [one for one in _steps(describe(file)[0]["document"]) if _secrets_of(one)] for file in FILES}
    assert {"reconcile.yml", "sla.yml"} <= {name for name, steps in holders.items() if steps}
    for name, steps in holders.items():
        assert len(steps) <= 1, name
        own = wanted - ({TOKEN_VARIABLE} if name == "doctor.yml" else set())
        assert all(set(_secrets_of(step)) == own for step in steps), name


def _secrets_of(step: dict[str, Any]) -> list[str]:
    """The variables of a step that hold the secret of the same name."""
    given = step.get("env", {})
    return [name for name, value in given.items() if value == f"${{{{ secrets.{name} }}}}"]


def test_without_node_the_reason_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without Node leaves the tests out and says why."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match="node is not here"):
        describe(*FILES)


def test_every_file_has_an_owner_but_an_incident() -> None:
    """The last line of CODEOWNERS that fits a path counts: so nobody asks for a pip.py in the root, or a new folder."""
    lines = (ROOT / ".github/CODEOWNERS").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    assert rows[0][0] == "*"
    assert [row[0] for row in rows if not row[1:]] == ["/incidents/"] == [rows[1][0]]
    folders = ["oncall", "gates", "runbooks", "freezes", "maintenance", ".github"]
    assert [row[0] for row in rows[2:]] == ["/policy.yaml", "/services.yaml", *(f"/{name}/" for name in folders)]
    assert all(re.fullmatch(r"@[\w-]+/[\w-]+", owner) for row in rows for owner in row[1:])


def test_the_lock_of_the_runner_names_no_address() -> None:
    """The lock has versions and hashes, and no download address."""
    text = (RUNNER / "package-lock.json").read_text(encoding="utf-8")
    packages = {name: entry for name, entry in json.loads(text)["packages"].items() if name}
    assert '"resolved"' not in text
    assert packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
