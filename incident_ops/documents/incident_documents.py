"""The Markdown documents beside a record (R96): timeline, measured series, further facts, and the templates' view.

The record is the only source: templates add words, never facts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from incident_ops.documents import incident_facts, layouts, postmortem_facts
from incident_ops.documents.checklists import shown_lists
from incident_ops.documents.document_mark import DOCUMENT_NAMES, REPORT_NAME, marked
from incident_ops.documents.incident_facts import FactRow, spell_undated, spell_word
from incident_ops.documents.markdown import code, inline, link, markdown
from incident_ops.documents.narrative import code_block, narrative_markdown
from incident_ops.documents.output_cap import capped
from incident_ops.documents.pictures import gantt, time_picture
from incident_ops.domain.as_of import corrected_instants, declared_at, known_status
from incident_ops.domain.impact import spell_amount
from incident_ops.domain.incident import Escalation, Event, Incident, Override, Series, Triage
from incident_ops.domain.known_at import last_entry
from incident_ops.domain.lifecycle import OVER
from incident_ops.domain.policy import Policy
from incident_ops.domain.policy_sections import AFTER, ITEM_STATUSES
from incident_ops.domain.ticket import kind_of
from incident_ops.domain.time import instant, parse_instant, spell_clock, spell_instant, spell_minute
from incident_ops.resources import preset, resource_text
from incident_ops.runbooks.gaps import runbook_gaps

if TYPE_CHECKING:
    from jinja2 import Environment


class TimelineRow(NamedTuple):
    """A line of the timeline; `at` is a clock time in UTC. `note` says what it corrects or that it was corrected."""

    at: str
    event: str
    action: str
    result: str
    by: str
    note: str
    kind: str


_COLUMN_HEADINGS = {
    "time": "Time (UTC)",
    "event": "Event",
    "action": "Action taken",
    "result": "Result",
    "owner": "Owner",
    "noted": "Noted by",
}
_FEWEST_COLUMNS = ("time", "event")
_SENTENCE_ENDS = (".", "!", "?", ":", ";", "…")
_ALL_COLUMNS = (*_FEWEST_COLUMNS, "action", "result", "noted")


class SeriesTable(NamedTuple):
    """A series as a table: `rows` are (interval in UTC, value)."""

    title: str
    rows: list[FactRow]


def timeline_rows(incident: Incident) -> list[TimelineRow]:
    """The events by time, simultaneous ones in the record's order; with the day if they are on several (C21)."""
    events = incident.timeline
    dated = days(incident) > 1
    order = sorted(range(len(events)), key=lambda index: parse_instant(events[index].at))
    corrected_by = {event.corrects: index for index, event in enumerate(events) if event.corrects}
    return [_timeline_row(events, index, corrected_by, dated) for index in order]


def timeline_table(rows: Sequence[TimelineRow], columns: Sequence[str]) -> str:
    """The timeline as a Markdown table of the columns in which something stands; time and event always have one.

    What was done and what came of it stand behind the event where the table has no column for them.
    """
    cells = [_cells(row, columns) for row in rows]
    shown = [name for name in columns if name in _FEWEST_COLUMNS or any(one[name] for one in cells)]
    lines = [[_COLUMN_HEADINGS[name] for name in shown], ["---"] * len(shown)]
    lines += [[one[name] for name in shown] for one in cells]
    return RawMarkdown("\n".join(f"| {' | '.join(line)} |" for line in lines))


def _cells(row: TimelineRow, columns: Sequence[str]) -> dict[str, str]:
    kind = "**Decision:** " if row.kind == "decision" else ""
    note = f" _({inline(row.note)})_" if row.note else ""
    behind = [text for name, text in (("action", row.action), ("result", row.result)) if text and name not in columns]
    by = _people(row.by) if row.by else ""
    return {
        "time": row.at,
        "event": f"{kind}{inline(_joined([row.event, *behind]))}{note}",
        "action": inline(row.action),
        "result": inline(row.result),
        "owner": by,
        "noted": by,
    }


def _joined(texts: Sequence[str]) -> str:
    """Texts of one entry as sentences; what begins small, as a command may, is behind a semicolon."""
    whole, *others = texts
    for text in others:
        joint = "" if whole.endswith(_SENTENCE_ENDS) else "; " if text[:1].islower() else ". "
        whole = f"{whole}{joint or ' '}{text}"
    return whole


def days(incident: Incident) -> int:
    """On how many days (UTC) the timeline's events lie."""
    return len({parse_instant(event.at).date() for event in incident.timeline})


