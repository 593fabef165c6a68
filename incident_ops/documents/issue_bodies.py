"""The generated texts of issues: an incident's, an action item's.

An incident's text has what counts now on the first screen, and lists to work through below it: the policy's checklists
(R119-R121, R125-R127, R153-R155), action items, prevention measures. It gives times, never ages or countdowns, so that
it changes only when something happens. Handles are in code spans: an issue never pings anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from incident_ops.documents import incident_facts
from incident_ops.documents.checklists import ShownList, shown_lists
from incident_ops.documents.markdown import (
    PENDING_NOTE,
    Section,
    code,
    fit_sections,
    inline,
    link,
    markdown,
    markdown_table,
)
from incident_ops.domain.as_of import as_of
from incident_ops.domain.fence import evaluate_one
from incident_ops.domain.incident import ActionItem, Incident, Measure
from incident_ops.domain.item_due import item_due
from incident_ops.domain.lifecycle import OVER, is_cancelled
from incident_ops.domain.policy import NEXT_BUSINESS_DAY, NEXT_RELEASE, Policy
from incident_ops.domain.policy_sections import AFTER
from incident_ops.domain.public_updates import PUBLIC, last_update_for, public_status
from incident_ops.domain.record import Record, item_key
from incident_ops.domain.relations import spell_relation
from incident_ops.domain.ticket import is_ticket, kind_of
from incident_ops.domain.time import duration, parse_instant, spell_duration, spell_instant, spell_minute
from incident_ops.errors import UserError
from incident_ops.reconcile import generated_block
from incident_ops.reconcile.people import measure_key
from incident_ops.sla.clocks import (
    ACTION_ITEM,
    DIAGNOSIS,
    POSTMORTEM_FINAL,
    POSTMORTEM_MEETING,
    RESOLUTION,
    RESPONSE,
    UPDATE_INTERNAL,
    UPDATE_PUBLIC,
    Clock,
    ClockState,
    Risk,
    clocks,
)
from incident_ops.sla.targets import level_of, targets


def clock_table(incident: Incident, policy: Policy, now: datetime) -> str:
    """Name, target, due time and state of each clock; "" where none runs. UserError as `sla.clocks.clocks`.

    Action items have a list of their own.
    """
    level = level_of(incident, policy)
    response, resolution = targets(incident, policy, level)
    targets_of = {
        RESPONSE: _spell(response),
        RESOLUTION: _spell(resolution),
        DIAGNOSIS: _spell(level.diagnosis),
        UPDATE_INTERNAL: f"every {_spell(level.update.internal)}",
        UPDATE_PUBLIC: f"every {_spell(level.update.public)}{_most(level.update.public_max)}",
        POSTMORTEM_MEETING: _spell(level.postmortem.within),
        POSTMORTEM_FINAL: _spell(level.postmortem.final_within),
    }
    rows = [
        (clock.name.capitalize(), targets_of[clock.clock], _instant(clock.due), _state(clock, incident))
        for clock in clocks(as_of(incident, now), policy)
        if clock.clock != ACTION_ITEM
    ]
    return markdown_table(("Clock", "Target", "Due", "State"), rows) if rows else ""


def next_update(incident: Incident, policy: Policy, now: datetime) -> str | None:
    """When the next internal update is due, or was; None where no such clock runs. UserError likewise."""
    running = [
        clock
        for clock in clocks(as_of(incident, now), policy)
        if clock.clock == UPDATE_INTERNAL and clock.due is not None
    ]
    if not running or running[0].state is not ClockState.RUNNING:
        return None
    late = running[0].risk is Risk.BREACHED
    return f"**Next update {'was due' if late else 'due by'} {_instant(running[0].due)}**"


def _most(limit: str | None) -> str:
    """The outer limit of a range of updates, by which they are due (C11)."""
    return f", at most {_spell(limit)}" if limit else ""


def _spell(target: str | None) -> str:
    if target in (None, NEXT_BUSINESS_DAY, NEXT_RELEASE):
        return inline(str(target).replace("_", " "))
    return spell_duration(duration(str(target)))


def _instant(at: datetime | None) -> str:
    return "unknown" if at is None else spell_minute(at)


def _state(clock: Clock, incident: Incident) -> str:
    """met, missed, running, paused, overdue, cancelled, no due; what has ended says when."""
    if clock.state is ClockState.CANCELLED and not is_cancelled(incident):
        return "end time unknown"
    late = clock.risk is Risk.BREACHED
    if clock.state in (ClockState.MET, ClockState.MISSED):
        word = "met" if clock.state is ClockState.MET else "**missed**"
        return f"{word}, {_instant(clock.stopped_at)}"
    if clock.state is ClockState.RUNNING:
        return "**overdue**" if late else "running"
    word = clock.state.value.replace("_", " ")
    return f"{word}, **overdue**" if late else word


_FOLDED = "<details><summary>Response checklists</summary>"


def task_lists(incident: Incident, policy: Policy) -> str:
    """The lists for an incident's level and state, those for afterwards first; "" where it has none.

    Response lists stay until the incident is closed, because standing down and the last update come after the
    resolution; then they are folded and keep their ticks. What was not an incident has no list. A box that the record
    fills is its own, all others are people's.
    """
    lists = shown_lists(incident, policy)
    after = [_shown(one) for one in lists if one.during == AFTER]
    response = [_shown(one) for one in lists if one.during != AFTER]
    if incident.is_closed and response:
        response = [_FOLDED, *response, "</details>"]
    return "\n\n".join([*after, *response])


def _shown(checklist: ShownList) -> str:
    boxes = (
        generated_block.box_line(inline(box.text), box.key, ticked=box.is_done, fixed=box.is_done, depth=box.depth)
        for box in checklist.boxes
    )
    return "\n".join([f"### {inline(checklist.title)}\n", *boxes])


_DRILL = "> **Drill: this is practice, nothing is broken.**"
_FEW = 8  # services named at the top
_TOP = 1_000  # characters of the summary at the top
_HORIZONS = (("short", "1 to 2 weeks"), ("medium", "1 to 3 months"), ("long", "3 to 6 months"))  # R199


def tracking_body(record: Record, policy: Policy, now: datetime) -> str:
    """Record -> the text of its tracking issue as of `now` (aware UTC), on which only the clocks' states depend."""
    incident = record.incident
    lists = [Section(task_lists(incident, policy), "the checklists", 4)]
    work = [
        Section(_review(incident), "the dates of the postmortem"),
        Section(_items(incident, policy, now), "the action items", 3),
        Section(_measures(incident), "the prevention measures", 5),
    ]
    return fit_sections(
        [
            Section("\n>\n".join(mark for mark in (PENDING_NOTE * record.pending, _DRILL * incident.drill) if mark)),
            Section(_headline(incident, policy)),
            Section(_reminders(incident, policy)),
            Section(_summary(incident)),
            Section(_now(incident, policy, now)),
            Section(_clocks(incident, policy, now)),
            Section(_roles(incident, policy), "the roles", 1),
            Section(_links(incident), "the links", 2),
            *([*work, *lists] if incident.state in OVER else [*lists, *work]),
            Section(_instants(incident), "the times", 6),
            Section(_footer(record)),
        ]
    )


