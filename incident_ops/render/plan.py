"""A plan as text of 80 columns, as JSON (docs/contract.md#json), and as the comment that a reviewer reads.

The same plan gives the same bytes. Texts of records and trackers are inert in the comment: they link nothing. What went
wrong in a run of `apply`, or was left for later, becomes lines for the error stream; so does what became of notices.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from incident_ops.documents.markdown import code, inline, markdown_table
from incident_ops.errors import IncidentOpsError
from incident_ops.notifications.deliver import Delivered
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
from incident_ops.reconcile.proposals import WAITING_IN
from incident_ops.render.findings import inert, inert_lines, json_text, plural
from incident_ops.render.text import DEFAULT_WIDTH, Style, columns, cut_line, fold, fold_record

_SIGNS = {CREATE: "+", UPDATE: "~", CLOSE: "-", REOPEN: "^", EDIT: "<", NOTIFY: "!"}
_VERBS = {NOTIFY: "send"}
_OTHER = "*"
_SORTS = (
    ("", UPDATE),
    ("", REOPEN),
    ("", CREATE),
    ("", CLOSE),
    ("label", CREATE),
    ("milestone", CREATE),
    ("record", EDIT),
    ("proposal", EDIT),
    ("notice", NOTIFY),
)
_SHOWN = 3  # keys named for each reason that something is left unchanged


def plan_json(plan: Plan) -> str:
    """The plan as JSON text ending in a newline; `unread` is there only when something was unreadable."""
    data: dict[str, object] = {
        "schema": PLAN_SCHEMA,
        "checksum": plan.checksum,
        "changes": [_change_row(change) for change in plan.changes],
        "kept": [
            {"key": kept.key, "kind": kept.kind, "number": kept.number, "reason": kept.reason} for kept in plan.kept
        ],
    }
    if plan.unread:
        data["unread"] = [
            {"path": record.path, "reason": record.reason, "numbers": list(record.numbers)} for record in plan.unread
        ]
    return json_text(data)


ACTION_COLOURS = {CREATE: "green", UPDATE: "yellow", EDIT: "yellow", CLOSE: "red", REOPEN: "cyan", NOTIFY: "magenta"}


def plan_text(
    plan: Plan, style: Style = lambda _, line: line, width: int = DEFAULT_WIDTH, *, is_verbose: bool = False
) -> str:
    """The plan as lines of at most `width` columns (a longer path or key has a line of its own), ending in a newline.

    What is left unchanged is a line for each reason, and the keys of notices are left out, but for `is_verbose`. The
    tone of a change's first line is its action. No text of a record can steer a terminal.
    """
    lines = fold(plan_headline(plan), "", "  ", width)
    for change in plan.changes:
        first, *rest = map(inert, _change_lines(change, width, with_key=is_verbose))
        lines += [style(change.action, first), *rest]
    lines += map(inert, _kept_lines(plan.kept, width, is_verbose=is_verbose))
    if plan.unread:
        lines += ["", f"Could not be read, left unchanged: {len(plan.unread)}"]
        for record in plan.unread:
            numbers = "".join(f" #{number}" for number in record.numbers)
            text = f"{record.path}: {record.reason}" + (f" (issues{numbers})" if numbers else "")
            lines += map(inert, fold_record(text, "  ! ", "    ", width))
    if plan.changes:
        lines += ["", f"Checksum {plan.checksum}"]
    return "\n".join(lines) + "\n"


def plan_headline(plan: Plan) -> str:
    """One line: how many changes of each kind."""
    counts = Counter((_noun(change), change.action) for change in plan.changes)
    if not counts:
        return _nothing_to_do(plan)
    order = [sort for sort in _SORTS if counts[sort]]
    parts = [
        f"{plural(counts[noun, action], noun) if noun else counts[noun, action]} to {_VERBS.get(action, action)}"
        for noun, action in (*order, *sorted(counts.keys() - order))
    ]
    return f"{', '.join(parts)}."


def _nothing_to_do(plan: Plan) -> str:
    reasons = [kept.reason for kept in plan.kept if kept.reason.startswith(WAITING_IN)]
    waiting = sorted({int(reason.removeprefix(WAITING_IN)) for reason in reasons})
    if not waiting:
        return "Nothing to do: the tracker matches the records."
    pulls = ", ".join(f"#{number}" for number in waiting)
    return f"Nothing to do until {pulls} {'is' if len(waiting) == 1 else 'are'} merged."


def _noun(change: PlannedChange) -> str:
    """What a change is about where that is not an issue."""
    if change.kind in (LABEL, MILESTONE, PROPOSAL):
        return change.kind
    return {EDIT: "record", NOTIFY: "notice"}.get(change.action, "")


def applied_line(done: Applied) -> str:
    """One change that was carried out, e.g. `  + #4 create INC-1/AI-2`; one that was not says why."""
    outcome = "" if done.outcome == APPLIED else f": {done.outcome}" + (f": {done.error}" if done.error else "")
    number = "" if done.number is None else f" #{done.number}"
    return f"  {_SIGNS.get(done.change.action, _OTHER)}{number} {done.change.action} {done.change.key}{outcome}"


def delivered_lines(done: Sequence[Delivered], width: int = DEFAULT_WIDTH) -> list[str]:
    """A line for each notice and outcome, e.g. `  ! sent now: team by pager, slack: SEV1 INC-1: Login fails`."""
    groups: dict[tuple[str, str, str], list[Delivered]] = {}
    for notice in done:
        why = f": {notice.error}" if notice.error is not None else ""
        groups.setdefault((notice.planned.message.key, notice.outcome, why), []).append(notice)
    lines: list[str] = []
    for (_, outcome, why), same in groups.items():
        message, channels = same[0].planned.message, ", ".join(notice.planned.message.channel for notice in same)
        text = f"{outcome}: {message.recipient} by {channels}: {message.subject}{why}"
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
    }


def _delivered_row(notice: Delivered) -> dict[str, object]:
    message = notice.planned.message
    return {
        "key": message.key,
        "recipient": message.recipient,
        "channel": message.channel,
        "outcome": notice.outcome,
        "error": str(notice.error) if notice.error is not None else None,
    }


def _change_row(change: PlannedChange) -> dict[str, object]:
    return {
        "action": change.action,
        "kind": change.kind,
        "key": change.key,
        "number": change.number,
        "reason": change.reason,
        "fields": change.fields,
    }


def _change_lines(change: PlannedChange, width: int, *, with_key: bool) -> list[str]:
    number = f" #{change.number}" if change.number is not None else ""
    head = f"  {_SIGNS.get(change.action, _OTHER)} {change.action}{number} {change.key}"
    effect = change_effect(change)
    if change.notice:
        lines = fold_record(f"{change.action} {effect}", f"  {_SIGNS[NOTIFY]} ", "      ", width)
        return [*lines, f"      {change.key}"] if with_key else lines
    why = "" if change.action == CREATE else change.reason
    return [head, *fold_record(": ".join(part for part in (effect, why) if part), "      ", "      ", width)]


def change_effect(change: PlannedChange) -> str:
    """What a change does: title and labels of a new issue, the reason of a closing, else the fields set."""
    fields = change.fields
    if change.action == CREATE and "title" in fields:
        labels = ", ".join(change.edit.labels or ())
        by = f", milestone: {change.edit.milestone}" if change.edit.milestone else ""
        return f"{str(fields['title']).removeprefix(change.key + ': ')} [{labels}]{by}"
    if change.milestone:
        return f"milestone, due {change.milestone.due}"
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
    """The names of fields; labels that are added and taken off are one."""
    names = {"add_labels": "labels", "remove_labels": "labels", "add_assignees": "assignees"}
    return list(dict.fromkeys(names.get(name, name) for name in fields))


def _shown_field(name: str, change: PlannedChange) -> str:
    """A field that is set; of labels and people also which: `labels +SEV1 -SEV2`; of a milestone also the old one."""
    edit = change.edit
    if name == "milestone":
        return f"milestone: {(change.seen and change.seen.milestone) or 'none'} -> {edit.milestone or 'none'}"
    added = {"labels": edit.add_labels, "assignees": edit.add_assignees}.get(name) or ()
    removed = edit.remove_labels or () if name == "labels" else ()
    return " ".join([name, *(f"+{text}" for text in added), *(f"-{text}" for text in removed)])


def kept_by_reason(kept: tuple[Kept, ...]) -> dict[str, tuple[list[str], int]]:
    """Reason -> a few keys with the numbers of their issues, and how many more there are."""
    groups: dict[str, list[str]] = defaultdict(list)
    for issue in kept:
        groups[issue.reason].append(issue.key if issue.number is None else f"{issue.key} #{issue.number}")
    return {reason: (keys[:_SHOWN], max(0, len(keys) - _SHOWN)) for reason, keys in groups.items()}


def _kept_lines(kept: tuple[Kept, ...], width: int, *, is_verbose: bool) -> list[str]:
    """What is left unchanged: a line that fits for each reason, or with the keys all of it."""
    if not kept:
        return []
    lines, is_shortened = [], False
    for reason, (keys, more) in kept_by_reason(kept).items():
        rest = f" and {more} more" if more else ""
        named, count = ", ".join(keys) + rest, len(keys) + more
        text = f"{named}: {reason}" if count == 1 else f"{count}: {reason}: {named}"
        if is_verbose:
            lines += fold_record(text, "  = ", "    ", width)
        elif count > 1 and columns(text) + 4 > width:
            lines.append(cut_line(f"  = {count}: {reason}", width))
            is_shortened = True
        else:
            lines.append(cut_line(f"  = {text}", width))
    how = " (-v names them)" if is_shortened else ""
    return ["", f"Left unchanged: {len(kept)}{how}", *lines]


MOST_CHARACTERS = 60_000  # GitHub takes 65,536 characters in a comment
_FOLDED = 20  # a table with more rows is folded


class _Part(NamedTuple):
    """A table with its heading; each row is one line."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

    def text(self, shown: int) -> str:
        """The part with its first `shown` rows, folded where the table is long."""
        title = f"{self.title}: {len(self.rows)}"
        rows = markdown_table(self.head, self.rows[:shown])
        if len(self.rows) <= _FOLDED:
            return f"### {title}\n\n{rows}"
        return f"<details><summary>{title}</summary>\n\n{rows}\n\n</details>"


