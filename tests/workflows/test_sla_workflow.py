"""`.github/workflows/sla.yml`, run against the stand-in: notices and what came due, and no issue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.http_sink import HttpSink
from tests.support.standin import LOGIN, Standin, standin
from tests.workflows.running import faulty_program, need_node
from tests.workflows.test_reconcile_workflow import RUN, Scene

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
BRANCH = "incident-ops/automation/INC-1"
POLICY = f"""\
extends: sev0-3
tracker: {{identities: [{LOGIN}]}}
notify: {{incident_channel: {{create: false}}}}
levels:
- {{id: SEV1, escalate_at: 1h, channels: [chat]}}
escalation: {{tiers: [{{id: first, tier: 1}}, {{id: second, tier: 2}}]}}
contacts: {{tiers: {{second: ["@dana"]}}, "@dana": {{channels: [chat]}}}}
"""
ESCALATION = "INC-1/resolution/1/escalate.SEV1"


@pytest.fixture(scope="module")
def github() -> Iterator[Standin]:
    """A running stand-in for GitHub; the steps are processes of their own, whose requests no gate of ours sees."""
    need_node()
    with standin() as running:
        yield running


@pytest.fixture
def scene(tmp_path: Path, github: Standin) -> Scene:
    """A SEV1 incident of five hours ago and ten minutes, pushed."""
    made = Scene(tmp_path, github, "sla.yml", POLICY)
    # between two updates: one that comes due while the test runs is another notice
    declared = datetime.now(UTC) - timedelta(hours=5, minutes=10)
    made.folder.put(times=f"{{declared: {declared:%Y-%m-%dT%H:%M:%SZ}}}")
    made.push()
    return made


@pytest.mark.slow
def test_what_came_due_is_sent_and_proposed_once(scene: Scene, sink: HttpSink) -> None:
    """Chat hears of it, the escalation is on its branch, no issue is opened; the next run has nothing to send."""
    chat = {"INCIDENT_OPS_CHANNEL_CHAT": sink.address("/200")}
    done = scene.run("workflow_dispatch", secrets=chat)
    assert done.conclusion == "success", done.steps[RUN]["output"]
    assert any("Response of SEV1 was due" in title for title in sink.titles), sink.titles
    assert ESCALATION in scene.on_branch(BRANCH, "incidents/INC-1/incident.yaml")
    assert scene.keys() == []
    sent = len(sink.taken)
    again = scene.run("workflow_dispatch", secrets=chat)
    assert (again.conclusion, sink.titles[sent:]) == ("success", [])


@pytest.mark.slow
def test_a_run_by_hand_can_only_look_by_any_clock(scene: Scene, sink: HttpSink) -> None:
    """What would be due then is in the summary; without dry_run another clock is refused, and nobody hears of it."""
    chat = {"INCIDENT_OPS_CHANNEL_CHAT": sink.address("/200")}
    later = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}"
    looked = scene.run("workflow_dispatch", inputs={"at": later, "dry_run": True}, secrets=chat)
    assert looked.conclusion == "success", looked
    assert "People to notify" in looked.summary
    refused = scene.run("workflow_dispatch", inputs={"at": later, "dry_run": False}, secrets=chat)
    assert (refused.conclusion, refused.steps[RUN]["exit"]) == ("failure", 2)
    assert f"--at {later} is not now" in refused.steps[RUN]["output"]
    assert sink.taken == []


@pytest.mark.slow
def test_a_channel_without_its_secret_is_an_error_and_the_rest_is_done(scene: Scene) -> None:
    """The job fails and names the variable; what came due is proposed all the same."""
    done = scene.run("workflow_dispatch")
    assert (done.conclusion, done.steps[RUN]["exit"]) == ("failure", 2)
    assert (
        "::error title=incident-ops::channel chat is not set up: set INCIDENT_OPS_CHANNEL_CHAT"
        in (done.steps[RUN]["output"])
    )
    assert scene.folder.git("ls-remote", "origin", "incident-ops/public")


@pytest.mark.slow
def test_issues_that_cannot_be_read_keep_gate_json_from_nobody(scene: Scene) -> None:
    """GitHub lists none: the job fails, and what holds deploys is published all the same."""
    done = scene.run("workflow_dispatch", GITHUB_REPOSITORY="nobody/nothing")
    assert done.conclusion == "failure"
    assert '"held":true' in scene.on_branch("incident-ops/public", "gate.json").replace(" ", "")


def test_a_crash_is_red(scene: Scene) -> None:
    done = scene.run("workflow_dispatch", program=faulty_program(scene.temp), CRASHES="sla run")
    assert (done.conclusion, done.steps[RUN]["exit"]) == ("failure", 70)