def _footer(record: Record) -> str:
    """Where the record is, and what people may edit here."""
    return (
        f"Record: {code(record.path)}. Change the record, not this text. "
        "Boxes you tick and text you write below this line are kept."
    )


def _headline(incident: Incident, policy: Policy) -> str:
    facts = {row.name: inline(row.text) for row in incident_facts.header(incident, policy)}
    levels = [f"**{inline(row.text)}**" for row in incident_facts.levels(incident, policy)]
    names = [code(name) for name in incident.services[:_FEW]]
    more = len(incident.services) - len(names)
    services = ", ".join(names) + (f" and {more} more" if more > 0 else "")
    outcome = [facts["Outcome"]] if "Outcome" in facts else []
    ticket = ["**Ticket**"] if is_ticket(incident, policy) else []
    return " · ".join([*ticket, *levels, f"**{facts['State']}**", *outcome, services])


def _reminders(incident: Incident, policy: Policy) -> str:
    """The level's goal (R28) and the principles (R257, R258), until the incident is closed."""
    if incident.is_closed:
        return ""
    level = policy.duties(incident.severity, incident.priority)
    lines = [f"> **Goal:** {inline(level.goal_text)}"] if level and level.goal_text else []
    if policy.tracker.principles:
        lines.append("> " + " · ".join(inline(text) for text in policy.tracker.principles))
    return "\n>\n".join(lines)


