"""What a postmortem says beyond the record's own words: the first lines, the error budget, the follow-up.

Numbers are derived here and nowhere typed; every function gives plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from incident_ops.documents.incident_facts import (
    FactRow,
    first_impact,
    impact_rows,
    intervals,
    item_dates,
    spell_interval,
)
from incident_ops.domain.impact import affected_users, spell_users
from incident_ops.domain.incident import ActionItem, Incident
from incident_ops.domain.lifecycle import OVER
from incident_ops.domain.policy import TIME_BUDGET, Objective, Policy
from incident_ops.domain.time import UNKNOWN, duration, instant, spell_clock, spell_duration
from incident_ops.sla.error_budget import allowed

TERMS: Mapping[str, str] = {"short": "1–2 weeks", "medium": "1–3 months", "long": "3–6 months"}
"""The horizons of prevention measures."""
_FIRST_SENTENCE = re.compile(r".+?[.!?](?=\s|$)", re.DOTALL)
_FIGURES_OF_IMPACT = ("Users affected", "Failed requests", "Revenue", "Data loss")


def in_short(incident: Incident, policy: Policy) -> list[FactRow]:
    """The five lines that answer a director: what, who and for how long, why, how it ended, what changes."""
    return [
        FactRow("What happened", _what(incident)),
        FactRow("Who was affected", _who(incident)),
        FactRow("Why", _why(incident)),
        FactRow("How it ended", _end(incident)),
        FactRow("What changes", _changes(incident, policy)),
    ]


def _what(incident: Incident) -> str:
    paper = incident.postmortem
    text = (paper and paper.summary) or incident.description or incident.title
    return first_sentence(text)


def first_sentence(text: str) -> str:
    """The first sentence of a text, on one line."""
    flat = " ".join(text.split())
    found = _FIRST_SENTENCE.match(flat)
    return found[0] if found else flat


def _who(incident: Incident) -> str:
    users, length = spell_users(affected_users(incident)), first_impact(incident)
    whom = f"users of {', '.join(incident.services)}"
    whom = f"{whom}, how many is unknown" if users == UNKNOWN else f"{whom}: {users}"
    if length.begin and length.finish:
        return f"{whom}, for {spell_duration(length.seconds)} ({_window(length.begin, length.finish)})"
    since = f" since {spell_clock(length.begin, dated=True)} UTC" if length.begin else ""
    return f"{whom}, for how long is unknown" if incident.state in OVER else f"{whom}, still{since}"


def _window(begin: datetime, finish: datetime) -> str:
    on_one_day = begin.date() == finish.date()
    return f"{spell_clock(begin, dated=True)}–{spell_clock(finish, dated=not on_one_day)} UTC"


def _why(incident: Incident) -> str:
    cause = incident.cause
    found = cause and (cause.what or cause.why or cause.trigger)
    return first_sentence(found) if found else "the cause is not known yet"


def _end(incident: Incident) -> str:
    done = incident.resolution
    text = done and (done.immediate or done.permanent)
    if text:
        return first_sentence(text)
    return "the fix is not recorded" if incident.state in OVER else "it goes on"


def _changes(incident: Incident, policy: Policy) -> str:
    items, dates = incident.action_items, item_dates(incident, policy)
    if not items:
        return "no action items yet"
    left = incident.open_items
    if not left:
        return f"all {len(items)} action items are done"
    due = min(((dates[item.id], item) for item in left if item.id in dates), default=None, key=lambda pair: pair[0])
    until = f", the next one due on {due[0]}: {due[1].title}" if due else ""
    return f"{len(left)} of {len(items)} action items are open{until}"


def unknown_figures(incident: Incident) -> list[str]:
    """The figures of the impact that nobody has written down, by name."""
    rows = impact_rows(incident)
    return [row.name.lower() for row in rows if row.name in _FIGURES_OF_IMPACT and row.text == UNKNOWN]


def who_may_know(incident: Incident) -> str:
    """Whom to ask what a record does not say: its leads, its commander, the assignee, else the services' owners."""
    roles = incident.roles
    leads = [who for who in (roles.technical_lead, roles.commander) if who] or [
        entry.to for entry in incident.assignments[-1:]
    ]
    return leads[0] if leads else f"the owners of {', '.join(incident.services)}"


