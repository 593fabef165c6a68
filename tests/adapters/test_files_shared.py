"""Files that several write at once: replaced only where unchanged, made only where nobody was first."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from incident_ops.adapters import files
from incident_ops.errors import WriteFailed


def test_replaced_only_where_it_is_still_what_was_read(tmp_path: Path) -> None:
    """Another content, or no file any more, is left as it is."""
    file, lock = tmp_path / "a", tmp_path / "state/lock"
    file.write_bytes(b"old")
    assert files.replace_if_unchanged(file, b"old", b"new", lock)
    assert not files.replace_if_unchanged(file, b"old", b"mine", lock)
    assert file.read_bytes() == b"new"
    file.unlink()
    assert not files.replace_if_unchanged(file, b"new", b"mine", lock)
    assert not file.exists()


def test_a_lock_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """And nothing is written."""
    (tmp_path / "state").write_bytes(b"")
    file = tmp_path / "a"
    file.write_bytes(b"old")
    with pytest.raises(WriteFailed):
        files.replace_if_unchanged(file, b"old", b"new", tmp_path / "state/lock")
    assert file.read_bytes() == b"old"


def test_a_new_folder_belongs_to_whoever_made_it(tmp_path: Path) -> None:
    """The second is told False; a failed write leaves no folder."""
    file = tmp_path / "incidents/INC-1/incident.yaml"
    assert files.write_in_new_folder(file, b"x")
    assert not files.write_in_new_folder(file, b"y")
    assert file.read_bytes() == b"x"
    other = tmp_path / "incidents/INC-2/incident.yaml"
    with mock.patch.object(files, "write_bytes", side_effect=WriteFailed("full")), pytest.raises(WriteFailed):
        files.write_in_new_folder(other, b"y")
    assert not other.parent.exists()
    (tmp_path / "plain").write_bytes(b"")
    with pytest.raises(WriteFailed):
        files.write_in_new_folder(tmp_path / "plain/INC-1/incident.yaml", b"y")
