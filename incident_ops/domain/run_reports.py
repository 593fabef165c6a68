"""What runs say of themselves beside the ledger: which notices they sent, and when the last complete one was.

A line of the file is `<instant> sent <mark>...`, one for each time that a run confirmed notices, or `<instant>
complete`. A mark is the start of the sha256 of a confirmed line of the ledger, so a line that somebody else wrote there
has none. A line that is not of this form says nothing: what it stood for counts as reported by nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from incident_ops.domain.notification import KEPT, Ledger, Pair, Sending
from incident_ops.domain.time import instant, parse_instant, stamp

_SENT, _COMPLETE = "sent", "complete"
_MARK_LENGTH = 16


class RunReports(NamedTuple):
    """`sent` are (instant, marks) of each run that confirmed notices, in order; `complete` the last complete run."""

    sent: tuple[tuple[str, tuple[str, ...]], ...] = ()
    complete: str | None = None

    def without_report(self, ledger: Ledger, pairs: Iterable[Pair]) -> list[Pair]:
        """Those of the pairs that the ledger holds as sent while no run reports to have sent them."""
        reported = {mark for _, marks in self.sent for mark in marks}
        held = [(one, ledger[one]) for one in pairs if one in ledger]
        return [one for one, sending in held if sending.confirmed and _mark(one, sending) not in reported]


def parse_reports(content: bytes | None) -> RunReports:
    """Bytes -> reports; None = no run has reported yet."""
    sent, complete = [], None
    for line in (content or b"").decode("ascii", "replace").splitlines():
        at, _, words = line.partition(" ")
        kind, *marks = words.split(" ")
        if not _is_instant(at):
            continue
        if kind == _SENT:
            sent.append((at, tuple(marks)))
        elif kind == _COMPLETE:
            complete = at
    return RunReports(tuple(sent), complete)


def write_reports(reports: RunReports) -> bytes:
    """Reports -> bytes; the same reports give the same bytes."""
    lines = [" ".join((at, _SENT, *marks)) for at, marks in reports.sent]
    lines += [f"{reports.complete} {_COMPLETE}"] if reports.complete else []
    return "".join(f"{line}\n" for line in lines).encode("ascii", "replace")


def add_sent(reports: RunReports, before: Ledger, after: Ledger, now: datetime) -> RunReports:
    """The reports with what a run has confirmed just now; those older than the ledger keeps lines for are left out."""
    marks = [_mark(one, sending) for one, sending in after.items() if sending.confirmed and before.get(one) != sending]
    kept = tuple((at, old) for at, old in reports.sent if parse_instant(at) >= now - KEPT)
    return reports._replace(sent=(*kept, (stamp(now), tuple(sorted(marks))))) if marks else reports


def _mark(one: Pair, sending: Sending) -> str:
    return sha256(f"{one.digest} {one.channel} {sending.confirmed}".encode()).hexdigest()[:_MARK_LENGTH]


def _is_instant(text: str) -> bool:
    try:
        return instant(text) is not None
    except ValueError:
        return False
