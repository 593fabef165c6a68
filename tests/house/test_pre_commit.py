"""The hook that other repositories name in their .pre-commit-config.yaml."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.cli.scene import Folder, call
from tests.support.wheels import OFFLINE, megabytes, need_wheels
from tests.workflows.running import own_files

ROOT = Path(__file__).resolve().parents[2]
(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))


def test_the_hook_runs_the_installed_program() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    program, command = HOOK["entry"].split()
    assert (HOOK["id"], HOOK["language"], HOOK["types"]) == ("incident-ops-validate", "python", ["yaml"])
    assert program in scripts
    assert command == "validate"


@pytest.mark.parametrize(
    ("path", "is_ours"),
    [
        ("incidents/INC-1/incident.yaml", True),
        ("incidents/INC-1/incident.yml", True),
        ("incidents/INC-1.yaml", True),
        ("freezes/x.yaml", True),
        ("oncall/api.yaml", True),
        ("policy.yaml", True),
        ("services.yaml", True),
        ("incidents/INC-1/notes.yaml", False),
        ("incidents/INC-1/data/incident.yaml", False),
        (".github/workflows/validate.yml", False),
        ("docs/policy.yaml", False),
    ],
)
def test_the_hook_looks_at_records_and_settings_only(path: str, is_ours: bool) -> None:
    assert bool(re.search(HOOK["files"], path)) == is_ours


def test_the_hook_takes_the_files_of_a_commit(tmp_path: Path) -> None:
    """pre-commit gives the paths as arguments: a fault elsewhere does not stop this commit."""
    folder = Folder(tmp_path / "repo")
    folder.put("INC-1")
    folder.put("INC-2", severity="SEVEN")
    words = HOOK["entry"].split()[1:]
    assert call(*words, "incidents/INC-1/incident.yaml", "policy.yaml", at=folder.path).code == 0
    assert call(*words, "incidents/INC-2/incident.yaml", at=folder.path).code == 1


@pytest.mark.slow
def test_pre_commit_itself_makes_a_small_environment_and_refuses_a_bad_record(tmp_path: Path) -> None:
    """The core alone, as people get it: pre-commit clones the repository and installs it without an extra."""
    need_wheels()
    product = Folder(tmp_path / "product")
    own_files(product.path)
    product.git("add", "--all", "--force")
    product.git("commit", "--quiet", "-m", "all")
    product.git("tag", "v1")
    team = Folder(tmp_path / "team")
    team.put("INC-1")
    hooks = {"repo": product.path.as_uri(), "rev": "v1", "hooks": [{"id": HOOK["id"]}]}
    team.write(".pre-commit-config.yaml", yaml.safe_dump({"repos": [hooks]}))
    team.git("add", "--all")
    home = tmp_path / "home"
    good = _pre_commit(team, home)
    assert (good.returncode, "Passed" in good.stdout) == (0, True), good
    team.put("INC-2", severity="SEVEN")
    team.git("add", "--all")
    bad = _pre_commit(team, home)
    assert (bad.returncode, "incidents/INC-2/incident.yaml:" in bad.stdout) == (1, True), bad
    (environment,) = home.glob("repo*/py_env-*")
    assert megabytes(environment) <= 60
    installed = {path.name.partition("-")[0].lower() for path in environment.glob("lib/*/site-packages/*.dist-info")}
    assert "jsonschema_rs" in installed
    assert not {"apprise", "cryptography", "holidays", "icalendar", "pygithub", "requests", "rich"} & installed


def _pre_commit(team: Folder, home: Path) -> subprocess.CompletedProcess[str]:
    # git of the hook must not look at the repository that runs these tests
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_DIR")}
    variables |= {"PRE_COMMIT_HOME": str(home), **OFFLINE}
    words = [sys.executable, "-m", "pre_commit", "run", "--all-files", "--color", "never"]
    return subprocess.run(words, cwd=team.path, env=variables, capture_output=True, text=True, check=False)
