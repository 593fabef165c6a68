"""`--send` on the record commands, and `incident-ops send`: from a work tree to a branch of the remote, nothing else.

The remote is a bare repository, and for most of these tests there is no GitHub.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from incident_ops.adapters.git_outgoing import OutgoingBranches
from incident_ops.adapters.git_remote import Remote
from incident_ops.app import send as sending
from incident_ops.cli.main import COMMANDS, cli
from tests.cli.scene import Done, Folder, call, command, record

AT = "2025-01-26T14:00:00Z"
ID = "INC-20250126-140000"
DECLARE = f"incident-ops/declare/{ID}"
EDIT = "incident-ops/edit/INC-1"
WORDS = ("declare", "Login fails", "-s", "api", "--severity", "SEV1", "--by", "@alice", "--send")
PATH = "incidents/INC-1/incident.yaml"


class Team:
    """A bare repository as origin, in which `INC-1` is merged, and the clones of people."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bare = folder / "origin.git"
        seed = Folder(folder / "seed")
        seed.put("INC-1")
        seed.write("notes.txt", "one\n")
        seed.commit()
        seed.git("clone", "-q", "--bare", str(seed.path), str(self.bare))
        self.seed = seed
        seed.git("remote", "add", "origin", self.bare.as_uri())

    def clone(self, name: str = "alice", *options: str) -> Folder:
        """A person's clone."""
        self.seed.git("clone", "-q", *options, self.bare.as_uri(), str(self.folder / name))
        made = Folder.__new__(Folder)
        made.path, made.has_git = self.folder / name, True
        return made

    def git(self, *words: str) -> str:
        """Git in the bare repository."""
        done = subprocess.run(["git", "-C", str(self.bare), *words], capture_output=True, text=True, check=True)
        return done.stdout

    def tip(self, branch: str) -> str:
        """The commit of a branch of the remote, "" where it has none."""
        return self.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}").strip()

    def changed(self, branch: str) -> list[str]:
        """The files that differ between main and a branch."""
        return self.git("diff", "--name-only", f"main...{branch}").split()

    def record(self, branch: str, name: str = "INC-1") -> dict[str, Any]:
        """A record on a branch of the remote."""
        return dict(yaml.safe_load(self.git("show", f"{branch}:incidents/{name}/incident.yaml")))

    def hook(self, text: str) -> None:
        """What the remote does with a push."""
        hook = self.bare / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\n{text}\n")
        hook.chmod(0o755)

    def merge(self, branch: str, how: str = "--no-ff") -> None:
        """A person merges a branch into main, on the remote."""
        self.seed.git("fetch", "-q", "origin", "main", branch)
        self.seed.git("reset", "-q", "--hard", "origin/main")
        self.seed.git("merge", "-q", how, f"origin/{branch}", *(["-m", "merged"] if how == "--no-ff" else []))
        if how == "--squash":
            self.seed.git("commit", "-q", "-m", "squashed")
        self.seed.git("push", "-q", "origin", "HEAD:main")

    def away(self) -> None:
        """The remote cannot be reached."""
        self.bare.rename(self.folder / "away.git")

    def back(self) -> None:
        """It can again."""
        (self.folder / "away.git").rename(self.bare)


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path)


def send(place: Folder, *words: str, code: int = 0, **variables: str) -> Done:
    done = call(*words, at=place.path, clock=AT, **variables)
    assert done.code == code, done
    return done


def texts(place: Folder) -> list[str]:
    """What the timeline of INC-1 in the work tree says."""
    return [entry["event"] for entry in yaml.safe_load((place.path / PATH).read_text()).get("timeline", [])]


def said(team: Team, branch: str = EDIT) -> list[str]:
    """What the timeline of INC-1 on a branch says."""
    return [entry["event"] for entry in team.record(branch).get("timeline", [])]


def test_where_there_are_no_pull_requests_the_next_line_merges_it(team: Team) -> None:
    """A line of its own that can be copied; none where git could not push it, since main has moved on."""
    alice = team.clone()
    line = f"git push origin {DECLARE}:main"
    told = send(alice, *WORDS).out.splitlines()
    at = told.index(f"  next: merge branch {DECLARE} into main")
    assert told[at + 1] == f"  with git: {line}"
    alice.git(*line.split()[1:])
    assert team.record("main", ID)["title"] == "Login fails"
    assert "git push" not in send(alice, "send", ID).out
    bob = team.clone("bob")
    bob.write("notes.txt", "two\n")
    bob.commit()
    bob.git("push", "-q", "origin", "HEAD:main")
    told = send(alice, "timeline", "One", "INC-1", "--by", "@alice", "--send").out.splitlines()
    assert f"  with git: git push origin {EDIT}:main" in told
    bob.write("notes.txt", "three\n")
    bob.commit()
    bob.git("push", "-q", "origin", "HEAD:main")
    again = send(alice, "timeline", "Two", "INC-1", "--by", "@alice", "--send")
    assert f"next: merge branch {EDIT} into main\n" in again.out
    assert "git push" not in again.out


