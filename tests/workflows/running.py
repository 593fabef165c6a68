"""Workflows as GitHub reads and runs them: its own parser and expression evaluator, in Node, see `runner/`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
RUNNER = Path(__file__).resolve().parent / "runner"
WORKFLOWS = ROOT / ".github/workflows"


def need_node() -> None:
    """Skips, with the reason, where Node or the packages of the runner are not there."""
    if not shutil.which("node"):
        pytest.skip(
            "node is not here, and workflows are read with GitHub's own parser: install Node 20 or newer with npm"
        )
    if not (RUNNER / "node_modules").is_dir():
        pytest.skip(
            "tests/workflows/runner has no node_modules: `make test` installs them where npm is, else run `npm ci`"
        )


def own_files(home: Path) -> Path:
    """Copies the files of this checkout as they are now, without what is built or ignored -> the folder."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_bytes((ROOT / name).read_bytes())
    return home


def _node(script: str, *words: str, given: object = None, environment: dict[str, str] | None = None) -> Any:
    need_node()
    done = subprocess.run(
        ["node", str(RUNNER / script), *words],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        env=environment or dict(os.environ),
    )
    assert not done.returncode, done.stderr
    return json.loads(done.stdout)


def describe(*files: Path) -> list[dict[str, Any]]:
    """For each workflow {"file", "errors", "document"}: what GitHub's parser says of it, and what it read."""
    found: list[dict[str, Any]] = _node("describe.mjs", *map(str, files))
    return found


def github_examples(event: str) -> list[dict[str, Any]]:
    """GitHub's own examples of the payload of an event."""
    file = RUNNER / "node_modules/@octokit/webhooks-examples/api.github.com/index.json"
    if not file.is_file():
        pytest.skip("@octokit/webhooks-examples is not here: `npm ci` in tests/workflows/runner")
    events = json.loads(file.read_text(encoding="utf-8"))
    return [example for one in events if one["name"] == event for example in one["examples"]]


@dataclass(frozen=True)
class Job:
    """A job that was run: `steps` by name, each {"outcome", "exit", "output", "outputs"} or {"uses", "with"}."""

    conclusion: str
    group: str
    summary: str
    steps: dict[str, dict[str, Any]]
    installed: str
    outputs: dict[str, str]


_PYTHON = """\
#!/bin/sh
if [ "$1" = -I ] && [ "$2" != -m ]; then shift; ISOLATED=-I exec "$@"; fi
echo "$*" >>"$INSTALLED"
if [ "$3" = venv ]; then mkdir -p "$4/bin" && cp "$(dirname "$0")"/* "$4/bin/"; fi
exit "${INSTALL_CODE:-0}"
"""


def _commands(folder: Path, program: str) -> Path:
    """A folder with the program under test, and a Python that writes down what it is told to install.

    An environment that it makes has both; it runs programs, and no modules.
    """
    folder.mkdir(parents=True)
    (folder / "incident-ops").write_text(f'#!/bin/sh\nexec "{sys.executable}" $ISOLATED {program} "$@"\n')
    (folder / "python").write_text(_PYTHON)
    for name in ("incident-ops", "python"):
        (folder / name).chmod(0o755)
    return folder


_FAULTY = """\
import os, sys
sys.path.insert(0, {root!r})
from incident_ops.cli.main import LazyGroup, main

words = " ".join(sys.argv[1:])
get_command = LazyGroup.get_command
def fail(group, ctx, name):
    if os.environ.get("CRASHES", "\\0") in words:
        raise RuntimeError("a fault that a test put in")
    return get_command(group, ctx, name)
LazyGroup.get_command = fail
if os.environ.get("SILENT", "\\0") not in words:
    main()
"""


def faulty_program(folder: Path) -> str:
    """What `run_job` takes as `program`: ours, but a call whose words contain $CRASHES crashes.

    One whose words contain $SILENT ends well and prints nothing.
    """
    file = folder / "faulty.py"
    file.write_text(_FAULTY.format(root=str(ROOT)), encoding="utf-8")
    return str(file)


