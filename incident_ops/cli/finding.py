"""Which incident a command means: an id, a short form of one, or the only one that is open."""

from __future__ import annotations

import re
from collections.abc import Sequence

from incident_ops.cli.opening import Opened
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean
from incident_ops.lifecycle import RESOLVED, current
from incident_ops.model.ids import is_incident_id
from incident_ops.model.incident import Incident
from incident_ops.model.record import Record
from incident_ops.model.time import instant
from incident_ops.records.recall import every_record
from incident_ops.records.store import record_path
from incident_ops.render.fit import fit
from incident_ops.render.lists import HIDDEN, title_of

_SHORT = re.compile(r"(?:INC-)?[0-9]+(?:-[0-9]+)?", re.ASCII | re.IGNORECASE)
MOST_LISTED = 6
LONGEST_TITLE = 30


def find(opened: Opened, asked: str | None) -> str:
    """The path of the record that is meant. UserError where none is, or more than one could be."""
    if asked is None:
        return _only_open(opened)
    wanted = asked.strip().upper()
    if is_incident_id(wanted) and opened.store.read(record_path(wanted)) is not None:
        return record_path(wanted)
    ids = sorted(set(opened.catalogue.ids()))
    near = _named(wanted, ids)
    if len(near) == 1:
        path = opened.catalogue.path_of(near[0])
        return path or record_path(near[0])
    if near:
        raise UserError(f"{asked} could be {_listed(near)}", hint="write more of it")
    if not ids:
        raise UserError("there is no incident here yet", hint='incident-ops declare "..." -s SERVICE')
    raise UserError(f"there is no incident {asked}", hint=did_you_mean(wanted, ids[-200:]) or "see `incident-ops list`")


def split_words(words: Sequence[str], at_least: int = 0) -> tuple[str | None, tuple[str, ...]]:
    """(the word that names an incident, or None; the other words). It may come first or last.

    `at_least` other words are left: a text that looks like a number stays a text where nothing else is there.
    """
    if len(words) > at_least:
        for place in (len(words) - 1, 0):
            if _SHORT.fullmatch(words[place]):
                return words[place], (*words[:place], *words[place + 1 :])
    return None, tuple(words)


def _named(wanted: str, ids: Sequence[str]) -> list[str]:
    """The ids a short form can mean: that very id or number, else every id that ends so."""
    tail = wanted.removeprefix("INC-")
    if not tail:
        return []
    exact = [one for one in ids if one == f"INC-{tail}"]
    if exact:
        return exact
    number = [one for one in ids if tail.isdecimal() and int(one.rpartition("-")[2]) == int(tail)]
    return number if len(number) == 1 else [one for one in ids if one.endswith(tail)]


def _only_open(opened: Opened) -> str:
    found = [record for record in _live(opened) if not record.incident.is_closed]
    if len(found) == 1:
        return found[0].path
    if not found:
        raise UserError("no incident is open", hint='name one, or `incident-ops declare "..." -s SERVICE`')
    told = f"which incident? {len(found)} are open: {_titled(opened, found)}"
    raise UserError(told, hint="name it by its id, or by the id's end")


def find_ended(opened: Opened) -> str:
    """The id of the only incident that is resolved. UserError where none or several are, naming the last that ended."""
    resolved = [record for record in _live(opened) if record.incident.state == RESOLVED]
    if len(resolved) == 1:
        return resolved[0].incident.id
    ended = resolved or [one for one in every_record(opened.store, opened.catalogue) if one.incident.is_closed]
    if not ended:
        raise UserError("no incident is resolved or closed", hint="see `incident-ops list`")
    ended.sort(key=lambda one: (_end(one.incident), one.incident.id), reverse=True)
    told = f"which incident? {len(ended)} {'are resolved' if resolved else 'are closed'}: {_titled(opened, ended)}"
    raise UserError(told, hint="name the one that came back by its id, or by the id's end")


def _end(incident: Incident) -> float:
    at = instant(current(incident, "resolved") if incident.state == RESOLVED else current(incident, "closed"))
    return at.timestamp() if at else 0.0


def _live(opened: Opened) -> list[Record]:
    """Every record that is not settled. UserError where one cannot be read, which could be the one that is meant."""
    if unread := opened.unread:
        first = unread[0]
        told = f"which incident? {len(unread)} cannot be read, and could be the one that is meant"
        raise UserError(told, where=first.path, hint=f"name the incident; {first.reason}")
    return list(opened.catalogue.live())


def _titled(opened: Opened, found: Sequence[Record]) -> str:
    policy = opened.judged_by[0]
    titles = [title_of(record.incident, policy) for record in found[:MOST_LISTED]]
    shown = [HIDDEN if title is None else f"({fit(title, LONGEST_TITLE)})" for title in titles]
    names = [record.incident.id for record in found]
    return _listed([*map(" ".join, zip(names, shown, strict=False)), *names[MOST_LISTED:]])


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_LISTED])
    return f"{shown} and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else shown
