"""A command that writes a record renders the documents beside it, those that are there, in the same commit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from incident_ops.documents import incident_documents
from tests.cli.scene import Folder, call
from tests.cli.test_send import AT, EDIT, PATH, Team

INCIDENT, TIMELINE = ("incidents/INC-1/incident.md", "incidents/INC-1/timeline.md")
POSTMORTEM = "incidents/INC-1/postmortem.md"


@pytest.fixture
def rendered(folder: Folder) -> Folder:
    """An incident with two of its documents, which are committed."""
    folder.put()
    assert call("render", at=folder.path).code == 0
    for name in ("action-items.md", "postmortem.md"):
        (folder.path / "incidents/INC-1" / name).unlink()
    folder.commit()
    return folder


def text(folder: Folder, path: str = INCIDENT) -> str:
    return (folder.path / path).read_text()


def names(folder: Folder) -> set[str]:
    return {one.name for one in (folder.path / "incidents/INC-1").iterdir()}


def test_the_documents_that_are_there_follow_a_record(rendered: Folder) -> None:
    """The others are not made; a second edit goes on without a commit in between, and `undo` brings both back."""
    for words, named in (
        (("ack", "INC-1"), "incident.md, timeline.md"),
        (("timeline", "INC-1", "Rolled back"), "timeline.md"),
    ):
        done = call(*words, "--by", "@alice", at=rendered.path, clock=AT)
        assert (done.code, done.err) == (0, ""), done
        assert f"  documents rendered: {named}\n" in done.out
    assert "@alice" in text(rendered)
    assert "Rolled back" in text(rendered, TIMELINE)
    assert names(rendered) == {"incident.yaml", "incident.md", "timeline.md"}
    undone = call("undo", at=rendered.path, clock=AT)
    assert "documents rendered: timeline.md" in undone.out
    assert "Rolled back" not in text(rendered, TIMELINE)
    assert call("render", "--check", at=rendered.path, clock=AT).out.count("differs") == 0


def test_json_has_the_names(rendered: Folder) -> None:
    done = call("ack", "INC-1", "--by", "@alice", "--format", "json", at=rendered.path, clock=AT)
    assert json.loads(done.out)["documents"] == ["incident.md", "timeline.md"]


def test_nothing_is_said_where_nothing_is_rendered(folder: Folder) -> None:
    folder.put()
    done = call("ack", "INC-1", "--by", "@alice", at=folder.path, clock=AT)
    assert (done.code, "document" in done.out + done.err) == (0, False)
    assert names(folder) == {"incident.yaml"}


@pytest.mark.parametrize(
    "words",
    [
        ("ack", "INC-1"),
        ("resolve", "INC-1", "--restored", "now", "--cause", "unknown"),
        ("correct", "INC-1", "started", "2025-01-26T11:50:00Z"),
        ("timeline", "INC-1", "Rolled back"),
        ("edit", "INC-1", "--title", "Other words"),
    ],
    ids=lambda words: words[0],
)
def test_no_render_leaves_them(rendered: Folder, words: tuple[str, ...]) -> None:
    before = text(rendered)
    done = call(*words, "--by", "@alice", "--no-render", at=rendered.path, clock=AT)
    assert (done.code, "documents rendered" in done.out, text(rendered)) == (0, False, before), done


def test_what_people_wrote_in_one_is_left_and_said(rendered: Folder) -> None:
    """Committed or not: the other one is rendered."""
    mine = text(rendered, TIMELINE) + "\nWe were lucky.\n"
    rendered.write(TIMELINE, mine)
    done = call("ack", "INC-1", "--by", "@alice", at=rendered.path, clock=AT)
    assert done.code == 0
    assert "documents rendered: incident.md\n" in done.out
    assert f"warning: left as it is, edited by hand or rendered by an earlier version: {TIMELINE}" in done.err
    assert text(rendered, TIMELINE) == mine


def test_validate_notes_documents_that_a_change_left_behind(rendered: Folder) -> None:
    """Against a base, of the records that changed; the exit code stays as it is."""
    words = ("validate", "--base", "HEAD")
    assert "no longer what" not in call(*words, at=rendered.path, clock=AT).err
    call("ack", "INC-1", "--by", "@alice", "--no-render", at=rendered.path, clock=AT)
    done = call(*words, at=rendered.path, clock=AT)
    assert done.code == 0, done
    line = "note: INC-1: no longer what its record says: incident.md, timeline.md; `incident-ops render INC-1`"
    assert line in done.err.splitlines()
    call("render", "INC-1", at=rendered.path, clock=AT)
    assert "no longer what" not in call(*words, at=rendered.path, clock=AT).err


def test_a_rendering_that_fails_is_a_warning(rendered: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record is written."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("no way")

    monkeypatch.setattr(incident_documents, "incident_documents", broken)
    done = call("ack", "INC-1", "--by", "@alice", at=rendered.path, clock=AT)
    assert done.code == 0
    assert "warning: the documents beside the record were not rendered:" in done.err
    assert "in_progress" in (rendered.path / PATH).read_text()


@pytest.fixture
def team(tmp_path: Path) -> Team:
    """INC-1 is merged, with its documents."""
    made = Team(tmp_path)
    assert call("render", at=made.seed.path).code == 0
    made.seed.commit()
    made.seed.git("push", "-q", "origin", "HEAD:main")
    return made


def sent_text(team: Team, path: str = INCIDENT) -> str:
    return team.git("show", f"{EDIT}:{path}")


def test_send_has_them_in_the_same_commit(team: Team) -> None:
    alice = team.clone()
    done = call("ack", "INC-1", "--by", "@alice", "--send", at=alice.path, clock=AT)
    assert done.code == 0, done
    assert "documents rendered: incident.md, timeline.md, postmortem.md" in done.out
    assert team.git("rev-list", "--count", f"main..{EDIT}").strip() == "1"
    assert set(team.changed(EDIT)) == {PATH, INCIDENT, TIMELINE, POSTMORTEM}
    assert "@alice" in sent_text(team)
    assert sent_text(team) == text(alice)


def test_send_without_them(team: Team) -> None:
    alice = team.clone()
    done = call("ack", "INC-1", "--by", "@alice", "--send", "--no-render", at=alice.path, clock=AT)
    assert (done.code, team.changed(EDIT)) == (0, [PATH]), done


def test_what_is_sent_says_what_the_joined_record_does(team: Team) -> None:
    """Two people edit, and main moves on: the documents of the branch are those of all of it, and nothing is asked."""
    alice, bob = team.clone(), team.clone("bob")
    assert call("ack", "INC-1", "--by", "@alice", "--send", at=alice.path, clock=AT).code == 0
    carol = team.clone("carol")
    assert call("edit", "INC-1", "--title", "Nobody can log in", "--by", "@carol", at=carol.path, clock=AT).code == 0
    carol.commit()
    carol.git("push", "-q", "origin", "HEAD:main")
    done = call("timeline", "INC-1", "Rolled back", "--by", "@bob", "--send", at=bob.path, clock=AT)
    assert done.code == 0, done
    assert "# Nobody can log in\n" in sent_text(team)
    assert "Rolled back" in sent_text(team, TIMELINE)
    assert "@alice" in sent_text(team)


def test_a_document_that_people_edited_is_sent_by_nobody(team: Team) -> None:
    alice = team.clone()
    alice.write(TIMELINE, text(alice, TIMELINE) + "\nWe were lucky.\n")
    alice.commit()
    alice.git("push", "-q", "origin", "HEAD:main")
    assert call("ack", "INC-1", "--by", "@alice", "--send", at=alice.path, clock=AT).code == 0
    assert set(team.changed(EDIT)) == {PATH, INCIDENT, POSTMORTEM}
    assert "We were lucky." in sent_text(team, TIMELINE)
