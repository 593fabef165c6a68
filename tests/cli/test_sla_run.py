"""`sla run`: one whole check-and-notify, by hand or from the schedulers of contrib/."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.scene import ROOT, Done
from tests.cli.test_apply_notices import ESCALATION, Place, pages, place  # noqa: F401 - a fixture
from tests.support.http_sink import HttpSink

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
CONTRIB = ROOT / "contrib"
BIN = Path(sys.executable).parent


def run(place: Place, *args: str) -> Done:  # noqa: F811
    return place.call("sla", "run", *args)


def without_comments(place: Place) -> None:  # noqa: F811
    """The level has no channel `ticket`, whose comments wait for the issue that `apply` opens."""
    place.folder.write("policy.yaml", (place.folder.path / "policy.yaml").read_text().replace(", ticket]", "]"))
    place.push()


@pytest.mark.slow
def test_it_notifies_and_writes_down_and_touches_no_issue(place: Place, sink: HttpSink) -> None:  # noqa: F811
    """Pages and chat go out once, the escalation is proposed, no issue is opened, the run is noted as complete."""
    without_comments(place)
    done = run(place)
    assert (done.code, done.err) == (0, ""), done
    assert len(pages(sink)) == 1
    assert place.ask("GET", "/issues?state=open&labels=incident") == []
    assert ESCALATION in place.proposed()
    place.folder.git("fetch", "--quiet", "origin")
    assert "complete" in place.folder.git("show", "origin/incident-ops/ledger:runs")
    assert run(place).code == 0
    assert len(pages(sink)) == 1


@pytest.mark.slow
def test_a_comment_that_waits_for_its_issue_leaves_the_run_complete(
    place: Place,  # noqa: F811
    sink: HttpSink,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Opening issues is left to `run` by design: nobody is woken by a monitor, nor is a unit of systemd failed, for it.

    The comment is named as left, and `run` writes it once it has opened the issue.
    """
    monkeypatch.setenv("INCIDENT_OPS_HEARTBEAT_URL", f"{sink.url}/202")
    for _ in range(2):
        done = run(place)
        waits = "4 notices by ticket left: INC-1 has no issue yet; the run that opens it writes the comment"
        assert (done.code, done.err) == (0, f"note: {waits}\n"), done
    assert [one.path for one in sink.taken].count("/202") == 2
    place.folder.git("fetch", "--quiet", "origin")
    assert "complete" in place.folder.git("show", "origin/incident-ops/ledger:runs")
    assert place.call("run").code == 0
    (issue,) = place.ask("GET", "/issues?state=open&labels=incident")
    assert len(place.ask("GET", f"/issues/{issue['number']}/comments")) == 4
    assert run(place).code == 0
    assert len(place.ask("GET", f"/issues/{issue['number']}/comments")) == 4


def test_a_dry_run_does_nothing(place: Place, sink: HttpSink) -> None:  # noqa: F811
    """It shows the notices and the edit, and leaves all as it is."""
    data = json.loads(run(place, "--dry-run", "--format", "json").out)
    assert {one["action"] for one in data["changes"]} == {"edit", "notify"}
    assert "notify" in run(place, "--dry-run").out
    assert sink.taken == []
    assert "incident-ops/ledger" not in place.folder.git("ls-remote", "origin")


