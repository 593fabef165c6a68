"""What people write in a postmortem, and its way from draft over review to its final form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from incident_ops.domain.as_of import as_of
from incident_ops.domain.incident import Incident, Postmortem
from incident_ops.domain.people import is_same_person
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Append, Edit, Remove, Set
from incident_ops.domain.time import duration, parse_instant, spell_minute, stamp
from incident_ops.edits.action_items import NewItem, add_item
from incident_ops.edits.step import Step, join_steps, quote, said_texts, something_said, timeline_row
from incident_ops.errors import UserError
from incident_ops.sla.clocks import POSTMORTEM_FINAL, POSTMORTEM_MEETING, clocks

DRAFT, REVIEW, FINAL = "draft", "review", "final"
FOLLOW_UP = "Hold the follow-up review of the postmortem"
_LISTS = ("went_well", "went_poorly", "lucky")


@dataclass(frozen=True, slots=True)
class PostmortemFacts:
    """What somebody writes; what is not given stays as it is.

    `values` hold one value by the names of their fields; `lists` hold texts by the places of theirs, as
    ("lessons", "technical"), each as `said_texts` takes them; `prevention` holds measures by horizon.
    """

    values: Mapping[str, str]
    lists: Mapping[tuple[str, ...], Sequence[str]]
    prevention: Mapping[str, Sequence[str]]


NOTHING_WRITTEN = PostmortemFacts({}, {}, {})


def begin_postmortem(incident: Incident, policy: Policy, now: datetime, facts: PostmortemFacts) -> Step:
    """A draft with what is known of it, due when the policy says, by `who_writes` where nobody is named. UserError
    where there is one already."""
    if incident.postmortem is not None:
        hint = f"incident-ops postmortem edit {incident.id}"
        raise UserError(f"{incident.id} has a postmortem, in status {incident.postmortem.status}", hint=hint)
    return join_steps(
        Step((Set(("postmortem", "status"), DRAFT),), ("postmortem begun, status draft",), _unasked(incident, policy)),
        _written(incident, _with_known(incident, policy, now, facts)),
    )


def who_writes(incident: Incident) -> str | None:
    """Whose the postmortem is while nobody is named: the commander's, else that of whoever had it last."""
    named = (incident.roles.commander, *(entry.to for entry in reversed(incident.assignments)))
    return next((who for who in named if who and who.startswith("@")), None)


def _with_known(incident: Incident, policy: Policy, now: datetime, facts: PostmortemFacts) -> PostmortemFacts:
    writer, final = who_writes(incident), postmortem_due(incident, policy, now).get(POSTMORTEM_FINAL)
    lists = {("authors",): [writer], **facts.lists} if writer else facts.lists
    values = {**facts.values, "due": stamp(final)} if final else facts.values
    return PostmortemFacts(values, lists, facts.prevention)


def postmortem_due(incident: Incident, policy: Policy, now: datetime) -> dict[str, datetime]:
    """By the name of the clock, until when the postmortem's meeting and its final text are due; as far as the level
    asks for them. It hangs on the record alone, not on `now`."""
    found = clocks(as_of(incident, now), policy)
    return {one.clock: one.due for one in found if one.clock in (POSTMORTEM_MEETING, POSTMORTEM_FINAL) and one.due}


def _unasked(incident: Incident, policy: Policy) -> tuple[str, ...]:
    return () if policy.requires_postmortem(incident) else ("its level does not ask for a postmortem",)


def write_postmortem(incident: Incident, facts: PostmortemFacts) -> Step:
    """The postmortem with what is written; a draft where there is none yet. UserError once it is final."""
    _must_not_be_final(incident)
    new = Step(() if incident.postmortem else (Set(("postmortem", "status"), DRAFT),), ())
    return something_said(join_steps(new, _written(incident, facts)))


