"""What of that which is due was delivered, and what is known of the delivery."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from incident_ops.sla.obligations import Obligation


class WhomDue(NamedTuple):
    """For whom a notification is (handles, `the team`), and why all of it waits; "" where it does not."""

    names: tuple[str, ...]
    held: str = ""


class Delivery(NamedTuple):
    """What is due and not delivered yet, and what is known of the delivery.

    `lag_seconds` is how late the oldest notice is that should be out by now. `delivered` counts what the ledger
    confirms, `recorded` what a clone noted and did not send, `without_report` the notices that the ledger calls sent
    while no run reports so. `ledger_at` is when what is known of the ledger was written (None: it was asked now, or
    nothing is known), `blind_seconds` the time since the last complete run (None: not known), `problem` why the ledger
    could not be read. `pager` are sentences of what the pager shows and no record says, `pager_problem` why it was not
    read back; `unconfirmed` are the notices that two tries gave no answer for, each as incident, whom and channel;
    `whom` says by key for whom what is due is, where that was asked.
    """

    obligations: tuple[Obligation, ...]
    lag_seconds: int
    delivered: int = 0
    recorded: int = 0
    without_report: int = 0
    ledger_at: datetime | None = None
    blind_seconds: int | None = None
    problem: str = ""
    pager: tuple[str, ...] = ()
    pager_problem: str = ""
    unconfirmed: tuple[str, ...] = ()
    whom: Mapping[str, WhomDue] = MappingProxyType({})
