"""The notifications that are due as text for people, as JSON, and as the summary of a step of GitHub Actions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType

from incident_ops.domain.time import spell_clock, spell_duration, stamp
from incident_ops.notifications.notice_text import spell_instants
from incident_ops.render.findings import MOST_SUMMARY_BYTES, inert, plural
from incident_ops.render.sla import AT_RISK, BREACHED, clock_of_day, clock_rows
from incident_ops.render.text import DEFAULT_WIDTH, fold_record, hanging
from incident_ops.sla.delivery import WhomDue
from incident_ops.sla.escalation import MANUAL
from incident_ops.sla.obligations import (
    DECLARED_NOTICE,
    NEWS_NOTICE,
    RAISED_NOTICE,
    REOPENED_NOTICE,
    RESOLVED_NOTICE,
    DueObligations,
    Obligation,
)
from incident_ops.sla.status import ClockReport

_NEWS = frozenset({DECLARED_NOTICE, RAISED_NOTICE, REOPENED_NOTICE, RESOLVED_NOTICE, NEWS_NOTICE})
_NEWS_FOR = timedelta(days=1)


def obligations_data(due: DueObligations) -> list[dict[str, str]]:
    """The obligations as JSON data, in the fields of docs/contract.md#json."""
    return [
        {
            "key": obligation.key,
            "kind": obligation.kind,
            "incident": obligation.incident,
            "reason": obligation.reason,
            "due": stamp(obligation.due),
            "noticed_at": stamp(obligation.noticed_at),
        }
        for obligation in due.obligations
    ]


def due_lines(
    due: DueObligations,
    width: int = DEFAULT_WIDTH,
    *,
    with_keys: bool = False,
    whom: Mapping[str, WhomDue] = MappingProxyType({}),
) -> list[str]:
    """Due notifications, the longest due first: reason, when due, how late, and for whom; [] where nothing is due.

    News more than a day old is left to the JSON, and so are the keys, but for `with_keys`. `whom` is by key.
    """
    shown = _shown(due)
    if not shown:
        return []
    longest = spell_duration(max(_late_seconds(one, due) for one in shown))
    out = hanging([f"Notifications due: {len(shown)}, the longest overdue by {longest}"], width)
    for obligation in shown:
        when = ", ".join(_in_brackets(obligation, due))
        people = _people(whom.get(obligation.key))
        text = f"{obligation.incident}: {_why(obligation, due)} ({when}{people})"
        out += fold_record(text, "  ", "    ", width)
        out += [f"    {obligation.key}"] if with_keys else []
    return out


def _why(obligation: Obligation, due: DueObligations) -> str:
    is_manual = obligation.escalation is not None and obligation.escalation.rule == MANUAL
    reason = f"Escalated by hand: {obligation.reason}" if is_manual else obligation.reason
    return inert(spell_instants(reason, due.at))


def _in_brackets(obligation: Obligation, due: DueObligations) -> Iterator[str]:
    """When it was due, where its reason does not say so, and how late that is."""
    if stamp(obligation.due) not in obligation.reason:
        yield f"due {clock_of_day(obligation.due, due.at)} UTC"
    yield f"{spell_duration(_late_seconds(obligation, due))} late"


def _people(whom: WhomDue | None) -> str:
    """`; for @ann, the team`, and why it waits where it does; "" where nothing is known."""
    if whom is None:
        return ""
    if not whom.names:
        return "; reaches nobody"
    held = f"; waits: {whom.held}" if whom.held else ""
    return f"; for {', '.join(map(inert, whom.names))}{held}"


def due_summary(report: ClockReport, due: DueObligations, room: int = MOST_SUMMARY_BYTES) -> str:
    """Clocks that are breached or at risk, and due notifications, as Markdown of at most `room` bytes.

    What does not fit is counted in the last line.
    """
    from incident_ops.documents.markdown import code, inline  # many patterns, which only a summary needs

    at = spell_clock(report.at, dated=True)
    urgent = [row for row in clock_rows(report) if row.status in (BREACHED, AT_RISK)]
    shown = _shown(due)
    counts = f"{plural(len(urgent), 'clock')} at risk or breached, {plural(len(shown), 'notification')} due"
    head = f"## Clocks at {at} UTC\n\n{counts}\n"
    lines: list[str] = []
    if urgent:
        lines += ["\n| status | incident | clock | level | time | due (UTC) |\n| --- | --- | --- | --- | --- | --- |\n"]
        lines += [
            _row(row.status, code(row.incident), *map(inline, (row.clock, row.level, row.time, row.due)))
            for row in urgent
        ]
    if shown:
        lines += ["\n| notification | incident | why | due (UTC) | noticed |\n| --- | --- | --- | --- | --- |\n"]
        lines += [
            _row(obligation.kind, code(obligation.incident), inline(_why(obligation, due)), *_when(obligation, due))
            for obligation in shown
        ]
    left = room - len(head.encode()) - len(_left_out(len(lines)).encode())
    for place, line in enumerate(lines):
        left -= len(line.encode())
        if left < 0:
            return head + "".join(lines[:place]) + _left_out(len(lines) - place)
    return head + "".join(lines)


def _when(obligation: Obligation, due: DueObligations) -> tuple[str, str]:
    return spell_clock(obligation.due, dated=True), f"{spell_duration(_late_seconds(obligation, due))} late"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _left_out(count: int) -> str:
    return f"\nand {plural(count, 'line')} more: run `incident-ops sla check`\n"


def _shown(due: DueObligations) -> list[Obligation]:
    return [
        obligation
        for obligation in due.obligations
        if obligation.kind not in _NEWS or due.at - obligation.due <= _NEWS_FOR
    ]


def _late_seconds(obligation: Obligation, due: DueObligations) -> int:
    """Seconds since it was due: it is not delivered yet, whenever it was noticed."""
    return max(0, int((due.at - obligation.due).total_seconds()))
