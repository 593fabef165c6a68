"""What people did on an issue: the edits of its record that follow, and what does not count, with the reason. Pure.

The later of two contradicting acts counts: a person's on the issue, or the change of the record. Where a date is
missing the person's counts, because the issue was in step with the record before they acted. A person counts where the
tracker names them owner, member or collaborator, or the policy does.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time
from functools import lru_cache
from itertools import takewhile
from typing import NamedTuple

from incident_ops.domain import tracker
from incident_ops.domain.incident import ActionItem
from incident_ops.domain.issue_places import spell_issue
from incident_ops.domain.record import Edit, Record, Route, Set
from incident_ops.domain.time import UNKNOWN, is_date, parse_date, parse_instant, spell_instant
from incident_ops.edits.action_items import HORIZONS, drop_item, finish_item, set_status
from incident_ops.edits.step import change_row, quote
from incident_ops.reconcile import generated_block
from incident_ops.reconcile.ack_box import Ticked, ack_box, asked_ack_box
from incident_ops.reconcile.changes import EDIT, PEOPLE, Kept, KeyDecision, PlannedChange, join_decisions
from incident_ops.reconcile.desired import CLOSED_AS_DUPLICATE, COMPLETED, NOT_PLANNED, DesiredIssue

_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}", re.ASCII)
_LONGEST = 2_000  # characters the record takes for evidence
_BOT = "[bot]"
_UNDATED = datetime.min.replace(tzinfo=UTC)
_NEXT_RUN = "is left for the next run, which asks about it"

_DROPPED = {NOT_PLANNED: "closed as not planned", CLOSED_AS_DUPLICATE: "closed as a duplicate"}


class Acts(NamedTuple):
    """What was done on issues, as it was seen, and who counts.

    `identities` are the case-folded logins that the automation writes as: a bot, or a person who runs it. `returning`
    are the incidents whose record another edit of the run reopens, `named` the logins that the policy lets count.
    """

    snapshot: tracker.Snapshot
    identities: frozenset[str] = frozenset()
    returning: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()

    def is_ours(self, login: str | None) -> bool:
        """True for a login that the automation writes as; asked where it may itself have done such a thing."""
        return login is not None and login.casefold() in self.identities

    def count(self, login: str | None) -> bool:
        """True for those of an owner, member or collaborator, of whom the policy names, and of an account that is
        gone; False for a bot's."""
        if login is None:
            return True
        is_member = self.snapshot.members.get(login.casefold(), self.snapshot.source != tracker.GITHUB)
        return (is_member or login.casefold() in self.named) and not is_bot(login)

    def last(self, issue: tracker.Issue, *events: str, whom: str | None = None) -> tracker.Act | None:
        """The last on an issue that is one of `events`, of `whom` where that is given."""
        known = reversed(self.snapshot.acts.get(issue.number, ()))
        found = (act for act in known if act.event in events)
        return next((act for act in found if whom is None or (act.whom or "").casefold() == whom.casefold()), None)

    def tick(self, issue: tracker.Issue, box: str) -> tracker.Act | None:
        """The ticking of a box in the text of an issue, where it is known when, and it was not our own edit."""
        act = self.snapshot.ticks.get(issue.number, {}).get(box)
        return act if act and act.at and not self.is_ours(act.by) else None

    def are_unknown(self, issue: tracker.Issue) -> bool:
        """True where a run had no room to ask about an issue."""
        return issue.number in self.snapshot.not_asked


def is_bot(login: str | None) -> bool:
    """True for a login of an app."""
    return login is not None and login.endswith(_BOT)


def asks_who_acted(wanted: DesiredIssue, issue: tracker.Issue) -> bool:
    """True where it depends on who did what to an issue, and when, what is to be done about it."""
    was_closed = generated_block.parse_body(issue.body).was_closed
    if _has_label_back(wanted, issue):
        return True
    if wanted.closed_as:
        return issue.is_open and (was_closed or issue.state_reason == "reopened")
    if not issue.is_open:
        return wanted.item is None and not was_closed
    if wanted.item is None:
        return False
    return bool(issue.assignees) if wanted.item.owner is None else bool(_missing_owner(wanted, issue))