def _summary(incident: Incident) -> str:
    text = incident.impact.summary or incident.description or ""
    if len(text) <= _TOP:
        return markdown(text)
    return markdown(text[:_TOP].rpartition(" ")[0] or text[:_TOP]) + " … (the record has the rest)"


def _now(incident: Incident, policy: Policy, now: datetime) -> str:
    """What has been said in public, and when the next update is due (R135); a ticket has no public status."""
    try:
        following = next_update(incident, policy, now)
    except UserError:  # the table of clocks says why
        following = None
    last = last_update_for(incident, PUBLIC)
    if is_ticket(incident, policy) and last is None:
        return following or ""
    if last is not None:
        other = f" ({last.status})" if last.status != public_status(incident) else ""
        last_public = f"Last public update{other} {spell_minute(parse_instant(last.at))}"
    else:
        page = next(row.text for row in incident_facts.header(incident, policy) if row.name == "Status page")
        last_public = f"Status page: {page[:1].lower() + page[1:]}"
    status = f"Public status: **{inline(public_status(incident))}** · {last_public}{_public_cadence(incident, policy)}"
    return f"{following}\\\n{status}" if following else status


def _public_cadence(incident: Incident, policy: Policy) -> str:
    """How often public updates are due until the incident is over (R41, R47); no clock counts it."""
    level = policy.duties(incident.severity, incident.priority)
    if level is None or level.update.public is None or incident.state in OVER:
        return ""
    most = f" to {spell_duration(duration(level.update.public_max))}" if level.update.public_max else ""
    return f", public updates every {spell_duration(duration(level.update.public))}{most}"


def _clocks(incident: Incident, policy: Policy, now: datetime) -> str:
    try:
        return clock_table(incident, policy, now)
    except UserError as error:
        return f"**Clocks unknown:** {inline(str(error))}"


def _roles(incident: Incident, policy: Policy) -> str:
    """The four main roles side by side, which takes three lines instead of six; any others below."""
    rows = incident_facts.roles(incident, policy)
    if is_ticket(incident, policy):
        return " · ".join(f"{inline(row.name)}: {_who(row.text)}" for row in rows)
    if incident.state in OVER and all(row.text == incident_facts.NOBODY for row in rows):
        return ""
    first, others = rows[:4], rows[4:]
    lines = [markdown_table([inline(row.name) for row in first], [[_who(row.text) for row in first]])]
    if others:
        lines.append(" · ".join(f"{inline(row.name)}: {_who(row.text)}" for row in others))
    return "\n\n".join(lines)


def _who(name: str) -> str:
    return f"**{name}**" if name == incident_facts.NOBODY else code(name)


def _links(incident: Incident) -> str:
    urls = incident.links
    names = {"bridge": "Bridge", "channel": "Channel", "dashboard": "Dashboard", "runbook": "Runbook"}
    names |= {"status_page": "Status page", "pipeline": "Pipeline", "logs": "Logs", "kb": "Knowledge article"}
    links = [link(name, text) for field, name in names.items() if (text := getattr(urls, field))]
    links += [link(one.name, one.url) for one in urls.others]
    related = [spell_relation(one).replace(one.id, code(one.id)) for one in incident.relations]
    where = "**Where:** " + " · ".join(links) if links else ""
    return "\n\n".join(filter(None, (where, "**Related:** " + " · ".join(related) if related else "")))


def _items(incident: Incident, policy: Policy, now: datetime) -> str:
    lines = [_item(item, _due(item, incident, policy, now), policy) for item in incident.action_items]
    return "\n".join(["### Action items\n", *lines]) if lines else ""


def _due(item: ActionItem, incident: Incident, policy: Policy, now: datetime) -> str:
    """When an item is due, and that it is overdue; "" where it has no due date."""
    due = item_due(item, incident, policy)
    is_late = due is not None and item.is_open and due.days_late(now, policy) > 0
    return f"{due}{', **overdue**' if is_late else ''}" if due else ""


def _item(item: ActionItem, due: str, policy: Policy) -> str:
    parts = [
        f"**{inline(item.id)}** {inline(item.title)}",
        inline(item.priority or ""),
        code(item.owner or "") or "no owner yet",
        f"due {due}" if due else "no due date yet",
        "" if item.status == "open" else incident_facts.item_status(item.status, policy).lower(),
    ]
    closed = not item.is_open
    return generated_block.box_line(" · ".join(part for part in parts if part), item.id, ticked=closed, fixed=closed)


