"""The text of a proposal's pull request: every edit that it holds, newest first, with who asked for it, when and where.

It pings nobody. The issues it names are linked: `#7`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from incident_ops.documents.markdown import BODY_LIMIT, code, inline
from incident_ops.domain.record import Append, Edit, Insert, Remove
from incident_ops.domain.time import instant, spell_instant
from incident_ops.reconcile.changes import AUTOMATION, DOCUMENTS, NUMBERS, PlannedChange
from incident_ops.reconcile.desired import incident_of
from incident_ops.reconcile.pager_acts import PAGER
from incident_ops.reconcile.proposals import ProposalText, mark_of

_FOOT = (
    "Merge this to accept these edits. Close it without merging to refuse them: they are not proposed again until the"
    " facts change or you reopen it. The branch belongs to incident-ops: every run rewrites it."
)
_LONGEST_VALUE = 120  # characters; the diff shows the rest
_MARK_ROOM = 17  # characters that the hidden line takes for each edit


def proposal_text(changes: Sequence[PlannedChange]) -> ProposalText:
    """Edits of one topic -> its title and text, and those that fit into it, in their order."""
    title, head = _head(changes)
    stated: list[PlannedChange] = []
    room = BODY_LIMIT - len(head) - len(_FOOT) - 200
    for change in changes:
        room -= len(_row(change)) + _MARK_ROOM
        if room < 0 and stated:
            break
        stated.append(change)
    rows = [_row(change) for change in sorted(stated, key=_newest_first)]
    return ProposalText(title, "\n".join([head, "", *rows, "", _FOOT, "", mark_of(stated)]), tuple(stated))


def _head(changes: Sequence[PlannedChange]) -> tuple[str, str]:
    """The title, and the first sentence."""
    change = changes[0]
    incident = incident_of(change.key)
    if change.topic == NUMBERS:
        return "Numbers of issues, for the records", "The issues of these records were opened; their numbers are:"
    if change.topic == DOCUMENTS:
        return "Documents beside the records", "These documents were rendered, and their records have changed since:"
    if change.topic == AUTOMATION:
        head = f"What came due for {incident}, as edits of its record:"
        return f"{incident}: escalations and states that came due", head
    in_pager = [one.kind == PAGER for one in changes]
    if all(in_pager):
        return (
            f"{incident}: what people did in the pager",
            f"What people did in the pager, for the record of {incident}:",
        )
    also = " and in the pager" if any(in_pager) else ""
    head = f"What people did on the issues of {incident}{also}, for its record:"
    return f"{incident}: what people did on its issues{also}", head


def _newest_first(change: PlannedChange) -> tuple[float, int]:
    at = instant(change.at)
    return -at.timestamp() if at else 0.0, -(change.number or 0)


def _row(change: PlannedChange) -> str:
    where = change.issue_name
    when = spell_instant(change.at) if change.at else ""
    said = "has its issue" if change.topic == NUMBERS else change.reason
    head = ", ".join(part for part in (where, when) if part)
    edits = "; ".join(_spelled(change, edit) for edit in change.edits)
    lead = f"- {head}: " if head else "- "
    if change.topic == DOCUMENTS:
        return f"{lead}**{inline(change.key)}** {inline(said)}, in {code(change.path or '')}"
    return f"{lead}**{inline(change.key)}** {inline(said)}\n  In {code(change.path or '')}: {edits}"


def _spelled(change: PlannedChange, edit: Edit) -> str:
    """One edit: the field by its path in the record, and what becomes of it."""
    field = code(_route(change, edit))
    if isinstance(edit, Append | Insert):
        return f"{field} gets {code(_value(edit.value))}"
    return f"{field} goes" if isinstance(edit, Remove) else f"{field} = {code(_value(edit.value))}"


def _route(change: PlannedChange, edit: Edit) -> str:
    """`action_items.AI-2.status`: an action item by its id, an entry of another list by its place."""
    _, _, item = change.key.partition("/")
    words = list(edit.route)
    if len(words) > 1 and words[0] == "action_items" and item:
        words[1] = item
    return ".".join(str(word) for word in words)


def _value(value: Any) -> str:
    """A value on one line; of an entry, what it says."""
    if isinstance(value, dict):
        said = next((value[name] for name in ("event", "reason", "to", "key") if value.get(name)), "an entry")
        at = f"{spell_instant(str(value['at']))} " if value.get("at") else ""
        value = f"{at}{said}"
    text = " ".join(str(value).split()) or "nothing"
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
