"""The use cases of a record, called as functions: what they return, and that nothing is printed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from incident_ops.app.declare import declare_record
from incident_ops.app.edit_record import edit_record, original_of
from incident_ops.app.first_files import begin, write_first_files
from incident_ops.app.planned_changes import asked_freeze, hold_deploys, let_through, lift_hold
from incident_ops.app.policy import lint_policy
from incident_ops.app.views import Selection, list_incidents, list_items
from incident_ops.app.workspace import Workspace, judge_no_records, open_workspace
from incident_ops.domain.triage import triage_answers
from incident_ops.edits.declare import Declaration
from incident_ops.edits.respond import acknowledge
from incident_ops.errors import UserError
from incident_ops.findings import Level
from tests.cli.scene import AT, Folder


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Folder]:
    """A repository of records; whatever a test does there prints nothing."""
    made = Folder(tmp_path / "repo")
    made.commit()
    yield made
    assert capsys.readouterr() == ("", "")


def workspace(folder: Folder, rev: str | None = None, at: str = AT) -> Workspace:
    """The folder as a command sees it that begins now."""
    return open_workspace({"repo": str(folder.path), "rev": rev, "at": at})


def test_an_edit_returns_what_was_done_and_how_to_take_it_back(folder: Folder) -> None:
    """The second time nothing is written, and the value says so."""
    file = folder.put()
    folder.commit()
    here = workspace(folder)
    edited = edit_record(here, "1", lambda incident: acknowledge(incident, here.judged_by[0], here.now, "@alice"))
    assert edited.is_changed
    assert edited.record.incident.state == "in_progress"
    assert edited.record.path == "incidents/INC-1/incident.yaml"
    assert edited.done
    assert any("INC-1" in step for step in edited.next_steps)
    assert edited.undo.startswith("incident-ops undo ")
    text = file.read_text()
    here = workspace(folder)
    again = edit_record(here, None, lambda incident: acknowledge(incident, here.judged_by[0], here.now, "@bob"))
    assert (again.is_changed, again.undo) == (False, "")
    assert "nothing changed" in again.done[0]
    assert file.read_text() == text


def test_a_declaration_returns_its_record(folder: Folder) -> None:
    """By a label or by the answers; the decision that counted comes along."""
    here = workspace(folder)
    labelled = declare_record(here, Declaration("Login fails", ("api",), severity="SEV2"), "@alice")
    assert labelled.record.incident.id == "INC-20250126-140000"
    assert labelled.folder == "incidents/INC-20250126-140000"
    assert labelled.decision is None
    assert (folder.path / labelled.record.path).is_file()
    answers = triage_answers({"users_percent": 60.0, "feature": "core"})
    judged = declare_record(here, Declaration("Login fails", ("api",), answers=answers), None)
    assert judged.record.incident.id == "INC-20250126-140001"
    assert judged.decision is not None
    assert judged.decision.level == judged.record.incident.severity == "SEV1"
    assert judged.notice == "nobody has been notified: no remote and no notification channel is set up here"
    assert judged.next_steps[0] == f"incident-ops ack {judged.record.incident.id}"


def test_what_cannot_be_declared_is_refused(folder: Folder) -> None:
    """A service that nobody knows, and an old revision; nothing is written."""
    with pytest.raises(UserError, match=r"'apo' is not in services\.yaml"):
        declare_record(workspace(folder), Declaration("x", ("apo",), severity="SEV2"), None)
    with pytest.raises(UserError, match="an old revision"):
        declare_record(workspace(folder, rev="HEAD"), Declaration("x", ("api",), severity="SEV2"), None)
    assert not list(folder.path.glob("incidents/*"))


def test_a_hold_is_written_and_lifted(folder: Folder) -> None:
    """One that has begun ends now; one that has not is removed."""
    here = workspace(folder)
    scope = {"reason": "closing", "services": ("api",), "environments": (), "by": None}
    now = hold_deploys(here, asked_freeze(here, "a", since="now", until="4h", **scope))
    later = hold_deploys(here, asked_freeze(here, "b", since="2h", until=None, **scope))
    assert (now.path, later.path) == ("freezes/a.yaml", "freezes/b.yaml")
    assert now.next_steps
    after = workspace(folder, at="2025-01-26T15:00:00Z")
    lifted, removed = lift_hold(after, "a"), lift_hold(after, "b")
    assert "2025-01-26T15:00:00Z" in (folder.path / lifted.path).read_text()
    assert not (folder.path / removed.path).exists()
    assert removed.next_steps == ()
    assert not lift_hold(after, "a").is_changed


def test_a_commit_is_let_through_by_a_record_or_by_a_file(folder: Folder) -> None:
    """The value says which of the two was written."""
    folder.put()
    request = {"service": "api", "environment": None, "sha": "7be19f2" + "0" * 33, "reason": "the fix", "expires": "4h"}
    by_record = let_through(workspace(folder), "1", **request, approved_by=None, by="@alice")
    by_file = let_through(workspace(folder), None, **request, approved_by="@bob", by="@alice")
    assert by_record.is_changed
    assert by_file.is_changed
    assert not isinstance(by_file, type(by_record))
    with pytest.raises(UserError, match="who takes it on"):
        let_through(workspace(folder), None, **request, approved_by=None, by=None)


def test_lists_are_rows(folder: Folder) -> None:
    """The most urgent first; items of one owner alone."""
    folder.put("INC-1", severity="SEV2")
    folder.put("INC-2", action_items='[{id: AI-1, title: Alert, owner: "@bob", status: open}]')
    rows = list_incidents(workspace(folder), Selection(only_open=True))
    assert [row.record.incident.id for row in rows] == ["INC-2", "INC-1"]
    items = list_items(workspace(folder), Selection(), "bob", overdue=False)
    assert [row.item.id for row in items] == ["AI-1"]
    assert list_items(workspace(folder), Selection(), "eve", overdue=False) == []


def test_a_duplicate_names_the_first(folder: Folder) -> None:
    """The id is found by its end; a duplicate is no original."""
    folder.put("INC-12")
    folder.put("INC-13", duplicate_of="INC-12")
    assert original_of(workspace(folder), "12") == "INC-12"
    with pytest.raises(UserError, match="INC-13 is a duplicate itself, of INC-12"):
        original_of(workspace(folder), "13")


def test_no_record_is_a_beginning_or_a_loss(folder: Folder) -> None:
    """3 where HEAD has one; where another commit was looked at, that is said."""
    assert judge_no_records(workspace(folder)).exit_code == 0
    before = folder.git("rev-parse", "HEAD").strip()
    file = folder.put()
    folder.commit()
    file.unlink()
    lost = judge_no_records(workspace(folder))
    assert lost.exit_code == 3
    assert "HEAD has some" in lost.message
    unmerged = judge_no_records(workspace(folder, before))
    assert unmerged.exit_code == 3
    assert before[:12] in unmerged.message
    assert "push and merge" in unmerged.message
    assert "deleted" not in unmerged.message


def test_first_files_are_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second time there is nothing to do, and nothing to do next."""
    here = open_workspace({"repo": str(tmp_path), "rev": None, "at": AT})
    beginning = begin(here, ["auth=@acme/identity"])
    assert not beginning.has_policy
    assert write_first_files(here, beginning, "p0-p3").next_steps
    again = begin(open_workspace({"repo": str(tmp_path), "rev": None, "at": AT}), [])
    assert again.has_policy
    assert write_first_files(here, again, None).next_steps == []
    assert {finding.level for finding in lint_policy(here)} == {Level.WARNING}
    assert capsys.readouterr() == ("", "")
