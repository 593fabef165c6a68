"""What the rooms `cli` and `app` promise beside who may import whom (that is held by import-linter)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from incident_ops.cli.main import COMMANDS, ELSEWHERE, cli

PACKAGE = Path(__file__).resolve().parents[2] / "incident_ops"
CLI = sorted(path for path in (PACKAGE / "cli").glob("*.py") if path.stem != "__init__")
APP = sorted((PACKAGE / "app").glob("*.py"))
SHARED = {
    "main",
    "options",
    "running",
    "sending",
    "terminal",
    "completion",
    "run_options",
    "triage_options",
    "whole_run",
}


def _stem(path: Path) -> str:
    return path.stem


def _is_command(words: list[str]) -> bool:
    """Whether words such as `sla report` lead to a command."""
    found: click.Command | None = cli
    for word in words:
        if not isinstance(found, click.Group):
            return False
        found = found.get_command(click.Context(found), word)
    return found is not None


def _attributes(path: Path) -> Iterator[str]:
    """Dotted names that are used in a module: `sys.stdout`, `ctx.invoke`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Name):
            yield node.id


def _commands_imported(path: Path) -> set[str]:
    """The other modules of `cli` that a module imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "incident_ops.cli":
                found |= {alias.name for alias in node.names}
            elif node.module.startswith("incident_ops.cli."):
                found.add(node.module.removeprefix("incident_ops.cli."))
    return found


@pytest.mark.parametrize("path", [path for path in CLI if path.stem not in SHARED], ids=_stem)
def test_a_file_of_the_command_line_is_named_after_its_command(path: Path) -> None:
    """`resolve` is in cli/resolve.py, `sla report` in cli/sla.py."""
    assert _is_command(path.stem.split("_"))


def test_the_table_of_families_is_right() -> None:
    """docs/architecture.md names the module of each command that shares one."""
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.partition("| module of `cli/` | commands |")[2].partition("\n\n")[0]
    rows = [re.findall(r"`([a-z]+)`", row) for row in table.splitlines()]
    named = {command: row[0] for row in rows if row for command in row[1:]}
    assert named
    assert named == {command: module_of(command) for command in named}
    assert {place for place in ELSEWHERE if module_of(place) != place} <= set(named)


def module_of(command: str) -> str:
    """The module of `cli` that a command is in."""
    return ELSEWHERE.get(command, command).partition(":")[0]


def test_only_members_of_a_family_are_elsewhere() -> None:
    """A command whose module is not its name is in the module of another command, or only its function differs."""
    assert set(ELSEWHERE) <= set(COMMANDS)
    modules = {place.partition(":")[0] for place in ELSEWHERE.values()}
    assert modules <= set(COMMANDS)


@pytest.mark.parametrize("path", [path for path in CLI if path.stem not in SHARED], ids=_stem)
def test_a_command_knows_no_other_command(path: Path) -> None:
    """What two commands need is in app or in cli/options.py; only a family's module gathers its own members."""
    others = {name for name in _commands_imported(path) - SHARED if not name.startswith(f"{path.stem}_")}
    assert not {(path.stem, name) for name in others}


@pytest.mark.parametrize("path", [path for path in CLI if path.stem not in SHARED], ids=_stem)
def test_a_command_neither_invokes_nor_overhears_another(path: Path) -> None:
    """What another command does is a function of app; nobody reads what it prints."""
    used = {name.rpartition(".")[2] for name in _attributes(path)}
    assert not used & {"invoke", "redirect_stdout", "StringIO"}


@pytest.mark.parametrize("path", APP, ids=_stem)
def test_a_use_case_returns_and_never_prints(path: Path) -> None:
    """A workflow or a form calls it as the command line does."""
    printing = {
        "print",
        "input",
        "exit",
        "sys.exit",
        "sys.stdin",
        "sys.stdout",
        "sys.stderr",
        "click.echo",
        "redirect_stdout",
    }
    assert not printing & set(_attributes(path))


def test_what_prints_is_seen(tmp_path: Path) -> None:
    """The detectors above find what they are meant to find."""
    module = tmp_path / "module.py"
    module.write_text("import sys\nfrom incident_ops.cli.gate import gate\nprint(1)\nsys.exit(2)\nctx.invoke(gate)\n")
    assert {"print", "sys.exit", "ctx.invoke"} <= set(_attributes(module))
    assert _commands_imported(module) == {"gate"}
