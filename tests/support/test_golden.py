"""A golden file is compared byte for byte, and written only when that is asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import golden
from tests.support.golden import assert_golden

TESTS = Path(__file__).resolve().parents[1]
BY_HAND = TESTS / "presets/golden"


@pytest.fixture(autouse=True)
def _nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, "IS_WRITTEN", False)


def test_another_text_fails_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("approved\n")
    assert_golden(path, "approved\n")
    for other in ("approved", "approved\r\n", "another\n"):
        with pytest.raises(AssertionError):
            assert_golden(path, other)
    assert path.read_text() == "approved\n"


def test_a_missing_file_fails(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        assert_golden(tmp_path / "x.txt", "text")
    assert list(tmp_path.iterdir()) == []


def test_it_is_written_when_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, "IS_WRITTEN", True)
    assert_golden(tmp_path / "new/x.txt", "naïve\n")
    assert (tmp_path / "new/x.txt").read_bytes() == "naïve\n".encode()


def test_every_golden_folder_is_written_by_make_goldens_or_copied_by_hand() -> None:
    """A test file that has goldens compares them with the one helper; the presets' tables are never written."""
    folders = [path for path in TESTS.glob("*/golden") if path != BY_HAND]
    assert folders
    for folder in folders:
        users = [path for path in folder.parent.glob("test_*.py") if re.search(r'"golden\b', path.read_text("utf-8"))]
        assert users, folder
        assert [path.name for path in users if "assert_golden(" not in path.read_text("utf-8")] == []
    assert [path.name for path in BY_HAND.parent.glob("*.py") if "assert_golden" in path.read_text("utf-8")] == []
