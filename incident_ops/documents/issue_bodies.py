"""The generated texts of issues: an incident's, an action item's.

An incident's text has what counts now on the first screen, and lists to work through below it: the policy's checklists
(R119-R121, R125-R127, R153-R155), action items, prevention measures. It gives times, never ages or countdowns, so that
it changes only when something happens. Facts are lists, not tables, so that they fit a phone and an e-mail. Handles are
in code spans: an issue never pings anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from incident_ops.documents import incident_facts
from incident_ops.documents.checklists import ShownList, checklists, is_of_this_phase
from incident_ops.documents.first_screen import facts_at_the_top, latest_updates
from incident_ops.documents.issue_words import (
    ALONE,
    POSTMORTEM,
    QUOTED,
    Surroundings,
    beside,
    command_span,
    fact_line,
    file_link,
    first_day,
    folded,
    place_link,
    sentence,
    spell_at,
    spell_when,
)
from incident_ops.documents.markdown import PENDING_NOTE, Section, code, fit_sections, inline, link, markdown
from incident_ops.domain.as_of import as_of
from incident_ops.domain.fence import evaluate_one
from incident_ops.domain.incident import ActionItem, Incident, Measure
from incident_ops.domain.item_due import item_due
from incident_ops.domain.lifecycle import OVER, UNTAKEN, is_cancelled
from incident_ops.domain.policy import NEXT_RELEASE, Policy, target_days
from incident_ops.domain.policy_sections import AFTER
from incident_ops.domain.record import Record, item_key
from incident_ops.domain.relations import spell_relation
from incident_ops.domain.ticket import is_ticket, kind_of
from incident_ops.domain.time import UNKNOWN, duration, spell_duration, spell_instant
from incident_ops.errors import UserError
from incident_ops.reconcile import generated_block
from incident_ops.reconcile.people import measure_key
from incident_ops.reconcile.references import issue_place
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


def clock_list(incident: Incident, policy: Policy, now: datetime) -> str:
    """The clocks below their heading; "" where none runs. UserError as `sla.clocks.clocks`."""
    lines = clock_lines(incident, policy, now)
    return "\n".join(["### Clocks\n", *lines]) if lines else ""


def clock_lines(incident: Incident, policy: Policy, now: datetime) -> list[str]:
    """Name, target, due time and state of each clock, as Markdown. UserError as `sla.clocks.clocks`.

    Action items have a list of their own; once the incident is over no update is due any more.
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
    skipped = {ACTION_ITEM} | ({UPDATE_INTERNAL, UPDATE_PUBLIC} if incident.state in OVER else set())
    return [
        f"- {_named(clock, targets_of)}: {_state(clock, incident)}"
        for clock in clocks(as_of(incident, now), policy)
        if clock.clock not in skipped and not (clock.state is ClockState.CANCELLED and is_cancelled(incident))
    ]


def _named(clock: Clock, targets_of: Mapping[str, str]) -> str:
    """A clock and its target; a deadline goes by its id, with whom it is owed to."""
    if clock.duty is None:
        return f"{clock.name.capitalize()} ({targets_of[clock.clock]})"
    to = clock.duty.deadline.to
    return inline(clock.duty.deadline.id) + (f" ({inline(to)})" if to else "")


def _most(limit: str | None) -> str:
    """The outer limit of a range of updates, by which they are due (C11)."""
    return f", at most {_spell(limit)}" if limit else ""


def _spell(target: str | None) -> str:
    if target is None or target == NEXT_RELEASE or target_days(target) is not None:
        return inline(str(target).replace("_", " "))
    return spell_duration(duration(str(target)))


def _state(clock: Clock, incident: Incident) -> str:
    """When it is due and how it stands: met, missed, running, paused, overdue; what has ended says when."""
    day = first_day(incident)
    due = f"due {spell_when(clock.due, day)}" if clock.due else "no due time yet"
    if clock.state is ClockState.CANCELLED:
        return f"{due}, end time unknown"
    if clock.state in (ClockState.MET, ClockState.MISSED):
        word = "met" if clock.state is ClockState.MET else "**missed**"
        return f"{due}, {word} {spell_when(clock.stopped_at, day)}"
    if clock.risk is Risk.BREACHED:
        return f"{due}, **overdue**" + (", paused" if clock.state is ClockState.PAUSED else "")
    words = {ClockState.RUNNING: "", ClockState.PAUSED: ", paused", ClockState.NO_DUE: ""}
    return due + words.get(clock.state, "")


