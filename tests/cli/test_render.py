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


NOTES = "incidents/INC-1/postmortem.notes.md"


def notes(folder: Folder) -> str:
    return (folder.path / NOTES).read_text()


@pytest.mark.parametrize("committed", [False, True])
def test_what_somebody_typed_survives_three_renders(rendered: Folder, committed: bool) -> None:
    """It is in the file beside the document, once, whatever becomes of the record."""
    if committed:
        rendered.commit()
    write_prose(rendered)
    if committed:
        rendered.commit()
        rendered.put(**CLOSED, title="Login failed")
    done = call("render", at=rendered.path)
    assert done.code == 0
    assert f"warning: {PATH}: somebody typed into it (What happened?); that is now in {NOTES}" in " ".join(
        done.err.split()
    )
    for title in ("Login failed again", "Login"):
        rendered.put(**CLOSED, title=title)
        again = call("render", at=rendered.path)
        assert (again.code, again.err) == (0, "")
    assert notes(rendered).endswith("## What happened?\n\nThe pool was too small.\n")
    assert (rendered.path / PATH).read_text().startswith("# Postmortem: Login\n")
    assert PROSE not in (rendered.path / PATH).read_text()


def test_what_is_typed_later_is_added(rendered: Folder) -> None:
    write_prose(rendered)
    call("render", at=rendered.path)
    rendered.write(PATH, (rendered.path / PATH).read_text().replace("## Impact", "## Impact\n\nNobody slept.", 1))
    call("render", at=rendered.path)
    assert notes(rendered).endswith("## What happened?\n\nThe pool was too small.\n\n## Impact\n\nNobody slept.\n")


def test_adopt_takes_it_over_into_the_record(rendered: Folder) -> None:
    """Where the record has no such text yet; what stands elsewhere goes to the file beside."""
    write_prose(rendered)
    text = (rendered.path / PATH).read_text()
    text = text.replace("## What went well?\n\n_Not written yet._", "## What went well?\n\n- Fast\n- Calm", 1)
    rendered.write(PATH, text.replace("## Impact", "## Impact\n\nNobody slept.", 1))
    done = call("render", "INC-1", "--adopt", at=rendered.path)
    assert done.code == 0, done
    assert "INC-1: postmortem, summary: The pool was too small." in done.out
    assert "INC-1: postmortem, went well: Calm" in done.out
    record = (rendered.path / "incidents/INC-1/incident.yaml").read_text()
    assert "summary: The pool was too small." in record
    assert "- Fast" in record
    shown = (rendered.path / PATH).read_text()
    assert "## What happened?\n\nThe pool was too small.\n" in shown
    assert "## Impact\n\nNobody slept." in notes(rendered)
    assert "pool" not in notes(rendered)
    again = call("render", "INC-1", "--adopt", at=rendered.path)
    assert again.out == "4 documents: 0 written, 4 already up to date\n"


def test_adopt_names_its_incidents(rendered: Folder) -> None:
    call("render", "--adopt", at=rendered.path).told_once(2, "--adopt writes records: name the incidents")


def test_a_file_that_is_nobodys_rendering_is_kept_whole(rendered: Folder) -> None:
    rendered.write(PATH, "# Ours\n\nWe wrote this by hand.\n\n## Next\n\n```sh\n# not a heading\n```\n")
    assert call("render", at=rendered.path).code == 0
    assert notes(rendered).endswith(
        "## At the top\n\n# Ours\n\nWe wrote this by hand.\n\n## Next\n\n## Next\n\n```sh\n# not a heading\n```\n"
    )


def test_typed_code_stays_whole_where_the_document_has_lines_like_its_own(rendered: Folder) -> None:
    code = "```sh\n_Not written yet._\nkubectl get pods\n\n---\n```"
    rendered.write(PATH, (rendered.path / PATH).read_text().replace("## Impact\n", f"## Impact\n\n{code}\n", 1))
    call("render", at=rendered.path)
    assert notes(rendered).endswith(f"## Impact\n\n{code}\n")


