"""doctor.yml: it learns of every secret that is there and of none what it is; whole, it only reads, and is red."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from incident_ops.render.laid_texts import LaidValues, laid_texts
from incident_ops.resources import template_texts
from tests.workflows.act import Hosted, Machine
from tests.workflows.permissions import JobToken, granted, needed, only_reads
from tests.workflows.running import WORKFLOWS, describe
from tests.workflows.test_whole_workflows import POLICY, declared

DOCTOR = WORKFLOWS / "doctor.yml"
READS = {"PAGERDUTY_API_TOKEN"}
"""A key of the service that is read; no channel has it."""


def _given(file: Path) -> dict[str, str]:
    steps: list[dict[str, Any]] = [
        step for job in describe(file)[0]["document"]["jobs"].values() for step in job.get("steps", [])
    ]
    return {name: text for step in steps for name, text in step.get("env", {}).items() if "secrets." in text}


def test_it_is_told_of_the_secrets_that_a_run_gets_and_not_what_they_are() -> None:
    given = _given(DOCTOR)
    assert set(given) == set(_given(WORKFLOWS / "sla.yml")) - READS
    assert {name: text for name, text in given.items() if text != f"${{{{ secrets.{name} && 'set' }}}}"} == {}


def test_a_variable_of_a_repository_s_own_is_told_in_the_same_way() -> None:
    values = LaidValues(owners=["@acme/sre"], variables=["INCIDENT_OPS_CHANNEL_OWN"])
    text = laid_texts(template_texts(), values, "1.0")[".github/workflows/doctor.yml"].decode()
    assert "INCIDENT_OPS_CHANNEL_OWN: ${{ secrets.INCIDENT_OPS_CHANNEL_OWN && 'set' }}" in text
    assert not re.search(r"secrets\.\w+ \}\}", text)


@pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
@pytest.mark.slow
def test_the_whole_job_reads_what_it_is_granted_and_is_red_with_a_summary(runner: Machine, tmp_path: Path) -> None:
    """A repository without rulesets and labels, by the rights that the job names: it needs all of them."""
    records = Hosted(runner, tmp_path, policy=POLICY)
    records.folder.put("INC-1", times=declared(1))
    records.install("doctor.yml", "reconcile.yml")
    records.push()
    rights = granted("doctor.yml", "doctor")
    assert only_reads(rights)
    token = JobToken(records, rights)
    run = records.run("doctor.yml", "workflow_dispatch", {}, token=token.text)
    assert (run.code != 0, run.conclusions()) == (True, {"doctor": "failure"}), run.said
    assert "does not ask for" in run.said
    assert "No broken requirements found" in run.jobs["doctor"].steps["Install what verifies who built it"].log
    assert "what checks signatures is not installed" not in run.said
    assert "is not on the GitHub that is asked here" in run.said  # which is the stand-in
    refused = {path.partition(records.name)[2] for _, path in token.refused}
    assert refused == {"/actions/permissions", "/actions/permissions/workflow"}
    asked = [one for one in token.asked if one not in token.refused]
    assert needed(set(asked), token.git) == rights, json.dumps(sorted(asked))


def test_what_cannot_be_installed_to_verify_keeps_no_check_from_its_turn() -> None:
    """A team may have doctor.yml without the second pin file."""
    steps = describe(DOCTOR)[0]["document"]["jobs"]["doctor"]["steps"]
    may_fail = [step["name"] for step in steps if step.get("continue-on-error")]
    assert may_fail == ["Install what verifies who built it"]
