"""Each way of installing a release that the documentation names, tried from the built files without a network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from incident_ops import __version__
from tests.release.conftest import IDENTITY, Built, commit_all

pytestmark = pytest.mark.slow
BIN = Path(sys.executable).parent
RECORD = """# yaml-language-server: $schema=../../schemas/incident.schema.json
id: INC-20250126-120500
title: Login fails
severity: SEV7
state: new
services: [auth]
times: {declared: 2025-01-26T12:05:00Z}
"""


def _environment(home: Path, wheels: Path, dist: Path) -> dict[str, str]:
    """Where packages come from: these two folders, and nowhere else."""
    places = f"{dist} {wheels}"
    return {
        **IDENTITY,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "HOME": str(home),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": places,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIPX_HOME": str(home / "pipx"),
        "PIPX_BIN_DIR": str(home / "bin"),
        "PIPX_DEFAULT_PYTHON": sys.executable,
        "UV_CACHE_DIR": str(home / "uv"),
        "UV_OFFLINE": "1",
        "UV_NO_INDEX": "1",
        "UV_FIND_LINKS": places.replace(" ", ","),
        "UV_PYTHON": sys.executable,
        "PRE_COMMIT_HOME": str(home / "pre-commit"),
    }


def _run(words: list[Any], environment: dict[str, str], at: Path, code: int = 0) -> str:
    done = subprocess.run(
        [str(one) for one in words], cwd=at, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_pip_installs_the_wheel_and_its_demo_runs(built: Built, wheels: Path, tmp_path: Path) -> None:
    environment = _environment(tmp_path, wheels, built.dist)
    _run([sys.executable, "-m", "venv", tmp_path / "venv"], environment, tmp_path)
    python = tmp_path / "venv/bin/python"
    _run([python, "-I", "-m", "pip", "install", "--quiet", built.wheel], environment, tmp_path)
    _run([python, "-I", "-m", "pip", "check"], environment, tmp_path)
    program = tmp_path / "venv/bin/incident-ops"
    assert __version__ in _run([program, "--version"], environment, tmp_path)
    assert "INC-" in _run([program, "demo"], environment, tmp_path)


def test_pip_installs_by_the_pin_file_and_refuses_another_wheel(built: Built, wheels: Path, tmp_path: Path) -> None:
    environment = _environment(tmp_path, wheels, built.dist)
    pins = built.dist / f"incident-ops-{__version__}.txt"
    _run([sys.executable, "-m", "venv", tmp_path / "venv"], environment, tmp_path)
    install = [tmp_path / "venv/bin/python", "-I", "-m", "pip", "install", "--quiet", "--require-hashes", "-r"]
    (tmp_path / "forged").mkdir()
    forged = tmp_path / "forged" / built.wheel.name
    forged.write_bytes(built.wheel.read_bytes() + b"\0")
    other = {**environment, "PIP_FIND_LINKS": f"{forged.parent} {wheels}"}
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in _run([*install, pins], other, tmp_path, code=1)
    _run([*install, pins], environment, tmp_path)
    assert __version__ in _run([tmp_path / "venv/bin/incident-ops", "--version"], environment, tmp_path)


def test_uvx_runs_it(built: Built, wheels: Path, tmp_path: Path) -> None:
    environment = _environment(tmp_path, wheels, built.dist)
    assert __version__ in _run([BIN / "uvx", "incident-ops", "--version"], environment, tmp_path)


def test_pipx_installs_it(built: Built, wheels: Path, tmp_path: Path) -> None:
    environment = _environment(tmp_path, wheels, built.dist)
    _run([BIN / "pipx", "install", built.wheel], environment, tmp_path)
    assert __version__ in _run([tmp_path / "bin/incident-ops", "--version"], environment, tmp_path)


def test_pre_commit_takes_the_hook_from_a_clone(built: Built, wheels: Path, tmp_path: Path) -> None:
    """A record with a severity that nobody knows is refused, and a sound one passes."""
    environment = _environment(tmp_path, wheels, built.dist)
    tag = f"v{__version__}"
    _run(["git", "tag", "--force", tag], environment, built.checkout)
    records = tmp_path / "records"
    (records / "incidents/INC-20250126-120500").mkdir(parents=True)
    settings = f"repos:\n- repo: {built.checkout.as_uri()}\n  rev: {tag}\n  hooks:\n  - id: incident-ops-validate\n"
    (records / ".pre-commit-config.yaml").write_text(settings, encoding="utf-8")
    (records / "policy.yaml").write_text("extends: sev0-3\n", encoding="utf-8")
    (records / "services.yaml").write_text('services: {auth: {owner: "@acme/identity"}}\n', encoding="utf-8")
    record = records / "incidents/INC-20250126-120500/incident.yaml"
    record.write_text(RECORD, encoding="utf-8")
    commit_all(records)
    call = [BIN / "pre-commit", "run", "--all-files"]
    assert "SEV7" in _run(call, environment, records, code=1)
    record.write_text(RECORD.replace("SEV7", "SEV2"), encoding="utf-8")
    assert "Passed" in _run(call, environment, records)
