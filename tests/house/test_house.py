"""The house rules that no linter holds: sizes, who reads the time, what starts fast, what the wheel carries."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from incident_ops.resources import preset, preset_names

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "incident_ops"
MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES_OF_MODULE = 400
MOST_LINES_OF_FUNCTION = 40


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _code_lines(source: str, first: int = 1, last: int | None = None) -> int:
    lines = source.splitlines()[first - 1 : last]
    return sum(1 for line in lines if line.strip() and not line.lstrip().startswith("#"))


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _body_lines(source: str, function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) is not None and len(function.body) > 1 else function.body
    return _code_lines(source, body[0].lineno, function.end_lineno)


def _imported(tree: ast.AST) -> set[str]:
    """The packages a module imports, at its top or inside a function."""
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.partition(".")[0] for name in names}


def test_only_the_github_adapter_knows_pygithub() -> None:
    """Everybody else asks through the port; and the one place that imports it is there."""
    found = {_name(path) for path in MODULES if "github" in _imported(ast.parse(path.read_text(encoding="utf-8")))}
    assert found
    assert all(name.startswith("incident_ops/adapters/github/") for name in found), found


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_modules_and_functions_stay_small(path: Path) -> None:
    """A module has at most 400 lines of code, a function at most 40 (docstrings and comments not counted)."""
    source = path.read_text(encoding="utf-8")
    too_long = [
        f"{_name(path)}:{one.lineno} {one.name} has {_body_lines(source, one)} lines"
        for one in _functions(ast.parse(source))
        if _body_lines(source, one) > MOST_LINES_OF_FUNCTION
    ]
    assert not too_long
    assert _code_lines(source) <= MOST_LINES_OF_MODULE


CLOCKS = {"datetime": {"now", "utcnow", "today"}, "date": {"today"}, "time": {"time", "time_ns", "gmtime", "localtime"}}


def _clock_reads(source: str) -> list[int]:
    """Lines on which the wall clock is read, by attribute or by an imported name."""
    tree = ast.parse(source)
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "time"
        for alias in node.names
        if alias.name in CLOCKS["time"]
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", "")
            if node.attr in CLOCKS.get(owner, ()):
                found.append(node.lineno)
        elif isinstance(node, ast.Name) and node.id in imported:
            found.append(node.lineno)
    return found


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        ("import time\ntime.time()", [2]),
        ("import datetime\ndatetime.datetime.now()", [2]),
        ("from datetime import datetime as d, date\ndate.today()", [2]),
        ("from time import time\ntime()", [2]),
        ("import time\ntime.monotonic()\ntime.perf_counter()", []),
        ("times.time\nincident.now", []),
    ],
)
def test_the_clock_detector_sees_reads_of_the_clock(source: str, reads: list[int]) -> None:
    """The detector below finds what it is meant to find, and no more."""
    assert _clock_reads(source) == reads


def test_only_the_clock_adapter_reads_the_time() -> None:
    """Time is an argument everywhere else."""
    readers = {_name(path) for path in MODULES if _clock_reads(path.read_text(encoding="utf-8"))}
    assert readers == {"incident_ops/adapters/clock.py"}


HTTP_CLIENTS = {"requests": "adapters/http.py", "urllib3": "adapters/http.py", "github": "adapters/github/client.py"}


def test_http_has_one_way_out() -> None:
    """One module for each library that speaks HTTP, and nobody opens an address with the standard library."""
    for library, home in HTTP_CLIENTS.items():
        users = {_name(path) for path in MODULES if library in _imported(ast.parse(path.read_text(encoding="utf-8")))}
        assert users == {f"incident_ops/{home}"}, library
    texts = {_name(path): path.read_text(encoding="utf-8") for path in MODULES}
    assert not [name for name, text in texts.items() if re.search(r"urllib\.request|http\.client", text)]


def _modules_loaded_by(*arguments: str) -> set[str]:
    """The top-level modules a whole run of the program has imported when it ends."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "incident_ops", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": ""},
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


def test_help_loads_none_of_the_heavy_libraries() -> None:
    """`--help` is there at once: no YAML, template, schema, console or GitHub library is imported for it."""
    heavy = {"yaml", "jinja2", "jsonschema", "jsonschema_rs", "msgspec", "rich", "github", "sqlite3"}
    assert not heavy & _modules_loaded_by("--help")


