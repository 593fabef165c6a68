"""A system that says no: read-only folders, full disks. One clear line, exit 4, nothing half-written."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.scene import Done, Folder, as_ordinary_user, call, command, contents, many, read_only, run, small_disk

READ_ONLY = [
    (("apply", "--no-notify"), ".git", "tracker"),
    (("render",), "incidents/INC-1", "incident.md"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("args", "place", "word"), READ_ONLY)
def test_a_read_only_folder_is_told_and_nothing_is_written(
    folder: Folder, args: tuple[str, ...], place: str, word: str
) -> None:
    """Exit 4, one line with the path, and the folder is as before."""
    folder.put()
    folder.commit()
    before = contents(folder.path)
    with read_only(folder.path / place):
        done = run(*args, at=folder.path, before=as_ordinary_user)
    done.told_once(4, word, "Permission denied", "permissions" if args == ("render",) else "writable")
    assert contents(folder.path) == before


@pytest.mark.slow
def test_reading_needs_no_writable_folder(folder: Folder) -> None:
    """validate, sla, plan and gate work where nothing may be written: their cache only saves time."""
    folder.put(severity="SEV3")
    folder.commit()
    with read_only(folder.path, folder.path / ".git"):
        for args in (("validate",), ("sla", "check"), ("plan",), ("gate", "check", "-s", "api")):
            done = run(*args, at=folder.path, before=as_ordinary_user)
            assert done.code == 0, done
            assert done.err == ""


def test_a_folder_that_may_not_be_listed_is_told(make: Callable[..., Folder]) -> None:
    """Exit 4 and one line, not a fault of ours and not an empty repository."""
    plain = make("plain", git=False)
    plain.put()
    (plain.path / "incidents").chmod(0)
    try:
        done = run("validate", at=plain.path, before=as_ordinary_user)
    finally:
        (plain.path / "incidents").chmod(0o755)
    done.told_once(4, "incidents", "Permission denied", "check its permissions")


@pytest.mark.slow
def test_a_full_disk_in_apply_leaves_whole_issues_and_the_next_run_ends_it(folder: Folder) -> None:
    """The write that does not fit is undone; what was told as done stays; the next apply does the rest."""
    keys = many(folder, 20)
    done = run("apply", at=folder.path, before=small_disk(32_768))
    done.told_once(4, "tracker", "room")
    half = folder.open_keys()
    assert 0 < len(half) < len(keys)
    told = [line for line in done.out.splitlines() if " create " in line]
    assert [line for line in told if ": failed" not in line] == told[: len(half)]
    assert len(told) == len(half) + 1  # the one that failed; those after it are a number, not a list
    assert run("apply", at=folder.path).code == 0
    assert folder.open_keys() == keys


def test_a_full_disk_in_render_leaves_no_part_of_a_document(folder: Folder) -> None:
    """Exit 4, the file that did not fit is named, no temporary file is left, old documents stay whole."""
    folder.put()
    assert call("render", at=folder.path).code == 0
    before = contents(folder.path)
    folder.put(title="Another title")
    done = run("render", at=folder.path, before=small_disk(200))
    done.told_once(4, "incident.md", "space" if "space" in done.err else "large")
    after = contents(folder.path)
    assert {name: text for name, text in after.items() if name.endswith(".md")} == {
        name: text for name, text in before.items() if name.endswith(".md")
    }
    assert after.keys() == before.keys()


@pytest.mark.parametrize("args", [("validate",), ("sla", "check"), ("plan",), ("policy", "show")])
def test_a_full_disk_behind_the_output_is_told(folder: Folder, args: tuple[str, ...]) -> None:
    """`> /dev/full`: exit 4 and one line; never 0, and not a fault of ours."""
    folder.put()
    with Path("/dev/full").open("wb") as full:
        done = run_into(full.fileno(), *args, at=folder.path)
    done.told_once(4, "the output", "No space left", "free some space")


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("gate", "check", "-s", "nobody"), 2),
        (("canary", "replay", "none.csv", "-f", "none.yaml"), 2),
        (("gate", "check"), 2),
        (("gate", "check", "-s", "api"), 4),
    ],
)
def test_a_full_disk_behind_the_errors_changes_no_exit_code(folder: Folder, args: tuple[str, ...], code: int) -> None:
    """`2> /dev/full`: the words are lost, and 1, which means that a canary failed, is not what is left of them."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command(*args), cwd=folder.path, stdout=subprocess.PIPE, stderr=full, env=os.environ, check=False
        )
    assert done.returncode == code


def run_into(output: int, *args: str, at: Path) -> Done:
    """Runs a command whose standard output is an open file."""
    done = subprocess.run(command(*args), cwd=at, stdout=output, stderr=subprocess.PIPE, env=os.environ, check=False)
    return Done(done.returncode, "", done.stderr.decode())


def test_a_full_disk_at_a_crash_report_is_still_told_in_words(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where even the report cannot be written, the person gets words and exit 70."""

    def refuse(*_args: object, **_how: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("incident_ops.app.workspace.clock.now", lambda: 1 / 0)
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    done = call("validate", at=folder.path, clock=None)
    done.told_once(70, "incident-ops crashed", "ZeroDivisionError")
    assert "no report could be written: No space left" in done.err


@pytest.mark.slow
def test_a_full_disk_does_not_stop_a_check(folder: Folder) -> None:
    """The cache and its key only save time: where they cannot be written, validate still answers."""
    folder.put()
    folder.commit()
    done = run("validate", at=folder.path, before=small_disk(0))
    assert done.code == 0, done
    assert done.err == ""
    assert run("validate", at=folder.path) == done
