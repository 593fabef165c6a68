"""Commits that GitHub makes and signs, or does not."""

from __future__ import annotations

import pytest

from incident_ops.adapters.git_proposals import ChangedFile
from incident_ops.adapters.github.commits import CommitsByGitHub
from incident_ops.errors import Ambiguous, WriteFailed
from tests.adapters.github.building import NAME, tracker
from tests.support.scripted_server import DROP, Reply, ScriptedServer

BASE, TREE, PARENT, COMMIT = ("1" * 40, "2" * 40, "3" * 40, "4" * 40)
FILES = [ChangedFile("a.yaml", "100644", "ä\n".encode()), ChangedFile("b.yaml", "100644", None)]
ROWS = [
    {"path": "a.yaml", "mode": "100644", "type": "blob", "content": "ä\n"},
    {"path": "b.yaml", "mode": "100644", "type": "blob", "sha": None},
]
SIGNED = Reply(201, data={"sha": COMMIT, "verification": {"verified": True, "signature": "-----BEGIN"}})
UNSIGNED = Reply(201, data={"sha": COMMIT, "verification": {"verified": False, "signature": None}})
MADE = Reply(201, data={"sha": TREE})


def commits(server: ScriptedServer) -> CommitsByGitHub:
    found = tracker(server.url, remote=f"git@127.0.0.1:{NAME}.git").commits
    assert found is not None
    return found


def ask(maker: CommitsByGitHub, files: list[ChangedFile] = FILES) -> str:
    return maker.signed(BASE, TREE, files, PARENT, "Write back")


def test_it_names_files_and_parent_and_no_author(server: ScriptedServer) -> None:
    """GitHub signs only what names neither author nor committer."""
    server.script(MADE, SIGNED)
    assert ask(commits(server)) == COMMIT
    assert [one.body for one in server.asked] == [
        {"base_tree": BASE, "tree": ROWS},
        {"message": "Write back", "tree": TREE, "parents": [PARENT]},
    ]


def test_many_files_are_sent_in_parts_that_stand_on_each_other(server: ScriptedServer) -> None:
    files = [ChangedFile(f"{number}.yaml", "100644", b"x") for number in range(250)]
    server.script(Reply(201, data={"sha": "5" * 40}), Reply(201, data={"sha": "6" * 40}), MADE, SIGNED)
    assert ask(commits(server), files) == COMMIT
    assert [(one.body["base_tree"], len(one.body["tree"])) for one in server.asked[:3]] == [
        (BASE, 100),
        ("5" * 40, 100),
        ("6" * 40, 50),
    ]


@pytest.mark.parametrize(
    "replies",
    [[MADE, UNSIGNED], [Reply(403, data={"message": "Resource not accessible by integration"})], [Reply(404)]],
    ids=["a person's token", "no permission", "not visible"],
)
def test_a_token_that_gets_no_signature_is_not_asked_for_again(server: ScriptedServer, replies: list[Reply]) -> None:
    server.script(*replies)
    maker = commits(server)
    assert (ask(maker), ask(maker)) == ("", "")
    assert len(server.asked) == len(replies)


def test_what_got_lost_is_sent_again(server: ScriptedServer) -> None:
    """Nothing refers to what the first request made."""
    server.script(Reply(502), MADE, DROP, SIGNED)
    assert ask(commits(server)) == COMMIT


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        ([Reply(422, data={"message": "tree.sha is not valid"})], WriteFailed),
        ([Reply(201, data={"sha": "7" * 40})], WriteFailed),
        ([Reply(502)] * 5, Ambiguous),
    ],
    ids=["refused", "other files", "lost"],
)
def test_what_failed_is_no_commit_and_is_asked_for_again(
    server: ScriptedServer, replies: list[Reply], error: type[Exception]
) -> None:
    """It does not count as a token for which GitHub does not sign."""
    server.script(*replies, MADE, SIGNED)
    maker = commits(server)
    with pytest.raises(error):
        ask(maker)
    assert ask(maker) == COMMIT


@pytest.mark.parametrize("remote", [None, "git@127.0.0.1:acme/other.git", "file:///srv/records.git"])
def test_elsewhere_git_makes_the_commits(server: ScriptedServer, remote: str | None) -> None:
    assert tracker(server.url, remote=remote).commits is None


AUTHOR, GITHUB, PERSON = {"login": "app[bot]"}, {"login": "web-flow"}, {"login": "mallory"}


@pytest.mark.parametrize(
    ("author", "committer", "verified", "login"),
    [
        (AUTHOR, GITHUB, True, "app[bot]"),
        (AUTHOR, GITHUB, False, ""),
        (AUTHOR, PERSON, True, ""),
        (AUTHOR, None, True, ""),
        (None, GITHUB, True, ""),
        (None, None, False, ""),
    ],
    ids=["github", "not verified", "a person's own key", "nobody's key", "of nobody", "unsigned"],
)
def test_only_what_github_itself_signed_counts(
    server: ScriptedServer, author: object, committer: object, verified: bool, login: str
) -> None:
    """The author of a commit is whatever its committer wrote; only GitHub writes the one who asked it."""
    checked = {"verified": verified, "reason": "valid" if verified else "unsigned"}
    data = {"sha": COMMIT, "author": author, "committer": committer, "commit": {"verification": checked}}
    server.script(Reply(data=data))
    assert commits(server).signed_for(COMMIT).login == login


def test_a_first_commit_has_neither_base_nor_parent(server: ScriptedServer) -> None:
    server.script(MADE, SIGNED)
    assert commits(server).signed("", TREE, FILES[:1], "", "Write") == COMMIT
    assert [one.body for one in server.asked] == [
        {"tree": ROWS[:1]},
        {"message": "Write", "tree": TREE, "parents": []},
    ]
