"""The pages an incident caused, and which of them are answered or over, so that they can be taken back (R142)."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from incident_ops.domain.as_of import MOMENT, IncidentAt, as_of
from incident_ops.domain.lifecycle import FIXED, NEW, OVER
from incident_ops.domain.notification import ACKNOWLEDGED, RESOLVED_EVENT
from incident_ops.domain.policy import Policy
from incident_ops.domain.time import instant, parse_instant
from incident_ops.sla.activity import NOTHING_SEEN, Seen, answers, first_after
from incident_ops.sla.clocks import AFTERWARDS
from incident_ops.sla.obligations import PAGES, Obligation, incident_obligations


def pages(view: IncidentAt, policy: Policy, seen: Seen = NOTHING_SEEN) -> list[Obligation]:
    """Every page that was ever due for an incident, superseded ones too: as seen now, and just before each change.

    A false alarm and a duplicate paged people too, before anybody knew. Each key once. Postmortem and action items go
    on after the incident, so they are not among them. UserError as `sla.clocks`.
    """
    incident, now = view.incident, view.now
    open_incident = replace(incident, outcome=FIXED, duplicate_of=None)
    changed = {at for text in view.instants.values() if (at := instant(text)) is not None}
    changed |= {parse_instant(change.at) for change in incident.changes}
    before = sorted({at - MOMENT for at in (*changed, *answers(view, policy)) if at <= now})
    has_history = any(change.field == "state" for change in incident.changes)
    earlier = open_incident if has_history else replace(open_incident, state=NEW)  # no history: the state is unknown
    by_key: dict[str, Obligation] = {}
    for at in (now, *before):
        for obligation in incident_obligations(as_of(open_incident if at == now else earlier, at), policy, seen):
            if obligation.kind in PAGES and obligation.clock not in AFTERWARDS:
                by_key.setdefault(obligation.key, obligation)
    return [by_key[key] for key in sorted(by_key)]


def ended_pages(view: IncidentAt, policy: Policy, seen: Seen = NOTHING_SEEN) -> Iterator[tuple[Obligation, str]]:
    """The pages that are over, each with RESOLVED_EVENT (its cycle is over) or ACKNOWLEDGED (somebody answered it).

    An answer from before a page was due does not answer it: a page to the next tier stays open.
    """
    over = view.state in OVER or view.is_cancelled
    answered = list(answers(view, policy))
    first = view.acknowledged
    if first.ended and first.at is not None and first.at > view.declared:
        answered = sorted({*answered, first.at})
    if not over and view.cycle == 1 and not answered:
        return
    for page in pages(view, policy, seen):
        if over or page.cycle < view.cycle:
            yield page, RESOLVED_EVENT
        elif first_after(answered, page.due) is not None:
            yield page, ACKNOWLEDGED
