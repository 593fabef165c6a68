"""The workflows of this house, each run whole as a repository of records has it installed: every job and every step."""

from __future__ import annotations

import json
import resource
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from incident_ops.domain.run_cost import MEASURED_SECONDS
from incident_ops.reconcile.generated_block import owner
from tests.support.http_sink import HttpSink
from tests.support.standin import LOGIN, PERSON, PERSON_TOKEN
from tests.workflows.act import Hosted, Machine, WholeRun
from tests.workflows.running import WORKFLOWS, github_examples, own_files

pytestmark = [pytest.mark.slow, pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])]
POLICY = f"""\
extends: sev0-3
tracker: {{identities: [{LOGIN}]}}
notify: {{incident_channel: {{create: false}}}}
levels:
- {{id: SEV1, channels: [ticket, chat]}}
contacts:
  roles: {{on_call: ["@alice"]}}
  "@alice": {{channels: [chat]}}
"""
ALL_WELL = {"run": "success"}
INSTALL = "Install incident-ops"
REQUIRED = "incident-ops/validate"


def declared(minutes: float) -> str:
    """The times of an incident that was declared so long ago."""
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    return f"{{declared: {at:%Y-%m-%dT%H:%M:%SZ}}}"


@pytest.fixture
def records(runner: Machine, tmp_path: Path) -> Hosted:
    """A repository with a SEV1 incident of a minute ago with two items, and the three workflows installed."""
    made = Hosted(runner, tmp_path, policy=POLICY)
    items = "".join(f"\n- {{id: AI-{n}, title: Mend part {n}, status: open}}" for n in (1, 2))
    made.folder.put("INC-1", times=declared(1), action_items=items)
    made.install("validate.yml", "reconcile.yml", "sla.yml")
    made.push()
    return made


def keys(records: Hosted) -> list[str]:
    """The keys of the open issues."""
    return sorted(key for one in records.ask("/issues?state=open&per_page=100") if (key := owner(one["body"] or "")))


def tip(records: Hosted, branch: str = "main") -> str:
    """The commit that a branch of the remote is at; "" where there is none."""
    return records.folder.git("ls-remote", "origin", f"refs/heads/{branch}").partition("\t")[0]


def published(records: Hosted, branch: str, path: str) -> str:
    """A file on a branch of the remote."""
    records.folder.git("fetch", "--quiet", "origin", branch)
    return records.folder.git("show", f"FETCH_HEAD:{path}")


def checked_out(run: WholeRun) -> dict[str, str]:
    """Job -> the ref that its checkout asked for."""
    return {use["job"]: use["with"]["ref"] for use in run.used if use["action"] == "actions/checkout"}


def processor_seconds() -> float:
    """What all processes that were waited for have used of the machine."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_a_push_that_declares_ends_in_a_page_issues_and_gate_json(
    records: Hosted, runner: Machine, sink: HttpSink
) -> None:
    """One job, into an empty Python as GitHub's machines have it, and not longer than `doctor --cost` counts."""
    commit = tip(records)
    secrets = {"INCIDENT_OPS_CHANNEL_CHAT": sink.address("/200")}
    assert runner.empty.is_dir()  # it takes its time to be made
    before = processor_seconds()
    run = records.run("reconcile.yml", "push", {"after": commit}, secrets=secrets, installs=True)
    taken = processor_seconds() - before
    assert (run.code, run.conclusions()) == (0, ALL_WELL), run.said
    assert set(sink.titles) == {"SEV1 Login fails - Declared (INC-1)"}
    assert keys(records) == ["INC-1", "INC-1/AI-1", "INC-1/AI-2"]
    assert [pull["head"]["ref"] for pull in records.ask("/pulls?state=open")] == ["incident-ops/numbers"]
    gate = json.loads(published(records, "incident-ops/public", "gate.json"))
    assert (gate["revision"], gate["services"]["api"]["ids"]) == (commit, ["INC-1"])
    assert "INC-1/AI-2" in run.jobs["run"].summary
    assert checked_out(run) == {"run": "main"}
    assert "No broken requirements found" in run.jobs["run"].steps[INSTALL].log
    assert taken <= MEASURED_SECONDS["reconcile.yml"] <= 60, taken