def closed_item(wanted: DesiredIssue, issue: tracker.Issue, acts: Acts) -> KeyDecision:
    """What follows from the closing of an open item's issue; what cannot be concluded is left, with the reason.

    Completed (or without a reason) is done, with who, when and the evidence; not planned and duplicate are wont_do.
    A bot's counts where a merged pull request or a commit closed the issue.
    """
    closing, item = acts.snapshot.closings.get(issue.number), wanted.item
    if closing is None and acts.are_unknown(issue):
        return _keep(wanted, issue, f"who closed it {_NEXT_RUN}")
    if item is None or closing is None or wanted.record.is_pending:
        waits = "; the record is not merged yet" if wanted.record.is_pending else ""
        return _keep(wanted, issue, f"a person closed it, though {wanted.why}{waits}")
    if not (acts.count(closing.by) or (closing.evidence and is_bot(closing.by))):
        way = f"Open it again, or `incident-ops action done {item.id} {wanted.incident.id}` if it is done."
        return _ignored(wanted, issue, closing.by, "closed", way)
    handle = _handle(closing.by)
    how = _DROPPED.get(issue.state_reason or COMPLETED)
    if how is None:
        evidence = closing.evidence[:_LONGEST] if closing.evidence else None
        step = finish_item(wanted.incident, _UNDATED, handle, item.id, evidence, closing.at or UNKNOWN)
    else:
        by = f" by {handle or closing.by}" if closing.by else ""
        place = spell_issue(issue.number, wanted.repository)
        step = drop_item(wanted.incident, item.id, f"{how}{by} on the tracker ({place})")
    return _edit(wanted, issue, f"{_name(closing.by)} {how or 'closed it as completed'}", closing.at, *step.edits)


def is_opened_later(wanted: DesiredIssue, issue: tracker.Issue, acts: Acts) -> bool:
    """True where the record opened an item again after a person had closed its issue."""
    closing = acts.snapshot.closings.get(issue.number)
    opened = [parse_instant(row.at) for row in wanted.item.changes if row.field == "status"] if wanted.item else []
    return bool(closing and closing.at and opened and max(opened) > parse_instant(closing.at))


def closed_incident(wanted: DesiredIssue, issue: tracker.Issue, acts: Acts) -> tuple[str, str]:
    """Why the tracking issue of an incident that is not over is opened again, in a plan and on the issue."""
    act = acts.last(issue, tracker.CLOSED_EVENT)
    who, name = _name(act.by if act else None), wanted.incident.id
    reason = f"{who} closed it, though {wanted.why}"
    if wanted.incident.is_closed:
        return reason, f"{who} closed this issue, and it is open again: {wanted.why}. It closes with the last of them."
    end = f"`incident-ops resolve {name}`, then `incident-ops close {name}`"
    return (
        reason,
        f"{who} closed this issue, and it is open again: {wanted.why}. An incident ends in its record: {end}.",
    )


def reopened(wanted: DesiredIssue, issue: tracker.Issue, acts: Acts, *, was_closed: bool) -> KeyDecision | None:
    """What follows from an open issue of what the record says is over; None where nobody opened it again since.

    `was_closed`: the record had closed it.
    """
    act = acts.last(issue, tracker.REOPENED_EVENT)
    item = wanted.item
    if acts.are_unknown(issue) and asks_who_acted(wanted, issue):
        return _keep(wanted, issue, f"who reopened it {_NEXT_RUN}")
    if not was_closed and (item is None or act is None or not _is_after_record(act, item.done_at)):
        return None
    if not was_closed and act is not None and acts.is_ours(act.by):
        return None
    if act is not None and item is not None and _is_before_record(act, item.done_at):
        return None
    who = _name(act.by if act else None)
    if act is not None and not acts.count(act.by):
        way = "Close it again, or reopen it yourself if it is right."
        return _ignored(wanted, issue, act.by, "reopened", way)
    if item is None and wanted.incident.id in acts.returning:
        return _keep(wanted, issue, f"{who} reopened it in time, so its record follows")
    if item is None or wanted.record.is_pending:
        way = f"`incident-ops reopen {wanted.incident.id}` reopens the record; otherwise close this issue again."
        reason = f"{who} reopened it, though {wanted.why}"
        return _keep(
            wanted, issue, reason, f"{who} reopened this issue, though {wanted.why}. {way}" if not item else ""
        )
    return _reopened_item(wanted, issue, act, who)


