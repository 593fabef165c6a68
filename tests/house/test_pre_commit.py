"""The hook that other repositories name in their .pre-commit-config.yaml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.cli.scene import Folder, call

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
