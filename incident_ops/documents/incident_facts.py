"""What a document says about a record, as rows of (name, text): header, impact, roles, times, intervals, next steps.

Texts are the record's own or derived from it, and numbers are never typed by hand (C30). Nothing here is Markdown yet.
`unknown` is said, never left out (R99).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from incident_ops.domain.as_of import corrected_instants, known_instants, labels_held, phase
from incident_ops.domain.impact import (
    affected_users,
    hurt_services,
    spell_amount,
    spell_hurt,
    spell_revenue,
    spell_users,
)
from incident_ops.domain.incident import Change, Impact, Incident, Lessons
from incident_ops.domain.item_due import item_due
from incident_ops.domain.lifecycle import FIXED, OVER, PENDING
from incident_ops.domain.policy import Policy
from incident_ops.domain.public_updates import PUBLIC, lacks_last_word, last_update_for
from incident_ops.domain.ticket import is_ticket, kind_of
from incident_ops.domain.time import UNKNOWN, instant, spell_clock, spell_duration, spell_instant


class NamedInterval(NamedTuple):
    """A named length of time between two times of a record (C18).

    `start` and `end` name the instants (`started`, `restored`); `begin` and `finish` are aware UTC, None = unknown.
    """

    name: str
    start: str
    end: str
    begin: datetime | None
    finish: datetime | None

    @property
    def seconds(self) -> int | None:
        """Length in whole seconds, negative where the end came first; None while an end is unknown."""
        return None if self.begin is None or self.finish is None else int((self.finish - self.begin).total_seconds())


class ItemCounts(NamedTuple):
    """Action items in total, per priority (in the policy's order, then by name) and per status (in use only).

    `unranked` have no priority; `unowned` and `undated` are still to be done and lack an owner,
    or a due date (R190).
    """

    total: int
    by_priority: dict[str, int]
    unranked: int
    by_status: dict[str, int]
    unowned: int
    undated: int


class LessonCounts(NamedTuple):
    """Lessons in total and by kind, kinds without one left out."""

    total: int
    by_kind: dict[str, int]


def first_impact(incident: Incident) -> NamedInterval:
    """How long users were affected first, after corrections (C18)."""
    return impact_cycles(incident)[0]


def impact_cycles(incident: Incident) -> list[NamedInterval]:
    """The impact of each cycle: started to restored of the first one, then reopened to restored of each later one.

    A cycle that was withdrawn, so neither restored nor resolved, runs on into the next.
    """
    at, last = corrected_instants(incident), len(incident.cycles)
    lengths: list[NamedInterval] = []
    name, start, begin = "Impact", "started", "times.started"
    for entry in range(last + 1):
        place = f"cycles.{entry}" if entry else "times"
        end = f"{place}.restored"
        if entry == last or end in at or f"{place}.resolved" in at:
            lengths.append(NamedInterval(name, start, "restored", instant(at.get(begin)), instant(at.get(end))))
            name, start, begin = f"Impact, cycle {entry + 2}", "reopened", f"cycles.{entry + 1}.reopened"
    return lengths


def intervals(incident: Incident) -> list[NamedInterval]:
    """The named lengths of a record (R208, R214): the impact always, each other once the record says its end.

    Detect runs from the start; acknowledge and restore from the detection (where that is unknown, from the
    declaration); war room, diagnose and resolve from the declaration, as the clocks do; total from the start to the
    closing, until then to the resolution. Each later cycle adds its own impact, reopened to restored.
    """
    at = known_instants(incident)
    noticed_at = "detected" if instant(at.get("times.detected")) else "declared"
    total_end = "closed" if "times.closed" in at else "resolved"
    lengths = [
        ("Time to detect", "started", "detected"),
        ("Time to acknowledge", noticed_at, "acknowledged"),
        ("War room assembled", "declared", "assembled"),
        ("Time to diagnose", "declared", "diagnosed"),
        ("Time to restore", noticed_at, "restored"),
        ("Time to resolve", "declared", "resolved"),
        ("Total", "started", total_end),
    ]
    intervals_known = [_between(at, name, start, end) for name, start, end in lengths if f"times.{end}" in at]
    return [*impact_cycles(incident), *intervals_known]


def item_dates(incident: Incident, policy: Policy) -> dict[str, str]:
    """Id of each action item with a due date -> that date, and what gives it."""
    dated = {item.id: item_due(item, incident, policy) for item in incident.action_items}
    return {name: str(due) for name, due in dated.items() if due is not None}


def item_status(status: str, policy: Policy) -> str:
    """A status of an action item in the policy's words: `Not Started`."""
    return policy.action_items.word_for(status) or spell_word(status)


def count_items(incident: Incident, policy: Policy) -> ItemCounts:
    """Counts of action items by status, and by priority in the order of the policy's list (R196)."""
    items, priorities, dates = incident.action_items, policy.action_items.priorities, item_dates(incident, policy)
    ranked = Counter(item.priority for item in items if item.priority)
    order = [*priorities, *sorted(set(ranked) - set(priorities))]
    statuses = Counter(item.status for item in items)
    wanted = [item for item in items if item.status != "wont_do"]
    return ItemCounts(
        total=len(items),
        by_priority={name: ranked[name] for name in order if ranked[name]},
        unranked=len(items) - ranked.total(),
        by_status={name: statuses[name] for name in ("done", "in_progress", "open", "wont_do") if statuses[name]},
        unowned=sum(1 for item in wanted if not item.owner),
        undated=sum(1 for item in wanted if item.id not in dates),
    )


def count_lessons(lessons: Lessons) -> LessonCounts:
    """Counts of lessons (R250)."""
    kinds = {"technical": len(lessons.technical), "process": len(lessons.process), "cultural": len(lessons.cultural)}
    return LessonCounts(sum(kinds.values()), {name: count for name, count in kinds.items() if count})


def _between(at: Mapping[str, str], name: str, start: str, end: str) -> NamedInterval:
    return NamedInterval(name, start, end, instant(at.get(f"times.{start}")), instant(at.get(f"times.{end}")))


NOBODY = "TBD"
FINAL = "final"


class FactRow(NamedTuple):
    """A named fact."""

    name: str
    text: str


class ChecklistStep(NamedTuple):
    """A box of a list; `document` is the file beside the record where the work is."""

    done: bool
    text: str
    document: str | None = None


def spell_word(word: str) -> str:
    """A word of the record as a person writes it: `in_progress` -> `In progress`."""
    return "Won't do" if word == "wont_do" else (word[:1].upper() + word[1:]).replace("_", " ")


def spell_undated(fields: Iterable[str], *, of_several: bool = False) -> str:
    """What a view of an earlier time leaves out, as a sentence; "" where that is nothing."""
    names = ", ".join(field.replace("_", " ") for field in fields)
    source = "the records do" if of_several else "the record does"
    return f"Not shown, because {source} not say since when: {names}" if names else ""


def spell_interval(interval: NamedInterval) -> str:
    """`30 min (started to restored, 12:00-12:30)`; without the times while one is unknown."""
    ends = f"{interval.start} to {interval.end}"
    if interval.begin is None or interval.finish is None:
        return f"{UNKNOWN} ({ends})"
    dated = interval.begin.date() != interval.finish.date()
    begin, finish = spell_clock(interval.begin, dated), spell_clock(interval.finish, dated)
    if interval.finish < interval.begin:
        return f"{spell_length(interval)} ({interval.start} {begin}, {interval.end} {finish} UTC)"
    return f"{spell_length(interval)} ({ends}, {begin}–{finish} UTC)"


def spell_length(interval: NamedInterval) -> str:
    """`30m`; `4m before it was declared` where the end came first."""
    if interval.seconds is None or interval.seconds >= 0:
        return spell_duration(interval.seconds)
    begun = "it started" if interval.start == "started" else f"it was {interval.start}"
    return f"{spell_duration(-interval.seconds)} before {begun}"


def levels(incident: Incident, policy: Policy) -> list[FactRow]:
    """The labels of the record, the one that drives the clocks first, with the policy's word for each."""
    fields = ("priority", "severity") if policy.drives == "priority" else ("severity", "priority")
    rows = []
    for field in fields:
        label: str | None = getattr(incident, field)
        if label is None and field != policy.drives:
            continue
        level = policy.level(label)
        word = f", {level.label}" if level and level.label not in ("", label) else ""
        rows.append(FactRow(spell_word(field), (label or UNKNOWN) + word))
    return rows


def header(incident: Incident, policy: Policy) -> list[FactRow]:
    """The first facts of an incident (R98, R103, R112)."""
    rows = levels(incident, policy)
    rows.append(FactRow("State", _state(incident)))
    rows.append(FactRow("Services", ", ".join(incident.services)))
    if detection := incident.detection:
        rows.append(
            FactRow("Detected by", spell_word(detection.source) + (f": {detection.detail}" if detection.detail else ""))
        )
    else:
        rows.append(FactRow("Detected by", UNKNOWN))
    if not is_ticket(incident, policy) or last_update_for(incident, PUBLIC):
        rows.append(FactRow("Status page", _status_page(incident, policy)))
    if incident.outcome != FIXED:
        rows.append(FactRow("Outcome", spell_word(incident.outcome)))
    return rows


def impact_rows(incident: Incident) -> list[FactRow]:
    """The impact in numbers (R99, R106, R113); what only some incidents have is left out unless it is on the record."""
    impact = incident.impact
    rows = [
        *(
            FactRow(length.name.replace("Impact", "Duration"), spell_interval(length))
            for length in impact_cycles(incident)
        ),
        FactRow("Services affected", ", ".join(incident.services)),
        *(
            FactRow(name, ", ".join(spell_hurt(one) for one in entries))
            for name, entries in hurt_services(incident).items()
        ),
        FactRow("Users affected", spell_users(affected_users(incident))),
        FactRow("Failed requests", spell_amount(impact.failed_requests)),
        FactRow("Revenue", spell_revenue(impact.revenue)),
        FactRow("Data loss", impact.data_loss or UNKNOWN),
    ]
    return [*rows, *_seldom(impact)]


def declared_levels(incident: Incident) -> list[Change]:
    """The levels that an incident was declared with, as entries of its history, with who declared it where known."""
    signed = [*((entry.at, entry.by) for entry in incident.changes), *((row.at, row.by) for row in incident.timeline)]
    declarer = next((by for at, by in signed if at == incident.times.declared and by), None)
    at = corrected_instants(incident)["times.declared"]
    _, severity, priority = labels_held(incident)[0]
    held = {"priority": priority, "severity": severity}
    return [
        Change(at=at, field=field, old=None, new=label, by=declarer, reason="declared")
        for field, label in held.items()
        if label is not None
    ]


def roles(incident: Incident, policy: Policy) -> list[FactRow]:
    """Who holds which role (R107, R114, R116), TBD if nobody does; of a ticket only those that somebody has."""
    roles = incident.roles
    rows = [
        FactRow("Incident commander", roles.commander or NOBODY),
        FactRow("Technical lead", roles.technical_lead or NOBODY),
        FactRow("Communications lead", roles.communications_lead or NOBODY),
        FactRow("Scribe", roles.scribe or NOBODY),
    ]
    rows += [FactRow(spell_word(name), who) for name, who in roles.others.items()]
    rows += [FactRow("Assigned to", entry.to) for entry in incident.assignments[-1:]]
    return [row for row in rows if row.text != NOBODY] if is_ticket(incident, policy) else rows


def instants(incident: Incident) -> list[FactRow]:
    """The times on the record, after corrections, in the record's order; later cycles follow, numbered."""
    noted, at = corrected_instants(incident), known_instants(incident)
    sources = dict.fromkeys(at.keys() - noted, " (an update said so)")
    sources |= dict.fromkeys((correction.field for correction in incident.corrections), " (corrected)")
    names = [
        "started",
        "detected",
        *(name for name in incident.times.__struct_fields__ if name not in ("started", "detected")),
    ]
    rows = [(f"times.{name}", spell_word(name)) for name in names]
    for entry, cycle in enumerate(incident.cycles, 1):
        rows += [
            (f"cycles.{entry}.{name}", f"{spell_word(name)}, cycle {entry + 1}") for name in cycle.__struct_fields__
        ]
    return [FactRow(name, spell_instant(at[field]) + sources.get(field, "")) for field, name in rows if field in at]


def next_steps(incident: Incident, policy: Policy, leads_somewhere: Callable[[str], bool]) -> list[ChecklistStep]:
    """What to do next, with what the record shows as done (R100); [] for what was not an incident.

    `leads_somewhere` tells of the path of a runbook whether it can be read.
    """
    if incident.outcome != FIXED:
        return []
    if incident.state in OVER:
        return list(_afterwards(incident, policy))
    return list(_at_once(incident, policy, leads_somewhere))


def spell_item_counts(incident: Incident, policy: Policy) -> str:
    """`10 (4 P0, 3 P1, 3 P2)`, with what lacks a priority named only beside items that have one (R196)."""
    counts = count_items(incident, policy)
    parts = [f"{count} {name}" for name, count in counts.by_priority.items()]
    if parts and counts.unranked:
        parts.append(f"{counts.unranked} without priority")
    return f"{counts.total} ({', '.join(parts)})" if parts else str(counts.total)


def imported(incident: Incident) -> list[FactRow]:
    """What the original report had beyond the record's fields, as read; nested names are joined."""
    return [FactRow(spell_word(name), text) for name, text in _flat(incident.imported)]


def _flat(data: dict[str, object], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in data.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}: ")
        else:
            parts = value if isinstance(value, list) else [value]
            yield before + name, ", ".join(str(part) for part in parts)


def _state(incident: Incident) -> str:
    if incident.state in OVER:
        return spell_word(incident.state)
    waiting = (
        f", waiting for {incident.pauses[-1].waiting_for}" if incident.state == PENDING and incident.pauses else ""
    )
    return f"{spell_word(incident.state)}{waiting} ({phase(incident).lower()})"


def _status_page(incident: Incident, policy: Policy) -> str:
    last = last_update_for(incident, PUBLIC)
    if last:
        return f"Updated: {last.status}" + ("; resolved is not published yet" if lacks_last_word(incident) else "")
    duties = policy.duties(incident.severity, incident.priority)
    if duties is None:
        return UNKNOWN
    return "Required, no public update on the record" if duties.status_page else "Not required"


def _seldom(impact: Impact) -> Iterator[FactRow]:
    if impact.support_tickets is not None:
        yield FactRow("Support tickets", spell_amount(impact.support_tickets))
    if impact.support_tickets_increase_percent is not None:
        more = spell_amount(impact.support_tickets_increase_percent)
        yield FactRow("Support tickets, increase", more if more == UNKNOWN else f"{more} %")
    if impact.budget_minutes is not None:
        used = spell_amount(impact.budget_minutes)
        yield FactRow("Error budget used", used if used == UNKNOWN else f"{used} min")


def _at_once(incident: Incident, policy: Policy, leads_somewhere: Callable[[str], bool]) -> Iterator[ChecklistStep]:
    at = corrected_instants(incident)
    scope = incident.impact.summary is not None or spell_users(affected_users(incident)) != UNKNOWN
    by_service = (policy.documents.runbook_path.replace("{service}", name) for name in incident.services)
    books = [incident.links.runbook] if incident.links.runbook else [*filter(leads_somewhere, by_service)]
    if not is_ticket(incident, policy):
        yield ChecklistStep(incident.roles.commander is not None, "Name an incident commander")
    yield ChecklistStep(
        any(event.kind == "runbook" for event in incident.timeline),
        f"Work through the runbook: {', '.join(books) or 'none is written yet'}",
    )
    yield ChecklistStep(scope, "Assess the scope: what is broken, for whom, since when")
    yield ChecklistStep("times.mitigated" in at or "times.restored" in at, "Mitigate, then look for the cause")


def _afterwards(incident: Incident, policy: Policy) -> Iterator[ChecklistStep]:
    yield ChecklistStep(
        incident.is_closed, f"Verify that the service stays healthy, then close the {kind_of(incident, policy)}"
    )
    duties = policy.duties(incident.severity, incident.priority)
    paper = incident.postmortem
    if paper is not None or (duties is not None and duties.postmortem.required):
        yield ChecklistStep(
            paper is not None and paper.status == FINAL, "Bring the postmortem to its final form", "postmortem.md"
        )
    if incident.action_items:
        open_items = len(incident.open_items)
        yield ChecklistStep(
            not open_items,
            f"Finish the action items ({open_items} of {len(incident.action_items)} open)",
            "action-items.md",
        )
