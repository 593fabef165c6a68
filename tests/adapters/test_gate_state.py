"""gate.json on its branch, against a real git remote, and over HTTP against a real server."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from incident_ops.adapters.git_branches import GATE_BRANCH, fetch, publish_gate, read_branch, scratch_clone
from incident_ops.adapters.http import MOST_BYTES
from incident_ops.errors import Incomplete, UserError, WriteFailed
from tests.support.origin import Origin, remote_of
from tests.support.scripted_server import CUT, DROP, HANG, Reply, ScriptedServer

NOW = datetime(2025, 1, 22, 13, tzinfo=UTC)
pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])


def test_it_only_moves_forward_and_is_read_with_head(origin: Origin, tmp_path: Path) -> None:
    """Each publication follows the one before, as a rule that protects the branch asks; main is not touched."""
    origin.bare.git("config", "receive.denyNonFastForwards", "true")
    origin.bare.git("config", "receive.denyDeletes", "true")
    remote = remote_of(origin.clone())
    assert publish_gate(remote, b"one\n", NOW, lambda _: False)
    assert publish_gate(remote, b"two\n", NOW, lambda _: False)
    assert origin.show(GATE_BRANCH, "gate.json") == "two"
    assert origin.bare.git("rev-list", "--count", GATE_BRANCH) == "2"
    assert origin.tip("main") != origin.tip(GATE_BRANCH)
    folder = tmp_path / "scratch"
    folder.mkdir()
    reader = scratch_clone(folder, f"file://{origin.path}", "", "https://github.com")
    found = (b"two\n", origin.tip(GATE_BRANCH), origin.tip("main"), True)
    assert read_branch(reader) == found


def test_a_newer_one_stays(origin: Origin) -> None:
    remote = remote_of(origin.clone())
    publish_gate(remote, b"newer", NOW, lambda _: False)
    seen: list[bytes] = []
    assert not publish_gate(remote, b"older", NOW, lambda theirs: bool(seen.append(theirs)) or True)
    assert seen == [b"newer"]
    assert origin.show(GATE_BRANCH, "gate.json") == "newer"


def test_a_refused_push_is_told(origin: Origin) -> None:
    origin.hook("exit 1")
    with pytest.raises(WriteFailed, match=r"gate\.json was not published"):
        publish_gate(remote_of(origin.clone()), b"one", NOW, lambda _: False)


def test_a_repository_without_it_is_no_answer(origin: Origin) -> None:
    with pytest.raises(Incomplete, match=r"no gate\.json"):
        read_branch(remote_of(origin.clone()))


def test_a_remote_that_is_gone_is_no_answer(origin: Origin, tmp_path: Path) -> None:
    folder = tmp_path / "scratch"
    folder.mkdir()
    with pytest.raises(Incomplete):
        read_branch(scratch_clone(folder, f"file://{tmp_path}/nowhere.git", "", "https://github.com"))


def test_a_whole_answer_is_read(server: ScriptedServer) -> None:
    server.script(Reply(text="{}"))
    assert fetch(f"{server.url}/gate.json") == b"{}"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(404, {}),
        Reply(500, {}),
        Reply(204),
        Reply(302, headers={"Location": "{url}/elsewhere"}),
        Reply(text="{}", fault=DROP),
        Reply(text="{}" * 20, fault=CUT),
        Reply(text="{}", fault=HANG),
        Reply(text="x" * (MOST_BYTES + 1)),
    ],
)
def test_anything_else_is_no_answer(server: ScriptedServer, reply: Reply) -> None:
    """A status, a redirect, a broken line, half an answer, none in time, too much: Incomplete, without the query."""
    server.script(reply)
    with pytest.raises(Incomplete) as caught:
        fetch(f"{server.url}/gate.json?token=secret", 1.0)
    assert "secret" not in str(caught.value)
    assert len(server.asked) == 1


def test_nobody_there_is_no_answer() -> None:
    with pytest.raises(Incomplete, match="cannot be reached"):
        fetch("http://127.0.0.1:9/gate.json", 2.0)


@pytest.mark.parametrize("url", ["http://example.com/gate.json", "ftp://example.com/gate.json", "file:///etc/passwd"])
def test_only_https_is_read(url: str) -> None:
    with pytest.raises(UserError, match="https only"):
        fetch(url)
