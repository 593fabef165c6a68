"""What another policy would have done with the history, as text and as JSON."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from incident_ops.domain.time import spell_clock, stamp
from incident_ops.render.findings import inert, json_text, plural
from incident_ops.render.sla import clock_name, unread_data
from incident_ops.render.text import aligned, fit_line
from incident_ops.sla.backtest import Backtest, Breach, ComparedEscalation
from incident_ops.sla.escalation import DueEscalation

WIDTH = 80
MOST_ROWS = 20
RIGHT_COLUMNS = range(2, 6)
Tally = dict[tuple[str, str], list[int]]
"""(what, level) -> before, after, no more, new."""


def to_text(found: Backtest) -> str:
    """Breaches, escalations and pages before and after, what people judged of those that go, what differs."""
    out = [*_wrapped(_headline(found)), ""]
    out += _part("BREACHES", _breaches(found.breaches), "Breaches: none under either policy.")
    out += _part("ESCALATIONS", _escalations(found.escalations), "Escalations: none under either policy.")
    out += _part("PAGES", _pages(found.escalations), "")
    out += [line for text in _judged(found) for line in _wrapped(text)]
    different = _differences(found)
    if different:
        out += ["", *aligned(("", "INCIDENT", "WHAT", "BEFORE (UTC)", "AFTER (UTC)"), different[:MOST_ROWS])]
        out += [f"and {len(different) - MOST_ROWS} more; --format json lists all"] if len(different) > MOST_ROWS else []
    if found.unread:
        out += ["", f"Not replayed ({len(found.unread)}):"]
        out += [f"  {one.path}: {one.why}" for one in found.unread]
    return "\n".join(out) + "\n"


def to_json(found: Backtest) -> str:
    """Every figure and every difference. `unread` is there only when a record could not be used."""
    data: dict[str, Any] = {
        "schema": 1,
        "at": stamp(found.at),
        "since": stamp(found.since) if found.since else None,
        "incidents": found.incidents,
        "replayed": found.replayed,
        "left_out": dict(found.left_out),
        "breaches": _tally_data("clock", _breaches(found.breaches)),
        "escalations": _tally_data("rule", _escalations(found.escalations)),
        "pages": _tally_data("person", _pages(found.escalations)),
        "recorded": {
            "escalations": found.recorded.n,
            "not_found": list(found.recorded.not_found),
            "unrecorded": found.recorded.unrecorded,
        },
        "differences": {
            "breaches": [_breach_data(one) for one in found.breaches if one.was != one.will_be],
            "escalations": [_raised_data(one) for one in found.escalations if _differs(one)],
        },
    }
    if found.unread:
        data["unread"] = unread_data(found.unread)
    return json_text(data)


def _headline(found: Backtest) -> str:
    since = f" declared since {spell_clock(found.since, dated=True)} UTC" if found.since else ""
    rest = found.incidents - found.replayed - sum(one.reason != "" for one in found.unread)
    told = [f"Of {plural(found.incidents, 'incident')}{since} the change reaches {found.replayed}."]
    told += [f"For the other {rest} nothing can differ."] if rest > 0 else []
    left = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in found.left_out.items())
    return " ".join([*told, f"Left out: {left}."] if left else told)


def _part(title: str, tally: Tally, nothing: str) -> list[str]:
    if not tally:
        return [nothing, ""] if nothing else []
    rows = [(fit_line(what, 30), level, *map(str, counts)) for (what, level), counts in sorted(tally.items())]
    return [*aligned((title, "LEVEL", "BEFORE", "AFTER", "NO MORE", "NEW"), rows, RIGHT_COLUMNS), ""]


def _tallied(found: Iterable[tuple[str, str, bool, bool]]) -> Tally:
    """(what, level, is there before, is there after) of each -> how many of each."""
    tally: Tally = {}
    for what, level, before, after in found:
        counts = tally.setdefault((what, level), [0, 0, 0, 0])
        for index, flag in enumerate((before, after, before and not after, after and not before)):
            counts[index] += flag
    return tally


def _breaches(found: Iterable[Breach]) -> Tally:
    return _tallied((one.clock.clock, one.clock.level, one.was, one.will_be) for one in found)


def _escalations(found: Iterable[ComparedEscalation]) -> Tally:
    return _tallied((one.due.rule, one.level, one.before is not None, one.after is not None) for one in found)


def _pages(found: Iterable[ComparedEscalation]) -> Tally:
    """One page for each person an escalation tells."""
    pages = [
        (person, one.level, person in before, person in after)
        for one in found
        for before, after in [(_told(one.before), _told(one.after))]
        for person in dict.fromkeys((*before, *after))
    ]
    return _tallied(pages)


def _told(due: DueEscalation | None) -> tuple[str, ...]:
    return due.targets if due else ()


def _judged(found: Backtest) -> list[str]:
    """What people said of the escalations that would be no more, and how far the replay can be trusted."""
    gone = Counter(one.appropriate for one in found.escalations if one.after is None)
    told = []
    if gone:
        told.append(
            f"Of the escalations that would be no more {gone[True]} were judged right (they would be lost), "
            f"{gone[False]} were judged wrong (they would be spared), {gone[None]} were not judged."
        )
    moved = [one for one in found.escalations if one.before and one.after and one.has_moved]
    if moved:
        earlier = sum(one.after.due < one.before.due for one in moved if one.before and one.after)
        told.append(f"Told at another time: {earlier} earlier, {len(moved) - earlier} later.")
    known = found.recorded
    again = known.n - len(known.not_found)
    if known.n or known.unrecorded:
        told.append(
            f"The policy in force, replayed, tells {again} of the {plural(known.n, 'escalation')} on record again, and "
            f"{known.unrecorded} that no record holds (runs that came late, or did not run)."
        )
    if known.not_found:
        more = f" and {len(known.not_found) - 3} more" if len(known.not_found) > 3 else ""
        told.append(f"On record, but not told again: {', '.join(map(inert, known.not_found[:3]))}{more}.")
    return told


def _differences(found: Backtest) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        (
            "+ breach" if one.will_be else "- breach",
            one.clock.incident,
            clock_name(one.clock),
            _at(one.before.due if one.before else None),
            _at(one.after.due if one.after else None),
        )
        for one in found.breaches
        if one.was != one.will_be
    ]
    rows += [
        (
            _how(one),
            one.due.incident,
            fit_line(one.due.rule, 14),
            _at(one.before.due if one.before else None),
            _at(one.after.due if one.after else None),
        )
        for one in found.escalations
        if _differs(one)
    ]
    return rows


def _how(one: ComparedEscalation) -> str:
    """It comes, it goes, it is told at another time, or to other people."""
    if one.before is None or one.after is None:
        return "+ escalate" if one.before is None else "- escalate"
    return "~ moved" if one.has_moved else "~ people"


def _differs(one: ComparedEscalation) -> bool:
    return one.before is None or one.after is None or one.has_moved or _told(one.before) != _told(one.after)


def _at(at: datetime | None) -> str:
    return spell_clock(at, dated=True) if at is not None else "-"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ")


def _tally_data(name: str, tally: Tally) -> list[dict[str, Any]]:
    keys: Sequence[str] = ("before", "after", "no_more", "new")
    return [
        {name: what, "level": level, **dict(zip(keys, counts, strict=True))}
        for (what, level), counts in sorted(tally.items())
    ]


def _breach_data(one: Breach) -> dict[str, Any]:
    return {
        "incident": one.clock.incident,
        "clock": one.clock.clock,
        "item": one.clock.item,
        "level": one.clock.level,
        "due_before": stamp(one.before.due) if one.before and one.before.due else None,
        "due_after": stamp(one.after.due) if one.after and one.after.due else None,
        "late_before": one.was,
        "late_after": one.will_be,
    }


def _raised_data(one: ComparedEscalation) -> dict[str, Any]:
    return {
        "incident": one.due.incident,
        "key": one.due.key,
        "rule": one.due.rule,
        "level": one.level,
        "due_before": stamp(one.before.due) if one.before else None,
        "due_after": stamp(one.after.due) if one.after else None,
        "told_before": list(_told(one.before)),
        "told_after": list(_told(one.after)),
        "appropriate": one.appropriate,
    }