@pytest.mark.slow
def test_a_dry_run_needs_no_token(
    place: Place,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It sends nothing: records and ledger say what is due, and a line says what it did not look at."""
    assert run(place).code == 0
    place.folder.put("INC-2", title="Payments are slow")
    place.push()
    for name in ("GITHUB_TOKEN", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    done = run(place, "--dry-run")
    assert done.code == 0, done
    assert "notify team by slack, pagerduty" not in done.out
    assert "Payments are slow - Declared (INC-2)" in done.out
    assert "by slack: SEV1 Login fails" not in done.out, "the ledger was read"
    assert done.err.splitlines() == [
        "note: GITHUB_TOKEN is not set, so GitHub was not asked: what people wrote and did on issues, and what waits "
        "in pull requests, is not in this"
    ]
    assert "GITHUB_TOKEN" in run(place).err


def test_its_json_is_that_of_apply(place: Place) -> None:  # noqa: F811
    """Each notice with its outcome; a comment without an issue is left for `run`."""
    done = run(place, "--format", "json")
    outcomes = {one["channel"]: one["outcome"] for one in json.loads(done.out)["notices"]}
    assert outcomes == {"pagerduty": "sent now", "slack": "sent now", "ticket": "left"}
    assert done.code == 0


@pytest.mark.slow
def test_exit_codes(place: Place, sink: HttpSink, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """2 for a channel that is not set up, 4 for one that fails, 2 on a pull request."""
    with monkeypatch.context() as scene:
        scene.delenv("INCIDENT_OPS_CHANNEL_SLACK")
        assert run(place).code == 2
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_SLACK", sink.address("/500"))
    assert run(place).code == 4
    monkeypatch.setenv("GITHUB_EVENT_NAME", "pull_request")
    assert run(place).code == 2


def test_with_the_embedded_tracker_nothing_is_sent(place: Place, sink: HttpSink) -> None:  # noqa: F811
    """Recorded, as `apply` does, and not noted as a run that notified anybody."""
    done = run(place, "--tracker", "local")
    assert "recorded, not sent" in done.out
    assert sink.taken == []
    assert "incident-ops/ledger" not in place.folder.git("ls-remote", "origin")


def shell(script: list[str] | str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs what a scheduler runs, with our program first on its path."""
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder), **variables}
    words = ["/bin/sh", "-euc", script] if isinstance(script, str) else script
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.slow
def test_the_job_of_kubernetes_runs(place: Place, tmp_path: Path) -> None:  # noqa: F811
    """Its file is one CronJob that never runs twice at once, and its command clones and runs."""
    without_comments(place)
    job = yaml.safe_load((CONTRIB / "kubernetes/cronjob.yaml").read_text())
    assert (job["apiVersion"], job["kind"], job["spec"]["concurrencyPolicy"]) == ("batch/v1", "CronJob", "Forbid")
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert {one["name"] for one in container["volumeMounts"]} == {one["name"] for one in pod["volumes"]}
    work = tmp_path / "work"
    work.mkdir()
    (script,) = container["args"]
    origin = place.folder.git("remote", "get-url", "origin").strip()
    done = shell(script.replace("/work/", f"{work}/"), work, RECORDS=origin)
    assert done.returncode == 0, done
    assert "complete" in place.folder.git("--git-dir", str(tmp_path / "origin.git"), "show", "incident-ops/ledger:runs")


@pytest.mark.slow
def test_the_service_of_systemd_runs(place: Place, tmp_path: Path) -> None:  # noqa: F811
    """Its commands bring a clone to the tip and run; the timer starts it."""
    without_comments(place)
    text = (CONTRIB / "systemd/incident-ops.service").read_text()
    clone = tmp_path / "records"
    place.folder.git("clone", "--quiet", place.folder.git("remote", "get-url", "origin").strip(), str(clone))
    place.push()
    commands = [line.partition("=")[2].split() for line in text.splitlines() if line.startswith("ExecStart")]
    assert commands[-1] == ["/opt/incident-ops/bin/incident-ops", "sla", "run"]
    for program, *words in commands:
        done = shell([shutil.which(Path(program).name, path=f"{BIN}:{os.environ['PATH']}") or program, *words], clone)
        assert done.returncode == 0, done
    assert "OnCalendar=" in (CONTRIB / "systemd/incident-ops.timer").read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """`systemd-analyze verify` finds nothing, but that the program is not installed here."""
    for name in ("incident-ops.service", "incident-ops.timer"):
        unit = (CONTRIB / "systemd" / name).read_text().replace("/opt/incident-ops/bin/incident-ops", "/bin/true")
        (tmp_path / name).write_text(unit)
    units = [str(tmp_path / "incident-ops.service"), str(tmp_path / "incident-ops.timer")]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done
