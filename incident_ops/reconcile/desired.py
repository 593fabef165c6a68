"""Which issues the records ask for. Pure: no tracker is known here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from incident_ops.lifecycle import FIXED, STATES
from incident_ops.model.fence import each
from incident_ops.model.ids import item_key
from incident_ops.model.incident import Incident
from incident_ops.model.observed import Label
from incident_ops.model.policy import Policy
from incident_ops.model.record import Record
from incident_ops.model.time import parse_instant
from incident_ops.reconcile.labels import ITEM_STATES, palette

INCIDENT, ACTION_ITEM = "incident", "action-item"
COMPLETED, NOT_PLANNED, DUPLICATE = "completed", "not_planned", "duplicate"

MOST_ASSIGNEES = 10  # an issue on GitHub takes no more
_MOST_CHILDREN = 95  # GitHub takes 100 sub-issues, closed ones counted; the task list names all
_FOREIGN = 1_000  # a label outside the scheme comes after every level
_LONGEST_TITLE = 250
_SIGIL = re.compile(r"([@#])(?=\w)")

Place = tuple[int, float, str, int]
"""Where a key comes in a run: worst level, oldest declaration, incident, tracking issue before items in order."""


class Home(NamedTuple):
    """Where a key stands: the record's path, and the place of `item` in it (None = the incident itself).

    `is_pending` where the record is not merged yet, so that nothing can be written back to it.
    """

    path: str
    item: int | None
    is_pending: bool


class Wanted(NamedTuple):
    """The issue of one key as the record asks for it. `closed_as` None = open; `why` says so in a few words.

    `number` is the issue the record names; `parent` the key whose issue this one is to be a sub-issue of.
    """

    key: str
    kind: str
    title: str
    labels: tuple[str, ...]
    assignees: tuple[str, ...]
    closed_as: str | None
    why: str
    place: Place
    home: Home
    number: int | None
    parent: str | None


class Desired(NamedTuple):
    """All issues by key, their texts, the labels that are ours to set and take away, and keys claimed twice.

    `identities` are the trusted authors, case-folded; `listed` the labels by which issues are listed, and `palette`
    every label that may be needed, both case-folded.
    """

    issues: Mapping[str, Wanted]
    bodies: Mapping[str, str]
    vocabulary: frozenset[str]
    clashes: frozenset[str]
    identities: frozenset[str]
    listed: tuple[str, ...]
    palette: Mapping[str, Label]


def desired(records: Iterable[Record], policy: Policy, bodies: Mapping[str, str]) -> Desired:
    """Records -> the issues they ask for, open or closed; `bodies` gives the generated text of every key.

    A key that is claimed twice is left out and named in `clashes`: no record may win by chance.
    """
    found = each(records, lambda record: _of(record, policy))
    wanted = sorted((one for made in found for one in made), key=lambda one: one.place)
    clashes = frozenset(key for key, count in Counter(one.key for one in wanted).items() if count > 1)
    issues = {one.key: one for one in wanted if clashes.isdisjoint((one.key, incident_of(one.key)))}
    names = policy.tracker.labels
    return Desired(
        issues=issues,
        bodies=bodies,
        vocabulary=_vocabulary(policy),
        clashes=clashes,
        identities=frozenset(login.casefold() for login in policy.tracker.identities),
        listed=(names.incident.casefold(), names.action_item.casefold()),
        palette=palette(policy, {label for one in issues.values() for label in one.labels}),
    )


def incident_of(key: str) -> str:
    """The incident id in a key: all of a tracking issue's, the first part of an item's."""
    return key.partition("/")[0]


def _vocabulary(policy: Policy) -> frozenset[str]:
    names = policy.tracker.labels
    kinds = (names.incident, names.action_item)
    return frozenset(text.casefold() for text in (*kinds, *policy.labels, *STATES, *ITEM_STATES))


def _of(record: Record, policy: Policy) -> list[Wanted]:
    """The tracking issue of an incident and one issue for each of its action items."""
    incident = record.incident
    label = incident.priority if policy.drives == "priority" else incident.severity
    level = policy.duties(incident.severity, incident.priority)
    rank = level.rank if level else _FOREIGN
    declared = parse_instant(incident.times.declared).timestamp()
    places = [(rank, declared, incident.id, order) for order in range(len(incident.action_items) + 1)]
    return [
        _tracking(record, label, policy, places[0]),
        *(_item(record, index, label, policy, places[index + 1]) for index in range(len(incident.action_items))),
    ]


def _tracking(record: Record, label: str | None, policy: Policy, place: Place) -> Wanted:
    incident = record.incident
    left = len(incident.open_items)
    if incident.is_closed and not left:
        closed_as = COMPLETED if incident.outcome == FIXED else NOT_PLANNED
        why = "the incident is closed and has no open item"
    else:
        closed_as = None
        why = f"the incident is {incident.state.replace('_', ' ')}" + (
            " and has open items" if incident.is_closed else ""
        )
    return Wanted(
        key=incident.id,
        kind=INCIDENT,
        title=_title(f"{incident.id}: {incident.title}"),
        labels=_labels(policy.tracker.labels.incident, label, incident.state),
        assignees=_roles(incident),
        closed_as=closed_as,
        why=why,
        place=place,
        home=Home(record.path, None, record.pending),
        number=incident.links.tracking_issue,
        parent=None,
    )


def _item(record: Record, index: int, label: str | None, policy: Policy, place: Place) -> Wanted:
    incident, item = record.incident, record.incident.action_items[index]
    ends = {"done": COMPLETED, "wont_do": NOT_PLANNED}
    whys = {"done": "the item is done", "wont_do": "the item will not be done"}
    return Wanted(
        key=item_key(incident.id, item.id),
        kind=ACTION_ITEM,
        title=_title(f"{item_key(incident.id, item.id)}: {item.title}"),
        labels=_labels(policy.tracker.labels.action_item, label, item.status),
        assignees=_logins(item.owner),
        closed_as=ends.get(item.status),
        why=whys.get(item.status, f"the item is {item.status.replace('_', ' ')}"),
        place=place,
        home=Home(record.path, index, record.pending),
        number=item.issue,
        parent=incident.id if index < _MOST_CHILDREN else None,
    )


def _roles(incident: Incident) -> tuple[str, ...]:
    """The people of an incident as logins, the commander first, nobody twice."""
    roles = incident.roles
    named = (roles.commander, roles.technical_lead, roles.communications_lead, roles.scribe)
    others = (who for _, who in sorted(roles.others.items()))
    logins = {login.casefold(): login for who in (*named, *others) for login in _logins(who)}
    return tuple(logins.values())[:MOST_ASSIGNEES]


def _labels(*texts: str | None) -> tuple[str, ...]:
    return tuple(text for text in texts if text)


def _logins(handle: str | None) -> tuple[str, ...]:
    """A handle `@name` as a login; a team or a plain name cannot be assigned."""
    return (handle[1:],) if handle and handle.startswith("@") and "/" not in handle else ()


def _title(text: str) -> str:
    """One line that pings and links nothing; titles know no character references, so a zero-width space does it."""
    flat = _SIGIL.sub("\\1\u200b", " ".join(text.split()))
    return flat if len(flat) <= _LONGEST_TITLE else flat[: _LONGEST_TITLE - 3].rstrip() + "..."
