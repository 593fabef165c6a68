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

from incident_ops.domain import tracker
from incident_ops.domain.issue_places import spell_issue
from incident_ops.domain.record import Edit, Route, Set
from incident_ops.domain.time import UNKNOWN, is_date, parse_date, parse_instant, spell_instant
from incident_ops.edits.action_items import HORIZONS, set_status
from incident_ops.edits.step import change_row
from incident_ops.reconcile import generated_block
from incident_ops.reconcile.changes import EDIT, PEOPLE, Kept, KeyDecision, PlannedChange
from incident_ops.reconcile.desired import CLOSED_AS_DUPLICATE, COMPLETED, NOT_PLANNED, DesiredIssue

_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}", re.ASCII)
_LONGEST = 2_000  # characters the record takes for evidence
_BOT = "[bot]"

_DROPPED = {NOT_PLANNED: "closed as not planned", CLOSED_AS_DUPLICATE: "closed as a duplicate"}


def asks_who_acted(wanted: DesiredIssue, issue: tracker.Issue) -> bool:
    """True where it depends on who did what to an issue, and when, what is to be done about it."""
    was_closed = generated_block.parse_body(issue.body).was_closed
    if wanted.closed_as:
        return issue.is_open and (was_closed or issue.state_reason == "reopened")
    if not issue.is_open:
        return wanted.item is None and not was_closed
    if wanted.item is None:
        return False
    return bool(issue.assignees) if wanted.item.owner is None else bool(_missing_owner(wanted, issue))


def counts(login: str | None, snapshot: tracker.Snapshot) -> bool:
    """True for an owner, member or collaborator, whom the policy names, and a gone account; False for a bot."""
    if login is None:
        return True
    return not login.endswith(_BOT) and snapshot.members.get(login.casefold(), snapshot.source != tracker.GITHUB)


def closed_item(wanted: DesiredIssue, issue: tracker.Issue, snapshot: tracker.Snapshot) -> KeyDecision:
    """What follows from the closing of an open item's issue; what cannot be concluded is left, with the reason.

    Completed (or without a reason) is done, with who, when and the evidence; not planned and duplicate are wont_do.
    A bot's counts where a merged pull request or a commit closed the issue.
    """
    closing, item = snapshot.closings.get(issue.number), wanted.item
    if item is None or closing is None or wanted.record.is_pending:
        waits = "; the record is not merged yet" if wanted.record.is_pending else ""
        return _keep(wanted, issue, f"a person closed it, though {wanted.why}{waits}")
    if not (counts(closing.by, snapshot) or (closing.evidence and _is_bot(closing.by))):
        way = f"Open it again, or `incident-ops action done {item.id} {wanted.incident.id}` if it is done."
        return _ignored(wanted, issue, closing.by, "closed", way)
    handle = _handle(closing.by)
    how = _DROPPED.get(issue.state_reason or COMPLETED)
    fields: dict[str, str | None]
    if how is None:
        evidence = closing.evidence[:_LONGEST] if closing.evidence else None
        fields = {"status": "done", "done_at": closing.at or UNKNOWN, "done_by": handle, "evidence": evidence}
    else:
        by = f" by {handle or closing.by}" if closing.by else ""
        fields = {
            "status": "wont_do",
            "reason": f"{how}{by} on the tracker ({spell_issue(issue.number, wanted.repository)})",
        }
    edits = [Set(("action_items", wanted.record.item or 0, name), value) for name, value in fields.items() if value]
    return _edit(wanted, issue, f"{_name(closing.by)} {how or 'closed it as completed'}", closing.at, *edits)


def is_opened_later(wanted: DesiredIssue, issue: tracker.Issue, snapshot: tracker.Snapshot) -> bool:
    """True where the record opened an item again after a person had closed its issue."""
    closing = snapshot.closings.get(issue.number)
    opened = [parse_instant(row.at) for row in wanted.item.changes if row.field == "status"] if wanted.item else []
    return bool(closing and closing.at and opened and max(opened) > parse_instant(closing.at))


