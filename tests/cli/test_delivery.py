"""`sla check` knows what was delivered, who wrote the ledger, and when the last complete run was."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from incident_ops.adapters import clock
from incident_ops.domain.notification import pair
from incident_ops.domain.time import parse_instant
from tests.cli.test_apply_notices import ESCALATION, TEAM, Place, place  # noqa: F401 - a fixture
from tests.cli.test_reached import DANA, ladder  # noqa: F401 - a fixture
from tests.support.http_sink import HttpSink

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
AT = "2025-01-26T14:00:00Z"


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """The real clock stands where a test puts it."""

    def put(at: str) -> None:
        now: datetime = parse_instant(at)
        monkeypatch.setattr(clock, "now", lambda: now)

    put(AT)
    return put


def check(place: Place, *args: str, at: str = AT) -> dict[str, Any]:  # noqa: F811
    """The JSON of `sla check`."""
    done = place.call("sla", "check", "--format", "json", *args, clock=at)
    assert done.code == 0, done
    return dict(json.loads(done.out))


def fetch(place: Place) -> None:  # noqa: F811
    """What a person's `git fetch` brings."""
    place.folder.git("fetch", "--quiet", "origin")


def test_what_was_delivered_is_not_due(place: Place, frozen: Callable[[str], None]) -> None:  # noqa: F811
    """Before the run four are due; after it none, on GitHub at once and on a laptop once it has fetched."""
    before = check(place, "--tracker", "github")
    assert len(before["obligations"]) == 4
    assert before["lag_seconds"] == 6900
    assert place.apply().code == 0
    after = check(place, "--tracker", "github", at="2025-01-26T14:04:00Z")
    assert (after["obligations"], after["lag_seconds"], after["notices"]["delivered"]) == ([], 0, 4)
    assert len(check(place)["obligations"]) == 4, "nothing was fetched yet"
    fetch(place)
    shown = place.call("sla", "check", clock="2025-01-26T14:04:00Z")
    assert "Notifications due" not in shown.out
    assert "Delivered already, by the ledger: 4 notifications (as last fetched; its newest line is 4m old" in shown.out
    assert "Last complete run: 2025-01-26 14:00 UTC" in shown.out


