"""Putting a time right: a merged one keeps what it was and gets a correction, any other is simply changed."""

from __future__ import annotations

import re
from datetime import datetime

from incident_ops.domain.as_of import corrected_instants
from incident_ops.domain.incident import Cycle, Incident, Times
from incident_ops.domain.record import Append, Set
from incident_ops.domain.time import instant, stamp
from incident_ops.edits.step import Step, field_of, route_of
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean

_OF_TIMES = Times.__struct_fields__
_OF_CYCLE = Cycle.__struct_fields__
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


def field_named(incident: Incident, text: str) -> str:
    """The field of a time that a word means: `started`, `times.started`, `cycles.1.restored`; a name alone is of the
    present cycle. UserError for a word that is none, and for a cycle that never was."""
    word = text.strip().lower().replace("-", "_")
    first, *rest = word.split(".")
    if first == "times" and len(rest) == 1 and rest[0] in _OF_TIMES:
        return word
    count = len(incident.cycles)
    if not rest and first in _OF_TIMES:
        return field_of(incident, first)
    if not rest and first in _OF_CYCLE:
        cycle, name = count, first
    elif first == "cycles" and len(rest) == 2 and _NUMBER.fullmatch(rest[0]) and rest[1] in _OF_CYCLE:
        cycle, name = int(rest[0]), rest[1]
    else:
        raise UserError(f"{text!r} is not a time of a record", hint=did_you_mean(word, [*_OF_TIMES, "reopened"]))
    if not 1 <= cycle <= count:
        said = {0: "never reopened", 1: "reopened once"}.get(count, f"reopened {count} times")
        raise UserError(f"there is no {word}: {incident.id} was {said}", hint="times.restored is of the first outage")
    return f"cycles.{cycle}.{name}"


def correct_instant(
    incident: Incident, now: datetime, by: str, field: str, at: str, reason: str | None, *, is_merged: bool
) -> Step:
    """A time becomes `at`: RFC 3339 text, or `unknown`. UserError where a merged one is given no reason."""
    present = corrected_instants(incident).get(field)
    if present is not None and (present == at or (instant(at) is not None and instant(present) == instant(at))):
        return Step((), (f"{field} is {present} already; nothing changed",))
    if present is None:
        return Step((Set(route_of(field), at),), (f"{field} is {at}; it was not recorded before",))
    said = f"{field} is {at} (was: {present})"
    if not is_merged and all(one.field != field for one in incident.corrections):
        kept = "" if reason is None else ", and the reason is not kept"
        return Step((Set(route_of(field), at),), (f"{said}, changed in place: it was not merged{kept}",))
    if reason is None:
        kept = "is merged" if is_merged else "has been corrected"
        raise UserError(f"{field} {kept}: a correction needs a reason", hint='--reason "..."')
    entry = {"at": stamp(now), "field": field, "from": present, "to": at, "by": by, "reason": reason}
    return Step((Append(("corrections",), entry),), (f"{said}, corrected: {reason}",))