@pytest.mark.parametrize("command", [("validate",), ("sla", "check"), ("render", "--check")], ids=" ".join)
def test_reports_never_load_the_github_client(command: tuple[str, ...]) -> None:
    """`validate`, `sla check` and `render` read files only: no HTTP library is imported."""
    loaded = _modules_loaded_by(*command)
    assert not {"github", "requests", "urllib3", "http.client"} & loaded
    assert "incident_ops.cli.main" in loaded


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return zipfile.ZipFile(next(folder.glob("*.whl")))


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("schemas", "incident_ops/shipped/schemas"),
        ("templates", "incident_ops/shipped/templates"),
        *(
            (f"examples/{name}", f"incident_ops/shipped/examples/{name}")
            for name in preset_names()
            if preset(name).demo
        ),
        ("template/.github", "incident_ops/shipped/template/.github"),
        (".github/workflows", "incident_ops/shipped/.github/workflows"),
        ("incident_ops/presets", "incident_ops/presets"),
    ],
)
def test_the_wheel_carries_the_data_files(wheel: zipfile.ZipFile, source: str, target: str) -> None:
    """Every schema, template and preset, and each example that `demo` plays, is in the wheel, byte for byte."""
    files = [path for path in (ROOT / source).rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert files, f"{source} is empty"
    for path in files:
        assert wheel.read(f"{target}/{path.relative_to(ROOT / source).as_posix()}") == path.read_bytes()


@pytest.mark.parametrize(
    "name", [".github/PULL_REQUEST_TEMPLATE.md", "requirements/run.txt", "requirements/attestation.txt"]
)
def test_the_wheel_carries_the_single_files_that_are_laid(wheel: zipfile.ZipFile, name: str) -> None:
    assert wheel.read(f"incident_ops/shipped/{name}") == (ROOT / name).read_bytes()


def test_the_wheel_carries_no_tests_and_no_strangers(wheel: zipfile.ZipFile) -> None:
    """Only the package and its metadata are in the wheel."""
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {re.sub(r"-[0-9]+(?:\.[0-9]+)*", "", top) for top in tops} == {"incident_ops", "incident_ops.dist-info"}
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())
    assert "incident_ops/py.typed" in wheel.namelist()


def test_the_changelog_has_a_part_for_what_comes_next() -> None:
    """CHANGELOG.md is kept: what is not released yet has its part."""
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


ONLY_ON_SOME_SYSTEMS = {"fcntl", "grp", "msvcrt", "posix", "pty", "pwd", "resource", "termios", "tty", "winreg"}
ONLY_ON_POSIX = {
    "killpg",
    "getpgid",
    "setsid",
    "getuid",
    "geteuid",
    "fork",
    "O_NOFOLLOW",
    "O_NONBLOCK",
    "O_CLOEXEC",
    "SIGKILL",
}


def _for_some_systems(tree: ast.Module) -> Iterator[str]:
    """What a module needs of the system without having looked which one it is."""
    guards = ("_ON_WINDOWS", "hasattr")
    guarded = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If | ast.IfExp) and any(word in ast.unparse(node.test) for word in guards)
        for inner in ast.walk(node)
    }
    yield from sorted(_imported(tree) & ONLY_ON_SOME_SYSTEMS)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ONLY_ON_POSIX and id(node) not in guarded:
            yield node.attr


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import fcntl", ["fcntl"]),
        ("def f():\n    from termios import TCSADRAIN", ["termios"]),
        ("import os, signal\nos.killpg(1, signal.SIGKILL)", ["killpg", "SIGKILL"]),
        ("import os\nuser = os.getuid() if hasattr(os, 'getuid') else 0", []),
        ("import signal\nsignal.signal(signal.SIGTERM, f)", []),
    ],
)
def test_the_detector_sees_what_only_some_systems_have(source: str, found: list[str]) -> None:
    assert list(_for_some_systems(ast.parse(source))) == found


TERMINALS = "incident_ops/adapters/terminal_process.py"
"""Terminals are those of Unix; whoever loads this module has looked for them, and does so inside a function."""


@pytest.mark.parametrize("path", [path for path in MODULES if _name(path) != TERMINALS], ids=_name)
def test_a_module_loads_and_runs_on_every_system(path: Path) -> None:
    """Windows has no fcntl, no process groups and no user ids: locks are filelock's, the rest is looked for first."""
    assert "terminal_process" not in re.findall(
        r"^from incident_ops\S*?\.(\w+) import", path.read_text("utf-8"), re.MULTILINE
    )
    assert list(_for_some_systems(ast.parse(path.read_text(encoding="utf-8")))) == []


def test_text_files_are_opened_as_utf8() -> None:
    """Without `encoding` Python takes what the system is set to, which is not UTF-8 on Windows."""
    words = [
        "ruff",
        "check",
        "--isolated",
        "--preview",
        "--select",
        "PLW1514",
        "--output-format",
        "concise",
        str(PACKAGE),
    ]
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