def _review(incident: Incident) -> str:
    """When the postmortem is met about, reviewed, final and followed up, as far as the record says."""
    paper = incident.postmortem
    if paper is None:
        return ""
    dates = (
        ("meeting", paper.meeting),
        ("due", paper.due),
        ("reviewed", paper.reviewed_at),
        ("final", paper.final_at),
        ("follow-up", paper.follow_up_on),
    )
    known = " · ".join(f"{name} {spell_instant(at)}" for name, at in dates if at)
    return f"**Postmortem:** {known}" if known else ""


def _measures(incident: Incident) -> str:
    """The prevention measures by horizon (R198)."""
    if incident.postmortem is None:
        return ""
    planned = incident.postmortem.prevention
    parts = []
    for horizon, length in _HORIZONS:
        measures: list[Measure] = getattr(planned, horizon)
        if measures:
            parts.append(
                "\n".join([f"**{incident_facts.spell_word(horizon)} term ({length})**\n", *_boxes(horizon, measures)])
            )
    return "\n\n".join(["### Prevention", *parts]) if parts else ""


def _boxes(horizon: str, measures: list[Measure]) -> Iterator[str]:
    """A measure has no id: its box is identified by its text, so that a tick stays with it when others come and go."""
    for measure in measures:
        key = measure_key(horizon, measure.text)
        done = f" · done {spell_instant(measure.done_at)}" if measure.done_at else ""
        yield generated_block.box_line(inline(measure.text) + done, key, ticked=bool(done), fixed=bool(done))


def _instants(incident: Incident) -> str:
    return "### Times\n\n" + markdown_table(
        ("Event", "Time"), [(inline(row.name), inline(row.text)) for row in incident_facts.instants(incident)]
    )


def item_body(record: Record, item: ActionItem, policy: Policy, now: datetime) -> str:
    """Action item -> the text of its issue: what, who, due when, from which incident or ticket, and its outcome.

    `now` (aware UTC) decides whether it is overdue.
    """
    incident = record.incident
    rows = [
        ("Status", incident_facts.item_status(item.status, policy)),
        ("Owner", code(item.owner or "") or "**nobody yet**"),
        ("Due", _due(item, incident, policy, now) or "**no date yet**"),
        ("Priority", inline(item.priority or "")),
        ("Kind", inline(incident_facts.spell_word(item.kind or ""))),
        ("Horizon", inline(incident_facts.spell_word(item.horizon or ""))),
        (incident_facts.spell_word(kind_of(incident, policy)), f"{code(incident.id)} {inline(incident.title)}"),
        ("Done at", item.done_at or ""),
        ("Done by", code(item.done_by or "")),
        ("Evidence", link("", item.evidence or "")),
        ("Reason", inline(item.reason or "")),
    ]
    footer = f"Record: {code(record.path)}. Change the record, not this text; text you write below this line is kept."
    return fit_sections(
        [
            Section(PENDING_NOTE if record.pending else ""),
            Section(f"**{inline(item.title) or inline(item.id)}**"),
            Section(markdown(item.description or ""), "the description", 2),
            Section(f"**Done when:** {markdown(item.acceptance)}" if item.acceptance else "", "what it takes", 3),
            Section(markdown_table(("Action item", inline(item.id)), [row for row in rows if row[1]]), "the facts", 1),
            Section(footer),
        ]
    )


class IssueBodies(Mapping[str, str]):
    """Key -> generated text as of `now` (aware UTC), rendered on demand: closed records cost nothing."""

    def __init__(self, records: Iterable[Record], policy: Policy, now: datetime) -> None:
        self._policy, self._now = policy, now
        self._sources: dict[str, tuple[Record, ActionItem | None]] = {}
        for record in records:
            self._sources[record.incident.id] = (record, None)
            for item in record.incident.action_items:
                self._sources[item_key(record.incident.id, item.id)] = (record, item)

    def __getitem__(self, key: str) -> str:
        record, item = self._sources[key]
        if item is not None:
            return evaluate_one(record, lambda one: item_body(one, item, self._policy, self._now))
        return evaluate_one(record, lambda one: tracking_body(one, self._policy, self._now))

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)
