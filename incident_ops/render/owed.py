"""What is owed now: as lines for people, as the JSON of `sla check`, and as GitHub shows it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from datetime import timedelta

from incident_ops.model.time import spell_duration, stamp
from incident_ops.render.annotations import MOST, MOST_BYTES, command
from incident_ops.render.dates import spell_clock
from incident_ops.render.findings import inert, plural
from incident_ops.render.safe import code, inline
from incident_ops.render.sla import AT_RISK, BREACHED, Row, rows
from incident_ops.sla.obligations import DECLARED, ESCALATION, NEWS, OVER, RAISED, REOPENED, Obligation, Owed
from incident_ops.sla.report import Report

WIDTH = 80
_TOLD_ONCE = frozenset({DECLARED, RAISED, REOPENED, OVER, NEWS})
_NEWS_FOR = timedelta(days=1)


def owed_data(owed: Owed) -> list[dict[str, str]]:
    """The obligations as JSON data, in the fields of docs/contract.md#json."""
    return [
        {
            "key": one.key,
            "kind": one.kind,
            "incident": one.incident,
            "reason": one.reason,
            "due": stamp(one.due),
            "noticed_at": stamp(one.noticed_at),
        }
        for one in owed.obligations
    ]


def owed_lines(owed: Owed) -> list[str]:
    """What is owed, the longest due first: reason, key, when it was due, when noticed. What was announced more than a
    day ago is left to the JSON. Empty where nothing is owed."""
    shown = _shown(owed)
    if not shown:
        return []
    out = [f"Owed now: {len(shown)}, the longest due for {spell_duration(max(map(_lag, shown)))}"]
    for one in shown:
        head = f"{one.incident}: {inert(one.reason)}"
        out += textwrap.wrap(head, WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False)
        noticed = "now" if one.noticed_at == owed.at else spell_clock(one.noticed_at, dated=True)
        out.append(f"    due {spell_clock(one.due, dated=True)}, noticed {noticed}, {spell_duration(_lag(one))} later")
        out.append(f"    {one.key}")
    return out


def owed_commands(report: Report, owed: Owed) -> str:
    """Workflow commands: an error for what is breached or escalates, a warning for what is at risk; "" for neither."""
    table = rows(report)
    errors = [_of_row(row) for row in table if row.status == BREACHED]
    errors += [(one.incident, one.reason) for one in owed.obligations if one.kind == ESCALATION]
    warnings = [_of_row(row) for row in table if row.status == AT_RISK]
    return "".join(f"{line}\n" for line in (*_capped("error", errors), *_capped("warning", warnings)))


def owed_summary(report: Report, owed: Owed, room: int = MOST_BYTES) -> str:
    """Clocks that are breached or at risk, and what is owed, as Markdown of at most `room` bytes; what does not fit is
    counted in the last line."""
    at = spell_clock(report.at, dated=True)
    urgent = [row for row in rows(report) if row.status in (BREACHED, AT_RISK)]
    shown = _shown(owed)
    head = f"## Clocks at {at} UTC\n\n{plural(len(urgent), 'clock')} at risk or breached, {len(shown)} owed\n"
    lines: list[str] = []
    if urgent:
        lines += ["\n| status | incident | clock | level | time | due (UTC) |\n| --- | --- | --- | --- | --- | --- |\n"]
        lines += [
            _row(row.status, code(row.incident), *map(inline, (row.clock, row.level, row.time, row.due)))
            for row in urgent
        ]
    if shown:
        lines += ["\n| owed | incident | why | due (UTC) | noticed |\n| --- | --- | --- | --- | --- |\n"]
        lines += [_row(one.kind, code(one.incident), inline(inert(one.reason)), *_when(one)) for one in shown]
    left = room - len(head.encode()) - len(_left_out(len(lines)).encode())
    for place, line in enumerate(lines):
        left -= len(line.encode())
        if left < 0:
            return head + "".join(lines[:place]) + _left_out(len(lines) - place)
    return head + "".join(lines)


def _when(one: Obligation) -> tuple[str, str]:
    return spell_clock(one.due, dated=True), f"{spell_duration(_lag(one))} later"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _left_out(count: int) -> str:
    return f"\nand {plural(count, 'line')} more: run `incident-ops sla check`\n"


def _of_row(row: Row) -> tuple[str, str]:
    return row.incident, f"{row.clock} of {row.level} {row.status}: {row.time}, due {row.due} UTC"


def _capped(level: str, told: Sequence[tuple[str, str]]) -> Iterable[str]:
    yield from (command(level, {"title": name}, inert(text)) for name, text in told[:MOST])
    if more := len(told) - MOST if len(told) > MOST else 0:
        yield command(level, {"title": "incident-ops"}, f"and {more} more: the summary of this step lists them")


def _shown(owed: Owed) -> list[Obligation]:
    return [one for one in owed.obligations if one.kind not in _TOLD_ONCE or owed.at - one.due <= _NEWS_FOR]


def _lag(one: Obligation) -> int:
    return max(0, int((one.noticed_at - one.due).total_seconds()))
