"""`postmortem open`: the pull request of a postmortem that is asked for, against the stand-in for GitHub."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.cli.scene import Done
from tests.cli.test_apply_notices import Place, place  # noqa: F401 - a fixture
from tests.cli.test_correct import RESOLVED as OVER
from tests.cli.test_run import in_actions
from tests.support.standin import PERSON, PERSON_TOKEN
from tests.support.typing import at_terminal

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
BRANCH = "incident-ops/postmortem/INC-1"
RECORD, PAPER = "incidents/INC-1/incident.yaml", "incidents/INC-1/postmortem.md"
RESOLVED = {**OVER, "severity": "SEV1", "roles": "{commander: '@ann', scribe: '@bob'}"}
SOON, LATE = "2025-01-28T09:00:00Z", "2025-01-28T13:00:00Z"


@pytest.fixture
def resolved(place: Place) -> Place:  # noqa: F811
    """An incident that is resolved, and whose level asks for a postmortem."""
    place.folder.put("INC-1", **RESOLVED)
    place.push()
    return place


def opened(place: Place, *args: str, clock: str = "2025-01-26T14:00:00Z", code: int = 0) -> Done:  # noqa: F811
    done = place.call("postmortem", "open", *args, clock=clock)
    assert done.code == code, done
    return done


def pulls(place: Place, state: str = "open") -> list[dict[str, Any]]:  # noqa: F811
    found = place.ask("GET", f"/pulls?state={state}&per_page=100")
    return [one for one in found if one["head"]["ref"].startswith("incident-ops/postmortem/")]


def comments(place: Place, number: int) -> list[str]:  # noqa: F811
    return [one["body"] for one in place.ask("GET", f"/issues/{number}/comments")]


def head(place: Place) -> str:  # noqa: F811
    return place.folder.git("ls-remote", "origin", f"refs/heads/{BRANCH}").partition("\t")[0]


def proposed(place: Place) -> dict[str, str]:  # noqa: F811
    """Path -> content of each file in which the branch differs from the default branch."""
    git = place.folder.git
    git("fetch", "--quiet", "origin", BRANCH)
    names = git("diff", "--name-only", "origin/main...FETCH_HEAD").split()
    return {name: git("show", f"FETCH_HEAD:{name}") for name in names}


def test_a_resolved_incident_gets_one_pull_request_with_its_draft(resolved: Place) -> None:
    """The draft, its document, who and until when; the second run has nothing to do."""
    done = opened(resolved)
    (pull,) = pulls(resolved)
    assert f"INC-1: proposed: pull request #{pull['number']} proposes 1 edit" in done.out
    assert (pull["title"], pull["head"]["ref"]) == ("INC-1: the draft of its postmortem", BRANCH)
    texts = proposed(resolved)
    assert set(texts) == {RECORD, PAPER}
    assert "postmortem:\n  status: draft" in texts[RECORD]
    assert "@ann" in texts[RECORD]
    assert texts[PAPER].startswith("# Postmortem: ")
    assert "- Written by: `@ann`" in pull["body"]
    assert "- Meeting by: 2025-01-28 12:30 UTC" in pull["body"]
    before = head(resolved)
    again = opened(resolved, clock="2025-01-26T19:00:00Z")
    assert f"INC-1: open: pull request #{pull['number']} waits" in again.out
    assert (len(pulls(resolved)), head(resolved)) == (1, before)


def close(place: Place) -> int:  # noqa: F811
    """A person closes it without merging -> its number."""
    (pull,) = pulls(place)
    place.ask("PATCH", f"/pulls/{pull['number']}", {"state": "closed"}, token=PERSON_TOKEN)
    return int(pull["number"])


@pytest.mark.slow
def test_what_a_person_closed_is_not_proposed_again_until_the_facts_change(resolved: Place) -> None:
    opened(resolved)
    number = close(resolved)
    assert f"closed #{number} without merging" in opened(resolved).out
    assert pulls(resolved) == []
    resolved.folder.put("INC-1", **RESOLVED | {"roles": "{commander: '@cy'}"})
    resolved.push()
    opened(resolved)
    assert "- Written by: `@cy`" in pulls(resolved)[0]["body"]


@pytest.mark.slow
def test_what_people_write_is_theirs(resolved: Place) -> None:
    """The text of the pull request first, then its branch, on which the record does not follow any more."""
    opened(resolved)
    (pull,) = pulls(resolved)
    body = f"We meet in room 4.\n\n{pull['body']}"
    resolved.ask("PATCH", f"/pulls/{pull['number']}", {"body": body}, token=PERSON_TOKEN)
    resolved.folder.put("INC-1", **RESOLVED, description="All logins failed.")
    resolved.push()
    opened(resolved)
    assert "All logins failed." in proposed(resolved)[RECORD]
    assert pulls(resolved)[0]["body"].startswith("We meet in room 4.")
    git = resolved.folder.git
    git("checkout", "--quiet", "-B", "mine", "FETCH_HEAD")
    resolved.folder.write(PAPER, "I write here.\n")
    git("commit", "--quiet", "--all", "--message", "Written")
    git("push", "--quiet", "origin", f"HEAD:{BRANCH}")
    git("checkout", "--quiet", "main")
    resolved.folder.put("INC-1", **RESOLVED, description="Some logins failed.")
    resolved.push()
    theirs = head(resolved)
    assert "INC-1: left: people have written on its branch" in opened(resolved).out
    assert head(resolved) == theirs


@pytest.mark.slow
def test_once_it_is_begun_nothing_is_proposed_any_more(resolved: Place) -> None:
    """Merged by somebody, or begun in another way."""
    opened(resolved)
    resolved.folder.put("INC-1", **RESOLVED, postmortem="{status: draft, authors: ['@ann']}")
    resolved.push()
    assert "INC-1: ended: nothing is left to propose" in opened(resolved).out
    assert (pulls(resolved), head(resolved)) == ([], "")
    assert "no postmortem is to be begun" in opened(resolved).out


@pytest.mark.slow
def test_what_somebody_began_and_sent_is_not_begun_twice(resolved: Place) -> None:
    resolved.call("postmortem", "new", "INC-1", "--send")
    resolved.folder.git("checkout", "--quiet", "--", ".")
    assert "INC-1: left: it is begun on branch incident-ops/edit/INC-1" in opened(resolved).out
    assert pulls(resolved) == []


@pytest.mark.parametrize(
    "lines",
    [
        {"severity": "SEV3"},
        {"drill": "true"},
        {"outcome": "false_alarm"},
        {"state": "new", "times": "{declared: 2025-01-26T12:05:00Z}", "changes": "", "cause": ""},
    ],
    ids=["a level that asks for none", "a drill", "a false alarm", "an open one"],
)
def test_nothing_is_opened_where_nothing_is_asked_for(place: Place, lines: dict[str, str]) -> None:  # noqa: F811
    place.folder.put("INC-1", **RESOLVED | lines)
    place.push()
    assert opened(place).out == "no postmortem is to be begun\n"
    assert (pulls(place), head(place)) == ([], "")


def test_a_dry_run_opens_nothing(resolved: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also without a token, where it says what it could not ask."""
    done = opened(resolved, "--dry-run", "--format", "json")
    (one,) = json.loads(done.out)["postmortems"]
    assert (one["incident"], one["outcome"], one["branch"], one["pull"]) == ("INC-1", "proposed", BRANCH, None)
    assert "postmortem begun, status draft" in one["reason"]
    for name in ("GITHUB_TOKEN", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    done = opened(resolved, "--dry-run")
    assert "INC-1: would be proposed: postmortem begun, status draft" in done.out
    assert "GITHUB_TOKEN is not set, so GitHub was not asked" in done.err
    assert head(resolved) == ""


def test_what_was_closed_long_ago_floods_nobody(place: Place) -> None:  # noqa: F811
    """It is counted, with the way to begin one; one that is open already stays open."""
    times = OVER["times"].replace("}", ", closed: 2025-01-26T12:40:00Z}")
    changes = f"{OVER['changes']}\n- {{at: 2025-01-26T12:40:00Z, field: state, from: resolved, to: closed}}"
    place.folder.put("INC-1", **RESOLVED | {"state": "closed", "times": times, "changes": changes})
    place.push()
    later = "2025-03-01T14:00:00Z"
    done = opened(place, "--dry-run", clock=later)
    assert "no postmortem is to be begun\n1 incident closed long ago: `incident-ops postmortem new INC`" in done.out
    opened(place)
    assert "INC-1: open: pull request #1 waits" in opened(place, clock=later).out


@pytest.mark.slow
def test_a_run_opens_only_so_many(resolved: Place) -> None:
    """The rest is opened by the next one, and the exit code says so."""
    resolved.folder.put("INC-2", **RESOLVED)
    policy = (resolved.folder.path / "policy.yaml").read_text()
    resolved.folder.write("policy.yaml", policy.replace("tracker: {", "tracker: {limits: {creates: 1}, "))
    resolved.push()
    done = opened(resolved, code=5)
    assert "INC-2: left: more than one run opens; the next one goes on" in done.out
    assert "held: 1 postmortem left for the next run" in done.err
    opened(resolved)
    assert len(pulls(resolved)) == 2


@pytest.mark.slow
def test_the_clock_reminds_once_for_each_mark(resolved: Place, tmp_path: Path) -> None:
    """A day before the meeting is due, and once it is; by `run` as well, which judges the branch, too. Whoever belongs
    to the repository is mentioned, anybody else only named."""
    resolved.folder.put("INC-1", **RESOLVED | {"roles": f"{{commander: '@{PERSON}'}}"})
    resolved.push()
    opened(resolved)
    (pull,) = pulls(resolved)
    assert comments(resolved, pull["number"]) == []
    for _ in range(2):
        opened(resolved, clock=SOON)
    (soon,) = comments(resolved, pull["number"])
    assert f"@{PERSON}: The meeting of this postmortem is due 2025-01-28 12:30 UTC." in soon
    for _ in range(2):
        done, _page = in_actions(resolved, tmp_path, clock=LATE)
        assert done.code == 0, done
    late = comments(resolved, pull["number"])[1:]
    assert [text.partition("\n")[2].partition(" Next")[0] for text in late] == [
        f"@{PERSON}: The meeting of this postmortem was due 2025-01-28 12:30 UTC."
    ]
    (status,) = resolved.ask("GET", f"/commits/{head(resolved)}/statuses")
    assert (status["context"], status["state"]) == ("incident-ops/validate", "success")


def test_the_open_items_of_related_incidents_are_named(resolved: Place) -> None:
    items = "\n- {id: AI-1, title: 'Cc @everyone, fixes #7', status: open, owner: '@bob', due: 2025-02-01}"
    resolved.folder.put("INC-2", action_items=items)
    resolved.folder.put("INC-1", **RESOLVED, related="[INC-2]")
    resolved.push()
    opened(resolved)
    (pull,) = pulls(resolved)
    assert "Left open by related incidents:\n\n- similar to `INC-2`: **AI-1** Cc @&#8203;everyone" in pull["body"]
    assert "fixes #7" not in pull["body"]


@pytest.mark.slow
def test_the_commands_of_its_text_work_as_printed(resolved: Place, tmp_path: Path) -> None:
    opened(resolved)
    (pull,) = pulls(resolved)
    git = resolved.folder.git
    git("fetch", "--quiet", "origin", BRANCH)
    git("merge", "--quiet", "--ff-only", "FETCH_HEAD")
    git("push", "--quiet", "origin", "main")
    block = re.search(r"```sh\n(.*?)```", pull["body"], re.DOTALL)
    assert block is not None
    first, asks, *lines = block[1].strip().splitlines()
    assert (first, len(lines)) == ("git pull", 3)
    words = shlex.split(asks, comments=True)[1:]
    at_terminal(resolved.folder.path, *words, clock=LATE, answers="Logins failed.\nSeen at once\n\n\n")
    assert resolved.folder.data()["postmortem"]["went_well"] == ["Seen at once"]
    for line in lines:
        name, *words = shlex.split(line)
        done = resolved.call(*words, clock=LATE)
        assert (name, done.code) == ("incident-ops", 0), (line, done)
    assert b"BEGIN:VEVENT" in (resolved.folder.path / "meeting.ics").read_bytes()


def test_what_somebody_typed_into_a_document_stays(resolved: Place) -> None:
    resolved.folder.write(PAPER, "# Mine\n")
    resolved.push()
    opened(resolved)
    assert set(proposed(resolved)) == {RECORD}


@pytest.mark.slow
def test_a_record_that_cannot_be_read_keeps_its_pull_request(resolved: Place) -> None:
    """Unknown is not "not wanted": the branch stays, and the run says that a record is unread."""
    opened(resolved)
    before = head(resolved)
    text = (resolved.folder.path / RECORD).read_text(encoding="utf-8")
    resolved.folder.write(RECORD, f"{text}  : broken [\n")
    resolved.push()
    done = opened(resolved, code=3)
    assert "INC-1: left: its record cannot be read, so its branch is left as it is" in " ".join(done.out.split())
    assert (len(pulls(resolved)), head(resolved)) == (1, before)


@pytest.mark.slow
def test_who_only_observes_reminds_nobody(resolved: Place) -> None:
    """Nothing is written. Whoever is no login of the repository is named without a mention, where the policy acts."""
    policy = (resolved.folder.path / "policy.yaml").read_text()
    resolved.folder.write("policy.yaml", f"{policy}mode: observe\n")
    resolved.push()
    assert "the policy's mode is observe: nothing is written" in opened(resolved).out
    assert (pulls(resolved), head(resolved)) == ([], "")
    resolved.folder.write("policy.yaml", policy)
    resolved.push()
    opened(resolved)
    resolved.folder.write("policy.yaml", f"{policy}mode: observe\n")
    resolved.push()
    opened(resolved, clock=LATE)
    (pull,) = pulls(resolved)
    assert comments(resolved, pull["number"]) == []
    resolved.folder.write("policy.yaml", policy)
    resolved.push()
    opened(resolved, clock=LATE)
    (late,) = comments(resolved, pull["number"])
    assert "`@ann`: The meeting of this postmortem was due 2025-01-28 12:30 UTC." in late
