"""What ends, silences or holds back an alert, and what must not."""

from __future__ import annotations

from typing import Any

import pytest

from incident_ops.domain.notification import pair
from incident_ops.domain.record import Append, Set
from incident_ops.domain.time import stamp
from incident_ops.edits.finish import withdraw_incident
from incident_ops.edits.step import Step
from tests.notifications.test_nights import KEY, OTHER, PEOPLE, Scene, actions, after, handled, judge, minutes, night
from tests.support.http_sink import HttpSink
from tests.support.nights import Night
from tests.support.pager_state import ACKNOWLEDGED, OPEN, pager_state
from tests.support.policies import policy

__all__ = ["night"]
pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1"])
QUIET = "notify: {incident_channel: {create: false}}\n"
HOUR, DAY = 60, 24 * 60
OWN_PAGER = """escalation:
  tiers:
  - {id: first, tier: 1, wait: 5m, notify: ['@ann']}
  - {id: second, tier: 2, wait: 5m, notify: ['@ann'], pager_key_env: BOSS_PAGER}
"""
PHASES = """routing:
  by_phase:
    investigation: {lead: ['@boss']}
    fix: {lead: ['@bob']}
    documentation: {lead: ['@boss']}
"""


def changed(field: str, old: str, new: str, at: float) -> dict[str, str]:
    return {"at": stamp(after(at)), "field": field, "from": old, "to": new, "by": "@ann"}


def report(one: Night, name: str, at: float) -> None:
    one.write(after(at), deadlines=[{"id": name, "done_at": stamp(after(at))}])


def make(data: dict[str, Any], step: Step) -> None:
    for edit in step.edits:
        place: Any = data
        for key in edit.route[:-1]:
            place = place.setdefault(key, {}) if isinstance(place, dict) else place[key]
        if isinstance(edit, Append):
            place.setdefault(edit.route[-1], []).append(edit.value)
        else:
            assert isinstance(edit, Set)
            place[edit.route[-1]] = edit.value


def test_notices_of_the_day_on_the_issue_go_one_by_one(night: Scene) -> None:
    """An issue is one incident's: a digest over many would have no place to go."""
    people = PEOPLE.replace('"@bob": {channels: [chat]}', '"@bob": {channels: [ticket]}')
    items = [{"id": f"AI-{n}", "title": "x", "owner": "@bob", "due": "2025-02-05"} for n in (1, 2)]
    one = night(policy("sev0-3", people + QUIET), severity="SEV2", action_items=items)
    one.acknowledge(after(1))
    one.resolve(after(9))
    one.runs(minutes(10, 12 * DAY, HOUR))
    heard = [each.message for each in one.told if (each.message.recipient, each.message.channel) == ("@bob", "ticket")]
    assert {message.incident for message in heard} == {"INC-1"}
    assert [message.kind for message in heard].count("action_item") >= 2


def test_a_snooze_does_not_hold_back_a_report_that_was_due(night: Scene, sink: HttpSink) -> None:
    """It is owed to others, who have not snoozed."""
    one = night(judge(extra="deadlines: [gdpr]\n"), severity="SEV2", tags=["gdpr"])
    one.acknowledge(after(3))
    one.runs(minutes(4, 10))
    snooze = {"at": stamp(after(60 * HOUR)), "until": stamp(after(100 * HOUR)), "by": "@ann", "reason": "x"}
    one.write(after(60 * HOUR), snooze=snooze)
    one.runs(minutes(60 * HOUR, 80 * HOUR, 30))
    late = [each for each in one.told if "gdpr" in each.message.mark and each.message.mark.endswith(".due")]
    assert late, one.held
    assert not [why for key, why in one.held.items() if "/deadline/" in key and why.startswith("snoozed")]


