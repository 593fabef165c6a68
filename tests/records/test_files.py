"""Files of a work tree: nothing is read through a link, and what cannot be read is told, never raised."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from incident_ops.findings import Finding
from incident_ops.records.store import is_link, list_folder, names_in, read_regular

PATH = "incidents/INC-1/incident.yaml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of records, and one outside it with a record of the same name."""
    for name in ("records", "outside"):
        (tmp_path / name / PATH).parent.mkdir(parents=True)
        (tmp_path / name / PATH).write_text(name)
    return tmp_path / "records"


def test_a_plain_file_is_read(root: Path) -> None:
    """Its bytes, whatever folder the process is in."""
    assert read_regular(root, PATH) == b"records"


@pytest.mark.parametrize("linked", ["incidents", "incidents/INC-1", PATH])
def test_a_link_on_the_way_is_not_followed(root: Path, linked: str) -> None:
    """Not even when it was a plain folder a moment before: nothing is remembered."""
    assert read_regular(root, PATH) == b"records"
    (root / linked).rename(root / "was")
    (root / linked).symlink_to(root.parent / "outside" / linked)
    found = read_regular(root, PATH)
    assert isinstance(found, Finding)
    assert (found.where.file, found.message) == (PATH, "is not a regular file")
    assert is_link(root, linked)
    (root / linked).unlink()
    (root / "was").rename(root / linked)
    assert read_regular(root, PATH) == b"records"


def test_a_link_above_the_root_is_the_users_own(root: Path) -> None:
    """Only what lies below the records' folder is hostile."""
    (root.parent / "link").symlink_to(root)
    assert read_regular(root.parent / "link", PATH) == b"records"


@pytest.mark.parametrize("path", ["incidents/INC-2/incident.yaml", f"{PATH}/incident.yaml", "policy.yaml", "incidents"])
def test_no_file_is_none(root: Path, path: str) -> None:
    """Also below a file, and where a folder stands."""
    assert read_regular(root, path) is None


def test_a_pipe_is_no_plain_file(root: Path) -> None:
    """And nobody waits for it to be written."""
    os.mkfifo(root / "policy.yaml")
    found = read_regular(root, "policy.yaml")
    assert isinstance(found, Finding)
    assert found.message == "is not a regular file"


def test_a_name_the_system_refuses_is_told(root: Path) -> None:
    """As a finding of this file; the others are still read."""
    path = f"incidents/{'x' * 300}/incident.yaml"
    found = read_regular(root, path)
    assert isinstance(found, Finding)
    assert found.where.file == path
    assert "cannot be read" in found.message
    assert not is_link(root, path)


def test_a_folder_is_listed_in_order(root: Path) -> None:
    """Where there is none, nothing."""
    names = {f"INC-{number}" for number in range(1, 40)}
    for name in names:
        (root / "incidents" / name).mkdir(exist_ok=True)
    assert list_folder(root, "incidents") == sorted(names)
    assert names_in(root, "incidents") == names
    assert list_folder(root, "freezes") == list_folder(root, PATH) == []