@pytest.mark.slow
def test_the_merge_is_taken_into_the_clone_by_the_line_that_is_printed(team: Team) -> None:
    """`git pull` alone refuses: the file that was sent is in the work tree. So of an edit, and once nothing is left."""
    alice = team.clone()
    told = send(alice, *WORDS).out.splitlines()
    line = f"git fetch && git checkout origin/main -- incidents/{ID} && git pull"
    assert f"  once it is merged: {line}" in told
    alice.git("push", "-q", "origin", f"{DECLARE}:main")
    refused = subprocess.run(["git", "pull"], cwd=alice.path, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert f"  to take it into this clone: {line}" in send(alice, "send", ID).out.splitlines()
    subprocess.run(["sh", "-c", line], cwd=alice.path, capture_output=True, check=True)
    assert alice.git("status", "--porcelain") == ""
    assert alice.git("log", "-1", "--format=%s") == f"{ID}: declared, SEV1\n"
    assert "git pull" not in send(alice, "send", ID).out
    told = send(alice, "timeline", "One", ID, "--by", "@alice", "--send").out.splitlines()
    assert f"  once it is merged: {line}" in told


def test_declare_send_pushes_the_record_alone_on_a_branch_of_its_own(team: Team) -> None:
    alice = team.clone()
    done = send(alice, *WORDS)
    assert team.record(DECLARE, ID)["title"] == "Login fails"
    assert team.changed(DECLARE) == [f"incidents/{ID}/incident.yaml"]
    made = team.git("log", "-1", "--format=%an <%ae>, %cn: %s", DECLARE)
    assert made == f"tester <tester@example.invalid>, tester: {ID}: declared, SEV1\n"
    assert f"pushed: branch {DECLARE}" in done.out
    assert "nobody has been notified yet" in done.out
    assert "git add" not in done.out


def test_the_checkout_stays_as_it_was(team: Team) -> None:
    """Branch, index, other changed files: the same; the record's file is as the command wrote it."""
    alice = team.clone()
    alice.git("switch", "-q", "-c", "my-work")
    alice.write("notes.txt", "two\n")
    alice.git("add", "notes.txt")
    alice.write("notes.txt", "three\n")
    alice.write("new.txt", "untracked\n")
    index = (alice.path / ".git/index").read_bytes()
    head = alice.git("rev-parse", "HEAD")
    send(alice, "timeline", "Rolled back", "INC-1", "--by", "@alice", "--send")
    assert (alice.path / ".git/index").read_bytes() == index
    assert alice.git("symbolic-ref", "HEAD") == "refs/heads/my-work\n"
    assert alice.git("rev-parse", "HEAD") == head
    assert alice.git("status", "--porcelain").splitlines() == [f" M {PATH}", "MM notes.txt", "?? new.txt"]
    assert team.changed(EDIT) == [PATH]
    assert texts(alice) == said(team) == ["Rolled back"]


def _taken(team: Team, branch: str, name: str) -> Folder:
    """The clone of somebody who takes over an incident that is sent and not merged, as the page says."""
    bob = team.clone("bob")
    bob.git("checkout", "-q", f"origin/{branch}", "--", f"incidents/{name}")
    return bob


def test_who_takes_over_an_edit_can_take_back_what_is_in_it(team: Team) -> None:
    send(team.clone(), "edit", "INC-1", "--tag=+fromd", "--tag=+fromb", "--by", "@alice", "--send")
    bob = _taken(team, EDIT, "INC-1")
    send(bob, "edit", "INC-1", "--tag=-fromd", "--tag=+fay", "--by", "@bob", "--send")
    assert sorted(team.record(EDIT)["tags"]) == ["fay", "fromb"]
    send(bob, "edit", "INC-1", "--tag=-fromb", "--by", "@bob", "--send")
    assert team.record(EDIT)["tags"] == ["fay"]


def test_who_takes_over_an_edit_can_take_back_by_several_edits(team: Team) -> None:
    """Sent at the end, with an undo between; the branch has moved on meanwhile."""
    alice = team.clone()
    send(alice, "edit", "INC-1", "--tag=+fromd", "--tag=+fromb", "--by", "@alice", "--send")
    bob = _taken(team, EDIT, "INC-1")
    send(bob, "edit", "INC-1", "--tag=-fromd", "--by", "@bob")
    send(bob, "edit", "INC-1", "--tag=+oops", "--by", "@bob")
    send(bob, "undo", "INC-1")
    send(bob, "edit", "INC-1", "--tag=+fay", "--by", "@bob")
    send(alice, "timeline", "Meanwhile", "INC-1", "--by", "@alice", "--send")
    send(bob, "timeline", "Of bob", "INC-1", "--by", "@bob")
    send(bob, "send")
    assert sorted(team.record(EDIT)["tags"]) == ["fay", "fromb"]
    assert sorted(said(team)) == ["Meanwhile", "Of bob"]


@pytest.mark.slow
def test_what_was_added_and_taken_away_again_is_not_kept_by_what_others_sent(team: Team) -> None:
    alice, bob = team.clone(), team.clone("bob")
    send(alice, "edit", "INC-1", "--tag=+one", "--by", "@alice", "--send")
    send(bob, "timeline", "Of bob", "INC-1", "--by", "@bob", "--send")
    send(alice, "edit", "INC-1", "--tag=+two", "--by", "@alice", "--send")
    send(alice, "edit", "INC-1", "--tag=-one", "--by", "@alice")
    send(alice, "edit", "INC-1", "--tag=-two", "--tag=+three", "--by", "@alice")
    send(alice, "send")
    assert team.record(EDIT)["tags"] == ["three"]
    assert said(team) == ["Of bob"]


@pytest.mark.slow
def test_an_undo_before_another_edit_is_taken_back_too(team: Team) -> None:
    alice, bob = team.clone(), team.clone("bob")
    send(alice, "edit", "INC-1", "--tag=+one", "--by", "@alice", "--send")
    send(bob, "timeline", "Of bob", "INC-1", "--by", "@bob", "--send")
    send(alice, "undo", "INC-1")
    send(alice, "edit", "INC-1", "--tag=+two", "--by", "@alice", "--send")
    assert team.record(EDIT)["tags"] == ["two"]
    assert said(team) == ["Of bob"]


def message(team: Team, branch: str = EDIT) -> str:
    """The message of the last commit of a branch."""
    return team.git("log", "-1", "--format=%B", branch).strip()


@pytest.mark.slow
def test_a_commit_of_several_edits_names_all_of_them(team: Team) -> None:
    """Newest first; what was undone before it was sent is not in it."""
    alice = team.clone()
    send(alice, "ack", "INC-1", "--by", "@alice")
    send(alice, "edit", "INC-1", "--tag=+one", "--by", "@alice")
    send(alice, "edit", "INC-1", "--tag=+oops", "--by", "@alice")
    send(alice, "undo", "INC-1")
    send(alice, "edit", "INC-1", "--title", "Logins fail", "--by", "@alice", "--send")
    lines = message(team).replace("\u200b", "").split("\n")
    assert lines[0] == "INC-1: title: Logins fail (was: Login fails), and 2 more", lines
    assert lines[1:] == [
        "",
        "- title: Logins fail (was: Login fails)",
        "- tags: one (one added)",
        "- acknowledged by @alice (new -> triaged -> assigned -> in progress)",
    ]
    send(alice, "edit", "INC-1", "--tag=-one", "--by", "@alice", "--send")
    assert message(team).startswith("INC-1: tags: ")
    assert "\n" not in message(team)


def test_a_commit_of_a_declaration_names_the_edits_before_it_was_sent(team: Team) -> None:
    alice = team.clone()
    send(alice, *(word for word in WORDS if word != "--send"))
    send(alice, "edit", ID, "--tag=+one", "--by", "@alice", "--send")
    lines = message(team, DECLARE).split("\n")
    assert lines == [f"{ID}: declared, SEV1, and 1 more", "", "- tags: one (one added)", "- declared, SEV1"]


@pytest.mark.slow
def test_a_commit_names_what_was_undone_and_what_was_done_by_hand(team: Team) -> None:
    alice = team.clone()
    send(alice, "timeline", "Rolled back", "INC-1", "--by", "@alice", "--send")
    send(alice, "undo", "INC-1")
    send(alice, "send")
    assert message(team) == "INC-1: undone: timeline: Rolled back (note)"
    send(alice, "edit", "INC-1", "--tag=+one", "--by", "@alice")
    text = (alice.path / PATH).read_text()
    alice.write(PATH, text.replace("title: Login fails", "title: By hand"))
    send(alice, "edit", "INC-1", "--tag=+two", "--by", "@alice", "--send")
    assert team.record(EDIT)["title"] == "By hand"
    lines = message(team).split("\n")
    assert [line for line in lines if "one added" in line]
    assert [line for line in lines if "two added" in line]
    assert "- edited by hand" in lines


@pytest.mark.slow
def test_who_takes_over_a_declaration_goes_on_with_it(team: Team) -> None:
    send(team.clone(), *WORDS)
    bob = _taken(team, DECLARE, ID)
    send(bob, "timeline", "Of bob", ID, "--by", "@bob", "--send")
    send(bob, "timeline", "More", ID, "--by", "@bob", "--send")
    assert {"Of bob", "More"} <= {entry["event"] for entry in team.record(DECLARE, ID)["timeline"]}


def test_the_second_edit_is_one_more_commit_on_the_branch(team: Team) -> None:
    alice = team.clone()
    send(alice, "timeline", "One", "INC-1", "--by", "@alice", "--send")
    first = team.tip(EDIT)
    send(alice, "ack", "INC-1", "--by", "@alice", "--send")
    assert team.git("rev-list", f"main..{EDIT}").split()[1:] == [first]
    assert team.record(EDIT)["state"] == "in_progress"
    assert said(team)[0] == "One"


def test_an_edit_of_a_declaration_that_is_not_merged_goes_on_its_branch(team: Team) -> None:
    alice = team.clone()
    send(alice, *WORDS)
    send(alice, "ack", ID, "--by", "@alice", "--send")
    assert team.record(DECLARE, ID)["state"] == "in_progress"
    assert team.tip(f"incident-ops/edit/{ID}") == ""


@pytest.mark.slow
def test_two_people_at_once_lose_nothing(team: Team) -> None:
    """Both began from the same record; the branch holds what both did, and the next edit of each takes nothing away."""
    alice, bob = team.clone(), team.clone("bob")
    send(alice, "timeline", "Of alice", "INC-1", "--by", "@alice", "--send")
    told = send(bob, "timeline", "Of bob", "INC-1", "--by", "@bob", "--send")
    assert sorted(said(team)) == ["Of alice", "Of bob"]
    assert "others" in told.out
    assert texts(bob) == ["Of bob"]
    send(alice, "timeline", "Alice again", "INC-1", "--by", "@alice", "--send")
    send(bob, "timeline", "Bob again", "INC-1", "--by", "@bob", "--send")
    assert sorted(said(team)) == ["Alice again", "Bob again", "Of alice", "Of bob"]


@pytest.mark.slow
def test_after_the_merge_the_record_is_taken_in_as_the_page_says(team: Team) -> None:
    """It is another one than in the work tree, for others' entries are in it; a new one is not even tracked."""
    alice, bob = team.clone(), team.clone("bob")
    send(alice, "timeline", "Of alice", "INC-1", "--by", "@alice", "--send")
    send(bob, "timeline", "Of bob", "INC-1", "--by", "@bob", "--send")
    send(bob, *WORDS)
    team.merge(EDIT)
    team.merge(DECLARE, "--squash")
    for name in ("INC-1", ID):
        bob.git("fetch", "-q")
        bob.git("checkout", "-q", "origin/main", "--", f"incidents/{name}")
    bob.git("pull", "-q", "--ff-only")
    assert bob.git("status", "--porcelain") == ""
    assert sorted(texts(bob)) == ["Of alice", "Of bob"]
    assert "nothing waits" in send(bob, "send").out
    send(bob, "timeline", "More", "INC-1", "--by", "@bob", "--send")
    assert sorted(said(team)) == ["More", "Of alice", "Of bob"]


@pytest.mark.slow
def test_what_is_taken_from_a_sent_branch_does_not_wait(team: Team) -> None:
    """Whoever takes over an incident as the page says has nothing to send yet; `send` by name pushes nothing."""
    alice = team.clone()
    send(alice, *WORDS)
    send(alice, "timeline", "Of alice", "INC-1", "--by", "@alice", "--send")
    bob = _taken(team, EDIT, "INC-1")
    bob.git("checkout", "-q", f"origin/{DECLARE}", "--", f"incidents/{ID}")
    assert send(bob, "send", "--dry-run").out == "nothing waits to be sent\n"
    assert send(bob, "send").out == "nothing waits to be sent\n"
    assert f"nothing new to push: branch {EDIT}" in send(bob, "send", "INC-1").out
    send(bob, "timeline", "Of bob", "INC-1", "--by", "@bob")
    assert send(bob, "send", "--dry-run").out.startswith("INC-1: ")
    send(bob, "send")
    assert sorted(said(team)) == ["Of alice", "Of bob"]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["--no-ff", "--squash"])
