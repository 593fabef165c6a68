"""The tables of a policy's playbook, in Markdown: its levels as the playbook lists them, and its triage rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from incident_ops.model.policy import LevelPolicy, Policy
from incident_ops.triage import explain

Column = tuple[str, Callable[[LevelPolicy], str]]


def level_tables(policy: Policy) -> str:
    """The level table of the policy's layout; for a scheme with two scales the second table follows."""
    tables = [_table(LAYOUTS[policy.documents.layout], policy.levels)]
    if policy.scheme.major:
        tables.append(_table(MAJOR, policy.scheme.major))
    return "\n".join(tables)


def triage_table(policy: Policy) -> str:
    """The triage rules in order, numbered as decisions name them."""
    return "".join(f"{number}. {explain(rule)}\n" for number, rule in enumerate(policy.triage.rules, 1))


def _table(columns: tuple[Column, ...], levels: Iterable[LevelPolicy]) -> str:
    rows = [[heading for heading, _ in columns], ["---"] * len(columns)]
    rows += [
        [cell(level).replace("|", "\\|") for _, cell in columns]
        for level in sorted(levels, key=lambda level: level.rank)
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _words(text: str | None) -> str:
    return "none" if text is None else text.replace("_", " ")


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def _public(level: LevelPolicy) -> str:
    update = level.update
    return f"{update.public} to {update.public_max}" if update.public and update.public_max else _words(update.public)


def _postmortem(level: LevelPolicy) -> str:
    duty = level.postmortem
    return (f"within {_words(duty.within)}" if duty.within else "yes") if duty.required else "no"


def _commander(level: LevelPolicy) -> str:
    return f"after {level.ic.removeprefix('after:')}" if level.ic.startswith("after:") else level.ic


ID: Column = ("Level", lambda level: level.id)
NAME: Column = ("Name", lambda level: level.label)
DEFINITION: Column = ("Definition", lambda level: _words(level.definition))
RESPONSE: Column = ("Response", lambda level: _words(level.response))
RESOLUTION: Column = ("Resolution", lambda level: _words(level.resolution))
DIAGNOSIS: Column = ("Diagnosis", lambda level: _words(level.diagnosis))
UPDATES: Column = ("Updates", lambda level: _words(level.update.internal))
PUBLIC: Column = ("Public updates", _public)
WARNING: Column = ("Warning", lambda level: _words(level.warn_at))
ESCALATION: Column = ("Escalation", lambda level: _words(level.escalate_at))
STAGNATION: Column = ("No activity", lambda level: _words(level.stagnation))
DEFERRED: Column = ("Deferred while active within", lambda level: _words(level.defer_if_active_within))
TEAM: Column = ("Team", lambda level: level.team or "none")
TOLD: Column = ("Told", lambda level: _listed(level.audiences))
CHANNELS: Column = ("Channels", lambda level: _listed(level.channels))
STATUS_PAGE: Column = ("Status page", lambda level: _yes(level.status_page))
DECLARED: Column = ("Declared", lambda level: _yes(level.declare))
COMMANDER: Column = ("Commander", _commander)
CALENDAR: Column = ("Calendar", lambda level: level.calendar)
POSTMORTEM: Column = ("Postmortem", _postmortem)

LAYOUTS: dict[str, tuple[Column, ...]] = {
    "sev0-3": (ID, NAME, RESPONSE, UPDATES, RESOLUTION, TEAM, TOLD, CHANNELS, STATUS_PAGE, POSTMORTEM),
    "itil-p1-p4": (ID, NAME, RESPONSE, RESOLUTION, WARNING, ESCALATION, STAGNATION, DEFERRED),
    "sev1-3": (ID, NAME, DEFINITION, PUBLIC, TEAM, TOLD, CALENDAR, POSTMORTEM),
    "p0-p3": (ID, NAME, RESPONSE, UPDATES, PUBLIC, TEAM, COMMANDER, DECLARED, CALENDAR, POSTMORTEM),
}
"""Columns of each playbook's own level table."""

MAJOR: tuple[Column, ...] = (ID, DEFINITION, UPDATES, TEAM, TOLD, COMMANDER, DIAGNOSIS, POSTMORTEM)
"""Columns of the table of major incidents."""
