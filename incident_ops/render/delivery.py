"""What `sla check` says of the delivery of notices: what the ledger knows, how old that is, what does not add up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from incident_ops.domain.notification import LEDGER_BRANCH
from incident_ops.domain.time import spell_clock, spell_duration, stamp
from incident_ops.render.findings import inert, plural
from incident_ops.render.text import DEFAULT_WIDTH, fold_record
from incident_ops.sla.delivery import Delivery

_LONG = 3600
"""So many seconds without a complete run are said as a lack of one."""


_MOST_NAMED = 3


def delivery_lines(delivery: Delivery, now: datetime, width: int = DEFAULT_WIDTH) -> list[str]:
    """The lines below the notifications that are due; [] where nothing is known of a ledger."""
    return [line for text in _sentences(delivery, now) for line in fold_record(text, rest="  ", width=width)]


def delivery_data(delivery: Delivery, now: datetime) -> dict[str, Any]:
    """The same as JSON data; only what is known."""
    data: dict[str, Any] = {}
    if any((delivery.delivered, delivery.recorded, delivery.without_report, delivery.ledger_at, delivery.unconfirmed)):
        data["notices"] = {
            "delivered": delivery.delivered,
            "recorded": delivery.recorded,
            "without_report": delivery.without_report,
            "not_confirmed": len(delivery.unconfirmed),
            "ledger_at": stamp(delivery.ledger_at) if delivery.ledger_at else None,
        }
    if delivery.blind_seconds is not None:
        data["last_run"] = stamp(now - timedelta(seconds=delivery.blind_seconds))
        data["blind_seconds"] = delivery.blind_seconds
    if delivery.pager or delivery.pager_problem:
        data["pager"] = {"news": list(delivery.pager), "problem": delivery.pager_problem}
    return data


def _sentences(delivery: Delivery, now: datetime) -> Iterator[str]:
    if delivery.delivered:
        known = ""
        if delivery.ledger_at is not None:
            age = spell_duration(max(0, int((now - delivery.ledger_at).total_seconds())))
            known = f" (as last fetched; its newest line is {age} old: `git fetch` brings the rest)"
        yield f"Delivered already, by the ledger: {plural(delivery.delivered, 'notification')}{known}"
    if delivery.unconfirmed:
        what, more = plural(len(delivery.unconfirmed), "notice"), len(delivery.unconfirmed) - _MOST_NAMED
        named = "; ".join(delivery.unconfirmed[:_MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")
        yield (
            f"Not confirmed: {what} ({inert(named)}): two tries got no answer, and no run sends it again. "
            'Look in the channel, or send it yourself: incident-ops notify INC --text "..."'
        )
    if delivery.recorded:
        what = plural(delivery.recorded, "notification")
        yield f"Recorded, not sent: {what}; with the embedded tracker nobody is notified"
    if delivery.without_report:
        what = plural(delivery.without_report, "notice")
        yield (
            f"The ledger calls {what} sent that no run reports to have sent; who wrote that: "
            f"git log -p origin/{LEDGER_BRANCH}"
        )
    if delivery.blind_seconds is not None:
        since = spell_clock(now - timedelta(seconds=delivery.blind_seconds), dated=True)
        length = spell_duration(delivery.blind_seconds)
        is_long = delivery.blind_seconds >= _LONG
        yield f"No complete run for {length}, since {since} UTC" if is_long else f"Last complete run: {since} UTC"
    yield from map(inert, delivery.pager)
    if delivery.pager_problem:
        yield inert(delivery.pager_problem)
    if delivery.problem:
        yield f"The ledger could not be read, so delivered notifications are listed as due: {inert(delivery.problem)}"
