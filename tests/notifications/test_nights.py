"""Whole nights: what rings, what is told without ringing, and what is left open in the end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from incident_ops.adapters.notifiers.pagerduty import Pager
from incident_ops.domain.policy import Policy, Service
from incident_ops.domain.time import stamp
from tests.support.golden import assert_excerpt, assert_golden
from tests.support.http_sink import HttpSink
from tests.support.nights import Night
from tests.support.pager_state import ACKNOWLEDGED, pager_state
from tests.support.policies import policy

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1"])
ROOT = Path(__file__).resolve().parents[2]
KEY, OTHER = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
KEYS = {"APP_PAGER": KEY, "DB_PAGER": OTHER, "BOSS_PAGER": OTHER}
TWO = datetime(2025, 1, 26, 2, tzinfo=UTC)
PEOPLE = """
contacts:
  "@ann": {channels: [pager, chat]}
  "@bob": {channels: [chat]}
  "@team": {channels: [chat]}
  "@boss": {channels: [chat]}
  executive: ["@boss"]
  roles: {on_call: ["@ann"]}
"""
WORST = {"sev0-3": {"severity": "SEV0"}, "p0-p3": {"severity": "P0"}, "sev1-3": {"severity": "SEV-1"},
         "itil-p1-p4": {"priority": "P1", "severity": "SEV-1"}}  # fmt: skip
Scene = Callable[..., Night]


def actions(sink: HttpSink) -> list[str]:
    """What the pager was told, each action that comes over two channels with one key once."""
    return [action for action, _ in groupby(one.data["event_action"] for one in sink.taken)]


def minutes(first: float, last: float, step: float = 1, since: datetime = TWO) -> list[datetime]:
    return [since + timedelta(minutes=first + step * number) for number in range(int((last - first) / step) + 1)]


def after(span: float, since: datetime = TWO) -> datetime:
    return since + timedelta(minutes=span)


@pytest.fixture
def night(sink: HttpSink) -> Scene:
    """Declared at 02:00 on `app`, whose pager is the sink."""

    def made(judge: Policy, at: datetime = TWO, **fields: Any) -> Night:
        services = {
            "app": Service(owner="@team", pager_key_env="APP_PAGER"),
            "db": Service(owner="@team", pager_key_env="DB_PAGER"),
        }
        data = {"id": "INC-1", "title": "Login fails", "services": ["app"], "state": "new"}

        def pager(channel: str) -> Pager:
            made = Pager(channel, sink.url, {})
            made.for_alerts("acme/records", KEYS)
            return made

        return Night(judge, services, {**data, "times": {"declared": stamp(at)}, **fields}, pager)

    return made


def judge(preset: str = "sev0-3", extra: str = "") -> Policy:
    return policy(preset, f"{PEOPLE}notify: {{incident_channel: {{create: false}}}}\n{extra}")


def handled(one: Night, after_resolve: int = 3 * 24 * 60) -> Night:
    """Acknowledged in 2 min, an update in every slot, resolved in 65 min; a run each 10 min, until days later."""
    one.runs(minutes(0, 2))
    one.acknowledge(after(2))
    for at in minutes(3, 64):
        if at.minute % 14 == 0:
            one.update(at)
            one.update(at, "public")
        one.run(at)
    one.resolve(after(65))
    one.runs(minutes(65, 65 + after_resolve, 30))
    return one


@pytest.mark.parametrize("preset", WORST)
def test_the_worst_level_perfectly_handled_rings_once(preset: str, night: Scene, sink: HttpSink) -> None:
    """One alert, acknowledged and ended; updates and the meeting two nights later ring nobody."""
    channels = "" if preset != "sev1-3" else "levels:\n- {id: SEV-1, channels: [chat, pager]}\n"
    handled(night(judge(preset, channels), **WORST[preset]))
    state = pager_state(sink.taken)
    assert (len(state.rings), state.left_open) == (1, []), [one.data for one in sink.taken]
    assert actions(sink) == ["trigger", "acknowledge", "resolve"]
    assert {one.data["dedup_key"] for one in sink.taken} == {"acme/records/INC-1"}


def test_what_does_not_page_rings_no_channel(night: Scene) -> None:
    """SMS included: the declaration alone."""
    one = handled(night(judge(), severity="SEV0"))
    ringing = [each.message.kind for each in one.told if each.message.channel == "sms"]
    assert ringing == ["declared"]
    assert {"update", "breach"} <= {each.message.kind for each in one.told if each.message.channel == "slack"}


def test_nobody_answers_for_six_hours_and_the_alert_rings_once(night: Scene, sink: HttpSink) -> None:
    """The response that is late adds nothing to what is open."""
    night(judge(), severity="SEV0").runs(minutes(0, 360, 5))
    state = pager_state(sink.taken)
    assert (len(state.rings), len(state.left_open)) == (1, 1)


def test_a_service_on_two_pagers_has_one_alert_in_each(night: Scene, sink: HttpSink) -> None:
    """Both are acknowledged and ended."""
    one = night(judge(), severity="SEV0", services=["app", "db"])
    one.run(after(0))
    assert sorted(pager_state(sink.taken).alerts) == [(KEY, "acme/records/INC-1"), (OTHER, "acme/records/INC-1")]
    one.acknowledge(after(2))
    one.run(after(3))
    assert set(pager_state(sink.taken).alerts.values()) == {ACKNOWLEDGED}
    one.resolve(after(9))
    one.run(after(9))
    assert pager_state(sink.taken).left_open == []


def test_a_pager_of_the_team_and_of_a_person_with_one_key_is_one_alert(night: Scene, sink: HttpSink) -> None:
    """The channels `pager` and `pagerduty`."""
    one = night(judge(extra="routing: {by_phase: {initial_response: {lead: [on_call]}}}\n"), severity="SEV0")
    one.run(after(0))
    assert {each.message.channel for each in one.told if each.message.is_alert} == {"pager", "pagerduty"}
    state = pager_state(sink.taken)
    assert len(state.rings) == 1
    one.resolve(after(5))
    one.run(after(6))
    assert pager_state(sink.taken).left_open == []


def test_reopened_it_rings_again(night: Scene, sink: HttpSink) -> None:
    """A new opening of the same alert."""
    one = handled(night(judge(), severity="SEV0"), 60)
    one.write(after(200), state="reopened", cycles=[{"reopened": stamp(after(200))}])
    one.run(after(201))
    state = pager_state(sink.taken)
    assert (len(state.rings), len(state.alerts), len(state.left_open)) == (2, 1, 1)


def test_a_raise_rings_again_for_whoever_has_not_answered_it(night: Scene, sink: HttpSink) -> None:
    """SEV1 was acknowledged; SEV0 is another matter: the alert before it is ended first."""
    one = night(judge(), severity="SEV1")
    one.run(after(0))
    one.acknowledge(after(2))
    one.run(after(3))
    one.write(
        after(20),
        severity="SEV0",
        changes=[{"at": stamp(after(20)), "field": "severity", "from": "SEV1", "to": "SEV0", "by": "@ann"}],
    )
    one.runs(minutes(20, 30))
    assert actions(sink)[:4] == ["trigger", "acknowledge", "resolve", "trigger"]
    assert len(pager_state(sink.taken).rings) == 2


def test_a_level_that_no_longer_pages_ends_the_alert(night: Scene, sink: HttpSink) -> None:
    """Lowered to a rank that is only told."""
    one = night(judge(), severity="SEV1")
    one.run(after(0))
    one.write(
        after(9),
        severity="SEV2",
        changes=[{"at": stamp(after(9)), "field": "severity", "from": "SEV1", "to": "SEV2", "by": "@ann"}],
    )
    one.runs(minutes(9, 300, 10))
    state = pager_state(sink.taken)
    assert (len(state.rings), state.left_open) == (1, [])


def test_a_late_resolution_rings_where_the_policy_pages_for_it(night: Scene, sink: HttpSink) -> None:
    """After an answer it opens the alert anew; an update that pages goes to sms, and the plan says why not there."""
    kinds = "notify: {incident_channel: {create: false}, kinds: {resolution_due: {page: [2]}, news: page}}\n"
    level = "levels:\n- {id: SEV1, channels: [slack, pagerduty, sms]}\n"
    one = night(policy("sev0-3", PEOPLE + kinds + level), severity="SEV1")
    one.run(after(0))
    one.acknowledge(after(1))
    one.update(after(2))
    one.run(after(3))
    assert "sms" in {each.message.channel for each in one.told if each.message.kind == "update"}
    assert any("a pager rings for its alert only" in why for why in one.held.values())
    one.runs(minutes(110, 130, 5))
    late = len(pager_state(sink.taken).rings)
    one.resolve(after(300))
    one.run(after(301))
    assert late == 2
    assert pager_state(sink.taken).left_open == []


def test_a_snooze_ends_the_alert_and_its_end_rings(night: Scene, sink: HttpSink) -> None:
    """Two of them: each ends what rang before it; others are told once that it ended."""
    one = night(judge(), severity="SEV0")
    one.run(after(0))
    for begin, end in ((5, 120), (150, 300)):
        snooze = {"at": stamp(after(begin)), "until": stamp(after(end)), "by": "@ann", "reason": "vendor works"}
        one.write(after(begin), snooze=snooze)
        one.run(after(begin + 1))
        assert pager_state(sink.taken).left_open == []
        one.runs(minutes(end - 20, end + 20, 5))
        assert len(pager_state(sink.taken).left_open) == 1
    assert len(pager_state(sink.taken).rings) == 3
    ended = [each for each in one.told if each.message.kind == "snooze" and each.message.channel == "slack"]
    assert len(ended) == 2


def test_a_snooze_of_two_days_is_told_when_it_ends(night: Scene) -> None:
    """However long: what stands is told again."""
    one = night(judge("itil-p1-p4"), priority="P2")
    one.run(after(0))
    begun, until = stamp(after(5)), after(2 * 24 * 60)
    one.write(after(5), snooze={"at": begun, "until": stamp(until), "by": "@ann", "reason": "vendor works"})
    one.runs(minutes(10, 2 * 24 * 60 - 1, 60))
    before = len(one.told)
    one.run(until)
    assert {"snooze", "breach", "escalation"} <= {each.message.kind for each in one.told[before:]}


def test_a_week_without_a_run_leaves_nobody_in_the_dark(night: Scene, sink: HttpSink) -> None:
    """What still stands is told at the next run, with its true lateness."""
    one = night(judge("itil-p1-p4"), priority="P1", severity="SEV-1")
    one.run(after(7 * 24 * 60))
    assert pager_state(sink.taken).triggers == 1
    assert {"declared", "breach", "escalation"} <= {each.message.kind for each in one.told}
    assert any("7 days later" in each.message.text or "late" in each.message.text for each in one.told)


@pytest.mark.parametrize(
    ("preset", "labels"),
    [("sev1-3", {"severity": "SEV-3"}), ("p0-p3", {"severity": "P3"}), ("sev0-3", {"severity": "SEV3"})],
)
def test_friday_evening_is_told_on_monday(preset: str, labels: dict[str, str], night: Scene) -> None:
    """Quiet hours hold a declaration until they end, then it goes, whatever its age."""
    friday = datetime(2025, 1, 24, 17, 5, tzinfo=UTC)
    one = night(judge(preset), friday, **labels)
    one.runs(minutes(1, 60 * 60, 60, since=friday))
    assert [each for each in one.told if each.message.kind == "declared"] == []
    assert set(one.held.values()) == {"quiet hours until 2025-01-27T09:00:00Z"}
    one.run(datetime(2025, 1, 27, 9, 1, tzinfo=UTC))
    assert "declared" in {each.message.kind for each in one.told}


def test_what_is_over_before_anybody_was_told_rings_nobody(night: Scene, sink: HttpSink) -> None:
    """Younger than a day it is told once as over; older it stands in the report."""
    for wait, kinds in ((120, {"resolved"}), (3 * 24 * 60, set())):
        one = night(judge(), severity="SEV0")
        one.resolve(after(40))
        one.run(after(wait))
        assert {each.message.kind for each in one.told if each.message.kind in ("declared", "resolved")} == kinds
        said = [each.message.subject for each in one.told if each.message.kind == "resolved"]
        assert all("Declared at 02:00 UTC, resolved at 02:40 UTC" in each for each in said)
    assert sink.taken == []


def test_acknowledged_before_the_first_run_it_is_told_and_rings_nobody(night: Scene, sink: HttpSink) -> None:
    """Whoever has it needs no page."""
    one = night(judge(), severity="SEV0")
    one.acknowledge(after(1))
    one.run(after(30))
    assert sink.taken == []
    assert "declared" in {each.message.kind for each in one.told}
    assert {each.message.channel for each in one.told} <= {"slack", "email", "chat"}


LADDER = """escalation:
  tiers:
  - {id: first, tier: 1, notify: [on_call], wait: 10m}
  - {id: second, tier: 2, notify: ["@bob"], pager_key_env: BOSS_PAGER, wait: 10m}
