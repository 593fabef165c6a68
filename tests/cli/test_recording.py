"""The recording in the README is what a terminal of 80 columns shows, from an empty folder on."""

from __future__ import annotations

import os
import shlex
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.scene import ROOT, command

README = ROOT / "README.md"
BEGUN = datetime(2025, 1, 26, 12, 5, tzinfo=UTC)
TYPED = (
    "incident-ops init --preset sev0-3 -s auth=@acme/identity",
    'incident-ops declare "Login fails for most users" -s auth --severity SEV1',
    "incident-ops ack",
    "incident-ops assign commander @alice",
    'incident-ops update --public "Looking into failing logins"',
    'incident-ops timeline "Rolled back to def456" --kind action --mark mitigated',
    "incident-ops show",
    "incident-ops resolve --restored now --cause deploy",
    'incident-ops update --public "Logins work again"',
    "incident-ops validate",
)


def recording(folder: Path, pace: timedelta = timedelta(minutes=1)) -> str:
    """Each command as it is typed and what it prints, both streams as they come; `pace` lies between two of them."""
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    env = {**os.environ, "INCIDENT_OPS_BY": "@alice", "COLUMNS": "80", "NO_COLOR": "1"}
    lines = ["$ mkdir ops && cd ops && git init -q"]
    for number, line in enumerate(TYPED, -1):
        clock = f"{BEGUN + number * pace:%Y-%m-%dT%H:%M:%SZ}"
        done = subprocess.run(
            command(*shlex.split(line)[1:], clock=clock), cwd=folder, env=env,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (line, done)
        lines += [f"$ {line}", done.stdout.decode().replace(str(folder), "/home/alice/ops").rstrip()]
    return "\n".join(lines)


def test_the_readme_shows_what_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Word for word; no line of it is wider than the terminal but what a person typed."""
    monkeypatch.delenv("GITHUB_ACTOR", raising=False)
    told = recording(tmp_path / "ops")
    assert f"```console\n{told}\n```" in README.read_text(encoding="utf-8"), told
    assert [line for line in told.splitlines() if len(line) > 80 and line[0] != "$"] == []


def test_the_commands_work_however_fast_they_are_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader who pastes them takes a second each, not a minute."""
    monkeypatch.delenv("GITHUB_ACTOR", raising=False)
    assert recording(tmp_path / "ops", timedelta(seconds=1)).endswith("files checked: all fine")