def measurements(incident: Incident) -> list[SeriesTable]:
    """The series of the impact by interval (R180)."""
    return [_measurement(series) for series in incident.impact.series]


def _timeline_row(events: list[Event], index: int, corrected_by: dict[int, int], dated: bool) -> TimelineRow:
    event = events[index]
    notes = []
    if event.corrects and event.corrects <= len(events):
        notes.append(f"corrects the line of {spell_clock(parse_instant(events[event.corrects - 1].at), dated)}")
    if (later := corrected_by.get(index + 1)) is not None:
        notes.append(f"corrected by the line of {spell_clock(parse_instant(events[later].at), dated)}")
    ref = event.ref or ""
    is_mentioned = ref in f"{event.event} {event.action or ''} {event.result or ''}"
    text = event.event if is_mentioned else f"{event.event} ({ref})"
    at = spell_clock(parse_instant(event.at), dated)
    return TimelineRow(at, text, event.action or "", event.result or "", event.by or "", "; ".join(notes), event.kind)


def _measurement(series: Series) -> SeriesTable:
    spans = [(parse_instant(point.start), parse_instant(point.end)) for point in series.points]
    dated = len({at.date() for span in spans for at in span}) > 1
    rows = [
        FactRow(f"{spell_clock(start, dated)} – {spell_clock(end, dated)}", spell_amount(point.value))
        for (start, end), point in zip(spans, series.points, strict=True)
    ]
    return SeriesTable(f"{spell_word(series.name)} ({series.unit})", rows)


def further_facts(incident: Incident) -> list[FactRow]:
    """What a record says beside the main facts, in its order; only what is on the record has a row."""
    return list(_rows(incident))


def _rows(incident: Incident) -> Iterator[FactRow]:
    if incident.policy is not None and incident.policy.digest is not None:
        yield FactRow("Policy when declared", f"{incident.policy.scheme}, {incident.policy.digest}")
    if incident.source is not None:
        key = f", {incident.source.dedup_key}" if incident.source.dedup_key else ""
        yield FactRow("Source", f"{incident.source.system}{key}")
    if incident.triage is not None:
        yield from _answers(incident.triage)
    if incident.customer.vip or incident.customer.names:
        vip = ["VIP"] if incident.customer.vip else []
        yield FactRow("Customers", ", ".join([*incident.customer.names, *vip]))
    for name, value in incident.factors.items():
        yield FactRow(f"Factor {name}", value)
    for pause in incident.pauses:
        end = f"to {spell_instant(pause.end)}" if pause.end else "not over"
        reason = f": {pause.reason}" if pause.reason else ""
        yield FactRow("Waited", f"for {pause.waiting_for} from {spell_instant(pause.start)}, {end}{reason}")
    for entry in incident.escalations:
        yield FactRow("Escalation", _escalation(entry))
    if incident.snooze is not None:
        snooze = incident.snooze
        yield FactRow("Snoozed", f"until {spell_instant(snooze.until)} by {snooze.by}: {snooze.reason}")
    for override in incident.overrides:
        yield FactRow("Deploy override", _override(override))
    for report in incident.deadlines:
        whom, where = (f" by {report.by}" if report.by else ""), (f": {report.ref}" if report.ref else "")
        yield FactRow("Reported", f"{report.id} at {spell_instant(report.done_at)}{whom}{where}")


def _answers(triage: Triage) -> Iterator[FactRow]:
    for name in triage.__struct_fields__:
        if (value := getattr(triage, name)) is not None:
            text = ("yes" if value else "no") if isinstance(value, bool) else str(value)
            yield FactRow(f"Triage: {spell_word(name)}", text)


def _escalation(entry: Escalation) -> str:
    tiers = [str(tier) for tier in (entry.from_tier, entry.to_tier) if tier is not None]
    parts = [
        f"{spell_instant(entry.at)}, {spell_word(entry.rule).lower()}: {entry.reason}",
        f"tier {' to '.join(tiers)}" if tiers else "",
        f"notified {', '.join(entry.notified)}" if entry.notified else "",
        f"not reached yet: {', '.join(entry.failed)}" if entry.failed else "",
        f"noticed {spell_instant(entry.noticed_at)}" if entry.noticed_at else "",
        f"appropriate: {_judged(entry.appropriate)}" if entry.appropriate is not None else "",
        entry.key,
    ]
    return "; ".join(part for part in parts if part)


