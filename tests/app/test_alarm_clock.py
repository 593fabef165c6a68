"""The alarm clock and the tick against a clock that the test moves; nothing sleeps, and GitHub's schedule is dead
unless a test says otherwise. Policies, decisions, ledger and deliveries are the product's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_ops.adapters.git_branches import LedgerRef
from incident_ops.app.watch import HANDED_ON, NOT_NEEDED
from incident_ops.domain.notification import Ledger, Pair
from incident_ops.domain.policy import Policy, Service
from incident_ops.domain.ports import WorkflowRun
from incident_ops.domain.run_cost import TICK, WATCH
from incident_ops.domain.time import stamp
from incident_ops.notifications.alarm import minutes_between
from tests.support.nights import Night, Told
from tests.support.origin import Origin, remote_of
from tests.support.platform_clock import Platform
from tests.support.policies import policy

TWO = datetime(2025, 1, 26, 2, tzinfo=UTC)
PEOPLE = """
contacts:
  "@ann": {channels: [sms, chat]}
  "@bob": {channels: [chat]}
  "@team": {channels: [chat]}
  "@boss": {channels: [sms, chat]}
  executive: ["@boss"]
  roles: {on_call: ["@ann"], secondary: ["@bob"], manager: ["@boss"]}
notify: {incident_channel: {create: false}}
"""
WORST = {"sev0-3": {"severity": "SEV0"}, "p0-p3": {"severity": "P0"}, "sev1-3": {"severity": "SEV-1"},
         "itil-p1-p4": {"priority": "P1", "severity": "SEV-1"}}  # fmt: skip


TAKEN = {"times": {"declared": "2025-01-26T02:00:00Z", "acknowledged": "2025-01-26T02:00:05Z"}}
Edits = Callable[[Night], list[tuple[datetime, Callable[[], None]]]]
"""What people do with a record, each at its time."""


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def judge(preset: str = "sev0-3", extra: str = "") -> Policy:
    return policy(preset, f"{PEOPLE}{extra}")


def night(of: Policy, at: datetime = TWO, **fields: Any) -> Night:
    data: dict[str, Any] = {"id": "INC-1", "title": "Login fails", "services": ["app"], "state": "new"}
    return Night(
        of,
        {"app": Service(owner="@team")},
        {**data, "times": {"declared": stamp(at)}, **fields},
        also_fine=("claimed",),
    )


def declared(of: Policy, *, comes: bool = False, **fields: Any) -> Platform:
    """Declared at 02:00 by a push; the job that acts began 15 s later."""
    platform = Platform(night(of, **fields), TWO + timedelta(seconds=15), comes=comes)
    platform.pushed()
    return platform


def late(platform: Platform) -> dict[tuple[str, str], float]:
    """Key and channel of what was sent -> seconds after its due instant."""
    one, found = platform.night, {}
    due = {mark.key: mark.due for at in {sent.at for sent in one.told} for mark in one.standing(at)}
    for sent in one.told:
        if sent.message.obligation in due:
            found[sent.message.key, sent.message.channel] = (sent.at - due[sent.message.obligation]).total_seconds()
    return found


def repeated(sent: list[Told]) -> dict[tuple[str, str], int]:
    counted = Counter((one.message.key, one.message.channel) for one in sent)
    return {key: count for key, count in counted.items() if count > 1}


def first_sent(one: Night) -> dict[tuple[str, str], datetime]:
    """Key and channel of what was sent -> when it was first."""
    return {(sent.message.key, sent.message.channel): sent.at for sent in reversed(one.told)}


def always_awake(of: Policy, until: timedelta, edits: Edits, **fields: Any) -> Night:
    """The same where somebody looks every 15 seconds."""
    one, at = night(of, **fields), TWO + timedelta(seconds=15)
    left = edits(one)
    while at < TWO + until:
        for when, act in [edit for edit in left if edit[0] <= at]:
            left.remove((when, act))
            act()
        one.run(at)
        at += timedelta(seconds=15)
    return one


def handled(one: Night) -> list[tuple[datetime, Callable[[], None]]]:
    """Acknowledged after 25 min, an update after 50, resolved after 3 h."""
    return [
        (TWO + minutes(25), lambda: one.acknowledge(TWO + minutes(25))),
        (TWO + minutes(50), lambda: one.update(TWO + minutes(50))),
        (TWO + minutes(180), lambda: one.resolve(TWO + minutes(180))),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("preset", WORST)
def test_every_notice_of_an_open_rank_1_incident_goes_within_a_minute(preset: str) -> None:
    platform = declared(judge(preset), **WORST[preset])
    platform.events += handled(platform.night)
    platform.live(TWO + minutes(200))
    sent = first_sent(platform.night)
    wanted = first_sent(always_awake(judge(preset), minutes(195), handled, **WORST[preset]))
    assert len(wanted) > 8
    assert {key: at for key, at in wanted.items() if key not in sent or sent[key] - at > minutes(1)} == {}
    assert repeated(platform.night.told) == {}
    assert platform.lives == [NOT_NEEDED]


def test_it_hands_itself_on_and_nothing_is_late_in_between() -> None:
    platform = declared(judge(extra="watch: {minutes: {incident: 1000}}\n"), severity="SEV0")
    platform.live(TWO + minutes(11 * 60 + 50))
    assert platform.lives == [HANDED_ON, HANDED_ON]
    assert max(late(platform).values()) <= 60
    assert repeated(platform.night.told) == {}


def test_at_the_limit_one_page_says_so_and_the_tick_stays() -> None:
    platform = declared(judge(extra="watch: {minutes: {incident: 60}}\n"), severity="SEV0")
    platform.live(TWO + minutes(300))
    assert platform.pages == [("INC-1/1", "its 60 minutes for one incident (watch.minutes.incident)")]
    assert platform.lives == [NOT_NEEDED]
    assert platform.control.state(TICK) == "active"
    platform.comes = True
    platform.live(TWO + minutes(600))
    assert len(platform.pages) == 1
    assert platform.lives == [NOT_NEEDED]


def test_one_that_waits_for_another_costs_nothing() -> None:
    """Started twice, and called off once the first ended: it never ran, whatever GitHub says of when it began."""
    runs = [
        WorkflowRun(1, "completed", "success", TWO, TWO + minutes(200)),
        WorkflowRun(2, "completed", "cancelled", TWO + minutes(1), TWO + minutes(199.5)),
        WorkflowRun(3, "completed", "success", TWO + minutes(2), TWO + minutes(230.5)),
        WorkflowRun(4, "in_progress", "", TWO + minutes(240), None),
        WorkflowRun(5, "pending", "", TWO + minutes(241), None),
    ]
    assert minutes_between(runs, TWO, TWO + minutes(250)) == 200 + 31 + 10
    assert minutes_between(runs, TWO + minutes(190), TWO + minutes(210)) == 20


def test_the_minutes_of_the_month_end_it_for_every_incident() -> None:
    platform = declared(judge(extra="watch: {minutes: {month: 30}}\n"), severity="SEV0")
    platform.live(TWO + minutes(120))
    assert platform.pages == [("INC-1/1", "its 30 minutes of this month (watch.minutes.month)")]


@pytest.mark.parametrize(("fields", "wanted"), [
    ({"severity": "SEV0"}, True),
    ({"severity": "SEV2"}, False),
    ({"severity": "SEV0", "state": "pending", **TAKEN}, False),
    ({"severity": "SEV0", "snooze": {"until": "2025-01-26T09:00:00Z", "by": "@ann", "reason": "vendor",
                                     "at": "2025-01-26T02:00:00Z"}}, False),
    ({"severity": "SEV0", "snooze": {"until": "2025-01-26T03:30:00Z", "by": "@ann", "reason": "vendor",
                                     "at": "2025-01-26T02:00:00Z"}}, True),
])  # fmt: skip
def test_it_is_started_only_where_somebody_has_to_be_awake(fields: dict[str, Any], wanted: bool) -> None:
    platform = declared(judge(), **fields)
    assert (f"dispatch on main {WATCH}" in platform.control.written) is wanted


def test_the_policy_says_for_which_ranks_and_how_long_before_a_page() -> None:
    wide = declared(judge(extra="watch: {ranks: [1, 2, 3]}\n"), severity="SEV2")
    assert f"dispatch on main {WATCH}" in wide.control.written
    snoozed = {"until": "2025-01-26T09:00:00Z", "by": "@ann", "reason": "vendor", "at": "2025-01-26T02:00:00Z"}
    early = declared(judge(extra="watch: {horizon: 8h}\n"), severity="SEV0", snooze=snoozed)
    assert f"dispatch on main {WATCH}" in early.control.written


MONDAY = datetime(2025, 1, 27, 9, tzinfo=UTC)


def by_the_tick(level: str, until: timedelta) -> Platform:
    """Declared on Monday at nine; the schedule comes while the tick is on, and `reconcile.yml` once a day."""
    platform = Platform(night(judge(), MONDAY, severity=level), MONDAY + timedelta(seconds=15), comes=True)
    platform.pushed()
    platform.events += [(MONDAY + timedelta(days=days), lambda: None) for days in (1, 2)]
    platform.live(MONDAY + until)
    assert platform.lives == []
    return platform


def test_rank_3_hears_within_20_minutes_by_the_tick() -> None:
    seconds = late(by_the_tick("SEV2", timedelta(hours=30)))
    assert len(seconds) >= 2
    assert max(seconds.values()) <= 20 * 60


def test_rank_4_hears_within_20_minutes_of_the_hour_at_which_it_may() -> None:
    """Its response was due at the end of Tuesday, and quiet hours hold that until Wednesday at nine."""
    sent = by_the_tick("SEV3", timedelta(hours=49)).night.told
    opens = MONDAY + timedelta(days=2)
    assert [opens <= one.at <= opens + minutes(20) for one in sent if one.at > MONDAY + minutes(20)] == [True]


def test_the_tick_is_switched_off_where_nothing_is_due_within_a_day() -> None:
    platform = declared(judge(), severity="SEV2")
    assert platform.control.state(TICK) == "active"
    platform.night.acknowledge(TWO + minutes(20))
    platform.night.resolve(TWO + minutes(30))
    platform.now_at = TWO + minutes(31)
    platform.pushed()
    platform.pushed()
    assert platform.control.state(TICK) == "disabled_manually"
    assert platform.control.written[-1] == f"disable {TICK}"


def test_a_policy_without_the_tick_keeps_it_off() -> None:
    platform = declared(judge(extra="automation: {tick: false}\n"), severity="SEV2")
    assert platform.control.written == []


def test_a_repository_without_the_workflows_is_left_alone_and_told() -> None:
    platform = Platform(night(judge(), severity="SEV0"), TWO)
    platform.control.states.clear()
    platform.pushed()
    assert platform.control.written == []
    assert [line.partition(" ")[0] for _, line in platform.said] == [TICK, WATCH]


def test_nothing_is_written_where_all_is_as_it_should_be() -> None:
    platform = declared(judge(), severity="SEV0")
    written = list(platform.control.written)
    for _ in range(3):
        platform.now_at += minutes(1)
        platform.act()
    assert platform.control.written == written


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(kill=st.integers(min_value=1, max_value=150))
def test_killed_anywhere_the_next_event_revives_it(kill: int) -> None:
    platform = declared(judge(), severity="SEV0")
    platform.kill_at = kill
    revived = TWO + minutes(61)
    platform.events.append((revived, lambda: None))
    platform.live(TWO + minutes(150))
    died = platform.lives[:1] == ["killed"]
    assert platform.lives == ["killed"] * died
    assert platform.control.runs(WATCH)[0].status == "in_progress"
    again = repeated(platform.night.told)
    assert len(again) <= died  # sent, and dead before it was confirmed
    sent = [(told.message.key, told.message.channel) for told in platform.night.told if told.at > revived + minutes(6)]
    assert sent
    assert max(late(platform)[key] for key in sent if key in late(platform)) <= 60
    left = [one.message.key for one in platform.night.planned if one.goes_out]
    assert all(key in {told.message.key for told in platform.night.told} for key in left)


class _AtTheSameTime:
    """A ledger that another run comes before, at each claim of this one."""

    def __init__(self, ledger: LedgerRef, other: Callable[[], object]) -> None:
        self._ledger, self._other = ledger, other

    def read(self) -> Ledger:
        return self._ledger.read()

    def claim(self, pairs: Collection[Pair], now: datetime, after: timedelta | None = None) -> frozenset[Pair]:
        self._other()
        return self._ledger.claim(pairs, now, after)

    def confirm(self, pairs: Collection[Pair], now: datetime) -> None:
        self._ledger.confirm(pairs, now)


def test_two_that_are_awake_never_both_ring(tmp_path: Path) -> None:
    origin = Origin(tmp_path)
    one, other = (night(judge(), severity="SEV0") for _ in range(2))
    other.ledger = LedgerRef(remote_of(origin.clone("other")))
    for number, at in enumerate((TWO, TWO + minutes(5.1), TWO + minutes(10.1))):
        ours = LedgerRef(remote_of(origin.clone(f"one-{number}")))
        one.ledger = _AtTheSameTime(ours, lambda at=at: other.run(at))
        one.run(at)
        assert one.told == []
        other.run(at)
    assert len(other.told) > 5
    assert repeated(one.told + other.told) == {}
