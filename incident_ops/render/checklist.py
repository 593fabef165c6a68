"""The checklists of an incident as `show --checklist` prints them, and as JSON data."""

from __future__ import annotations

from typing import Any

from incident_ops.documents.checklists import shown_lists
from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.render.findings import inert, json_text
from incident_ops.render.incident import HEAD_LINE, level_labels
from incident_ops.render.text import DEFAULT_WIDTH, Style, fold_record

DONE = "met"
"""The tone of a box that is filled."""


def to_text(incident: Incident, policy: Policy, style: Style = lambda _, line: line, width: int = DEFAULT_WIDTH) -> str:
    """A line for each box, `[x]` where the record says that it is done; at most `width` columns."""
    lists = shown_lists(incident, policy)
    boxes = [box for one in lists for box in one.boxes]
    if not boxes:
        return f"{incident.id}: no checklist for {level_labels(incident, policy)}\n"
    done = sum(box.is_done for box in boxes)
    out = fold_record(f"{incident.id}: {done} of {len(boxes)} boxes done, as far as the record knows", "", "  ", width)
    for one in lists:
        out += ["", *(style(HEAD_LINE, line) for line in fold_record(inert(one.title), "", "  ", width))]
        for box in one.boxes:
            front = "  " * (1 + box.depth)
            mark = "[x] " if box.is_done else "[ ] "
            lines = fold_record(inert(box.text), front + mark, front + " " * len(mark), width)
            out += [style(DONE, line) if box.is_done else line for line in lines]
    out += ["", *fold_record("The other boxes are ticked in the tracking issue.", width=width)]
    return "\n".join(out) + "\n"


def to_json(incident: Incident, policy: Policy) -> str:
    """The same for programs: docs/contract.md#json."""
    lists: list[dict[str, Any]] = [
        {
            "title": one.title,
            "boxes": [{"key": box.key, "text": box.text, "depth": box.depth, "done": box.is_done} for box in one.boxes],
        }
        for one in shown_lists(incident, policy)
    ]
    return json_text({"schema": 1, "id": incident.id, "checklists": lists})
