"""Putting right what a record says of itself: title, services, detection, customers, tags, links, factors, visibility,
and whether it is a drill. A change of title, services or visibility stays in `changes` and in the timeline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from incident_ops.domain.incident import Incident
from incident_ops.domain.record import Edit, Remove, Set
from incident_ops.edits.step import NO_VALUE, Step, change_row, join_steps, mapping_edits, state_words, timeline_row
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean

LINKS = ("channel", "bridge", "dashboard", "pipeline", "logs", "status_page", "kb", "runbook")
"""The links that have a field of their own."""
_NO_CHANGE = Step((), ())


@dataclass(frozen=True, slots=True)
class Details:
    """What is to be put right; None, or nothing in a list, leaves a field as it is, and `-` takes a text away.

    Lists hold the new values, or `+value` and `-value`. `links` has fields of the record, `others` names of your own.
    """

    title: str | None = None
    description: str | None = None
    services: Sequence[str] = ()
    source: str | None = None
    detail: str | None = None
    vip: bool | None = None
    customers: Sequence[str] = ()
    tags: Sequence[str] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)
    factors: Mapping[str, str] = field(default_factory=dict)
    drill: bool | None = None
    visibility: str | None = None


def edit_details(incident: Incident, now: datetime, by: str | None, wanted: Details) -> Step:
    """One message for each field that changes. UserError where something is to be taken away that is not there."""
    step = join_steps(
        _title(incident, now, by, wanted.title),
        _description(incident, wanted.description),
        _services(incident, now, by, wanted.services),
        _detection(incident, wanted),
        _customer(incident, wanted),
        _tags(incident, wanted.tags),
        _links(incident, wanted),
        _factors(incident, wanted.factors),
        _drill(incident, now, by, wanted.drill),
        _visibility(incident, now, by, wanted.visibility),
    )
    return step if step.edits else Step((), ("the record says all of that already; nothing changed",))


def with_details(incident: Incident, wanted: Details) -> Incident:
    """An incident with the tags, and as the drill or not, that are wanted. UserError as `edit_details`."""
    tags = new_list("tags", incident.tags, wanted.tags) if wanted.tags else incident.tags
    drill = incident.drill if wanted.drill is None else wanted.drill
    return msgspec.structs.replace(incident, tags=tags, drill=drill)


def values_kept(words: Sequence[str]) -> list[str]:
    """The values that a list is to have or to get: those without the `-` of what is taken away."""
    return [word.removeprefix("+") for word in words if not word.startswith("-")]


def new_list(name: str, before: Sequence[str], words: Sequence[str]) -> list[str]:
    """The list after `+value` and `-value`, or the words themselves; `-` alone empties it.

    UserError where both forms are mixed, or a value to be taken away is not there.
    """
    if list(words) == [NO_VALUE]:
        return []
    signed = [word for word in words if word[:1] in ("+", "-")]
    if not signed:
        return list(dict.fromkeys(words))
    if len(signed) < len(words):
        raise UserError(
            f"{name}: either the whole list, or + and - before each value",
            hint="+x adds, -x takes away, x alone replaces",
        )
    after = list(dict.fromkeys([*before, *values_kept(words)]))
    for word in words:
        if word.startswith("-"):
            if word[1:] not in after:
                raise UserError(f"{name} has no {word[1:]!r}", hint=did_you_mean(word[1:], after))
            after.remove(word[1:])
    return after


def _recorded(now: datetime, by: str | None, name: str, old: str, new: str, event: str) -> tuple[Edit, ...]:
    """A change with its entry of `changes` and its line in the timeline."""
    return change_row(now, name, old, new, by), timeline_row(now, "status", event, by)


def _title(incident: Incident, now: datetime, by: str | None, title: str | None) -> Step:
    if title in (None, incident.title):
        return _NO_CHANGE
    if title == NO_VALUE:
        raise UserError("an incident needs a title", hint="say what is broken, in the words of a user")
    said = f"{title} (was: {incident.title})"
    recorded = _recorded(now, by, "title", incident.title, str(title), f"Title is now: {said}")
    return Step((Set(("title",), title), *recorded), (f"title: {said}",))


def _description(incident: Incident, text: str | None) -> Step:
    if text is None or text == (incident.description or NO_VALUE):
        return _NO_CHANGE
    if text == NO_VALUE:
        return Step((Remove(("description",)),), ("description removed",))
    return Step((Set(("description",), text),), ("description changed" if incident.description else "description set",))


def _services(incident: Incident, now: datetime, by: str | None, words: Sequence[str]) -> Step:
    before = incident.services
    after = new_list("services", before, words) if words else before
    if after == before:
        return _NO_CHANGE
    if not after:
        raise UserError("an incident needs a service", hint="name the one that is affected: --service NAME")
    said = f"{', '.join(after)}{_difference(before, after)}"
    recorded = _recorded(now, by, "services", ", ".join(before), ", ".join(after), f"Services are now {said}")
    messages = [f"services: {said}"]
    if after[0] != before[0]:
        messages.append(f"the first service is now {after[0]}; the clocks stay as they were at the declaration")
    return Step((Set(("services",), after), *recorded), tuple(messages))


def _difference(before: Sequence[str], after: Sequence[str]) -> str:
    """` (db added, web removed)`; in another order alone, or the first time: nothing."""
    added = [f"{name} added" for name in after if name not in before]
    gone = [f"{name} removed" for name in before if name not in after]
    return f" ({', '.join([*added, *gone])})" if added or gone else ""


def _detection(incident: Incident, wanted: Details) -> Step:
    before: dict[str, Any] = msgspec.to_builtins(incident.detection) if incident.detection else {}
    after = _with_values(before, {"source": wanted.source, "detail": wanted.detail})
    if after == before:
        return _NO_CHANGE
    if "source" not in after:
        raise UserError(
            "what noticed it? A detail needs a source", hint="--source alert|customer_report|dashboard|team"
        )
    said = ", ".join(filter(None, (state_words(after["source"]), after.get("detail"))))
    return Step((Set(("detection",), after),), (f"detected by: {said}",))


def _with_values(before: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with new values; None leaves one as it is, `-` takes it away."""
    given = {name: value for name, value in values.items() if value is not None}
    return {name: value for name, value in {**before, **given}.items() if value != NO_VALUE}


