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
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
CORE: list[str] = PROJECT["project"]["dependencies"]
OF_EXTRAS = [one for name, extra in EXTRAS.items() if name != "all" for one in extra]
OF_ALL = [one for name in re.findall(r"[a-z]+(?=[,\]])", EXTRAS["all"][0]) for one in EXTRAS[name]]


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


def test_the_core_is_what_the_project_depends_on() -> None:
    """requirements/core.in and the project's dependencies are the same list."""
    assert _lines(ROOT / "requirements/core.in") == CORE


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("run", [*CORE, *OF_ALL]),
        ("build", [*CORE, *OF_ALL, *PROJECT["build-system"]["requires"]]),
        ("dev", [*CORE, *OF_ALL, *PROJECT["dependency-groups"]["dev"]]),
        ("extras", [*CORE, *OF_ALL, *EXTRAS["aws"], *EXTRAS["google"], *PROJECT["build-system"]["requires"]]),
        ("gate", [*CORE, *EXTRAS["github"], *PROJECT["build-system"]["requires"]]),
        ("attestation", EXTRAS["attestation"]),
    ],
)
def test_other_requirements_are_those_of_the_project(name: str, wanted: list[str]) -> None:
    """What workflows install (the extra `all`), what builds it and what tests need: what pyproject.toml names, no more.

    Where both name a version, it is the same.
    """
    lines = _lines(ROOT / f"requirements/{name}.in")
    assert _names(lines) == _names(wanted)
    asked, named = _with_version(lines), _with_version(wanted)
    assert {name: asked[name] for name in asked.keys() & named} == {name: named[name] for name in asked.keys() & named}


def _with_version(lines: list[str]) -> dict[str, str]:
    """Name -> the whole line, of those that name a version."""
    return {name: one for one in lines if ">" in one for name in _names([one])}


def test_the_extra_all_leaves_out_the_clouds_and_what_checks_signatures() -> None:
    assert _names(OF_EXTRAS) - _names(OF_ALL) == {"botocore", "google-auth", "sigstore"}


def test_what_the_program_imports_is_declared() -> None:
    """No import works only because a package of somebody else happens to bring it."""
    others = set(_imported()) - {"incident_ops"} - sys.stdlib_module_names
    providers = importlib.metadata.packages_distributions()
    assert others >= {"click", "filelock", "github", "yaml"}
    declared = _names([*CORE, *OF_EXTRAS])
    assert _names(name for one in others for name in providers[one][:1]) - declared == set()


@pytest.mark.parametrize(
    ("small", "large"),
    [
        ("core", "run"),
        ("core", "gate"),
        ("gate", "build"),
        ("run", "build"),
        ("run", "dev"),
        ("run", "extras"),
        ("build", "dev"),
        ("attestation", "dev"),
    ],
)
def test_what_runs_is_built_and_tested_at_the_same_versions(small: str, large: str) -> None:
    """Every package of the smaller file stands in the larger one, at the same version."""
    assert _versions(ROOT / f"requirements/{small}.txt") - _versions(ROOT / f"requirements/{large}.txt") == set()


def test_a_release_is_built_with_what_its_test_builds_it_with() -> None:
    """release.txt pins what dev.txt pins, at the same versions, and what builds the package is among it."""
    assert _versions(ROOT / "requirements/release.txt") - _versions(ROOT / "requirements/dev.txt") == set()
    assert _names(_lines(ROOT / "requirements/release.in")) >= _names(PROJECT["build-system"]["requires"])


def test_the_addresses_of_the_project_are_those_that_the_program_names() -> None:
    """What an index shows, and where messages and the schemas lead."""
    urls = PROJECT["project"]["urls"]
    assert (urls["Homepage"], urls["Source"], urls["Documentation"]) == (HOME, HOME, SITE)
    assert all(one.startswith((HOME, SITE)) for one in urls.values())


LOCKS = ["bench", "tests/workflows/runner", "tests/standin", "tests/oncall/readers", "tests/documents_reader"]


@pytest.mark.parametrize("home", LOCKS)
def test_the_node_lock_names_no_address(home: str) -> None:
    """A package-lock.json has versions and hashes, and no download address."""
    text = (ROOT / home / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
    packages = {name: entry for name, entry in json.loads(text)["packages"].items() if name}
    assert packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
