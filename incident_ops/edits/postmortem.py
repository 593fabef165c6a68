"""What people write in a postmortem: its summary, its story, what went well and poorly."""

from __future__ import annotations

from collections.abc import Mapping

from incident_ops.domain.incident import Incident, Postmortem
from incident_ops.domain.record import Append, Edit, Set
from incident_ops.edits.step import Step, quote

DRAFT = "draft"
_LISTS = ("went_well", "went_poorly", "lucky")


def adopt_texts(incident: Incident, texts: Mapping[str, str]) -> Step:
    """The postmortem with texts by the names of its fields, where the record has none yet; a draft, where it is new.

    Of a list (`went_well`, `went_poorly`, `lucky`) each line that begins with `-` or `*` is an entry, and the others
    go on with the one above. A text for a field that is filled stays where it is.
    """
    paper = incident.postmortem or Postmortem(status=DRAFT)
    edits: list[Edit] = [] if incident.postmortem else [Set(("postmortem", "status"), DRAFT)]
    messages = []
    for field, text in texts.items():
        if field in _LISTS:
            fresh = [line for line in _entries(text) if line not in getattr(paper, field)]
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