def is_brought_back(issue: tracker.Issue, acts: Acts) -> bool:
    """True where a person who counts reopened a tracking issue that the record had closed."""
    if not issue.is_open or acts.are_unknown(issue) or not generated_block.parse_body(issue.body).was_closed:
        return False
    act = acts.last(issue, tracker.REOPENED_EVENT)
    return act is None or acts.count(act.by)


def labelled_back(wanted: DesiredIssue, issue: tracker.Issue, acts: Acts) -> tracker.Act | None:
    """The act by which a person who counts set the label that brings a closed incident back."""
    if not _has_label_back(wanted, issue) or acts.are_unknown(issue):
        return None
    act = acts.last(issue, tracker.LABELED_EVENT, whom=wanted.back_by)
    return act if act and act.at and acts.count(act.by) and not acts.is_ours(act.by) else None


def ignored_label(wanted: DesiredIssue, issue: tracker.Issue, acts: Acts) -> KeyDecision:
    """Why the label that brings a closed incident back does not, where nobody who counts set it."""
    act = acts.last(issue, tracker.LABELED_EVENT, whom=wanted.back_by) if _has_label_back(wanted, issue) else None
    if act is None or acts.are_unknown(issue) or labelled_back(wanted, issue, acts):
        return KeyDecision()
    why = _why_ours(act.by) if acts.count(act.by) else _why_not(act.by)
    reason = f"{_name(act.by)} set the label {wanted.back_by}, {why}"
    return _keep(wanted, issue, reason, f"{reason}. `incident-ops reopen {wanted.incident.id}` brings it back.")


def _has_label_back(wanted: DesiredIssue, issue: tracker.Issue) -> bool:
    return bool(wanted.back_by) and wanted.back_by.casefold() in {label.casefold() for label in issue.labels}


def _reopened_item(wanted: DesiredIssue, issue: tracker.Issue, act: tracker.Act | None, who: str) -> KeyDecision:
    item = wanted.incident.action_items[wanted.record.item or 0]
    is_dated = item.done_at is not None and item.done_at != UNKNOWN
    done = f"it has been done since {spell_instant(item.done_at)}" if is_dated else "it is done"
    says = done if item.status == "done" else "that it will not be done"
    if act is None or act.at is None:
        way = f"`incident-ops action edit {item.id} {wanted.incident.id} --status open` opens the item again; "
        said = f"{who} reopened this issue; the record says {says}. {way}otherwise close this issue."
        return _keep(wanted, issue, f"{who} reopened it, though {wanted.why}", said)
    step = set_status(
        wanted.incident,
        parse_instant(act.at),
        _handle(act.by),
        item.id,
        "open",
        f"reopened on the tracker ({spell_issue(issue.number, wanted.repository)})",
    )
    way = "Merge the proposal that opens the item again, or close this issue and the record stays as it is."
    said = f"{who} reopened this issue ({spell_instant(act.at)}); the record says {says}. {way}"
    return _edit(wanted, issue, f"{who} reopened it; the record says {says}", act.at, *step.edits, said=said)


def measure_key(horizon: str, text: str) -> str:
    """The key of a prevention measure's box: a measure has no id, and a tick stays with its text."""
    return f"prevention/{horizon}/{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def boxes_to_ask_about(wanted: DesiredIssue, issue: tracker.Issue) -> frozenset[str]:
    """The keys of boxes in a tracking issue that people ticked and that the record does not have yet: items, measures,
    and that somebody has the incident."""
    if wanted.item is not None or wanted.record.is_pending:
        return frozenset()
    undone = {item.id for item in wanted.incident.open_items} | {box for box, _, _ in _undone_measures(wanted)}
    return ticked_boxes(issue.body) & (undone | asked_ack_box(wanted.incident))


@lru_cache(maxsize=256)  # once for a tracking issue, not for each of its items
def ticked_boxes(body: str) -> frozenset[str]:
    """The keys of the boxes that people ticked in a body."""
    return generated_block.ticked(generated_block.parse_body(body).block or "")


