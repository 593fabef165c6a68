"""The wheels of what the program needs, kept in a folder, and what is installed from them without a network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WHEELS = ROOT / ".venv/wheels"
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(WHEELS), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
"""With these variables every pip takes its packages from the folder."""


def need_wheels() -> None:
    """Skips, with the reason, where the folder was not made."""
    if not [*WHEELS.glob(".stamp-*")]:
        pytest.skip("the wheels of requirements/build.txt are not here: `make laws` and .ci/run fetch them")


def build_wheel(folder: Path) -> Path:
    """The wheel of this checkout, made in a folder."""
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(words, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = folder.glob("incident_ops-*.whl")
    return wheel


def environment_with(home: Path, requirements: str) -> Path:
    """An environment in `home` with the wheel of this checkout and the packages of a pinned file -> its programs."""
    wheel = build_wheel(home)
    subprocess.run([sys.executable, "-m", "venv", str(home / "venv")], check=True)
    pip = [str(home / "venv/bin/python"), "-I", "-m", "pip"]
    for words in (
        ["install", "--quiet", "--require-hashes", "-r", str(ROOT / "requirements" / requirements)],
        ["install", "--quiet", "--no-deps", str(wheel)],
        ["check"],
    ):
        subprocess.run([*pip, *words], env={**os.environ, **OFFLINE}, capture_output=True, check=True)
    return home / "venv/bin"


def megabytes(*paths: Path) -> int:
    """What files and folders take on the disk together, as `du -sm` counts."""
    done = subprocess.run(["du", "-scm", *map(str, paths)], capture_output=True, text=True, check=True)
    return int(done.stdout.splitlines()[-1].split()[0])
