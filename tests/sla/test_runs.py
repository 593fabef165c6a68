"""However often somebody looks, the same things come due: over random lives, calendars and changes of level."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from incident_ops.domain.as_of import as_of
from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.domain.policy_sections import Calendar
from incident_ops.sla.escalation import due_escalations
from incident_ops.sla.obligations import incident_obligations
from tests.sla.escalating import LADDER, START, policy
from tests.sla.test_calendar import calendars
from tests.sla.test_escalation import lives, run
from tests.support.laws import law

END = START + timedelta(days=2)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
RULES = policy(
    extra="""\
levels:
- {id: P1, response: 15m, response_warn_at: 50%, warn_at: 50%, escalate_at: 1h}
- {id: P2, calendar: first, response: 30m, warn_at: 50%, escalate_at: 2h, stagnation: 1h, defer_if_active_within: 30m}
- {id: P3, calendar: second, response: 1h, warn_at: 50%, escalate_at: 3h, stagnation: 2h}
calendars: {first: {tz: UTC, hours: {monday: ["09:00-17:00"]}}, second: {tz: UTC, hours: {monday: ["09:00-17:00"]}}}
"""
    + LADDER
)


def ruled(first: Calendar, second: Calendar) -> Policy:
    return replace(RULES, calendars={"first": first, "second": second})


judges = st.builds(ruled, calendars, calendars)


def each(step: timedelta, offset: timedelta = SECOND * 30) -> list[datetime]:
    """Runs every so often, the last one at the end."""
    count = int((END - START - offset) / step)
    return sorted({START + offset + step * number for number in range(count + 1)} | {END})


def around(dues: Iterable[datetime]) -> list[datetime]:
    """A run one second before and after each of these instants, and one at the end."""
    return sorted({one + shift for one in dues for shift in (-SECOND, SECOND) if START < one + shift < END} | {END})


def listed(record: Incident, judge: Policy) -> set[tuple[str, datetime]]:
    """All that is known to have come due by the end: what runs wrote into the record changes none of it."""
    return {(one.key, one.due) for one in incident_obligations(as_of(record, END), judge)}


@law("runs that find the same", whole=300, sample=4)
@given(lives(), judges)
def test_a_run_each_minute_at_each_due_instant_each_day_and_once_find_the_same(record: Incident, judge: Policy) -> None:
    """The same keys at the same instants; whoever looks less often misses only what was superseded by then."""
    whole = listed(record, judge)
    minutes = each(MINUTE)
    often, told, _ = run(record, judge, minutes)
    for times in (around(due for _, due in whole), [*each(timedelta(days=1))], [END]):
        seldom, few, passed = run(record, judge, times)
        assert listed(seldom, judge) == whole
        assert told - few <= passed
        assert few <= {key for key, _ in whole}
        assert few - told <= {one.key for one in due_escalations(as_of(often, END), judge) if one.superseded}
    assert listed(often, judge) == whole