def who_ticked(edits: Sequence[tracker.BodyEdit], keys: Iterable[str]) -> dict[str, tracker.Act]:
    """The first of the last edits in which a box was ticked, by its key; without those that no edit shows ticked."""
    texts = [(edit, ticked_boxes(edit.body)) for edit in reversed(edits)]
    found = {key: [edit for edit, _ in takewhile(lambda text: key in text[1], texts)] for key in keys}  # noqa: B023
    return {
        key: tracker.Act(tracker.TICKED, ticking[-1].by, ticking[-1].at) for key, ticking in found.items() if ticking
    }


def ticked(wanted: DesiredIssue, issue: tracker.Issue, above: tracker.Issue | None, acts: Acts) -> KeyDecision:
    """What follows from ticked boxes in a tracking issue: items that are done, and measures.

    `above` is the tracking issue of the incident, None where it has none or people want it left alone.
    """
    if above is None or wanted.record.is_pending:
        return KeyDecision()
    if wanted.item is None:
        return _ticked_measures(wanted, above, acts)
    if not issue.is_open or not wanted.item.is_open or wanted.item.id not in ticked_boxes(above.body):
        return KeyDecision()
    return _ticked_item(wanted, issue, wanted.item, above, acts)


def _ticked_item(
    wanted: DesiredIssue, issue: tracker.Issue, item: ActionItem, above: tracker.Issue, acts: Acts
) -> KeyDecision:
    box = spell_issue(above.number, acts.snapshot.repository if wanted.repository else "")
    place, act = f"its box in {box}", acts.tick(above, item.id)
    if act is None or act.at is None:
        if acts.are_unknown(above):
            return _keep(wanted, issue, f"{place} is ticked; the next run asks by whom")
        said = f"The box of this item in {box} is ticked, and nothing tells by whom"
        return _keep(
            wanted, issue, f"{place} is ticked, nobody knows by whom", f"{said}. Close this issue if it is done."
        )
    who = _name(act.by)
    if not acts.count(act.by):
        why = _why_not(act.by)
        said = f"{who} ticked the box of this item in {box}, {why}. Close this issue if it is done."
        return _keep(wanted, issue, f"{who} ticked {place}, {why}", said)
    opened = [parse_instant(row.at) for row in item.changes if row.field == "status"]
    if opened and max(opened) > parse_instant(act.at):
        said = f"{who} ticked the box of this item in {box} before it was opened again. Untick it there."
        return _keep(wanted, issue, f"{who} ticked {place} before the record opened it again", said)
    step = finish_item(wanted.incident, parse_instant(act.at), _handle(act.by), item.id, None, act.at)
    return _edit(wanted, issue, f"{who} ticked {place}", act.at, *step.edits)


def ticked_ack(record: Record, issue: tracker.Issue, acts: Acts) -> Ticked | None:
    """The ticking of the box that acknowledges an incident; None where it is not ticked, or nobody was asked."""
    incident, key = record.incident, ack_box(record.incident)
    if record.pending or acts.are_unknown(issue) or not {key} & asked_ack_box(incident) & ticked_boxes(issue.body):
        return None
    act = acts.snapshot.ticks.get(issue.number, {}).get(key)
    by = act.by if act else None
    why = _why_ours(by) if acts.is_ours(by) else "" if act is None or acts.count(by) else _why_not(by)
    return Ticked(issue.number, act, why, _handle(by))


def _ticked_measures(wanted: DesiredIssue, issue: tracker.Issue, acts: Acts) -> KeyDecision:
    """An edit for each measure that a person ticked; those of others are left, and said."""
    boxes = ticked_boxes(issue.body)
    found = [(box, text, route) for box, text, route in _undone_measures(wanted) if box in boxes]
    if found and acts.are_unknown(issue):
        return _keep(wanted, issue, f"who ticked prevention measures {_NEXT_RUN}")
    return join_decisions(
        _ticked_measure(wanted, issue, text, route, acts.tick(issue, box), acts) for box, text, route in found
    )