def test_an_issue_that_a_person_closes_is_proposed_as_done(records: Hosted, sink: HttpSink) -> None:
    """Two runs: the push, and the event of the issue; nobody is told anything twice, nothing else is opened."""
    secrets = {"INCIDENT_OPS_CHANNEL_CHAT": sink.address("/200")}
    assert records.run("reconcile.yml", "push", secrets=secrets).code == 0
    told, opened = len(sink.taken), keys(records)
    (issue,) = [one for one in records.ask("/issues") if owner(one["body"] or "") == "INC-1/AI-1"]
    body = {"state": "closed", "state_reason": "completed"}
    closed = records.github.ask("PATCH", f"/repos/{records.name}/issues/{issue['number']}", body, token=PERSON_TOKEN)
    example = next(one for one in github_examples("issues") if one["action"] == "reopened")  # it has none of closed
    changed = {"issue": {**example["issue"], **closed}, "sender": {**example["sender"], "login": PERSON}}
    event = {**example, "action": "closed", **changed}
    run = records.run("reconcile.yml", "issues", event, secrets=secrets)
    assert run.code == 0, run.said
    assert len(sink.taken) == told
    assert keys(records) == [key for key in opened if key != "INC-1/AI-1"]
    heads = [pull["head"]["ref"] for pull in records.ask("/pulls?state=open")]
    texts = "".join(published(records, head, "incidents/INC-1/incident.yaml") for head in heads)
    assert "status: done" in texts
    assert f"@{PERSON}" in texts


def test_an_issue_that_is_not_ours_starts_no_job(records: Hosted) -> None:
    """Each payload that GitHub gives as an example, of the kinds that the workflow is started by; a label that was
    taken off may have been ours."""
    kinds = yaml.load((WORKFLOWS / "reconcile.yml").read_text(encoding="utf-8"), yaml.BaseLoader)["on"]["issues"][
        "types"
    ]
    events = [one for one in github_examples("issues") if one["action"] in kinds]
    assert {one["action"] for one in events} <= set(kinds)
    assert len({one["action"] for one in events}) > 6
    for event in events:
        if event["action"] != "unlabeled":
            run = records.run("reconcile.yml", "issues", event)
            assert (run.code, run.conclusions()) == (0, {}), event["action"]


def test_a_schedule_reads_the_tip_too(records: Hosted, sink: HttpSink) -> None:
    """Its event names no repository, so that the default branch is known by the ref alone."""
    secrets = {"INCIDENT_OPS_CHANNEL_CHAT": sink.address("/200")}
    run = records.run("reconcile.yml", "schedule", {"schedule": "41 4 * * *"}, secrets=secrets)
    assert (run.code, run.conclusions()) == (0, ALL_WELL), run.said
    assert checked_out(run) == {"run": "main"}
    assert keys(records) == ["INC-1", "INC-1/AI-1", "INC-1/AI-2"]


def test_a_run_by_hand_tells_what_came_due(records: Hosted, sink: HttpSink) -> None:
    """A SEV1 that nobody took; the second run has nothing to send."""
    records.folder.put("INC-1", times=declared(30))
    records.push()
    secrets = {"INCIDENT_OPS_CHANNEL_CHAT": sink.address("/200")}
    run = records.run("sla.yml", "workflow_dispatch", secrets=secrets)
    assert (run.code, run.conclusions()) == (0, ALL_WELL), run.said
    assert any("was due" in title for title in sink.titles), sink.titles
    assert "People to notify" in run.jobs["run"].summary
    told = len(sink.taken)
    again = records.run("sla.yml", "workflow_dispatch", secrets=secrets)
    assert (again.code, again.conclusions()) == (0, ALL_WELL), again.said
    assert len(sink.taken) == told


def test_a_pull_request_is_judged_and_previewed(records: Hosted) -> None:
    """A good one is green and says what a merge does; one with a broken record is red; nothing is written by either."""
    records.folder.put("INC-2", times=declared(5))
    good = records.run("validate.yml", "pull_request", records.propose("good"), ref="refs/pull/1/merge")
    assert (good.code, good.conclusions()) == (0, {REQUIRED: "success", "preview": "success"}), good.said
    assert "INC-2" in good.jobs["preview"].summary
    records.folder.put("INC-2", "id: INC-2\ntitle: [\n")
    bad = records.run("validate.yml", "pull_request", records.propose("bad", 2), ref="refs/pull/2/merge")
    assert bad.code == 1
    assert bad.jobs[REQUIRED].conclusion == "failure"
    assert "incidents/INC-2/incident.yaml" in bad.jobs[REQUIRED].log
    assert records.ask("/issues?state=all") == []
    checkouts = [use["with"] for use in bad.used if use["action"] == "actions/checkout"]
    assert {(given["ref"], given["fetch-depth"]) for given in checkouts} == {("main", "0")}