def closed_incident(wanted: DesiredIssue, issue: tracker.Issue, snapshot: tracker.Snapshot) -> tuple[str, str]:
    """Why the tracking issue of an incident that is not over is opened again, in a plan and on the issue."""
    act = _last(snapshot, issue, tracker.CLOSED_EVENT)
    who, name = _name(act.by if act else None), wanted.incident.id
    reason = f"{who} closed it, though {wanted.why}"
    if wanted.incident.is_closed:
        return reason, f"{who} closed this issue, and it is open again: {wanted.why}. It closes with the last of them."
    end = f"`incident-ops resolve {name}`, then `incident-ops close {name}`"
    return (
        reason,
        f"{who} closed this issue, and it is open again: {wanted.why}. An incident ends in its record: {end}.",
    )


def reopened(
    wanted: DesiredIssue, issue: tracker.Issue, snapshot: tracker.Snapshot, *, was_closed: bool
) -> KeyDecision | None:
    """What follows from an open issue of what the record says is over; None where nobody opened it again since.

    `was_closed`: the record had closed it.
    """
    act = _last(snapshot, issue, tracker.REOPENED_EVENT)
    item = wanted.item
    if not was_closed and (item is None or act is None or not _is_after_record(act, item.done_at)):
        return None
    if act is not None and item is not None and _is_before_record(act, item.done_at):
        return None
    who = _name(act.by if act else None)
    if act is not None and not counts(act.by, snapshot):
        return _ignored(wanted, issue, act.by, "reopened", "Close it again, or reopen it yourself if it is right.")
    if item is None or wanted.record.is_pending:
        way = f"`incident-ops reopen {wanted.incident.id}` reopens the record; otherwise close this issue again."
        reason = f"{who} reopened it, though {wanted.why}"
        return _keep(
            wanted, issue, reason, f"{who} reopened this issue, though {wanted.why}. {way}" if not item else ""
        )
    return _reopened_item(wanted, issue, act, who)


def _reopened_item(wanted: DesiredIssue, issue: tracker.Issue, act: tracker.Act | None, who: str) -> KeyDecision:
    item = wanted.incident.action_items[wanted.record.item or 0]
    says = f"done since {spell_instant(item.done_at)}" if item.status == "done" else "that it will not be done"
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
    """The keys of boxes in a tracking issue that people ticked and whose item or measure is not done in the record."""
    if wanted.item is not None or wanted.record.is_pending:
        return frozenset()
    undone = {item.id for item in wanted.incident.open_items} | {box for box, _, _ in _undone_measures(wanted)}
    return ticked_boxes(issue.body) & undone


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


def ticked(
    wanted: DesiredIssue, issue: tracker.Issue, above: tracker.Issue | None, snapshot: tracker.Snapshot
) -> KeyDecision:
    """What follows from ticked boxes in a tracking issue: items that are done, and measures.

    `above` is the tracking issue of the incident, None where it has none or people want it left alone.
    """
    if above is None or wanted.record.is_pending:
        return KeyDecision()
    if wanted.item is None:
        return _ticked_measures(wanted, above, snapshot)
    if not issue.is_open or not wanted.item.is_open or wanted.item.id not in ticked_boxes(above.body):
        return KeyDecision()
    return _ticked_item(wanted, issue, above, snapshot)


