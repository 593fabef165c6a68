"""`.github/workflows/postmortem.yml`, run whole: opened by a push, reminded by the clock, closed by a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_correct import STEPS
from tests.support.http_sink import HttpSink
from tests.support.standin import PERSON, PERSON_TOKEN
from tests.workflows.act import Hosted, Machine
from tests.workflows.permissions import granted
from tests.workflows.test_permissions import Runs, is_least
from tests.workflows.test_whole_workflows import ALL_WELL, POLICY, checked_out, published, tip

pytestmark = [pytest.mark.slow, pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])]
BRANCH = "incident-ops/postmortem/INC-1"
RECORD, PAPER = "incidents/INC-1/incident.yaml", "incidents/INC-1/postmortem.md"


def resolved() -> dict[str, str]:
    """The lines of a record that was resolved an hour ago."""

    def ago(minutes: int) -> str:
        return f"{datetime.now(UTC) - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"

    changes = (f"\n- {{at: {ago(60)}, field: state, from: {old}, to: {new}}}" for old, new in pairwise(STEPS))
    return {
        "state": "resolved",
        "times": f"{{declared: {ago(90)}, acknowledged: {ago(89)}, restored: {ago(70)}, resolved: {ago(60)}}}",
        "cause": "{category: unknown}",
        "changes": "".join(changes),
        "roles": f"{{commander: '@{PERSON}'}}",
    }


@pytest.fixture
def records(runner: Machine, tmp_path: Path) -> Hosted:
    """A repository with a resolved SEV1 incident, and the workflows installed."""
    made = Hosted(runner, tmp_path, policy=POLICY)
    made.folder.put("INC-1", **resolved())
    made.install("postmortem.yml", "reconcile.yml")
    made.push()
    return made


def pulls(records: Hosted) -> list[dict[str, Any]]:
    return [one for one in records.ask("/pulls?state=open&per_page=100") if one["head"]["ref"] == BRANCH]


def test_it_opens_what_is_asked_for_reminds_and_takes_no_for_an_answer(records: Hosted, sink: HttpSink) -> None:
    """Each run with a token that may do what the job is granted; all of them together need just that."""
    runs = Runs(records, "postmortem.yml", sink)
    run = runs.run("push", {"after": tip(records)})
    (pull,) = pulls(records)
    assert checked_out(run) == {"open": "main"}
    assert "INC-1: proposed: pull request" in run.jobs["open"].summary
    assert "status: draft" in published(records, BRANCH, RECORD)
    assert published(records, BRANCH, PAPER).startswith("# Postmortem: Login fails")
    before = tip(records, BRANCH)
    (status,) = records.ask(f"/commits/{before}/statuses")
    assert (status["context"], status["state"]) == ("incident-ops/validate", "success")

    again = runs.run("workflow_dispatch")
    assert f"INC-1: open: pull request #{pull['number']} waits" in again.jobs["open"].summary
    assert (len(pulls(records)), tip(records, BRANCH)) == (1, before)
    comments = f"/issues/{pull['number']}/comments"
    assert records.ask(comments) == []

    sooner = "postmortem: {required: true, within: 30m}, channels"
    records.folder.write("policy.yaml", POLICY.replace("channels", sooner, 1))
    records.push()
    secrets = {"INCIDENT_OPS_CHANNEL_CHAT": sink.address("/200")}
    daily = records.run("reconcile.yml", "schedule", {"schedule": "41 4 * * *"}, secrets=secrets)
    assert (daily.code, daily.conclusions()) == (0, ALL_WELL), daily.said
    (said,) = records.ask(comments)
    assert f"@{PERSON}: The meeting of this postmortem was due " in said["body"]
    runs.run("workflow_dispatch")
    assert len(records.ask(comments)) == 1

    place = f"/repos/{records.name}/pulls/{pull['number']}"
    records.github.ask("PATCH", place, {"state": "closed"}, token=PERSON_TOKEN)
    last = runs.run("workflow_dispatch")
    assert f"@{PERSON} closed #{pull['number']} without merging" in last.jobs["open"].summary
    assert (pulls(records), tip(records, BRANCH)) == ([], before)
    is_least(runs.tokens, granted("postmortem.yml", "open"))


def test_a_push_to_another_branch_starts_nothing(records: Hosted) -> None:
    records.push("elsewhere")
    run = records.run("postmortem.yml", "push", {"after": tip(records, "elsewhere")}, ref="refs/heads/elsewhere")
    assert (run.code, run.conclusions()) == (0, {})


def test_a_run_by_hand_may_only_look(records: Hosted) -> None:
    run = records.run("postmortem.yml", "workflow_dispatch", {"inputs": {"dry_run": "true"}})
    assert (run.code, run.conclusions()) == (0, {"open": "success"}), run.said
    assert "INC-1: would be proposed: postmortem begun, status draft" in run.jobs["open"].summary
    assert tip(records, BRANCH) == ""
