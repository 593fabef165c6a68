"""The written pages agree with the program."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_generated_pages_are_up_to_date() -> None:
    """Such as docs/rules.md, docs/cli.md and docs/fields.md: they are what `make docs` writes now."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs/generate.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "100"},
    )
    assert done.returncode == 0, done.stdout + done.stderr


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