PLANTED = {
    "pip.py": "",
    "sitecustomize.py": "",
    "usercustomize.py": "",
    "conftest.py": "",
    "incident_ops/__init__.py": "",
    "pyproject.toml": '[project]\nname = "incident-ops"\n[build-system]\nrequires = []\nbuild-backend = "planted"\n',
    "planted.py": "",
    "requirements/build.txt": "pip\n",
    ".github/incident-ops.txt": "--find-links .\npip\n",
    ".gitattributes": "* filter=planted diff=planted\n",
}
RUNS = 'import pathlib\npathlib.Path({mark!r}).write_text("it ran")\n'


@pytest.mark.parametrize("is_house", [False, True], ids=["a repository of records", "the tool's own repository"])
def test_nothing_that_a_pull_request_brings_runs(records: Hosted, tmp_path: Path, is_house: bool) -> None:
    """It is judged all the same, by what the default branch installs: green while its records are fine."""
    if is_house:
        records.folder.git("rm", "--quiet", ".github/incident-ops.txt")
        kept = {name: (records.folder.path / name).read_text() for name in ("policy.yaml", "services.yaml")}
        own_files(records.folder.path)
        for name, text in kept.items():
            records.folder.write(name, text)
        records.push()
    mark = tmp_path / "ran"
    for path, text in PLANTED.items():
        records.folder.write(path, RUNS.format(mark=str(mark)) if path.endswith(".py") else text)
    records.folder.put("INC-7", times=declared(5))
    event = records.propose("planted")
    run = records.run("validate.yml", "pull_request", event, ref="refs/pull/1/merge", installs=True)
    assert (run.code, run.conclusions()) == (0, {REQUIRED: "success", "preview": "success"}), run.said
    assert "INC-7" in run.jobs["preview"].summary
    assert not mark.exists(), mark.read_text()


def test_nothing_that_was_merged_beside_the_records_runs_where_the_secrets_are(
    records: Hosted, tmp_path: Path, sink: HttpSink
) -> None:
    """The job installs, reads, pages and proposes as if those files were not there."""
    mark = tmp_path / "ran"
    for path in (one for one in PLANTED if one.endswith(".py")):
        records.folder.write(path, RUNS.format(mark=str(mark)))
    records.push()
    secrets = {"INCIDENT_OPS_CHANNEL_CHAT": sink.address("/200")}
    run = records.run("reconcile.yml", "push", secrets=secrets, installs=True)
    assert (run.code, run.conclusions()) == (0, ALL_WELL), run.said
    assert keys(records) == ["INC-1", "INC-1/AI-1", "INC-1/AI-2"]
    assert not mark.exists(), mark.read_text()


def test_a_pull_request_with_a_conflict_is_red(records: Hosted, tmp_path: Path) -> None:
    """Its merge commit is gone, and both jobs say so."""
    records.folder.put("INC-2", times=declared(5))
    event = records.propose("good")
    served = records.machine.hub / records.name
    without = tmp_path / "without.git"
    records.folder.git("clone", "--quiet", "--bare", "--no-local", str(served), str(without))
    served.unlink()
    served.symlink_to(without)
    run = records.run("validate.yml", "pull_request", event, ref="refs/pull/1/merge")
    assert run.conclusions() == {REQUIRED: "failure", "preview": "failure"}, run.said
    assert "is there a conflict with the base?" in run.said


def test_a_push_to_main_is_judged_against_what_was_before(records: Hosted) -> None:
    before = tip(records)
    records.folder.put("INC-2", times=declared(5))
    records.push()
    run = records.run("validate.yml", "push", {"before": before})
    assert (run.code, run.conclusions()) == (0, {"validate what was pushed": "success"}), run.said
