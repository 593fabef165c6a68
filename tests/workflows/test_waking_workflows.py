"""The workflows that wake a run, each run whole as a repository of records has it installed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from incident_ops.domain.run_cost import TICK, WATCH
from tests.support.http_sink import HttpSink
from tests.support.standin import LOGIN
from tests.workflows.act import Hosted, Machine, WholeRun

pytestmark = [pytest.mark.slow, pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])]
POLICY = f"""\
extends: sev0-3
tracker: {{identities: [{LOGIN}]}}
notify: {{incident_channel: {{create: false}}}}
levels:
- {{id: SEV0, channels: [chat]}}
- {{id: SEV2, channels: [chat]}}
"""


@pytest.fixture
def records(runner: Machine, tmp_path: Path) -> Hosted:
    """A repository with no incident yet, and the three workflows."""
    made = Hosted(runner, tmp_path, policy=POLICY)
    made.install("reconcile.yml", TICK, WATCH)
    return made


def declare(records: Hosted, severity: str, minutes: float) -> None:
    """An incident of so many minutes ago is merged."""
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    records.folder.put("INC-1", severity=severity, times=f"{{declared: {at:%Y-%m-%dT%H:%M:%SZ}}}")
    records.push()


def run(records: Hosted, file: str, sink: HttpSink, event: str = "workflow_dispatch") -> WholeRun:
    done = records.run(file, event, secrets={"INCIDENT_OPS_CHANNEL_CHAT": sink.address("/200")})
    assert done.code == 0, done.said
    return done


def started(records: Hosted) -> list[str]:
    return [one["file"] for one in records.github.dispatches(records.name)]


def state(records: Hosted, file: str) -> str:
    return str(records.ask(f"/actions/workflows/{file}")["state"])


def test_a_push_that_declares_the_worst_starts_the_alarm_clock(records: Hosted, sink: HttpSink) -> None:
    """Once, and the tick stays on."""
    declare(records, "SEV0", 1)
    done = run(records, "reconcile.yml", sink, "push")
    assert started(records) == [WATCH]
    assert f"the alarm clock ({WATCH}) is started for INC-1: it is open, of rank 1" in done.said
    run(records, "reconcile.yml", sink, "push")
    assert started(records) == [WATCH]
    assert state(records, TICK) == "active"


def test_the_tick_notifies_and_ends_itself_where_nothing_is_due(records: Hosted, sink: HttpSink) -> None:
    declare(records, "SEV2", 70)
    run(records, TICK, sink, "schedule")
    assert any("Response of SEV2 was due" in title for title in sink.titles)
    assert (state(records, TICK), started(records)) == ("active", [])
    at = datetime.now(UTC)
    records.folder.put("INC-1", severity="SEV2", state="closed", outcome="false_alarm", times="{declared: "
                       f"{at:%Y-%m-%dT%H:%M:%SZ}, closed: {at:%Y-%m-%dT%H:%M:%SZ}}}")  # fmt: skip
    records.push()
    run(records, TICK, sink, "schedule")
    assert state(records, TICK) == "disabled_manually"


def test_the_alarm_clock_ends_at_once_where_nobody_has_to_be_awake(records: Hosted, sink: HttpSink) -> None:
    declare(records, "SEV2", 1)
    done = run(records, WATCH, sink)
    assert "the alarm clock ends: nobody has to be awake any more" in done.said
    assert set(sink.titles) == {"SEV2 Login fails - Declared (INC-1)"}


def test_at_its_limit_it_says_so_and_leaves_the_rest_to_the_tick(records: Hosted, sink: HttpSink) -> None:
    records.folder.write("policy.yaml", f"{POLICY}watch: {{minutes: {{incident: 0}}}}\n")
    declare(records, "SEV0", 1)
    for _ in range(2):
        run(records, WATCH, sink)
    assert len([one for one in sink.titles if "No alarm clock from here on" in one]) == 1
    assert (state(records, TICK), started(records)) == ("active", [])
