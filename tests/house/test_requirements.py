"""The pinned requirements: complete, hashed, the same as pyproject.toml, and without any address."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PINNED = sorted((ROOT / "requirements").glob("*.txt"))


def _names(text: str) -> set[str]:
    return {re.sub(r"[-_.]+", "-", found).lower() for found in re.findall(r"^([A-Za-z0-9][\w.-]*)", text, re.MULTILINE)}


@pytest.mark.parametrize("path", PINNED, ids=lambda path: path.name)
def test_requirements_name_no_address_and_no_index(path: Path) -> None:
    """A requirements file says what, never from where."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"://|www\.|--(?:index|extra-index|find-links|trusted-host)|^-[if]\b|@ ", text, re.MULTILINE)


@pytest.mark.parametrize("path", PINNED, ids=lambda path: path.name)
def test_every_requirement_is_pinned_and_hashed(path: Path) -> None:
    """Each package has one exact version and at least one sha256."""
    blocks = re.split(r"\n(?=[a-z0-9])", path.read_text(encoding="utf-8").strip())
    assert len(blocks) > 5
    for block in blocks:
        assert re.match(r"[a-z0-9][a-z0-9._-]*==[^\s;]+", block), block[:60]
        assert "--hash=sha256:" in block, block[:60]


@pytest.mark.parametrize("name", ["run", "dev", "bench"])
def test_every_wanted_package_is_pinned(name: str) -> None:
    """Nothing is wanted in NAME.in that NAME.txt does not pin."""
    wanted = (ROOT / f"requirements/{name}.in").read_text(encoding="utf-8")
    assert _names(wanted) <= _names((ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8"))


def test_run_requirements_are_those_of_the_project() -> None:
    """requirements/run.in and the project's dependencies are the same list."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "requirements/run.in").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == project["dependencies"]


def test_what_runs_is_tested_at_the_same_versions() -> None:
    """dev.txt pins every package of run.txt at the version of run.txt."""
    pins = [
        set(
            re.findall(
                r"^([a-z0-9][a-z0-9._-]*==[^\s;]+)", (ROOT / f"requirements/{name}.txt").read_text(), re.MULTILINE
            )
        )
        for name in ("run", "dev")
    ]
    assert pins[0] <= pins[1]


LOCKS = ["bench", "tests/workflows/runner", "tests/standin"]


@pytest.mark.parametrize("home", LOCKS)
def test_the_node_lock_names_no_address(home: str) -> None:
    """A package-lock.json has versions and hashes, and no download address."""
    text = (ROOT / home / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
    packages = {name: entry for name, entry in json.loads(text)["packages"].items() if name}
    assert packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
