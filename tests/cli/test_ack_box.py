"""The box "I have it" on the issue acknowledges: for those without a pager, who have no terminal at hand."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from incident_ops.domain.time import stamp
from tests.cli.scene import Folder
from tests.cli.test_apply_github import TRUSTED
from tests.cli.test_two_way import Team
from tests.support.hosted import hosted
from tests.support.standin import BOB_TOKEN, PERSON_TOKEN, Standin

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
BOX = "- [ ] **I have it:**"
POLICY = f"""\
extends: sev0-3
contacts:
  "@alice": {{channels: [chat]}}
  "@bob": {{channels: [chat]}}
  roles: {{on_call: ["@alice"], secondary: ["@bob"]}}
{TRUSTED}"""


@pytest.fixture
def night(tmp_path: Path, github: Standin, monkeypatch: pytest.MonkeyPatch) -> Team:
    """A SEV0 that nobody has taken for seven minutes: bob was called two minutes ago."""
    folder = Folder(tmp_path / "clone", policy=POLICY)
    made = Team(folder, tmp_path / "origin.git", github, hosted(folder, github, monkeypatch), "")
    begun = stamp(datetime.now(UTC) - timedelta(minutes=7))
    assert (
        made.call("declare", "Login fails", "-s", "api", "--severity", "SEV0", "--by", "@carol", clock=begun).code == 0
    )
    made.push("An incident")
    made.apply()
    made.accept()
    return made


def record(team: Team, branch: str = "") -> dict:
    (path,) = team.folder.path.glob("incidents/*/incident.yaml")
    if not branch:
        return dict(yaml.safe_load(path.read_text()))
    team.folder.git("fetch", "--quiet", "origin", branch)
    return dict(yaml.safe_load(team.folder.git("show", f"FETCH_HEAD:{path.relative_to(team.folder.path)}")))


def labels(team: Team) -> set[str]:
    return {one["name"] for one in team.issue("")["labels"]}


@pytest.mark.slow
def test_whoever_ticks_it_has_the_incident_before_any_merge(night: Team) -> None:
    body = night.issue("")["body"]
    assert BOX in body
    assert "Next: tier 3 (Manager)" in body
    assert "escalated" in labels(night)
    night.does(BOB_TOKEN, "", body=body.replace(BOX, "- [x] **I have it:**"))
    due = night.command("sla", "check", "--tracker", "github")
    assert "@bob ticked the box `I have it`" in due
    night.apply()
    name = record(night)["id"]
    waiting = record(night, f"incident-ops/people/{name}")
    assert (waiting["state"], waiting["assignments"][0]["to"]) == ("in_progress", "@bob")
    assert waiting["timeline"][-1]["event"] == "Acknowledged on the issue (#1)"
    body = night.issue("")["body"]
    assert "- [x] **I have it:**" in body, "it can be taken back until it is merged"
    assert "Next: tier 3" not in body
    assert {"escalated", "state:in-progress"} & labels(night) == {"state:in-progress"}
    assert night.nothing_is_planned()
    night.accept()
    assert record(night)["times"]["acknowledged"]
    assert "I have it" not in night.issue("")["body"]
    assert night.nothing_is_planned()


def test_a_run_with_an_answer_that_waits_asks_for_the_open_pull_requests_once(night: Team) -> None:
    night.does(BOB_TOKEN, "", body=night.issue("")["body"].replace(BOX, "- [x] **I have it:**"))
    night.apply()
    done = night.call("plan", "--tracker", "github", "--show-requests")
    assert "waiting in #" in done.out, done
    asked = re.findall(r"^GET \S*/pulls\?\S*", done.err, re.MULTILINE)
    assert len(asked) == 1, asked


@pytest.mark.slow
def test_a_tick_that_is_taken_back_acknowledges_nothing(night: Team) -> None:
    body = night.issue("")["body"]
    night.does(BOB_TOKEN, "", body=body.replace(BOX, "- [x] **I have it:**"))
    night.apply()
    night.does(BOB_TOKEN, "", body=night.issue("")["body"].replace("- [x] **I have it:**", BOX))
    night.apply()
    assert BOX in night.issue("")["body"]
    assert {"escalated", "state:triaged"} <= labels(night)
    assert night.ask("GET", "/pulls?state=open") == [] or "people/" not in str(
        [one["head"]["ref"] for one in night.ask("GET", "/pulls?state=open")]
    )
    assert night.nothing_is_planned()


@pytest.mark.slow
def test_a_tick_whose_proposal_is_refused_acknowledges_nothing(night: Team) -> None:
    """Alice closes it without merging: others are called again, and the issue says why; until she opens it again."""
    night.does(BOB_TOKEN, "", body=night.issue("")["body"].replace(BOX, "- [x] **I have it:**"))
    night.apply()
    (pull,) = night.ask("GET", "/pulls?state=open")
    night.ask("PATCH", f"/pulls/{pull['number']}", {"state": "closed"}, token=PERSON_TOKEN)
    due = night.command("sla", "check", "--tracker", "github")
    assert "Nobody answered within 5m: calling bob" in due
    night.apply()
    assert {"escalated", "state:triaged"} <= labels(night)
    assert "Next: tier 3" in night.issue("")["body"]
    assert f"@alice closed #{pull['number']} without merging" in night.comments("")[0]
    assert night.nothing_is_planned()
    night.ask("PATCH", f"/pulls/{pull['number']}", {"state": "open"}, token=PERSON_TOKEN)
    night.apply()
    assert {"escalated", "state:in-progress"} & labels(night) == {"state:in-progress"}