def test_a_reopening_does_not_announce_the_phase_before_it_again(night: Scene) -> None:
    """The phase of the first cycle began a week before."""
    one = night(policy("sev0-3", PEOPLE + QUIET + PHASES), severity="SEV1")
    one.runs(minutes(0, 2))
    one.acknowledge(after(3))
    one.write(after(10), times={"diagnosed": stamp(after(10))})
    one.runs(minutes(11, 20))
    one.resolve(after(30))
    one.runs(minutes(30, 40))
    one.write(after(7 * DAY), state="reopened", cycles=[{"reopened": stamp(after(7 * DAY))}])
    before = len(one.told)
    one.run(after(7 * DAY + 1))
    again_by = stamp(after(7 * DAY + 5))
    one.write(after(7 * DAY + 5), state="in_progress", assignments=[{"at": again_by, "to": "@ann"}])
    one.write(after(7 * DAY + 9), updates=[{"at": stamp(after(7 * DAY + 9)), "audience": "internal",
                                            "status": "identified", "text": "x"}])  # fmt: skip
    one.runs(minutes(7 * DAY + 9, 7 * DAY + 30))
    again = [each.message.subject for each in one.told[before:] if each.message.kind == "handover"]
    assert again == []


@pytest.mark.parametrize("of", [None, "INC-2"])
@pytest.mark.parametrize("is_reopened", [False, True])
def test_withdrawing_an_incident_ends_the_alert_of_a_step_too(
    of: str | None, is_reopened: bool, night: Scene, sink: HttpSink
) -> None:
    """A false alarm and a duplicate, also after a reopening: no pager rings on for them."""
    rules = judge(extra=OWN_PAGER)
    one = night(rules, severity="SEV1")
    begin = 0
    if is_reopened:
        one.run(after(0))
        one.acknowledge(after(1))
        one.resolve(after(9))
        one.run(after(10))
        begin = 200
        one.write(after(begin), state="reopened", cycles=[{"reopened": stamp(after(begin))}])
    one.runs(minutes(begin, begin + 40))
    assert (OTHER, "acme/records/INC-1") in pager_state(sink.taken).left_open
    end = begin + 41
    kind = "duplicate" if of else "false_alarm"
    make(one.data, withdraw_incident(one.incident, rules, after(end), "@ann", kind, "probe broken", of))
    one.runs(minutes(end, end + 30))
    assert pager_state(sink.taken).left_open == []


def test_one_report_does_not_silence_another_that_is_owed(night: Scene, sink: HttpSink) -> None:
    """Two are due within hours; the alert ends with the last of them."""
    rules = judge(extra="deadlines: [nis2, gdpr]\n")
    one = handled(night(rules, severity="SEV0", tags=["gdpr"], detection={"source": "alert"}), 60)
    report(one, "nis2-early-warning", 70)
    one.runs(minutes(65 * HOUR, 66.6 * HOUR, 10))
    assert len(pager_state(sink.taken).left_open) == 1
    report(one, "gdpr-authority", 66.7 * HOUR)
    one.runs(minutes(66.8 * HOUR, 70 * HOUR, 10))
    assert len(pager_state(sink.taken).left_open) == 1
    report(one, "nis2-incident-notification", 70.1 * HOUR)
    one.runs(minutes(70.2 * HOUR, 71 * HOUR, 10))
    assert pager_state(sink.taken).left_open == []


def test_a_report_does_not_answer_the_page_of_an_incident(night: Scene, sink: HttpSink) -> None:
    """Nobody has taken it: it rings on."""
    one = night(judge(extra="deadlines: [nis2]\n"), severity="SEV0", detection={"source": "alert"})
    one.runs(minutes(0, 5))
    report(one, "nis2-early-warning", 6)
    one.runs(minutes(7, 12))
    assert actions(sink) == ["trigger"]
    assert set(pager_state(sink.taken).alerts.values()) == {OPEN}


def test_a_report_answers_the_alert_that_asks_for_it(night: Scene, sink: HttpSink) -> None:
    """The incident is still open, and acknowledged long since."""
    one = night(judge(extra="deadlines: [gdpr]\n"), severity="SEV1", tags=["gdpr"], detection={"source": "alert"})
    one.run(after(0))
    one.acknowledge(after(3))
    one.run(after(4))
    one.runs(minutes(65 * HOUR, 67 * HOUR, 30))
    assert set(pager_state(sink.taken).alerts.values()) == {OPEN}
    report(one, "gdpr-authority", 67.1 * HOUR)
    one.runs(minutes(67.2 * HOUR, 68 * HOUR, 10))
    assert set(pager_state(sink.taken).alerts.values()) == {ACKNOWLEDGED}


