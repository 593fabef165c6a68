"""A plan as text and as JSON (docs/contract.md#json): what is done, old -> new, and why.

The same plan gives the same bytes. What went
wrong in a run of `apply`, or was left for later, becomes lines for the error stream; so does what became of notices.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from incident_ops.domain.issue_places import spell_issue
from incident_ops.domain.time import stamp
from incident_ops.errors import IncidentOpsError, NoIssueYet, NotSetUp
from incident_ops.notifications.deliver import Delivered
from incident_ops.notifications.plan import SENT
from incident_ops.notifications.unset_channels import UnsetChannels
from incident_ops.reconcile.apply import APPLIED, Applied, Summary
from incident_ops.reconcile.changes import (
    CLOSE,
    CREATE,
    EDIT,
    LABEL,
    MILESTONE,
    NOTIFY,
    PROPOSAL,
    REOPEN,
    UPDATE,
    Kept,
    LeftAlone,
    PlannedChange,
)
from incident_ops.reconcile.limits import HeldChanges
from incident_ops.reconcile.plan import PLAN_SCHEMA, Plan
from incident_ops.reconcile.plan_difference import NO_BASIS, NextDue, PlanBasis
from incident_ops.reconcile.proposals import WAITING_IN
from incident_ops.render.findings import json_text, plural, quiet
from incident_ops.render.plan_fields import field_lines, shortened
from incident_ops.render.text import DEFAULT_WIDTH, Style, columns, cut_line, fold, fold_record, spell_due

_SIGNS = {CREATE: "+", UPDATE: "~", CLOSE: "-", REOPEN: "^", EDIT: "<", NOTIFY: "!"}
_VERBS = {NOTIFY: "send"}
_OTHER, _ISSUE = "*", "issue"
_SORTS = (
    (_ISSUE, UPDATE),
    (_ISSUE, REOPEN),
    (_ISSUE, CREATE),
    (_ISSUE, CLOSE),
    ("label", CREATE),
    ("milestone", CREATE),
    ("record", EDIT),
    ("proposal", EDIT),
    ("notice", NOTIFY),
)
MOST_DUE = 5
"""Clocks that a plan names as due next."""
_SHOWN = 3  # keys named for each reason that something is left unchanged


def plan_json(plan: Plan, basis: PlanBasis = NO_BASIS) -> str:
    """The plan as JSON text ending in a newline.

    `unread` is there only when something was unreadable; `base`, `dropped` and `due` only with a base, the checksum
    only without one. A change has `was` where the old values are known.
    """
    data: dict[str, object] = {"schema": PLAN_SCHEMA}
    data |= {"base": basis.commit} if basis.commit else {"checksum": plan.checksum}
    data["changes"] = [_change_row(change, basis) for change in plan.changes]
    if basis.commit:
        data["dropped"] = [_change_row(change, NO_BASIS) for change in basis.dropped]
        data["due"] = [
            {"incident": one.incident, "clock": one.clock, "due": stamp(one.due), "late": one.is_late}
            for one in basis.due
        ]
    data["kept"] = [
        {
            "key": kept.key,
            "kind": kept.kind,
            "number": kept.number,
            "reason": kept.reason,
            **_place(kept.repository),
        }
        for kept in plan.kept
    ]
    if plan.unread:
        data["unread"] = [
            {"path": record.path, "reason": record.reason, "numbers": list(record.numbers)} for record in plan.unread
        ]
    return json_text(data)


_ADDED, _REMOVED = "added", "removed"
_LINE_TONES = {"+ ": _ADDED, "- ": _REMOVED}
ACTION_COLOURS = {
    CREATE: "green",
    UPDATE: "yellow",
    EDIT: "yellow",
    CLOSE: "red",
    REOPEN: "cyan",
    NOTIFY: "magenta",
    _ADDED: "green",
    _REMOVED: "red",
}


def plan_text(
    plan: Plan,
    style: Style = lambda _, line: line,
    width: int = DEFAULT_WIDTH,
    *,
    is_verbose: bool = False,
    basis: PlanBasis = NO_BASIS,
) -> str:
    """The plan as lines of at most `width` columns (a longer path or key has a line of its own), ending in a newline.

    What is left unchanged is a line for each reason, long texts are cut with a count, and the keys of notices are left
    out, but for `is_verbose`. The tone of a change's first line is its action. No text of a record can steer a terminal
    or a runner of GitHub Actions.
    """
    lines = [*map(quiet, _top_lines(plan, basis, width))]
    labels = [change for change in plan.changes if change.kind == LABEL and change.action == CREATE]
    for change in plan.changes:
        if change in labels:
            shown = _label_lines(labels, width) if change == labels[0] else []
        else:
            shown = _change_lines(change, width, basis, is_verbose=is_verbose)
        for place, line in enumerate(map(quiet, shown)):
            lines.append(style(_line_tone(line) if place else change.action, line))
    lines += map(quiet, _dropped_lines(basis.dropped, width))
    lines += map(quiet, _due_lines(basis.due, width) if basis.commit else ())
    lines += map(quiet, _kept_lines(plan.kept, width, is_verbose=is_verbose))
    if plan.unread:
        lines += ["", f"Could not be read, left unchanged: {len(plan.unread)}"]
        for record in plan.unread:
            numbers = "".join(f" #{number}" for number in record.numbers)
            text = f"{record.path}: {record.reason}" + (f" (issues{numbers})" if numbers else "")
            lines += map(quiet, fold_record(text, "  ! ", "    ", width))
    if plan.changes and not basis.commit:
        lines += ["", f"Checksum {plan.checksum}"]
    return "\n".join(lines) + "\n"


def _line_tone(line: str) -> str:
    """The tone of a line below a change: what goes, what comes, or none."""
    return _LINE_TONES.get(line.lstrip()[:2], "")


def _top_lines(plan: Plan, basis: PlanBasis, width: int) -> list[str]:
    if not basis.commit:
        return fold(plan_headline(plan, basis.unsent), "", "  ", width)
    where = f"base {basis.revision}, {basis.commit[:7]}"
    if not plan.changes:
        return fold(nothing_added(where, len(basis.dropped)), "", "  ", width)
    return [
        *fold(f"On top of what would be done anyway ({where}):", "", "  ", width),
        *fold(plan_headline(plan, basis.unsent), "", "  ", width),
    ]


def nothing_added(where: str, dropped: int) -> str:
    """The headline of a change that adds nothing to what the plan of its base does, but may take away from it."""
    if dropped:
        return f"Nothing to add to what would be done anyway ({where}); {dropped:,} of it will no longer be done."
    return f"Nothing to do: this change adds nothing to what would be done anyway ({where})."


def plan_headline(plan: Plan, unsent: str = "") -> str:
    """One line: how many changes of each kind. `unsent` as of `PlanBasis`."""
    counts = Counter((_noun(change), change.action) for change in plan.changes)
    if not counts:
        return _nothing_to_do(plan)
    order = [sort for sort in _SORTS if counts[sort]]
    parts, before = [], ""
    for noun, action in (*order, *sorted(counts.keys() - order)):
        count = counts[noun, action]
        how_many = f"{count:,}" if noun == before == _ISSUE else plural(count, noun)
        kept_back = f"due, not sent ({unsent})" if unsent and action == NOTIFY else ""
        parts.append(f"{how_many} {kept_back or f'to {_VERBS.get(action, action)}'}")
        before = noun
    return f"{', '.join(parts)}."


def _nothing_to_do(plan: Plan) -> str:
    reasons = [kept.reason for kept in plan.kept if kept.reason.startswith(WAITING_IN)]
    waiting = sorted({int(reason.removeprefix(WAITING_IN)) for reason in reasons})
    if not waiting:
        return "Nothing to do: the tracker matches the records."
    pulls = ", ".join(f"#{number}" for number in waiting)
    return f"Nothing to do until {pulls} {'is' if len(waiting) == 1 else 'are'} merged."


def _noun(change: PlannedChange) -> str:
    """What a change is about."""
    if change.kind in (LABEL, MILESTONE, PROPOSAL):
        return change.kind
    return {EDIT: "record", NOTIFY: "notice"}.get(change.action, _ISSUE)


def applied_line(done: Applied) -> str:
    """One change that was carried out, e.g. `  + #4 create INC-1/AI-2`; one that was not says why."""
    outcome = "" if done.outcome == APPLIED else f": {done.outcome}" + (f": {done.error}" if done.error else "")
    repository = done.change.repository
    number = "" if done.number is None else f" {spell_issue(done.number, repository)}"
    if repository and not number:
        outcome = f" in {repository}{outcome}"
    return f"  {_SIGNS.get(done.change.action, _OTHER)}{number} {done.change.action} {done.change.key}{outcome}"


def delivered_lines(done: Sequence[Delivered], width: int = DEFAULT_WIDTH) -> list[str]:
    """A line for each notice and outcome, e.g. `  ! sent now: team by pager, slack: SEV1 INC-1: Login fails`; none for
    those whose channel is not set up, which `not_sent_lines` tells once. What an earlier run sent reads as that."""
    groups: dict[tuple[str, str, str], list[Delivered]] = {}
    for notice in done:
        if isinstance(notice.error, NotSetUp):
            continue
        why = f": {notice.error}" if notice.error is not None else ""
        groups.setdefault((notice.planned.message.key, notice.outcome, why), []).append(notice)
    lines: list[str] = []
    for (_, outcome, why), same in groups.items():
        message, channels = same[0].planned.message, ", ".join(notice.planned.message.channel for notice in same)
        word = "sent earlier" if outcome == SENT else outcome  # beside one that is still to go, it looked sent again
        text = f"{word}: {message.recipient} by {channels}: {message.subject}{why}"
        lines += fold_record(text, f"  {_SIGNS[NOTIFY]} ", "      ", width)
    return lines


def applied_json(
    plan: Plan,
    outcomes: Sequence[Applied],
    end: Summary,
    held: Sequence[HeldChanges],
    records: str,
    notices: Sequence[Delivered] = (),
) -> str:
    """A run as JSON text ending in a newline: each change with its outcome, what was held, what became of records and
    of notices."""
    data = {
        "schema": PLAN_SCHEMA,
        "checksum": plan.checksum,
        "done": end.done,
        "left": end.left,
        "failed": end.failed,
        "unknown": end.unknown,
        "changes": [_applied_row(applied) for applied in outcomes],
        "held": [{"reason": group.reason, "count": group.count, "flag": group.flag or None} for group in held],
        "records": records or None,
        "notices": [_delivered_row(notice) for notice in notices],
    }
    return json_text(data)


def _applied_row(applied: Applied) -> dict[str, object]:
    return {
        "action": applied.change.action,
        "kind": applied.change.kind,
        "key": applied.change.key,
        "number": applied.number,
        "outcome": applied.outcome,
        "error": str(applied.error) if applied.error else None,
        **_place(applied.change.repository),
    }


def _place(repository: str) -> dict[str, str]:
    """The repository of an issue where it is not with the tracking issues."""
    return {"repository": repository} if repository else {}


def _delivered_row(notice: Delivered) -> dict[str, object]:
    message = notice.planned.message
    return {
        "key": message.key,
        "recipient": message.recipient,
        "channel": message.channel,
        "outcome": notice.outcome,
        "error": str(notice.error) if notice.error is not None else None,
    }


def _change_row(change: PlannedChange, basis: PlanBasis) -> dict[str, object]:
    row: dict[str, object] = {
        "action": change.action,
        "kind": change.kind,
        "key": change.key,
        "number": change.number,
        "reason": change.reason,
        "fields": change.fields,
        **_place(change.repository),
    }
    was = {field.name: field.was for field in basis.fields(change, with_texts=False) if field.is_value}
    return {**row, "was": was} if was else row


def _change_lines(change: PlannedChange, width: int, basis: PlanBasis, *, is_verbose: bool) -> list[str]:
    head = f"  {_SIGNS.get(change.action, _OTHER)} {change.action} {_named(change)}"
    effect, fields = change_effect(change), basis.fields(change)
    if change.notice:
        action = "would notify" if basis.unsent else change.action
        lines = fold_record(f"{action} {effect}", f"  {_SIGNS[NOTIFY]} ", "      ", width)
        lines += [f"      {change.key}"] if is_verbose else []
        words = [f"| {line}" for line in change.notice.words.splitlines()]
        return [*lines, *shortened(words, "      ", width, is_verbose=is_verbose)]
    if fields:
        lines = fold_record(f"{head}: {change.reason}" if change.reason else head, "", "      ", width)
        return [*lines, *(line for field in fields for line in field_lines(field, width, is_verbose=is_verbose))]
    why = "" if change.action == CREATE else change.reason
    return [head, *fold_record(": ".join(part for part in (effect, why) if part), "      ", "      ", width)]


def _named(change: PlannedChange) -> str:
    """`#2 INC-1/AI-2`, `INC-1/AI-2 in acme/app` of a new issue there, `label ticket`."""
    if change.number is not None:
        return f"{change.issue_name} {change.key}"
    what = f"{change.kind} " if change.kind == LABEL else ""
    return what + in_its_place(change)


def in_its_place(change: PlannedChange) -> str:
    """The key, and the repository where that is not the one with the tracking issues."""
    return change.key + (f" in {change.repository}" if change.repository else "")


def _label_lines(changes: Sequence[PlannedChange], width: int) -> list[str]:
    """Labels to create as one line: they are no issues."""
    names = ", ".join(map(in_its_place, changes))
    return fold_record(f"{'label' if len(changes) == 1 else 'labels'} {names}", f"  {_SIGNS[CREATE]} ", "      ", width)


def _dropped_lines(dropped: Sequence[PlannedChange], width: int) -> list[str]:
    """What would be done without the change, and will not be done with it."""
    if not dropped:
        return []
    lines = ["", f"No longer to be done: {len(dropped)}"]
    for change in dropped:
        what = change_effect(change) if change.notice else f"{_named(change)}: {change_effect(change)}"
        lines += fold_record(f"x {change.action} {what}", "  ", "      ", width)
    return lines


def _due_lines(due: Sequence[NextDue], width: int) -> list[str]:
    if not due:
        return []
    lines = [
        f"  {spell_due(one.due)} UTC  {one.incident} {one.clock}{' (late)' * one.is_late}" for one in due[:MOST_DUE]
    ]
    more = [f"  ... {len(due) - MOST_DUE} more: incident-ops sla check"] if len(due) > MOST_DUE else []
    return ["", "Next due", *(cut_line(line, width) for line in (*lines, *more))]


def change_effect(change: PlannedChange) -> str:
    """What a change does: title and labels of a new issue, the reason of a closing, else the fields set."""
    fields = change.fields
    if change.action == CREATE and "title" in fields:
        labels = ", ".join(change.edit.labels or ())
        by = f", milestone: {change.edit.milestone}" if change.edit.milestone else ""
        return f"{str(fields['title']).removeprefix(change.key + ': ')} [{labels}]{by}"
    if change.milestone:
        return f"milestone, due {change.milestone.due}"
    if change.label:
        return change.label.description
    if change.notice:
        notice = change.notice
        held = f" (not sent: {notice.held})" if notice.held else ""
        return f"{notice.recipient} by {', '.join(notice.channels)}{held}: {notice.subject}"
    if change.action == CLOSE:
        return f"as {str(change.state_reason).replace('_', ' ')}"
    if change.action == EDIT:
        return ", ".join(str(edit.route[-1]) for edit in change.edits)
    return ", ".join(_shown_field(name, change) for name in _one_by_one(fields))


def _one_by_one(fields: Mapping[str, object]) -> list[str]:
    """The names of fields; labels, and people, that are added and taken off are one."""
    names = {
        "add_labels": "labels",
        "remove_labels": "labels",
        "add_assignees": "assignees",
        "remove_assignees": "assignees",
    }
    return list(dict.fromkeys(names.get(name, name) for name in fields))


def _shown_field(name: str, change: PlannedChange) -> str:
    """A field that is set; of labels and people also which: `labels +SEV1 -SEV2`; of a milestone also the old one."""
    edit = change.edit
    if name == "milestone":
        return f"milestone: {(change.seen and change.seen.milestone) or 'none'} -> {edit.milestone or 'none'}"
    added = {"labels": edit.add_labels, "assignees": edit.add_assignees}.get(name) or ()
    removed = {"labels": edit.remove_labels, "assignees": edit.remove_assignees}.get(name) or ()
    return " ".join([name, *(f"+{text}" for text in added), *(f"-{text}" for text in removed)])


def kept_by_reason(kept: tuple[Kept, ...]) -> dict[str, tuple[list[str], int]]:
    """Reason -> a few keys with the numbers of their issues, and how many more there are."""
    groups: dict[str, list[str]] = defaultdict(list)
    for issue in kept:
        groups[issue.reason].append(issue.name)
    return {reason: (keys[:_SHOWN], max(0, len(keys) - _SHOWN)) for reason, keys in groups.items()}


def _kept_lines(kept: tuple[Kept, ...], width: int, *, is_verbose: bool) -> list[str]:
    """What is left unchanged, by reason, each of them whole; without the keys of several where that takes a line more,
    but for `is_verbose`."""
    if not kept:
        return []
    lines, is_shortened = [], False
    for reason, (keys, more) in kept_by_reason(kept).items():
        rest = f" and {more} more" if more else ""
        named, count = ", ".join(keys) + rest, len(keys) + more
        text = f"{named}: {reason}" if count == 1 else f"{count}: {reason}: {named}"
        if not is_verbose and count > 1 and columns(text) + 4 > width:
            text, is_shortened = f"{count}: {reason}", True
        lines += fold_record(text, "  = ", "    ", width)
    how = " (-v names them)" if is_shortened else ""
    return ["", f"Left unchanged: {len(kept)}{how}", *lines]


def not_applied_lines(uncommitted: Sequence[str], unmerged: Sequence[str]) -> Iterator[str]:
    """What a run on GitHub leaves out because no commit has it, or none of the default branch."""
    for why, paths in (("not committed", uncommitted), ("not on the default branch", unmerged)):
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        if paths:
            yield f"note: {why}, so not applied: {', '.join(paths[:_SHOWN])}{more}"


def held_lines(
    held: Sequence[HeldChanges], errors: Sequence[IncidentOpsError], unread: Sequence[LeftAlone]
) -> Iterator[str]:
    """What the limits or the lock held back, what failed, and the records that could not be read."""
    yield from (f"held: {group.message}" for group in held)
    yield from (f"error: {error}" for error in errors)
    yield from (f"error: {left.path}: not read, its issues are left alone: {left.reason}" for left in unread)


def not_sent_lines(
    notices: Sequence[Delivered], ledger_error: IncidentOpsError | None, unset: UnsetChannels
) -> Iterator[str]:
    """The notices that were not sent, each cause once, and why the ledger does not know of all that was sent."""
    excused = [one for one in notices if isinstance(one.error, NotSetUp) and one.error.channel in unset.excused]
    yield from (f"error: {line}" for line in not_set_up_lines([one for one in notices if one not in excused]))
    yield from (f"warning: {line}" for line in not_set_up_lines(excused))
    if unset.without:
        yield f"note: only the preset names them; to use none of them, write into policy.yaml: {unset.without}"
    failed = [notice for notice in notices if notice.error is not None and not isinstance(notice.error, NotSetUp)]
    for cause in dict.fromkeys(str(notice.error) for notice in failed):
        same = [notice for notice in failed if str(notice.error) == cause]
        channels = ", ".join(sorted({notice.planned.message.channel for notice in same}))
        word = "note" if isinstance(same[0].error, NoIssueYet) else "error"
        yield f"{word}: {plural(len(same), 'notice')} by {channels} {same[0].outcome}: {cause}"
    if ledger_error is not None:
        yield f"error: the ledger does not know all that was sent: {ledger_error}"


def not_set_up_lines(notices: Sequence[Delivered]) -> Iterator[str]:
    """One line a channel that is not set up: what to set, and how many notices wait for it."""
    causes = Counter(str(notice.error) for notice in notices if isinstance(notice.error, NotSetUp))
    for cause, count in causes.items():
        yield f"{cause}; {plural(count, 'notice')} {'waits' if count == 1 else 'wait'} for it"