@pytest.mark.parametrize("is_last", [True, False])
def test_a_dry_run_names_nothing_that_the_merge_brought(team: Team, how: str, is_last: bool) -> None:
    """Taken from origin/main and not pulled yet: it is another text than was sent, and main has it."""
    alice, bob = team.clone(), team.clone("bob")
    send(alice, "timeline", "Of alice", "INC-1", "--by", "@alice", "--send")
    send(bob, "timeline", "Of bob", "INC-1", "--by", "@bob", "--send")
    if not is_last:
        send(alice, "timeline", "Alice again", "INC-1", "--by", "@alice", "--send")
    team.merge(EDIT, how)
    bob.git("fetch", "-q")
    bob.git("checkout", "-q", "origin/main", "--", "incidents/INC-1")
    assert send(bob, "send", "--dry-run").out == "nothing waits to be sent\n"
    assert send(bob, "send").out == "nothing waits to be sent\n"


def test_a_dry_run_names_what_undo_has_to_take_back(team: Team) -> None:
    """The record is then as main has it, too; what was sent still says otherwise."""
    alice = team.clone()
    send(alice, "timeline", "One", "INC-1", "--by", "@alice", "--send")
    send(alice, "undo", "INC-1")
    assert "INC-1: " in send(alice, "send", "--dry-run").out
    send(alice, "send")
    assert said(team) == []


