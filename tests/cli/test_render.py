"""`render` takes away nothing that somebody wrote and that nothing else holds."""

from __future__ import annotations

import pytest

from tests.cli.scene import CLOSED, Folder, call

PATH = "incidents/INC-1/postmortem.md"
PROSE = "The pool was too small.\n"


@pytest.fixture
def rendered(folder: Folder) -> Folder:
    """A closed incident with its documents, as rendered and not committed."""
    folder.put(**CLOSED)
    assert call("render", at=folder.path).code == 0
    return folder


def write_prose(folder: Folder) -> str:
    text = (folder.path / PATH).read_text().replace("_Not written yet._", PROSE, 1)
    assert PROSE in text
    folder.write(PATH, text)
    return text


def test_what_somebody_wrote_into_a_document_is_left_and_said(rendered: Folder) -> None:
    """The other documents are written all the same."""
    text = write_prose(rendered)
    rendered.put(**CLOSED, title="Login failed")
    done = call("render", at=rendered.path)
    done.told_once(2, f"error: {PATH}: not written", "git does not have")
    assert "fix: commit it, or move it away; then render again" in done.err
    assert (rendered.path / PATH).read_text() == text
    assert "# Login failed" in (rendered.path / "incidents/INC-1/incident.md").read_text()
    assert "4 documents: 3 written, 0 already up to date" in done.out


def test_what_git_has_is_written_anew(rendered: Folder) -> None:
    write_prose(rendered)
    rendered.commit()
    assert call("render", at=rendered.path).code == 0
    assert PROSE not in (rendered.path / PATH).read_text()
    assert PROSE in rendered.git("show", f"HEAD:{PATH}")


def test_what_was_rendered_is_written_anew_without_a_commit(rendered: Folder) -> None:
    rendered.put(**CLOSED, title="Login failed")
    done = call("render", at=rendered.path)
    assert (done.code, done.err) == (0, "")
    assert "4 documents: 4 written" in done.out


def test_a_document_of_another_clone_is_known_as_rendered_by_its_own_last_line(rendered: Folder) -> None:
    """A copy that was edited is none, in whatever clone it lies."""
    rendered.put(**CLOSED, title="Login failed")
    rendered.write(PATH, (rendered.path / PATH).read_text().replace("Postmortem", "Post-mortem", 1))
    done = call("render", at=rendered.path)
    assert (done.code, "4 documents: 3 written" in done.out) == (2, True), done
    assert (rendered.path / PATH).read_text().startswith("# Post-mortem")


def test_check_says_what_differs_and_leaves_all(rendered: Folder) -> None:
    text = write_prose(rendered)
    assert call("render", "--check", at=rendered.path).code == 1
    assert (rendered.path / PATH).read_text() == text
