"""Instants and dates as people type them."""

from __future__ import annotations

from datetime import datetime, timedelta

from incident_ops.errors import UserError
from incident_ops.model.time import UNKNOWN, duration, parse_instant, stamp


def moment(text: str | None, now: datetime, option: str, *, may_be_unknown: bool = False) -> str | None:
    """`now`, `10m` (ago), an RFC 3339 instant, and `unknown` where that is an answer -> the text for a record."""
    if text is None or (text == UNKNOWN and may_be_unknown):
        return text
    if text == "now":
        return stamp(now)
    try:
        parse_instant(text)
    except ValueError:
        return stamp(now - timedelta(seconds=_ago(text, option, may_be_unknown)))
    return text


def _ago(text: str, option: str, may_be_unknown: bool) -> int:
    try:
        return duration(text.removesuffix(" ago"))
    except ValueError as error:
        hint = "now, 10m (that long ago), or with a zone: 2025-01-26T12:30:00Z" + ("; or unknown" * may_be_unknown)
        raise UserError(f"{option} {text!r} is no instant", hint=hint) from error