def reopen_postmortem(incident: Incident, now: datetime, by: str | None, reason: str, facts: PostmortemFacts) -> Step:
    """The postmortem is a draft again, with what is written; its approval is kept in the timeline alone, for what was
    approved is to change. UserError where there is none, or it is a draft."""
    paper = _there(incident)
    if paper.status == DRAFT:
        raise UserError(f"the postmortem of {incident.id} is a draft already", hint="leave out --reopen")
    known = [
        f"it was approved by {paper.approved_by}" if paper.approved_by else "",
        f"final since {paper.final_at}" if paper.final_at else "",
    ]
    before = ", ".join(text for text in known if text)
    moved = f"{paper.status} -> {DRAFT}"
    event = f"Postmortem: {moved}; {before}" if before else f"Postmortem: {moved}"
    edits: list[Edit] = [Set(("postmortem", "status"), DRAFT)]
    edits += [
        Remove(("postmortem", name)) for name in ("approved_by", "final_at", "reviewed_at") if getattr(paper, name)
    ]
    edits += [timeline_row(now, "decision", event, by, result=reason)]
    return join_steps(Step(tuple(edits), (f"postmortem: {moved}",)), _written(incident, facts))


def _written(incident: Incident, facts: PostmortemFacts) -> Step:
    paper = incident.postmortem or Postmortem(status=DRAFT)
    steps = [_value(paper, field, text) for field, text in facts.values.items()]
    for route, said in facts.lists.items():
        before: Any = paper
        for name in route:
            before = getattr(before, name)
        steps.append(said_texts(("postmortem", *route), before, said, " ".join(route).replace("_", " ")))
    for horizon, texts in facts.prevention.items():
        known = {measure.text for measure in getattr(paper.prevention, horizon)}
        fresh = [text for text in texts if text not in known]
        edits = tuple(Append(("postmortem", "prevention", horizon), {"text": text}) for text in fresh)
        steps.append(Step(edits, tuple(f"prevention, {horizon} term: {quote(text)}" for text in fresh)))
    return join_steps(*steps)


def _value(paper: Postmortem, field: str, text: str) -> Step:
    words = field.replace("_", " ")
    if getattr(paper, field) == text:
        return Step((), (f"{words}: {quote(text)} already; nothing changed",))
    return Step((Set(("postmortem", field), text),), (f"{words}: {quote(text)}",))


def review_postmortem(incident: Incident, reviewers: Sequence[str]) -> Step:
    """The postmortem goes to review. UserError where there is none, or it is final."""
    paper = _there(incident)
    _must_not_be_final(incident)
    move = () if paper.status == REVIEW else (Set(("postmortem", "status"), REVIEW),)
    said = ("postmortem: draft -> review",) if move else ()
    names = said_texts(("postmortem", "reviewers"), paper.reviewers, reviewers, "reviewer")
    command, has_reviewer = "incident-ops postmortem", bool(paper.reviewers or reviewers)
    ask = () if has_reviewer else (f"{command} review {incident.id} --reviewer @who",)
    then = (*ask, f"{command} final {incident.id} --approved-by @who")
    return something_said(join_steps(Step(move, said, then=then), names))


def finish_postmortem(
    incident: Incident,
    policy: Policy,
    now: datetime,
    approved_by: str,
    reviewers: Sequence[str],
    gates: Sequence[str] = (),
) -> Step:
    """The postmortem becomes final, approved by a person; where the policy says so, its follow-up becomes an item.

    Open quality `gates` and a meeting still to come do not stop it, and give a warning.
    UserError where there is none, it is final already, nobody reviewed it, or its author approves it.
    """
    paper = _there(incident)
    _must_not_be_final(incident)
    if not (paper.reviewers or reviewers):
        hint = f"incident-ops postmortem review {incident.id} --reviewer @handle, or --reviewer here"
        raise UserError("nobody has reviewed the postmortem", hint=hint)
    if len(paper.authors) == 1 and is_same_person(paper.authors[0], approved_by):
        raise UserError(f"{approved_by} wrote it, so somebody else has to approve it", hint="--approved-by @handle")
    names = said_texts(("postmortem", "reviewers"), paper.reviewers, reviewers, "reviewer")
    today = f"{now:%Y-%m-%d}"
    edits: list[Edit] = [Set(("postmortem", "status"), FINAL), Set(("postmortem", "approved_by"), approved_by)]
    edits += [Set(("postmortem", "final_at"), stamp(now))]
    edits += [] if paper.reviewed_at else [Set(("postmortem", "reviewed_at"), today)]
    said = (f"postmortem: {paper.status} -> final, approved by {approved_by}",)
    done = Step(tuple(edits), said, _too_early(incident, paper, now, gates), ("incident-ops render",))
    return join_steps(names, done, _follow_up(incident, policy, now, paper))