def _judged(appropriate: bool | str) -> str:
    return appropriate if isinstance(appropriate, str) else "yes" if appropriate else "no"


def _override(override: Override) -> str:
    where = f"{override.sha} of {override.service} to {override.environment}"
    span = f"{spell_instant(override.at)} to {spell_instant(override.expires)}"
    return f"{where}, {span}, by {override.by}: {override.reason}"


_HANDLE = re.compile(r"@[A-Za-z0-9][A-Za-z0-9._/-]{0,99}", re.ASCII)
_ID = re.compile(r"[A-Z]{3}-[A-Za-z0-9-]{1,80}", re.ASCII)


class RawMarkdown(str):
    """Text that is Markdown already; every other value that a template prints is made inert."""


def incident_documents(
    incident: Incident,
    policy: Policy,
    now: datetime,  # noqa: ARG001 - the shape of every renderer
    undated: Sequence[str] = (),
    leads_somewhere: Callable[[str], bool] = lambda _path: True,
) -> dict[str, str]:
    """The documents that a record has in its policy's layout, file name -> Markdown text.

    `undated`: what a view of an earlier time leaves out. A runbook is named where it `leads_somewhere`.

    No document shows an age, so `now` changes nothing: a committed file never goes stale by time alone, and the same
    record and policy give the same bytes.
    """
    policy = policy.for_incident(incident)
    steps = incident_facts.next_steps(incident, policy, leads_somewhere)
    by_service = {name: policy.documents.runbook_path.replace("{service}", name) for name in incident.services}
    missing = {name: path for name, path in by_service.items() if not leads_somewhere(path)}
    around = {"steps": steps, "left_out": spell_undated(undated), "runbook_gaps": runbook_gaps(incident, missing)}
    view = {**_view(incident, policy), **around}
    names = [name for name in DOCUMENT_NAMES if name != REPORT_NAME or has_report(incident, policy)]
    return {name: marked(tidied(document_environment().get_template(f"{name}.j2").render(view))) for name in names}


def has_report(incident: Incident, policy: Policy) -> bool:
    """Whether the layout has an incident report, and this incident is to have a postmortem."""
    return preset(policy.documents.layout).has_report and is_required(incident, policy)


def is_required(incident: Incident, policy: Policy) -> bool:
    """Whether the level asks for a postmortem, or one was begun."""
    duties = policy.duties(incident.severity, incident.priority)
    return incident.postmortem is not None or (duties is not None and duties.postmortem.required)


@cache
def document_environment() -> Environment:
    """The sandbox in which every template is rendered: what a template prints of a record is inert Markdown."""
    from jinja2 import FunctionLoader, StrictUndefined

    from incident_ops.documents.sandbox import Sandbox

    environment = Sandbox(
        loader=FunctionLoader(lambda name: resource_text(f"templates/{name}")),
        undefined=StrictUndefined,
        finalize=_defuse,
        autoescape=False,  # Markdown, not HTML: `finalize` defuses every value
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        block=lambda text: RawMarkdown(markdown(text)),
        gantt=lambda picture: RawMarkdown(code_block(gantt(picture), "mermaid")),
        narrative=lambda text: RawMarkdown(narrative_markdown(text)),
        snippet=lambda one: RawMarkdown(code_block(one.text, one.language)),
        box=lambda done: RawMarkdown("[x]" if done else "[ ]"),
        people=_people,
        word=incident_facts.spell_word,
        sentence=lambda text: text[:1].upper() + text[1:],
        when=spell_instant,
        length=incident_facts.spell_length,
        time_or_text=_time_or_text,
        to_the_second=postmortem_facts.spell_to_the_second,
        link=lambda text: RawMarkdown(link("", text)),
        record_link=_record_link,
    )
    return environment


def _defuse(value: object) -> str:
    return value if isinstance(value, RawMarkdown) else inline(str(value))


def _view(incident: Incident, policy: Policy) -> dict[str, Any]:
    return {**_record_view(incident, policy), **_postmortem_view(incident, policy)}


