"""Our actions in the pipeline of a second repository, `shop`, whose incidents are recorded in a third: whole runs.

The shop has no records and no policy, and its workspace is hostile: modules with the names of what the actions run. Its
job may read the shop alone; what opens the records is a token that it was given for that.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from tests.workflows.act import Hosted, Machine, Step, WholeRun
from tests.workflows.permissions import JobToken, needed
from tests.workflows.running import own_files

pytestmark = [pytest.mark.slow, pytest.mark.allow_hosts(["localhost", "127.0.0.1", "::1"])]
SHA = "0123456789abcdef0123456789abcdef01234567"
OURS = "incident-ops/incident-ops"
POLICY = "extends: sev0-3\ngate: {max_error_pct: null}\n"
SERVICES = 'services:\n  checkout: {owner: "@acme/shop"}\n  search: {owner: "@acme/shop"}\n'
HOSTILE = (
    *("pip.py", "venv.py", "sitecustomize.py", "usercustomize.py", "click.py", "yaml.py", "hatchling/__init__.py"),
    *("incident_ops/__init__.py", "incident_ops/__main__.py"),
)
CHECKOUT = "- uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1\n  with: {persist-credentials: false}"
TITLE = '$(touch pwned) "; touch pwned; echo " ##[error]x `touch pwned`'
SMOKE = """\
apiVersion: incident-ops/v1
kind: CanaryAnalysis
metadata: {name: smoke}
spec:
  provider: {command: {name: smoke}}
  warmup: 0s
  duration: 2s
  interval: 1s
  metrics:
  - {name: smoke, type: threshold, count: 1}
"""


def uses(action: str, **given: str) -> str:
    """A step that uses an action of ours, always green, so that all steps of a job run."""
    lines = [f"- uses: {OURS}/actions/{action}@{SHA}", f"  id: {action}", "  continue-on-error: true"]
    lines += ["  with:", *(f"    {name}: {json.dumps(value)}" for name, value in given.items())] if given else []
    return "\n".join(lines)


def named(name: str, step: str) -> str:
    """The same step under a name of its own."""
    return f"{re.sub('id: .*', f'id: {name}', step)}\n  name: {name}"


@dataclass(frozen=True)
class Place:
    """The pipeline's repository, that of the records, and the two tokens."""

    shop: Hosted
    records: Hosted
    job: JobToken
    given: JobToken

    @property
    def address(self) -> str:
        """Of the records."""
        return f"{self.shop.machine.git.url}/{self.records.name}"

    def run(self, *steps: str) -> WholeRun:
        """One push whose one job checks out the shop and takes these steps."""
        text = "\n".join([CHECKOUT, *steps])
        lines = "\n".join(f"    {line}" for line in text.splitlines())
        self.shop.folder.write(
            ".github/workflows/pipeline.yml",
            f"on: push\npermissions: {{}}\njobs:\n  pipe:\n    runs-on: ubuntu-24.04\n    steps:\n{lines}\n",
        )
        self.shop.push()
        settings = self.shop.temp / "settings/git/config"  # the runner's: who signed the server's certificate
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text(f"[http]\nsslCAInfo = {self.shop.machine.git.notes}/certificate.pem\n")
        secrets, local = {"RECORDS_TOKEN": self.given.text}, {f"{OURS}@{SHA}": self.house}
        return self.shop.run(
            "pipeline.yml", "push", local=local, installs=True, token=self.job.text, secrets=secrets,
            XDG_CONFIG_HOME=str(settings.parents[1]), GIT_CONFIG_GLOBAL=str(settings),
        )  # fmt: skip

    @property
    def house(self) -> Path:
        """This checkout as it is now."""
        folder = self.shop.temp / "house"
        return folder if folder.exists() else own_files(folder)


def step_of(run: WholeRun, action: str) -> Step:
    """What became of the step that used an action."""
    return run.jobs["pipe"].steps[f"{OURS}/actions/{action}@{SHA}"]


@pytest.fixture
def place(runner: Machine, tmp_path: Path) -> Place:
    for name in ("shop", "records"):
        (tmp_path / name).mkdir()
    records = Hosted(runner, tmp_path / "records", policy=POLICY, services=SERVICES)
    records.push()
    shop = Hosted(runner, tmp_path / "shop", policy=POLICY)
    for name in ("policy.yaml", "services.yaml"):
        (shop.folder.path / name).unlink()
    for name in HOSTILE:
        shop.folder.write(name, "raise SystemExit('a module of the workspace was run')\n")
    shop.folder.write("gates/smoke.yaml", SMOKE)
    rights = {"contents": "write", "pull-requests": "write"}
    return Place(shop, records, JobToken(shop, {"contents": "read"}), JobToken(records, rights))


