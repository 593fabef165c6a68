"""Which incident is meant where none is named: those for which the command is legal, and what is shown to choose from.

What is worked on comes before what is resolved, and both before what is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from incident_ops.app.known import every_known, known_live
from incident_ops.app.unmerged import incidents_elsewhere, not_pulled, working_on
from incident_ops.app.workspace import Workspace
from incident_ops.domain.as_of import current_instant
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import ASSIGNED, NEW, OVER, PENDING, REOPENED, RESOLVED, TRIAGED
from incident_ops.domain.record import Record
from incident_ops.domain.time import instant, stamp
from incident_ops.errors import UserError
from incident_ops.records.history import every_record

Fits = Callable[[Incident], bool]
"""Whether a command is legal for an incident."""

MOST_LISTED = 9
_BY_ID = "name it by its id, or by the id's end"


def is_any(_incident: Incident) -> bool:
    """Every incident that is not closed will do."""
    return True


def is_unacknowledged(incident: Incident) -> bool:
    """Nobody has taken it yet."""
    return incident.state in (NEW, TRIAGED, ASSIGNED, REOPENED)


def is_active(incident: Incident) -> bool:
    """Neither resolved nor closed."""
    return incident.state not in OVER


def is_resolved(incident: Incident) -> bool:
    """Resolved, and not closed yet."""
    return incident.state == RESOLVED


def is_waiting(incident: Incident) -> bool:
    """In a pause, or in a wait that is not pending yet."""
    return incident.state == PENDING or any(pause.end is None for pause in incident.pauses)


def is_not_waiting(incident: Incident) -> bool:
    """In no pause."""
    return incident.state != PENDING


def is_snoozed(incident: Incident) -> bool:
    """Its reminders wait, or waited."""
    return incident.snooze is not None


def candidates(
    workspace: Workspace, fits: Fits = is_any, *, active_first: bool = True, as_known: bool = False
) -> list[Record]:
    """The open incidents that can be meant, the most urgent first; never none. `as_known`: at the time of `--at`.

    With `active_first` a resolved one is only meant where none is worked on. Where the command is legal for none of
    them, all are candidates, and the command says why it is not. UserError where no incident is open.
    """
    opened = [record for record in _live(workspace, as_known) if not record.incident.is_closed]
    if not opened:
        raise _none_open(workspace, as_known=as_known and workspace.is_at_given)
    from incident_ops.render.lists import incident_rows  # what nobody needs who names an incident, or runs a plan

    fitting = [record for record in opened if fits(record.incident)] or opened
    active = [record for record in fitting if is_active(record.incident)] if active_first else []
    rows = incident_rows(active or fitting, workspace.judged_by[0], workspace.now)
    return [row.record for row in rows]


def active_ids(workspace: Workspace) -> list[str]:
    """The ids of the incidents that are worked on; those that cannot be read are left out."""
    return [one.incident.id for one in workspace.catalogue.live() if is_active(one.incident)]


def _none_open(workspace: Workspace, *, as_known: bool) -> UserError:
    """The error where no incident is open; it names the one that was closed last, which is most often meant."""
    at = f" at {stamp(workspace.now)}" if as_known else ""
    if away := incidents_elsewhere(workspace):
        here = f"on {away[0].branch}" if away[0].branch else "here"
        texts, hints = [one.text for one in away], [working_on(one) for one in away]
        return UserError(f"no incident is open {here}{at}; {'; '.join(texts)}", hint="; ".join(hints))
    if as_known:
        hint = "name one: `incident-ops list` shows all there are"
        return UserError(f"no incident is open{at}", hint=hint)
    last = _closed_last(_closed(workspace))
    if last is None:
        return UserError("no incident is open", hint='incident-ops declare "..." -s SERVICE')
    return UserError("no incident is open; the most recent one is closed", lines=listed(workspace, [last]), hint=_BY_ID)


def last_closed(workspace: Workspace) -> Record | None:
    """The incident that was closed last, as it was known at the time of `--at`; None where one is open, or none is."""
    if any(not record.incident.is_closed for record in _live(workspace, as_known=True)):
        return None
    return _closed_last(record for record in every_known(workspace) if record.incident.is_closed)


def _closed_last(closed: Iterable[Record]) -> Record | None:
    return max(closed, key=lambda record: (_end(record.incident), record.incident.id), default=None)


def _closed(workspace: Workspace) -> list[Record]:
    return [record for record in every_record(workspace.store, workspace.catalogue) if record.incident.is_closed]


def ended_candidates(workspace: Workspace) -> list[Record]:
    """The incidents that can come back: the resolved ones, else the closed ones, the last that ended first; never none.

    UserError where none is over.
    """
    ended = [record for record in _live(workspace) if record.incident.state == RESOLVED]
    ended = ended or _closed(workspace)
    if not ended:
        raise UserError("no incident is resolved or closed", hint="see `incident-ops list`")
    return sorted(ended, key=lambda one: (_end(one.incident), one.incident.id), reverse=True)


def only_candidate(workspace: Workspace, found: Sequence[Record]) -> Record:
    """The one that is meant. UserError with all of them, a line each, where there are several."""
    if len(found) == 1 and not found[0].incident.is_closed:
        return found[0]
    states = {_kind(record.incident) for record in found}
    kind = states.pop() if len(states) == 1 else "open"
    message = f"Which incident? {len(found)} {'is' if len(found) == 1 else 'are'} {kind}"
    raise UserError(message, hint=_BY_ID, lines=listed(workspace, found))


def listed(workspace: Workspace, found: Sequence[Record]) -> list[str]:
    """A line of at most 80 columns for each of the first incidents, how many more there are, and which are not here."""
    from incident_ops.render.lists import choice_lines  # as above

    lines = choice_lines(found[:MOST_LISTED], workspace.judged_by[0])
    more = len(found) - MOST_LISTED
    lines += [f"and {more} more: see `incident-ops list --open`"] if more > 0 else []
    away = not_pulled(workspace)
    return lines if away is None else [*lines, *away.beside]


def _kind(incident: Incident) -> str:
    return incident.state if incident.state in OVER else "open"


def _end(incident: Incident) -> float:
    at = instant(current_instant(incident, "resolved" if incident.state == RESOLVED else "closed"))
    return at.timestamp() if at else 0.0


def _live(workspace: Workspace, as_known: bool = False) -> list[Record]:
    """Every record that is not settled. UserError where one cannot be read, which could be the one that is meant."""
    if unread := workspace.unread:
        first = unread[0]
        message = f"Which incident? {len(unread)} cannot be read, and could be the one that is meant"
        raise UserError(message, where=first.path, hint=f"name the incident; {first.reason}")
    return known_live(workspace) if as_known else list(workspace.catalogue.live())
