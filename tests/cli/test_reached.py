"""What a record says of whom an escalation reached: what the ledger confirms, and nothing else."""

from __future__ import annotations

import pytest

from incident_ops.adapters import clock
from incident_ops.domain.time import parse_instant
from tests.cli.test_apply_notices import ESCALATION, OURS, POLICY, Place, place  # noqa: F401 - a fixture
from tests.support.http_sink import HttpSink

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
DANA = POLICY.replace("contacts: {", "contacts: {'@dana': {channels: [sms]}, ")


@pytest.fixture
def ladder(place: Place, sink: HttpSink, monkeypatch: pytest.MonkeyPatch) -> Place:  # noqa: F811 - a fixture
    """Tier 2 is @dana, by a channel of her own."""
    place.folder.write("policy.yaml", DANA)
    place.push()
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_SMS", sink.address("/200?to=dana"))
    return place


def entry(text: str) -> str:
    """The escalation of a record."""
    return text.partition("escalations:")[2]


def merge(place: Place) -> None:  # noqa: F811
    """The proposal is merged."""
    text = place.proposed()
    place.folder.write("incidents/INC-1/incident.yaml", text)
    place.push()


@pytest.mark.slow
def test_who_was_reached_stands_under_notified(ladder: Place) -> None:
    """Sent and confirmed: the record names her, and the next plan is empty."""
    assert ladder.apply().code == 0
    written = entry(ladder.proposed())
    assert "notified:" in written
    assert "@dana" in written
    assert "failed:" not in written
    assert ladder.plan()["changes"] == []


@pytest.mark.slow
def test_somebody_whom_no_notice_reached_stands_under_failed(
    ladder: Place, sink: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Her channel is down: `failed`. Once it answers, a later run moves her, after the merge too; then all is quiet."""
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_SMS", sink.address("/500"))
    monkeypatch.setattr(clock, "now", lambda: parse_instant("2025-01-26T14:00:00Z"))
    assert ladder.apply().code == 4
    written = entry(ladder.proposed())
    assert "notified:" not in written
    assert "failed:" in written
    merge(ladder)
    assert ladder.call("validate", "--base", "HEAD~1").code == 0
    assert ladder.call("render", "INC-1").code == 0
    made = list((ladder.folder.path / "incidents/INC-1").glob("*.md"))
    assert any("not reached yet: " in document.read_text() for document in made)
    for document in made:
        document.unlink()
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_SMS", sink.address("/200"))
    monkeypatch.setattr(clock, "now", lambda: parse_instant("2025-01-26T14:20:00Z"))
    assert ladder.apply(clock="2025-01-26T14:20:00Z").code == 0
    moved = entry(ladder.proposed())
    assert "notified:" in moved
    assert "@dana" in moved
    assert "failed:" not in moved
    assert moved.count("key:") == 1
    assert [one for one in ladder.plan(clock="2025-01-26T14:20:00Z")["changes"] if one["action"] != "update"] == []
    merge(ladder)
    checked = ladder.call("validate", "--base", "HEAD~1")
    assert checked.code == 0, checked
    assert [one for one in ladder.plan(clock="2025-01-26T14:20:00Z")["changes"] if one["kind"] == "escalation"] == []


def test_a_channel_that_is_not_set_up_reaches_nobody(ladder: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is claimed for her, and the record does not say that she was told."""
    monkeypatch.delenv("INCIDENT_OPS_CHANNEL_SMS")
    assert ladder.apply().code == 2
    written = entry(ladder.proposed())
    assert "failed:" in written
    assert "notified:" not in written


def test_held_for_a_day_writes_nothing(ladder: Place, sink: HttpSink) -> None:
    """A run that holds the notice back claims nothing; the plan says why the record is not written."""
    late = "2025-01-28T14:00:00Z"
    plan = ladder.plan(clock=late)
    told = [one for one in plan["changes"] if one["action"] == "notify" and one["key"].startswith(ESCALATION)]
    written = [one for one in plan["changes"] if one["action"] == "edit" and one["key"] == ESCALATION]
    assert bool(told) == bool(written), "written only where somebody is told"
