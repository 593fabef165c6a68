"""Notices as comments on the tracking issue of a real tracker's client, in front of a scripted server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from incident_ops.adapters.github import client
from incident_ops.adapters.notifiers.issue_comment import TICKET, IssueComment
from incident_ops.errors import WriteFailed
from tests.adapters.github.building import BOT, tracker
from tests.support.memory_tracker import MemoryTracker
from tests.support.notifier_scene import BREAKS_OFF, GONE, HANGS, MESSAGE, REFUSES, TAKES, Scene, settings
from tests.support.scripted_server import DROP, HANG, Reply, scripted_server

SECRET = "ghp_hunter2"
NOTICE = MESSAGE._replace(channel=TICKET)
INSTALLATION = Reply(403, {"message": "Resource not accessible by integration"})
ENDS = {
    TAKES: Reply(201, {"id": 1, "body": "x", "user": {"login": BOT}}),
    REFUSES: Reply(422, {"message": "Validation Failed"}),
    HANGS: Reply(fault=HANG),
    BREAKS_OFF: Reply(fault=DROP),
}


@contextmanager
def scene(behaviour: str) -> Iterator[Scene]:
    """The comments of issue 7: none yet, whose the token is, then the comment; see `test_registry`."""
    with scripted_server() as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "TIMEOUT_SECONDS", 1)
        if behaviour != GONE:
            server.script(Reply(data=[]), INSTALLATION, ENDS[behaviour], Reply(data=[]))
        issues = tracker(server.url, token=SECRET)
        if behaviour == GONE:
            issues = tracker("http://127.0.0.1:1", token=SECRET)
        made = settings(TICKET, tracker=lambda: issues, issues={"INC-1": 7})

        def arrived() -> int:
            return len([line for line in server.lines if line.startswith("POST")])

        yield Scene(IssueComment(issues, {"INC-1": 7}, str), NOTICE, SECRET, arrived, made)


def test_a_notice_as_a_comment_is_one_comment() -> None:
    """Sent twice after a crash it stands there once; without an issue it is told; the text is made inert."""
    memory = MemoryTracker()
    number = memory.open_by("github-actions[bot]", "t", "b", ["incident"])
    notifier = IssueComment(memory, {"INC-1": number}, lambda text: text.replace("@", "&#64;"))
    for _ in range(2):
        notifier.send(NOTICE._replace(subject="INC-1: t - a", text="a\nhi @all\nbye", obligation="INC-1/x"))
    assert list(memory.comments[number].values()) == ["**a**\n\nhi &#64;all\nbye"], "the title stands above it"
    notifier.send(NOTICE._replace(key="k", subject="INC-1", text=""))
    assert list(memory.comments[number].values())[1] == "**INC-1**", "a restricted incident says no more"
    notifier.send(NOTICE._replace(key="hand", subject="INC-1: t (news)", text="It works", obligation=""))
    assert list(memory.comments[number].values())[2] == "**INC-1: t (news)**\n\nIt works", "a person sent it"
    with pytest.raises(WriteFailed, match="no tracking issue yet"):
        notifier.send(NOTICE._replace(incident="INC-2"))