def budget_rows(incident: Incident, policy: Policy) -> list[FactRow]:
    """The error budget of the policy's objective, and what this incident alone used of it; [] where none is kept."""
    slo = policy.slo
    if slo.target_pct is None or slo.window is None or slo.mode != TIME_BUDGET:
        return []
    objective = Objective(slo.target_pct, duration(slo.window), slo.mode)
    total, used = allowed(objective, objective.window / 60), _minutes(incident)
    window = spell_duration(objective.window)
    rows = [FactRow("Objective", f"{objective.target_pct:g} % in {window}, a budget of {total:g} min")]
    if used is None:
        return [*rows, FactRow("Used by this incident", UNKNOWN)]
    over = round(used - total, 6)
    rest = f"{over:g} min more than the whole budget" if over > 0 else f"{-over:g} min of a whole budget left"
    return [*rows, FactRow("Used by this incident", f"{used:g} min, {rest}")]


def _minutes(incident: Incident) -> float | None:
    stated = incident.impact.budget_minutes
    if isinstance(stated, int | float):
        return float(stated)
    seconds = first_impact(incident).seconds
    return None if seconds is None else round(seconds / 60, 6)


class Stage(NamedTuple):
    """What is to be done within a span after an incident: action items of a priority, and what always comes then."""

    title: str
    items: list[ActionItem]
    always: tuple[str, ...]


_STAGES = (
    ("Immediate (week 1)", ("Share the postmortem with engineering", "Update the deployment procedures")),
    ("Short-term (month 1)", ("Train on what was learned", "Review similar systems")),
    ("Long-term (quarter 1)", ("Measure the effect", "Share what was learned across the organisation")),
)


def follow_up_stages(incident: Incident, policy: Policy) -> list[Stage]:
    """The items of the first, of the second and of all further priorities, each with its span of time."""
    ranks = {name: place for place, name in enumerate(policy.action_items.priorities)}
    by_stage: dict[int, list[ActionItem]] = {0: [], 1: [], 2: []}
    for item in incident.action_items:
        by_stage[min(ranks.get(item.priority or "", 2), 2)].append(item)
    return [Stage(title, by_stage[place], always) for place, (title, always) in enumerate(_STAGES)]


def duration_row(incident: Incident, policy: Policy) -> str:
    """What the policy calls the duration: the first impact, or the whole incident up to its end."""
    whole = next((one for one in intervals(incident) if one.name == "Total"), None)
    is_whole = policy.documents.duration == "incident" and whole is not None
    return spell_interval(whole if is_whole and whole else first_impact(incident))


def follow_up_on(incident: Incident, policy: Policy) -> str | None:
    """The day of the follow-up review: the record's, else that of the policy, counted from the final form."""
    paper, after = incident.postmortem, policy.documents.follow_up
    if paper is None or paper.follow_up_on or after is None:
        return paper.follow_up_on if paper else None
    final = instant(paper.final_at)
    return None if final is None else f"{final + timedelta(seconds=duration(after)):%Y-%m-%d}"


def concluding_cause(incident: Incident) -> str | None:
    """What five whys end in: the cause that the record names, else the last answer."""
    cause = incident.cause
    if cause is None or not cause.five_whys:
        return None
    return cause.why or cause.what or cause.five_whys[-1].because


def spell_to_the_second(text: str) -> str:
    """An instant of a record as `2025-01-26 12:05:00 UTC`."""
    at = instant(text)
    return UNKNOWN if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def hit_by_whom(incident: Incident) -> Iterator[tuple[str, list[FactRow]]]:
    """The impact apart: on users, on systems, on the business; only what has a row."""
    by_name = {row.name: row for row in impact_rows(incident)}
    users = {"Users affected", "Data loss", "Support tickets", "Support tickets, increase"}
    business = {"Revenue", "Error budget used"}
    groups: dict[str, list[FactRow]] = {"Users": [], "Systems": [], "Business": []}
    for name, row in by_name.items():
        groups["Users" if name in users else "Business" if name in business else "Systems"].append(row)
    yield from ((name, rows) for name, rows in groups.items() if rows)