def hold(place: Place) -> None:
    """An open incident on checkout is merged."""
    declared = f"{{declared: {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}}}"
    place.records.folder.put("INC-1", severity="SEV0", services="[checkout]", times=declared)
    place.records.push()


SAY = """\
- name: python
  run: |
    python3 -I -c 'import sys; print(sys.prefix)'
    if python3 -I -c 'import incident_ops' 2> /dev/null; then exit 9; fi
    ls"""


def test_the_gate_of_a_second_repository_passes_holds_and_fails(place: Place) -> None:
    """By records elsewhere; the Python of the job is the one that it had."""
    where = {"records": f"{place.address}@main", "token": "${{ secrets.RECORDS_TOKEN }}", "service": "checkout"}
    run = place.run(SAY.replace("python\n", "before\n", 1), uses("gate-check", **where), SAY)
    step = step_of(run, "gate-check")
    assert step.outcome == "success", run.said
    assert (step.outputs["verdict"], step.outputs["reason-code"], step.outputs["incident-id"]) == ("pass", "ok", "")
    assert json.loads(step.outputs["report"])["schema"] == 1
    assert step.summary.startswith("## Gate: pass: nothing holds deploys of checkout to production")
    assert run.jobs["pipe"].steps["before"].log == run.jobs["pipe"].steps["python"].log
    hold(place)
    asked = {
        "held": {}, "green": {"fail-job": "false"}, "unknown": {"service": "a; touch pwned"}, "locked": {"token": "x"}
    }  # fmt: skip
    run = place.run(*(named(name, uses("gate-check", **{**where, **more})) for name, more in asked.items()))
    steps = run.jobs["pipe"].steps
    seen = {name: (steps[name].outcome, steps[name].outputs["verdict"], steps[name].outputs["reason-code"])
            for name in ("held", "green", "unknown", "locked")}  # fmt: skip
    assert seen == {
        "held": ("failure", "frozen", "open_incident"),
        "green": ("success", "frozen", "open_incident"),
        "unknown": ("failure", "inconclusive", "config_error"),
        "locked": ("failure", "inconclusive", "incident_repo_unreachable"),
    }, run.said
    assert steps["held"].outputs["incident-id"] == "INC-1"
    assert "INC-1" in steps["held"].summary
    assert (place.given.git, place.job.git) == ({"read"}, {"read"})
    assert "a module of the workspace was run" not in run.said


def test_the_canary_of_a_second_repository_passes_holds_and_its_failure_is_declared_there(place: Place) -> None:
    """The pull request is opened where the records are, not in the repository whose job it was."""
    checkout = (
        "- uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1\n"
        f"  with: {{repository: {place.records.name}, path: records, token: '${{{{ secrets.RECORDS_TOKEN }}}}',"
        " persist-credentials: false}"
    )
    given = {
        "gate": "gates/smoke.yaml", "service": "checkout", "repo": "records", "token": "${{ secrets.RECORDS_TOKEN }}",
        "declare-on-fail": "true", "severity": "SEV2", "on-fail": "echo back > ../back.txt",
    }  # fmt: skip
    run = place.run(
        checkout,
        uses("canary-gate", **given, commands="smoke=true"),
        named("bad", uses("canary-gate", **given, commands="smoke=false")),
    )
    good, bad = step_of(run, "canary-gate"), run.jobs["pipe"].steps["bad"]
    assert (good.outcome, good.outputs["verdict"]) == ("success", "pass"), run.said
    assert good.summary.startswith("## Canary: pass: ")
    assert (bad.outcome, bad.outputs["verdict"], bad.outputs["rollback"]) == ("failure", "fail", "done"), run.said
    (pull,) = place.records.ask("/pulls?state=open")
    assert bad.outputs["pull-request"] == pull["html_url"]
    assert pull["head"]["ref"] == f"incident-ops/declare/{bad.outputs['incident-id']}"
    assert place.shop.ask("/pulls?state=all") == []
    hold(place)
    run = place.run(checkout, uses("canary-gate", **given, commands="smoke=true"))
    held = step_of(run, "canary-gate")
    assert (held.outcome, held.outputs["verdict"], held.outputs["incident-id"]) == ("failure", "frozen", "INC-1")
    assert "a module of the workspace was run" not in run.said


