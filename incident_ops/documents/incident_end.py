"""What remains of an incident once it is over, in one view: impact, resolution, postmortem, files, what is left to do.

Everything is the record's or derived from it; what is unknown names whom to ask, and what does not apply is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from incident_ops.documents.incident_facts import (
    FINAL,
    FactRow,
    count_lessons,
    impact_cycles,
    impact_rows,
    intervals,
    item_dates,
    levels,
    spell_interval,
    spell_item_counts,
    spell_length,
    spell_word,
)
from incident_ops.documents.postmortem_facts import (
    TERMS,
    budget_rows,
    duration_row,
    first_sentence,
    follow_up_on,
    who_may_know,
)
from incident_ops.domain.incident import Incident, Postmortem
from incident_ops.domain.lifecycle import FIXED
from incident_ops.domain.policy import Policy
from incident_ops.domain.time import UNKNOWN, duration, spell_duration, spell_minute

_SUMMED_UP = ("Users affected", "Failed requests", "Revenue")


class LeftItem(NamedTuple):
    """An action item that is still to be done; `owner` and `due` are None where nobody said."""

    id: str
    owner: str | None
    due: str | None
    title: str


class IncidentEnd(NamedTuple):
    """The parts of the view, in their order. `postmortem` is its status, `files` are paths below the repository."""

    head: Sequence[FactRow]
    impact: Sequence[FactRow]
    resolution: Sequence[FactRow]
    postmortem: str | None
    counts: Sequence[FactRow]
    items: Sequence[LeftItem]
    lessons: Sequence[str]
    files: Sequence[str]
    next: Sequence[str]
    follow_up_on: str | None


def incident_end(incident: Incident, policy: Policy, files: Sequence[str], runbooks: Mapping[str, bool]) -> IncidentEnd:
    """The view of an incident that is over. `runbooks`: path of each service's runbook -> whether it is there.

    What was no incident has its head and its files only.
    """
    policy = policy.for_incident(incident)
    head = [FactRow("Incident", f"{incident.id}: {incident.title}"), *_marks(incident), *levels(incident, policy)]
    if incident.outcome != FIXED:
        head.append(FactRow("Status", f"{spell_word(incident.state)}, {incident.outcome.replace('_', ' ')}"))
        return IncidentEnd(head, (), (), None, (), (), (), files, (), None)
    paper = incident.postmortem
    is_asked = paper is not None or policy.requires_postmortem(incident)
    status = paper.status.replace("_", " ") if paper else "not started" if is_asked else None
    head += [FactRow("Duration", duration_row(incident, policy)), *_later(incident)]
    head.append(FactRow("Status", spell_word(incident.state)))
    return IncidentEnd(
        head,
        list(_impact(incident, policy)),
        list(_resolution(incident)),
        status,
        list(_counts(incident, policy, is_asked=is_asked)),
        list(_left(incident, policy)),
        list(_lessons(paper)),
        files,
        list(_next(incident, policy, status, runbooks, documents=len(files) > 1)),
        follow_up_on(incident, policy),
    )


def _marks(incident: Incident) -> Iterator[FactRow]:
    """What nobody may overlook who reads or passes on the rest."""
    if incident.drill:
        yield FactRow("Exercise", "a drill, which counts nowhere")
    if incident.visibility == "restricted":
        yield FactRow("Restricted", "not for everybody")


def _later(incident: Incident) -> Iterator[FactRow]:
    """Each time it came back, with how long that lasted and on which day."""
    for span in impact_cycles(incident)[1:]:
        begin, finish = (spell_minute(at) if at else UNKNOWN for at in (span.begin, span.finish))
        yield FactRow("Came back", f"{spell_length(span)} ({begin.removesuffix(' UTC')} to {finish})")


def _asked(incident: Incident, text: str) -> str:
    return f"{UNKNOWN}; ask {who_may_know(incident)}" if text == UNKNOWN else text


def _impact(incident: Incident, policy: Policy) -> Iterator[FactRow]:
    rows = (row for row in impact_rows(incident) if row.name in _SUMMED_UP)
    yield from (FactRow(row.name, _asked(incident, row.text)) for row in rows)
    spent = [row.text for row in budget_rows(incident, policy)]
    if spent:
        objective, used = spent
        yield FactRow("SLO status", f"{_asked(incident, used)} ({objective})")


def _resolution(incident: Incident) -> Iterator[FactRow]:
    cause, done = incident.cause, incident.resolution
    category = spell_word(cause.category) if cause and cause.category not in (None, UNKNOWN) else UNKNOWN
    found = (cause and (cause.what or cause.why or cause.trigger)) or category
    ended = (done and (done.immediate or done.permanent)) or UNKNOWN
    yield FactRow("Root cause", first_sentence(_asked(incident, found)))
    yield FactRow("Mitigation", first_sentence(_asked(incident, ended)))
    took = next((one for one in intervals(incident) if one.name == "Time to restore"), None)
    name = "First recovery" if incident.cycles else "Recovery time"
    yield FactRow(name, spell_interval(took) if took else _asked(incident, UNKNOWN))


def _counts(incident: Incident, policy: Policy, *, is_asked: bool) -> Iterator[FactRow]:
    paper = incident.postmortem or Postmortem(status="")
    if is_asked or incident.action_items:
        yield FactRow("Action items", spell_item_counts(incident, policy))
    if is_asked:
        lessons = count_lessons(paper.lessons)
        by_term = {f"in {term}": len(getattr(paper.prevention, name)) for name, term in TERMS.items()}
        yield FactRow("Lessons", _counted(lessons.total, lessons.by_kind))
        yield FactRow("Prevention measures", _counted(sum(by_term.values()), by_term))


def _counted(total: int, parts: Mapping[str, int]) -> str:
    named = ", ".join(f"{count} {name}" for name, count in parts.items() if count)
    return f"{total} ({named})" if named else str(total)


def _left(incident: Incident, policy: Policy) -> Iterator[LeftItem]:
    """What is open, the item due first at the top."""
    dates = item_dates(incident, policy)
    for item in sorted(incident.open_items, key=lambda one: dates.get(one.id, "9999")):
        yield LeftItem(item.id, item.owner, dates.get(item.id), item.title)


def _lessons(paper: Postmortem | None) -> Iterator[str]:
    if paper is not None:
        yield from (text for kind in paper.lessons.__struct_fields__ for text in getattr(paper.lessons, kind))


def _next(
    incident: Incident, policy: Policy, status: str | None, runbooks: Mapping[str, bool], *, documents: bool
) -> Iterator[str]:
    """Share, track, runbooks, training, review: those that this incident has something for."""
    if not documents:
        yield f"Write the documents: incident-ops render {incident.id}"
    if status is not None:
        begin = f"Begin the postmortem: incident-ops postmortem new {incident.id}"
        finish = f"Finish the postmortem ({status}), then share it"
        yield "Share the postmortem" if status == FINAL else begin if incident.postmortem is None else finish
    if left := incident.open_items:
        yield f"Track the action items: {len(left)} of {len(incident.action_items)} open"
    if not incident.links.runbook_updated:
        yield from (f"{'Update' if is_there else 'Write'} the runbook {path}" for path, is_there in runbooks.items())
    if any(_lessons(incident.postmortem)):
        yield "Train on what was learned"
    after, on = policy.documents.follow_up, follow_up_on(incident, policy)
    if on is not None:
        yield f"Review what came of it on {on}"
    elif status is not None and after is not None:
        yield f"Review what came of it {spell_duration(duration(after))} after the postmortem is final"
