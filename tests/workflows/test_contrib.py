"""The files of contrib/ that other systems run: each as its own system would run it, as far as that can be had here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from incident_ops import __version__, resources
from tests.cli.scene import Folder
from tests.support.http_sink import HttpSink
from tests.workflows.act import Hosted, Machine
from tests.workflows.running import ROOT
from tests.workflows.test_whole_workflows import POLICY, declared

CONTRIB = ROOT / "contrib"
GITLAB, FORGEJO = CONTRIB / "gitlab/.gitlab-ci.yml", CONTRIB / "forgejo/incident-ops.yml"
SCHEMAS = {GITLAB: "vendor.gitlab-ci", FORGEJO: "vendor.github-workflows"}
HERE = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
PINS = ".github/incident-ops.txt"
BROKEN = "incidents/INC-2/incident.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A small repository of records."""
    return Folder(tmp_path / "records")


@pytest.mark.parametrize(("file", "schema"), SCHEMAS.items(), ids=["gitlab", "forgejo"])
def test_a_file_is_one_that_its_system_takes(file: Path, schema: str) -> None:
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_text_from_outside_stands_in_a_script_of_forgejo() -> None:
    for job in yaml.safe_load(FORGEJO.read_text(encoding="utf-8"))["jobs"].values():
        assert [step["run"] for step in job["steps"] if "${{" in step["run"]] == []


def test_every_folder_is_in_the_one_table() -> None:
    page = (CONTRIB / "README.md").read_text(encoding="utf-8")
    for path in CONTRIB.iterdir():
        assert path.name == "README.md" or f"({path.name}" in page, path


def test_gh_incident_is_incident_ops_with_the_token_of_gh(folder: Folder, tmp_path: Path) -> None:
    """An extension is an executable of the name of its folder; what gh has comes from gh, a token that is set stays,
    and without any it still runs."""
    folder.put()
    extension = CONTRIB / "gh-incident/gh-incident"
    assert len(extension.read_text(encoding="utf-8").splitlines()) == 3
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "incident-ops").write_text(
        f'#!/bin/sh\necho "$GITHUB_TOKEN"\nexec {sys.executable} -m incident_ops "$@"\n'
    )
    (bin_folder / "gh").write_text('#!/bin/sh\n[ "$*" = "auth token" ] && [ "$GH" ] && echo "$GH"\n')
    for program in bin_folder.iterdir():
        program.chmod(0o755)

    def run(**variables: str) -> list[str]:
        known = {name: value for name, value in os.environ.items() if name not in ("GITHUB_TOKEN", "GH_TOKEN")}
        path = f"{bin_folder}{os.pathsep}{os.environ['PATH']}"
        words = [str(extension), "show", "INC-1", "--format", "json"]
        environment = {**known, "PATH": path, "PYTHONPATH": str(ROOT), **variables}
        done = subprocess.run(words, cwd=folder.path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done
        token, _, shown = done.stdout.partition("\n")
        return [token, json.loads(shown)["id"]]

    assert run(GH="gho_person") == ["gho_person", "INC-1"]
    assert run(GH="gho_person", GITHUB_TOKEN="mine") == ["mine", "INC-1"]
    assert run() == ["", "INC-1"]


CATALOG: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["name", "description", "fileMatch", "url", "versions"],
        "properties": {
            "name": {"type": "string"},
            "description": {"type": "string"},
            "fileMatch": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
            "url": {"type": "string", "pattern": "^https://"},
            "versions": {"type": "object", "additionalProperties": {"type": "string", "pattern": "^https://"}},
        },
    },
}
"""What the catalog of SchemaStore takes as entries."""


def test_the_entries_for_schemastore_name_the_schemas_of_this_release() -> None:
    """In the form of its catalog: one for each shipped schema, at the address of the release; only paths that nobody
    else has are matched."""
    import jsonschema

    entries = json.loads((CONTRIB / "schemastore.json").read_text(encoding="utf-8"))
    jsonschema.validate(entries, CATALOG)
    shipped = sorted(path.name for path in resources.folder("schemas").glob("*.json"))
    address = f"{resources.SITE}schemas/{__version__}/"
    assert [one["url"] for one in entries] == [f"{address}{name}" for name in shipped]
    assert [one["versions"][__version__] for one in entries] == [one["url"] for one in entries]
    assert {glob for one in entries for glob in one["fileMatch"]} == {"**/incidents/*/incident.yaml"}


def records_with_pins(folder: Folder, machine: Machine) -> str:
    """A good record, the pin file, and modules that stand in for nothing, committed -> the commit."""
    folder.put()
    folder.write(PINS, machine.pins)
    for name in ("pip.py", "venv.py", "sitecustomize.py"):
        folder.write(name, "raise SystemExit('a module of the workspace was run')\n")
    folder.commit()
    return folder.git("rev-parse", "HEAD").strip()


