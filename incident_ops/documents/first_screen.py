"""What stands at the top of an incident's issue: for who opens it at night, and for who comes when it is over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from incident_ops.documents import incident_facts
from incident_ops.documents.issue_words import (
    QUOTED,
    command_span,
    fact_line,
    first_day,
    folded,
    sentence,
    spell_at,
    spell_when,
)
from incident_ops.documents.markdown import code, inline
from incident_ops.domain.as_of import (
    DIAGNOSED,
    IncidentAt,
    as_of,
    corrected_instants,
    current_instant,
    known_instants,
)
from incident_ops.domain.impact import (
    affected_users,
    hurt_services,
    spell_amount,
    spell_hurt,
    spell_revenue,
    spell_users,
)
from incident_ops.domain.incident import Escalation, Event, Incident, Update
from incident_ops.domain.item_due import item_due
from incident_ops.domain.lifecycle import CLOSED, FIXED, OVER, PENDING, RESOLVED
from incident_ops.domain.policy import Policy
from incident_ops.domain.policy_sections import next_tier
from incident_ops.domain.public_updates import (
    PUBLIC,
    lacks_last_word,
    last_update_for,
    needs_public_word,
    public_status,
)
from incident_ops.domain.record import item_key
from incident_ops.domain.ticket import is_ticket
from incident_ops.domain.time import (
    UNKNOWN,
    duration,
    instant,
    parse_instant,
    shift,
    spell_duration,
    spell_instant,
    stamp,
)
from incident_ops.errors import UserError
from incident_ops.reconcile.ack_box import ack_box
from incident_ops.reconcile.generated_block import box_line
from incident_ops.reconcile.references import issue_place
from incident_ops.sla.clocks import UPDATE_INTERNAL, UPDATE_PUBLIC, ClockState, Risk, clocks
from incident_ops.sla.escalation import DueEscalation, next_escalation, unanswered_escalations
from incident_ops.sla.escalation_ladder import EscalationCause, spell_tier

_WORK = ("decision", "action", "escalation", "runbook")
"""Kinds of timeline entries that say what is being done."""
_UPDATES_SHOWN = 3
_TAKES_IT = "**I have it:** tick this to acknowledge. The next run stops calling others."
_ROLES_SHOWN = 8


def facts_at_the_top(incident: Incident, policy: Policy, now: datetime, *, has_box: bool) -> str:
    """What to know first, as a list: another one once the incident is over.

    `has_box`: with the box that acknowledges it.
    """
    lines = _over(incident, policy) if incident.state in OVER else _running(incident, policy, now)
    box = [box_line(_TAKES_IT, ack_box(incident))] if has_box else []
    return "\n".join([*box, *(line for line in lines if line)])


def _running(incident: Incident, policy: Policy, now: datetime) -> Iterator[str]:
    yield fact_line("Broken", *_broken(incident))
    yield fact_line("Known", *_known(incident))
    yield fact_line("Being done", _doing(incident))
    yield fact_line("Works on it" if is_ticket(incident, policy) else "Leads", _leads(incident, policy))
    yield fact_line("Escalated", *_escalated(incident, policy, now))
    yield fact_line("Next update", next_update(incident, policy, now))
    yield fact_line("Public", _public(incident, policy))


def _over(incident: Incident, policy: Policy) -> Iterator[str]:
    paper = incident.postmortem
    wording = (paper.summary if paper else None) or incident.impact.summary or incident.description
    yield fact_line("What happened", sentence(wording))
    yield fact_line("Cause", _cause(incident))
    ended = incident.resolution
    if ended:
        yield fact_line("What ended it", sentence(ended.immediate), sentence(ended.permanent))
    if incident.outcome == FIXED:
        yield fact_line("How long", _how_long(incident))
        yield fact_line("Impact", _hit(incident))
    left = _left(incident, policy)
    yield "\n".join(["- **Left to do:**", *(f"  - {text}" for text in left)]) if left else "- **Left to do:** nothing."
    yield fact_line("If it comes back", _way_back(incident, policy))
    if not is_ticket(incident, policy):
        yield fact_line("Led by", *(f"{code(who)}." for who in [incident.roles.commander] if who))


def _way_back(incident: Incident, policy: Policy) -> str:
    """How a comment reopens it, and until when."""
    limit, closed = policy.states.auto_reopen, current_instant(incident, "closed")
    at = instant(closed)
    if incident.state != CLOSED or incident.duplicate_of is not None or limit is None or at is None:
        return ""
    until = spell_instant(stamp(shift(at, duration(limit))))
    asked = policy.states.reopen
    label = f", or the label {code(asked.label)}," if asked.label else ""
    return f"until {until}, a comment whose line begins with {code(asked.word)}{label} reopens it."


def _broken(incident: Incident) -> Iterator[str]:
    wording = sentence(incident.impact.summary or incident.description)
    yield wording or "nobody has written it down yet."
    users = spell_users(affected_users(incident))
    yield f"Users affected: {inline(users)}." if users != UNKNOWN else ""
    started = instant(corrected_instants(incident).get("times.started"))
    if incident.cycles:
        came_back = corrected_instants(incident)[f"cycles.{len(incident.cycles)}.reopened"]
        yield f"Came back {spell_at(came_back, incident)}."
    elif started:
        yield f"Since {spell_when(started, first_day(incident))}."
    for name, entries in list(hurt_services(incident).items())[:_UPDATES_SHOWN]:
        yield f"{code(name)} {inline(spell_hurt(entries[-1]))}."
    if not wording:
        yield f"Say what is broken: {command_span('impact', incident.id, '--summary', QUOTED)}"


def _cause(incident: Incident) -> str:
    """The cause in a sentence or two; "" while nothing is known of it."""
    cause = incident.cause
    if cause is None:
        return ""
    wording = " ".join(text for text in (sentence(cause.what), sentence(cause.why)) if text)
    if wording or cause.category == UNKNOWN:
        return wording or "unknown."
    return f"{inline(incident_facts.spell_word(cause.category))}; no further detail yet."


def _known(incident: Incident) -> tuple[str, str]:
    """The cause and how far the work is; where the cause is found and not written down, the way to do that."""
    cause, progress = _cause(incident), _progress(incident)
    if cause or incident.cycles or DIAGNOSED not in known_instants(incident):
        return cause or "the cause is not found yet.", progress
    way = command_span("cause", incident.id, "--what", QUOTED)
    return progress or "the cause is found.", f"Write down what it is: {way}"


def _progress(incident: Incident) -> str:
    """The last step that is behind us in the present cycle."""
    known = known_instants(incident)
    for name, words in (("restored", "Restored"), ("mitigated", "Mitigated"), ("diagnosed", "Cause found")):
        at = current_instant(incident, name) if name == "restored" else known.get(f"times.{name}")
        if at is not None and (name == "restored" or not incident.cycles):
            return f"{words} {spell_at(at, incident)}." if at != UNKNOWN else ""
    return ""


def _doing(incident: Incident) -> str:
    if incident.state == PENDING and incident.pauses:
        pause = incident.pauses[-1]
        why = f": {sentence(pause.reason, is_quote=True)}" if pause.reason else "."
        return f"waiting for {inline(pause.waiting_for)} since {spell_at(pause.start, incident)}{why}"
    if last := _last_work(incident):
        who = f" by {code(last.by)}" if last.by else ""
        wording = f"{sentence(last.event)} {sentence(last.action)}".strip().removesuffix(".")
        return f"{wording} ({spell_at(last.at, incident)}{who})."
    if said := last_update_for(incident, "internal", this_cycle=True):
        return f"{sentence(said.text).removesuffix('.')} ({spell_at(said.at, incident)}, internal update)."
    if incident.times.acknowledged is None:
        return f"**nobody has taken it yet.** Take it: {command_span(f'ack {incident.id}')}"
    return f"nobody has written it down. Say it: {command_span('timeline', QUOTED, incident.id, '--kind action')}"


def _last_work(incident: Incident) -> Event | None:
    since = parse_instant(incident.cycles[-1].reopened) if incident.cycles else None
    found = [
        (parse_instant(event.at), place)
        for place, event in enumerate(incident.timeline)
        if event.kind in _WORK and (since is None or parse_instant(event.at) >= since)
    ]
    return incident.timeline[max(found)[1]] if found else None


def _leads(incident: Incident, policy: Policy) -> str:
    rows = incident_facts.roles(incident, policy)
    if is_ticket(incident, policy):
        held = ", ".join(code(who) for who in dict.fromkeys(row.text for row in rows))
        return held or f"**nobody.** Take it: {command_span('assign @who', incident.id)}"
    first, *others = rows
    lead, way = f"{code(first.text)}.", []
    if first.text == incident_facts.NOBODY:
        lead, way = "**nobody.**", [f"Take the lead: {command_span(f'assign commander @who {incident.id}')}"]
    held_roles = [row for row in others if row.text not in (incident_facts.NOBODY, first.text)]
    said = [f"{inline(row.name)} {code(row.text)}." for row in held_roles[:_ROLES_SHOWN]]
    more = [f"{len(held_roles) - _ROLES_SHOWN} more in the record."] if len(held_roles) > _ROLES_SHOWN else []
    return " ".join([lead, *said, *more, *way])


def _escalated(incident: Incident, policy: Policy, now: datetime) -> Iterator[str]:
    """Of the last escalation of the present cycle: where to and why, whom it reached, who is next, what to do."""
    view = as_of(incident, now)
    entries = [one for one in incident.escalations if view.cycle_start <= parse_instant(one.at) <= now]
    recorded = [(parse_instant(one.at), one.to_tier or 0, one.reason, _reached(one)) for one in entries]
    due = [one for one in unanswered_escalations(view, policy) if one.recorded is None]
    unrecorded = [(one.due, one.to_tier or 0, one.reason, _is_up_to(one)) for one in due]
    last = max([*recorded, *unrecorded], key=lambda one: one[:2], default=None)
    if last is None:
        return
    at, tier, reason, whom = last
    to = f"to {inline(spell_tier(tier, policy))} " if tier else ""
    yield f"{to}{spell_at(stamp(at), incident)}: {sentence(reason, is_quote=True)}"
    yield whom
    if following := _next_escalation(view, policy):
        who = inline(spell_tier(following.to_tier, policy))
        yield f"Next: {who} at {spell_when(following.at, first_day(incident))} if nobody answers."
    is_top = next_tier(tier or None, policy.escalation.tiers) is None
    way = command_span("escalate", incident.id, *(["--notify", "@who"] * is_top), "--reason", QUOTED)
    yield f"Watch it closely. For more people: {way}"


def _reached(entry: Escalation) -> str:
    named = [("Told", entry.notified), ("Not reached yet", entry.failed)]
    return " ".join(f"{words}: {_handles(people)}." for words, people in named if people)


def _is_up_to(one: DueEscalation) -> str:
    return f"It is up to {_handles(one.targets)}." if one.targets else ""


def _handles(people: Sequence[str]) -> str:
    more = f" and {len(people) - _ROLES_SHOWN} more" if len(people) > _ROLES_SHOWN else ""
    return ", ".join(code(who) for who in people[:_ROLES_SHOWN]) + more


def _next_escalation(view: IncidentAt, policy: Policy) -> EscalationCause | None:
    try:
        return next_escalation(view, policy)
    except UserError:  # a level or calendar that the policy does not have: the clocks say so
        return None


def next_update(incident: Incident, policy: Policy, now: datetime) -> str:
    """When the next updates are due, or were, with the command that writes one; "" where no such clock runs."""
    try:
        running = clocks(as_of(incident, now), policy)
    except UserError:  # the list of clocks says why
        return ""
    said = [
        f"{'in public ' if clock.clock == UPDATE_PUBLIC else ''}"
        + ("**was due " if clock.risk is Risk.BREACHED else "by ")
        + spell_when(clock.due, first_day(incident))
        + ("**" if clock.risk is Risk.BREACHED else "")
        for clock in running
        if clock.clock in (UPDATE_INTERNAL, UPDATE_PUBLIC) and clock.state is ClockState.RUNNING and clock.due
    ]
    if not said:
        return ""
    audience = "internal" if any(clock.clock == UPDATE_INTERNAL for clock in running) else "public"
    return f"{'; '.join(said)}. Write it: {command_span('update', incident.id, f'--{audience}', QUOTED)}"


def _public(incident: Incident, policy: Policy) -> str:
    """What the status page says, and how often it is due (R41, R47)."""
    last = last_update_for(incident, PUBLIC)
    level = policy.duties(incident.severity, incident.priority)
    asked = level is not None and (level.status_page or level.update.public is not None)
    if last is None and (is_ticket(incident, policy) or not asked):
        return ""
    cadence = ""
    if level is not None and level.update.public is not None:
        most = f" to {spell_duration(duration(level.update.public_max))}" if level.update.public_max else ""
        cadence = f"; due every {spell_duration(duration(level.update.public))}{most}"
    if last is not None:
        return f"**{inline(public_status(incident))}**, last said {spell_at(last.at, incident)}{cadence}."
    return f"**nothing is said yet**{cadence}. Say it: {command_span('update', incident.id, '--public', QUOTED)}"


def latest_updates(incident: Incident) -> str:
    """The last updates in their own words, the newest first, all of them behind a fold once it is over; "" without."""
    ordered = sorted(enumerate(incident.updates), key=lambda row: (parse_instant(row[1].at), row[0]), reverse=True)
    if incident.state in OVER:
        return folded(f"Updates ({len(ordered)})", "\n\n".join(_update(update, incident) for _, update in ordered))
    shown = [_update(update, incident) for _, update in ordered[:_UPDATES_SHOWN]]
    more = len(ordered) - len(shown)
    rest = [f"{more} earlier in the record."] if more > 0 else []
    return "\n\n".join(["### Latest updates", *shown, *rest]) if shown else ""


def _update(update: Update, incident: Incident) -> str:
    who = _author(update, incident)
    eta = f" · expected end {_eta(update.eta, incident)}" if update.eta and update.eta != UNKNOWN else ""
    by = f" · {code(who)}" if who else ""
    words = sentence(update.text, is_quote=True)
    return f"**{spell_at(update.at, incident)}** · {update.audience}, {update.status}{by}{eta}\n> {words}"


def _eta(eta: str, incident: Incident) -> str:
    if "T" in eta and ":" in eta:
        return spell_at(eta, incident)
    return f"{spell_duration(duration(eta))} later"


def _author(update: Update, incident: Incident) -> str | None:
    """Who wrote an update: the record says it in the timeline."""
    said = (row for row in incident.timeline if row.at == update.at and row.kind == "communication")
    return next((row.by for row in said if row.by and update.audience in row.event), None)


def _how_long(incident: Incident) -> str:
    spans = []
    for span in incident_facts.impact_cycles(incident):
        if span.seconds is not None and span.seconds >= 0:
            day = first_day(incident)
            spelled = spell_duration(span.seconds, in_words=True)
            begin, end = spell_when(span.begin, day), spell_when(span.finish, day)
            spans.append(f"{spelled}, {begin.removesuffix(' UTC') if len(begin) == len(end) else begin} to {end}")
    if spans:
        return "; again ".join(spans) + "."
    view = as_of(incident, parse_instant(incident.times.declared))
    ended = instant(current_instant(incident, "resolved"))
    if ended is None:
        return "unknown."
    length = spell_duration(int((ended - view.declared).total_seconds()), in_words=True)
    return f"{length} from the declaration to the end; how long users were hit is not known."


def _hit(incident: Incident) -> str:
    impact, users = incident.impact, spell_users(affected_users(incident))
    count, _, share = users.partition(" (")
    is_count = count[:1].isdigit() and "%" not in count
    noun = "user" if count == "1" else "users"
    said = [inline(f"{count} {noun}" + (f" ({share}" if share else "") if is_count else users)]
    if impact.failed_requests not in (None, UNKNOWN):
        said.append(f"{inline(spell_amount(impact.failed_requests))} failed requests")
    if impact.revenue not in (None, UNKNOWN):
        said.append(f"revenue lost: {inline(spell_revenue(impact.revenue))}")
    if impact.data_loss not in (None, UNKNOWN, "none"):
        said.append(f"data lost: {inline(str(impact.data_loss))}")
    if users == UNKNOWN:
        said[0] = f"users unknown ({command_span(f'impact {incident.id} --users N')})"
    return "; ".join(said) + "."


def _left(incident: Incident, policy: Policy) -> list[str]:
    parts = [*_left_items(incident, policy), *_left_postmortem(incident, policy)]
    if needs_public_word(incident, policy) or lacks_last_word(incident):
        way = command_span("update", incident.id, "--public", QUOTED, "--status resolved")
        parts.append(f"Say in public that it is over: {way}")
    if incident.state == RESOLVED:
        parts.append(f"Check that it stays up, then {command_span('close', incident.id, '--verified')}")
    return parts


def _left_items(incident: Incident, policy: Policy) -> Iterator[str]:
    left = incident.open_items
    if not left:
        return
    dated = [(due, item) for item in left if (due := item_due(item, incident, policy)) is not None]
    following = ""
    if dated:
        due, item = min(dated, key=lambda row: row[0].day)
        place = issue_place(item_key(incident.id, item.id), otherwise=item.id)
        following = f", the first by {due.day} ({place})"
    yield f"{len(left)} of {len(incident.action_items)} action items{following}"


def _left_postmortem(incident: Incident, policy: Policy) -> Iterator[str]:
    paper = incident.postmortem
    if paper is not None and paper.status == incident_facts.FINAL:
        return
    if paper is None and not policy.requires_postmortem(incident):
        return
    done = (
        "The postmortem: nobody has begun it"
        if paper is None
        else f"The postmortem: {inline(paper.status.replace('_', ' '))}"
    )
    due = paper.due if paper and paper.due else None
    yield done + (f", due {spell_at(due, incident)}" if due else "")
