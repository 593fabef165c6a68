"""Which issues the records ask for, and the labels that these need. Pure: no tracker is known here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import NamedTuple

from incident_ops.domain.as_of import as_of
from incident_ops.domain.fence import evaluate_each
from incident_ops.domain.incident import ActionItem, Incident
from incident_ops.domain.issue_places import recorded_place, team_repository
from incident_ops.domain.item_due import item_due
from incident_ops.domain.lifecycle import FIXED, STATES
from incident_ops.domain.policy import Policy, Service
from incident_ops.domain.policy_sections import ITEM_STATUSES, ReleaseTrain, TrackerLabels
from incident_ops.domain.record import Record, SettledRecords, item_key
from incident_ops.domain.ticket import TICKET, kind_of
from incident_ops.domain.time import parse_instant
from incident_ops.domain.tracker import Issue, Label, Milestone, fold_title
from incident_ops.sla.activity import watched_since
from incident_ops.sla.escalation import unanswered_escalations
from incident_ops.sla.targets import resolution_release

HANDS_OFF = "incident-ops:hands-off"
"""People put it on an issue; everything about that issue is left alone."""

_BY_RANK = ("b60205", "d93f0b", "fbca04", "0e8a16")
_LOWER, _KIND, _STATE, _OTHER = "c2e0c6", "5319e7", "bfd4f2", "ededed"
_LONGEST = 100  # characters of a description on GitHub


def palette(policy: Policy, used: Iterable[str]) -> Mapping[str, Label]:
    """Case-folded name -> label, for kinds, levels, states, and `used` ones of any other kind."""
    kinds = policy.tracker.labels
    known = [
        Label(name=kinds.incident, color=_KIND, description="The issue of an incident; its record is in git"),
        Label(name=kinds.ticket, color=_KIND, description="The issue of a ticket; its record is in git"),
        Label(name=kinds.action_item, color=_KIND, description="Follow-up work of an incident; its record is in git"),
        Label(name=kinds.overdue, color=_BY_RANK[0], description="An action item past its due date"),
        Label(name=kinds.escalated, color=_BY_RANK[0], description="Escalated, and nobody has answered since"),
        *(_priority(kinds.priority, number) for number in range(10)),
        *(_level(level.id, level.rank, level.label) for level in (*policy.levels, *policy.scheme.major)),
        *(Label(name=_state(kinds, state), color=_STATE, description=_of_state(state)) for state in STATES),
        *(Label(name=name, color=_OTHER, description="A level that the policy does not have") for name in sorted(used)),
    ]
    return {label.name.casefold(): label for label in reversed(known)}


def _state(names: TrackerLabels, state: str) -> str:
    return f"{names.state}{state.replace('_', '-')}"


def _of_state(state: str) -> str:
    return f"The record of the incident says: {state.replace('_', ' ')}"


def _level(name: str, rank: int, label: str) -> Label:
    color = _BY_RANK[rank - 1] if 0 < rank <= len(_BY_RANK) else _LOWER
    text = f"Level {rank}, 1 is the worst" + (f": {label}" if label else "")
    return Label(name=name, color=color, description=text[:_LONGEST])


def _priority(prefix: str, number: int) -> Label:
    color = _BY_RANK[number] if number < len(_BY_RANK) else _LOWER
    return Label(name=f"{prefix}P{number}", color=color, description=f"Priority {number} of an action item, 0 is first")


INCIDENT_ISSUE, ITEM_ISSUE = "incident", "action-item"
COMPLETED, NOT_PLANNED, CLOSED_AS_DUPLICATE = "completed", "not_planned", "duplicate"

MOST_ASSIGNEES = 10  # an issue on GitHub takes no more
_MOST_CHILDREN = 95  # GitHub takes 100 sub-issues, closed ones counted; the task list names all
_FOREIGN = 1_000  # a label outside the scheme comes after every level
_LONGEST_TITLE = 250
OLD_STATES = frozenset(text.casefold() for text in (*STATES, *ITEM_STATUSES))
"""Labels that issues had for their state as long as line 1 of their text named no repository."""
_SIGIL = re.compile(r"([@#]|\bGH-|:/)(?=\w|/)", re.IGNORECASE)
_JOINER = "\u200d"  # parts of one emoji

Rank = tuple[int, float, str, int]
"""Where a key comes in a run: the worst level, oldest declaration, incident, tracking issue before items in order."""


class RecordPlace(NamedTuple):
    """Where a key is in the records: the path, and the place of `item` in its record (None = the incident itself).

    `is_pending` where the record is not merged yet, so that nothing can be written back to it.
    """

    path: str
    item: int | None
    is_pending: bool


class DesiredIssue(NamedTuple):
    """The issue of one key as the record asks for it. `closed_as` None = open; `why` says so in a few words.

    `number` is the issue the record names; `parent` the key whose issue this one is to be a sub-issue of; `incident`
    what the record says. `repository` has the issue, "" = the one with the tracking issues; `team` is the one that
    the services name for it, and `stays` why it is not there, "" where nothing is to be said of that;
    `milestone` the title of the release by which it is due; `called` the logins of those whom an escalation calls that
    nobody has answered, None where there is none; `back_by` the label that brings its closed incident back, ""
    for none.
    """

    key: str
    kind: str
    title: str
    labels: tuple[str, ...]
    assignees: tuple[str, ...]
    closed_as: str | None
    why: str
    rank: Rank
    record: RecordPlace
    number: int | None
    parent: str | None
    incident: Incident
    milestone: str | None
    called: tuple[str, ...] | None = None
    back_by: str = ""
    repository: str = ""
    team: str = ""
    stays: str = ""

    @property
    def item(self) -> ActionItem | None:
        """The action item whose issue it is; None for a tracking issue."""
        return None if self.record.item is None else self.incident.action_items[self.record.item]


NONE_BESIDE = SettledRecords()


class Desired(NamedTuple):
    """All issues by key, their texts, the labels that are ours to set and take away, and keys claimed twice.

    `identities` are the trusted authors, case-folded; `listed` the labels by which issues are listed, and `palette`
    every label that may be needed, both case-folded; `releases` by folded title the milestones that are ours
    to set. `beside` are the settled records that are not among the issues, because the tracker holds nothing of theirs.
    `repository` is the one that is looked at, of those in which issues are; "" = the one with the tracking issues.
    `named` are the logins of the policy's `access`, case-folded, who count whatever the tracker calls them; `escalated`
    is the label of an incident whose escalation nobody has answered.
    """

    issues: Mapping[str, DesiredIssue]
    bodies: Mapping[str, str]
    vocabulary: frozenset[str]
    clashes: frozenset[str]
    identities: frozenset[str]
    listed: tuple[str, ...]
    palette: Mapping[str, Label]
    releases: Mapping[str, Milestone]
    beside: SettledRecords = NONE_BESIDE
    repository: str = ""
    named: frozenset[str] = frozenset()
    escalated: str = ""

    @property
    def here(self) -> Iterator[DesiredIssue]:
        """The issues of the repository that is looked at."""
        return (wanted for wanted in self.issues.values() if wanted.repository == self.repository)


def desired_issues(
    records: Iterable[Record],
    policy: Policy,
    bodies: Mapping[str, str],
    now: datetime,
    services: Mapping[str, Service] = MappingProxyType({}),
    beside: SettledRecords = NONE_BESIDE,
) -> Desired:
    """Records -> the issues they ask for, open or closed; `bodies` gives the generated text of every key.

    `now` (aware UTC) decides which items are overdue, `services` in which repository an item gets its issue. `beside`
    are settled records of which the tracker holds nothing.

    A key that is claimed twice is left out and named in `clashes`: neither record may win by chance.
    """
    found = evaluate_each(records, lambda record: _issues_of(record, policy, now, services))
    wanted = sorted((issue for issues in found for issue in issues), key=lambda issue: issue.rank)
    clashes = frozenset(key for key, count in Counter(issue.key for issue in wanted).items() if count > 1)
    issues = {issue.key: issue for issue in wanted if clashes.isdisjoint((issue.key, incident_of(issue.key)))}
    return Desired(
        issues=issues,
        bodies=bodies,
        vocabulary=_vocabulary(policy),
        clashes=clashes,
        identities=frozenset(login.casefold() for login in policy.tracker.identities),
        listed=tuple(name.casefold() for name in listed_labels(policy)),
        named=policy.access.logins,
        escalated=policy.tracker.labels.escalated,
        palette=palette(policy, {label for issue in issues.values() for label in issue.labels}),
        releases=_releases(policy),
        beside=beside,
    )


def listed_labels(policy: Policy) -> tuple[str, ...]:
    """The labels by which issues of ours are listed; that of tickets only where the policy makes tickets."""
    kinds = policy.tracker.labels
    makes_tickets = any(not level.declare for level in policy.levels)
    return (kinds.incident, *((kinds.ticket,) if makes_tickets else ()), kinds.action_item)


def _releases(policy: Policy) -> Mapping[str, Milestone]:
    """Folded title -> the milestone of a release; of two with one title that of the first."""
    titled = [(title, release.on) for release in policy.releases if (title := _milestone(release))]
    return {fold_title(title): Milestone(title=title, due=on) for title, on in reversed(titled)}


def _milestone(release: ReleaseTrain | None) -> str | None:
    """The title of a release's milestone; None for a name of nothing but spaces."""
    return (" ".join(release.name.split()) or None) if release else None


