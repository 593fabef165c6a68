"""Nothing is written through a symbolic link: a folder that leads elsewhere is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.scene import Folder, call, contents

DECLARE = ("declare", "Login fails", "-s", "api", "--severity", "SEV1", "--by", "@a")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


def test_declare_does_not_write_through_a_linked_folder(folder: Folder, elsewhere: Path) -> None:
    (folder.path / "incidents").symlink_to(elsewhere)
    call(*DECLARE, at=folder.path).told_once(4, "incidents", "is a symbolic link")
    assert contents(elsewhere) == {}


@pytest.mark.parametrize("linked", ["incidents", "incidents/INC-1"])
def test_render_at_a_revision_does_not_either(folder: Folder, elsewhere: Path, linked: str) -> None:
    folder.put()
    folder.commit()
    place = folder.path / linked
    place.rename(folder.path / "away")
    (elsewhere / "INC-1").mkdir()
    place.symlink_to(elsewhere)
    call("--rev", "HEAD", "render", at=folder.path).told_once(4, linked, "is a symbolic link")
    assert contents(elsewhere) == {}


def test_init_does_not_either(tmp_path: Path, elsewhere: Path) -> None:
    new = tmp_path / "new"
    new.mkdir()
    (new / "schemas").symlink_to(elsewhere)
    call("init", "-s", "api=@team", at=new, clock=None)
    assert contents(elsewhere) == {}


def test_a_records_folder_that_is_reached_by_a_link_is_fine(folder: Folder, tmp_path: Path) -> None:
    """Only links below it are refused: where the repository lies is its owner's affair."""
    (tmp_path / "linked").symlink_to(folder.path)
    assert call(*DECLARE, at=tmp_path / "linked").code == 0


def test_freeze_does_not_either(folder: Folder, elsewhere: Path) -> None:
    (folder.path / "freezes").symlink_to(elsewhere)
    done = call("freeze", "year-end", "--reason", "Sales", "--until", "2025-02-01T00:00:00Z", at=folder.path)
    done.told_once(2, "freezes", "is not a regular file")
    assert contents(elsewhere) == {}


@pytest.mark.parametrize("linked", ["freezes", "maintenance", "problems", "gates"])
@pytest.mark.parametrize("is_there", [True, False])
def test_a_linked_folder_never_passes_for_an_empty_one(
    folder: Folder, elsewhere: Path, linked: str, is_there: bool
) -> None:
    """In the work tree and at a commit: what is behind it does not count, and that is said."""
    (folder.path / linked).symlink_to(elsewhere if is_there else elsewhere / "nowhere")
    folder.commit()
    for revision in ((), ("--rev", "HEAD")):
        done = call(*revision, "validate", at=folder.path)
        assert done.code == 1
        assert f"{linked}: error: is not a regular file [file]" in done.out
        if linked in ("freezes", "maintenance"):
            asked = call(*revision, "gate", "check", "-s", "api", at=folder.path)
            assert asked.code == 3
            assert f"{linked}: is not a regular file" in asked.out
