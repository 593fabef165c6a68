"""States, moves and outcomes of an incident as data (R75-R78, R82, C16): what is legal, and what counts as real."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from incident_ops.domain.incident import Change, Incident
from incident_ops.domain.time import UNKNOWN

NEW, TRIAGED, ASSIGNED, IN_PROGRESS = "new", "triaged", "assigned", "in_progress"
PENDING, RESOLVED, CLOSED, REOPENED = "pending", "resolved", "closed", "reopened"
DRILL = "drill"
FIXED, DUPLICATE = "fixed", "duplicate"
OTHER_OUTCOMES = ("false_alarm", DUPLICATE, "withdrawn")
"""Outcomes that keep an incident out of the metrics."""

Moves = frozenset[tuple[str, str]]

STATES = (NEW, TRIAGED, ASSIGNED, IN_PROGRESS, PENDING, RESOLVED, CLOSED, REOPENED)
OVER = frozenset({RESOLVED, CLOSED})
"""States in which nobody works on the incident any more."""

UNTAKEN = frozenset({NEW, TRIAGED, ASSIGNED, REOPENED})
"""States in which somebody is still to say that they have the incident."""

EDGES: Moves = frozenset(
    {
        (NEW, TRIAGED),
        (TRIAGED, ASSIGNED),
        (ASSIGNED, IN_PROGRESS),
        (IN_PROGRESS, RESOLVED),
        (RESOLVED, CLOSED),
        (RESOLVED, REOPENED),
        (CLOSED, REOPENED),
        (REOPENED, IN_PROGRESS),
        *((state, PENDING) for state in STATES if state not in (PENDING, CLOSED)),
    }
)
"""Moves that are always legal, as the presets have them; a policy may know fewer (`states.edges`).

The move out of pending depends on the state before it, an early closing on the outcome."""

NEEDS: dict[str, tuple[str, ...]] = {
    IN_PROGRESS: ("acknowledged",),
    RESOLVED: ("acknowledged", "resolved"),
    CLOSED: ("closed",),
}
"""Instants of `times` (in a later cycle: of its own entry) that a state requires; `unknown` is accepted."""

INSTANTS_OF_CYCLE = ("restored", "resolved", "verified", "closed")


def is_legal(old: str, new: str, left: str | None = None, outcome: str = FIXED, edges: Moves = EDGES) -> bool:
    """True where an incident may go from `old` to `new` (C16).

    `left` is the state that was left for pending (None when unknown: then any state an incident can wait in).
    Any open state may be closed when `outcome` is not `fixed`.
    """
    if new == CLOSED and outcome != FIXED and old in STATES and old != CLOSED:
        return True
    if old == PENDING:
        return new == left if left is not None else (new, PENDING) in edges
    return (old, new) in edges


def next_states(state: str, left: str | None = None, outcome: str = FIXED, edges: Moves = EDGES) -> tuple[str, ...]:
    """The states an incident may move to from here, in the order of STATES."""
    return tuple(new for new in STATES if is_legal(state, new, left, outcome, edges))


def shortest_path(
    old: str, new: str, left: str | None = None, outcome: str = FIXED, edges: Moves = EDGES
) -> tuple[str, ...]:
    """The shortest legal path from `old` (excluded) to `new` (included); empty where there is none or they are equal.

    It passes through pending only where that is its end.
    """
    reached: dict[str, tuple[str, ...]] = {old: ()}
    queue = [old]
    for state in queue:
        for following in next_states(state, left if state == old else None, outcome, edges):
            if following not in reached and (following != PENDING or new == PENDING):
                reached[following] = (*reached[state], following)
                queue.append(following)
    return reached.get(new, ())


class PathFault(NamedTuple):
    """Where a history breaks: `entry` is the index in `changes` (None: it ends elsewhere than the record says).

    `old` is the state the path had reached, `new` the state asked for, `left` the state that waits behind pending.
    """

    entry: int | None
    old: str
    new: str
    left: str | None


def path_faults(changes: Sequence[Change], state: str, outcome: str = FIXED, edges: Moves = EDGES) -> list[PathFault]:
    """Where the state entries of `changes`, from `new` on, are no legal path, or do not end in `state`; [] = legal.

    An entry breaks the path when it does not begin where the last one ended, or when its move is not legal. Checking
    goes on from where the entry ends, so that one slip is reported once.
    """
    found = []
    at, left = NEW, None
    moves = [
        (index, change.old or "", change.new or "") for index, change in enumerate(changes) if change.field == "state"
    ]
    reopenings = [index for index, _, new in moves if new == REOPENED]
    for index, old, new in moves:
        # The record keeps the last outcome only: of a closing that was reopened later it is not known.
        earlier_closing = new == CLOSED and bool(reopenings) and index < reopenings[-1]
        if old != at:
            found.append(PathFault(index, at, old, left))
        elif not is_legal(at, new, left, UNKNOWN if earlier_closing else outcome, edges):
            found.append(PathFault(index, at, new, left))
        left = old if new == PENDING else None
        at = new
    if at != state:
        found.append(PathFault(None, at, state, left))
    return found


def exclusion(incident: Incident) -> str:
    """Why an incident does not count as a real one: DRILL, DUPLICATE or one of OTHER_OUTCOMES; "" where it counts.

    Metrics, error budgets, patterns and postmortems rest on it.
    """
    if incident.drill:
        return DRILL
    if incident.duplicate_of is not None:
        return DUPLICATE
    return "" if incident.outcome == FIXED else incident.outcome


def known_outcome(incident: Incident) -> str | None:
    """What an incident turned out to be, once it is over; None before."""
    return incident.outcome if incident.state in OVER else None


def counts(incident: Incident) -> bool:
    """True for a real incident: not a drill, a duplicate, a false alarm or withdrawn."""
    return not exclusion(incident)


def is_cancelled(incident: Incident) -> bool:
    """True where the outcome or `duplicate_of` says that it was no incident of its own; a drill is not cancelled."""
    return incident.outcome != FIXED or incident.duplicate_of is not None
