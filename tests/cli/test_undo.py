"""`undo`: the last edit of this clone is taken back, byte for byte, or it is said why not and what does it instead."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path
from unittest import mock

import pytest

from incident_ops.adapters import files
from incident_ops.app import last_edit, undo
from incident_ops.app.last_edit import LastEdit
from incident_ops.app.workspace import Workspace
from incident_ops.errors import WriteFailed
from tests.cli.scene import Done, Folder, call, contents

pytestmark = pytest.mark.usefixtures("somebody")

ID = "INC-20250126-120500"
PATH = f"incidents/{ID}/incident.yaml"

EDITS = (  # what a person may do to a resolved incident, or to an open one
    ("ack",),
    ("assign", "commander", "@bob"),
    ("update", "--severity", "SEV2", "--reason", "one region"),
    ("timeline", "Rolled back", "--kind", "action"),
    ("action", "add", "Add an alert"),
    ("pause", "--waiting-for", "vendor"),
    ("edit", "--title", "No login", "--service", "+web"),
    ("impact", "--users", "60%", "--service", "api:major"),
    ("cause", "--what", "Tokens were rejected", "--immediate", "Rolled back"),
    ("resolve", "--restored", "now", "--cause", "deploy"),
    ("withdraw", "--as", "false_alarm", "--reason", "x"),
)


def act(folder: Folder, *words: str, clock: str = "12:10:00") -> Done:
    done = call(*words, at=folder.path, clock=f"2025-01-26T{clock}Z")
    assert done.code == 0, (words, done)
    return done


@pytest.fixture
def declared(folder: Folder) -> Folder:
    """One incident, committed."""
    act(folder, "declare", "Login fails", "-s", "api", "--severity", "SEV1", clock="12:05:00")
    folder.commit()
    return folder


@pytest.mark.parametrize("words", EDITS, ids=" ".join)
def test_every_edit_can_be_undone(declared: Folder, words: tuple[str, ...]) -> None:
    """As the edit itself says; what was there before is there again, to the byte."""
    before = contents(declared.path)
    edited = act(declared, *words)
    assert f"  undo: incident-ops undo {ID}\n" in edited.out
    done = act(declared, "undo", ID, clock="12:11:00")
    assert done.out.startswith(f"{ID}: undone: ")
    assert contents(declared.path) == before
    again = call("undo", ID, at=declared.path)
    again.told_once(2, "nothing more to undo", "one step")


def test_an_edit_on_top_of_uncommitted_work_is_undone_alone(declared: Folder) -> None:
    """Where `git checkout` would take all of it."""
    act(declared, "ack")
    before = contents(declared.path)
    act(declared, "timeline", "x")
    act(declared, "undo")
    assert contents(declared.path) == before


def test_a_declaration_is_undone_with_its_folder(folder: Folder) -> None:
    """And nothing is left of it; a second declaration may come at once."""
    before = contents(folder.path)
    made = act(folder, "declare", "Login fails", "-s", "api", "--severity", "SEV1", clock="12:05:00")
    assert f"  undo: incident-ops undo {ID}\n" in made.out
    done = act(folder, "undo")
    assert done.out == f"{ID}: undone: the declaration; incidents/{ID} is gone\n"
    assert contents(folder.path) == before
    assert not (folder.path / "incidents" / ID).exists()
    call("undo", at=folder.path).told_once(2, "nothing more to undo")


def test_a_folder_with_something_else_in_it_is_left(folder: Folder) -> None:
    """Somebody put it there."""
    act(folder, "declare", "Login fails", "-s", "api", "--severity", "SEV1", clock="12:05:00")
    folder.write(f"incidents/{ID}/notes.txt", "x")
    call("undo", at=folder.path).told_once(2, "notes.txt", f"incidents/{ID}")
    assert (folder.path / PATH).exists()


def test_what_is_committed_is_named_with_the_way_on(declared: Folder) -> None:
    """Merged history only grows: the opposite command; before that, git takes the commit back."""
    act(declared, "resolve", "--restored", "now", "--cause", "deploy")
    declared.commit()
    told = call("undo", at=declared.path)
    told.told_once(
        2, "merged entries cannot be changed", "cannot undo 'resolved (", f'incident-ops reopen {ID} --reason "..."'
    )
    declared.git("config", "remote.origin.url", "https://example.org/x.git")
    commit = declared.git("rev-parse", "--short=7", "HEAD").strip()
    told = call("undo", at=declared.path)
    told.told_once(2, "is committed", f"git revert {commit}", f'incident-ops reopen {ID} --reason "..."')


@pytest.mark.parametrize(
    ("words", "way"),
    [
        (("assign", "commander", "@bob"), f"incident-ops assign commander - {ID}"),
        (("update", "--severity", "SEV2", "--reason", "x"), f'incident-ops update {ID} --severity SEV1 --reason "..."'),
        (("pause", "--waiting-for", "vendor"), f"incident-ops pause {ID} --end"),
        (("edit", "--title", "No login"), f"incident-ops edit {ID}"),
        (("action", "add", "Add an alert"), f'incident-ops action drop {ID}/AI-1 --reason "..."'),
        (("timeline", "x"), f'incident-ops timeline "..." {ID} --corrects 2'),
        (("timeline", "x", "--mark", "diagnosed"), f"incident-ops correct {ID} diagnosed WHEN"),
        (("ack",), f"incident-ops assign @who {ID}"),
        (("impact", "--users", "60%"), f"incident-ops impact {ID}"),
        (("cause", "--what", "Tokens were rejected"), f"incident-ops cause {ID}"),
        (("snooze", "--until", "2h", "--reason", "x"), f"incident-ops snooze {ID} --off"),
    ],
)
def test_the_opposite_of_what_was_done(declared: Folder, words: tuple[str, ...], way: str) -> None:
    """Each edit has its own."""
    act(declared, *words)
    declared.commit()
    call("undo", at=declared.path).told_once(2, way)


def test_the_entry_to_correct_is_the_one_that_was_added(folder: Folder) -> None:
    """A late one is not the last."""
    act(folder, "declare", "Login fails", "-s", "api", "--severity", "SEV1", clock="12:05:00")
    act(folder, "timeline", "x", "--at", "2025-01-26T12:01:00Z")
    folder.commit()
    call("undo", at=folder.path).told_once(2, f'incident-ops timeline "..." {ID} --corrects 1')


def test_a_declaration_that_is_committed_is_withdrawn(declared: Folder) -> None:
    call("undo", at=declared.path).told_once(2, "declaration", f"incident-ops withdraw {ID} --as false_alarm")


def test_a_record_that_has_changed_since_is_left(declared: Folder) -> None:
    """By hand, by a pull, by a merge."""
    act(declared, "ack")
    changed = (declared.path / PATH).read_bytes().replace(b"Login fails", b"No login")
    (declared.path / PATH).write_bytes(changed)
    call("undo", at=declared.path).told_once(2, "acknowledged", "has changed since", f"git diff -- {PATH}")
    assert (declared.path / PATH).read_bytes() == changed
    (declared.path / PATH).unlink()
    call("undo", at=declared.path).told_once(2, "not there any more")


def test_what_git_took_back_already_needs_no_undo(declared: Folder) -> None:
    """Nor does an edit that was ended just before it wrote."""
    act(declared, "ack")
    declared.git("checkout", "--", PATH)
    call("undo", at=declared.path).told_once(2, "nothing more to undo")
    assert declared.git("status", "--porcelain") == ""


def test_without_a_name_it_is_the_last_edit_of_all(folder: Folder) -> None:
    """Then there is nothing more: an older one must be named."""
    folder.put("INC-1")
    folder.put("INC-2")
    folder.commit()
    act(folder, "ack", "INC-1")
    act(folder, "ack", "INC-2")
    assert act(folder, "undo").out.startswith("INC-2: undone: ")
    call("undo", at=folder.path).told_once(2, "nothing more to undo", "incident-ops undo INC-1")
    assert act(folder, "undo", "INC-1").out.startswith("INC-1: undone: ")
    assert folder.git("status", "--porcelain") == ""


def test_nothing_was_done_here(declared: Folder, tmp_path: Path) -> None:
    """A fresh clone."""
    declared.git("clone", "-q", str(declared.path), str(tmp_path / "clone"))
    call("undo", at=tmp_path / "clone").told_once(2, "nothing to undo", "this clone")
    call("undo", ID, at=tmp_path / "clone").told_once(2, "nothing to undo", "this clone")


def test_without_git_it_works_the_same(tmp_path: Path) -> None:
    """The last step is kept beside the records then."""
    folder = Folder(tmp_path / "plain", git=False)
    folder.put("INC-1")
    before = (folder.path / "incidents/INC-1/incident.yaml").read_bytes()
    act(folder, "ack")
    act(folder, "undo")
    assert (folder.path / "incidents/INC-1/incident.yaml").read_bytes() == before


def test_a_declaration_that_cannot_be_kept_is_there_all_the_same(folder: Folder) -> None:
    """A retry would declare it twice."""
    refused = WriteFailed("No space left on device", where="undo")
    with mock.patch.object(last_edit, "write_bytes", side_effect=refused):
        made = act(folder, "declare", "Login fails", "-s", "api", "--severity", "SEV1", clock="12:05:00")
    assert made.out.startswith(f"{ID}: ")
    assert "next: " in made.out
    assert "warning: this declaration cannot be undone: No space left on device\n" in made.err


@pytest.mark.parametrize("words", [("ack",), ("declare", "Other", "-s", "web", "--severity", "SEV3")], ids=" ".join)
def test_that_it_was_undone_is_kept_before_others_may_write(declared: Folder, words: tuple[str, ...]) -> None:
    """Else it could take the place of what they kept."""
    act(declared, *words)
    real = undo.keep_spent
    held: list[bool] = []

    def watched(workspace: Workspace, edit: LastEdit) -> None:
        with (workspace.state / "records.lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                held.append(True)
        real(workspace, edit)

    with mock.patch.object(undo, "keep_spent", watched):
        act(declared, "undo")
    assert held == [True]


def test_an_undo_that_the_system_refuses_can_be_tried_again(declared: Folder) -> None:
    before = contents(declared.path)
    act(declared, "ack")
    refused = WriteFailed("Read-only file system", where=PATH)
    with mock.patch.object(files, "write_bytes", side_effect=refused):
        assert call("undo", at=declared.path).code != 0
    assert act(declared, "undo").out.startswith(f"{ID}: undone: ")
    assert contents(declared.path) == before


def test_json_for_scripts(declared: Folder) -> None:
    """What was undone, and what the record is now."""
    assert json.loads(act(declared, "ack", "--format", "json").out)["undo"] == f"incident-ops undo {ID}"
    data = json.loads(act(declared, "undo", "--format", "json").out)
    assert list(data) == ["schema", "incident", "path", "state", "undone", "stays_sent"]
    assert (data["incident"], data["state"]) == (ID, "triaged")
    assert data["undone"] == ["acknowledged by @alice (triaged -> assigned -> in progress)"]


def test_a_number_stays_taken(tmp_path: Path) -> None:
    """Nobody gets the number of a declaration that was undone."""
    origin = tmp_path / "origin.git"
    folder = Folder(tmp_path / "repo", policy="extends: sev0-3\nids: {incident: INC-YYYY-NNNNN}\n")
    folder.commit()
    folder.git("init", "-q", "--bare", "-b", "main", str(origin))
    folder.git("remote", "add", "origin", str(origin))
    folder.git("push", "-q", "-u", "origin", "main")
    first = act(folder, "declare", "Login fails", "-s", "api", "--severity", "SEV1")
    assert first.out.startswith("INC-2025-00001: ")
    assert "its number stays taken" in act(folder, "undo").out
    assert act(folder, "declare", "Login fails", "-s", "api", "--severity", "SEV1").out.startswith("INC-2025-00002: ")