@pytest.mark.parametrize("is_known", [True, False])
def test_other_files_on_the_persons_own_branch_are_not_sent(team: Team, is_known: bool) -> None:
    """Committed on a local branch of that name, even where a later commit removes them; what is the record's goes."""
    alice = team.clone()
    if is_known:
        send(alice, "timeline", "Zero", "INC-1", "--by", "@alice", "--send")
        alice.git("restore", "incidents")
        alice.git("switch", "-q", EDIT)
    else:
        alice.git("switch", "-q", "-c", EDIT)
    alice.write("secret.txt", "a token\n")
    alice.commit()
    alice.git("rm", "-q", "secret.txt")
    alice.write("notes.txt", "mine\n")
    alice.commit()
    alice.git("switch", "-q", "main")
    before = team.tip(EDIT)
    done = send(alice, "timeline", "One", "INC-1", "--by", "@alice", "--send", code=4)
    assert team.tip(EDIT) == before
    told = " ".join(done.err.split())
    assert f"branch {EDIT} of this clone holds other files as well (notes.txt, secret.txt)" in told
    assert f"git branch -m {EDIT} " in told
    alice.git("branch", "-m", EDIT, "mine")
    send(alice, "send")
    assert team.changed(EDIT) == [PATH]
    assert said(team)[-1] == "One"


def test_files_of_the_record_on_the_persons_own_branch_are_sent(team: Team) -> None:
    alice = team.clone()
    alice.git("switch", "-q", "-c", EDIT)
    alice.write("incidents/INC-1/photo.txt", "a picture\n")
    alice.commit()
    alice.git("switch", "-q", "main")
    send(alice, "timeline", "One", "INC-1", "--by", "@alice", "--send")
    assert team.changed(EDIT) == [PATH, "incidents/INC-1/photo.txt"]


def test_a_record_that_was_stashed_once_it_was_sent_takes_nothing_back(team: Team) -> None:
    """Whoever wants a clean checkout after sending loses nothing by the next edit; a field may be changed twice."""
    alice = team.clone()
    send(alice, "timeline", "One", "INC-1", "--by", "@alice", "--send")
    alice.git("stash", "-q")
    send(alice, "edit", "INC-1", "--title", "Two", "--by", "@alice", "--send")
    assert "One" in said(team)
    assert team.record(EDIT)["title"] == "Two"
    send(alice, "edit", "INC-1", "--title", "Three", "--by", "@alice", "--send")
    assert "One" in said(team)
    assert team.record(EDIT)["title"] == "Three"


def test_what_others_committed_on_the_branch_is_kept(team: Team) -> None:
    alice, bob = team.clone(), team.clone("bob")
    send(alice, "timeline", "One", "INC-1", "--by", "@alice", "--send")
    bob.git("fetch", "-q")
    bob.git("switch", "-q", EDIT)
    bob.write("incidents/INC-1/photo.txt", "a picture\n")
    bob.commit()
    bob.git("push", "-q")
    send(alice, "timeline", "Two", "INC-1", "--by", "@alice", "--send")
    assert team.changed(EDIT) == [PATH, "incidents/INC-1/photo.txt"]
    assert said(team) == ["One", "Two"]


def test_offline_the_edit_is_written_and_kept_and_send_goes_on(team: Team) -> None:
    alice = team.clone()
    team.away()
    done = send(alice, *WORDS, code=4)
    assert "next: incident-ops send" in done.out
    assert "not sent" in done.err
    assert "nobody has been notified yet" in done.out
    assert alice.git("rev-parse", "--verify", DECLARE)
    again = send(alice, "ack", ID, "--by", "@alice", "--send", "--format", "json", code=4)
    found = json.loads(again.out)
    assert found["state"] == "in_progress"
    assert found["send"] == {
        "branch": DECLARE,
        "commit": alice.git("rev-parse", DECLARE).strip(),
        "sent": False,
        "pull_request": None,
        "open_at": None,
        "problem": found["send"]["problem"],
    }
    assert "origin" in found["send"]["problem"]
    shown = send(alice, "send", "--dry-run")
    assert DECLARE in shown.out
    send(alice, "send", code=4)
    team.back()
    done = send(alice, "send")
    assert f"pushed: branch {DECLARE}" in done.out
    assert team.record(DECLARE, ID)["state"] == "in_progress"
    assert len(team.git("rev-list", f"main..{DECLARE}").split()) == 2
    assert "nothing waits" in send(alice, "send").out


