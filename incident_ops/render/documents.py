"""The Markdown documents beside a record (R96). The record is the only source: templates add words, never facts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from incident_ops.lifecycle import OVER, effective
from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy
from incident_ops.model.time import instant, parse_instant, spell_duration
from incident_ops.render import facts, figures, tables
from incident_ops.render.dates import spell_instant
from incident_ops.render.safe import code, inline, markdown
from incident_ops.shipped import read_text

if TYPE_CHECKING:
    from jinja2 import Environment

NAMES = ("incident.md", "timeline.md", "action-items.md", "postmortem.md")

_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+", re.ASCII)
_HANDLE = re.compile(r"@[A-Za-z0-9][A-Za-z0-9._/-]{0,99}", re.ASCII)
_ID = re.compile(r"[A-Z]{3}-[A-Za-z0-9-]{1,80}", re.ASCII)


class Ready(str):
    """Text that is Markdown already; every other value a template prints is defused on its way out."""


def render(incident: Incident, policy: Policy, now: datetime) -> dict[str, str]:  # noqa: ARG001 - the shape of every renderer
    """The four documents of a record, file name -> Markdown text.

    No document shows an age, so `now` changes nothing: a committed file never goes stale by time alone, and the same
    record and policy give the same bytes.
    """
    view = _view(incident, policy)
    return {name: _tidy(_environment().get_template(f"{name}.j2").render(view)) for name in NAMES}


@cache
def _environment() -> Environment:
    from jinja2 import FunctionLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        loader=FunctionLoader(lambda name: read_text(f"templates/{name}")),
        undefined=StrictUndefined,
        finalize=_defuse,
        autoescape=False,  # Markdown, not HTML: `finalize` defuses every value
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        block=lambda text: Ready(markdown(text)),
        box=lambda done: Ready("[x]" if done else "[ ]"),
        people=_people,
        word=facts.spell_word,
        when=spell_instant,
        length=spell_duration,
        link=_link,
        record_link=_record_link,
    )
    return environment


def _defuse(value: object) -> str:
    return value if isinstance(value, Ready) else inline(str(value))


def _view(incident: Incident, policy: Policy) -> dict[str, Any]:
    paper = incident.postmortem
    duties = policy.duties(incident.severity, incident.priority)
    at = effective(incident)
    began = instant(at.get("times.started")) or parse_instant(at["times.declared"])
    return {
        "incident": incident,
        "levels": facts.levels(incident, policy),
        "header": facts.header(incident, policy),
        "impact": facts.impact_rows(incident),
        "roles": facts.roles(incident),
        "instants": facts.instants(incident),
        "updates": sorted(incident.updates, key=lambda update: parse_instant(update.at))[::-1],
        "timeline": tables.timeline(incident),
        "one_day": f"{parse_instant(incident.timeline[0].at):%Y-%m-%d}" if tables.days(incident) == 1 else None,
        "steps": facts.next_steps(incident, policy),
        "links": _links(incident),
        "items": figures.count_items(incident.action_items, policy.action_items.priorities),
        "item_counts": facts.spell_item_counts(incident, policy),
        "intervals": figures.intervals(incident),
        "lessons": figures.count_lessons(paper.lessons) if paper else figures.LessonCounts(0, {}),
        "measurements": tables.measurements(incident),
        "paper": paper,
        "date": f"{began:%Y-%m-%d}",
        "owed": paper is not None or (duties is not None and duties.postmortem.required),
        "over": incident.state in OVER,
        "imported": facts.imported(incident),
    }


def _links(incident: Incident) -> list[facts.Row]:
    told = incident.links
    return [
        facts.Row("Knowledge article" if name == "kb" else facts.spell_word(name), str(value))
        for name in told.__struct_fields__
        if (value := getattr(told, name)) is not None
    ]


def _people(who: str | Sequence[str]) -> str:
    """One or several names; a handle stands as code, where it pings nobody and copies clean."""
    names = [who] if isinstance(who, str) else who
    return Ready(", ".join(code(name) if _HANDLE.fullmatch(name) else inline(name) for name in names))


def _link(text: str) -> str:
    """A web address as a link; anything else stays text."""
    return Ready(f"<{text}>") if _ADDRESS.fullmatch(text) else text


def _record_link(record_id: str, folder: str) -> str:
    """The id of another record as a link to it, seen from beside a record; `folder` is incidents or problems."""
    if not _ID.fullmatch(record_id):
        return record_id
    target = f"../{record_id}/incident.md" if folder == "incidents" else f"../../{folder}/{record_id}.yaml"
    return Ready(f"[{record_id}]({target})")


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"
