"""What people do in the pager comes back: acknowledged there, resolved there, an alert that it lost, a pager that is
down."""

from __future__ import annotations

import json
from typing import Any

import pytest

from incident_ops.domain.time import parse_instant
from tests.cli.scene import Done
from tests.cli.test_apply_notices import ALERT, LADDER, LEVEL, OURS, Place, pages, place  # noqa: F401 - a fixture
from tests.support.http_sink import HttpSink
from tests.support.pager_state import ANN, API_TOKEN, STRANGER, PagerDesk

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
BRANCH = "incident-ops/people/INC-1"
OPENED, ACKED, LATER = "2025-01-26T12:06:00Z", "2025-01-26T12:09:00Z", "2025-01-26T12:24:00Z"


@pytest.fixture
def desk(place: Place, sink: HttpSink, monkeypatch: pytest.MonkeyPatch) -> PagerDesk:  # noqa: F811
    """The pager of the incident, opened by a run at 12:06; @ann is known by her user id there."""
    made = PagerDesk(sink)
    monkeypatch.setenv("PAGERDUTY_API_TOKEN", API_TOKEN)
    monkeypatch.setenv("INCIDENT_OPS_PAGER_API_URL", sink.url)
    contact = f"contacts: {{'@ann': {{pagerduty: {ANN[0]}}}, tiers"
    ladder = LADDER.replace("contacts: {tiers", contact).replace("tier: 1}", "tier: 1, wait: 5m}")
    place.folder.write("policy.yaml", f"{OURS}{LEVEL}{ladder}")
    place.push()
    called = place.call

    def call(*args: str, clock: str) -> Done:
        """The ledger's times are those of the machine's clock, which is `--at` here."""
        monkeypatch.setattr("incident_ops.adapters.clock.now", lambda: parse_instant(clock))
        return called(*args, clock=clock)

    monkeypatch.setattr(place, "call", call)
    return made


def opened(place: Place) -> str:  # noqa: F811
    """A first run rings; the key of the alert."""
    assert place.apply(clock=OPENED).code == 0
    return f"{place.repository}/INC-1"


def without_ladder(place: Place) -> None:  # noqa: F811
    """No step comes due before an hour has passed."""
    text = (place.folder.path / "policy.yaml").read_text()
    place.folder.write("policy.yaml", text.replace("wait: 5m", "wait: 1h"))
    place.push()


def proposed(place: Place) -> str:  # noqa: F811
    place.folder.git("fetch", "--quiet", "origin", BRANCH)
    return place.folder.git("show", "FETCH_HEAD:incidents/INC-1/incident.yaml")


def people_edits(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in plan["changes"] if (one["action"], one["kind"]) == ("edit", "pager")]


@pytest.mark.slow
def test_an_acknowledgement_in_the_pager_is_one(place: Place, desk: PagerDesk, sink: HttpSink) -> None:  # noqa: F811
    """The ladder and the late response are over in that run; the record gets who and when by a pull request."""
    key = opened(place)
    before = place.plan(clock=LATER)
    assert {"ladder", "response"} <= {one["key"].split("/")[1] for one in before["changes"] if "/" in one["key"]}
    desk.acts(key, "acknowledged", ANN, ACKED)
    plan = place.plan(clock=LATER)
    (edit,) = people_edits(plan)
    assert edit["reason"] == "@ann acknowledged its alert in PagerDuty at 2025-01-26 12:09 UTC"
    assert not {"ladder", "response"} & {one["key"].split("/")[1] for one in plan["changes"] if "/" in one["key"]}
    done = place.apply(clock=LATER)
    assert (done.code, done.err) == (0, "")
    text = proposed(place)
    for line in ("state: in_progress", "acknowledged: 2025-01-26T12:09:00Z", '"@ann"', "Acknowledged in PagerDuty"):
        assert line in text
    (pull,) = (one for one in place.ask("GET", "/pulls") if one["head"]["ref"] == BRANCH)
    assert pull["title"] == "INC-1: what people did in the pager"
    assert pull["body"].splitlines()[0] == "What people did in the pager, for the record of INC-1:"
    assert [action for action, _ in pages(sink)] == ["trigger", "acknowledge"]
    again = place.plan(clock=LATER)
    assert again["changes"] == []
    assert any(one["reason"].startswith("waiting in #") for one in again["kept"])