def gitlab(job: str, folder: Path, place: Path, machine: Machine, **variables: str) -> subprocess.CompletedProcess[str]:
    """The script of a job as GitLab's shell runs it: one line after the other, ended by the first that fails."""
    lines = yaml.safe_load(GITLAB.read_text(encoding="utf-8"))[job]["script"]
    script = "\n".join(lines).replace("/tmp/", f"{place}/")
    pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(machine.wheels)}
    path = f"{machine.empty}/bin{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, **pip, "PATH": path, **variables}
    words = ["bash", "-eo", "pipefail", "-c", script]
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@HERE
@pytest.mark.slow
def test_gitlab_checks_a_merge_request_by_what_its_branch_pins(folder: Folder, runner: Machine, tmp_path: Path) -> None:
    """A good one is green; a broken record is red and named, and what the request pins is not installed."""
    base = records_with_pins(folder, runner)
    for number, (title, code) in enumerate((("Fine", 0), ("[1]", 1))):
        folder.put("INC-2", title=title)
        folder.write(PINS, "a-package-that-nobody-has==1\n")
        folder.commit()
        place = tmp_path / f"place{number}"
        place.mkdir()
        done = gitlab("incident-ops-validate", folder.path, place, runner, CI_MERGE_REQUEST_DIFF_BASE_SHA=base)
        assert done.returncode == code, done
        assert (BROKEN in done.stdout) == bool(code)
        assert "a module of the workspace was run" not in done.stdout + done.stderr


@pytest.fixture
def records(runner: Machine, tmp_path: Path) -> Hosted:
    """A repository with a SEV1 incident of a minute ago, the pin file, and the workflow of Forgejo where act looks."""
    made = Hosted(runner, tmp_path, policy=POLICY)
    text = FORGEJO.read_text(encoding="utf-8").replace("runs-on: docker", "runs-on: ubuntu-24.04")
    environment = runner.github.environment(made.name)
    kept = {name: environment[name] for name in ("GITHUB_API_URL", "GITHUB_REPOSITORY")}
    kept["GITHUB_SERVER_URL"] = runner.git.url
    here = " ".join(f"{name}={value}" for name, value in kept.items())
    text = re.sub(r"(unset \$\{!GITHUB_@\}).*", rf"\1; export {here}", text)  # where the records are, in this test
    made.folder.write(".github/workflows/incident-ops.yml", text)
    made.folder.put("INC-1", times=declared(1))
    records_with_pins_pushed(made, runner)
    return made


def records_with_pins_pushed(made: Hosted, machine: Machine) -> None:
    """The pin file and modules that stand in for nothing, pushed."""
    made.folder.write(PINS, machine.pins)
    for name in ("pip.py", "sitecustomize.py"):
        made.folder.write(name, "raise SystemExit('a module of the workspace was run')\n")
    made.push()


def forgejo(records: Hosted, event_name: str, event: dict[str, Any], **more: Any) -> Any:
    """Runs the workflow with the certificate of the server known to git, as a company has it."""
    settings = records.temp / "settings/git/config"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(f"[http]\nsslCAInfo = {records.machine.git.notes}/certificate.pem\n")
    known = {"XDG_CONFIG_HOME": str(settings.parents[1]), "GIT_CONFIG_GLOBAL": str(settings)}
    return records.run("incident-ops.yml", event_name, event, installs=True, **more, **known)


@HERE
@pytest.mark.slow
def test_forgejo_checks_a_pull_request(records: Hosted) -> None:
    """By act, on which Forgejo's runner is built: the good one is green, the broken one names its record."""
    for number, (title, conclusion) in enumerate((("Fine", "success"), ("[1]", "failure")), 1):
        records.folder.put("INC-2", title=title)
        event = records.propose(f"change-{number}", number)
        head = event["pull_request"]["head"]["sha"]
        records.folder.git("push", "--quiet", "origin", f"{head}:refs/pull/{number}/head")
        run = forgejo(records, "pull_request", event)
        assert run.conclusions() == {"validate": conclusion}, run.said
        log = run.jobs["validate"].log
        assert (BROKEN in log) == (conclusion == "failure")
        assert "a module of the workspace was run" not in log


@HERE
@pytest.mark.slow
def test_forgejo_notifies_of_what_is_due(records: Hosted, sink: HttpSink) -> None:
    """Its own token and its own address are not taken for those of the records."""
    address = f"{records.machine.git.url}/{records.name}"
    secrets = {"RECORDS_TOKEN": records.github.token, "INCIDENT_OPS_CHANNEL_CHAT": sink.address("/200")}
    run = forgejo(records, "schedule", {}, secrets=secrets, variables={"RECORDS": address}, token="forgejo")
    assert set(sink.titles) == {"SEV1 Login fails - Declared (INC-1)"}, run.said
    records.folder.git("fetch", "--quiet", "origin", "incident-ops/ledger")
    assert records.folder.git("show", "FETCH_HEAD:runs")


@HERE
@pytest.mark.slow
def test_gitlab_notifies_of_what_is_due(records: Hosted, sink: HttpSink, tmp_path: Path) -> None:
    """The same from a schedule of GitLab."""
    git, place = records.machine.git, tmp_path / "place"
    place.mkdir()
    known = records.github.environment(records.name) | {"GITHUB_SERVER_URL": git.url}
    token = known.pop("GITHUB_TOKEN")
    settings = tmp_path / "settings/git/config"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"[http]\nsslCAInfo = {git.notes}/certificate.pem\n")
    known |= {"XDG_CONFIG_HOME": str(settings.parents[1]), "GIT_CONFIG_GLOBAL": str(settings)}
    channel = {"INCIDENT_OPS_CHANNEL_CHAT": sink.address("/200")}
    secrets = {"RECORDS": f"{git.url}/{records.name}", "RECORDS_TOKEN": token}
    done = gitlab("incident-ops-sla-run", place, place, records.machine, **known, **channel, **secrets)
    assert set(sink.titles) == {"SEV1 Login fails - Declared (INC-1)"}, done
    assert token not in done.stdout + done.stderr
