"""Whatever the level, the weekday, the hour, the snooze and the time without a run: what stands is told to somebody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.policy import Service
from incident_ops.domain.time import stamp
from tests.support.laws import law
from tests.support.nights import Night
from tests.support.policies import policy

MONDAY = datetime(2025, 1, 20, tzinfo=UTC)
PEOPLE = """
contacts:
  "@ann": {channels: [chat]}
  "@team": {channels: [chat]}
  executive: ["@ann"]
notify: {incident_channel: {create: false}}
"""
LADDER = "escalation: {tiers: [{id: first, tier: 1, wait: 30m}, {id: second, tier: 2, notify: ['@ann']}]}\n"
LEVELS = [
    *(("sev0-3", {"severity": level}) for level in ("SEV0", "SEV1", "SEV2", "SEV3")),
    *(("sev1-3", {"severity": level}) for level in ("SEV-1", "SEV-2", "SEV-3")),
    *(("p0-p3", {"severity": level}) for level in ("P0", "P1", "P2", "P3")),
    *(("itil-p1-p4", {"priority": level}) for level in ("P1", "P2", "P3", "P4")),
    ("itil-p1-p4", {"priority": "P1", "severity": "SEV-1"}),
]
MUST = ("declared", "breach", "escalation")
gaps = st.one_of(
    st.integers(0, 90), st.sampled_from([1439, 1440, 1441]), st.integers(0, 14400), st.integers(0, 14400)
).map(lambda span: timedelta(minutes=span))


@law("people told of what stands", whole=5_000, sample=150)
@given(
    level=st.sampled_from(LEVELS),
    begin=st.integers(0, 7 * 24 * 60 - 1).map(lambda span: MONDAY + timedelta(minutes=span)),
    runs=st.lists(gaps, min_size=1, max_size=3),
    snooze=st.none() | st.tuples(gaps, gaps),
    acknowledged=st.none() | gaps,
)
def test_what_stands_is_told_to_somebody(
    level: tuple[str, dict[str, str]],
    begin: datetime,
    runs: list[timedelta],
    snooze: tuple[timedelta, timedelta] | None,
    acknowledged: timedelta | None,
) -> None:
    """Runs at any gaps, then one at the next hour at which no quiet hours and no snooze hold anything: of each breach,
    escalation and open declaration that stands then, somebody has been told."""
    name, labels = level
    judge = policy(name, PEOPLE + LADDER)
    data: dict[str, Any] = {"id": "INC-1", "title": "t", "services": ["app"], "state": "new", **labels}
    night = Night(judge, {"app": Service(owner="@team")}, {**data, "times": {"declared": stamp(begin)}})
    story: list[tuple[datetime, Any]] = []
    at = begin
    for gap in runs:
        at += gap
        story.append((at, night.run))
    if snooze:
        begun, until = begin + snooze[0], begin + snooze[0] + snooze[1] + timedelta(minutes=1)
        fields = {"at": stamp(begun), "until": stamp(until), "by": "@ann", "reason": "vendor works"}
        story.append((begun, lambda _: night.write(begun, snooze=fields)))
        at = max(at, until)
    if acknowledged is not None:
        story.append((begin + acknowledged, night.acknowledge))
        at = max(at, begin + acknowledged)
    for moment, step in sorted(story, key=lambda entry: entry[0]):
        step(moment)
    last = _working_hour(at)
    night.run(last)
    standing = {one.key for one in night.standing(last) if one.kind in MUST}
    told = {each.message.obligation for each in night.told}
    if acknowledged is not None:  # whoever has it knows that it was declared
        standing = {key for key in standing if not key.endswith("/declared")}
    assert standing <= told, (standing - told, night.held, night.unreachable)


def _working_hour(at: datetime) -> datetime:
    """The next 10:00 UTC of a working day."""
    day = at.replace(hour=10, minute=0, second=0)
    while day < at or day.weekday() >= 5:
        day += timedelta(days=1)
    return day
