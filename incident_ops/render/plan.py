"""A plan for people (80 columns) and for programs (contract 4). The same plan gives the same bytes."""

from __future__ import annotations

import json
import textwrap
from collections import Counter, defaultdict

from incident_ops.reconcile.apply import DONE, Applied
from incident_ops.reconcile.plan import CLOSE, CREATE, REOPEN, SCHEMA, UPDATE, Change, Kept, Plan

WIDTH = 80

_SIGNS = {CREATE: "+", UPDATE: "~", CLOSE: "-", REOPEN: "^"}
_SHOWN = 3  # examples named for each reason something is kept


def plan_json(plan: Plan) -> str:
    """The plan as JSON text ending in a newline; `unread` is there only when something was unreadable."""
    data: dict[str, object] = {
        "schema": SCHEMA,
        "checksum": plan.checksum,
        "requests_estimate": plan.requests_estimate,
        "changes": [_change_row(change) for change in plan.changes],
        "kept": [kept._asdict() for kept in plan.kept],
    }
    if plan.unread:
        data["unread"] = [{"path": one.path, "reason": one.reason, "numbers": list(one.numbers)} for one in plan.unread]
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def plan_text(plan: Plan) -> str:
    """The plan as lines of at most 80 columns (a path or a key longer than that stands alone), ending in a newline."""
    lines = [headline(plan)]
    lines += [line for change in plan.changes for line in _change_lines(change)]
    if plan.kept:
        lines += ["", f"Kept as it is: {len(plan.kept)}"]
        lines += _kept_lines(plan.kept)
    if plan.unread:
        lines += ["", f"Unread, left alone: {len(plan.unread)}"]
        for one in plan.unread:
            numbers = "".join(f" #{number}" for number in one.numbers)
            lines += _wrap(f"{one.path}: {one.reason}" + (f" (issues{numbers})" if numbers else ""), "  ! ", "    ")
    if plan.changes:
        lines += ["", f"Checksum {plan.checksum}"]
    return "\n".join(lines) + "\n"


def headline(plan: Plan) -> str:
    """One line: how many changes of each kind, and about how many requests they take."""
    counts = Counter(change.action for change in plan.changes)
    if not counts:
        return "Nothing to do: the tracker says what the records say."
    parts = [f"{counts[action]} to {action}" for action in (UPDATE, REOPEN, CREATE, CLOSE) if counts[action]]
    return f"{', '.join(parts)}; about {plan.requests_estimate} requests."


def applied_line(done: Applied) -> str:
    """One change that was carried out, e.g. `  + #4 create INC-1/AI-2`; what was not done says so."""
    told = "" if done.outcome == DONE else f": {done.outcome}"
    return f"  {_SIGNS[done.change.action]} #{done.number} {done.change.action} {done.change.key}{told}"


def _change_row(change: Change) -> dict[str, object]:
    return {
        "action": change.action,
        "kind": change.kind,
        "key": change.key,
        "number": change.number,
        "reason": change.reason,
        "fields": change.fields,
    }


def _change_lines(change: Change) -> list[str]:
    number = f" #{change.number}" if change.number is not None else ""
    head = f"  {_SIGNS[change.action]} {change.action}{number} {change.key}"
    fields = change.fields
    if change.action == CREATE:
        labels = ", ".join(change.edit.labels or ())
        what = f"{str(fields['title']).removeprefix(change.key + ': ')} [{labels}]"
    elif change.action == CLOSE:
        what = f"as {str(change.state_reason).replace('_', ' ')}: {change.reason}"
    else:
        what = f"{', '.join(fields)}: {change.reason}" if fields else change.reason
    return [head, *_wrap(what, "      ", "      ")]


def _kept_lines(kept: tuple[Kept, ...]) -> list[str]:
    groups: dict[str, list[str]] = defaultdict(list)
    for one in kept:
        groups[one.reason].append(one.key if one.number is None else f"{one.key} #{one.number}")
    lines = []
    for reason, keys in groups.items():
        more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
        lines += _wrap(f"{len(keys)}: {reason}: {', '.join(keys[:_SHOWN])}{more}", "  = ", "    ")
    return lines


def _wrap(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