def test_send_takes_records_that_were_never_committed_and_names_each(team: Team) -> None:
    alice = team.clone()
    send(alice, "timeline", "One", "INC-1", "--by", "@alice")
    send(alice, *(word for word in WORDS if word != "--send"))
    shown = send(alice, "send", "--dry-run")
    assert "INC-1" in shown.out
    assert ID in shown.out
    assert team.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split() == ["main"]
    found = json.loads(send(alice, "send", "--format", "json").out)
    assert [(one["incident"], one["branch"], one["sent"]) for one in found["records"]] == [
        ("INC-1", EDIT, True),
        (ID, DECLARE, True),
    ]
    assert said(team) == ["One"]


def test_send_of_one_incident_leaves_the_others(team: Team) -> None:
    alice = team.clone()
    send(alice, "timeline", "One", "INC-1", "--by", "@alice")
    send(alice, *(word for word in WORDS if word != "--send"))
    send(alice, "send", "INC-1")
    assert team.tip(EDIT)
    assert not team.tip(DECLARE)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["--no-ff", "--squash", "--ff-only"])
@pytest.mark.parametrize("is_deleted", [True, False])
@pytest.mark.parametrize("pulls", [True, False])
def test_after_the_merge_the_next_edit_begins_anew(team: Team, how: str, is_deleted: bool, pulls: bool) -> None:
    """Whatever way it was merged, whether the branch went with it, whether the clone has taken it in."""
    alice = team.clone()
    send(alice, *WORDS)
    send(alice, "timeline", "One", "INC-1", "--by", "@alice", "--send")
    for branch in (DECLARE, EDIT):
        team.merge(branch, how if how != "--ff-only" or branch == DECLARE else "--no-ff")
        if is_deleted:
            team.git("branch", "-D", branch)
    assert "nothing waits" in send(alice, "send").out
    if pulls:
        alice.git("add", "incidents")
        alice.git("pull", "-q", "--ff-only")
        assert alice.git("status", "--porcelain") == ""
        assert "nothing waits" in send(alice, "send").out
    for name, branch in (("INC-1", EDIT), (ID, f"incident-ops/edit/{ID}")):
        send(alice, "ack", name, "--by", "@alice", "--send")
        assert team.record(branch, name)["state"] == "in_progress"
        assert team.changed(branch) == [f"incidents/{name}/incident.yaml"]
        assert team.git("diff", "--numstat", f"main..{branch}").split("\t")[2].strip()
        assert [line for line in team.git("diff", f"main..{branch}").splitlines() if line.startswith("-  ")] == []
    assert said(team)[0] == "One"


def test_a_record_that_main_has_moved_on_with_is_merged(team: Team) -> None:
    """The clone is behind: what main says of the record since is not taken back."""
    alice, bob = team.clone(), team.clone("bob")
    send(bob, "timeline", "Of bob", "INC-1", "--by", "@bob")
    bob.commit()
    bob.git("push", "-q", "origin", "HEAD:main")
    send(alice, "timeline", "Of alice", "INC-1", "--by", "@alice", "--send")
    assert sorted(said(team)) == ["Of alice", "Of bob"]
    assert len(team.git("rev-list", f"main..{EDIT}").split()) == 1


def test_edits_of_two_people_that_cannot_be_joined_are_refused_and_kept(team: Team) -> None:
    alice, bob = team.clone(), team.clone("bob")
    send(bob, "edit", "INC-1", "--title", "Bob's words", "--by", "@bob", "--send")
    done = send(alice, "edit", "INC-1", "--title", "Alice's words", "--by", "@alice", "--send", code=4)
    assert "title" in done.err
    assert team.record(EDIT)["title"] == "Bob's words"
    assert yaml.safe_load((alice.path / PATH).read_text())["title"] == "Alice's words"


def test_a_remote_that_refuses_the_branch_is_told(team: Team) -> None:
    team.hook("echo 'branches of this name are protected' >&2; exit 1")
    alice = team.clone()
    done = send(alice, *WORDS, code=4)
    assert "refused" in done.err
    assert "protected" in done.err
    assert alice.git("rev-parse", "--verify", DECLARE)


@pytest.mark.slow
def test_a_branch_that_stands_in_the_way_is_told(team: Team) -> None:
    """A branch `incident-ops` leaves no room for `incident-ops/declare/...`; here and there."""
    alice = team.clone()
    alice.git("branch", "incident-ops")
    done = send(alice, *WORDS, code=4)
    assert "not sent" in done.err
    assert "Traceback" not in done.err
    alice.git("branch", "-D", "incident-ops")
    team.git("branch", "incident-ops", "main")
    assert "not sent" in send(alice, "send", code=4).out + send(alice, "send", code=4).err
    team.git("branch", "-D", "incident-ops")
    send(alice, "send")
    assert team.tip(DECLARE)


def test_a_branch_that_is_checked_out_is_left_alone(team: Team) -> None:
    alice = team.clone()
    send(alice, "timeline", "One", "INC-1", "--by", "@alice", "--send")
    alice.git("stash", "-q")
    alice.git("switch", "-q", EDIT)
    before = alice.git("rev-parse", "HEAD")
    done = send(alice, "timeline", "Two", "INC-1", "--by", "@alice", "--send", code=4)
    assert "checked out" in done.err
    assert alice.git("rev-parse", "HEAD") == before
    assert texts(alice) == ["One", "Two"]


def test_with_a_detached_head(team: Team) -> None:
    alice = team.clone()
    alice.git("checkout", "-q", "--detach")
    send(alice, "timeline", "One", "INC-1", "--by", "@alice", "--send")
    assert said(team) == ["One"]


def test_in_a_shallow_clone_that_is_behind(team: Team) -> None:
    alice = team.clone("alice", "--depth", "1")
    bob = team.clone("bob")
    send(bob, "timeline", "Of bob", "INC-1", "--by", "@bob")
    bob.commit()
    bob.git("push", "-q", "origin", "HEAD:main")
    send(alice, "timeline", "Of alice", "INC-1", "--by", "@alice", "--send")
    send(alice, "timeline", "More", "INC-1", "--by", "@alice", "--send")
    assert sorted(said(team)) == ["More", "Of alice", "Of bob"]


