"""The sheet of a war room: a page with what people who come in need, as it is at one time.

It changes with the clock, so it is printed and never kept beside the record.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from incident_ops.documents.checklists import asks_for_bridge, is_of_this_phase, shown_lists
from incident_ops.documents.first_screen import facts_at_the_top
from incident_ops.documents.incident_documents import RawMarkdown, document_environment, tidied, timeline_rows
from incident_ops.documents.incident_facts import NOBODY, FactRow, header, item_dates, levels, roles, spell_word
from incident_ops.documents.issue_bodies import clock_lines
from incident_ops.documents.postmortem_facts import unknown_figures, who_may_know
from incident_ops.domain.as_of import corrected_instants
from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.domain.time import UNKNOWN, spell_minute
from incident_ops.errors import UserError

DECISION = "decision"


def has_war_room(incident: Incident, policy: Policy) -> bool:
    """Whether people meet for it: it has a bridge, or a checklist of its level asks for one."""
    return bool(incident.links.bridge) or asks_for_bridge(incident, policy.for_incident(incident))


def war_room_sheet(incident: Incident, policy: Policy, now: datetime) -> str:
    """The sheet as Markdown, as of `now` (aware UTC)."""
    own = policy.for_incident(incident)
    lists, held = shown_lists(incident, own), roles(incident, own)
    view: dict[str, Any] = {
        "incident": incident,
        "at": spell_minute(now),
        "header": [*levels(incident, own), *(row for row in header(incident, own) if row.name == "State")],
        "places": list(_places(incident)),
        "roles": [row for row in held if row.text != NOBODY],
        "free_roles": [row.name.lower() for row in held if row.text == NOBODY],
        "known": RawMarkdown(facts_at_the_top(incident, own, now, has_box=False)),
        "unknown": list(_unknown(incident)),
        "who_may_know": who_may_know(incident),
        "audiences": [one.replace("_", " ") for one in level.audiences] if (level := own.level_of(incident)) else [],
        "clocks": RawMarkdown("\n".join(_clocks(incident, own, now))),
        "checklists": [one for one in lists if is_of_this_phase(one, lists, incident, now)],
        "decisions": [row for row in timeline_rows(incident) if row.kind == DECISION],
        "items": incident.open_items,
        "item_dates": item_dates(incident, own),
    }
    return tidied(document_environment().get_template("war-room.md.j2").render(view))


def _places(incident: Incident) -> Iterator[FactRow]:
    """Where people meet and look."""
    for name in ("bridge", "channel", "dashboard", "logs", "runbook"):
        if (place := getattr(incident.links, name)) is not None:
            yield FactRow(spell_word(name), place)


def _unknown(incident: Incident) -> Iterator[str]:
    """What nobody has written down yet, the cause first."""
    cause = incident.cause
    if cause is None or not (cause.what or cause.why or cause.category not in (None, UNKNOWN)):
        yield "the cause"
    if corrected_instants(incident).get("times.started", UNKNOWN) == UNKNOWN:
        yield "since when"
    yield from unknown_figures(incident)


def _clocks(incident: Incident, policy: Policy, now: datetime) -> list[str]:
    try:
        return clock_lines(incident, policy, now)
    except UserError as error:
        return [f"- clocks unknown: {error}"]
