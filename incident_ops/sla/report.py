"""The clocks of all records at an instant, as `sla check` shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from incident_ops.lifecycle import OVER
from incident_ops.model.fence import each, run
from incident_ops.model.policy import Policy
from incident_ops.model.record import Record
from incident_ops.model.unread import Unread
from incident_ops.sla.clock import ACTION_ITEM, AFTERWARDS, NAMES, Clock
from incident_ops.sla.clocks import clocks
from incident_ops.sla.facts import facts
from incident_ops.sla.standing import Standing, standing
from incident_ops.sla.targets import no_level


class Report(NamedTuple):
    """The clocks at an instant (aware UTC), ordered by incident; `unread` are records that could not be used.

    `standings` are the incidents that are not resolved, ordered by id; one that was none of its own is left out.
    """

    at: datetime
    clocks: tuple[Clock, ...]
    unread: tuple[Unread, ...] = ()
    standings: tuple[Standing, ...] = ()


def report(
    records: Iterable[Record], policy: Policy, now: datetime, unread: Sequence[Unread] = (), everything: bool = False
) -> Report:
    """The clocks of all incidents that are not closed, and what is left to do of the closed ones; or `everything`.

    A record whose label is no level of the policy joins `unread`. UserError where the policy itself cannot be used.
    """
    found: list[Clock] = []
    open_ones: list[Standing] = []
    left_out = list(unread)

    def add(record: Record) -> None:
        incident = record.incident
        if why := no_level(incident, policy):
            if everything or not incident.is_closed or incident.open_items:
                left_out.append(Unread(record.path, why))
            return
        made = clocks(incident, policy, now)
        found.extend(clock for clock in made if everything or _is_wanted(clock, incident.is_closed))
        given = facts(incident, now)
        if given.state not in OVER and not given.is_cancelled:
            open_ones.append(standing(incident, policy, now, made))

    run(each(records, add))
    open_ones.sort(key=lambda one: one.incident)
    found.sort(key=lambda clock: (clock.incident, NAMES.index(clock.clock)))
    return Report(now, tuple(found), tuple(sorted(left_out)), tuple(open_ones))


def _is_wanted(clock: Clock, closed: bool) -> bool:
    """Items that are done are of no interest, and of a closed incident only the work that is left."""
    if clock.clock == ACTION_ITEM:
        return not clock.is_over
    return not closed or (clock.clock in AFTERWARDS and not clock.is_over)