def _ticked_measure(
    wanted: DesiredIssue, issue: tracker.Issue, text: str, route: Route, act: tracker.Act | None, acts: Acts
) -> KeyDecision:
    what = f"the prevention measure '{quote(text)}'"
    if act is None:
        reason = f"{what} is ticked, nobody knows by whom"
        return _keep(wanted, issue, reason, f"The box of {what} is ticked, and nothing tells by whom. Tick it anew.")
    reason = f"{_name(act.by)} ticked {what}"
    if not acts.count(act.by):
        why = _why_not(act.by)
        return _keep(wanted, issue, f"{reason}, {why}", f"{reason}, {why}. If it is done, untick it and tick it anew.")
    return _edit(wanted, issue, reason, act.at, Set(route, act.at))


def _undone_measures(wanted: DesiredIssue) -> Iterator[tuple[str, str, Route]]:
    """Box, text and date's place of each prevention measure that is not done."""
    if wanted.incident.postmortem is None:
        return
    for horizon in HORIZONS:
        for index, measure in enumerate(getattr(wanted.incident.postmortem.prevention, horizon)):
            if measure.done_at is None:
                route = ("postmortem", "prevention", horizon, index, "done_at")
                yield measure_key(horizon, measure.text), measure.text, route


def owner_removal(wanted: DesiredIssue, issue: tracker.Issue, acts: Acts) -> tracker.Act | None:
    """The act by which a person who counts took the owner of an open item off its issue, where it is the last word."""
    item, owner = wanted.item, _missing_owner(wanted, issue)
    if item is None or owner is None:
        return None
    act = acts.last(issue, tracker.ASSIGNED_EVENT, tracker.UNASSIGNED_EVENT, whom=owner)
    if act is None or act.event != tracker.UNASSIGNED_EVENT or not acts.count(act.by):
        return None
    return None if _is_older(act, _owner_changed(wanted)) else act


def leaves_owner_off(wanted: DesiredIssue, issue: tracker.Issue, acts: Acts) -> bool:
    """True where the owner of an item is not put back on its issue: a person took them off, or nobody knows yet."""
    return owner_removal(wanted, issue, acts) is not None or _is_not_asked(wanted, issue, acts)


def reassigned(wanted: DesiredIssue, issue: tracker.Issue, acts: Acts) -> KeyDecision:
    """What follows from the assignees of an open item's issue: a new owner, or that people have to say who it is."""
    item = wanted.item
    if item is None or wanted.record.is_pending or not asks_who_acted(wanted, issue):
        return KeyDecision()
    if _is_not_asked(wanted, issue, acts):
        return _keep(wanted, issue, f"who was assigned {_NEXT_RUN}")
    act = owner_removal(wanted, issue, acts)
    if item.owner is not None and act is None:
        return KeyDecision()
    found = [acts.last(issue, tracker.ASSIGNED_EVENT, whom=login) for login in issue.assignees]
    theirs = [one for one in found if one and acts.count(one.by) and not acts.is_ours(one.by)]
    given = [one for one in theirs if not _is_older(one, _owner_changed(wanted))]
    new = _handle(given[0].whom) if len(given) == 1 else None
    if new is not None:
        return _new_owner(wanted, issue, new, given[0], act)
    if act is None:
        return KeyDecision()
    is_own = _name(act.by) == item.owner
    off = f"{item.owner} took themselves off" if is_own else f"{_name(act.by)} took {item.owner} off"
    state = _who_is_assigned(issue, given)
    edit = f"`incident-ops action edit {item.id} {wanted.incident.id} --owner @name` (`--owner -` for nobody)"
    way = f"Leave one person assigned to make them the owner, or name the owner in the record: {edit}."
    said = f"{off}, and {state}; the record says that {item.owner} owns this. {way}"
    return _keep(wanted, issue, f"{off}, and {state}; the record says that {item.owner} owns it", said)


def _who_is_assigned(issue: tracker.Issue, given: Sequence[tracker.Act]) -> str:
    """Why no owner follows from the assignees; `given` are the acts that count."""
    if len(issue.assignees) != 1:
        return "several people are assigned" if issue.assignees else "nobody is assigned"
    why = "whose name no record takes" if given else "by nobody who counts here"
    return f"{_name(issue.assignees[0])} is assigned, {why}"


