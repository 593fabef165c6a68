"""Plan, apply, notify and sla as functions: values in, values out, and not a word printed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from incident_ops.app.apply import Progress, SentNotices, apply_plan
from incident_ops.app.notify import RECORDED
from incident_ops.app.notify_by_hand import NotifyOptions, notify_people
from incident_ops.app.plan import PlannedRun, PlanOptions, plan_changes
from incident_ops.app.sla import SlaOptions, check_clocks
from incident_ops.app.workspace import Workspace, open_workspace
from incident_ops.app.write_back import WriteBack
from incident_ops.errors import PlanChanged, UserError
from incident_ops.notifications.trials import NOT_READY
from incident_ops.reconcile.apply import APPLIED, Applied
from tests.cli.scene import AT, Folder

LOCAL = PlanOptions(tracker="local")
LATER = "2025-01-26T20:00:00Z"
ESCALATES = """\
extends: sev0-3
levels:
- {id: SEV1, escalate_at: 1h}
escalation: {tiers: [{id: first, tier: 1}, {id: second, tier: 2}]}
"""


def workspace(folder: Folder, at: str = AT) -> Workspace:
    return open_workspace({"repo": str(folder.path), "rev": None, "at": at})


@pytest.fixture
def one_incident(folder: Folder) -> Folder:
    folder.put()
    folder.commit()
    return folder


@pytest.fixture(autouse=True)
def _silent(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """No use case prints."""
    yield
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "")


def test_a_plan_names_its_parts(one_incident: Folder) -> None:
    run = plan_changes(workspace(one_incident), LOCAL)
    assert list(run.records) == list(run.desired.issues) == ["INC-1"]
    assert run.observed.issues == ()
    assert run.plan.changes
    assert {notice.message.incident for notice in run.notices} == {"INC-1"}
    assert "INC-1/incident/1/declared" in {obligation.key for obligation in run.due.obligations}
    assert (run.github, run.has_issues, run.ledger_error, run.proposed) == (None, False, None, ())


def test_a_plan_without_notices_has_none(one_incident: Folder) -> None:
    run = plan_changes(workspace(one_incident), PlanOptions(tracker="local", with_notices=False))
    assert run.notices == ()
    assert [change.key for change in run.plan.changes if change.kind == "incident"] == ["INC-1"]


def test_apply_returns_what_became_of_each_change(one_incident: Folder) -> None:
    run = apply_plan(workspace(one_incident), LOCAL)
    assert {outcome.outcome for outcome in run.outcomes} == {APPLIED}
    assert {notice.outcome for notice in run.notices} == {RECORDED}
    assert (run.summary.failed, run.held, run.errors, run.ledger_error, run.exit_code) == (0, (), (), None, 0)
    assert one_incident.open_keys() == ["INC-1"]
    again = plan_changes(workspace(one_incident), LOCAL)
    assert again.plan.changes == ()
    assert again.has_issues


def test_apply_reports_each_part_as_it_happens(one_incident: Folder) -> None:
    parts: list[Progress] = []
    run = apply_plan(workspace(one_incident), LOCAL, report=parts.append)
    first, urgent, *changes, rest, records = parts
    assert isinstance(first, PlannedRun)
    assert urgent == SentNotices(())  # nothing is really sent with the embedded tracker
    assert changes == list(run.outcomes)
    assert all(isinstance(change, Applied) for change in changes)
    assert records == run.records == WriteBack()
    assert rest == SentNotices(run.notices)


def test_apply_names_the_records_that_it_edited(one_incident: Folder) -> None:
    one_incident.write("policy.yaml", "extends: sev0-3\nstates: {auto_close: 1h}\n")
    ended = "2025-01-26T12:30:00Z"
    states = ("new", "triaged", "assigned", "in_progress", "resolved")
    moves = [f"{{at: {ended}, field: state, from: {old}, to: {new}}}" for old, new in pairwise(states)]
    one_incident.put(
        severity="SEV3",
        state="resolved",
        times=f"{{declared: 2025-01-26T12:05:00Z, restored: {ended}, resolved: {ended}}}",
        cause="{category: unknown}",
        changes=f"[{', '.join(moves)}]",
    )
    run = apply_plan(workspace(one_incident, LATER), LOCAL)
    path = "incidents/INC-1/incident.yaml"
    assert run.records == WriteBack(("1 of 1 records changed in the work tree",), (path,))
    assert "state: closed" in (one_incident.path / path).read_text()


def test_an_escalation_that_nobody_is_notified_of_is_not_written(one_incident: Folder) -> None:
    """With the embedded tracker nothing is sent: the record would name people whom nobody told."""
    one_incident.write("policy.yaml", ESCALATES)
    run = apply_plan(workspace(one_incident, LATER), LOCAL)
    assert "escalations:" not in (one_incident.path / "incidents/INC-1/incident.yaml").read_text()
    left = [kept.reason for kept in run.planned.plan.kept if kept.kind == "escalation"]
    assert left == ["not written into the record: with --tracker local nobody is notified"]
    again = plan_changes(workspace(one_incident, LATER), LOCAL)
    assert again.plan.changes == ()


def test_another_plan_than_the_reviewed_one_is_not_carried_out(one_incident: Folder) -> None:
    parts: list[Progress] = []
    with pytest.raises(PlanChanged):
        apply_plan(workspace(one_incident), LOCAL, parts.append, checksum="0" * 64)
    assert parts == []
    assert not one_incident.tracker.exists()


def test_nothing_is_applied_on_a_pull_request(one_incident: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_EVENT_NAME", "pull_request_target")
    with pytest.raises(UserError, match="pull request"):
        apply_plan(workspace(one_incident), LOCAL)
    assert not one_incident.tracker.exists()


def test_notify_returns_what_became_of_each_notice(one_incident: Folder) -> None:
    result = notify_people(workspace(one_incident), None, NotifyOptions("declared", ("slack",), dry_run=True))
    assert result.incident == "INC-1"
    assert {notice.outcome for notice in result.delivered} == {NOT_READY}
    assert {notice.planned.message.channel for notice in result.delivered} == {"slack"}
    assert len(result.ledger_errors) == 1  # the clone has no remote, so it has no ledger


def test_sla_check_returns_clocks_and_what_is_due(one_incident: Folder) -> None:
    status = check_clocks(workspace(one_incident, LATER))
    assert {row.incident for row in status.clocks.statuses} == {"INC-1"}
    assert status.due.at == workspace(one_incident, LATER).now
    with_tracker = check_clocks(workspace(one_incident, LATER), SlaOptions(tracker="local"))
    assert with_tracker.due.obligations == status.due.obligations
