"""The layouts of a postmortem and of an incident report: their sections in order, each with its heading.

A layout is that of a preset, whose file has its headings. What a record holds beyond its layout
gets a section of its own below, so that no fact is lost by the choice of a layout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from incident_ops.documents.incident_facts import FINAL
from incident_ops.domain.incident import Incident, Postmortem
from incident_ops.resources import preset
from incident_ops.runbooks.gaps import failed_steps

NOTED = "noted what happened"


class Section(NamedTuple):
    """A section of a document; `part` is the file of templates/sections that fills it."""

    part: str
    heading: str


def _sections(**headings: str) -> tuple[Section, ...]:
    return tuple(Section(part, heading) for part, heading in headings.items())


def asked_for(layout: str) -> tuple[Section, ...]:
    """The sections that a layout asks for. A draft shows those that are empty; the final form leaves them out."""
    return _sections(**preset(layout).postmortem)


REPORT = _sections(
    timeline="Timeline",
    five_whys="Root cause (5 whys)",
    impact_by_whom="Impact",
    response="Response",
    items="Action items",
    lessons="Lessons learned",
)
"""The incident report of the layouts that have one."""

_OTHERS = _sections(
    narrative="What happened in detail",
    five_whys="Five whys",
    went_well="What went well",
    went_poorly="What went poorly",
    lucky="Where we were lucky",
    lessons="Lessons learned",
    prevention="Prevention measures",
    measurements="Measurements",
    runbook_gaps="Runbook gaps",
    participants="Participants",
    supporting="Supporting information",
    conclusion="Conclusion",
)
_SHOWS_TOO = {"supporting": ("measurements",)}
"""By section the parts that it shows as well."""
_IMPACTS, _CAUSES = ("impact", "impact_by_kind", "impact_by_whom"), ("cause", "cause_and_issue")
_STORY = ("timeline", *_CAUSES, "five_whys", "resolution", *_IMPACTS, "measurements")
_FOLLOWS: Mapping[str, Sequence[str]] = {
    "narrative": ("details", "summary"),
    "measurements": _IMPACTS,
    "five_whys": _CAUSES,
    "went_well": _STORY,
    "went_poorly": (*_STORY, "went_well"),
    "lucky": (*_STORY, "went_well", "went_poorly"),
    "runbook_gaps": (*_STORY, "went_well", "went_poorly", "lucky"),
    "prevention": ("items",),
    "lessons": ("items", "prevention"),
}
"""By section beyond a layout those behind the last of which it stands; any other is at the end."""


def _of_paper(name: str) -> Callable[[Incident, Postmortem], bool]:
    return lambda _incident, paper: bool(getattr(paper, name))


def _always(_incident: Incident, _paper: Postmortem) -> bool:
    return True


_FILLED: Mapping[str, Callable[[Incident, Postmortem], bool]] = {
    "summary": lambda _, paper: bool(paper.summary or paper.public_summary),
    "narrative": _of_paper("narrative"),
    "impact": _always,
    "impact_by_kind": _always,
    "impact_by_whom": _always,
    "details": _always,
    "timeline": lambda incident, _: bool(incident.timeline),
    "cause": lambda incident, _: incident.cause is not None,
    "cause_and_issue": lambda incident, _: incident.cause is not None,
    "five_whys": lambda incident, _: bool(incident.cause and incident.cause.five_whys),
    "resolution": lambda incident, _: incident.resolution is not None,
    "went_well": _of_paper("went_well"),
    "went_poorly": _of_paper("went_poorly"),
    "lucky": _of_paper("lucky"),
    "response": lambda _, paper: bool(paper.went_well or paper.went_poorly),
    "lessons": lambda _, paper: any(getattr(paper.lessons, kind) for kind in paper.lessons.__struct_fields__),
    "items": lambda incident, _: bool(incident.action_items),
    "prevention": lambda _, paper: any(getattr(paper.prevention, term) for term in paper.prevention.__struct_fields__),
    "follow_up": lambda incident, paper: bool(incident.action_items or paper.follow_up_on),
    "measurements": lambda incident, _: bool(incident.impact.series),
    "runbook_gaps": lambda incident, _: bool(failed_steps(incident)),
    "participants": lambda incident, _: bool(participants(incident)),
    "supporting": lambda incident, _: bool(incident.impact.series or has_links(incident)),
    "conclusion": _of_paper("conclusion"),
}
_NOTHING = Postmortem(status="draft")


def participants(incident: Incident) -> list[tuple[str, str]]:
    """(who, as what) of everybody whom the record names at work, those with a role first; each person once."""
    roles = incident.roles
    named = [
        (roles.commander, "incident commander"),
        (roles.technical_lead, "technical lead"),
        (roles.communications_lead, "communications lead"),
        (roles.scribe, "scribe"),
        *((who, name.replace("_", " ")) for name, who in roles.others.items()),
        *((entry.to, "assigned") for entry in incident.assignments),
        *((event.by, NOTED) for event in incident.timeline),
        *((who, "at the meeting") for who in (incident.postmortem or _NOTHING).attendees),
    ]
    held: dict[str, str] = {}
    for who, part in named:
        if who and part not in held.get(who, "").split(", "):
            held[who] = held.get(who, part) if who not in held or part == NOTED else f"{held[who]}, {part}"
    return list(held.items())


def has_links(incident: Incident) -> bool:
    """Whether a record names a place to look at, or another record."""
    links = incident.links
    places = any(getattr(links, name) for name in links.__struct_fields__)
    return bool(places or incident.related or incident.problem or incident.duplicate_of)


def is_filled(part: str, incident: Incident) -> bool:
    """Whether a record has something for a section."""
    return _FILLED[part](incident, incident.postmortem or _NOTHING)


def is_final(incident: Incident) -> bool:
    """Whether the postmortem has its final form."""
    return incident.postmortem is not None and incident.postmortem.status == FINAL


def postmortem_sections(incident: Incident, layout: str, *, required: bool) -> list[Section]:
    """The sections of a postmortem in order: those of its layout, then what the record has beyond it.

    The empty ones are there in the draft of a postmortem that is `required`, so that people see what is to be written.
    """
    own = asked_for(layout)
    shown = [one for one in own if is_filled(one.part, incident) or (required and not is_final(incident))]
    covered = {part for one in own for part in (one.part, *_SHOWS_TOO.get(one.part, ()))}
    beyond = [one for one in _beyond(covered) if is_filled(one.part, incident)]
    shown_there = {part for one in beyond for part in _SHOWS_TOO.get(one.part, ())}
    for one in beyond:
        if one.part not in shown_there:
            before = [place for place, other in enumerate(shown, 1) if other.part in _FOLLOWS.get(one.part, ())]
            shown.insert(before[-1] if before else len(shown), one)
    return shown


def report_sections(incident: Incident) -> list[Section]:
    """The sections of the incident report; the empty ones are there until the postmortem is final."""
    shown = [one for one in REPORT if is_filled(one.part, incident) or not is_final(incident)]
    covered = {"went_well", "went_poorly", *(one.part for one in REPORT)}
    beyond = (one for one in _beyond(covered) if one.part == "measurements")
    return [*shown, *(one for one in beyond if is_filled(one.part, incident))]


def _beyond(covered: set[str]) -> Iterator[Section]:
    return (one for one in _OTHERS if one.part not in covered)


def gaps(incident: Incident, layout: str, *, required: bool) -> list[str]:
    """The headings that a draft still lacks, as people read them; [] once the postmortem is final."""
    if not required or is_final(incident):
        return []
    missing = [one.heading.rstrip("?").lower() for one in asked_for(layout) if not is_filled(one.part, incident)]
    return [*missing, *_unnamed(incident)]


def _unnamed(incident: Incident) -> Iterator[str]:
    without = sum(1 for item in incident.action_items if not item.owner and item.status != "wont_do")
    if without:
        yield f"the owner of {without} action item{'s' if without > 1 else ''}"
    paper: Any = incident.postmortem or _NOTHING
    if not paper.authors:
        yield "authors"