def _customer(incident: Incident, wanted: Details) -> Step:
    before = incident.customer
    names = new_list("customers", before.names, wanted.customers) if wanted.customers else before.names
    edits: list[Edit] = []
    messages = []
    if wanted.vip is not None and wanted.vip != before.vip:
        edits.append(Set(("customer", "vip"), wanted.vip))
        messages.append(f"an important customer is {'' if wanted.vip else 'not '}affected")
    if names != before.names:
        edits.append(Set(("customer", "names"), names))
        messages.append(f"customers: {', '.join(names) or 'none'}{_difference(before.names, names)}")
    return Step(tuple(edits), tuple(messages))


def _tags(incident: Incident, words: Sequence[str]) -> Step:
    before = incident.tags
    after = new_list("tags", before, words) if words else before
    if after == before:
        return _NO_CHANGE
    return Step((Set(("tags",), after),), (f"tags: {', '.join(after) or 'none'}{_difference(before, after)}",))


def _links(incident: Incident, wanted: Details) -> Step:
    before: dict[str, Any] = msgspec.to_builtins(incident.links)
    own = {one.name: one.url for one in incident.links.others}
    after, messages = _merged(before, wanted.links, "{}", state_words)
    others, more = _merged(own, wanted.others, "link {!r}")
    if others:
        after["others"] = [{"name": name, "url": url} for name, url in others.items()]
    elif "others" in after:
        del after["others"]
    return Step(tuple(mapping_edits(("links",), before, after)), (*messages, *more))


def _factors(incident: Incident, wanted: Mapping[str, str]) -> Step:
    after, messages = _merged(incident.factors, wanted, "factor {}")
    return Step(tuple(mapping_edits(("factors",), incident.factors, after)), tuple(messages))


def _merged(
    before: Mapping[str, Any], wanted: Mapping[str, str], kind: str, spell: Callable[[str], str] = str
) -> tuple[dict[str, Any], list[str]]:
    """A mapping with the wanted values, and a message for each that changes; `kind` spells a name in messages.

    UserError where a value to be taken away is not there.
    """
    after, messages = dict(before), []
    for name, value in wanted.items():
        said = kind.format(spell(name))
        if value == NO_VALUE:
            if name not in after:
                raise UserError(f"the record has no {said}", hint=did_you_mean(name, before))
            del after[name]
            messages.append(f"{said} removed")
        elif after.get(name) != value:
            after[name] = value
            messages.append(f"{said}: {value}")
    return after, messages


def _drill(incident: Incident, now: datetime, by: str | None, drill: bool | None) -> Step:
    if drill in (None, incident.drill):
        return _NO_CHANGE
    event = "This is a drill" if drill else "This is not a drill"
    edit: Edit = Set(("drill",), True) if drill else Remove(("drill",))
    return Step((edit, timeline_row(now, "status", event, by)), (event[0].lower() + event[1:],))


def _visibility(incident: Incident, now: datetime, by: str | None, visibility: str | None) -> Step:
    before = incident.visibility
    if visibility is None or visibility == before:
        return _NO_CHANGE
    recorded = _recorded(now, by, "visibility", before, visibility, f"Visibility is now {visibility} (was: {before})")
    return Step((Set(("visibility",), visibility), *recorded), (f"visibility: {visibility} (was: {before})",))
