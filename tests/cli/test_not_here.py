"""What stands in one place only: a record that nobody else has yet, and one that is merged and not in this checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.scene import CLOSED, Folder, call
from tests.cli.test_send import AT, DECLARE, ID, WORDS, Team, send

NOT_SENT = "note: not sent yet, nobody else has it as it is here: {}\n  incident-ops send {}\n"
NOT_PULLED = "1 incident is open on the remote's default branch as last fetched, and is not here yet: INC-2"


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path)


def test_a_list_names_what_was_not_sent(team: Team) -> None:
    """Offline: the declaration waits on its branch of this clone, an edit in the work tree; until both are sent."""
    alice = team.clone()
    assert "not sent" not in send(alice, "list").err
    team.away()
    send(alice, *WORDS, code=4)
    assert NOT_SENT.format(ID, ID) in send(alice, "list").err
    assert send(alice, "show", ID).out.endswith(f"\n  not sent yet: incident-ops send {ID}\n")
    send(alice, "timeline", "One", "INC-1", "--by", "@alice")
    named = f"note: not sent yet, nobody else has them as they are here: INC-1, {ID}\n  incident-ops send\n"
    assert named in send(alice, "list", "--open", "--format", "json").err
    assert named in send(alice, "list", "--overdue").err
    team.back()
    send(alice, "send")
    assert "not sent" not in send(alice, "list").err
    assert "not sent" not in send(alice, "show", ID).out


def test_what_git_pushed_is_sent(team: Team) -> None:
    """Whoever pushes the branch by hand has sent it; a merge that was fetched says so, too."""
    alice = team.clone()
    team.away()
    send(alice, *WORDS, code=4)
    team.back()
    alice.git("push", "-q", "origin", DECLARE)
    assert "not sent" not in send(alice, "list").err
    alice.git("push", "-q", "origin", f"{DECLARE}:main", f":{DECLARE}")
    alice.git("fetch", "-q", "--prune")
    assert "not sent" not in send(alice, "list").err
    assert "not sent" not in send(alice, "show", ID).out


def merged(team: Team, name: str, **lines: str) -> None:
    """Somebody merges a record."""
    team.seed.put(name, **lines)
    team.seed.commit()
    team.seed.git("push", "-q", "origin", "HEAD:main")


@pytest.fixture
def bob(team: Team) -> Folder:
    """His checkout has one closed incident; an open one was merged since, and he has fetched."""
    merged(team, "INC-1", **CLOSED)
    made = team.clone("bob")
    merged(team, "INC-2")
    made.git("fetch", "-q")
    return made


def test_an_incident_that_was_merged_and_not_pulled_is_named(bob: Folder) -> None:
    """Wherever nothing here is meant; by its id it is said where it is."""
    assert f"note: {NOT_PULLED}\n  to work on it here: git pull\n" in send(bob, "list").err
    assert f"note: {NOT_PULLED}\n" in send(bob, "show").err
    call("show", "2", at=bob.path, clock=AT).told_once(2, "INC-2 is merged, and is not here yet", "git pull")
    call("ack", "--by", "@bob", at=bob.path).told_once(2, f"no incident is open on main; {NOT_PULLED}", "git pull")
    bob.git("pull", "-q")
    assert "not here yet" not in send(bob, "list").err
    assert "acknowledged" in send(bob, "ack", "--by", "@bob").out


def test_it_is_named_where_one_of_several_may_be_meant(bob: Folder) -> None:
    """What is asked about may be the one that is not listed."""
    bob.put("INC-3")
    bob.put("INC-4")
    done = call("ack", "--by", "@bob", at=bob.path, clock=AT)
    done.told_once(2, "Which incident? 2 are open")
    assert done.err.endswith("  and INC-2, merged and not here yet:\n    git pull\n")


def test_on_another_branch_the_record_alone_is_taken(team: Team, bob: Folder) -> None:
    """`git pull` would not bring it there."""
    bob.git("checkout", "-q", "-b", "mine")
    line = f"git checkout {team.tip('main')[:12]} -- incidents/INC-2"
    assert f"  to work on it here: {line}\n" in send(bob, "list").err
    bob.git(*line.split()[1:])
    assert "not here yet" not in send(bob, "list").err


def test_one_that_came_back_is_named_and_no_work_of_ones_own(team: Team, bob: Folder) -> None:
    """Closed in this checkout and open again on the remote; a record that was edited here is left to `send`."""
    merged(team, "INC-2", **CLOSED)
    merged(team, "INC-1")
    bob.git("fetch", "-q")
    assert f"note: {NOT_PULLED.replace('INC-2', 'INC-1')}\n" in send(bob, "list").err
    bob.put("INC-1", **CLOSED, title="Ours")
    assert "not here yet" not in send(bob, "list").err
