"""Every JSON output is the same byte for byte, whatever order Python gives to sets and hashes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import Any

import pytest

from tests.cli.json_outputs import COMMANDS, commands_with_json
from tests.cli.scene import ROOT

pytestmark = pytest.mark.slow

Outputs = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outputs, Outputs]:
    """The outputs of all commands under two hash seeds, each in a process of its own, in the same folder."""
    folder = tmp_path_factory.mktemp("json") / "records"
    found = []
    for seed in ("0", "1"):
        folder.mkdir()
        dates = {f"GIT_{role}_DATE": "2025-01-26T13:00:00Z" for role in ("AUTHOR", "COMMITTER")}
        state = {"PYTHONHASHSEED": seed, "XDG_STATE_HOME": str(folder.parent / f"state-{seed}")}
        environment = {**os.environ, **dates, **state}
        words = [sys.executable, "-m", "tests.cli.json_outputs", str(folder)]
        done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout))
        shutil.rmtree(folder)
    return found[0], found[1]


def test_every_command_with_json_is_asked() -> None:
    """A new command has a line in COMMANDS."""
    assert sorted(COMMANDS) == commands_with_json()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_output_does_not_depend_on_the_hash_seed(twice: tuple[Outputs, Outputs], name: str) -> None:
    """It is JSON, no usage error, and the same under both."""
    first, second = (outputs[name] for outputs in twice)
    assert first == second
    assert json.loads(first["out"])["schema"] == 1, first
    assert first["code"] in ((0, 1, 3) if name != "notify" else (2,)), first  # no channel is set up