"""


def test_a_step_with_a_pager_of_its_own_rings_there(night: Scene, sink: HttpSink) -> None:
    """And ends with the others; a step that shares the key adds nothing."""
    one = night(judge(extra=LADDER), severity="SEV0")
    one.runs(minutes(0, 60))
    state = pager_state(sink.taken)
    assert [key for key, _ in state.rings] == [KEY, OTHER]
    one.acknowledge(after(61))
    one.run(after(61))
    assert set(pager_state(sink.taken).alerts.values()) == {ACKNOWLEDGED}
    one.resolve(after(70))
    one.run(after(71))
    assert pager_state(sink.taken).left_open == []


DOCUMENTED = """escalation:
  tiers:
  - {id: first, tier: 1, notify: [on_call], wait: 10m}
  - {id: second, tier: 2, notify: [manager], pager_key_env: BOSS_PAGER, wait: 10m}
contacts:
  "@ann": {channels: [pagerduty, chat]}
  "@bob": {channels: [chat]}
  "@team": {channels: [chat]}
  "@boss": {channels: [chat]}
  roles: {on_call: ["@ann"], manager: ["@boss"]}
notify: {incident_channel: {create: false}}
"""


def test_the_page_shows_a_night_as_it_is_sent(night: Scene) -> None:
    """Who got what when; docs/notices.md shows the rows that say most."""
    one = night(policy("sev0-3", DOCUMENTED), severity="SEV0")
    one.runs(minutes(0, 19))
    one.acknowledge(after(20))
    one.runs(minutes(20, 29))
    one.update(after(29))
    one.update(after(29), "public")
    one.runs(minutes(29, 40))
    one.write(after(41), assignments=[{"at": stamp(after(41)), "to": "@bob"}])
    one.run(after(41))
    one.resolve(after(50))
    one.run(after(50))
    one.runs(minutes(60, 4 * 24 * 60, 30))
    assert_golden(ROOT / "tests/notifications/golden/night.md", night_table(one))
    assert_excerpt(ROOT / "docs/notices.md", "night", night_table(one))


def night_table(one: Night) -> str:
    """A row for each run and subject: what rang, and who was told."""
    rows: dict[tuple[str, str], tuple[list[str], list[str]]] = {}
    for each in one.told:
        message = each.message
        what = message.subject.partition(" - ")[2].removesuffix(f" ({message.incident})")
        rings, told = rows.setdefault((each.at.strftime("%a %H:%M"), what), ([], []))
        pager = f"{message.channel} of {message.route}" if message.route else message.channel
        name = f"{message.recipient} by {message.channel}" if not message.is_alert else pager
        is_quiet = not one.policy.rings(message.channel)
        marked = {"acknowledged": f"({name}: acknowledged)", "resolved": f"({name}: ended)"}
        (told if is_quiet else rings).append(marked.get(message.mark, name) if message.is_alert else name)
    lines = ["| when | what it says | rings | without ringing |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {at} | {what} | {', '.join(rings)} | {', '.join(told)} |" for (at, what), (rings, told) in rows.items()
    ]
    return "\n".join(lines) + "\n"


def test_who_takes_over_is_told_of_a_handover(night: Scene) -> None:
    """At hour 6 and after a day; never that it was declared."""
    for hours in (6, 30):
        one = night(judge(), severity="SEV0")
        one.run(after(0))
        one.acknowledge(after(1))
        one.run(after(2))
        one.write(after(hours * 60), assignments=[{"at": stamp(after(hours * 60)), "to": "@bob"}])
        one.run(after(hours * 60 + 5))
        heard = [each.message for each in one.told if each.message.recipient == "@bob"]
        assert "handover" in {message.kind for message in heard}
        assert "declared" not in {message.kind for message in heard}
        assert any("@bob takes over from @ann" in message.subject for message in heard)


ROUTED = """routing:
  by_phase:
    investigation: {lead: ["@ann"]}
    fix: {lead: ["@bob"], supporting: ["@ann"]}
    documentation: {lead: ["@boss"]}