def test_a_pipeline_declares_an_incident_once(place: Place) -> None:
    """By the address of the records: a branch, a pull request, the outputs and the summary; the second time in the same
    run it is the same incident. Texts of a stranger are text, in the log too."""
    given = {
        "title": TITLE, "service": "checkout\n  search\n", "severity": "SEV2", "records": place.address,
        "description": "--drill\n::error::x", "token": "${{ secrets.RECORDS_TOKEN }}", "by": "@carol", "drill": "true",
    }  # fmt: skip
    again = named("again", uses("declare", **given))
    run = place.run(uses("declare", **given), again, SAY)
    first, second = step_of(run, "declare"), run.jobs["pipe"].steps["again"]
    assert (first.outcome, second.outcome) == ("success", "success"), run.said
    name = first.outputs["incident-id"]
    (pull,) = place.records.ask("/pulls?state=open")
    wanted = {"incident-id": name, "branch": f"incident-ops/declare/{name}", "pull-request": pull["html_url"]}
    assert first.outputs == wanted
    assert second.outputs == wanted
    assert pull["head"]["ref"] == wanted["branch"]
    assert place.shop.ask("/pulls?state=all") == []
    text = place.records.folder.git("--git-dir", str(place.records.temp / "origin.git"), "show",
                                    f"{wanted['branch']}:incidents/{name}/incident.yaml")  # fmt: skip
    record = yaml.safe_load(text)
    assert (record["title"], record["services"]) == (TITLE, ["checkout", "search"])
    assert (record["description"], record["severity"], record["drill"]) == (given["description"], "SEV2", True)
    assert record["timeline"][0]["by"] == "@carol"
    assert record["source"]["dedup_key"].endswith(": checkout search")
    assert record["source"]["dedup_key"].startswith(f"{place.shop.name} run ")
    assert first.summary.startswith(f"## {name}: ")
    assert pull["html_url"] in first.summary
    assert "declared already under this key" in second.log
    assert "##[error]" not in first.log
    assert "pwned" not in run.jobs["pipe"].steps["python"].log
    assert place.given.refused == []
    assert needed(place.given.asked, place.given.git) == {"contents": "write", "pull-requests": "write"}
    assert place.job.git == {"read"}
    assert place.job.asked == set()
    assert "a module of the workspace was run" not in run.said


def test_a_declaration_that_does_not_arrive_is_red(place: Place) -> None:
    """No such service, no level, a token that may only read, an address that is none: red, and nothing is named that
    is not there. A checkout of the records does as well as their address."""
    read_only = JobToken(place.records, {"contents": "read"})
    checkout = (
        "- uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1\n"
        f"  with: {{repository: {place.records.name}, path: records, token: '${{{{ secrets.RECORDS_TOKEN }}}}',"
        " persist-credentials: false}"
    )
    good = {"title": "Import failed", "service": "search", "severity": "SEV3", "records": place.address,
            "token": "${{ secrets.RECORDS_TOKEN }}"}  # fmt: skip
    wrong = {
        "service": {"service": "--help"},
        "level": {"severity": ""},
        "token": {"token": read_only.text},
        "protocol": {"records": "ext::sh -c 'touch pwned'"},
        "elsewhere": {"records": "https://localhost:1/acme/records"},
    }
    steps = [named(name, uses("declare", **{**good, **more})) for name, more in wrong.items()]
    folder = uses("declare", **{**good, "records": "records", "key": "import 2025-01-26"})
    run = place.run(checkout, *steps, folder, SAY)
    steps_run = run.jobs["pipe"].steps
    assert {name: steps_run[name].outcome for name in wrong} == dict.fromkeys(wrong, "failure"), run.said
    assert {name: steps_run[name].outputs.get("pull-request", "") for name in wrong} == dict.fromkeys(wrong, "")
    assert steps_run["token"].outputs["branch"] == ""
    assert "was not sent::" in steps_run["token"].log
    assert "pwned" not in steps_run["python"].log
    arrived = step_of(run, "declare")
    assert arrived.outcome == "success", run.said
    (pull,) = place.records.ask("/pulls?state=open")
    assert arrived.outputs["pull-request"] == pull["html_url"]


def test_what_is_set_up_is_one_command(place: Place) -> None:
    """And the version that it says."""
    use = (
        '- name: use\n  run: incident-ops --version && cd / && incident-ops --repo "$GITHUB_WORKSPACE" validate || true'
    )
    run = place.run(uses("setup"), use, SAY)
    step = step_of(run, "setup")
    assert step.outcome == "success", run.said
    assert step.outputs["version"] == run.jobs["pipe"].steps["use"].log.splitlines()[0]
    assert "a module of the workspace was run" not in run.said
