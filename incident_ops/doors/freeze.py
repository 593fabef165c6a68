"""A deploy freeze: what is held, from when to when, and why (R229)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incident_ops.doors.step import said
from incident_ops.errors import UserError
from incident_ops.model.time import stamp
from incident_ops.model.window import OVERRIDE

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Freezing:
    """A freeze as somebody asks for it; instants aware UTC, `until` None = until it is lifted. None named = all."""

    name: str
    reason: str
    since: datetime
    until: datetime | None = None
    services: Sequence[str] = ()
    environments: Sequence[str] = ()
    by: str | None = None


def freeze(now: datetime, wanted: Freezing) -> dict[str, Any]:
    """The content of freezes/<name>.yaml. UserError for a name that is none, or times that hold nothing."""
    if not _NAME.fullmatch(wanted.name):
        raise UserError(
            f"{wanted.name!r} is no name of a freeze", hint="letters, digits, dot, dash, underscore: year-end"
        )
    if wanted.name.startswith(f"{OVERRIDE}-"):
        raise UserError(f"{wanted.name!r} is the name of an override", hint="take another name")
    if wanted.until is not None and wanted.until <= max(now, wanted.since):
        raise UserError(f"the freeze would be over at {stamp(wanted.until)}", hint="--until an instant, or 8h from now")
    return said(
        name=wanted.name,
        reason=wanted.reason,
        services=list(dict.fromkeys(wanted.services)) or None,
        environments=list(dict.fromkeys(wanted.environments)) or None,
        from_=stamp(wanted.since),
        until=None if wanted.until is None else stamp(wanted.until),
        by=wanted.by,
    )
