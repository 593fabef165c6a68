"""The pinned requirements: complete, hashed, the same as pyproject.toml, and without any address."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from incident_ops.resources import HOME, SITE

ROOT = Path(__file__).resolve().parents[2]
WANTED = sorted((ROOT / "requirements").glob("*.in"))
PINNED = sorted((ROOT / "requirements").glob("*.txt"))
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NAME = r"([a-z0-9][a-z0-9._-]*)(?:\[[a-z0-9,_-]+\])?"
"""As a pinned file writes it; what is in brackets belongs to it, or an older pip looks for a newer version."""
OPTIONAL: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
EXTRAS = [one for extra in OPTIONAL.values() for one in extra]


def _lines(wanted: Path) -> list[str]:
    """What a *.in asks for, with what the files it names ask for."""
    lines: list[str] = []
    for line in wanted.read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            lines += _lines(wanted.parent / line.removeprefix("-r "))
        elif line and not line.startswith("#"):
            lines.append(line)
    return lines


def _names(lines: Iterable[str]) -> set[str]:
    """The names of packages, as an index spells them."""
    found = (re.match(r"[A-Za-z0-9][\w.-]*", line) for line in lines)
    return {re.sub(r"[-_.]+", "-", one[0]).lower() for one in found if one}


def _versions(pinned: Path) -> set[str]:
    """NAME==VERSION of each package; one that has several versions has several."""
    text = pinned.read_text(encoding="utf-8")
    return {"==".join(found) for found in re.findall(rf"^{NAME}==([^\s;]+)", text, re.MULTILINE)}


def _imported() -> Iterator[str]:
    """The packages of others that the program imports, anywhere."""
    for file in sorted((ROOT / "incident_ops").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            yield from (name.partition(".")[0] for name in names)


@pytest.mark.parametrize("path", PINNED, ids=lambda path: path.name)
def test_requirements_name_no_address_and_no_index(path: Path) -> None:
    """A requirements file says what, never from where."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"://|www\.|--(?:index|extra-index|find-links|trusted-host)|^-[if]\b|@ ", text, re.MULTILINE)


@pytest.mark.parametrize("path", PINNED, ids=lambda path: path.name)
def test_every_requirement_is_pinned_and_hashed(path: Path) -> None:
    """Each package has one exact version and at least one sha256."""
    blocks = re.split(r"\n(?=[a-z0-9])", path.read_text(encoding="utf-8").strip())
    assert len(blocks) > 5 or path.name == "pip.txt"
    for block in blocks:
        assert re.match(rf"{NAME}==[^\s;]+", block), block[:60]
        assert "--hash=sha256:" in block, block[:60]


def test_every_pinned_file_has_what_it_was_made_from() -> None:
    """Each *.in has its *.txt, and each *.txt its *.in."""
    assert [one.stem for one in WANTED] == [one.stem for one in PINNED]
    assert {"run", "build", "dev"} <= {one.stem for one in WANTED}


@pytest.mark.parametrize("path", WANTED, ids=lambda path: path.name)
def test_every_wanted_package_is_pinned(path: Path) -> None:
    """Nothing is wanted in NAME.in, or in a file that it names, that NAME.txt does not pin."""
    assert _names(_lines(path)) - _names(_versions(path.with_suffix(".txt"))) == set()


def test_run_requirements_are_those_of_the_project() -> None:
    """requirements/run.in and the project's dependencies are the same list."""
    assert _lines(ROOT / "requirements/run.in") == PROJECT["project"]["dependencies"]


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("build", PROJECT["build-system"]["requires"]),
        ("dev", PROJECT["dependency-groups"]["dev"]),
        ("extras", [*PROJECT["build-system"]["requires"], *OPTIONAL["aws"], *OPTIONAL["google"]]),
    ],
)
def test_other_requirements_are_those_of_the_project(name: str, more: list[str]) -> None:
    """What builds it, and what tests need: the program's dependencies and what pyproject.toml names, no more."""
    assert _names(_lines(ROOT / f"requirements/{name}.in")) == _names([*PROJECT["project"]["dependencies"], *more])


def test_what_the_program_imports_is_declared() -> None:
    """No import works only because a package of somebody else happens to bring it."""
    others = set(_imported()) - {"incident_ops"} - sys.stdlib_module_names
    providers = importlib.metadata.packages_distributions()
    assert others >= {"click", "github", "yaml"}
    declared = _names([*PROJECT["project"]["dependencies"], *EXTRAS])
    assert _names(name for one in others for name in providers[one][:1]) - declared == set()


def test_what_comes_with_an_extra_is_imported_only_where_it_is_asked_for() -> None:
    """Whoever installs none of them misses nothing else."""
    for file in sorted((ROOT / "incident_ops").rglob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & {"botocore", "google", "sigstore"}, file


@pytest.mark.parametrize("name", ["build", "dev", "extras"])
def test_what_runs_is_built_and_tested_at_the_same_versions(name: str) -> None:
    """build.txt and dev.txt pin every package of run.txt at the version of run.txt."""
    assert _versions(ROOT / "requirements/run.txt") - _versions(ROOT / f"requirements/{name}.txt") == set()


def test_a_release_is_built_with_what_its_test_builds_it_with() -> None:
    """release.txt pins what dev.txt pins, at the same versions, and what builds the package is among it."""
    assert _versions(ROOT / "requirements/release.txt") - _versions(ROOT / "requirements/dev.txt") == set()
    assert _names(_lines(ROOT / "requirements/release.in")) >= _names(PROJECT["build-system"]["requires"])


def test_the_addresses_of_the_project_are_those_that_the_program_names() -> None:
    """What an index shows, and where messages and the schemas lead."""
    urls = PROJECT["project"]["urls"]
    assert (urls["Homepage"], urls["Source"], urls["Documentation"]) == (HOME, HOME, SITE)
    assert all(one.startswith((HOME, SITE)) for one in urls.values())


LOCKS = ["bench", "tests/workflows/runner", "tests/standin", "tests/oncall/readers"]


@pytest.mark.parametrize("home", LOCKS)
def test_the_node_lock_names_no_address(home: str) -> None:
    """A package-lock.json has versions and hashes, and no download address."""
    text = (ROOT / home / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
    packages = {name: entry for name, entry in json.loads(text)["packages"].items() if name}
    assert packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