"""


def test_a_phase_tells_whom_it_brings_in_as_it_begins(night: Scene) -> None:
    """Once, as a handover, at the next run; who was there already hears nothing new."""
    one = night(judge(extra=ROUTED), severity="SEV0")
    one.run(after(0))
    one.acknowledge(after(2))
    one.run(after(3))
    assert [each for each in one.told if each.message.kind == "handover" and each.message.recipient == "@bob"] == []
    one.write(after(30), times={"declared": stamp(TWO), "acknowledged": stamp(after(2)), "diagnosed": stamp(after(30))})
    one.runs(minutes(31, 40))
    one.resolve(after(50))
    one.runs(minutes(51, 60))
    heard = [(each.message.recipient, each.message.subject) for each in one.told if each.message.kind == "handover"]
    expected = [("@ann", "investigation"), ("@bob", "fix"), ("@boss", "documentation")]
    assert [who for who, _ in heard] == [who for who, _ in expected], heard
    assert all(f"The phase {phase} begins, and {who} leads it" in said for (who, phase), (_, said) in zip(
        expected, heard, strict=True))  # fmt: skip


def test_a_reopened_incident_comes_to_its_deployment_by_its_own_recovery(night: Scene) -> None:
    """The mitigation of before the reopening brings nobody in again; the new recovery does."""
    deployment = ROUTED + '    deployment: {lead: ["@boss"]}\n'
    one = night(judge(extra=deployment), severity="SEV0")
    times = {"declared": 0, "acknowledged": 2, "diagnosed": 5, "mitigated": 8, "restored": 9, "resolved": 10}
    written = {name: stamp(after(minute)) for name, minute in times.items()}
    one.write(after(20), state="assigned", times=written, cycles=[{"reopened": stamp(after(20))}])
    one.runs(minutes(21, 25))
    cycle = {"reopened": stamp(after(20)), "restored": stamp(after(30))}
    one.write(after(30), state="in_progress", times=written, cycles=[cycle])
    one.runs(minutes(31, 35))
    heard = [(each.message.recipient, each.at) for each in one.told if each.message.kind == "handover"]
    assert heard == [("@boss", after(31))]


def test_only_ringing_channels_are_named(night: Scene) -> None:
    """Who has to be told and has only a pager cannot be."""
    people = PEOPLE.replace('"@bob": {channels: [chat]}', '"@bob": {channels: [pager]}')
    one = night(policy("sev0-3", people), severity="SEV2", assignments=[{"at": stamp(TWO), "to": "@bob"}])
    one.run(after(1))
    assert ("@bob", "no quiet channel") in one.unreachable


def test_one_digest_a_day_at_the_opening(night: Scene) -> None:
    """Reminders of two items that are due soon go together; what is due goes by itself."""
    items = [{"id": f"AI-{n}", "title": "x", "owner": "@bob", "due": "2025-02-05"} for n in (1, 2)]
    one = night(judge(), severity="SEV2", action_items=items)
    one.acknowledge(after(1))
    one.resolve(after(9))
    one.runs(minutes(10, 20 * 24 * 60, 60))
    heard = [each for each in one.told if each.message.recipient == "@bob"]
    digests = [each for each in heard if "notices of the day" in each.message.subject]
    assert [(stamp(each.at), each.message.subject) for each in digests] == [
        ("2025-02-04T09:10:00Z", "2 notices of the day, about 1 incident: 2 action item")
    ]
    assert len([each for each in heard if each.message.kind == "action_item"]) == 4


def test_a_report_to_others_rings_before_its_end_and_until_it_is_made(night: Scene, sink: HttpSink) -> None:
    """The incident is resolved and its alert ended; the early warning rings six hours before it is due; once it is
    made nothing is left open, nor is anybody told again."""
    one = handled(night(judge(extra="deadlines: [nis2]\n"), severity="SEV0", detection={"source": "alert"}), 60)
    one.runs(minutes(17 * 60, 20 * 60, 30))
    told = [each for each in one.told if "nis2-early-warning" in each.message.subject]
    assert {each.at for each in told} == {after(18.5 * 60)}
    assert {each.message.channel for each in told} >= {"sms", "pagerduty"}
    assert "incident-ops deadline done nis2-early-warning INC-1" in told[0].message.text
    assert len(pager_state(sink.taken).rings) == 2
    one.write(after(21 * 60), deadlines=[{"id": "nis2-early-warning", "done_at": stamp(after(21 * 60))}])
    one.runs(minutes(21 * 60, 48 * 60, 30))
    assert pager_state(sink.taken).left_open == []
    assert len([each for each in one.told if "nis2-early-warning" in each.message.subject]) == len(told)


def test_a_long_deadline_is_told_before_it_rings(night: Scene) -> None:
    """In its last quarter, on the quiet channels alone."""
    one = handled(night(judge(extra="deadlines: [nis2]\n"), severity="SEV0"), 60)
    one.runs(minutes(50 * 60, 60 * 60, 30))
    told = [each for each in one.told if "nis2-incident-notification" in each.message.subject]
    assert {each.at for each in told} == {after(54.5 * 60)}
    assert not {each.message.channel for each in told} & {"sms", "pagerduty", "pager", "phone"}


def test_a_page_that_opens_no_alert_names_who_has_only_a_pager(night: Scene, sink: HttpSink) -> None:
    """A late update pages by this policy: who has only a pager hears nothing of it, and is named."""
    people = PEOPLE.replace('"@ann": {channels: [pager, chat]}', '"@ann": {channels: [pager]}')
    rules = policy("sev0-3", f"{people}notify: {{incident_channel: {{create: false}}, kinds: {{update_due: page}}}}\n")
    one = night(rules, severity="SEV1")
    one.run(after(0))
    one.acknowledge(after(2))
    one.runs(minutes(3, 40))
    assert ("@ann", "a pager rings for the incident's alert only: add chat, sms or phone") in one.unreachable
    assert actions(sink) == ["trigger", "acknowledge"]
