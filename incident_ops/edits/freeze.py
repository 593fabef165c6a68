"""Deploy freezes: what is held, from when to when, and why (R229); lifting one; and overrides, by which one person lets
one commit through a hold until an instant, with a reason (R243).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import CLOSED
from incident_ops.domain.people import is_same_person
from incident_ops.domain.planned_changes import OVERRIDE_PREFIX, Freeze, planned_freeze
from incident_ops.domain.record import Append, Set
from incident_ops.domain.time import stamp
from incident_ops.edits.step import Step, given_fields, timeline_row
from incident_ops.errors import UserError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FreezeRequest:
    """A freeze as somebody asks for it; instants aware UTC, `until` None = until it is lifted. None named = all."""

    name: str
    reason: str
    since: datetime
    until: datetime | None = None
    services: Sequence[str] = ()
    environments: Sequence[str] = ()
    by: str | None = None


def new_freeze(now: datetime, wanted: FreezeRequest) -> dict[str, Any]:
    """The content of freezes/<name>.yaml. UserError for an invalid name, or times that hold nothing."""
    if not _NAME.fullmatch(wanted.name):
        raise UserError(
            f"{wanted.name!r} is not a valid name for a freeze", hint="letters, digits, dot, dash, underscore: year-end"
        )
    if wanted.name.startswith(f"{OVERRIDE_PREFIX}-"):
        raise UserError(f"{wanted.name!r} is the name of an override", hint="choose another name")
    if wanted.until is not None and wanted.until <= max(now, wanted.since):
        raise UserError(f"the freeze would be over at {stamp(wanted.until)}", hint="--until an instant, or 8h from now")
    return given_fields(
        name=wanted.name,
        reason=wanted.reason,
        services=list(dict.fromkeys(wanted.services)) or None,
        environments=list(dict.fromkeys(wanted.environments)) or None,
        from_=stamp(wanted.since),
        until=None if wanted.until is None else stamp(wanted.until),
        by=wanted.by,
    )


def lift_freeze(freeze: Freeze, now: datetime) -> Step | None:
    """Ends a freeze that has begun now; one that is over stays as it is.

    None for one that has not begun, or only in this second, and for one whose times cannot be read: its file is to be
    removed.
    """
    try:
        span = planned_freeze(freeze).span
    except ValueError:
        return None
    if span.end is not None and span.end <= now:
        return Step((), (f"{freeze.name} was over at {stamp(span.end)} already; nothing changed",))
    if span.begin is None or span.begin >= now or stamp(span.begin) == stamp(now):
        return None
    what = "taken back" if freeze.is_override else "lifted"
    return Step((Set(("until",), stamp(now)),), (f"{freeze.name} {what} at {stamp(now)}",))


_SHA = re.compile(r"[0-9a-f]{7,64}", re.ASCII)
_SHORT = 7


@dataclass(frozen=True, slots=True)
class OverrideRequest:
    """Who lets which commit of a service into an environment, why, and until when (aware UTC)."""

    by: str
    service: str
    environment: str
    sha: str
    reason: str
    expires: datetime


def commit_id(text: str) -> str:
    """A commit id as records write it. UserError where it is not one."""
    sha = text.strip().lower()
    if not _SHA.fullmatch(sha):
        raise UserError(
            f"{text!r} is not a commit id",
            hint="7 to 64 hexadecimal digits, preferably all of them: git rev-parse HEAD",
        )
    return sha


def override_incident(incident: Incident, now: datetime, wanted: OverrideRequest, names: Sequence[str]) -> Step:
    """An entry of `overrides`, and its line of the timeline. Repeating it is not an error.

    `names` are the service to deploy and what it needs. UserError where it would have expired already, or the incident
    is closed or affects none of them.
    """
    _lasts(now, wanted.expires)
    if incident.state == CLOSED:
        hint = "leave out the incident: then it is written below freezes/"
        raise UserError(f"{incident.id} is closed and holds no deploys", hint=hint)
    if set(names).isdisjoint(incident.services):
        hint = f"it is on {', '.join(incident.services)}; leave out the incident: then it is written below freezes/"
        raise UserError(f"{incident.id} does not hold {wanted.service}", hint=hint)
    fields = {name: getattr(wanted, name) for name in ("by", "service", "environment", "sha", "reason")}
    expires = stamp(wanted.expires)
    if any(one.expires == expires and fields.items() <= _fields(one).items() for one in incident.overrides):
        return Step((), ("this override is written already; nothing changed",))
    entry = {"at": stamp(now), **fields, "expires": expires}
    what = f"{wanted.service} {wanted.sha[:12]} may be deployed to {wanted.environment} until {expires}"
    event = f"Override: {what}"
    edits = (Append(("overrides",), entry), timeline_row(now, "decision", event, wanted.by, result=wanted.reason))
    return Step(edits, (f"override: {what}",))


def override_file(now: datetime, wanted: OverrideRequest, approved_by: str | None = None) -> dict[str, Any]:
    """The content of freezes/<name>.yaml for an override without an incident. UserError as above, and for one person
    on both sides."""
    _lasts(now, wanted.expires)
    if approved_by is not None and is_same_person(wanted.by, approved_by):
        hint = "--approved-by somebody else; without it, the review of its pull request is the second person"
        raise UserError(f"{wanted.by} asks for it, so somebody else has to approve it", hint=hint)
    return given_fields(
        name=override_name(wanted.sha),
        kind=OVERRIDE_PREFIX,
        reason=wanted.reason,
        services=[wanted.service],
        environments=[wanted.environment],
        from_=stamp(now),
        until=stamp(wanted.expires),
        by=wanted.by,
        approved_by=approved_by,
        sha=wanted.sha,
    )


def override_name(sha: str) -> str:
    """`override-<the first seven digits>`."""
    return f"{OVERRIDE_PREFIX}-{sha[:_SHORT]}"


def _lasts(now: datetime, expires: datetime) -> None:
    if expires <= now:
        raise UserError(f"it would have expired at {stamp(expires)}; it is {stamp(now)} now", hint="--expires 4h")


def _fields(one: Any) -> dict[str, str]:
    return {name: getattr(one, name) for name in one.__struct_fields__}
