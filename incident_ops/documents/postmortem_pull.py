"""The pull request that begins a postmortem: who writes it, until when, and with which commands; and its reminders.

It shows no age, so the same record gives the same text. Only a reminder pings, and only the people it names.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from incident_ops.documents.markdown import code, inline
from incident_ops.domain.incident import ActionItem, Incident
from incident_ops.domain.policy import Policy
from incident_ops.domain.time import spell_minute, stamp
from incident_ops.edits.postmortem import FINAL, postmortem_due, who_writes
from incident_ops.reconcile.changes import PlannedChange
from incident_ops.reconcile.proposals import mark_of
from incident_ops.sla.clocks import POSTMORTEM_FINAL, POSTMORTEM_MEETING

_FOOT = (
    "Merge this to begin the postmortem. Write in it before or after: once somebody commits to this branch, the"
    " automation leaves it to people. Close it without merging and it is not proposed again until the facts change or"
    " you reopen it."
)
_AHEAD = timedelta(days=1)
_MOST_ITEMS = 20


class RelatedItem(NamedTuple):
    """An action item that a related incident has left open; `relation` as `spell_relation` has it."""

    relation: str
    incident: str
    item: ActionItem


def postmortem_title(incident: Incident) -> str:
    """The title of the pull request. The record's own title is not in it: it would stand in a commit message."""
    return f"{incident.id}: the draft of its postmortem"


def postmortem_text(
    incident: Incident, policy: Policy, now: datetime, items: Sequence[RelatedItem], change: PlannedChange
) -> str:
    """The text of the pull request whose edit is `change`."""
    due = postmortem_due(incident, policy, now)
    level = " ".join(code(label) for label in (incident.severity, incident.priority) if label)
    head = f"**{inline(incident.title)}** is resolved, and {level} asks for a postmortem. This is its draft."
    rows = [f"- {name}: {text}" for name, text in _facts(incident, due)]
    left = [*_left_open(items)]
    commands = ["After the merge:", "", "```sh", "git pull", *_commands(incident, due), "```"]
    parts = ["\n".join(rows), "\n".join(left), "\n".join(commands), _FOOT, mark_of([change])]
    return "\n\n".join([head, *filter(None, parts)])


def _facts(incident: Incident, due: Mapping[str, datetime]) -> Iterator[tuple[str, str]]:
    writer = who_writes(incident)
    yield "Written by", code(writer) if writer else "nobody yet: the record names no commander and no assignee"
    if POSTMORTEM_MEETING in due:
        yield "Meeting by", spell_minute(due[POSTMORTEM_MEETING])
    if POSTMORTEM_FINAL in due:
        yield "Final by", spell_minute(due[POSTMORTEM_FINAL])
    yield "To be written", "what happened, what went well and poorly, lessons, action items with owner and date"


def _left_open(items: Sequence[RelatedItem]) -> Iterator[str]:
    if items:
        yield "Left open by related incidents:\n"
    for relation, incident, item in items[:_MOST_ITEMS]:
        owner = f", {code(item.owner)}" if item.owner else ", no owner yet"
        due = f", due {inline(item.due)}" if item.due else ""
        whose = relation.replace(incident, code(incident))
        yield f"- {whose}: **{inline(item.id)}** {inline(item.title)}{owner}{due}"
    if len(items) > _MOST_ITEMS:
        yield f"- and {len(items) - _MOST_ITEMS} more"


def _commands(incident: Incident, due: Mapping[str, datetime]) -> Iterator[str]:
    name = incident.id
    yield f"incident-ops postmortem edit {name} --send  # it asks what happened and how"
    if at := due.get(POSTMORTEM_MEETING):
        who = "".join(f" --attendee {one}" for one in at_work(incident))
        yield f'incident-ops postmortem edit {name} --meeting "{stamp(at)}"{who} --send'
        yield f"incident-ops postmortem ics {name} --output meeting.ics"
    yield f"incident-ops postmortem lint {name}"


def at_work(incident: Incident) -> list[str]:
    """The people whom a record names at work, those with a role first: whom a meeting is for while nobody is named."""
    roles = incident.roles
    named = [
        *(roles.commander, roles.technical_lead, roles.communications_lead, roles.scribe),
        *roles.others.values(),
        *(entry.to for entry in incident.assignments),
    ]
    return [*dict.fromkeys(one for one in named if one and one.startswith("@") and "/" not in one)]


class Reminder(NamedTuple):
    """A comment on the pull request: by its topic it is written once. `people` are those who have to act."""

    topic: str
    people: tuple[str, ...]
    text: Callable[[Collection[str]], str]


def reminders(incident: Incident, policy: Policy, now: datetime) -> list[Reminder]:
    """What is to be said by now: a day before the meeting and the final text are due, and once they are."""
    paper = incident.postmortem
    if paper is None or paper.status == FINAL:
        return []
    due = postmortem_due(incident, policy, now)
    if paper.meeting:
        due.pop(POSTMORTEM_MEETING, None)
    people = tuple(dict.fromkeys(paper.authors)) or tuple(at_work(incident)[:1])
    return [
        _reminder(incident, clock, at, people, is_late=at <= now) for clock, at in due.items() if at - _AHEAD <= now
    ]


def _reminder(incident: Incident, clock: str, at: datetime, people: tuple[str, ...], *, is_late: bool) -> Reminder:
    mark = "due" if is_late else "soon"
    topic = f"{clock.replace('_', '-')}-{mark}-{at:%Y%m%dT%H%MZ}"
    name = "meeting" if clock == POSTMORTEM_MEETING else "final text"
    command = f'edit {incident.id} --meeting "WHEN" --send' if clock == POSTMORTEM_MEETING else f"lint {incident.id}"

    def text(mentioned: Collection[str]) -> str:
        called = " ".join(one if one.removeprefix("@") in mentioned else code(one) for one in people)
        said = f"The {name} of this postmortem {'was' if is_late else 'is'} due {spell_minute(at)}."
        following = f"Next, once this is merged: {code(f'incident-ops postmortem {command}')}"
        return f"{called}{': ' if called else ''}{said} {following}"

    return Reminder(topic, people, text)
