"""The token of a GitHub App in place of the workflow's: it has the rights of the job, and all that acts goes by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.http_sink import HttpSink
from tests.workflows.act import Hosted, Machine
from tests.workflows.permissions import JobToken, Rights, granted, jobs_of
from tests.workflows.test_permissions import close_item, is_least, records
from tests.workflows.test_whole_workflows import keys, tip

__all__ = ["records"]

ACTING = ("reconcile.yml", "sla.yml", "tick.yml", "watch.yml", "postmortem.yml")
USES = "actions/create-github-app-token@"
VARIABLE, SECRET = "INCIDENT_OPS_APP_CLIENT_ID", "INCIDENT_OPS_APP_PRIVATE_KEY"


def steps_of(workflow: str) -> list[dict[str, Any]]:
    (job,) = jobs_of(workflow).values()
    return list(job["steps"])


def asked_for(workflow: str) -> Rights:
    """The rights that the step asks for the App's token."""
    (step,) = [step for step in steps_of(workflow) if step.get("uses", "").startswith(USES)]
    return {name.removeprefix("permission-"): level for name, level in step["with"].items() if "permission-" in name}


@pytest.mark.parametrize("workflow", ACTING)
def test_the_app_gets_the_rights_of_the_job_and_the_step_that_acts_its_token(workflow: str) -> None:
    """Only where there is an App; where there is none, the workflow's own."""
    (job,) = jobs_of(workflow)
    assert asked_for(workflow) == granted(workflow, job)
    *_, taking, acting, saying = steps_of(workflow)
    assert taking["if"] == f"${{{{ vars.{VARIABLE} != '' }}}}"
    assert taking["continue-on-error"]
    assert acting["env"]["GITHUB_TOKEN"] == "${{ steps.app.outputs.token || github.token }}"
    assert saying["if"] == f"${{{{ !cancelled() && steps.{taking['id']}.outcome == 'failure' }}}}"


@pytest.mark.slow
@pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
def test_all_that_acts_goes_by_the_token_of_the_app(records: Hosted, runner: Machine, sink: HttpSink) -> None:
    """Three runs as those that show what the job needs: the workflow's own token only checks out."""
    assert runner
    policy = Path(records.folder.path / "policy.yaml")
    policy.write_text(policy.read_text().replace("tracker: {", "tracker: {limits: {creates: 1}, "))
    records.push()
    app = JobToken(records, asked_for("reconcile.yml"))
    secrets = {"INCIDENT_OPS_CHANNEL_CHAT": sink.address("/200"), SECRET: "a key"}
    for event, payload in (("push", {"after": tip(records)}), ("workflow_dispatch", {}), ("workflow_dispatch", {})):
        own = JobToken(records, {"contents": "read"})
        given: dict[str, Any] = {"token": own.text, "secrets": secrets, "variables": {VARIABLE: "Iv1.a"}}
        done = records.run("reconcile.yml", event, payload, **given, STANDIN_APP_TOKEN=app.text)
        assert done.code == 0, (app.refused, done.said)
        assert (own.git, own.asked) == ({"read"}, set())
        if "INC-1/AI-1" in keys(records):
            close_item(records)
    assert sink.titles == ["SEV1 Login fails - Declared (INC-1)"] * 2, "to the team, and to who is on call"
    is_least([app], asked_for("reconcile.yml"))


@pytest.mark.slow
@pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
@pytest.mark.parametrize("workflow", ["reconcile.yml", "tick.yml"])
def test_an_app_that_gives_no_token_keeps_no_page_waiting(records: Hosted, sink: HttpSink, workflow: str) -> None:
    """Suspended, uninstalled, or its key revoked: the run goes by the workflow's own token, and is red for it."""
    secrets = {"INCIDENT_OPS_CHANNEL_CHAT": sink.address("/200"), SECRET: "a key"}
    done = records.run(workflow, "workflow_dispatch", secrets=secrets, variables={VARIABLE: "Iv1.a"})
    assert "SEV1 Login fails - Declared (INC-1)" in sink.titles, done.said
    assert list(done.conclusions().values()) == ["failure"]
    assert "the App gave no token" in done.said