def plan_markdown(plan: Plan) -> str:
    """The plan as Markdown of at most MOST characters, ending in a newline: what cannot be read, a table for each
    action, what is left unchanged, the checksum. Rows that do not fit are counted at the end."""
    top = f"## Plan for the tracker\n\n**{inline(plan_headline(plan))}**"
    end = f"Checksum for `apply --checksum`: `{plan.checksum}`" if plan.changes else ""
    parts = list(_parts(plan))
    room = MOST_CHARACTERS - len("\n\n".join((top, _left_out(sum(len(part.rows) for part in parts)), end, "")))
    texts, hidden = [], 0
    for part in parts:
        shown = _fitting(part, room)
        hidden += len(part.rows) - shown
        if shown:
            texts.append(part.text(shown))
            room -= len(texts[-1]) + 2
    return "\n\n".join(text for text in (top, *texts, _left_out(hidden), end) if text) + "\n"


def _parts(plan: Plan) -> Iterator[_Part]:
    if plan.unread:
        yield _Part(
            "Could not be read, their issues are left unchanged", ("Record", "Issues", "Why"), _unread(plan.unread)
        )
    actions: dict[str, list[PlannedChange]] = defaultdict(list)
    for change in plan.changes:
        actions[change.action].append(change)
    for action, changes in actions.items():
        if action == NOTIFY:
            yield _Part("People to notify", ("Who", "By", "What", "Key"), [_notice_row(change) for change in changes])
            continue
        rows = [
            (_number(change), code(change.key), inline(change_effect(change)), inline(change.reason))
            for change in changes
        ]
        where = " in the records" if action == EDIT else ""
        yield _Part(f"To {inline(action)}{where}", ("Issue", "Key", "What", "Why"), rows)
    if plan.kept:
        yield _Part("Left unchanged, by reason", ("How many", "Why", "Which"), _kept(plan))