def _release_on(day: date, policy: Policy) -> ReleaseTrain | None:
    """The release of a day, of several the one named first."""
    return next((release for release in policy.releases if release.on == day.isoformat()), None)


def incident_of(key: str) -> str:
    """The incident id in a key: all of a tracking issue's, the first part of an item's."""
    return key.partition("/")[0]


def _vocabulary(policy: Policy) -> frozenset[str]:
    names = policy.tracker.labels
    kinds = (names.incident, names.ticket, names.action_item, names.overdue)
    priorities = (f"{names.priority}P{number}" for number in range(10))
    levels = (*policy.labels, *policy.major_labels)
    states = (_state(names, state) for state in STATES)
    return frozenset(text.casefold() for text in (*kinds, *priorities, *levels, *states))


def _issues_of(record: Record, policy: Policy, now: datetime, services: Mapping[str, Service]) -> list[DesiredIssue]:
    """The tracking issue of an incident and one issue for each of its action items."""
    incident = record.incident
    label = policy.label_of(incident)
    level = policy.duties(incident.severity, incident.priority)
    rank = level.rank if level else _FOREIGN
    declared = parse_instant(incident.times.declared).timestamp()
    team = team_repository(incident, services)
    ranks = [(rank, declared, incident.id, order) for order in range(len(incident.action_items) + 1)]
    return [
        _tracking_issue(record, label, policy, ranks[0])._replace(
            called=_called(incident, policy, now), back_by=_back_by(incident, policy, now)
        ),
        *(
            _item_issue(record, index, policy, now, ranks[index + 1])._replace(team=team)
            for index in range(len(incident.action_items))
        ),
    ]