def test_in_a_clone_that_does_not_know_the_default_branch(team: Team) -> None:
    """No refs/remotes/origin/HEAD: the remote is asked; offline, main is taken."""
    alice = team.clone()
    alice.git("remote", "set-head", "origin", "--delete")
    team.away()
    send(alice, *WORDS, code=4)
    assert alice.git("rev-parse", f"{DECLARE}~1") == alice.git("rev-parse", "main")
    team.back()
    send(alice, "send")
    assert team.changed(DECLARE) == [f"incidents/{ID}/incident.yaml"]


def test_without_git_nothing_is_written_and_without_a_remote_it_is_kept(tmp_path: Path) -> None:
    bare = Folder(tmp_path / "none", git=False)
    call(*WORDS, at=bare.path).told_once(2, "--send", "git")
    assert not (bare.path / "incidents").exists()
    alone = Folder(tmp_path / "alone")
    alone.commit()
    done = send(alone, *WORDS, code=4)
    assert "no remote" in done.err
    assert alone.git("rev-parse", "--verify", DECLARE)
    assert alone.git("status", "--porcelain", "-uall") == f"?? incidents/{ID}/incident.yaml\n"


def _began(tmp_path: Path, *, has_origin: bool = True) -> Folder:
    """A clone with commits, of a remote that has none; without `has_origin`, one that was never reached."""
    begun = Folder(tmp_path / "begun")
    begun.commit()
    if has_origin:
        begun.git("init", "-q", "-b", "main", "--bare", str(tmp_path / "empty.git"))
    begun.git("remote", "add", "origin", (tmp_path / "empty.git").as_uri())
    return begun


def test_before_the_first_push_the_command_for_it_is_named(tmp_path: Path) -> None:
    begun = _began(tmp_path)
    done = send(begun, *WORDS, code=4)
    assert done.err.count("git push -u origin HEAD:main") == 1, done
    assert (begun.path / f"incidents/{ID}/incident.yaml").is_file()
    assert send(begun, "send", code=4).err.count("git push -u origin HEAD:main") == 1
    begun.git("push", "-q", "-u", "origin", "HEAD:main")
    assert f"pushed: branch {DECLARE}" in send(begun, "send").out


def test_records_committed_before_the_first_push_are_not_called_sent(tmp_path: Path) -> None:
    begun = _began(tmp_path)
    begun.put("INC-1")
    begun.commit()
    for form in ("text", "json"):
        done = send(begun, "send", "--format", form, code=4)
        assert "origin has no commit yet (once: git push -u origin HEAD:main)" in " ".join(done.err.split()), done
        assert "nothing waits" not in done.out
    begun.git("push", "-q", "-u", "origin", "HEAD:main")
    assert "nothing waits" in send(begun, "send").out


def test_a_remote_that_was_never_reached_holds_back_no_record(tmp_path: Path) -> None:
    begun = _began(tmp_path, has_origin=False)
    begun.put("INC-1")
    done = send(begun, *WORDS, code=4)
    assert "origin cannot be read" in done.err
    shown = send(begun, "send", code=4)
    assert shown.err.count("origin cannot be read") == 2, shown
    assert begun.git("for-each-ref", "--format=%(refname)", "refs/heads/incident-ops") == ""


def test_an_edit_that_is_refused_sends_nothing(team: Team) -> None:
    alice = team.clone()
    call("close", "INC-1", "--by", "@alice", "--send", at=alice.path).told_once(2)
    assert not team.tip(EDIT)


def test_undo_says_what_stays_sent_and_send_takes_it_back(team: Team) -> None:
    alice = team.clone()
    send(alice, "timeline", "One", "INC-1", "--by", "@alice", "--send")
    done = send(alice, "undo", "INC-1")
    assert EDIT in done.out
    assert "incident-ops send INC-1" in done.out
    send(alice, "send", "INC-1")
    assert "timeline" not in team.record(EDIT)


def test_undo_of_a_declaration_says_that_its_branch_stays(team: Team) -> None:
    alice = team.clone()
    send(alice, *WORDS)
    done = send(alice, "undo", ID)
    assert f"git push origin --delete {DECLARE}" in done.out
    assert "nothing waits" in send(alice, "send").out


def test_a_declaration_that_was_undone_before_it_was_sent_is_not_sent(team: Team) -> None:
    alice = team.clone()
    team.away()
    send(alice, *WORDS, code=4)
    done = send(alice, "undo", ID)
    assert f"git branch -D {DECLARE}" in done.out
    team.back()
    done = send(alice, "send")
    assert not team.tip(DECLARE)
    assert f"git branch -D {DECLARE}" in done.out


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["commit", "push"])
def test_a_kill_loses_nothing(team: Team, moment: str) -> None:
    """Killed while the remote takes the push, before or after it is taken: the next `send` ends the work."""
    alice = team.clone()
    flag = team.folder / "here"
    hook = team.bare / "hooks" / ("pre-receive" if moment == "commit" else "post-receive")
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch '{flag}'\nsleep 20\n")
    hook.chmod(0o755)
    words = command("timeline", "One", "INC-1", "--by", "@alice", "--send", clock=AT)
    running = subprocess.Popen(words, cwd=alice.path, env=dict(os.environ), stdout=subprocess.DEVNULL)
    _until(flag.exists)
    running.send_signal(signal.SIGINT)
    assert running.wait(20) == 130
    hook.unlink()
    assert texts(alice) == ["One"]
    send(alice, "timeline", "Two", "INC-1", "--by", "@alice")
    send(alice, "send")
    assert said(team) == ["One", "Two"]
    assert "nothing waits" in send(alice, "send").out


