"""What lets a held deploy through: an override of one commit, a fix that the commander vouches for, an earlier pass.

Commits that passed before are listed as `SHA`, or `SHA SERVICE ENVIRONMENT`, one a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial

from incident_ops.deploy_gate.holds import is_worked_on
from incident_ops.deploy_gate.verdict import OF_A_FILE, OF_A_RECORD, HeldRelease
from incident_ops.domain.fence import evaluate_each, evaluate_plan
from incident_ops.domain.incident import Incident
from incident_ops.domain.planned_changes import Freeze, Span, planned_freeze
from incident_ops.domain.record import Record, Unread
from incident_ops.domain.time import parse_instant
from incident_ops.errors import UserError

SHORTEST_SHA = 7
WHOLE_IDS = (40, 64)
"""Digits of a whole commit id, in git's two formats."""
FIX_LASTS = timedelta(hours=4)
"""How long a commander's word for a fix holds."""


def overrides_of(
    service: str,
    environment: str,
    sha: str | None,
    now: datetime,
    records: Iterable[Record],
    freezes: Mapping[str, Freeze],
) -> list[HeldRelease]:
    """The overrides of this commit that are in force, of incidents' records and of freezes/.

    One whose times cannot be read releases nothing; nor does one of a drill. Raises Unusable as `evaluate_each` does.
    """
    if sha is None:
        return []
    recorded = evaluate_each(records, partial(_recorded_release, service, environment, sha, now))
    releases = [release for release in recorded if release is not None]
    for path, freeze in freezes.items():
        if freeze.is_override and freeze.concerns(service, environment) and is_same_commit(freeze.sha or "", sha):
            planned = evaluate_plan(path, freeze.name, partial(planned_freeze, freeze))
            if not isinstance(planned, Unread) and planned.span.covers(now):
                who, second = freeze.by or "", freeze.approved_by or ""
                end = planned.span.end
                releases.append(HeldRelease(who, freeze.reason, end, path, OF_A_FILE, approved_by=second))
    return releases


def _recorded_release(service: str, environment: str, sha: str, now: datetime, record: Record) -> HeldRelease | None:
    """The override of this commit that is in force in a record; None where there is none."""
    incident = record.incident
    for override in () if incident.drill else incident.overrides:
        if (override.service, override.environment) != (service, environment) or not is_same_commit(override.sha, sha):
            continue
        span = Span(parse_instant(override.at), parse_instant(override.expires))
        if span.covers(now):
            return of_incident(incident.id, override.by, override.reason, span.end)
    return None


def of_incident(incident: str, by: str, reason: str, expires: datetime | None) -> HeldRelease:
    """An override in the record of an incident."""
    return HeldRelease(by, reason, expires, incident, OF_A_RECORD, incident)


def is_same_commit(recorded: str, asked: str) -> bool:
    """True for one commit: the same id, or a recorded one that was cut to its first digits, seven at least."""
    return len(recorded) >= SHORTEST_SHA and asked.casefold().startswith(recorded.casefold())


def fix_refused(incident: Incident, service: str, by: str | None) -> str | None:
    """Why a fix for an incident does not release a deploy of `service` given by `by`; None where it does."""
    if not is_worked_on(incident):
        return f"{incident.id} is not open"
    if service not in incident.services:
        return f"{incident.id} is not on {service}"
    commander = incident.roles.commander
    if commander is None:
        return f"{incident.id} has no commander: incident-ops assign commander @who {incident.id}"
    if by is None or by.casefold() != commander.casefold():
        return f"the commander of {incident.id} is {commander}, {f'not {by}' if by else 'and who asks is unknown'}"
    return None


_COMMIT = re.compile(r"(?<![0-9a-z])[0-9a-f]{7,64}(?![0-9a-z])", re.IGNORECASE)


def blaming(sha: str | None, records: Iterable[Record]) -> str:
    """The open incident that names this commit as its cause, by id or in an address; "" where none does.

    Either id may be cut: doubt lets nothing through.
    """
    for incident in (record.incident for record in records if sha is not None and is_worked_on(record.incident)):
        cause = incident.cause
        texts = (cause.ref, cause.trigger) if cause is not None else ()
        found = (commit for text in texts if text is not None for commit in _COMMIT.findall(text))
        if sha is not None and any(is_same_commit(commit, sha) or is_same_commit(sha, commit) for commit in found):
            return incident.id
    return ""


_HEX = frozenset("0123456789abcdefABCDEF")


def is_listed(text: str, service: str, environment: str, sha: str, file: str) -> bool:
    """True where this commit is listed for this service and environment; a line with a commit alone is for all.

    Blank lines and what follows `#` do not count. UserError for a line of another form: a damaged list is
    not used.
    """
    listed = False
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) not in (1, 3) or len(words[0]) < SHORTEST_SHA or not _HEX.issuperset(words[0]):
            hint = "write SHA, or SHA SERVICE ENVIRONMENT; a commit has 7 digits at least"
            raise UserError("this line does not name a commit that passed", where=f"{file}:{number}", hint=hint)
        here = len(words) == 1 or tuple(words[1:]) == (service, environment)
        listed = listed or (here and is_same_commit(words[0], sha))
    return listed