def _tracking_issue(record: Record, label: str | None, policy: Policy, rank: Rank) -> DesiredIssue:
    incident = record.incident
    left, kind, names = len(incident.open_items), kind_of(incident, policy), policy.tracker.labels
    major = incident.severity if incident.severity in policy.major_labels else None
    if incident.is_closed and not left:
        closed_as = COMPLETED if incident.outcome == FIXED else NOT_PLANNED
        why = f"the {kind} is closed and has no open item"
    else:
        closed_as = None
        why = f"the {kind} is {incident.state.replace('_', ' ')}" + (
            " and has open items" if incident.is_closed else ""
        )
    return DesiredIssue(
        key=incident.id,
        kind=INCIDENT_ISSUE,
        title=_title(f"{incident.id}: {major} {incident.title}" if major else f"{incident.id}: {incident.title}"),
        labels=_labels(names.ticket if kind == TICKET else names.incident, label, major, _state(names, incident.state)),
        assignees=_roles(incident),
        closed_as=closed_as,
        why=why,
        rank=rank,
        record=RecordPlace(record.path, None, record.pending),
        number=incident.links.tracking_issue,
        parent=None,
        incident=incident,
        milestone=_milestone(resolution_release(incident, policy)),
    )


def _item_issue(record: Record, index: int, policy: Policy, now: datetime, rank: Rank) -> DesiredIssue:
    incident, item = record.incident, record.incident.action_items[index]
    names, due = policy.tracker.labels, item_due(item, incident, policy)
    priority = f"{names.priority}{item.priority}" if item.priority else None
    overdue = names.overdue if due is not None and item.is_open and due.days_late(now, policy) else None
    place = recorded_place(item.issue)
    closings = {"done": COMPLETED, "wont_do": NOT_PLANNED}
    reasons = {"done": "the item is done", "wont_do": "the item will not be done"}
    return DesiredIssue(
        key=item_key(incident.id, item.id),
        kind=ITEM_ISSUE,
        title=_title(f"{item_key(incident.id, item.id)}: {item.title}"),
        labels=_labels(names.action_item, priority, overdue),
        assignees=_logins(item.owner),
        closed_as=closings.get(item.status),
        why=reasons.get(item.status, f"the item is {item.status.replace('_', ' ')}"),
        rank=rank,
        record=RecordPlace(record.path, index, record.pending),
        number=place.number if place else None,
        parent=incident.id if index < _MOST_CHILDREN else None,
        incident=incident,
        milestone=_milestone(_release_on(due.day, policy)) if due else None,
        repository=place.repository if place else "",
    )