@pytest.mark.slow
def test_once_it_is_merged_nothing_is_left(place: Place, desk: PagerDesk) -> None:  # noqa: F811
    key = opened(place)
    desk.acts(key, "acknowledged", ANN, ACKED)
    assert place.apply(clock=LATER).code == 0
    place.folder.git("fetch", "--quiet", "origin", BRANCH)
    place.folder.git("merge", "--quiet", "--no-edit", "FETCH_HEAD")
    place.folder.git("push", "--quiet", "origin", "main")
    assert place.apply(clock="2025-01-26T12:25:00Z").code == 0
    assert people_edits(place.plan(clock="2025-01-26T12:26:00Z")) == []
    assert place.call("validate", "incidents", clock=LATER).code == 0


@pytest.mark.slow
def test_somebody_unknown_is_named_and_gets_no_handle(place: Place, desk: PagerDesk) -> None:  # noqa: F811
    key = opened(place)
    desk.acts(key, "acknowledged", STRANGER, ACKED)
    done = place.apply(clock=LATER)
    assert (done.code, done.err) == (0, "")
    text = proposed(place)
    assert "Acknowledged in PagerDuty by Bob Jones (PBOB002)" in text
    assert "by: " not in text
    assert "assignments" not in text


@pytest.mark.slow
def test_resolved_there_is_an_acknowledgement_and_the_record_stays_open(
    place: Place,  # noqa: F811
    desk: PagerDesk,
    sink: HttpSink,
) -> None:
    """It is said on the issue; our own acknowledgement of the resolved key brings nothing back."""
    key = opened(place)
    desk.acts(key, "resolved", ANN, ACKED)
    done = place.apply(clock=LATER)
    assert (done.code, done.err) == (0, "")
    assert "state: in_progress" in proposed(place)
    (issue,) = place.ask("GET", "/issues?state=open&labels=incident")
    comments = "\n".join(one["body"] for one in place.ask("GET", f"/issues/{issue['number']}/comments"))
    assert "resolved the alert in PagerDuty" in comments
    assert "the record is still open" in comments
    assert [one["status"] for one in desk.incidents] == ["resolved"]
    assert [action for action, _ in pages(sink)] == ["trigger", "acknowledge"]
    assert place.plan(clock=LATER)["changes"] == []


@pytest.mark.slow
def test_what_we_did_there_ourselves_counts_for_nobody(place: Place, desk: PagerDesk) -> None:  # noqa: F811
    """A snooze ended the alert: nobody acknowledged it."""
    opened(place)
    snooze = "{at: 2025-01-26T12:08:00Z, until: 2025-01-26T13:00:00Z, by: '@ann', reason: lunch}"
    place.folder.put(snooze=snooze)
    place.push()
    assert place.apply(clock="2025-01-26T12:10:00Z").code == 0
    assert [one["status"] for one in desk.incidents] == ["resolved"]
    assert people_edits(place.plan(clock="2025-01-26T12:12:00Z")) == []
    assert people_edits(place.plan(clock="2025-01-26T13:01:00Z")) == []


@pytest.mark.slow
def test_an_alert_that_the_pager_lost_is_sent_once_more(place: Place, desk: PagerDesk, sink: HttpSink) -> None:  # noqa: F811
    """It answered 202 and knows nothing: said, sent again under the same key, and not a third time."""
    desk.loses = True
    without_ladder(place)
    key = opened(place)
    soon = place.plan(clock="2025-01-26T12:08:00Z")
    assert [one["key"] for one in soon["changes"]] == [], "it may take a moment"
    words = "PagerDuty does not know the alert of INC-1"
    plan = place.plan(clock="2025-01-26T12:12:00Z")
    assert [one["key"] for one in plan["changes"] if "/alert/" in one["key"]] == [f"{ALERT}/again"]
    assert any(words in one["reason"] for one in plan["kept"])
    checked = place.call("sla", "check", "--tracker", "github", clock="2025-01-26T12:12:00Z")
    assert words in checked.out
    for clock in ("2025-01-26T12:12:00Z", "2025-01-26T12:18:00Z"):
        assert place.apply(clock=clock).code == 0
    assert pages(sink) == [("trigger", key)] * 2
    (said,) = [one["reason"] for one in place.plan(clock="2025-01-26T12:18:00Z")["kept"] if words in one["reason"]]
    assert said == (
        f"{words}, sent at 2025-01-26 12:06 UTC and again at 2025-01-26 12:12 UTC: check its routing key, and what "
        "PAGERDUTY_API_TOKEN may see"
    )


