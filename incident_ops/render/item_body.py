"""The generated text of an action item's issue."""

from __future__ import annotations

from incident_ops.model.incident import ActionItem
from incident_ops.model.record import Record
from incident_ops.render import facts
from incident_ops.render.safe import code, inline, link
from incident_ops.render.sections import PENDING, Section, fit, table


def item_body(record: Record, item: ActionItem) -> str:
    """Action item -> the text of its issue: what, who, until when, from which incident, and what became of it."""
    incident = record.incident
    rows = [
        ("Status", facts.spell_word(item.status)),
        ("Owner", code(item.owner or "") or "**nobody yet**"),
        ("Due", item.due or "**no date yet**"),
        ("Priority", inline(item.priority or "")),
        ("Kind", inline(facts.spell_word(item.kind or ""))),
        ("Horizon", inline(facts.spell_word(item.horizon or ""))),
        ("Incident", f"{code(incident.id)} {inline(incident.title)}"),
        ("Done at", item.done_at or ""),
        ("Done by", code(item.done_by or "")),
        ("Evidence", link("", item.evidence or "")),
        ("Reason", inline(item.reason or "")),
    ]
    footer = (
        f"Record: {code(record.path)}. Change the record, not this text; what you write below this line stays yours."
    )
    return fit(
        [
            Section(PENDING if record.pending else ""),
            Section(f"**{inline(item.title)}**"),
            Section(table(("Action item", inline(item.id)), [row for row in rows if row[1]]), "the facts", 1),
            Section(footer),
        ]
    )
