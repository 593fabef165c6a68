"""A late entry of a timeline: the scribe's daily work. It stands at its place by time as long as that may change."""

from __future__ import annotations

import re

import pytest

from tests.cli.scene import Done, Folder, call
from tests.support.origin import Origin
from tests.support.repository import SERVICES, Repo

pytestmark = pytest.mark.usefixtures("somebody")

ID = "INC-20250126-120500"
PATH = f"incidents/{ID}/incident.yaml"


@pytest.fixture
def clone(origin: Origin) -> Repo:
    """A clone with an incident of 12:05, acknowledged at 12:10, of which nothing is committed."""
    repo = origin.clone()
    repo.git("rm", "--quiet", "-r", "incidents")
    repo.write("policy.yaml", "extends: sev0-3\n")
    repo.write("services.yaml", SERVICES)
    do(repo, "12:05:00", "declare", "Login fails", "-s", "api", "--severity", "SEV2")
    do(repo, "12:10:00", "ack", ID)
    return repo


def do(repo: Repo, clock: str, *words: str) -> Done:
    done = call(*words, at=repo.root, clock=f"2025-01-26T{clock}Z")
    assert done.code == 0, done
    return done


def events(repo: Repo) -> list[tuple[str, str]]:
    """(minute, event) of the timeline in the order of the text."""
    text = (repo.root / PATH).read_text()
    return re.findall(r"- at: 2025-01-26T12:(\d\d):\d\dZ\n  kind: \w+\n  event: (.+)", text.partition("timeline:")[2])


def is_silent(repo: Repo) -> bool:
    """Nothing that the tool wrote itself is warned of."""
    done = call("validate", at=repo.root, clock="2025-01-26T13:00:00Z")
    assert done.code == 0, done
    return "timeline-order" not in done.out


def test_it_is_put_in_its_place_while_the_record_is_unmerged(clone: Repo) -> None:
    done = do(clone, "12:20:00", "timeline", "paged", ID, "--at", "12m")
    assert "warning" not in done.err
    assert events(clone) == [("05", "Incident noticed"), ("08", "paged"), ("10", "Acknowledged")]
    assert is_silent(clone)


def test_committed_on_a_branch_is_not_merged(clone: Repo) -> None:
    clone.commit("mine")
    do(clone, "12:20:00", "timeline", "paged", ID, "--at", "12m")
    assert [minute for minute, _ in events(clone)] == ["05", "08", "10"]


def test_what_is_committed_counts_as_merged_where_nobody_knows_what_is(folder: Folder) -> None:
    """A remote whose default branch this clone has never heard of."""
    repo = Repo(folder.path, git=False, settings=False)
    do(repo, "12:05:00", "declare", "Login fails", "-s", "api", "--severity", "SEV2")
    folder.commit()
    repo.git("config", "remote.origin.url", "https://example.org/x.git")
    do(repo, "12:20:00", "timeline", "paged", ID, "--at", "18m")
    assert [minute for minute, _ in events(repo)] == ["05", "02"]


def test_merged_entries_stay_above_it_and_validate_is_silent(clone: Repo) -> None:
    """Before the merge, after it, and against the base."""
    clone.commit("mine")
    clone.git("push", "--quiet", "origin", "HEAD:main")
    done = do(clone, "12:20:00", "timeline", "paged", ID, "--at", "12m")
    assert "warning: it happened before entries that are merged, and those stay above it" in done.err
    do(clone, "12:21:00", "timeline", "rolled back", ID)
    do(clone, "12:22:00", "timeline", "seen first", ID, "--at", "15m")
    assert [minute for minute, _ in events(clone)] == ["05", "10", "07", "08", "21"]
    assert is_silent(clone)
    assert call("validate", "--base", "origin/main", at=clone.root, clock="2025-01-26T13:00:00Z").code == 0
    clone.commit("late")
    clone.git("push", "--quiet", "origin", "HEAD:main")
    assert is_silent(clone)


def test_a_wrong_order_by_hand_is_still_warned_of(clone: Repo) -> None:
    text = (clone.root / PATH).read_text()
    clone.write(
        PATH, text.replace("- at: 2025-01-26T12:10:00Z\n  kind: status", "- at: 2025-01-26T12:01:00Z\n  kind: status")
    )
    assert not is_silent(clone)


def test_every_command_of_an_earlier_time_finds_its_place(clone: Repo) -> None:
    """As when a colleague writes up what was done, with --at before the command."""
    do(clone, "12:07:00", "assign", "commander", "@bob", ID)
    assert [minute for minute, _ in events(clone)] == ["05", "07", "10"]


def test_a_correction_stays_last_and_names_what_it_corrects(clone: Repo) -> None:
    """Entry 2 becomes entry 3 when another is put above it."""
    do(clone, "12:15:00", "timeline", "acknowledged by phone", ID, "--corrects", "2")
    do(clone, "12:20:00", "timeline", "paged", ID, "--at", "12m")
    assert [minute for minute, _ in events(clone)] == ["05", "08", "10", "15"]
    assert "corrects: 3\n" in (clone.root / PATH).read_text()
    assert is_silent(clone)


def test_it_goes_above_the_first_entry_as_well(clone: Repo) -> None:
    do(clone, "12:20:00", "timeline", "first errors", ID, "--at", "18m")
    assert events(clone)[0] == ("02", "first errors")


def test_without_a_remote_what_is_committed_stays(folder: Folder) -> None:
    repo = Repo(folder.path, git=False, settings=False)
    do(repo, "12:05:00", "declare", "Login fails", "-s", "api", "--severity", "SEV2")
    folder.commit()
    do(repo, "12:20:00", "timeline", "paged", ID, "--at", "18m")
    assert [minute for minute, _ in events(repo)] == ["05", "02"]
    assert is_silent(repo)