def _too_early(incident: Incident, paper: Postmortem, now: datetime, gates: Sequence[str]) -> tuple[str, ...]:
    """A warning with what is still missing from a postmortem that becomes final, and the way back."""
    ahead = paper.meeting is not None and parse_instant(paper.meeting) > now
    missing = [f"these quality gates are open: {', '.join(gates)}"] if gates else []
    if ahead and paper.meeting is not None:
        missing.append(f"its meeting is still to come, {spell_minute(parse_instant(paper.meeting))}")
    back = f'incident-ops postmortem edit {incident.id} --reopen "..."'
    return (f"final although {' and '.join(missing)}; back to draft: `{back}`",) if missing else ()


def _follow_up(incident: Incident, policy: Policy, now: datetime, paper: Postmortem) -> Step:
    after = policy.documents.follow_up
    if after is None or any(item.title == FOLLOW_UP for item in incident.action_items):
        return Step((), ())
    day = paper.follow_up_on or f"{now + timedelta(seconds=duration(after)):%Y-%m-%d}"
    owner = incident.roles.commander or next(iter(paper.authors), None)
    item = add_item(incident, policy, now, NewItem(title=FOLLOW_UP, owner=owner, due=day))
    kept = Step(() if paper.follow_up_on else (Set(("postmortem", "follow_up_on"), day),), ())
    return join_steps(kept, item)


def _there(incident: Incident) -> Postmortem:
    if incident.postmortem is None:
        raise UserError(f"{incident.id} has no postmortem", hint=f"incident-ops postmortem new {incident.id}")
    return incident.postmortem


def _must_not_be_final(incident: Incident) -> None:
    if incident.postmortem is not None and incident.postmortem.status == FINAL:
        hint = f'to change it, it goes back to draft: incident-ops postmortem edit {incident.id} --reopen "WHY"'
        raise UserError(f"the postmortem of {incident.id} is final", hint=hint)


def adopt_texts(incident: Incident, texts: Mapping[str, str]) -> Step:
    """The postmortem with texts by the names of its fields, where the record has none yet; a draft, where it is new.

    Of a list (`went_well`, `went_poorly`, `lucky`) each line that begins with `-` or `*` is an entry, and the others
    go on with the one above. A text for a field that is filled stays where it is.
    UserError once the postmortem is final.
    """
    _must_not_be_final(incident)
    paper = incident.postmortem or Postmortem(status=DRAFT)
    edits: list[Edit] = [] if incident.postmortem else [Set(("postmortem", "status"), DRAFT)]
    messages = []
    for field, text in texts.items():
        if field in _LISTS:
            fresh = [] if getattr(paper, field) else _entries(text)
            edits += [Append(("postmortem", field), line) for line in fresh]
        else:
            fresh = [] if getattr(paper, field) else [text]
            edits += [Set(("postmortem", field), line) for line in fresh]
        messages += [f"postmortem, {field.replace('_', ' ')}: {quote(line)}" for line in fresh]
    return Step(tuple(edits) if messages else (), tuple(messages))


def _entries(text: str) -> list[str]:
    entries: list[str] = []
    for line in text.splitlines():
        words = line.strip()
        if words[:2] in ("- ", "* ") or not entries:
            entries.append(words.removeprefix("- ").removeprefix("* ").strip())
        elif words:
            entries[-1] = f"{entries[-1]} {words}"
    return [entry for entry in entries if entry]