def _ticked_item(
    wanted: DesiredIssue, issue: tracker.Issue, above: tracker.Issue, snapshot: tracker.Snapshot
) -> KeyDecision:
    index = wanted.record.item or 0
    item = wanted.incident.action_items[index]
    box = spell_issue(above.number, snapshot.repository if wanted.repository else "")
    place = f"its box in {box}"
    act = snapshot.ticks.get(above.number, {}).get(item.id)
    if act is None or act.at is None:
        if above.number in snapshot.not_asked:
            return _keep(wanted, issue, f"{place} is ticked; the next run asks by whom")
        said = f"The box of this item in {box} is ticked, and nothing tells by whom"
        return _keep(
            wanted, issue, f"{place} is ticked, nobody knows by whom", f"{said}. Close this issue if it is done."
        )
    who = _name(act.by)
    if not counts(act.by, snapshot):
        why = _why_not(act.by)
        said = f"{who} ticked the box of this item in {box}, {why}. Close this issue if it is done."
        return _keep(wanted, issue, f"{who} ticked {place}, {why}", said)
    opened = [parse_instant(row.at) for row in item.changes if row.field == "status"]
    if opened and max(opened) > parse_instant(act.at):
        said = f"{who} ticked the box of this item in {box} before it was opened again. Untick it there."
        return _keep(wanted, issue, f"{who} ticked {place} before the record opened it again", said)
    fields = {"status": "done", "done_at": act.at, "done_by": _handle(act.by)}
    edits = [Set(("action_items", index, name), value) for name, value in fields.items() if value]
    return _edit(wanted, issue, f"{who} ticked {place}", act.at, *edits)


def _ticked_measures(wanted: DesiredIssue, issue: tracker.Issue, snapshot: tracker.Snapshot) -> KeyDecision:
    """One edit for all measures that people ticked; those of others are listed."""
    boxes, acts = ticked_boxes(issue.body), snapshot.ticks.get(issue.number, {})
    done: dict[Route, tracker.Act] = {}
    kept: list[Kept] = []
    for box, horizon, index in _undone_measures(wanted):
        act = acts.get(box)
        if box not in boxes or issue.number in snapshot.not_asked:
            continue
        if act is None or act.at is None or not counts(act.by, snapshot):
            why = _why_not(act.by) if act and act.at else "and nothing tells when"
            who = _name(act.by if act else None)
            kept.append(Kept(wanted.key, wanted.kind, issue.number, f"{who} ticked a prevention measure, {why}"))
        else:
            done["postmortem", "prevention", horizon, index, "done_at"] = act
    if not done:
        return KeyDecision(kept=tuple(kept))
    people = " and ".join(sorted({_name(act.by) for act in done.values()}))
    what = "a prevention measure" if len(done) == 1 else f"{len(done)} prevention measures"
    edits = [Set(route, act.at) for route, act in done.items()]
    last = max(act.at for act in done.values() if act.at)
    ticks = _edit(wanted, issue, f"{people} ticked {what}", last, *edits)
    return KeyDecision(ticks.changes, tuple(kept))


def _undone_measures(wanted: DesiredIssue) -> Iterator[tuple[str, str, int]]:
    """Box, horizon and place of each prevention measure that is not done."""
    if wanted.incident.postmortem is None:
        return
    for horizon in HORIZONS:
        for index, measure in enumerate(getattr(wanted.incident.postmortem.prevention, horizon)):
            if measure.done_at is None:
                yield measure_key(horizon, measure.text), horizon, index


def owner_removal(wanted: DesiredIssue, issue: tracker.Issue, snapshot: tracker.Snapshot) -> tracker.Act | None:
    """The act by which a person who counts took the owner of an open item off its issue, where it is the last word."""
    item, owner = wanted.item, _missing_owner(wanted, issue)
    if item is None or owner is None:
        return None
    act = _last(snapshot, issue, tracker.ASSIGNED_EVENT, tracker.UNASSIGNED_EVENT, whom=owner)
    if act is None or act.event != tracker.UNASSIGNED_EVENT or not counts(act.by, snapshot):
        return None
    return None if _is_older(act, _owner_changed(wanted)) else act


def leaves_owner_off(wanted: DesiredIssue, issue: tracker.Issue, snapshot: tracker.Snapshot) -> bool:
    """True where the owner of an item is not put back on its issue: a person took them off, or nobody knows yet."""
    return owner_removal(wanted, issue, snapshot) is not None or _is_not_asked(wanted, issue, snapshot)


