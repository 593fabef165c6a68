"""The compliance report as text, as Markdown and as JSON. A mean never stands without n, median and p90."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from incident_ops.documents.markdown import inline, markdown_table
from incident_ops.domain.time import spell_clock, spell_duration, stamp
from incident_ops.render.findings import inert, json_text, plural
from incident_ops.render.sla import clock_data, clock_name, unread_data
from incident_ops.render.text import aligned, fit_line
from incident_ops.sla.clocks import CLOCK_NAMES
from incident_ops.sla.compliance import (
    COMPLIANCE,
    WITHIN,
    Compliance,
    Figures,
    Goal,
    NotificationLag,
    Percentiles,
    Period,
)

WIDTH = 80
MOST_MISSED = 20
REPORT_HEADER = ("", "CLOCK", "N", "MET", "MISSED", "KEPT", "MEDIAN", "P90", "MEAN")
REPORT_RIGHT_COLUMNS = range(2, 9)
MISSED_HEADER = ("MISSED", "CLOCK", "LEVEL", "LATE", "DUE (UTC)")
REASONS = {
    "breached_by_retarget": "late only since its level changed",
    "dropped": "dropped",
    "duplicate": "duplicate",
    "drill": "drill",
    "false_alarm": "false alarm",
    "no_due": "without a due date",
    "retroactive": "declared after the fact",
    "running": "still running in time",
    "unknown_instant": "ended nobody knows when",
    "withdrawn": "withdrawn",
}
ALL = "all"


def to_text(report: Compliance) -> str:
    """Figures in total and by group, goals, slots, what does not count, how late runs were, what was missed."""
    out = [_title(report), *textwrap.wrap(_counted(report), WIDTH), ""]
    out += (
        [*aligned(REPORT_HEADER, _rows(report), REPORT_RIGHT_COLUMNS), ""]
        if report.total
        else ["No clock to report on.", ""]
    )
    for part in (_goals(report), _slots(report), _excluded(report), [_noticing(report.noticing)]):
        out += [line for text in part for line in textwrap.wrap(text, WIDTH, subsequent_indent="  ")]
    if report.late:
        out += ["", *aligned(MISSED_HEADER, _late(report)), *_more(report)]
    if report.unread:
        out += ["", f"Not read, so not in this report ({len(report.unread)}):"]
        out += [f"  {one.path}: {one.why}" for one in report.unread]
    return "\n".join(out) + "\n"


def to_markdown(report: Compliance) -> str:
    """The same for a pull request or a step summary."""
    parts = [f"## {_title(report)}\n\n{_counted(report)}"]
    if report.total:
        head = ["", *(word.capitalize() for word in REPORT_HEADER[1:])]
        parts.append(markdown_table(head, [[inline(name), *cells] for name, *cells in _rows(report)]))
    told = [*_goals(report), *_slots(report), *_excluded(report), _noticing(report.noticing)]
    parts.append("\n".join(f"- {inline(text)}" for text in told))
    if report.late:
        rows = [[*map(inline, words), late, due] for *words, late, due in _late(report)]
        parts.append(
            "\n".join(
                [
                    markdown_table([word.capitalize() for word in MISSED_HEADER[:-1]] + ["Due (UTC)"], rows),
                    *_more(report),
                ]
            )
        )
    if report.unread:
        lines = [f"- {inline(one.path)}: {inline(one.why)}" for one in report.unread]
        parts.append("\n".join([f"### Not read, so not in this report ({len(report.unread)})", "", *lines]))
    return "\n\n".join(parts) + "\n"


def to_json(report: Compliance) -> str:
    """Every figure; `late` are all missed clocks. `unread` is there only when a record could not be used."""
    data: dict[str, Any] = {
        "schema": 1,
        "at": stamp(report.at),
        "since": stamp(report.period.since) if report.period.since else None,
        "until": stamp(report.period.until) if report.period.until else None,
        "by": report.by,
        "incidents": report.incidents,
        "total": [_figures_data(one) for one in report.total],
        "groups": [
            {"name": group.name, "clocks": [_figures_data(one) for one in group.figures]} for group in report.groups
        ],
        "goals": [_goal_data(goal) for goal in report.goals],
        "noticing": _noticing_data(report.noticing),
        "late": [clock_data(clock) for clock in report.late],
    }
    if report.unread:
        data["unread"] = unread_data(report.unread)
    return json_text(data)


def spell_period(period: Period) -> str:
    """`declared since 2025-01-01 00:00 UTC`; "" for all of the past."""
    since = f"since {spell_clock(period.since, dated=True)}" if period.since else ""
    until = f"before {spell_clock(period.until, dated=True)}" if period.until else ""
    told = " and ".join(part for part in (since, until) if part)
    return f"declared {told} UTC" if told else ""


def _title(report: Compliance) -> str:
    return f"SLA compliance at {spell_clock(report.at, dated=True)} UTC"


def _counted(report: Compliance) -> str:
    period = spell_period(report.period)
    return f"{plural(report.incidents, 'incident')} {period or 'in all'}."


def _rows(report: Compliance) -> list[tuple[str, ...]]:
    """The figures in total, then of each group; its name stands on the first line of it."""
    groups = [(ALL, report.total), *((group.name, group.figures) for group in report.groups)]
    return [
        ("" if index else fit_line(name, 14), *_cells(one))
        for name, figures in groups
        for index, one in enumerate(figures)
    ]


def _cells(one: Figures) -> tuple[str, ...]:
    lasted = _spread(one.lasted) if one.lasted else ("-", "-", "-")
    return (
        _word(one),
        str(one.n),
        str(one.met),
        str(one.missed),
        _share(one.percent),
        *lasted,
    )


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
    what = "responses and resolutions in time" if goal.name == COMPLIANCE else "escalations judged appropriate"
    return f"{more}{goal.wanted:g}% of {what}"


def _slots(report: Compliance) -> list[str]:
    return [
        f"Update slots, {one.clock.removeprefix('update_')}: {one.slots.kept} kept, {one.slots.missed} missed."
        for one in report.total
        if one.slots.kept or one.slots.missed
    ]


def _excluded(report: Compliance) -> Iterator[str]:
    if running := [f"{one.unfinished} {_word(one)}" for one in report.total if one.unfinished]:
        yield f"Missed and still running, so in no median: {', '.join(running)}."
    for one in report.total:
        if one.excluded:
            yield f"Not counted, {_word(one)}: {_reasons(one.excluded)}."


def _word(one: Figures) -> str:
    return CLOCK_NAMES[one.clock].short


def _reasons(excluded: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {REASONS.get(reason, reason)}" for reason, count in excluded.items())


def _noticing(found: NotificationLag | None) -> str:
    if found is None:
        return "How late runs noticed is not known: no record tells of an escalation by a rule."
    median, p90, mean = _spread(found.lag)
    return (
        f"From due to noticed, {plural(found.lag.n, 'escalation')}: median {median}, p90 {p90}, mean {mean}; longest "
        f"{spell_duration(found.longest_seconds)} ({inert(found.longest)}). In all, no run looked for "
        f"{spell_duration(found.blind_seconds)} at least."
    )


def _late(report: Compliance) -> list[tuple[str, ...]]:
    return [
        (
            one.incident,
            clock_name(one),
            one.level,
            spell_duration(-one.remaining_seconds)
            if one.remaining_seconds is not None and one.remaining_seconds < 0
            else "-",
            spell_clock(one.due, dated=True) if one.due else "-",
        )
        for one in report.late[:MOST_MISSED]
    ]


def _more(report: Compliance) -> Sequence[str]:
    left = len(report.late) - MOST_MISSED
    return ["", f"and {left} more; --format json lists all"] if left > 0 else []


def _figures_data(one: Figures) -> dict[str, Any]:
    return {
        "clock": one.clock,
        "n": one.n,
        "met": one.met,
        "missed": one.missed,
        "unfinished": one.unfinished,
        "percent": one.percent,
        "seconds": _spread_data(one.lasted),
        "slots": {"kept": one.slots.kept, "missed": one.slots.missed},
        "excluded": dict(one.excluded),
    }


def _spread_data(found: Percentiles | None) -> dict[str, int] | None:
    return None if found is None else {"n": found.n, "median": found.median, "p90": found.p90, "mean": found.mean}


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


def _noticing_data(found: NotificationLag | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "seconds": _spread_data(found.lag),
        "blind_seconds": found.blind_seconds,
        "longest": found.longest,
        "longest_seconds": found.longest_seconds,
    }