@pytest.mark.slow
def test_an_alert_that_arrives_the_second_time_is_silent(place: Place, desk: PagerDesk, sink: HttpSink) -> None:  # noqa: F811
    """Nothing is said of it any more, and it can be acknowledged there."""
    desk.loses = True
    without_ladder(place)
    key = opened(place)
    desk.loses, desk.at = False, "2025-01-26T12:12:00Z"
    assert place.apply(clock=desk.at).code == 0
    assert pages(sink) == [("trigger", key)] * 2
    assert [one for one in place.plan(clock="2025-01-26T12:13:00Z")["kept"] if one["kind"] == "pager"] == []
    desk.acts(key, "acknowledged", ANN, "2025-01-26T12:14:00Z")
    assert len(people_edits(place.plan(clock="2025-01-26T12:15:00Z"))) == 1


@pytest.mark.slow
def test_a_pager_that_is_down_stops_nothing_and_acknowledges_nothing(
    place: Place,  # noqa: F811
    desk: PagerDesk,
    sink: HttpSink,
) -> None:
    """One line, exit code 4, the notices of other channels go out; an hour later it is read again."""
    key = opened(place)
    desk.is_down = True
    desk.acts(key, "acknowledged", ANN, ACKED)
    chat = len([one for one in sink.taken if one.path == "/200"])
    done = place.apply(clock=LATER)
    lines = [line for line in done.err.splitlines() if "PagerDuty" in line]
    assert done.code == 4
    assert lines == ["error: PagerDuty was not read back: it answered 503 (the next run asks again)"]
    assert len([one for one in sink.taken if one.path == "/200"]) > chat
    assert API_TOKEN not in done.out + done.err
    assert (
        people_edits(json.loads(place.call("plan", "--tracker", "github", "--format", "json", clock=LATER).out)) == []
    )
    checked = place.call("sla", "check", "--tracker", "github", clock=LATER)
    assert "PagerDuty was not read back" in checked.out
    desk.is_down = False
    assert len(people_edits(place.plan(clock="2025-01-26T13:24:00Z"))) == 1


@pytest.mark.slow
def test_a_token_that_is_refused_is_said_and_not_shown(
    place: Place,  # noqa: F811
    desk: PagerDesk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened(place)
    desk.asked.clear()
    monkeypatch.setenv("PAGERDUTY_API_TOKEN", "a-wrong-one")
    done = place.call("plan", "--tracker", "github", clock=LATER)
    assert done.code == 0
    assert "PagerDuty was not read back: it answered 401 (check PAGERDUTY_API_TOKEN)" in done.err
    assert "a-wrong-one" not in done.out + done.err
    assert len(desk.asked) == 1


def test_without_a_token_nobody_asks(place: Place, desk: PagerDesk, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    key = opened(place)
    desk.acts(key, "acknowledged", ANN, ACKED)
    monkeypatch.delenv("PAGERDUTY_API_TOKEN")
    desk.asked.clear()
    assert people_edits(place.plan(clock=LATER)) == []
    assert desk.asked == []


@pytest.mark.slow
def test_a_saved_look_has_what_the_pager_said(place: Place, desk: PagerDesk) -> None:  # noqa: F811
    """The plan from it is the same, and asks nobody."""
    key = opened(place)
    desk.acts(key, "acknowledged", ANN, ACKED)
    seen = place.plan("--save-observed", "seen.json", clock=LATER)
    desk.asked.clear()
    assert place.plan("--observed", "seen.json", clock=LATER)["checksum"] == seen["checksum"]
    assert desk.asked == []
    checked = place.call("sla", "check", "--observed", "seen.json", clock=LATER)
    assert "INC-1: @ann acknowledged its alert in PagerDuty at 2025-01-26 12:09 UTC" in checked.out


@pytest.mark.slow
def test_what_was_read_once_stays(place: Place, desk: PagerDesk, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """Proposed and not merged: no token, a pager that is down, and a time-out there take nothing back."""
    key = opened(place)
    desk.acts(key, "acknowledged", STRANGER, ACKED)
    assert place.apply(clock=LATER).code == 0
    before = proposed(place)
    desk.incidents[0]["status"] = "triggered"  # its acknowledgement timed out
    soon = "2025-01-26T12:26:00Z"
    assert place.plan(clock=soon)["changes"] == []
    desk.is_down = True
    down = place.plan(clock=soon)
    assert down["changes"] == []
    monkeypatch.delenv("PAGERDUTY_API_TOKEN")
    assert place.plan(clock=soon)["changes"] == []
    assert place.apply(clock=soon).code == 0
    assert proposed(place) == before
