"""What `sla` owes at this run: the records it is a question of, the edits that follow, and whom the tracker heard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from incident_ops.cli.opening import Opened
from incident_ops.doors.automatic import automatic
from incident_ops.doors.escalate import escalate_due
from incident_ops.doors.step import Step
from incident_ops.errors import UserError
from incident_ops.lifecycle import CLOSED
from incident_ops.model.fence import alone, each
from incident_ops.model.incident import Incident
from incident_ops.model.observed import Issue, Snapshot
from incident_ops.model.policy import Policy
from incident_ops.model.record import Record
from incident_ops.model.time import duration, instant, parse_instant, shift
from incident_ops.reconcile import marker
from incident_ops.reconcile.changes import EDIT, Change, Kept, Verdict
from incident_ops.reconcile.desired import Desired
from incident_ops.reconcile.owners import keepers, numbers, owned
from incident_ops.records.recall import read_record
from incident_ops.sla.activity import NOTHING_SEEN, Seen, seen_of
from incident_ops.sla.obligations import Obligation, Owed, SeenOf, obligations
from incident_ops.sla.watching import watched_since

_RECENT = timedelta(days=7)
"""So long after its last instant a settled incident still has pages to take back and news to send."""
_LATE = timedelta(days=1)
"""How late a run may find what a person said within the window of `auto_reopen`."""


def recent(opened: Opened, records: Iterable[Record]) -> list[Record]:
    """Of all records those that may owe something: what is not settled, and what was settled not long ago."""
    every, live = list(records), set(opened.catalogue.live_paths())
    late = _length(opened.judged_by[0].states.auto_reopen) + _LATE
    since = shift(opened.now, -max(_RECENT, late).total_seconds())
    since = min(since, _patterns_from(opened, [record for record in every if record.path in live]) or since)
    wanted = live.union(opened.catalogue.settled_after(int(since.timestamp())))
    return [record for record in every if record.path in wanted]


def live_ones(opened: Opened) -> list[Record]:
    """The records that are not settled, and those declared near them where the policy looks for a pattern."""
    found = list(opened.catalogue.live())
    since = _patterns_from(opened, found)
    if since is None:
        return found
    return found + [read_record(opened.store, path) for path in opened.catalogue.settled_after(int(since.timestamp()))]


def _patterns_from(opened: Opened, live: Sequence[Record]) -> datetime | None:
    """Since when incidents may make a pattern with one of these; None where the policy looks for none."""
    pattern = opened.judged_by[0].escalation.pattern
    begins = [parse_instant(one.incident.times.declared) for one in live if not one.incident.is_closed]
    if not pattern.count or not begins:
        return None
    return shift(min(begins), -_length(pattern.window).total_seconds())


def watched(records: Iterable[Record], policy: Policy, now: datetime) -> Mapping[str, datetime]:
    """The incidents whose comments matter, and since when."""
    found = each(records, lambda one: (one.incident.id, watched_since(one.incident, policy, now)))
    return {name: at for name, at in found if at is not None}


def tracking(wanted: Desired, snapshot: Snapshot) -> Mapping[str, Issue]:
    """Incident -> its tracking issue, as far as the tracker shows one."""
    stay = keepers(owned(wanted, snapshot), numbers(wanted, snapshot))
    return {key: issue for key, issue in stay.items() if "/" not in key}


def seen_in(snapshot: Snapshot, issues: Mapping[str, Issue]) -> SeenOf:
    """What a snapshot shows of each incident: what was said under its issue, and whether a person opened it again."""

    def seen(incident: Incident) -> Seen:
        issue = issues.get(incident.id)
        if issue is None:
            return NOTHING_SEEN
        back = incident.state == CLOSED and issue.is_open and marker.parse(issue.body).was_closed
        return seen_of(incident, snapshot, {issue.number} if back else (), issue.number)

    return seen


def owed_by(records: Sequence[Record], policy: Policy, now: datetime, seen: SeenOf, noticed: Mapping[str, str]) -> Owed:
    """Everything owed; what waits in our proposal is of the run that wrote it there."""
    made = obligations(records, policy, now, seen)
    return made._replace(obligations=tuple(_noticed(one, noticed) for one in made.obligations))


def due_edits(owed: Owed, records: Mapping[str, Record], policy: Policy) -> Verdict:
    """Escalations and moves of the state as edits of their records; one that is not legal is kept and told."""
    changes: list[Change] = []
    kept: list[Kept] = []
    for one in owed.obligations:
        record = records.get(one.incident)
        if record is None or record.pending:
            continue
        number = record.incident.links.tracking_issue
        try:
            step = alone(record, partial(_step, one, policy))
        except UserError as error:
            kept.append(Kept(one.key, one.kind, number, f"{one.reason}, but {error}"))
            continue
        if step is not None and step.edits:
            reason = "; ".join((*step.told, *step.warnings))
            changes.append(Change(EDIT, one.kind, one.key, number, reason, path=record.path, edits=step.edits))
    return Verdict(tuple(changes), tuple(kept))


def written(incidents: Iterable[Incident]) -> Mapping[str, str]:
    """Key -> the instant that records in our proposal give it: when an escalation was noticed, when one came back."""
    return {key: at for incident in incidents for key, at in _written(incident) if instant(at) is not None}


def _written(incident: Incident) -> Iterator[tuple[str, str]]:
    yield from ((one.key, one.noticed_at) for one in incident.escalations if one.noticed_at)
    for number, cycle in enumerate(incident.cycles, 1):
        if cycle.reopened:
            yield f"{incident.id}/state/{number}/reopened", cycle.reopened


def _noticed(one: Obligation, noticed: Mapping[str, str]) -> Obligation:
    at = instant(noticed.get(one.key))
    if at is None:
        return one
    if one.move is not None and one.move.due == one.noticed_at:  # nobody knows when it came back but by our look
        return one._replace(due=at, noticed_at=at, move=one.move._replace(due=at))
    return one._replace(noticed_at=at)


def _step(one: Obligation, policy: Policy, record: Record) -> Step | None:
    incident = record.incident
    if one.escalation is not None:
        return escalate_due(incident, one.escalation, policy, one.noticed_at)
    return None if one.move is None else automatic(incident, one.move, policy)


def _length(text: str | None) -> timedelta:
    return timedelta(seconds=duration(text)) if text else timedelta()