def task_lists(incident: Incident, policy: Policy, now: datetime) -> tuple[str, str]:
    """The lists to work through now, and those of other phases, folded; "" where there are none.

    While the incident is open, a list with times is for its stretch since the declaration. Once it is over, the lists
    for afterwards come first and the others keep their ticks in their folds. What was not an incident has no list. A
    box that the record fills is its own, all others are people's.
    """
    now_due: list[ShownList] = []
    others: list[ShownList] = []
    lists = checklists(incident, policy)
    for one in lists:
        if is_of_this_phase(one, lists, incident, now):
            now_due.append(one)
        elif one.during != AFTER:
            others.append(one)
    shown = [f"### {inline(one.title)}\n\n{_boxes_of(one)}" for one in now_due]
    return "\n\n".join(shown), "\n\n".join(folded(inline(one.title), _boxes_of(one)) for one in others)


def _boxes_of(checklist: ShownList) -> str:
    return "\n".join(
        generated_block.box_line(inline(box.text), box.key, ticked=box.is_done, fixed=box.is_done, depth=box.depth)
        for box in checklist.boxes
    )


_DRILL = "> **Drill: this is practice, nothing is broken.**"
_FEW = 8  # services named at the top
_HORIZONS = (("short", "1 to 2 weeks"), ("medium", "1 to 3 months"), ("long", "3 to 6 months"))  # R199


def tracking_body(record: Record, policy: Policy, now: datetime, around: Surroundings = ALONE) -> str:
    """Record -> the text of its tracking issue as of `now` (aware UTC), on which only what is due depends."""
    incident = record.incident
    policy = policy.for_incident(incident)
    lists, other_lists = task_lists(incident, policy, now)
    work = [
        Section(_review(incident), "the dates of the postmortem"),
        Section(_items(incident, policy, now, around.stays), "the action items", 3),
        Section(_measures(incident), "the prevention measures", 5),
    ]
    to_do = Section(lists, "the checklists", 4)
    return fit_sections(
        [
            Section("\n>\n".join(mark for mark in (PENDING_NOTE * record.pending, _DRILL * incident.drill) if mark)),
            Section(_headline(incident, policy)),
            Section(facts_at_the_top(incident, policy, now, has_box=_has_box(record, around))),
            Section(_links(record, policy, around), "the links", 2),
            Section(_reminders(incident, policy)),
            Section(latest_updates(incident) if incident.state not in OVER else "", "the updates", 1),
            *([*work, to_do] if incident.state in OVER else [to_do, *work]),
            Section(_clocks(incident, policy, now)),
            Section(latest_updates(incident) if incident.state in OVER else "", "the updates", 1),
            Section(_background(incident), "the description", 5),
            Section(other_lists, "the checklists of other phases", 6),
            Section(_timeline(incident), "the timeline", 8),
            Section(_instants(incident), "the times", 7),
            Section(_footer(record)),
        ]
    )


def _has_box(record: Record, around: Surroundings) -> bool:
    """True where a tick can acknowledge the incident, or did and waits for the merge."""
    return record.incident.id in around.ticked or (record.incident.state in UNTAKEN and not record.pending)


