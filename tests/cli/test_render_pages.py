"""`render --format html|pdf`: pages in a folder of their own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.scene import CLOSED, Folder, call, contents


def test_pages_are_written_once_and_nothing_else(folder: Folder, tmp_path: Path) -> None:
    folder.put(**CLOSED)
    before, words = contents(folder.path), ("render", "--format", "html", "--output", str(tmp_path / "out"))
    done = call(*words, at=folder.path)
    assert (done.code, done.err) == (0, "")
    assert "4 pages: 4 written, 0 already up to date" in done.out
    names = sorted(path.name for path in (tmp_path / "out/INC-1").iterdir())
    assert names == ["action-items.html", "incident.html", "postmortem.html", "timeline.html"]
    assert call(*words, at=folder.path).out == "4 pages: 0 written, 4 already up to date\n"
    assert contents(folder.path) == before


def test_no_page_is_written_through_a_link(folder: Folder, tmp_path: Path) -> None:
    """Neither by the folder of an incident, nor by one of the repository that --output names or that is the default."""
    folder.put(**CLOSED)
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "out"
    elsewhere.mkdir()
    out.mkdir()
    (out / "INC-1").symlink_to(elsewhere)
    (folder.path / "rendered").symlink_to(elsewhere)
    for words in (("--output", str(out)), (), ("--output", str(folder.path / "rendered/pages"))):
        done = call("render", "--format", "html", *words, at=folder.path)
        assert done.code == 4, done
        assert "is a symbolic link; nothing is written through it" in done.err
    assert list(elsewhere.iterdir()) == []


def test_a_page_that_is_a_link_is_replaced_and_what_it_leads_to_stays(folder: Folder, tmp_path: Path) -> None:
    folder.put(**CLOSED)
    (tmp_path / "kept").write_text("kept")
    (tmp_path / "INC-1").mkdir()
    (tmp_path / "INC-1/incident.html").symlink_to(tmp_path / "kept")
    assert call("render", "--format", "html", "--output", str(tmp_path), at=folder.path).code == 0
    assert (tmp_path / "kept").read_text() == "kept"
    assert not (tmp_path / "INC-1/incident.html").is_symlink()


def test_a_picture_of_the_folder_is_shown(folder: Folder, tmp_path: Path) -> None:
    folder.put(**CLOSED, postmortem="{status: draft, narrative: '![errors](errors.png)'}")
    (folder.path / "incidents/INC-1/errors.png").write_bytes(b"\x89PNG\r\n")
    call("render", "INC-1", "--format", "html", "--output", str(tmp_path), at=folder.path)
    assert 'src="data:image/png;base64,iVBORw0K"' in (tmp_path / "INC-1/postmortem.html").read_text(encoding="utf-8")


def test_what_is_about_documents_beside_records_is_refused(folder: Folder) -> None:
    folder.put()
    call("render", "--format", "html", "--check", at=folder.path).told_once(2, "--check and --adopt are about")


def test_without_a_browser_a_pdf_is_refused_with_the_ways_on(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.put()
    monkeypatch.delenv("INCIDENT_OPS_BROWSER", raising=False)
    monkeypatch.setattr("incident_ops.adapters.browser._NAMES", ("no-such-browser",))
    done = call("render", "--format", "pdf", "--output", str(tmp_path / "out"), at=folder.path)
    done.told_once(2, "a PDF needs a browser, and none was found", "install chromium", "--format html")
    assert not (tmp_path / "out").exists()


def test_a_browser_that_is_named_and_is_not_there_is_told_by_its_path(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.put()
    monkeypatch.setenv("INCIDENT_OPS_BROWSER", "/nope")
    done = call("render", "--format", "pdf", "--output", str(tmp_path / "out"), at=folder.path)
    done.told_once(2, "INCIDENT_OPS_BROWSER names /nope, and that is not a program", "unset it")


@pytest.mark.slow
def test_a_browser_prints_it(folder: Folder, tmp_path: Path) -> None:
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        pytest.skip("no browser is installed")
    folder.put(**CLOSED)
    done = call("render", "INC-1", "--format", "pdf", "--output", str(tmp_path), at=folder.path)
    assert done.code == 0, done
    assert (tmp_path / "INC-1/postmortem.pdf").read_bytes().startswith(b"%PDF-")
