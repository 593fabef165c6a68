"""Instants and dates as people type them."""

from __future__ import annotations

from datetime import UTC, datetime

from incident_ops.errors import UserError
from incident_ops.model.time import UNKNOWN, YEARS, OutOfRange, duration, parse_date, parse_instant, shift, stamp
from incident_ops.render.findings import inert


def moment(text: str | None, now: datetime, option: str, *, may_be_unknown: bool = False) -> str | None:
    """`now`, `10m` (ago), an RFC 3339 instant, and `unknown` where that is an answer -> the text for a record."""
    if text is None or (text == UNKNOWN and may_be_unknown):
        return text
    if text == "now":
        return stamp(now)
    try:
        parse_instant(text)
    except OutOfRange as error:
        raise UserError(f"{option} {error}", hint="check the year") from error
    except ValueError:
        return _stamp(shift(now, -_ago(text, option, may_be_unknown)), text, option)
    return text


def day(text: str | None, option: str) -> datetime | None:
    """A date (its first instant in UTC) or an instant, None where none is given. UserError for anything else."""
    if text is None:
        return None
    try:
        if "T" in text:
            return parse_instant(text)
        found = parse_date(text)
    except ValueError as error:
        raise UserError(f"{option} {inert(text)!r} is no day and no instant", hint="e.g. 2025-01-26") from error
    return datetime(found.year, found.month, found.day, tzinfo=UTC)


def _stamp(at: datetime, text: str, option: str) -> str:
    if at.year not in YEARS:
        raise UserError(f"{option} {text!r} leads before the year {YEARS[0]}", hint="a shorter time")
    return stamp(at)


def _ago(text: str, option: str, may_be_unknown: bool) -> int:
    try:
        return duration(text.removesuffix(" ago"))
    except ValueError as error:
        hint = "now, 10m (that long ago), or with a zone: 2025-01-26T12:30:00Z" + ("; or unknown" * may_be_unknown)
        raise UserError(f"{option} {text!r} is no instant", hint=hint) from error