def test_a_failed_notice_is_still_due(
    place: Place,  # noqa: F811
    sink: HttpSink,
    frozen: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One channel is down: what it should have carried is due, and as late as it is."""
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_SLACK", sink.address("/500"))
    assert place.apply().code == 4
    fetch(place)
    found = check(place, at="2025-01-26T14:04:00Z")
    assert len(found["obligations"]) == 4
    assert found["lag_seconds"] == 7140
    assert "last_run" not in found, "it was not complete"


def test_the_embedded_tracker_and_plan_agree(place: Place) -> None:  # noqa: F811
    """What is recorded and not sent is planned by nobody and due for nobody, and one line says what it is."""
    assert place.call("apply", "--tracker", "local").code == 0
    plan = json.loads(place.call("plan", "--tracker", "local", "--format", "json").out)
    assert [one for one in plan["changes"] if one["action"] == "notify"] == []
    shown = place.call("sla", "check").out
    assert "Notifications due" not in shown
    assert "Recorded, not sent: 4 notifications; with the embedded tracker nobody is notified" in shown
    counts = {"delivered": 0, "recorded": 4, "without_report": 0, "not_confirmed": 0, "ledger_at": None}
    assert check(place)["notices"] == counts


def test_a_forged_line_is_seen(place: Place, sink: HttpSink, frozen: Callable[[str], None]) -> None:  # noqa: F811
    """Somebody writes into the ledger that the escalation was sent: it silences the run, and `sla check` says so."""
    assert place.apply(clock="2025-01-26T12:30:00Z").code == 0
    fetch(place)
    git = place.folder.git
    git("checkout", "--quiet", "-B", "forged", "origin/incident-ops/ledger")
    ledger = place.folder.path / "ledger"
    lines = ledger.read_text().splitlines()
    forged = [pair(f"{ESCALATION}/{TEAM}", channel) for channel in ("slack", "ticket")]
    at = "2025-01-26T12:00:00Z"
    lines += [f"{one.digest} {one.channel} {at} {at}" for one in forged]
    ledger.write_text("".join(f"{line}\n" for line in sorted(lines)))
    git("commit", "--quiet", "--all", "--message", "Ledger of incident-ops")
    git("push", "--quiet", "origin", "forged:incident-ops/ledger")
    git("checkout", "--quiet", "main")
    fetch(place)
    said = "The ledger calls 2 notices sent that no run reports to have sent; who wrote that: git log -p"
    assert said in " ".join(place.call("sla", "check").out.split())
    assert check(place, "--tracker", "github")["notices"]["without_report"] == 2


def test_blind_time_is_measured(place: Place, frozen: Callable[[str], None]) -> None:  # noqa: F811
    """Three hours after the last complete run `sla check` says so."""
    assert place.apply().code == 0
    fetch(place)
    shown = place.call("sla", "check", clock="2025-01-26T17:10:00Z").out
    assert "No complete run for 3h 10m, since 2025-01-26 14:00 UTC" in shown
    found = check(place, at="2025-01-26T17:10:00Z")
    assert (found["last_run"], found["blind_seconds"]) == ("2025-01-26T14:00:00Z", 11400)


@pytest.mark.slow
def test_a_complete_run_pings_the_monitor(
    place: Place,  # noqa: F811
    sink: HttpSink,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once, with its query; a monitor that refuses is told without the address; an incomplete run pings nobody."""
    beat = sink.address("/200/secret-token?status=up").replace("jsons://", "http://").replace("json://", "http://")
    monkeypatch.setenv("INCIDENT_OPS_HEARTBEAT_URL", beat.replace("/200/secret-token", "/200"))
    assert place.apply().code == 0
    assert [(one.method, one.path) for one in sink.taken if one.path == "/200?status=up"] == [("GET", "/200?status=up")]
    monkeypatch.setenv("INCIDENT_OPS_HEARTBEAT_URL", f"{sink.url}/500?key=secret-token")
    refused = place.apply()
    assert refused.code == 4
    assert "the heartbeat was not taken: its monitor answered 500" in refused.err
    assert "secret-token" not in refused.err + refused.out
    monkeypatch.setenv("INCIDENT_OPS_HEARTBEAT_URL", "http://169.254.169.254/secret-token")
    guarded = place.apply()
    assert "a link-local address" in guarded.err
    assert "secret-token" not in guarded.err


def test_a_run_without_notices_is_not_complete(place: Place, sink: HttpSink, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """`--no-notify` leaves notices to another run, so it pings nobody."""
    monkeypatch.setenv("INCIDENT_OPS_HEARTBEAT_URL", f"{sink.url}/200")
    assert place.apply("--no-notify").code == 0
    assert [one for one in sink.taken if one.method == "GET"] == []


@pytest.mark.slow
def test_a_notice_that_never_got_an_answer_is_not_confirmed(
    ladder: Place,  # noqa: F811
    sink: HttpSink,
    frozen: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tried twice, then given up: still due, named as not confirmed, `failed` in the record; a person may send it."""
    low = DANA.replace("id: SEV1", "id: SEV2").replace("escalate_at: 1h", "escalate_at: 1h, calendar: 24x7")
    ladder.folder.put(severity="SEV2")
    ladder.push()
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_CHAT", sink.address("/cut?to=dana"))
    ladder.folder.write("policy.yaml", low.replace("channels: [sms]", "channels: [chat]"))
    ladder.push()
    for at, code in (("14:00", 4), ("14:20", 4), ("14:40", 0), ("15:00", 0)):
        frozen(f"2025-01-26T{at}:00Z")
        done = ladder.apply(clock=f"2025-01-26T{at}:00Z")
        assert done.code == code, done
    assert sum(one.path.startswith("/cut") for one in sink.taken) == 2
    written = ladder.proposed().partition("escalations:")[2]
    assert "failed:" in written
    assert "notified:" not in written
    shown = ladder.call("sla", "check", "--tracker", "github", clock="2025-01-26T15:00:00Z").out
    assert "Notifications due: 1" in shown
    assert "Not confirmed: 1 notice (INC-1 to @dana by chat): two tries got no answer" in " ".join(shown.split())
    found = check(ladder, "--tracker", "github", at="2025-01-26T15:00:00Z")
    assert found["notices"]["not_confirmed"] == 1
    assert found["lag_seconds"] == 3300


@pytest.mark.slow
def test_an_alert_that_ends_to_ring_anew_says_so(
    place: Place,  # noqa: F811
    frozen: Callable[[str], None],
) -> None:
    """An answer that was taken back: the pager would add to the alert without ringing, so it is ended first."""
    frozen("2025-01-26T13:59:00Z")
    place.apply(clock="2025-01-26T13:59:00Z")
    place.folder.put(state="in_progress", times="{declared: 2025-01-26T12:05:00Z, acknowledged: 2025-01-26T12:07:00Z}")
    place.push()
    place.apply(clock="2025-01-26T13:59:00Z")
    frozen("2025-01-26T14:00:00Z")
    place.folder.put()
    place.push()
    alert = [one for one in place.plan()["changes"] if one["key"].startswith("INC-1/alert/")]
    ends, rings = sorted(alert, key=lambda one: "before#resolved" not in one["key"])
    assert ends["reason"] == "the alert from before ends, so that it rings anew"
    shown = place.call("plan", "--tracker", "github").out
    assert (
        "notify team by pagerduty: SEV1 Login fails - the alert from before ends, so that it rings anew (INC-1)"
        in shown
    )
    assert rings["fields"]["channels"] == ["pagerduty"]
