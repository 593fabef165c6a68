"""One night by workflows and nothing else, and no schedule ever comes: from the pull request that declares to the
action item that is done."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.scene import ok
from tests.support.http_sink import HttpSink
from tests.support.standin import LOGIN, PERSON
from tests.workflows.act import Hosted, Machine, WholeRun
from tests.workflows.people import issue_of, must_be_mergeable, person_changes, person_ticks

pytestmark = [pytest.mark.slow, pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])]
POLICY = f"""\
extends: sev0-3
tracker: {{identities: [{LOGIN}]}}
notify: {{incident_channel: {{create: false}}}}
watch: {{ranks: [1, 2]}}
levels:
- {{id: SEV0, channels: [chat, pagerduty], audiences: []}}
- {{id: SEV1, channels: [chat], audiences: []}}
escalation: {{tiers: [{{id: on-call, wait: {{SEV0: 10m, SEV1: 10m}}}}]}}
contacts:
  roles: {{on_call: ["@alice"], secondary: ["@bob"], manager: ["@bob"]}}
  "@alice": {{channels: [chat]}}
  "@bob": {{channels: [chat]}}
"""
SERVICES = 'services:\n  api:\n    owner: "@alice"\n    pager_key_env: PAGER_KEY\n'
WORKFLOWS = ("validate.yml", "reconcile.yml", "sla.yml", "tick.yml", "watch.yml")
STEP = timedelta(minutes=10)  # so long the first of the ladder has
LEFT = timedelta(minutes=6)  # of it, as the night begins


class Night:
    """The repository and its people. Nothing but workflows acts on it; people merge, tick boxes and close issues."""

    def __init__(self, runner: Machine, temp: Path, sink: HttpSink) -> None:
        self.sink, self.temp = sink, temp
        self.records = Hosted(runner, temp, policy=POLICY, services=SERVICES)
        self.records.install(*WORKFLOWS)
        self.records.push()
        self.secrets = {
            "INCIDENT_OPS_CHANNEL_CHAT": sink.address("/200"),
            "PAGER_KEY": "0123456789abcdef0123456789abcdef",
        }

    def run(self, workflow: str, event: str, payload: dict[str, Any] | None = None, **more: Any) -> WholeRun:
        """A workflow, which ends well."""
        done = self.records.run(workflow, event, payload, secrets=self.secrets, **self.machine, **more)
        assert done.code == 0, done.said
        return done

    @property
    def machine(self) -> dict[str, str]:
        """What the runner has beside: where PagerDuty is."""
        return {"INCIDENT_OPS_PAGER_URL": self.sink.url}

    def titles(self) -> list[str]:
        """What chat was sent."""
        return [one.data["title"] for one in self.sink.taken if "title" in one.data]

    def read(self, name: str) -> str:
        """A file as it is merged."""
        return (self.records.folder.path / name).read_text(encoding="utf-8")

    def alert(self) -> list[str]:
        """What the pager was asked to do, in order."""
        return [one.data["event_action"] for one in self.sink.taken if "event_action" in one.data]

    def does(self, key: str, action: str, **change: Any) -> WholeRun:
        """A person changes an issue, and GitHub starts `reconcile.yml` for it."""
        return self.run("reconcile.yml", "issues", person_changes(self.records, key, action, **change))

    def merge(self, branch: str) -> None:
        """A person merges the pull request of a branch, which has its status, and GitHub starts `reconcile.yml`."""
        folder = self.records.folder
        folder.git("fetch", "--quiet", "origin", branch)
        must_be_mergeable(self.records, branch, folder.git("rev-parse", "FETCH_HEAD").strip())
        folder.git("merge", "--quiet", "--no-edit", "FETCH_HEAD")
        self.push()

    def push(self) -> WholeRun:
        """What is in the folder is merged, and GitHub starts `reconcile.yml`."""
        return self.run("reconcile.yml", "push", {"after": self.records.push(), "ref": "refs/heads/main"})

    def alarm_clock(self, sleeper: ThreadPoolExecutor) -> Any:
        """`watch.yml`, beside all that follows."""
        beside = copy.copy(self.records)
        beside.temp = self.temp / "beside"
        beside.temp.mkdir()
        started = sleeper.submit(beside.run, "watch.yml", "workflow_dispatch", secrets=self.secrets, **self.machine)
        time.sleep(5)  # it reads the folder of workflows as it begins
        return started


@contextmanager
def ended_at_once(night: Night) -> Iterator[None]:
    """Where the block fails, what it started is ended: nobody waits for an alarm clock that stays awake."""
    try:
        yield
    except BaseException:
        night.records.end()
        raise


def test_what_goes_on_is_ended_where_a_test_fails(runner: Machine, tmp_path: Path, sink: HttpSink) -> None:
    """Within seconds, not with the alarm clock's own time."""
    night = Night(runner, tmp_path, sink)
    night.records.folder.put("INC-1", severity="SEV0", times="{declared: 2025-01-26T12:05:00Z}")
    night.records.push()

    def fails() -> None:
        with ThreadPoolExecutor(1) as sleeper, ended_at_once(night):
            watching.append(night.alarm_clock(sleeper))
            assert not watching[0].done()
            raise ZeroDivisionError

    watching: list[Any] = []
    assert night.records.machine.full.is_dir()  # it takes its time to be made
    began = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        fails()
    assert time.monotonic() - began < 60
    assert watching[0].result().code != 0


