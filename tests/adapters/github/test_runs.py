"""Whether a run of Actions is over."""

from __future__ import annotations

import pytest

from tests.adapters.github.building import tracker
from tests.support.scripted_server import DROP, Reply, ScriptedServer


@pytest.mark.parametrize(
    ("reply", "over"),
    [
        (Reply(data={"status": "completed", "run_attempt": 1}), True),
        (Reply(data={"status": "in_progress", "run_attempt": 2}), True),
        (Reply(data={"status": "in_progress", "run_attempt": 1}), False),
        (Reply(data={"status": "queued"}), False),
        (Reply(404, {"message": "Not Found"}), False),
        (Reply(403, {"message": "Resource not accessible by integration"}), False),
        (Reply(data=[]), False),
    ],
    ids=["over", "a later attempt", "runs", "waits", "gone", "may not ask", "nonsense"],
)
def test_only_what_github_says_ends_a_run(server: ScriptedServer, reply: Reply, over: bool) -> None:
    """What it does not tell leaves the lock to its time."""
    server.script(reply)
    assert tracker(server.url).runs.is_over("77/1") is over
    assert server.asked[0].path.endswith("/actions/runs/77")


def test_a_server_that_does_not_answer_tells_nothing(server: ScriptedServer) -> None:
    """A read is tried again, then given up."""
    server.script(*[Reply(fault=DROP)] * 8)
    assert tracker(server.url).runs.is_over("77/1") is False


@pytest.mark.parametrize("run", ["", "x", "7", "7/", "../7/1", "7/1/2", "7/x"])
def test_what_is_no_run_is_not_asked_about(server: ScriptedServer, run: str) -> None:
    """The word stands on a branch that others may write to."""
    assert tracker(server.url).runs.is_over(run) is False
    assert server.asked == []