def _new_owner(
    wanted: DesiredIssue, issue: tracker.Issue, new: str, given: tracker.Act, removal: tracker.Act | None
) -> KeyDecision:
    """The edit that gives an item its new owner; the later of the two acts brought it about."""
    index = wanted.record.item or 0
    item = wanted.incident.action_items[index]
    is_left = removal is not None and removal.at is not None and (given.at is None or given.at < removal.at)
    act = removal if removal is not None and is_left else given
    if act.at is None:
        return _keep(wanted, issue, f"{new} is assigned, nobody knows since when; the record names {item.owner}")
    note = f"assigned on the tracker ({spell_issue(issue.number, wanted.repository)})"
    route = ("action_items", index)
    row = change_row(parse_instant(act.at), "owner", item.owner, new, _handle(act.by), note, (*route, "changes"))
    instead = f" instead of {item.owner}" if item.owner else ""
    did = f"took {item.owner} off and left {new}" if is_left else f"assigned {new}{instead}"
    return _edit(wanted, issue, f"{_name(act.by)} {did}", act.at, Set((*route, "owner"), new), row)


def _missing_owner(wanted: DesiredIssue, issue: tracker.Issue) -> str | None:
    """The login of an open item's owner where the issue is not assigned to them."""
    there = {login.casefold() for login in issue.assignees}
    return next((login for login in wanted.assignees if login.casefold() not in there), None)


def _is_not_asked(wanted: DesiredIssue, issue: tracker.Issue, acts: Acts) -> bool:
    """True where a run had no room to ask who assigned whom."""
    owner = _missing_owner(wanted, issue)
    can_be = owner is not None and owner.casefold() not in {login.casefold() for login in acts.snapshot.unassignable}
    return wanted.item is not None and can_be and acts.are_unknown(issue)


def _owner_changed(wanted: DesiredIssue) -> datetime | None:
    """When the record last gave an item another owner."""
    rows = [row for row in wanted.item.changes if row.field == "owner"] if wanted.item else []
    return max((parse_instant(row.at) for row in rows), default=None)


def _is_older(act: tracker.Act, at: datetime | None) -> bool:
    return act.at is not None and at is not None and parse_instant(act.at) < at


def _is_after_record(act: tracker.Act, done_at: str | None) -> bool:
    """True where an act came surely later than the day or the instant that the record gives."""
    until = _instant(done_at, time.max)
    return act.at is not None and until is not None and parse_instant(act.at) > until


def _is_before_record(act: tracker.Act, done_at: str | None) -> bool:
    """True where an act came surely before it."""
    return _is_older(act, _instant(done_at, time.min))


def _instant(text: str | None, of_day: time) -> datetime | None:
    if text is None or text == UNKNOWN:
        return None
    return datetime.combine(parse_date(text), of_day, UTC) if is_date(text) else parse_instant(text)


def _ignored(wanted: DesiredIssue, issue: tracker.Issue, login: str | None, did: str, way: str) -> KeyDecision:
    why = _why_not(login)
    said = f"{_name(login)} {did} this issue, {why}; {wanted.why}. {way}"
    return _keep(wanted, issue, f"{_name(login)} {did} it, {why}; {wanted.why}", said)


def _why_not(login: str | None) -> str:
    return (
        "but only what people do counts"
        if is_bot(login)
        else "but is not an owner, member or collaborator here, nor named in `access` of the policy"
    )


def _why_ours(login: str | None) -> str:
    return f"but the automation writes as {_name(login)}, so that it does not count"


def _handle(login: str | None) -> str | None:
    """What the record takes for a person."""
    return f"@{login}" if login and _LOGIN.fullmatch(login) else None


def _name(login: str | None) -> str:
    return f"@{login}" if login else "a person"


def _edit(
    wanted: DesiredIssue, issue: tracker.Issue, reason: str, at: str | None, *edits: Edit, said: str = ""
) -> KeyDecision:
    change = PlannedChange(
        EDIT,
        wanted.kind,
        wanted.key,
        issue.number,
        reason,
        path=wanted.record.path,
        edits=edits,
        topic=PEOPLE,
        at=at,
        said=said,
    )
    return KeyDecision((change,))


def _keep(wanted: DesiredIssue, issue: tracker.Issue, reason: str, said: str = "") -> KeyDecision:
    return KeyDecision(kept=(Kept(wanted.key, wanted.kind, issue.number, reason, said),))
