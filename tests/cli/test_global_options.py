"""The global options, before the command and behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.scene import AT, Folder, call


@pytest.mark.parametrize(
    "args",
    [
        ("--at", AT, "list"),
        ("list", "--at", AT),
        ("list", f"--at={AT}"),
        ("--at", "2025-01-27T00:00:00Z", "list", "--at", AT),
        ("list", "--at", AT, "--color", "always"),
        ("--color", "never", "list", "--at", AT, "--color", "always"),
    ],
)
def test_the_clock_behind_the_command(folder: Folder, args: tuple[str, ...]) -> None:
    """It is the same clock; of two, the one behind the command counts."""
    folder.put()
    done = call(*args, at=folder.path, clock=None)
    assert done.code == 0, done
    assert "1h 55m" in done.out
    assert ("\x1b[" in done.out) == ("always" in args)


def test_the_folder_behind_the_command(folder: Folder, tmp_path: Path) -> None:
    """Below a group of commands, too."""
    folder.put()
    for args in (("show", "--repo", str(folder.path)), ("sla", "check", "--repo", str(folder.path))):
        done = call(*args, at=tmp_path)
        assert done.code == 0, done
        assert "INC-1" in done.out


def test_more_words_behind_the_command(folder: Folder) -> None:
    folder.put()
    for args in (("list", "-v"), ("list", "--verbose"), ("-v", "list")):
        assert "the work tree" in call(*args, at=folder.path).err


def test_what_a_command_means_by_the_name_stays(folder: Folder) -> None:
    """`timeline --at` is when it happened, and not the clock."""
    folder.put()
    done = call("timeline", "x", "--at", "30m", at=folder.path)
    assert done.code == 0, done
    assert "at: 2025-01-26T13:30:00Z" in (folder.path / "incidents/INC-1/incident.yaml").read_text(encoding="utf-8")


def test_a_text_that_looks_like_an_option_stays_one(folder: Folder) -> None:
    folder.put()
    done = call("timeline", "--", "--repo", at=folder.path)
    assert "timeline: --repo" in done.out


def test_the_help_of_a_command_does_not_repeat_them(folder: Folder) -> None:
    shown = call("list", "--help", at=folder.path).out
    assert "--repo" not in shown
    assert "--repo" in call("--help", at=folder.path).out


def test_an_instant_that_is_none_is_told_behind_the_command(folder: Folder) -> None:
    folder.put()
    call("list", "--at", "someday", at=folder.path, clock=None).told_once(2, "--at 'someday' is not an instant")


def test_a_clock_from_the_wall_is_said_back(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    folder.put()
    done = call("list", "--at", "2025-01-26 15:00", at=folder.path, clock=None)
    assert "1h 55m" in done.out
    assert done.err == "  --at 2025-01-26 15:00: 2025-01-26 15:00 CET (14:00 UTC)\n"