def test_what_was_rendered_is_written_anew_without_a_commit(rendered: Folder) -> None:
    rendered.put(**CLOSED, title="Login failed")
    done = call("render", at=rendered.path)
    assert (done.code, done.err) == (0, "")
    assert "4 documents: 4 written" in done.out


def test_one_changed_incident_touches_its_own_files_alone(rendered: Folder) -> None:
    for number in range(2, 8):
        rendered.put(f"INC-{number}", **CLOSED)
    call("render", at=rendered.path)
    before = stamps(rendered)
    assert "28 documents: 0 written" in call("render", at=rendered.path).out
    assert stamps(rendered) == before
    rendered.put("INC-3", **CLOSED, title="Login failed")
    assert "28 documents: 4 written" in call("render", at=rendered.path).out
    assert {path.rpartition("/")[0] for path, stamp in stamps(rendered).items() if before[path] != stamp} == {
        "incidents/INC-3"
    }


def stamps(folder: Folder) -> dict[str, tuple[int, int]]:
    """By path of each document which file it is, and when it was written."""
    found = ((path, path.stat()) for path in (folder.path / "incidents").glob("*/*.md"))
    return {str(path.relative_to(folder.path)): (one.st_ino, one.st_mtime_ns) for path, one in found}


def test_a_document_of_another_clone_is_known_as_rendered_by_its_own_last_line(rendered: Folder) -> None:
    """A copy that was edited is none, in whatever clone it lies."""
    rendered.put(**CLOSED, title="Login failed")
    rendered.write(PATH, (rendered.path / PATH).read_text().replace("Postmortem", "Post-mortem", 1))
    done = call("render", at=rendered.path)
    assert (done.code, "4 documents: 4 written" in done.out) == (0, True), done
    assert "# Post-mortem: Login fails" in notes(rendered)


def test_check_says_what_differs_and_leaves_all(rendered: Folder) -> None:
    text = write_prose(rendered)
    assert call("render", "--check", at=rendered.path).code == 1
    assert (rendered.path / PATH).read_text() == text


def test_the_end_of_an_id_is_enough(folder: Folder) -> None:
    folder.put("INC-20250126-120500")
    assert call("render", "120500", at=folder.path).code == 0
    call("render", "999", at=folder.path).told_once(2, "there is no incident 999")


def test_a_line_that_stands_elsewhere_too_is_kept(rendered: Folder) -> None:
    """Typed under another heading, or once more."""
    line = next(one for one in (rendered.path / PATH).read_text().splitlines() if one.startswith("- **Data loss:**"))
    text = (rendered.path / PATH).read_text().replace("## What went well?", f"## What went well?\n\n{line}", 1)
    rendered.write(PATH, text.replace("## Impact", f"## Impact\n\n{line}", 1))
    assert call("render", at=rendered.path).code == 0
    assert notes(rendered).count(line) == 2


def test_a_notes_file_that_is_not_utf_8_keeps_its_bytes(rendered: Folder) -> None:
    (rendered.path / NOTES).write_bytes(b"caf\xe9\n")
    write_prose(rendered)
    assert call("render", at=rendered.path).code == 0
    assert (rendered.path / NOTES).read_bytes().startswith(b"caf\xe9\n\n## What happened?\n\nThe pool was too small.")


def test_nothing_is_written_through_a_link(rendered: Folder) -> None:
    (rendered.path / "secret.txt").write_text("secret")
    (rendered.path / NOTES).symlink_to(rendered.path / "secret.txt")
    write_prose(rendered)
    call("render", at=rendered.path).told_once(4, "is a symbolic link")
    assert (rendered.path / "secret.txt").read_text() == "secret"


def test_adopt_leaves_a_final_postmortem_alone(rendered: Folder) -> None:
    paper = "{status: final, reviewers: ['@bob'], approved_by: '@cy', final_at: 2025-01-27}"
    rendered.put(**CLOSED, postmortem=paper)
    call("render", at=rendered.path)
    rendered.write(
        PATH,
        (rendered.path / PATH).read_text().replace("## Timeline", "## What went well?\n\n- Fast\n\n## Timeline", 1),
    )
    call("render", "INC-1", "--adopt", at=rendered.path).told_once(2, "the postmortem of INC-1 is final")
