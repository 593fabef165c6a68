"""Workflows switched on and off, started, and their runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incident_ops.adapters.github.workflows import GitHubWorkflows
from incident_ops.domain.ports import WorkflowRun
from incident_ops.errors import Ambiguous, Incomplete, UserError, WriteFailed
from tests.adapters.github.building import NAME
from tests.support.scripted_server import CUT, DROP, Reply, ScriptedServer
from tests.support.standin import Standin

PLACE = f"/repos/{NAME}/actions/workflows/tick.yml"
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def workflows(server: ScriptedServer) -> GitHubWorkflows:
    there = {"GITHUB_API_URL": server.url, "GITHUB_TOKEN": "ghs_test", "GITHUB_REPOSITORY": NAME}
    return GitHubWorkflows.of(there, None, sleep=lambda _: None)


def run(number: int, began: str, **changes: Any) -> dict[str, Any]:
    times = {"created_at": began, "run_started_at": began, "updated_at": "2026-11-30T13:00:00Z"}
    return {"id": number, "status": "completed", "conclusion": "success", **times, **changes}


def runs(*listed: dict[str, Any], **more: Any) -> Reply:
    return Reply(data={"total_count": len(listed), "workflow_runs": list(listed)}, **more)


def test_the_stand_in_for_github_is_spoken_with(github: Standin) -> None:
    """The whole of it, as the API describes it; more runs than a page has."""
    repository = github.new_repository()
    github.list_workflows(repository, tick_yml="disabled_inactivity", sla_yml="active")
    control = GitHubWorkflows.of(github.environment(repository), None, sleep=lambda _: None)
    assert control.states() == {"tick.yml": "disabled_inactivity", "sla.yml": "active"}
    control.enable("tick.yml")
    assert control.state("tick.yml") == "active"
    control.dispatch("tick.yml", "main", {"why": "test"})
    assert [(one["file"], one["inputs"]) for one in github.dispatches(repository)] == [("tick.yml", {"why": "test"})]
    assert [(one.status, one.is_over) for one in control.runs("tick.yml")] == [("queued", False)]
    control.disable("tick.yml")
    assert (control.state("tick.yml"), control.state("none.yml")) == ("disabled_manually", "")
    with pytest.raises(WriteFailed, match="disabled"):
        control.dispatch("tick.yml", "main", {})
    began = [f"2026-11-30T{hour:02}:{minute:02}:00Z" for hour in (11, 12) for minute in range(60)]
    github.set_runs(repository, "sla.yml", *({"created_at": one, "status": "completed"} for one in began))
    assert len(control.runs("sla.yml")) == 100
    assert len(control.runs("sla.yml", NOON - timedelta(hours=1))) == 120
    assert len(control.runs("sla.yml", NOON)) == 60


def test_its_state_is_what_github_says(server: ScriptedServer) -> None:
    server.script(Reply(data={"id": 1, "state": "disabled_inactivity", "path": ".github/workflows/tick.yml"}))
    assert workflows(server).state("tick.yml") == "disabled_inactivity"
    assert server.lines == [f"GET {PLACE}"]


def test_one_that_is_not_there_has_no_state_and_no_runs(server: ScriptedServer) -> None:
    gone = Reply(404, {"message": "Not Found"})
    server.script(gone, gone, gone)
    assert workflows(server).state("tick.yml") == ""
    assert workflows(server).runs("tick.yml") == ()


def test_all_are_listed_by_their_files(server: ScriptedServer) -> None:
    listed = [{"state": "active", "path": ".github/workflows/sla.yml"}, {"state": "deleted", "path": "x/y/old.yml"}]
    server.script(Reply(data={"total_count": 2, "workflows": listed}))
    assert workflows(server).states() == {"sla.yml": "active", "old.yml": "deleted"}


def test_it_is_switched_and_started(server: ScriptedServer) -> None:
    server.script(Reply(204), Reply(204), Reply(204), Reply(200, {"workflow_run_id": 1}))
    control = workflows(server)
    control.enable("tick.yml")
    control.disable("tick.yml")
    control.dispatch("tick.yml", "main", {"why": "handover"})
    control.dispatch("tick.yml", "main", {})
    started = f"POST {PLACE}/dispatches"
    assert server.lines == [f"PUT {PLACE}/enable", f"PUT {PLACE}/disable", started, started]
    assert server.asked[2].body == {"ref": "main", "inputs": {"why": "handover"}}


@pytest.mark.parametrize("headers", [{}, {"x-accepted-github-permissions": "actions=write"}])
@pytest.mark.parametrize(
    "change",
    [
        lambda control: control.enable("tick.yml"),
        lambda control: control.disable("tick.yml"),
        lambda control: control.dispatch("tick.yml", "main", {}),
    ],
)
def test_a_missing_permission_is_named(
    server: ScriptedServer, change: Callable[[GitHubWorkflows], None], headers: dict[str, str]
) -> None:
    server.script(Reply(403, {"message": "Resource not accessible by integration"}, headers))
    with pytest.raises(WriteFailed) as error:
        change(workflows(server))
    assert "actions: write" in error.value.hint.replace("=", ": ")
    assert error.value.is_final


@pytest.mark.parametrize("read", [lambda one: one.state("tick.yml"), lambda one: one.runs("tick.yml")])
def test_a_missing_permission_to_read_is_named(
    server: ScriptedServer, read: Callable[[GitHubWorkflows], object]
) -> None:
    server.script(*[Reply(403, {"message": "Resource not accessible by integration"})] * 2)
    with pytest.raises(Incomplete) as error:
        read(workflows(server))
    assert "actions: read" in error.value.hint


def test_one_without_the_trigger_is_not_started(server: ScriptedServer) -> None:
    server.script(Reply(422, {"message": "Workflow does not have 'workflow_dispatch' trigger"}))
    with pytest.raises(WriteFailed, match="workflow_dispatch"):
        workflows(server).dispatch("tick.yml", "main", {})


def test_a_start_whose_answer_is_lost_is_not_sent_again(server: ScriptedServer) -> None:
    """Two would ring."""
    server.script(Reply(502), Reply(204))
    with pytest.raises(Ambiguous):
        workflows(server).dispatch("tick.yml", "main", {})
    assert len(server.asked) == 1


def test_its_runs_come_newest_first(server: ScriptedServer) -> None:
    server.script(
        runs(
            run(3, "2026-11-30T12:20:00Z", status="in_progress", conclusion=None),
            run(1, "2026-11-30T12:30:00Z", conclusion="failure"),  # run again: later than its number tells
            run(2, "2026-11-30T11:00:00Z"),
        )
    )
    assert list(workflows(server).runs("tick.yml")) == [
        WorkflowRun(1, "completed", "failure", NOON.replace(minute=30), NOON.replace(hour=13)),
        WorkflowRun(3, "in_progress", "", NOON.replace(minute=20), None),
        WorkflowRun(2, "completed", "success", NOON.replace(hour=11), NOON.replace(hour=13)),
    ]
    assert server.asked[0].path == f"{PLACE}/runs?per_page=100"


def test_the_runs_since_an_instant_are_complete(server: ScriptedServer) -> None:
    """Every page; one created before and run again since is among them, one that began before is not."""
    following = {"link": f'<{{url}}{PLACE}/runs?page=2>; rel="next"'}
    again = run(7, "2026-11-30T12:05:00Z", created_at="2026-11-30T08:00:00Z")
    server.script(runs(run(9, "2026-11-30T12:10:00Z"), headers=following), runs(again, run(6, "2026-11-30T11:59:59Z")))
    assert [one.id for one in workflows(server).runs("tick.yml", NOON)] == [9, 7]
    assert "created=%3E%3D2026-11-29T12%3A00%3A00Z" in server.asked[0].path


def test_more_runs_than_github_lists_are_not_called_complete(server: ScriptedServer) -> None:
    server.script(runs(*(run(n, "2026-11-30T12:10:00Z") for n in range(1000))))
    with pytest.raises(Incomplete, match="1000"):
        workflows(server).runs("tick.yml", NOON)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500, {"message": "oops"}),
        Reply(data=[]),
        Reply(data={"workflow_runs": [{"id": "one"}]}),
        Reply(text="<html>"),
        Reply(data={}, fault=DROP),
        runs(run(1, "2026-11-30T12:00:00Z"), fault=CUT),
    ],
)
def test_what_cannot_be_read_is_no_answer(server: ScriptedServer, reply: Reply) -> None:
    server.script(*[reply] * 10)
    with pytest.raises(Incomplete):
        workflows(server).runs("tick.yml", NOON)


def test_without_a_token_nothing_is_asked() -> None:
    with pytest.raises(UserError, match="token"):
        GitHubWorkflows.of({"GITHUB_REPOSITORY": NAME}, None)
