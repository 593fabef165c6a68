"""What a person reads is plain English, and so are the names in the code: tests/house/words.txt says what is not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name("words.txt")
SURFACES = {
    "messages": ("incident_ops/**/*.py",),
    "presets": ("incident_ops/presets/*.yaml",),
    "schemas": ("schemas/*.json",),
    "templates": ("templates/**/*", "template/**/*"),
    "examples": ("examples/**/*.md", "examples/**/*.yaml", "gates/*.yaml"),
    "actions": ("actions/**/*.yml", ".github/workflows/*.yml"),
    "pages": ("README.md", "CONTRIBUTING.md", "docs/*.md"),
    "decisions": ("docs/decisions/*.md",),
}


@cache
def part(name: str) -> dict[str, str]:
    """Regular expression -> better words, of one part of the list."""
    text = LIST.read_text(encoding="utf-8").partition(f"[{name}]\n")[2].partition("\n[")[0]
    lines = [line.partition("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return {pattern: better for pattern, _, better in lines}


ALLOWED_NAMES = {"opening_hours", "_next_opening", "_OPENING", "steps_taken", "was_taken", "heard_since"}
"""Names in which such a word has its plain meaning."""


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Line number and text of what a person reads in a file: every line, or the string literals of Python."""
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate(source.splitlines(), 1)
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            pieces = [piece.value if isinstance(piece, ast.Constant) else "{}" for piece in node.values]
            yield node.lineno, "".join(map(str, pieces))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from enumerate(node.value.splitlines(), node.lineno)


def files(surface: str) -> list[Path]:
    """The files of a surface."""
    return [path for pattern in SURFACES[surface] for path in sorted(ROOT.glob(pattern)) if path.is_file()]


def stumbles(surface: str) -> list[str]:
    """Every place where a phrase of the list stands."""
    return [
        f"{path.relative_to(ROOT)}:{line}: {found[0]!r}; say: {better}"
        for path in files(surface)
        for line, text in texts(path)
        for pattern, better in part("phrases").items()
        if (found := re.search(pattern, text))
    ]


def defined_names(tree: ast.AST) -> Iterator[str]:
    """Functions, classes, parameters and variables that a module defines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


@cache
def words_of_names() -> dict[str, set[str]]:
    """Word -> the modules in whose name, or in a name they define, it stands."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "incident_ops").rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        names = {*path.relative_to(ROOT).with_suffix("").parts, *defined_names(ast.parse(path.read_text("utf-8")))}
        for name in names - ALLOWED_NAMES:
            for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name):
                found.setdefault(word.lower(), set()).add(place)
    return found


def modules_with(pattern: str) -> list[str]:
    """The modules whose names have the word."""
    found = [places for word, places in words_of_names().items() if re.fullmatch(pattern, word)]
    return sorted(set().union(*found))


@pytest.mark.parametrize("surface", SURFACES)
def test_no_phrase_of_the_list_stands_in_what_a_person_reads(surface: str) -> None:
    """Each is told with its place and the better words."""
    assert stumbles(surface) == []


@pytest.mark.parametrize("pattern", part("identifiers"))
def test_no_word_of_the_list_stands_in_a_name(pattern: str) -> None:
    """Of a module, function, class, parameter or variable."""
    assert modules_with(pattern) == []


def test_the_search_sees_what_it_looks_for(tmp_path: Path) -> None:
    """A message in an f-string, a docstring, a heading, a parameter; and not what only looks like it."""
    page = tmp_path / "page.md"
    page.write_text("fine\n## Instants\nit is no longer so\n")
    module = tmp_path / "module.py"
    module.write_text('def told(owed): f"{owed} is no date"\n')
    seen = {
        (path.name, line)
        for path in (page, module)
        for line, text in texts(path)
        for pattern in part("phrases")
        if re.search(pattern, text)
    }
    assert seen == {("page.md", 2), ("module.py", 1)}
    assert {*defined_names(ast.parse(module.read_text()))} == {"told", "owed"}


@pytest.mark.parametrize("name", SURFACES)
def test_every_surface_has_files(name: str) -> None:
    """A folder that moved is not silently left out."""
    assert files(name)


@pytest.mark.parametrize("name", ["phrases", "identifiers"])
def test_every_line_of_the_list_can_be_used(name: str) -> None:
    """It has a regular expression and better words."""
    assert len(part(name)) > 10
    assert all(re.compile(pattern) and better for pattern, better in part(name).items())