def _footer(record: Record) -> str:
    """Where the record is, and what people may edit here."""
    return (
        f"{file_link('Record', record.path)}. Change the record, not this text. "
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
    declared = f"declared {spell_instant(incident.times.declared)}"
    return " · ".join([*ticket, *levels, f"**{facts['State']}**", *outcome, services, declared])


def _reminders(incident: Incident, policy: Policy) -> str:
    """The level's goal (R28) and the principles (R257, R258), as long as somebody works by them."""
    if incident.state in OVER:
        return ""
    level = policy.duties(incident.severity, incident.priority)
    lines = [f"> **Goal:** {inline(level.goal_text)}"] if level and level.goal_text else []
    if policy.tracker.principles:
        lines.append("> " + " · ".join(inline(text) for text in policy.tracker.principles))
    return "\n>\n".join(lines)


def _background(incident: Incident) -> str:
    """The description, where the first screen does not say it."""
    text = incident.description or ""
    return folded("Description", markdown(text)) if incident.impact.summary else ""


def _clocks(incident: Incident, policy: Policy, now: datetime) -> str:
    try:
        return clock_list(incident, policy, now)
    except UserError as error:
        return f"**Clocks unknown:** {inline(str(error))}"


def _links(record: Record, policy: Policy, around: Surroundings) -> str:
    """Where to read and talk: what is beside the record, the runbooks of its services, and its links."""
    incident, urls = record.incident, record.incident.links
    places = [file_link("Record", record.path)]
    paper = beside(record.path, POSTMORTEM)
    if incident.postmortem is not None and around.is_there(paper):
        places.append(file_link("Postmortem", paper))
    names = {"channel": "Channel", "bridge": "Bridge", "dashboard": "Dashboard", "logs": "Logs"}
    names |= {"pipeline": "Pipeline", "status_page": "Status page", "kb": "Knowledge article"}
    places += _runbooks(incident, policy, around)
    places += [link(name, text) for field, name in names.items() if (text := getattr(urls, field))]
    places += [link(one.name, one.url) for one in urls.others]
    related = [spell_relation(one).replace(one.id, code(one.id)) for one in incident.relations]
    same = [f"duplicate of {code(incident.duplicate_of)}"] if incident.duplicate_of else []
    lines = ["**Links:** " + " · ".join(places)]
    lines += ["**Related:** " + " · ".join([*same, *related])] if same or related else []
    return "\n\n".join(lines)


def _runbooks(incident: Incident, policy: Policy, around: Surroundings) -> list[str]:
    """The record's own runbook, else those of its services that are there."""
    if incident.links.runbook:
        return [place_link("Runbook", incident.links.runbook, around)]
    found = []
    for name in incident.services[:_FEW]:
        service = around.services.get(name)
        usual = policy.documents.runbook_path.replace("{service}", name)
        place = service.runbook if service is not None and service.runbook else usual
        if "://" in place or around.is_there(place):
            found.append(place_link(f"Runbook of {name}", place, around))
    return found


def _items(incident: Incident, policy: Policy, now: datetime, stays: Mapping[str, str]) -> str:
    lines = [_item(item, incident, _due(item, incident, policy, now), policy) for item in incident.action_items]
    why: dict[str, list[str]] = {}
    for item in incident.action_items:
        if reason := stays.get(item_key(incident.id, item.id)):
            why.setdefault(reason, []).append(item.id)
    notes = [
        f"\n> {', '.join(ids)} {'has its issue' if len(ids) == 1 else 'have their issues'} in this repository: "
        + inline(reason)
        for reason, ids in why.items()
    ]
    return "\n".join(["### Action items\n", *lines, *notes]) if lines else ""


def _due(item: ActionItem, incident: Incident, policy: Policy, now: datetime) -> str:
    """When an item is due, and that it is overdue; "" where it has no due date."""
    due = item_due(item, incident, policy)
    is_late = due is not None and item.is_open and due.days_late(now, policy) > 0
    return f"{due}{', **overdue**' if is_late else ''}" if due else ""


def _item(item: ActionItem, incident: Incident, due: str, policy: Policy) -> str:
    there = f" {item.issue}" if isinstance(item.issue, str) else ""  # GitHub links the full reference
    number = issue_place(item_key(incident.id, item.id), " ", there)
    parts = [
        f"**{inline(item.id)}**{number} {inline(item.title)}",
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


def _timeline(incident: Incident) -> str:
    """What happened, in the record's order, behind a fold."""
    lines = []
    for event in incident.timeline:
        wording = " → ".join(inline(text) for text in (event.event, event.action, event.result) if text)
        who = f" · {code(event.by)}" if event.by else ""
        lines.append(f"- **{spell_at(event.at, incident)}** {wording}{who}")
    count = f"{len(lines)} {'entry' if len(lines) == 1 else 'entries'}"
    return folded(f"Timeline ({count})", "\n".join(lines))


def _instants(incident: Incident) -> str:
    lines = [f"- {inline(row.name)}: {inline(row.text)}" for row in incident_facts.instants(incident)]
    return folded("Times", "\n".join(lines))


def item_body(record: Record, item: ActionItem, policy: Policy, now: datetime, *, is_brief: bool = False) -> str:
    """Action item -> the text of its issue: why it exists, when it is done, who, until when, and its outcome.

    `now` (aware UTC) decides whether it is overdue. `is_brief`: nothing that the record says of the incident.
    """
    incident = record.incident
    policy = policy.for_incident(incident)
    facts = [
        fact_line("Why", _left_out(record) if is_brief else _why(incident)),
        fact_line("Done when", _condition(item, incident)),
        fact_line("Due", _due(item, incident, policy, now) or "**no date yet**"),
        fact_line("Owner", code(item.owner or "") or "**nobody yet**"),
        fact_line("Status", _outcome(item, policy)),
        fact_line("Evidence", link("", item.evidence or "")),
        fact_line("Reason", inline(item.reason or "")),
        fact_line("Priority", inline(item.priority or "")),
        fact_line("Kind", _kind_of_work(item)),
        fact_line(incident_facts.spell_word(kind_of(incident, policy)), _origin(incident, is_brief=is_brief)),
    ]
    how = "Close this issue when it is done, and the record follows. " if item.is_open else ""
    footer = f"{how}{file_link('Record', record.path)}; text you write below this line is kept."
    return fit_sections(
        [
            Section(PENDING_NOTE if record.pending else ""),
            Section("\n".join(line for line in facts if line), "the facts", 1),
            Section(
                f"**Done when:**\n\n{markdown(str(item.acceptance).strip())}" if _has_lines(item) else "",
                "what done means",
                1,
            ),
            Section(markdown(item.description or ""), "the description", 2),
            Section(footer),
        ]
    )


def _left_out(record: Record) -> str:
    why = "What happened, and why, is left out here because more people may be able to read this repository."
    return f"see {file_link('the record', record.path)}. {why}"


def _why(incident: Incident) -> str:
    """What happened and what caused it, a sentence each."""
    wording = incident.impact.summary or (incident.postmortem.summary if incident.postmortem else None)
    cause = incident.cause
    because = sentence(cause.what or cause.why) if cause else ""
    return " ".join(part for part in (sentence(wording or incident.description or incident.title), because) if part)


def _has_lines(item: ActionItem) -> bool:
    """Whether what done means is a text of several lines, such as a list, which has a part of its own."""
    return len((item.acceptance or "").strip().splitlines()) > 1


def _condition(item: ActionItem, incident: Incident) -> str:
    if _has_lines(item):
        return ""
    if item.acceptance and item.acceptance.strip():
        return sentence(item.acceptance)
    return _ask(item, incident) if item.is_open else ""


def _ask(item: ActionItem, incident: Incident) -> str:
    way = command_span("action edit", item.id, incident.id, "--acceptance", QUOTED)
    return f"not written down yet: {way}"


def _outcome(item: ActionItem, policy: Policy) -> str:
    word = incident_facts.item_status(item.status, policy)
    when = f" {spell_instant(item.done_at)}" if item.done_at and item.done_at != UNKNOWN else ""
    return f"{inline(word)}{when}" + (f" by {code(item.done_by)}" if item.done_by else "")


def _kind_of_work(item: ActionItem) -> str:
    words = [item.kind or "", f"{item.horizon} term" if item.horizon else ""]
    return " · ".join(inline(word) for word in words if word)


def _origin(incident: Incident, *, is_brief: bool) -> str:
    title = "" if is_brief else inline(incident.title)
    return f"{issue_place(incident.id, otherwise=code(incident.id))} {title}".rstrip()


class IssueBodies(Mapping[str, str]):
    """Key -> generated text as of `now` (aware UTC), rendered on demand: closed records cost nothing.

    Texts have places for numbers of issues and addresses of files, which `reconcile.references` fills.
    """

    def __init__(self, records: Iterable[Record], policy: Policy, now: datetime, around: Surroundings = ALONE) -> None:
        self._policy, self._now, self._around = policy, now, around
        self._sources: dict[str, tuple[Record, ActionItem | None]] = {}
        for record in records:
            self._sources[record.incident.id] = (record, None)
            for item in record.incident.action_items:
                self._sources[item_key(record.incident.id, item.id)] = (record, item)

    def __getitem__(self, key: str) -> str:
        record, item = self._sources[key]
        if item is not None:
            is_brief = key in self._around.brief
            return evaluate_one(record, lambda one: item_body(one, item, self._policy, self._now, is_brief=is_brief))
        return evaluate_one(record, lambda one: tracking_body(one, self._policy, self._now, self._around))

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)
