"""What an incident called people for, and whether that call is answered or over: pages are taken back by it (R142)."""

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
    """Every call that was ever owed for an incident, told or superseded: as seen now, and just before each change.

    A false alarm and a duplicate called people too, before that was known. Each key once; the postmortem and the items,
    which go on when it is over, are not among them. UserError as `sla.clocks`.
    """
    incident, now = view.incident, view.now
    alive = replace(incident, outcome=FIXED, duplicate_of=None)
    changed = {at for text in view.instants.values() if (at := instant(text)) is not None}
    changed |= {parse_instant(one.at) for one in incident.changes}
    before = sorted({at - MOMENT for at in (*changed, *answers(view, policy)) if at <= now})
    told = any(one.field == "state" for one in incident.changes)
    was = alive if told else replace(alive, state=NEW)  # a history that was not kept tells no state
    found: dict[str, Obligation] = {}
    for at in (now, *before):
        for one in incident_obligations(as_of(alive if at == now else was, at), policy, seen):
            if one.kind in PAGES and one.clock not in AFTERWARDS:
                found.setdefault(one.key, one)
    return [found[key] for key in sorted(found)]


def ended_pages(view: IncidentAt, policy: Policy, seen: Seen = NOTHING_SEEN) -> Iterator[tuple[Obligation, str]]:
    """The calls that stand no more, each with RESOLVED (its cycle is over) or ACKNOWLEDGED (somebody answered since).

    What was answered before a call was due answers it not: a page to the next tier stays open.
    """
    over = view.state in OVER or view.is_cancelled
    done = list(answers(view, policy))
    first = view.acknowledged
    if first.ended and first.at is not None and first.at > view.declared:
        done = sorted({*done, first.at})
    if not over and view.cycle == 1 and not done:
        return
    for one in pages(view, policy, seen):
        if over or one.cycle < view.cycle:
            yield one, RESOLVED_EVENT
        elif first_after(done, one.due) is not None:
            yield one, ACKNOWLEDGED