def test_lowering_the_level_does_not_end_the_alert_of_a_report(night: Scene, sink: HttpSink) -> None:
    """The report is owed whatever the level; once it is made, nothing rings at a level that pages nobody."""
    one = night(judge(extra="deadlines: [gdpr]\n"), severity="SEV1", tags=["gdpr"], detection={"source": "alert"})
    one.run(after(0))
    one.runs(minutes(65 * HOUR, 67 * HOUR, 30))
    low = 67.2 * HOUR
    one.write(after(low), severity="SEV2", changes=[changed("severity", "SEV1", "SEV2", low)])
    one.runs(minutes(67.5 * HOUR, 70 * HOUR, 30))
    assert len(pager_state(sink.taken).left_open) == 1
    report(one, "gdpr-authority", 70.1 * HOUR)
    one.runs(minutes(70.2 * HOUR, 71 * HOUR, 10))
    assert pager_state(sink.taken).left_open == []


def test_a_service_that_was_replaced_stops_ringing(night: Scene, sink: HttpSink) -> None:
    """Its pager is told the end; that of the right service rings, and ends with the incident."""
    one = night(judge(), severity="SEV1")
    one.runs(minutes(0, 4))
    one.write(after(5), changes=[changed("services", "app", "db", 5)])
    one.data["services"] = ["db"]
    one.runs(minutes(5, 9))
    assert pager_state(sink.taken).left_open == [(OTHER, "acme/records/INC-1")]
    one.acknowledge(after(10))
    one.resolve(after(20))
    one.runs(minutes(20, 30))
    assert pager_state(sink.taken).left_open == []


def test_a_service_that_comes_back_rings_again(night: Scene, sink: HttpSink) -> None:
    """It was replaced by mistake, and nobody has answered."""
    one = night(judge(), severity="SEV1")
    one.runs(minutes(0, 4))
    for at, old, new in ((5, "app", "db"), (10, "db", "app")):
        one.write(after(at), changes=[changed("services", old, new, at)])
        one.data["services"] = [new]
        one.runs(minutes(at, at + 4))
    assert list(pager_state(sink.taken).alerts.values()) == [OPEN, "resolved"]
    one.acknowledge(after(15))
    one.run(after(16))
    assert set(pager_state(sink.taken).alerts.values()) == {ACKNOWLEDGED, "resolved"}
    one.resolve(after(20))
    one.runs(minutes(20, 30))
    assert pager_state(sink.taken).left_open == []


def rung_for_gdpr(one: Night) -> Night:
    """Handled by minute 65; the alert rings for the report, 66 hours after the declaration."""
    handled(one, 60)
    one.runs(minutes(65 * HOUR, 67 * HOUR, 30))
    return one


def test_a_tag_taken_off_ends_the_alert_that_its_report_opened(night: Scene, sink: HttpSink) -> None:
    """Nothing is owed any more, and the incident is over; put back, it rings again, and ends with the report."""
    one = rung_for_gdpr(night(judge(extra="deadlines: [gdpr]\n"), severity="SEV1", tags=["gdpr"]))
    assert len(pager_state(sink.taken).left_open) == 1
    one.data["tags"] = []
    one.runs(minutes(67.5 * HOUR, 69 * HOUR, 30))
    assert pager_state(sink.taken).left_open == []
    one.data["tags"] = ["gdpr"]
    one.runs(minutes(69.5 * HOUR, 71 * HOUR, 30))
    assert set(pager_state(sink.taken).alerts.values()) == {OPEN}
    report(one, "gdpr-authority", 71.2 * HOUR)
    one.runs(minutes(71.5 * HOUR, 73 * HOUR, 30))
    assert pager_state(sink.taken).left_open == []