def _unread(unread: Sequence[LeftAlone]) -> list[tuple[str, ...]]:
    return [
        (code(record.path), ", ".join(code(f"#{number}") for number in record.numbers) or "none", inline(record.reason))
        for record in unread
    ]


def _kept(plan: Plan) -> list[tuple[str, ...]]:
    return [
        (
            f"{len(names) + more:,}",
            inline(reason),
            ", ".join(code(name) for name in names) + (f" and {more:,} more" if more else ""),
        )
        for reason, (names, more) in kept_by_reason(plan.kept).items()
    ]


def _number(change: PlannedChange) -> str:
    """An issue's number as code: a comment must not write into the history of every issue it names."""
    if change.number is None:
        return "new" if change.action == CREATE else "none"
    return code(f"#{change.number}")


def _notice_row(change: PlannedChange) -> tuple[str, ...]:
    """A notice; names as code, so that a comment pings nobody."""
    notice = change.notice
    if notice is None:
        return ("", "", inline(change.reason), code(change.key))
    held = f" (not sent: {inline(notice.held)})" if notice.held else ""
    return (
        code(notice.recipient),
        ", ".join(map(code, notice.channels)),
        f"{inline(notice.subject)}{held}",
        code(change.key),
    )


def _fitting(part: _Part, room: int) -> int:
    """How many rows of a part fit."""
    room -= len(part.text(0)) + 2
    for shown, row in enumerate(part.rows):
        room -= sum(len(cell) + len(" | ") for cell in row) + len("|\n")
        if room < 0:
            return shown
    return len(part.rows)