@pytest.mark.slow
@pytest.mark.parametrize("form", ["text", "json"])
def test_an_interrupt_at_the_push_leaves_the_checkout_and_the_remote_as_they_were(team: Team, form: str) -> None:
    """Ctrl-C while `send` waits for the remote: no branch there, nothing moved here, and `send` again goes on."""
    alice, flag = team.clone(), team.folder / "here"
    alice.write("notes.txt", "two\n")
    alice.git("add", "notes.txt")
    alice.write("notes.txt", "three\n")
    send(alice, "timeline", "One", "INC-1", "--by", "@alice")

    def seen() -> tuple[object, ...]:
        files = [(alice.path / name).read_bytes() for name in (PATH, "notes.txt", ".git/index", ".git/HEAD")]
        return (*files, alice.git("rev-parse", "HEAD"), alice.git("status", "--porcelain"))

    before = seen()
    team.hook(f"touch '{flag}'\nsleep 20")
    words = command("send", "--format", form, clock=AT)
    running = subprocess.Popen(words, cwd=alice.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    _until(flag.exists)
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=20)
    assert running.returncode == 130
    assert "interrupted" in told
    assert "Traceback" not in told
    assert seen() == before
    assert not team.tip(EDIT)
    team.hook("exit 0")
    send(alice, "send")
    assert said(team) == ["One"]
    assert seen() == before


POINTS = {
    "commit": (OutgoingBranches, "commit"),
    "keep": (sending, "keep_state"),
    "move": (OutgoingBranches, "move"),
    "push": (Remote, "push"),
}