def test_a_tag_taken_off_an_open_incident_leaves_its_alert_acknowledged(night: Scene, sink: HttpSink) -> None:
    """As it was before the report rang; it ends with the incident."""
    one = night(judge(extra="deadlines: [gdpr]\n"), severity="SEV1", tags=["gdpr"], detection={"source": "alert"})
    one.run(after(0))
    one.acknowledge(after(3))
    one.runs(minutes(65 * HOUR, 67 * HOUR, 30))
    assert set(pager_state(sink.taken).alerts.values()) == {OPEN}
    one.data["tags"] = []
    one.runs(minutes(67.5 * HOUR, 68 * HOUR, 30))
    assert set(pager_state(sink.taken).alerts.values()) == {ACKNOWLEDGED}
    one.resolve(after(69 * HOUR))
    one.runs(minutes(69 * HOUR, 70 * HOUR, 30))
    assert pager_state(sink.taken).left_open == []


def test_a_detection_that_was_later_than_written_ends_what_rang_too_early(night: Scene, sink: HttpSink) -> None:
    """Its report is due two days later: it rings again then."""
    times = {"detected": stamp(after(0)), "declared": stamp(after(0))}
    one = rung_for_gdpr(night(judge(extra="deadlines: [gdpr]\n"), severity="SEV1", tags=["gdpr"], times=times))
    entry = {"at": stamp(after(67.2 * HOUR)), "field": "times.detected", "from": stamp(after(0)),
             "to": stamp(after(2 * DAY)), "by": "@ann", "reason": "x"}  # fmt: skip
    one.write(after(67.2 * HOUR), corrections=[entry])
    one.runs(minutes(67.5 * HOUR, 69 * HOUR, 30))
    assert pager_state(sink.taken).left_open == []
    one.runs(minutes(66 * HOUR + 2 * DAY, 67 * HOUR + 2 * DAY, 30))
    assert len(pager_state(sink.taken).left_open) == 1


def test_a_service_swapped_by_hand_stops_ringing(night: Scene, sink: HttpSink) -> None:
    """Nobody wrote it into the history of the record; swapped back it rings again, and all ends with the incident."""
    one = night(judge(), severity="SEV1")
    one.runs(minutes(0, 4))
    one.data["services"] = ["db"]
    one.runs(minutes(5, 9))
    assert pager_state(sink.taken).left_open == [(OTHER, "acme/records/INC-1")]
    one.data["services"] = ["app"]
    one.runs(minutes(10, 14))
    assert pager_state(sink.taken).left_open == [(KEY, "acme/records/INC-1")]
    one.acknowledge(after(15))
    one.run(after(16))
    assert set(pager_state(sink.taken).alerts.values()) == {ACKNOWLEDGED, "resolved"}
    one.resolve(after(20))
    one.runs(minutes(20, 30))
    assert pager_state(sink.taken).left_open == []


def test_a_service_swapped_by_hand_on_an_incident_that_is_over_is_silent(night: Scene, sink: HttpSink) -> None:
    """What was ended is not told its end again."""
    one = handled(night(judge(), severity="SEV1"), 60)
    before = len(sink.taken)
    one.data["services"] = ["db"]
    one.runs(minutes(130, 140))
    assert [each.data["event_action"] for each in sink.taken[before:]] == []


def test_what_an_earlier_version_sent_keeps_no_alert_from_ringing(night: Scene, sink: HttpSink) -> None:
    """Each notice had an alert of its own: those are resolved by hand, and what is unanswered rings anew."""
    one = night(judge(), severity="SEV1")
    old = [pair(f"INC-1/incident/1/declared/{whom}/internal", "pager") for whom in ("team", "@ann")]
    one.ledger.confirm(old, after(0))
    one.run(after(1))
    assert pager_state(sink.taken).left_open == [(KEY, "acme/records/INC-1")]


def test_a_run_that_looks_back_rings_nobody(night: Scene, sink: HttpSink) -> None:
    """At an instant before the answer, of which the ledger knows already."""
    one = night(judge(), severity="SEV1")
    one.run(after(0))
    one.acknowledge(after(3))
    one.run(after(4))
    one.run(after(2))
    assert actions(sink) == ["trigger", "acknowledge"]
