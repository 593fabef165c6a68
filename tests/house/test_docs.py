"""The written pages agree with the program."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_generated_pages_are_up_to_date() -> None:
    """docs/rules.md and docs/cli.md are what `make docs` writes now."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs/generate.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "100"},
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Every relative link in a page leads to a file that exists."""
    targets = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_make_verb_is_told_in_the_readme_or_the_contributing_page() -> None:
    """A verb that nobody is told of is not used."""
    verbs = re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    told = (ROOT / "README.md").read_text(encoding="utf-8") + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert {"setup", "demo", "test", "lint", "bench", "docs"} <= set(verbs)
    assert [verb for verb in verbs if f"make {verb}" not in told] == []


def test_architecture_names_every_room() -> None:
    """docs/architecture.md speaks of every room and module at the top of the package."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rooms = {
        path.name
        for path in (ROOT / "incident_ops").iterdir()
        if (path.is_dir() and (path / "__init__.py").exists())
        or (path.suffix == ".py" and not path.stem.startswith("_"))
    }
    assert [room for room in sorted(rooms) if f"`{room}" not in text] == []
