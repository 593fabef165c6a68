"""docs/figures.py counts right, on a package small enough to count by hand."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {
    "__init__.py": "",
    "one.py": '''"""One."""
from incident_ops.two import shared as other
import os as operating_system

# a comment
LIMIT: int = 3


def shared():
    """Words
    over two lines."""
    return (
        other,
        operating_system,
    )
''',
    "two.py": """from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from incident_ops.three import Kept


def shared():
    from incident_ops import one
    return one


def _private():
    return 1
""",
    "three.py": "LIMIT = 4\n_private = 1\n\n\nclass Kept:\n    pass\n",
    "rules/__init__.py": "",
    "rules/first.py": "def check(): pass\n",
    "rules/second.py": "def check(): pass\n",
}


@pytest.fixture(scope="module")
def figures() -> ModuleType:
    """The script."""
    spec = importlib.util.spec_from_file_location("figures", ROOT / "docs/figures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_small_package_is_counted_right(figures: ModuleType, tmp_path: Path) -> None:
    """Repeated names, renamed imports of ours, circles through lazy imports, lines without docstring and comments."""
    for name, source in SOURCES.items():
        path = tmp_path / "incident_ops" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    modules = figures.read_modules(tmp_path)
    assert len(modules) == len(SOURCES)
    assert figures.repeated_names(modules) == ["LIMIT", "shared"]
    assert figures.renaming_imports(modules) == ["incident_ops.one: shared as other"]
    assert figures.circles(modules, lazy=False) == []
    assert figures.circles(modules, lazy=True) == [["incident_ops.one", "incident_ops.two"]]
    assert figures.longest_function(modules) == (5, "incident_ops.one.shared")
    assert figures.import_lines(modules["incident_ops.one"]) == 2
    assert modules["incident_ops.one"].code_lines == 11


def test_the_page_keeps_what_stands_around_the_figures(figures: ModuleType) -> None:
    """Only what is between the markers changes."""
    page = f"before\n{figures.BEGIN}\nold\n{figures.END}\nafter\n"
    assert figures.written(page, "new") == f"before\n{figures.BEGIN}\nnew\n{figures.END}\nafter\n"
    with pytest.raises(ValueError, match="markers"):
        figures.written("no markers", "new")


@pytest.mark.slow
def test_the_page_of_this_repository_has_a_place_for_them() -> None:
    """The script runs, and the page holds every figure that it prints."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs/figures.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    names = [line.split("|")[1].strip() for line in done.stdout.splitlines() if line.startswith("| ")]
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    assert len(names) > 8
    assert [name for name in names if f"| {name} |" not in page] == []