def test_a_night(runner: Machine, tmp_path: Path, sink: HttpSink) -> None:
    """Two incidents are declared by one pull request; one is taken by a tick on its issue, the other by nobody."""
    night = Night(runner, tmp_path, sink)
    declared = datetime.now(UTC) - STEP + LEFT
    times = f"{{declared: {declared:%Y-%m-%dT%H:%M:%SZ}}}"
    items = "\n- {id: AI-1, title: Mend the login, status: open, owner: '@alice'}"
    night.records.folder.put("INC-1", severity="SEV0", times=times, action_items=items)
    night.records.folder.put("INC-2", title="Payments are slow", severity="SEV1", times=times)
    judged = night.run("validate.yml", "pull_request", night.records.propose("declare"), ref="refs/pull/1/merge")
    assert set(judged.conclusions().values()) == {"success"}
    night.records.folder.git("merge", "--quiet", "declare")

    night.push()
    assert night.alert() == ["trigger"]
    assert "SEV0 Login fails - Declared (INC-1)" in night.titles()
    assert issue_of(night.records, "INC-1/AI-1")["state"] == "open"
    (asked,) = night.records.github.dispatches(night.records.name)
    assert "watch.yml" in str(asked), asked

    with ThreadPoolExecutor(1) as sleeper, ended_at_once(night):
        watching = night.alarm_clock(sleeper)
        night.run("reconcile.yml", "issues", person_ticks(night.records, "INC-1"))
        assert night.alert() == ["trigger", "acknowledge"]
        night.merge("incident-ops/people/INC-1")
        taken = night.read("incidents/INC-1/incident.yaml")
        assert "acknowledged:" in taken

        last = declared + STEP + timedelta(minutes=2)
        called = "SEV1 Payments are slow - Nobody answered within 10m"
        while not any(one.startswith(called) for one in night.titles()) and datetime.now(UTC) < last:
            time.sleep(2)
        assert any(one.startswith(called) for one in night.titles()), night.titles()
        assert not [one for one in night.titles() if "Login fails - Nobody answered" in one]

        for incident in ("INC-1", "INC-2"):
            by = ("--restored", "now", "--cause", "deploy", "--what", "A token expired", "--by", "@alice")
            ok(night.records.folder, "resolve", incident, *by, clock=None)
        ok(night.records.folder, "render", clock=None)
        night.push()
        assert night.alert()[-1] == "resolve"
        ended = watching.result(timeout=240)
        assert ended.code == 0, ended.said
        assert "nobody has to be awake any more" in ended.jobs["watch"].log

    assert "INC-1" in night.read("incidents/INC-1/incident.md")
    night.does("INC-1/AI-1", "closed", state="closed", state_reason="completed")
    night.merge("incident-ops/people/INC-1")
    record = night.read("incidents/INC-1/incident.yaml")
    assert "status: done" in record
    assert f"@{PERSON}" in record
    sent, issues = len(sink.taken), night.records.ask("/issues?state=all&per_page=100")
    night.push()
    assert len(sink.taken) == sent
    assert [one["state"] for one in issues] == [
        one["state"] for one in night.records.ask("/issues?state=all&per_page=100")
    ]
