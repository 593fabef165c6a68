"""The generated text of a tracking issue: what counts now on the first screen, lists to work through below it.

It tells instants, never ages, so that it changes only when something happens.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime

from incident_ops.errors import UserError
from incident_ops.lifecycle import OVER, public_status
from incident_ops.model.incident import ActionItem, Incident, Measure
from incident_ops.model.policy import Policy
from incident_ops.model.record import Record
from incident_ops.model.time import duration, parse_instant, spell_duration
from incident_ops.reconcile import boxes
from incident_ops.render import facts
from incident_ops.render.checklists import task_lists
from incident_ops.render.dates import spell_clock
from incident_ops.render.issue_clocks import clock_table, next_update
from incident_ops.render.safe import code, inline, link, markdown
from incident_ops.render.sections import PENDING, Section, fit, table

_DRILL = "> **Drill: this is practice, nothing is broken.**"
_FEW = 8  # services named at the top
_TOP = 1_000  # characters of the summary at the top
_HORIZONS = (("short", "1 to 2 weeks"), ("medium", "1 to 3 months"), ("long", "3 to 6 months"))  # R199


def tracking_body(record: Record, policy: Policy, now: datetime) -> str:
    """Record -> the text of its tracking issue as of `now` (aware UTC), of which only the clocks' states depend."""
    incident = record.incident
    lists = [Section(task_lists(incident, policy), "the checklists", 4)]
    work = [
        Section(_items(incident), "the action items", 3),
        Section(_measures(incident), "the prevention measures", 5),
    ]
    return fit(
        [
            Section("\n>\n".join(mark for mark in (PENDING * record.pending, _DRILL * incident.drill) if mark)),
            Section(_headline(incident, policy)),
            Section(_reminders(incident, policy)),
            Section(_summary(incident)),
            Section(_now(incident, policy, now)),
            Section(_clocks(incident, policy, now)),
            Section(_roles(incident), "the roles", 1),
            Section(_links(incident), "the links", 2),
            *([*work, *lists] if incident.state in OVER else [*lists, *work]),
            Section(_instants(incident), "the instants", 6),
            Section(_footer(record)),
        ]
    )


def _footer(record: Record) -> str:
    """Where the truth is, and what is whose."""
    return (
        f"Record: {code(record.path)}. Change the record, not this text. "
        "The boxes you tick and what you write below this line stay yours."
    )


def _headline(incident: Incident, policy: Policy) -> str:
    told = {row.name: inline(row.text) for row in facts.header(incident, policy)}
    levels = [f"**{inline(row.text)}**" for row in facts.levels(incident, policy)]
    names = [code(name) for name in incident.services[:_FEW]]
    more = len(incident.services) - len(names)
    services = ", ".join(names) + (f" and {more} more" if more > 0 else "")
    outcome = [told["Outcome"]] if "Outcome" in told else []
    return " · ".join([*levels, f"**{told['State']}**", *outcome, services])


def _reminders(incident: Incident, policy: Policy) -> str:
    """The level's goal (R28) and the principles (R257, R258), as long as there is something to keep in mind."""
    if incident.is_closed:
        return ""
    level = policy.duties(incident.severity, incident.priority)
    lines = [f"> **Goal:** {inline(level.goal_text)}"] if level and level.goal_text else []
    if policy.tracker.principles:
        lines.append("> " + " · ".join(inline(text) for text in policy.tracker.principles))
    return "\n>\n".join(lines)


def _summary(incident: Incident) -> str:
    text = incident.impact.summary or incident.description or ""
    if len(text) <= _TOP:
        return markdown(text)
    return markdown(text[:_TOP].rpartition(" ")[0] or text[:_TOP]) + " … (the record says more)"


