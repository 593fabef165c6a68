"""A state that was reached has its time.

in_progress needs `acknowledged`, resolved also `resolved`, closed also `closed`; reopening needs an entry in `cycles`,
whose own times then count. Clocks stop at these times. `unknown` is accepted. A time for a state that was never
reached is a warning.

    before: state: in_progress
            times: {declared: 2025-01-26T12:05:00Z}
    after:  state: in_progress
            times: {declared: 2025-01-26T12:05:00Z, acknowledged: 2025-01-26T12:09:00Z}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import CLOSED, INSTANTS_OF_CYCLE, NEEDS, PENDING, REOPENED, RESOLVED
from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level, Route
from incident_ops.rules._support import effective_instants, instant_route, rule_finding

ID = "state-instant"
LEVEL = (Level.ERROR, Level.WARNING)
TIMED = False


def check(record: Record, _world: World) -> Iterator[Finding]:
    """Every state of the history, and the state the record is in."""
    incident = record.incident
    known = effective_instants(incident)
    reported: set[str] = set()
    reached: set[str] = set()
    cycle = 0
    for route, state in _states(incident):
        cycle += state == REOPENED
        for name in _needs(state, cycle):
            field = f"cycles.{cycle}.{name}" if cycle else f"times.{name}"
            reached.add(field)
            if field not in known and field not in reported:
                reported.add(field)
                hint = f"give {field}, or write unknown there" if name != REOPENED else "add an entry to cycles"
                yield rule_finding(ID, Level.ERROR, route, f"state {state} was reached, but {field} is missing", hint)
    yield from _unreached(incident, known, reached)


def _states(incident: Incident) -> list[tuple[Route, str]]:
    """Each state that was entered, and where the record says so. Coming back from pending enters no new state."""
    moves = [(index, change) for index, change in enumerate(incident.changes) if change.field == "state"]
    states: list[tuple[Route, str]] = []
    waits = None
    for index, change in moves:
        if change.old != PENDING or change.new != waits:
            states.append((("changes", index, "to"), change.new or ""))
        waits = change.old if change.new == PENDING else None
    if not moves or moves[-1][1].new != incident.state:
        return [*states, (("state",), incident.state)]
    if states[-1][0] == ("changes", moves[-1][0], "to"):
        states[-1] = (("state",), incident.state)  # the last transition is reported at `state`, where people look first
    return states


def _needs(state: str, cycle: int) -> tuple[str, ...]:
    if cycle == 0:
        return NEEDS.get(state, ())
    if state == REOPENED:
        return (REOPENED,)
    return tuple(name for name in NEEDS.get(state, ()) if name in INSTANTS_OF_CYCLE)


def _unreached(incident: Incident, known: dict[str, str], reached: set[str]) -> Iterator[Finding]:
    for field in known:
        name = field.rpartition(".")[2]
        if name in (RESOLVED, CLOSED, REOPENED) and field not in reached and incident.state != CLOSED:
            message = f"{field} is set, but the incident was never {name}"
            hint = f"add a transition to {name} to changes, or remove the time"
            yield rule_finding(ID, Level.WARNING, instant_route(incident, field), message, hint)
