"""An override: one person lets one commit through a hold until an instant, and says why (R243)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incident_ops.doors.step import Step, row, said
from incident_ops.errors import UserError
from incident_ops.lifecycle import CLOSED
from incident_ops.model.edit import Append
from incident_ops.model.incident import Incident
from incident_ops.model.time import stamp
from incident_ops.model.window import OVERRIDE

_SHA = re.compile(r"[0-9a-f]{7,64}", re.ASCII)
_SHORT = 7


@dataclass(frozen=True, slots=True)
class Overriding:
    """Who lets which commit of a service into an environment, why, and until when (aware UTC)."""

    by: str
    service: str
    environment: str
    sha: str
    reason: str
    expires: datetime


def commit_id(text: str) -> str:
    """A commit id as records write it. UserError where it is none."""
    sha = text.strip().lower()
    if not _SHA.fullmatch(sha):
        raise UserError(
            f"{text!r} is no commit id", hint="7 to 64 hexadecimal digits, best all of them: git rev-parse HEAD"
        )
    return sha


def override_incident(incident: Incident, now: datetime, wanted: Overriding, names: Sequence[str]) -> Step:
    """An entry of `overrides`, and its line of the timeline. The same one twice is no error.

    `names` are the service to deploy and what it needs. UserError where it would have expired already, the incident is
    closed, or is on none of them.
    """
    _lasts(now, wanted.expires)
    if incident.state == CLOSED:
        hint = "leave out the incident: then it is written below freezes/"
        raise UserError(f"{incident.id} is closed, and holds nothing", hint=hint)
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
    edits = (Append(("overrides",), entry), row(now, "decision", event, wanted.by, result=wanted.reason))
    return Step(edits, (f"override: {what}",))


def override_file(now: datetime, wanted: Overriding, approved_by: str | None = None) -> dict[str, Any]:
    """The content of freezes/<name>.yaml for an override without an incident. UserError as above."""
    _lasts(now, wanted.expires)
    return said(
        name=override_name(wanted.sha),
        kind=OVERRIDE,
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
    return f"{OVERRIDE}-{sha[:_SHORT]}"


def _lasts(now: datetime, expires: datetime) -> None:
    if expires <= now:
        raise UserError(f"it would have expired at {stamp(expires)}; it is {stamp(now)} now", hint="--expires 4h")


def _fields(one: Any) -> dict[str, str]:
    return {name: getattr(one, name) for name in one.__struct_fields__}