def _postmortem_view(incident: Incident, policy: Policy) -> dict[str, Any]:
    required, layout, rows = is_required(incident, policy), policy.documents.layout, timeline_rows(incident)
    return {
        "required": required,
        "final": layouts.is_final(incident),
        "stamp": _stamp(incident, required=required),
        "gaps": layouts.gaps(incident, layout, required=required),
        "unknown_figures": postmortem_facts.unknown_figures(incident),
        "who_may_know": postmortem_facts.who_may_know(incident),
        "in_short": postmortem_facts.in_short(incident, policy),
        "duration_row": postmortem_facts.duration_row(incident, policy),
        "sections": layouts.postmortem_sections(incident, layout, required=required),
        "report_sections": layouts.report_sections(incident),
        "picture": time_picture(incident, policy),
        "timeline_table": timeline_table(rows, policy.documents.timeline_columns or _FEWEST_COLUMNS),
        "whole_timeline_table": timeline_table(rows, _ALL_COLUMNS),
        "budget": postmortem_facts.budget_rows(incident, policy),
        "hit_by_whom": list(postmortem_facts.hit_by_whom(incident)),
        "stages": postmortem_facts.follow_up_stages(incident, policy),
        "terms": postmortem_facts.TERMS,
        "concluding_cause": postmortem_facts.concluding_cause(incident),
        "participants": layouts.participants(incident),
        "follow_up_on": postmortem_facts.follow_up_on(incident, policy),
        "last_entry": last_entry(incident),
    }


def _stamp(incident: Incident, *, required: bool) -> str:
    """What a postmortem that is not final yet says of itself; "" for every other one."""
    if not required or layouts.is_final(incident):
        return ""
    return spell_word(incident.postmortem.status) if incident.postmortem else "Draft, not started"


def _record_view(incident: Incident, policy: Policy) -> dict[str, Any]:
    paper = incident.postmortem
    at = corrected_instants(incident)
    began = instant(at.get("times.started")) or parse_instant(at["times.declared"])
    return {
        "incident": incident,
        "levels": incident_facts.levels(incident, policy),
        "header": incident_facts.header(incident, policy),
        "status": known_status(incident),
        "impact": incident_facts.impact_rows(incident),
        "declared_levels": incident_facts.declared_levels(incident),
        "kind": kind_of(incident, policy),
        "opened_as": kind_of(incident, policy, declared_at(incident)),
        "roles": incident_facts.roles(incident, policy),
        "instants": incident_facts.instants(incident),
        "updates": sorted(incident.updates, key=lambda update: parse_instant(update.at))[::-1],
        "timeline": timeline_rows(incident),
        "one_day": f"{parse_instant(incident.timeline[0].at):%Y-%m-%d}" if days(incident) == 1 else None,
        "links": _links(incident),
        "items": incident_facts.count_items(incident, policy),
        "item_statuses": {status: incident_facts.item_status(status, policy) for status in ITEM_STATUSES},
        "item_dates": incident_facts.item_dates(incident, policy),
        "item_counts": incident_facts.spell_item_counts(incident, policy),
        "intervals": incident_facts.intervals(incident),
        "lessons": incident_facts.count_lessons(paper.lessons) if paper else incident_facts.LessonCounts(0, {}),
        "measurements": measurements(incident),
        "paper": paper,
        "date": f"{began:%Y-%m-%d}",
        "over": incident.state in OVER,
        "further": further_facts(incident),
        "checklists": [one for one in shown_lists(incident, policy) if one.during == AFTER or not incident.is_closed],
        "imported": incident_facts.imported(incident),
    }


def _links(incident: Incident) -> list[incident_facts.FactRow]:
    links = incident.links
    named = [
        incident_facts.FactRow("Knowledge article" if name == "kb" else incident_facts.spell_word(name), str(value))
        for name in links.__struct_fields__
        if name != "others" and (value := getattr(links, name)) is not None
    ]
    return [*named, *(incident_facts.FactRow(one.name, one.url) for one in links.others)]


def _people(who: str | Sequence[str]) -> str:
    """One or several names; a handle is code, so that it pings nobody and copies cleanly."""
    names = [who] if isinstance(who, str) else who
    return RawMarkdown(", ".join(code(name) if _HANDLE.fullmatch(name) else inline(name) for name in names))


def _time_or_text(text: str) -> str:
    """A text that may be an instant as people read it."""
    try:
        return spell_minute(parse_instant(text))
    except ValueError:
        return text


def _record_link(record_id: str, folder: str) -> str:
    """The id of another record as a link to it, seen from beside a record; `folder` is incidents or problems."""
    if not _ID.fullmatch(record_id):
        return record_id
    target = f"../{record_id}/incident.md" if folder == "incidents" else f"../../{folder}/{record_id}.yaml"
    return RawMarkdown(f"[{record_id}]({target})")


def tidied(text: str) -> str:
    """What a template gave, capped, with one empty line between its parts and one line break at its end."""
    return capped(re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n")