def reassigned(wanted: DesiredIssue, issue: tracker.Issue, snapshot: tracker.Snapshot) -> KeyDecision:
    """What follows from the assignees of an open item's issue: a new owner, or that people have to say who it is."""
    item = wanted.item
    if item is None or wanted.record.is_pending or not asks_who_acted(wanted, issue):
        return KeyDecision()
    if _is_not_asked(wanted, issue, snapshot):
        return _keep(wanted, issue, "who was assigned is left for the next run, which asks about it")
    act = owner_removal(wanted, issue, snapshot)
    if item.owner is not None and act is None:
        return KeyDecision()
    found = [_last(snapshot, issue, tracker.ASSIGNED_EVENT, whom=login) for login in issue.assignees]
    given = [one for one in found if one and counts(one.by, snapshot) and not _is_older(one, _owner_changed(wanted))]
    new = _handle(given[0].whom) if len(given) == 1 else None
    if new is not None:
        return _new_owner(wanted, issue, new, act or given[0])
    if act is None:
        return KeyDecision()
    is_own = _name(act.by) == item.owner
    off = f"{item.owner} took themselves off" if is_own else f"{_name(act.by)} took {item.owner} off"
    state = "several people are assigned" if given else "nobody is assigned"
    edit = f"`incident-ops action edit {item.id} {wanted.incident.id} --owner @name` (`--owner -` for nobody)"
    way = f"Leave one person assigned to make them the owner, or name the owner in the record: {edit}."
    said = f"{off}, and {state}; the record says that {item.owner} owns this. {way}"
    return _keep(wanted, issue, f"{off}, and {state}; the record says that {item.owner} owns it", said)


def _new_owner(wanted: DesiredIssue, issue: tracker.Issue, new: str, act: tracker.Act) -> KeyDecision:
    index = wanted.record.item or 0
    item = wanted.incident.action_items[index]
    if act.at is None:
        return _keep(wanted, issue, f"{new} is assigned, nobody knows since when; the record names {item.owner}")
    note = f"assigned on the tracker ({spell_issue(issue.number, wanted.repository)})"
    route = ("action_items", index)
    row = change_row(parse_instant(act.at), "owner", item.owner, new, _handle(act.by), note, (*route, "changes"))
    instead = f" instead of {item.owner}" if item.owner else ""
    said = f"{_name(act.by)} assigned {new}{instead}"
    return _edit(wanted, issue, said, act.at, Set((*route, "owner"), new), row)


def _missing_owner(wanted: DesiredIssue, issue: tracker.Issue) -> str | None:
    """The login of an open item's owner where the issue is not assigned to them."""
    there = {login.casefold() for login in issue.assignees}
    return next((login for login in wanted.assignees if login.casefold() not in there), None)


def _is_not_asked(wanted: DesiredIssue, issue: tracker.Issue, snapshot: tracker.Snapshot) -> bool:
    """True where a run had no room to ask who assigned whom."""
    owner = _missing_owner(wanted, issue)
    can_be = owner is not None and owner.casefold() not in {login.casefold() for login in snapshot.unassignable}
    return wanted.item is not None and can_be and issue.number in snapshot.not_asked


def _owner_changed(wanted: DesiredIssue) -> datetime | None:
    """When the record last gave an item another owner."""
    rows = [row for row in wanted.item.changes if row.field == "owner"] if wanted.item else []
    return max((parse_instant(row.at) for row in rows), default=None)


def _last(
    snapshot: tracker.Snapshot, issue: tracker.Issue, *events: str, whom: str | None = None
) -> tracker.Act | None:
    """The last of the acts on an issue that is one of `events`, of `whom` where that is given."""
    found = (act for act in reversed(snapshot.acts.get(issue.number, ())) if act.event in events)
    return next((act for act in found if whom is None or (act.whom or "").casefold() == whom.casefold()), None)


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
        if _is_bot(login)
        else "but is not an owner, member or collaborator here, nor named in `access` of the policy"
    )


def _is_bot(login: str | None) -> bool:
    return login is not None and login.endswith(_BOT)


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