@pytest.mark.slow
@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("point", POINTS)
def test_a_kill_between_any_two_steps_loses_nothing(
    team: Team, monkeypatch: pytest.MonkeyPatch, point: str, nth: int, is_done: bool
) -> None:
    """Before or after a step, of the first commit of a branch or the second: nothing is lost, nothing is doubled."""
    alice, bob = team.clone(), team.clone("bob")
    if nth == 2:
        send(alice, "timeline", "Zero", "INC-1", "--by", "@alice", "--send")
    send(bob, "timeline", "Of bob", "INC-1", "--by", "@bob", "--send")
    place, name = POINTS[point]
    real = getattr(place, name)

    def killed(*words: Any, **named: Any) -> Any:
        if is_done:
            real(*words, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(place, name, killed)
        send(alice, "timeline", "One", "INC-1", "--by", "@alice", "--send", code=130)
    send(alice, "timeline", "Two", "INC-1", "--by", "@alice", "--send")
    send(alice, "send")
    assert sorted(said(team)) == sorted([*(["Zero"] if nth == 2 else []), "Of bob", "One", "Two"])
    assert "nothing waits" in send(alice, "send").out


@pytest.mark.slow
def test_two_people_at_the_same_moment(team: Team) -> None:
    """One of them is first on the remote; the other begins again with what is there."""
    places = [team.clone(name) for name in ("alice", "bob", "carol")]
    running = [
        subprocess.Popen(
            command("timeline", f"Of {one.path.name}", "INC-1", "--by", f"@{one.path.name}", "--send", clock=AT),
            cwd=one.path,
            stdout=subprocess.DEVNULL,
        )
        for one in places
    ]
    assert [one.wait(120) for one in running] == [0, 0, 0]
    assert sorted(said(team)) == ["Of alice", "Of bob", "Of carol"]


def _until(there: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not there():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_record_that_is_broken_by_hand_holds_back_no_other(team: Team) -> None:
    alice = team.clone()
    send(alice, *(word for word in WORDS if word != "--send"))
    alice.write(PATH, record("INC-1") + "title: twice\n")
    done = send(alice, "send", code=4)
    assert f"{PATH}:" in done.err
    assert team.tip(DECLARE)
    assert not team.tip(EDIT)


def test_text_of_a_record_cannot_speak_through_the_commit(team: Team) -> None:
    """GitHub reads mentions, numbers and closing words in commit messages, too."""
    alice = team.clone()
    text = "Fixes #7, closes acme/x#8 and GH-9 @bob\nfixes https://github.com/acme/x/issues/1\nCo-authored-by: x"
    send(alice, "timeline", text, "INC-1", "--by", "@alice", "--send")
    message = team.git("log", "-1", "--format=%B", EDIT)
    for live in ("#7", "#8", "GH-9", "@bob", "https://github.com", "\nCo-authored-by"):
        assert live not in message, message


def test_records_below_the_top_of_the_repository(tmp_path: Path) -> None:
    """The folder of records is not the repository: paths and branches are right."""
    top = Folder(tmp_path / "top" / "ops", git=False)
    top.put("INC-1")
    subprocess.run(["git", "-C", str(tmp_path / "top"), "init", "-q", "-b", "main"], check=True)
    top.git("add", "-A")
    top.git("commit", "-q", "-m", "records")
    bare = tmp_path / "origin.git"
    top.git("clone", "-q", "--bare", str(tmp_path / "top"), str(bare))
    top.git("remote", "add", "origin", bare.as_uri())
    send(top, "timeline", "One", "INC-1", "--by", "@alice", "--send")
    done = subprocess.run(
        ["git", "-C", str(bare), "diff", "--name-only", f"main...{EDIT}"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"ops/{PATH}\n"


@pytest.mark.parametrize("is_own", [True, False])
def test_commits_are_signed_where_git_is_set_to_and_never_by_a_program_of_the_clone(
    team: Team, monkeypatch: pytest.MonkeyPatch, is_own: bool
) -> None:
    """`commit.gpgsign` counts; the program that signs is the person's, as `gpg.program` of their own settings says."""
    alice, home, evil = team.clone(), team.folder / "home", team.folder / "evil"
    home.mkdir()
    signer = home / "signer"
    signer.write_text("#!/bin/sh\ncat >/dev/null\necho '[GNUPG:] SIG_CREATED ' >&2\necho '-----BEGIN SIGNED-----'\n")
    signer.chmod(0o755)
    (home / ".gitconfig").write_text(f"[gpg]\n\tprogram = {signer if is_own else '/no/such/program'}\n")
    monkeypatch.setenv("HOME", str(home))
    alice.git("config", "commit.gpgsign", "true")
    alice.git("config", "gpg.program", f"touch {evil};")
    done = send(alice, *WORDS, code=0 if is_own else 4)
    assert not evil.exists()
    if is_own:
        assert "BEGIN SIGNED" in team.git("cat-file", "commit", DECLARE)
        return
    assert "could not be signed" in done.err
    assert "incident-ops send --no-sign" in done.err
    assert not team.tip(DECLARE)
    send(alice, "send", "--no-sign")
    assert "gpgsig" not in team.git("cat-file", "commit", DECLARE)


@pytest.mark.slow
def test_two_commands_at_once_in_one_clone_lose_nothing(team: Team) -> None:
    """Each sends what it wrote; the second waits for the first."""
    alice = team.clone()
    words = [command("timeline", text, "INC-1", "--by", "@alice", "--send", clock=AT) for text in ("One", "Two")]
    running = [subprocess.Popen(one, cwd=alice.path, stdout=subprocess.DEVNULL) for one in words]
    assert [one.wait(60) for one in running] == [0, 0]
    assert sorted(said(team)) == ["One", "Two"]
    assert "nothing waits" in send(alice, "send").out


def test_every_command_that_writes_a_record_takes_send() -> None:
    """Whoever edits a record can send it in the same breath; a command that writes none has no such option."""
    takes = {name for name, found in _commands() if any(param.name == "send" for param in found.params)}
    edits = {
        *("declare", "triage", "ack", "assign", "update", "timeline", "impact", "cause", "edit", "correct", "relate"),
        *("pause", "snooze", "resolve", "close", "reopen", "withdraw", "escalate", "override"),
        *("action add", "action start", "action done", "action drop", "action edit"),
        *("escalations review", "deadline done", "oncall swap", "canary run", "freeze"),
        *("comms draft", "postmortem new", "postmortem edit", "postmortem review", "postmortem final"),
    }
    assert takes == edits


def _commands() -> list[tuple[str, click.Command]]:
    found = []
    for name in COMMANDS:
        one = cli.get_command(click.Context(cli), name)
        if isinstance(one, click.Group):
            found += [(f"{name} {part}", made) for part, made in one.commands.items()]
        elif one is not None:
            found.append((name, one))
    return found


@pytest.mark.parametrize("words", [("triage", "--users", "60", "--send"), ("timeline", "--list", "INC-1", "--send")])
def test_send_without_a_record_to_write_is_refused(team: Team, words: tuple[str, ...]) -> None:
    call(*words, at=team.clone().path).told_once(2, "--send")


@pytest.mark.slow
def test_an_edit_of_what_was_sent_says_that_it_is_not_sent_yet(team: Team) -> None:
    """Whoever forgets --send is told, the first time as well; `show` says it, too, until it is sent or committed."""
    alice, line = team.clone(), "  not sent yet: incident-ops send INC-1\n"
    assert line not in send(alice, "show", "INC-1").out
    assert line in send(alice, "timeline", "One", "INC-1", "--by", "@alice").out
    assert send(alice, "show", "INC-1").out.endswith(f"\n{line}")
    send(alice, "send")
    assert line not in send(alice, "show", "INC-1").out
    assert line in send(alice, "ack", "INC-1", "--by", "@alice").out
    send(alice, "send")
    team.merge(EDIT)
    alice.git("add", "incidents")
    alice.git("pull", "-q")
    assert "not sent" not in send(alice, "show", "INC-1").out
    assert line in send(alice, "timeline", "Two", "INC-1", "--by", "@alice").out
    alice.commit()
    assert "not sent" not in send(alice, "show", "INC-1").out


@pytest.mark.slow
def test_close_sends_what_nobody_verified_with_the_warning_that_it_always_has(team: Team) -> None:
    """As without --send it closes and warns; where it is refused nothing is committed, here or there."""
    alice = team.clone()
    send(alice, "ack", "INC-1", "--by", "@alice")
    call("close", "INC-1", "--by", "@alice", "--send", at=alice.path).told_once(2, "resolve")
    assert alice.git("for-each-ref", "refs/heads/incident-ops") == team.tip(EDIT) == ""
    send(alice, "resolve", "INC-1", "--by", "@alice", "--restored", "now", "--cause", "deploy")
    done = send(alice, "close", "INC-1", "--by", "@alice", "--send")
    assert "nobody verified that the service is restored" in done.err
    assert team.record(EDIT)["state"] == "closed"
    assert "verified" not in str(team.record(EDIT))
    send(alice, "close", "INC-1", "--by", "@alice", "--verified", "--send")
    assert "verified" in str(team.record(EDIT))


@pytest.mark.slow
def test_whoever_has_fetched_a_declaration_is_told_of_it(tmp_path: Path) -> None:
    """Not that nothing is open: it is declared, on a branch that is not merged; and how it is worked on."""
    team = Team(tmp_path)
    team.seed.git("rm", "-q", "-r", "incidents")
    team.seed.git("commit", "-q", "-m", "none")
    team.seed.git("push", "-q", "origin", "HEAD:main")
    send(team.clone(), *WORDS)
    bob = team.clone("bob")
    take = f"git checkout origin/{DECLARE} -- incidents/{ID}"
    waits = f"1 incident is declared on a branch incident-ops/declare/* and waits for a merge: {ID}"
    call("ack", "--by", "@bob", at=bob.path).told_once(2, f"no incident is open on main; {waits}", take)
    call("show", at=bob.path).told_once(2, "no incident is open on main at ", waits, take)
    call("show", ID[-6:], at=bob.path, clock=AT).told_once(2, f"{ID} is declared on branch {DECLARE}", take)
    listed = call("list", at=bob.path, clock=AT)
    assert f"note: {waits}" in listed.err
    assert take in listed.err
    bob.git(*take.split()[1:])
    assert "acknowledged" in send(bob, "ack", "--by", "@bob", "--send").out
    assert "waits" not in send(bob, "list").err
    team.merge(DECLARE)
    carol = team.clone("carol")
    assert "waits" not in send(carol, "list").err