def _roles(incident: Incident) -> tuple[str, ...]:
    """The people of an incident as logins, the commander first, each once."""
    roles = incident.roles
    named = (roles.commander, roles.technical_lead, roles.communications_lead, roles.scribe)
    others = (who for _, who in sorted(roles.others.items()))
    logins = {login.casefold(): login for who in (*named, *others) for login in _logins(who)}
    return tuple(logins.values())[:MOST_ASSIGNEES]


def _called(incident: Incident, policy: Policy, now: datetime) -> tuple[str, ...] | None:
    """Whom the escalations call that nobody has answered, without those who have a role; None where there are none."""
    unanswered = unanswered_escalations(as_of(incident, now), policy)
    if not unanswered:
        return None
    with_role = {login.casefold() for login in _roles(incident)}
    logins = {login.casefold(): login for one in unanswered for who in one.targets for login in _logins(who)}
    return tuple(login for folded, login in logins.items() if folded not in with_role)[:MOST_ASSIGNEES]


def _back_by(incident: Incident, policy: Policy, now: datetime) -> str:
    """The label of `states.reopen`, as long as it can bring a closed incident back."""
    label = policy.states.reopen.label
    is_open_to_it = incident.is_closed and watched_since(as_of(incident, now), policy) is not None
    return label if label and is_open_to_it else ""


def _labels(*texts: str | None) -> tuple[str, ...]:
    return tuple(text for text in texts if text)


def _logins(handle: str | None) -> tuple[str, ...]:
    """A handle `@name` as a login; a team or a plain name cannot be assigned."""
    return (handle[1:],) if handle and handle.startswith("@") and "/" not in handle else ()


def _title(text: str) -> str:
    """One line that pings and links nothing, without what nobody sees.

    Titles know no character references, so a zero-width space does it.
    """
    seen = "".join(char for char in " ".join(text.split()) if char.isprintable() or char == _JOINER)
    flat = _SIGIL.sub("\\1\u200b", seen)
    return flat if len(flat) <= _LONGEST_TITLE else flat[: _LONGEST_TITLE - 3].rstrip() + "..."


def milestone_to_set(wanted: DesiredIssue, issue: Issue | None, desired: Desired) -> str | None:
    """The title of the milestone that an open issue is to get, "" where it is to lose its own; None = it stays.

    One of another title than a release of the policy is people's.
    """
    there = fold_title((issue.milestone if issue else None) or "")
    wish = wanted.milestone or ""
    is_peoples = there and there not in desired.releases
    return None if wanted.closed_as or is_peoples or there == fold_title(wish) else wish