def run_job(
    workflow: str,
    job: str,
    workspace: Path,
    temp: Path,
    event_name: str,
    event: dict[str, Any],
    *,
    needs: dict[str, Job] | None = None,
    inputs: dict[str, object] | None = None,
    secrets: dict[str, str] | None = None,
    action_path: str = "",
    program: str = "-m incident_ops",
    python: Path | None = None,
    sha: str = "",
    ref: str = "refs/heads/main",
    **environment: str,
) -> Job:
    """Runs the `run:` steps of a job of .github/workflows/`workflow` in `workspace`, which is as checkout left it.

    `needs` are the jobs before it, by their names in the workflow; `inputs` those of a run by hand. `program` is what
    Python runs as `incident-ops`, `sha` the commit of the event, where another one is checked out. With `python`, the
    bin folder of an environment, the steps really install into it, and run what they have installed.
    """
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=workspace, capture_output=True, text=True, check=True)
    github = {
        "event_name": event_name,
        "event": event,
        "sha": sha or head.stdout.strip(),
        "ref": ref,
        "ref_name": ref.split("/", 2)[2],
        "repository": environment.get("GITHUB_REPOSITORY", "acme/incidents"),
        "actor": "octo",
        "workflow": workflow,
        "token": environment.get("GITHUB_TOKEN", "ghs_none"),
        "action_path": action_path,
    }
    request = {
        "workflow": str(WORKFLOWS / workflow),
        "job": job,
        "workspace": str(workspace),
        "temp": str(temp / "runner"),
        "github": github,
        "needs": {name: {"result": one.conclusion, "outputs": one.outputs} for name, one in (needs or {}).items()},
        "inputs": inputs or {},
        "secrets": secrets or {},
    }
    installed = temp / "installed.txt"
    before = [
        str(python or _commands(temp / "bin", program)),
        *filter(None, [environment.pop("INCIDENT_OPS_TEST_PATH", "")]),
    ]
    path = os.pathsep.join([*before, os.environ["PATH"]])
    given = {**os.environ, "HOME": str(temp), "PATH": path, "INSTALLED": str(installed), **environment}
    done = _node("run.mjs", given=request, environment=given)
    steps = {step["name"]: step for step in done["steps"]}
    told = installed.read_text(encoding="utf-8") if installed.exists() else ""
    return Job(done["conclusion"], done["group"], done["summary"], steps, told, done["outputs"])


def run_action(
    folder: str,
    workspace: Path,
    temp: Path,
    inputs: dict[str, str],
    *,
    program: str = "-m incident_ops",
    **environment: str,
) -> Job:
    """Runs the steps of the composite action actions/`folder` as a step of a job with these inputs would.

    Its steps become those of a job, so that GitHub's parser and evaluator read every expression. An input that is not
    declared, a required one that is missing, and a step without a shell are errors.
    """
    path = ROOT / "actions" / folder
    action = yaml.safe_load((path / "action.yml").read_text(encoding="utf-8"))
    declared, runs = action["inputs"], action["runs"]
    assert runs["using"] == "composite"
    assert all("shell" in step for step in runs["steps"] if "run" in step)
    assert set(inputs) <= set(declared), set(inputs) - set(declared)
    assert {name for name, one in declared.items() if one.get("required")} <= set(inputs)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=workspace, capture_output=True, text=True, check=True)
    defaults = {name: one.get("default", "") for name, one in declared.items()}
    defaults = {name: value.replace("${{ github.sha }}", head.stdout.strip()) for name, value in defaults.items()}
    assert "${{" not in str(defaults)
    outputs = {name: one["value"] for name, one in action["outputs"].items()}
    job = {"runs-on": "ubuntu-24.04", "outputs": outputs, "steps": runs["steps"]}
    workflow = temp / "action.yml"
    temp.mkdir(parents=True, exist_ok=True)
    workflow.write_text(yaml.safe_dump({"on": "push", "jobs": {"action": job}}, sort_keys=False), encoding="utf-8")
    known: dict[str, Any] = {"inputs": {**defaults, **inputs}, "action_path": str(path), "program": program}
    return run_job(str(workflow), "action", workspace, temp / "job", "push", {}, **known, **environment)
