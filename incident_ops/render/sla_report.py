"""The compliance report as text, as Markdown and as JSON. A mean never appears without n, median and p90."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from incident_ops.documents.markdown import inline, markdown_table
from incident_ops.domain.time import spell_clock, spell_duration, spell_minute, stamp
from incident_ops.render.findings import inert, json_text, plural
from incident_ops.render.sla import (
    clock_data,
    clock_due,
    clock_name,
    due_notes,
    left_out_lines,
    missing_data,
    unread_lines,
)
from incident_ops.render.text import DEFAULT_WIDTH, UNCUT, aligned, fit_line, fold, hanging
from incident_ops.sla.clocks import CLOCK_NAMES
from incident_ops.sla.compliance import (
    COMPLIANCE,
    ITEMS_DONE,
    WITHIN,
    Compliance,
    Figures,
    Goal,
    Group,
    NotificationLag,
    Percentiles,
    Period,
)

MOST_MISSED = 20
MOST_NAME = 14
REPORT_HEADER = ("", "CLOCK", "N", "MET", "MISSED", "KEPT", "MEDIAN", "P90", "MEAN")
REPORT_RIGHT_COLUMNS = range(2, 9)
MISSED_HEADER = ("MISSED", "CLOCK", "LEVEL", "LATE", "DUE (UTC)")
REASONS = {
    "breached_by_retarget": "late only because its level changed",
    "dropped": "dropped",
    "duplicate": "duplicate",
    "drill": "drill",
    "false_alarm": "false alarm",
    "no_due": "without a due date",
    "retroactive": "declared after the fact",
    "running": "still running in time",
    "unknown_instant": "end time unknown",
    "withdrawn": "withdrawn",
}
ALL = "all"


def to_text(report: Compliance, width: int = DEFAULT_WIDTH) -> str:
    """Figures in total and by group, goals, slots, what does not count, notification lag, what was missed."""
    out = [_title(report), *fold(_counted(report), width=width), ""]
    rows = _rows(report, UNCUT if width == UNCUT else MOST_NAME)
    table = aligned(REPORT_HEADER, rows, REPORT_RIGHT_COLUMNS, width) if report.total else ["No clock to report on."]
    out += [*table, ""]
    for part in (_goals(report), _slots(report), _excluded(report), [_lag(report.noticing)]):
        out += hanging(part, width)
    if report.late:
        out += ["", *aligned(MISSED_HEADER, _late(report), width=width), *_notes(report), *_more(report)]
    out += left_out_lines(report.undated, width)
    out += unread_lines("Could not be read, so not in this report", report.unread)
    return "\n".join(out) + "\n"


def to_markdown(report: Compliance) -> str:
    """The same for a pull request or a step summary."""
    parts = [f"## {_title(report)}\n\n{_counted(report)}"]
    if report.total:
        head = ["", *(word.capitalize() for word in REPORT_HEADER[1:])]
        parts.append(markdown_table(head, [[inline(name), *cells] for name, *cells in _rows(report)]))
    sentences = [*_goals(report), *_slots(report), *_excluded(report), _lag(report.noticing)]
    parts.append("\n".join(f"- {inline(text)}" for text in sentences))
    if report.late:
        rows = [[*map(inline, words), late, due] for *words, late, due in _late(report)]
        parts.append(
            "\n".join(
                [
                    markdown_table([word.capitalize() for word in MISSED_HEADER[:-1]] + ["Due (UTC)"], rows),
                    *(f"\n{inline(note)}" for note in _notes(report)),
                    *_more(report),
                ]
            )
        )
    if report.undated:
        parts.append(" ".join(left_out_lines(report.undated)).strip())
    if report.unread:
        lines = [f"- {inline(record.path)}: {inline(record.why)}" for record in report.unread]
        parts.append("\n".join([f"### Could not be read, so not in this report ({len(report.unread)})", "", *lines]))
    return "\n\n".join(parts) + "\n"


def to_json(report: Compliance) -> str:
    """Every figure; `late` are all missed clocks. `tickets` and `kinds` are there only where there are tickets,
    `undated` and `unread` only when there is some."""
    data: dict[str, Any] = {
        "schema": 1,
        "at": stamp(report.at),
        "since": stamp(report.period.since) if report.period.since else None,
        "until": stamp(report.period.until) if report.period.until else None,
        "by": report.by,
        "incidents": report.incidents,
        **({"tickets": report.tickets, "kinds": _groups_data(report.kinds)} if report.tickets else {}),
        "total": [_figures_data(figures) for figures in report.total],
        "groups": _groups_data(report.groups),
        "goals": [_goal_data(goal) for goal in report.goals],
        "noticing": _lag_data(report.noticing),
        "late": [clock_data(clock) for clock in report.late],
    }
    return json_text({**data, **missing_data(report.undated, report.unread)})


def spell_period(period: Period) -> str:
    """`declared since 2025-01-01 00:00 UTC`; "" for all of the past."""
    since = f"since {spell_clock(period.since, dated=True)}" if period.since else ""
    until = f"before {spell_clock(period.until, dated=True)}" if period.until else ""
    span = " and ".join(part for part in (since, until) if part)
    return f"declared {span} UTC" if span else ""


def _title(report: Compliance) -> str:
    return f"SLA compliance at {spell_minute(report.at)}"


def _counted(report: Compliance) -> str:
    period = spell_period(report.period)
    tickets = f" and {plural(report.tickets, 'ticket')}" if report.tickets else ""
    return f"{plural(report.incidents, 'incident')}{tickets} {period or 'in all'}."


def _rows(report: Compliance, most: int = UNCUT) -> list[tuple[str, ...]]:
    """The figures in total, of incidents and tickets apart, then of each group; its name is on its first line.

    A clock that nothing was counted for is left out. Names have at most `most` columns.
    """
    groups = [(ALL, report.total), *((group.name, group.figures) for group in (*report.kinds, *report.groups))]
    return [
        ("" if index else fit_line(name, most), *_cells(clock))
        for name, figures in groups
        for index, clock in enumerate(one for one in figures if one.n)
    ]


def _cells(clock: Figures) -> tuple[str, ...]:
    lasted = _spread(clock.lasted) if clock.lasted else ("-", "-", "-")
    return (_word(clock), str(clock.n), str(clock.met), str(clock.missed), _share(clock.percent), *lasted)


def _spread(lasted: Percentiles) -> tuple[str, str, str]:
    """Median, 90th percentile and mean."""
    return spell_duration(lasted.median), spell_duration(lasted.p90), spell_duration(lasted.mean)


def _share(percent: float | None) -> str:
    return "-" if percent is None else f"{percent:.1f}%"


def _goals(report: Compliance) -> list[str]:
    return [_goal(goal) for goal in report.goals]


def _goal(goal: Goal) -> str:
    out = f"; {goal.left_out} not judged" if goal.left_out else ""
    if goal.is_reached is None:
        return f"Goal: {_wanted(goal)}: nothing to judge yet{out}."
    return (
        f"Goal: {_wanted(goal)}: {_share(goal.percent)} of {goal.n}, {'' if goal.is_reached else 'not '}reached{out}."
    )


def _wanted(goal: Goal) -> str:
    more = "more than " if goal.strict else ""
    if goal.name == WITHIN:
        return f"{more}{goal.wanted:g}% of {goal.level} resolved within {goal.within}"
    if goal.name == ITEMS_DONE:
        return f"{goal.wanted:g}% of action items done within {goal.within}"
    what = "responses and resolutions in time" if goal.name == COMPLIANCE else "escalations judged appropriate"
    return f"{more}{goal.wanted:g}% of {what}"


def _slots(report: Compliance) -> list[str]:
    return [
        f"Update slots, {clock.clock.removeprefix('update_')}: {clock.slots.kept} kept, {clock.slots.missed} missed."
        for clock in report.total
        if clock.slots.kept or clock.slots.missed
    ]


def _excluded(report: Compliance) -> Iterator[str]:
    if running := [f"{clock.unfinished} {_word(clock)}" for clock in report.total if clock.unfinished]:
        yield f"Missed and still running, so not in any median: {', '.join(running)}."
    for clock in report.total:
        if clock.excluded:
            yield f"Not counted, {_word(clock)}: {_reasons(clock.excluded)}."


def _word(figures: Figures) -> str:
    return CLOCK_NAMES[figures.clock].short


def _reasons(excluded: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {REASONS.get(reason, reason)}" for reason, count in excluded.items())


def _lag(lag: NotificationLag | None) -> str:
    if lag is None:
        return "Notification lag: unknown (no escalation by a rule is on record)."
    median, p90, mean = _spread(lag.lag)
    return (
        f"Notification lag of {plural(lag.lag.n, 'escalation')}: median {median}, p90 {p90}, mean {mean}; longest "
        f"{spell_duration(lag.longest_seconds)} ({inert(lag.longest)}). In total, no run checked for at "
        f"least {spell_duration(lag.blind_seconds)}."
    )


def _late(report: Compliance) -> list[tuple[str, ...]]:
    return [
        (
            clock.incident,
            clock_name(clock),
            clock.level,
            spell_duration(-clock.remaining_seconds)
            if clock.remaining_seconds is not None and clock.remaining_seconds < 0
            else "-",
            clock_due(clock),
        )
        for clock in report.late[:MOST_MISSED]
    ]


def _notes(report: Compliance) -> list[str]:
    return due_notes(clock.item_due for clock in report.late[:MOST_MISSED])


def _more(report: Compliance) -> Sequence[str]:
    left = len(report.late) - MOST_MISSED
    return ["", f"and {left} more; --format json lists all"] if left > 0 else []


def _groups_data(groups: Sequence[Group]) -> list[dict[str, Any]]:
    return [{"name": group.name, "clocks": [_figures_data(one) for one in group.figures]} for group in groups]


def _figures_data(figures: Figures) -> dict[str, Any]:
    return {
        "clock": figures.clock,
        "n": figures.n,
        "met": figures.met,
        "missed": figures.missed,
        "unfinished": figures.unfinished,
        "percent": figures.percent,
        "seconds": _spread_data(figures.lasted),
        "slots": {"kept": figures.slots.kept, "missed": figures.slots.missed},
        "excluded": dict(figures.excluded),
    }


def _spread_data(spread: Percentiles | None) -> dict[str, int] | None:
    return None if spread is None else {"n": spread.n, "median": spread.median, "p90": spread.p90, "mean": spread.mean}


def _goal_data(goal: Goal) -> dict[str, Any]:
    return {
        "name": goal.name,
        "level": goal.level or None,
        "within": goal.within or None,
        "wanted_percent": goal.wanted,
        "strict": goal.strict,
        "n": goal.n,
        "percent": goal.percent,
        "reached": goal.is_reached,
        "not_judged": goal.left_out,
    }


def _lag_data(lag: NotificationLag | None) -> dict[str, Any] | None:
    if lag is None:
        return None
    return {
        "seconds": _spread_data(lag.lag),
        "blind_seconds": lag.blind_seconds,
        "longest": lag.longest,
        "longest_seconds": lag.longest_seconds,
    }
