"""What a document says of a record, as rows of (name, text): header, impact, roles, instants, next steps.

Texts are the record's own or follow from it; nothing here is Markdown yet. `unknown` is said, never left out (R99).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from incident_ops.lifecycle import FIXED, OVER, PENDING, effective, phase, public_status
from incident_ops.model.incident import Amount, Impact, Incident, Revenue, Users
from incident_ops.model.policy import Policy
from incident_ops.model.time import UNKNOWN, spell_duration
from incident_ops.render.dates import spell_clock, spell_instant
from incident_ops.render.figures import Interval, count_items, impacts

NOBODY = "TBD"
FINAL = "final"


class Row(NamedTuple):
    """A named fact."""

    name: str
    text: str


class Step(NamedTuple):
    """A box of a list; `document` is the file beside the record where the work is."""

    done: bool
    text: str
    document: str | None = None


def spell_word(word: str) -> str:
    """A word of the record as a person writes it: `in_progress` -> `In progress`."""
    return "Won't do" if word == "wont_do" else (word[:1].upper() + word[1:]).replace("_", " ")


def spell_amount(amount: Amount) -> str:
    """A number with thousands apart, or the record's own word; `unknown` where there is none."""
    if amount is None:
        return UNKNOWN
    return amount if isinstance(amount, str) else f"{amount:,}"


def spell_interval(interval: Interval) -> str:
    """`30 min (started to restored, 12:00-12:30)`; without the clock times as long as one is unknown."""
    named = f"{interval.start} to {interval.end}"
    if interval.begin is None or interval.finish is None:
        return f"{UNKNOWN} ({named})"
    dated = interval.begin.date() != interval.finish.date()
    span = f"{spell_clock(interval.begin, dated)}–{spell_clock(interval.finish, dated)} UTC"
    return f"{spell_duration(interval.seconds)} ({named}, {span})"


def levels(incident: Incident, policy: Policy) -> list[Row]:
    """The labels the record carries, the one that drives the clocks first, with the policy's word for each."""
    fields = ("priority", "severity") if policy.drives == "priority" else ("severity", "priority")
    rows = []
    for field in fields:
        label: str | None = getattr(incident, field)
        if label is None and field != policy.drives:
            continue
        level = policy.level(label)
        word = f", {level.label}" if level and level.label not in ("", label) else ""
        rows.append(Row(spell_word(field), (label or UNKNOWN) + word))
    return rows


def header(incident: Incident, policy: Policy) -> list[Row]:
    """The first facts of an incident (R98, R103, R112)."""
    rows = levels(incident, policy)
    rows.append(Row("State", _state(incident)))
    rows.append(Row("Services", ", ".join(incident.services)))
    if found := incident.detection:
        rows.append(Row("Detected by", spell_word(found.source) + (f": {found.detail}" if found.detail else "")))
    else:
        rows.append(Row("Detected by", UNKNOWN))
    rows.append(Row("Status page", _status_page(incident, policy)))
    if incident.outcome != FIXED:
        rows.append(Row("Outcome", spell_word(incident.outcome)))
    return rows


def impact_rows(incident: Incident) -> list[Row]:
    """The impact in numbers (R99, R106, R113); what only some incidents have is left out where nothing is said."""
    told = incident.impact
    rows = [
        *(Row(length.name.replace("Impact", "Duration"), spell_interval(length)) for length in impacts(incident)),
        Row("Services affected", ", ".join(incident.services)),
        Row("Users affected", _users(told.users)),
        Row("Failed requests", spell_amount(told.failed_requests)),
        Row("Revenue", _revenue(told.revenue)),
        Row("Data loss", told.data_loss or UNKNOWN),
    ]
    return [*rows, *_seldom(told)]


def roles(incident: Incident) -> list[Row]:
    """Who holds which role (R107, R114, R116), TBD where nobody does."""
    held = incident.roles
    rows = [
        Row("Incident commander", held.commander or NOBODY),
        Row("Technical lead", held.technical_lead or NOBODY),
        Row("Communications lead", held.communications_lead or NOBODY),
        Row("Scribe", held.scribe or NOBODY),
    ]
    rows += [Row(spell_word(name), who) for name, who in held.others.items()]
    return rows + [Row("Assigned to", entry.to) for entry in incident.assignments[-1:]]