def _left_out(rows: int) -> str:
    return f"**{plural(rows, 'row')} did not fit here:** run `incident-ops plan` to see everything." if rows else ""


def not_applied_line(paths: Sequence[str]) -> str:
    """What a run on GitHub leaves out because no commit has it."""
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return f"note: not committed, so not applied: {', '.join(paths[:_SHOWN])}{more}"


def held_lines(
    held: Sequence[HeldChanges], errors: Sequence[IncidentOpsError], unread: Sequence[LeftAlone]
) -> Iterator[str]:
    """What the limits or the lock held back, what failed, and the records that could not be read."""
    yield from (f"held: {group.message}" for group in held)
    yield from (f"error: {error}" for error in errors)
    yield from (f"error: {left.path}: not read, its issues are left alone: {left.reason}" for left in unread)


def not_sent_lines(notices: Sequence[Delivered], ledger_error: IncidentOpsError | None) -> Iterator[str]:
    """The notices that were not sent, each cause once, and why the ledger does not know of all that was sent."""
    failed = [notice for notice in notices if notice.error is not None]
    for cause in dict.fromkeys(str(notice.error) for notice in failed):
        same = [notice for notice in failed if str(notice.error) == cause]
        channels = ", ".join(sorted({notice.planned.message.channel for notice in same}))
        yield f"error: {plural(len(same), 'notice')} by {channels} {same[0].outcome}: {cause}"
    if ledger_error is not None:
        yield f"error: the ledger does not know all that was sent: {ledger_error}"


def notices_text(delivered: Sequence[Delivered]) -> str:
    """One line a notice: what became of it, the channel, the subject, why."""
    lines = []
    for notice in delivered:
        message, reason = notice.planned.message, _reason(notice)
        lines.append(f"{notice.outcome:<9} {message.channel:<12} {message.subject}{f': {reason}' if reason else ''}")
    return inert_lines("\n".join(lines)) + "\n"


def notices_json(incident: str, mark: str, delivered: Sequence[Delivered]) -> str:
    """The same for programs (docs/contract.md#json)."""
    rows = [
        {
            "key": notice.planned.message.key,
            "channel": notice.planned.message.channel,
            "rank": notice.planned.message.rank,
            "planned": notice.planned.action,
            "outcome": notice.outcome,
            "reason": _reason(notice),
        }
        for notice in delivered
    ]
    return json_text({"schema": 1, "incident": incident, "mark": mark, "notices": rows})


def _reason(notice: Delivered) -> str:
    return str(notice.error) if notice.error is not None else notice.planned.why