def _now(incident: Incident, policy: Policy, now: datetime) -> str:
    """What people outside know, and when they hear next (R135)."""
    public = max((parse_instant(update.at) for update in incident.updates if update.audience == "public"), default=None)
    if public is not None:
        heard = f"Last public update {spell_clock(public, dated=True)} UTC"
    else:
        page = next(row.text for row in facts.header(incident, policy) if row.name == "Status page")
        heard = f"Status page: {page[:1].lower() + page[1:]}"
    told = f"Public status: **{inline(public_status(incident))}** · {heard}{_public_cadence(incident, policy)}"
    try:
        following = next_update(incident, policy, now)
    except UserError:  # the table of clocks says why
        following = None
    return f"{following}\\\n{told}" if following else told


def _public_cadence(incident: Incident, policy: Policy) -> str:
    """How often people outside are to hear, as long as they wait (R41, R47); no clock counts it."""
    level = policy.duties(incident.severity, incident.priority)
    if level is None or level.update.public is None or incident.state in OVER:
        return ""
    most = f" to {spell_duration(duration(level.update.public_max))}" if level.update.public_max else ""
    return f", public updates every {spell_duration(duration(level.update.public))}{most}"


def _clocks(incident: Incident, policy: Policy, now: datetime) -> str:
    try:
        return clock_table(incident, policy, now)
    except UserError as error:
        return f"**No clock can be told:** {inline(str(error))}"


def _roles(incident: Incident) -> str:
    """The roles side by side, which takes three lines instead of six; more of them below."""
    rows = facts.roles(incident)
    if incident.state in OVER and all(row.text == facts.NOBODY for row in rows):
        return ""
    first, others = rows[:4], rows[4:]
    lines = [table([inline(row.name) for row in first], [[_who(row.text) for row in first]])]
    if others:
        lines.append(" · ".join(f"{inline(row.name)}: {_who(row.text)}" for row in others))
    return "\n\n".join(lines)


def _who(name: str) -> str:
    return f"**{name}**" if name == facts.NOBODY else code(name)


def _links(incident: Incident) -> str:
    told = incident.links
    names = {"bridge": "Bridge", "channel": "Channel", "dashboard": "Dashboard", "runbook": "Runbook"}
    names |= {"status_page": "Status page", "pipeline": "Pipeline", "logs": "Logs", "kb": "Knowledge article"}
    found = [link(name, text) for field, name in names.items() if (text := getattr(told, field))]
    return "**Where:** " + " · ".join(found) if found else ""


def _items(incident: Incident) -> str:
    lines = [_item(item) for item in incident.action_items]
    return "\n".join(["### Action items\n", *lines]) if lines else ""


def _item(item: ActionItem) -> str:
    told = [
        f"**{inline(item.id)}** {inline(item.title)}",
        inline(item.priority or ""),
        code(item.owner or "") or "no owner yet",
        f"due {item.due}" if item.due else "no due date yet",
        "" if item.status == "open" else facts.spell_word(item.status).lower(),
    ]
    closed = not item.is_open
    return boxes.line(" · ".join(part for part in told if part), item.id, ticked=closed, fixed=closed)


def _measures(incident: Incident) -> str:
    """The prevention measures by horizon (R198)."""
    if incident.postmortem is None:
        return ""
    planned = incident.postmortem.prevention
    parts = []
    for horizon, length in _HORIZONS:
        measures: list[Measure] = getattr(planned, horizon)
        if measures:
            parts.append("\n".join([f"**{facts.spell_word(horizon)} term ({length})**\n", *_boxes(horizon, measures)]))
    return "\n\n".join(["### Prevention", *parts]) if parts else ""


def _boxes(horizon: str, measures: list[Measure]) -> Iterator[str]:
    """A measure has no id: its box goes by its text, so that a tick stays with it when others come and go."""
    for one in measures:
        key = f"prevention/{horizon}/{hashlib.sha256(one.text.encode()).hexdigest()[:12]}"
        done = f" · done {one.done_at}" if one.done_at else ""
        yield boxes.line(inline(one.text) + done, key, ticked=bool(done), fixed=bool(done))


def _instants(incident: Incident) -> str:
    return "### Instants\n\n" + table(
        ("Instant", "At"), [(inline(row.name), inline(row.text)) for row in facts.instants(incident)]
    )