def instants(incident: Incident) -> list[Row]:
    """The instants the record tells, after corrections, in the record's order; later cycles follow, numbered."""
    corrected = {correction.field for correction in incident.corrections}
    at = effective(incident)
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
    return [
        Row(name, spell_instant(at[field]) + (" (corrected)" if field in corrected else ""))
        for field, name in rows
        if field in at
    ]


def next_steps(incident: Incident, policy: Policy) -> list[Step]:
    """What is to be done next, with what the record shows as done (R100); [] for what was no incident."""
    if incident.outcome != FIXED:
        return []
    return list(_afterwards(incident, policy) if incident.state in OVER else _at_once(incident, policy))


def spell_item_counts(incident: Incident, policy: Policy) -> str:
    """`10 (4 P0, 3 P1, 3 P2)`, with what lacks a priority named only beside items that have one (R196)."""
    counts = count_items(incident.action_items, policy.action_items.priorities)
    parts = [f"{count} {name}" for name, count in counts.by_priority.items()]
    if parts and counts.unranked:
        parts.append(f"{counts.unranked} without priority")
    return f"{counts.total} ({', '.join(parts)})" if parts else str(counts.total)


def imported(incident: Incident) -> list[Row]:
    """What the original report had beyond the record's fields, as read; nested names are joined."""
    return [Row(spell_word(name), text) for name, text in _flat(incident.imported)]


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
    if any(update.audience == "public" for update in incident.updates):
        return f"Updated: {public_status(incident)}"
    duties = policy.duties(incident.severity, incident.priority)
    if duties is None:
        return UNKNOWN
    return "Required, no public update on the record" if duties.status_page else "Not required"


def _users(users: Users | str | None) -> str:
    if not isinstance(users, Users):
        return users or UNKNOWN
    share = f"{spell_amount(users.percent)} %" if isinstance(users.percent, int | float) else ""
    if isinstance(users.count, int | float):
        return spell_amount(users.count) + (f" ({share})" if share else "")
    return f"{share} (number unknown)" if share else UNKNOWN


def _revenue(revenue: Revenue | str | None) -> str:
    if not isinstance(revenue, Revenue):
        return revenue or UNKNOWN
    currency = f" {revenue.currency}" if revenue.currency else ""
    text = spell_amount(revenue.amount) + (currency if revenue.amount not in (None, UNKNOWN) else "")
    if revenue.per_minute not in (None, UNKNOWN):
        text += f", {spell_amount(revenue.per_minute)}{currency} a minute"
    return text


def _seldom(told: Impact) -> Iterator[Row]:
    if told.support_tickets is not None:
        yield Row("Support tickets", spell_amount(told.support_tickets))
    if told.support_tickets_increase_percent is not None:
        more = spell_amount(told.support_tickets_increase_percent)
        yield Row("Support tickets, increase", more if more == UNKNOWN else f"{more} %")
    if told.budget_minutes is not None:
        used = spell_amount(told.budget_minutes)
        yield Row("Error budget used", used if used == UNKNOWN else f"{used} min")


def _at_once(incident: Incident, policy: Policy) -> Iterator[Step]:
    at = effective(incident)
    told = incident.impact
    scope = told.summary is not None or (isinstance(told.users, Users) and _users(told.users) != UNKNOWN)
    books = (
        [incident.links.runbook]
        if incident.links.runbook
        else [policy.documents.runbook_path.replace("{service}", name) for name in incident.services]
    )
    yield Step(incident.roles.commander is not None, "Name an incident commander")
    yield Step(
        any(event.kind == "runbook" for event in incident.timeline), f"Work through the runbook: {', '.join(books)}"
    )
    yield Step(scope, "Assess the scope: what is broken, for whom, since when")
    yield Step("times.mitigated" in at or "times.restored" in at, "Mitigate, then look for the cause")


def _afterwards(incident: Incident, policy: Policy) -> Iterator[Step]:
    yield Step(incident.is_closed, "Verify that the service stays healthy, then close the incident")
    duties = policy.duties(incident.severity, incident.priority)
    paper = incident.postmortem
    if paper is not None or (duties is not None and duties.postmortem.required):
        yield Step(
            paper is not None and paper.status == FINAL, "Bring the postmortem to its final form", "postmortem.md"
        )
    if incident.action_items:
        left = len(incident.open_items)
        yield Step(
            not left, f"Finish the action items ({left} of {len(incident.action_items)} open)", "action-items.md"
        )
