"""An incident of the worst level that nobody answers: who is called next, and what happens where nobody is there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from incident_ops.adapters.notifiers.pagerduty import Pager
from incident_ops.domain.policy import Policy, Service
from incident_ops.domain.time import stamp
from tests.support.golden import assert_excerpt, assert_golden
from tests.support.http_sink import HttpSink
from tests.support.nights import Night
from tests.support.pager_state import pager_state
from tests.support.policies import policy

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1"])
GOLDEN, ROOT = Path(__file__).parent / "golden", Path(__file__).resolve().parents[2]
TWO = datetime(2025, 1, 26, 2, tzinfo=UTC)
WORST = {"sev0-3": {"severity": "SEV0"}, "p0-p3": {"severity": "P0"}, "sev1-3": {"severity": "SEV-1"},
         "itil-p1-p4": {"priority": "P1", "severity": "SEV-1"}}  # fmt: skip
SECOND = {"itil-p1-p4": "tier_2_lead"}
LAST = {"itil-p1-p4": "management"}
KEYS = {"APP_PAGER": "0123456789abcdef0123456789abcdef", "BOSS_PAGER": "fedcba9876543210fedcba9876543210"}
Scene = Callable[..., Night]


def after(span: float) -> datetime:
    return TWO + timedelta(minutes=span)


def people(preset: str, extra: str = "") -> Policy:
    """Ann is on call, Bob is the secondary with a phone, Mona their manager with a pager of her own and a phone."""
    return policy(
        preset,
        f"""
contacts:
  "@ann": {{channels: [pager, chat]}}
  "@bob": {{channels: [phone, chat]}}
  "@mona": {{channels: [pager, phone]}}
  roles: {{on_call: ["@ann"], {SECOND.get(preset, "secondary")}: ["@bob"], manager: ["@mona"]}}
escalation:
  tiers:
  - {{id: {LAST.get(preset, "manager")}, pager_key_env: BOSS_PAGER}}
notify: {{incident_channel: {{create: false}}}}
levels:
- {{id: {next(iter(reversed(WORST[preset].values()))) if preset != "itil-p1-p4" else "P1"}, channels: [chat]}}
{extra}""",
    )


@pytest.fixture
def night(sink: HttpSink) -> Scene:
    """Declared at 02:00 on `app`, whose pager is the sink; nobody answers."""

    def made(judge: Policy, **fields: Any) -> Night:
        services = {"app": Service(owner="@ann", pager_key_env="APP_PAGER")}
        data = {"id": "INC-1", "title": "Login fails", "services": ["app"], "state": "new"}

        def pager(channel: str) -> Pager:
            made = Pager(channel, sink.url, {})
            made.for_alerts("acme/records", KEYS)
            return made

        return Night(judge, services, {**data, "times": {"declared": stamp(TWO)}, **fields}, pager)

    return made


def every(minutes: int, until: int) -> list[datetime]:
    return [after(minutes * number) + timedelta(seconds=30) for number in range(until // minutes)]


def called(night: Night) -> str:
    """A row for each time at which somebody was called: who, and over what that rings or tells."""
    rows: dict[tuple[str, str], list[str]] = {}
    for each in night.told:
        message = each.message
        what = message.subject.partition(" - ")[2].removesuffix(" (INC-1)")
        is_step = message.kind in ("declared", "escalation")
        if is_step and (message.is_alert or message.recipient != "team"):
            who = f"pager of {message.route}" if message.is_alert else f"{message.recipient} by {message.channel}"
            rows.setdefault((each.at.strftime("%H:%M"), what), []).append(who)
    lines = ["| when | why | who, over what |", "| --- | --- | --- |"]
    return "\n".join([*lines, *(f"| {at} | {why} | {', '.join(who)} |" for (at, why), who in rows.items())]) + "\n"


@pytest.mark.parametrize("preset", WORST)
def test_nobody_answers_for_six_hours(preset: str, night: Scene, sink: HttpSink) -> None:
    """Each step reaches the next person by a key or channel of their own; the last goes on; pagers ring once each."""
    one = night(people(preset), **WORST[preset])
    one.runs(every(1, 60))
    one.runs(after(60 + 10 * number) for number in range(31))
    assert_golden(GOLDEN / f"ladder-{preset}.md", called(one))
    if preset == "sev0-3":
        assert_excerpt(ROOT / "docs/sla.md", "ladder", called(one))
    first = {}
    for each in one.told:
        first.setdefault(each.message.route or each.message.recipient, each.at)
    assert first["APP_PAGER"] < first["@bob"] < first["@mona"]
    assert first["BOSS_PAGER"] == first["@mona"]
    state = pager_state(sink.taken)
    assert [key for key, _ in state.rings] == [KEYS["APP_PAGER"], KEYS["BOSS_PAGER"]]


@pytest.mark.parametrize("preset", WORST)
def test_a_run_each_ten_minutes_passes_over_nobody(preset: str, night: Scene) -> None:
    """The steps are shorter than the time between two runs: everybody is called all the same, within half an hour."""
    one = night(people(preset), **WORST[preset])
    one.runs(after(7 + 10 * number) for number in range(4))
    assert {"@ann", "@bob", "@mona"} <= {each.message.recipient for each in one.told}


@pytest.mark.parametrize("preset", WORST)
def test_an_answer_stops_the_ladder(preset: str, night: Scene) -> None:
    """Ann has it after four minutes: nobody else is called."""
    one = night(people(preset), **WORST[preset])
    one.runs(every(1, 4))
    one.acknowledge(after(4))
    one.runs(every(10, 110)[1:])
    assert {"@bob", "@mona"}.isdisjoint(each.message.recipient for each in one.told)


@pytest.mark.parametrize("preset", WORST)
@pytest.mark.parametrize("rank", [0, 1])
def test_whoever_is_on_call_is_told_of_what_begins(preset: str, rank: int, night: Scene) -> None:
    """In every preset, of the two worst levels: declared, raised, reopened."""
    judge = policy(preset, 'contacts: {"@ann": {channels: [chat]}, roles: {on_call: ["@ann"]}}\n')
    field = "priority" if preset == "itil-p1-p4" else "severity"
    one = Night(judge, {}, night(judge).data | {field: judge.levels[rank].id})
    one.run(after(1))
    assert ("@ann", "declared") in {(each.message.recipient, each.message.kind) for each in one.told}


ALONE = """
contacts: {roles: {on_call: []}}
notify: {incident_channel: {create: false}}
"""


def test_where_nobody_is_there_the_fallback_is_told(night: Scene) -> None:
    """A channel, or a role; without one it is only said."""
    for fallback, who in (("chat", "fallback"), ("executive", "@ceo")):
        ceo = 'contacts: {"@ceo": {channels: [chat]}, executive: ["@ceo"]}\n'
        one = night(policy("p0-p3", f"{ceo}escalation: {{fallback: {fallback}}}\n"), severity="P0")
        one.runs([after(1), after(6)])
        (heard,) = [each.message for each in one.told if each.message.recipient == who]
        assert "Nobody answered within 5m, and nobody on the ladder can be reached" in heard.subject
        assert "nobody on the ladder" in {whom for whom, _ in one.unreachable}
    one = night(policy("p0-p3", ALONE), severity="P0")
    one.runs([after(1), after(6)])
    why = "name somebody with a channel in `contacts` for on_call, secondary, manager, or set escalation.fallback"
    assert ("nobody on the ladder", why) in one.unreachable
