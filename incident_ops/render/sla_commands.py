"""What is breached, at risk or escalates, as workflow commands of GitHub Actions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from incident_ops.notifications.notice_text import spell_instants
from incident_ops.render.findings import MOST_ANNOTATIONS, command, inert
from incident_ops.render.sla import AT_RISK, BREACHED, ClockRow, clock_rows
from incident_ops.sla.obligations import ESCALATION_NOTICE, DueObligations
from incident_ops.sla.status import ClockReport


def due_commands(report: ClockReport, due: DueObligations) -> str:
    """Workflow commands: an error for what is breached or escalates, a warning for what is at risk; "" for neither."""
    table = clock_rows(report, narrow=True)
    errors = [_of_row(row) for row in table if row.status == BREACHED]
    errors += [
        (obligation.incident, spell_instants(obligation.reason, due.at))
        for obligation in due.obligations
        if obligation.kind == ESCALATION_NOTICE
    ]
    warnings = [_of_row(row) for row in table if row.status == AT_RISK]
    return "".join(f"{line}\n" for line in (*_capped("error", errors), *_capped("warning", warnings)))


def _of_row(row: ClockRow) -> tuple[str, str]:
    zone = " UTC" if ":" in row.due else ""
    return row.incident, f"{row.clock} of {row.level} {row.status}: {row.time}, due {row.due}{zone}"


def _capped(level: str, messages: Sequence[tuple[str, str]]) -> Iterable[str]:
    yield from (command(level, {"title": name}, inert(text)) for name, text in messages[:MOST_ANNOTATIONS])
    if more := len(messages) - MOST_ANNOTATIONS if len(messages) > MOST_ANNOTATIONS else 0:
        yield command(level, {"title": "incident-ops"}, f"and {more} more: the summary of this step lists them")
