"""The tests pass however they are started: in the background, without a terminal, with anybody's settings."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = """\
[user]
    name = Somebody Else
[commit]
    gpgsign = true
[init]
    defaultBranch = trunk
[core]
    autocrlf = true
    hooksPath = /nowhere
[alias]
    status = !false
[pull]
    rebase = true
[push]
    default = nothing
"""
SENSITIVE = (
    "tests/cli/test_output.py::test_signals_end_a_read_with_their_code",
    "tests/cli/test_output.py::test_json_has_no_colours",
    "tests/cli/test_merge_driver.py",
    "tests/cli/test_show.py",
    "tests/adapters/test_git_remote_compare_and_set.py",
)


def odd_environment(home: Path) -> dict[str, str]:
    """What a person's machine may have set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PYTEST_", "TERM"))}
    return kept | {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "GIT_AUTHOR_NAME": "",
        "GIT_DIR": "/nowhere",
        "GITHUB_ACTIONS": "true",
        "GITHUB_TOKEN": "ghp_not_for_tests",
        "INCIDENT_OPS_REPO": "/nowhere",
        "LANG": "C",
        "LC_ALL": "C",
        "COLUMNS": "7",
        "FORCE_COLOR": "1",
        "CLICOLOR_FORCE": "1",
        "TZ": "Pacific/Chatham",
        "PAGER": "false",
        "EDITOR": "false",
    }


@pytest.mark.slow
def test_no_setting_of_a_person_or_a_shell_changes_a_result(tmp_path: Path) -> None:
    """Interrupts ignored as in the background, no terminal, and a home full of settings; a part of the tests stands for
    all of them."""
    (tmp_path / ".gitconfig").write_text(SETTINGS)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *SENSITIVE]
    done = subprocess.run(
        words,
        cwd=ROOT,
        env=odd_environment(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
