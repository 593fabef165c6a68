"""What another policy would have done with the history, as text and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from incident_ops.domain.time import spell_minute, stamp
from incident_ops.render.findings import inert, json_text, plural
from incident_ops.render.sla import clock_name, left_out_lines, missing_data, unread_lines
from incident_ops.render.text import DEFAULT_WIDTH, UNCUT, aligned, fit_line, hanging, spell_due
from incident_ops.sla.backtest import Backtest, Breach, ComparedEscalation
from incident_ops.sla.escalation import DueEscalation

MOST_ROWS = 20
RIGHT_COLUMNS = range(2, 6)
Tally = dict[tuple[str, str], list[int]]
"""(what, level) -> how many before, after, gone, new."""


def to_text(backtest: Backtest, width: int = DEFAULT_WIDTH) -> str:
    """Breaches, escalations and pages before and after, how people judged the ones that would go, what differs."""
    out = [*hanging([_headline(backtest)], width), ""]
    out += _part("BREACHES", _breaches(backtest.breaches), "Breaches: none under either policy.", width)
    out += _part("ESCALATIONS", _escalations(backtest.escalations), "Escalations: none under either policy.", width)
    out += _part("PAGES", _pages(backtest.escalations), "", width)
    out += hanging(_judged(backtest), width)
    different = _differences(backtest)
    if different:
        header = ("", "INCIDENT", "WHAT", "BEFORE (UTC)", "AFTER (UTC)")
        out += ["", *aligned(header, different[:MOST_ROWS], width=width)]
        out += [f"and {len(different) - MOST_ROWS} more; --format json lists all"] if len(different) > MOST_ROWS else []
    out += left_out_lines(backtest.undated, width)
    out += unread_lines("Not replayed", backtest.unread)
    return "\n".join(out) + "\n"


def to_json(backtest: Backtest) -> str:
    """Every figure and every difference. `undated` and `unread` are there only when there is some."""
    data: dict[str, Any] = {
        "schema": 1,
        "at": stamp(backtest.at),
        "since": stamp(backtest.since) if backtest.since else None,
        "incidents": backtest.incidents,
        "replayed": backtest.replayed,
        "left_out": dict(backtest.left_out),
        "breaches": _tally_data("clock", _breaches(backtest.breaches)),
        "escalations": _tally_data("rule", _escalations(backtest.escalations)),
        "pages": _tally_data("person", _pages(backtest.escalations)),
        "recorded": {
            "escalations": backtest.recorded.n,
            "not_found": list(backtest.recorded.not_found),
            "unrecorded": backtest.recorded.unrecorded,
        },
        "differences": {
            "breaches": [_breach_data(breach) for breach in backtest.breaches if breach.was != breach.will_be],
            "escalations": [_raised_data(escalation) for escalation in backtest.escalations if _differs(escalation)],
        },
    }
    return json_text({**data, **missing_data(backtest.undated, backtest.unread)})


def _headline(backtest: Backtest) -> str:
    since = f" declared since {spell_minute(backtest.since)}" if backtest.since else ""
    rest = backtest.incidents - backtest.replayed - sum(record.reason != "" for record in backtest.unread)
    sentences = [f"The change affects {backtest.replayed} of {plural(backtest.incidents, 'incident')}{since}."]
    sentences += [f"The other {rest} cannot differ."] if rest > 0 else []
    left_out = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in backtest.left_out.items())
    return " ".join([*sentences, f"Left out: {left_out}."] if left_out else sentences)


def _part(title: str, tally: Tally, nothing: str, width: int) -> list[str]:
    if not tally:
        return [nothing, ""] if nothing else []
    rows = [
        (fit_line(what, 30 if width != UNCUT else UNCUT), level, *map(str, counts))
        for (what, level), counts in sorted(tally.items())
    ]
    return [*aligned((title, "LEVEL", "BEFORE", "AFTER", "GONE", "NEW"), rows, RIGHT_COLUMNS, width), ""]


def _tallied(cases: Iterable[tuple[str, str, bool, bool]]) -> Tally:
    """(what, level, is there before, is there after) of each -> how many of each."""
    tally: Tally = {}
    for what, level, before, after in cases:
        counts = tally.setdefault((what, level), [0, 0, 0, 0])
        for index, flag in enumerate((before, after, before and not after, after and not before)):
            counts[index] += flag
    return tally


def _breaches(breaches: Iterable[Breach]) -> Tally:
    return _tallied((breach.clock.clock, breach.clock.level, breach.was, breach.will_be) for breach in breaches)


def _escalations(escalations: Iterable[ComparedEscalation]) -> Tally:
    return _tallied(
        (escalation.due.rule, escalation.level, escalation.before is not None, escalation.after is not None)
        for escalation in escalations
    )


def _pages(escalations: Iterable[ComparedEscalation]) -> Tally:
    """One page for each person that an escalation notifies."""
    pages = [
        (person, escalation.level, person in before, person in after)
        for escalation in escalations
        for before, after in [(_notified(escalation.before), _notified(escalation.after))]
        for person in dict.fromkeys((*before, *after))
    ]
    return _tallied(pages)


def _notified(due: DueEscalation | None) -> tuple[str, ...]:
    return due.targets if due else ()


def _judged(backtest: Backtest) -> list[str]:
    """How people judged the escalations that would be gone, and how far the replay can be trusted."""
    gone = Counter(escalation.appropriate for escalation in backtest.escalations if escalation.after is None)
    sentences = []
    if gone:
        sentences.append(
            f"Of the escalations that would be gone, {gone[True]} were judged right (they would be lost), "
            f"{gone[False]} were judged wrong (they would be avoided), {gone[None]} were not judged."
        )
    moved = [
        escalation
        for escalation in backtest.escalations
        if escalation.before and escalation.after and escalation.has_moved
    ]
    if moved:
        earlier = sum(
            escalation.after.due < escalation.before.due
            for escalation in moved
            if escalation.before and escalation.after
        )
        sentences.append(f"Notified at a different time: {earlier} earlier, {len(moved) - earlier} later.")
    recorded = backtest.recorded
    again = recorded.n - len(recorded.not_found)
    if recorded.n or recorded.unrecorded:
        sentences.append(
            f"Replaying the policy in force reproduces {again} of {plural(recorded.n, 'recorded escalation')}, "
            f"and finds {recorded.unrecorded} that are not on record (runs that were late, or did not happen)."
        )
    if recorded.not_found:
        more = f" and {len(recorded.not_found) - 3} more" if len(recorded.not_found) > 3 else ""
        sentences.append(f"Recorded, but not reproduced: {', '.join(map(inert, recorded.not_found[:3]))}{more}.")
    return sentences


def _differences(backtest: Backtest) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        (
            "+ breach" if breach.will_be else "- breach",
            breach.clock.incident,
            clock_name(breach.clock),
            *_due_times(breach),
        )
        for breach in backtest.breaches
        if breach.was != breach.will_be
    ]
    rows += [
        (_how(escalation), escalation.due.incident, fit_line(escalation.due.rule, 14), *_due_times(escalation))
        for escalation in backtest.escalations
        if _differs(escalation)
    ]
    return rows


def _due_times(compared: Breach | ComparedEscalation) -> tuple[str, str]:
    """When it was due before, and after."""
    before, after = compared.before, compared.after
    return spell_due(before.due if before else None), spell_due(after.due if after else None)


def _how(escalation: ComparedEscalation) -> str:
    """It appears, it disappears, or it notifies at another time or other people."""
    if escalation.before is None or escalation.after is None:
        return "+ escalate" if escalation.before is None else "- escalate"
    return "~ moved" if escalation.has_moved else "~ people"


def _differs(escalation: ComparedEscalation) -> bool:
    return (
        escalation.before is None
        or escalation.after is None
        or escalation.has_moved
        or _notified(escalation.before) != _notified(escalation.after)
    )


def _tally_data(name: str, tally: Tally) -> list[dict[str, Any]]:
    keys: Sequence[str] = ("before", "after", "no_more", "new")
    return [
        {name: what, "level": level, **dict(zip(keys, counts, strict=True))}
        for (what, level), counts in sorted(tally.items())
    ]


def _breach_data(breach: Breach) -> dict[str, Any]:
    return {
        "incident": breach.clock.incident,
        "clock": breach.clock.clock,
        **({"deadline": breach.clock.item} if breach.clock.duty else {"item": breach.clock.item}),
        "level": breach.clock.level,
        "due_before": stamp(breach.before.due) if breach.before and breach.before.due else None,
        "due_after": stamp(breach.after.due) if breach.after and breach.after.due else None,
        "late_before": breach.was,
        "late_after": breach.will_be,
    }


def _raised_data(escalation: ComparedEscalation) -> dict[str, Any]:
    return {
        "incident": escalation.due.incident,
        "key": escalation.due.key,
        "rule": escalation.due.rule,
        "level": escalation.level,
        "due_before": stamp(escalation.before.due) if escalation.before else None,
        "due_after": stamp(escalation.after.due) if escalation.after else None,
        "told_before": list(_notified(escalation.before)),
        "told_after": list(_notified(escalation.after)),
        "appropriate": escalation.appropriate,
    }
