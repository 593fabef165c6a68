"""How many slots of updates were kept and how many passed without one (R139, R145)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from incident_ops.model.policy import Policy
from incident_ops.model.time import instant, parse_instant
from incident_ops.sla.clock import UPDATE_PUBLIC, Clock, State
from incident_ops.sla.clocks import clocks
from incident_ops.sla.facts import Facts, update_instants

_MOMENT = timedelta(microseconds=1)


class Slots(NamedTuple):
    """Slots that ended with an update or with the resolution, and slots that passed without a word."""

    kept: int = 0
    missed: int = 0


def slots(shown: Clock, given: Facts, policy: Policy) -> Slots:
    """The slots of an update clock over all cycles, up to the instant of `given`; `shown` is that clock there.

    A silence of 100 minutes where 30 are allowed is three missed slots, and a kept one if an update ended it.
    """
    audience = "public" if shown.clock == UPDATE_PUBLIC else None
    if shown.state is State.MET and given.cycle == 1:  # it would show the first one that was missed
        return Slots(len(update_instants(given, audience)) + 1)
    kept = missed = 0
    for end in sorted({at for at in _ends(given, audience) if at <= given.now}):
        one = _just_before(end, shown.clock, given, policy)
        if one is not None and not one.is_over:
            kept, missed = kept + 1, missed + _passed(one)
    last = None if shown.is_over else _just_before(given.now, shown.clock, given, policy)
    return Slots(kept, missed + _passed(last) if last else missed)


def _ends(given: Facts, audience: str | None) -> Iterator[datetime]:
    """Every instant that can end a slot: updates of the audience, and the ends of cycles."""
    yield from (parse_instant(one.at) for one in given.incident.updates if audience in (None, one.audience))
    over = (field for field in given.instants if field.endswith((".resolved", ".closed")))
    yield from (at for field in over if (at := instant(given.instants[field])) is not None)


def _just_before(at: datetime, name: str, given: Facts, policy: Policy) -> Clock | None:
    found = clocks(given.incident, policy, at - _MOMENT)
    return next((one for one in found if one.clock == name), None)


def _passed(clock: Clock) -> int:
    """The whole slots that lie behind a running one."""
    spent, cadence = clock.elapsed_seconds or 0, (clock.elapsed_seconds or 0) + (clock.remaining_seconds or 0)
    return spent // cadence if cadence > 0 else 0
