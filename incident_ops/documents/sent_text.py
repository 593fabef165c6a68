"""The words of what people send: the message of a commit, and the title and text of its pull request.

GitHub reads mentions, numbers of issues and closing words in all of them, and what a record says may come from a
stranger.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from incident_ops.documents.markdown import BODY_LIMIT, code, inline
from incident_ops.domain.incident import Incident

_UNSEEN = "\u200b"
_LIVE = re.compile(
    r"(?<=[@#])(?=\w)|(?<=GH-)(?=\d)|(?<=:/)(?=/)"
    r"|(?<=\[)(?=(?:skip|no) (?:ci|actions)\]|(?:ci|actions) skip\])|(?<=skip-)(?=checks:)",  # no workflow would run
    re.IGNORECASE,
)
_LONGEST_SUBJECT, _LONGEST_TITLE, _LONGEST_LINE = 100, 200, 500
_BEGIN, _END = "<!-- incident-ops: edits -->", "<!-- incident-ops: end of edits -->"
_BLOCK = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.DOTALL)
_NAMED = re.compile(r"^INC-[0-9-]{1,20}: ", re.ASCII)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FIELD = re.compile(
    r"^(?P<head>(?:[-*] )?\*\*(?P<bold>[^*\n]+?):?\*\*:?|#{1,6} +(?P<title>[^\n]+?):? *$)(?P<rest>[^\n]*)$"
)
_WORDS = {
    "incident": ("incident",),
    "what": ("what", "what changes", "what changed", "changes", "description", "summary"),
    "severity": ("severity", "level", "priority"),
    "services": ("services", "service", "affected services"),
    "merge": ("on merge", "what happens on merge", "after the merge"),
}
_NAMES = {
    "incident": "Incident",
    "what": "What changes",
    "severity": "Severity",
    "services": "Services",
    "merge": "On merge",
}


class SentFacts(NamedTuple):
    """What a pull request tells of an incident: `title` "" where it may not be listed, `label` its level, `path` its
    record, `onto` the branch it is merged into."""

    id: str
    title: str
    label: str
    services: tuple[str, ...]
    path: str
    onto: str


def commit_message(incident_id: str, incident: Incident, done: Sequence[str], *, is_new: bool) -> str:
    """The message of a commit that holds what was `done`, newest first, after the declaration where the record is new.

    One line where that says it all; else the newest (the declaration) and how many more, and a list of all.
    """
    label = " ".join(filter(None, (incident.priority, incident.severity)))
    lines = [_plain(line, _LONGEST_LINE) for line in done]
    lines += [f"declared{f', {label}' if label else ''}"] if is_new else []
    lines = lines or ["joined with what its branch has"]
    first = f"{incident_id}: {lines[-1 if is_new else 0]}"
    more = f", and {len(lines) - 1} more" if len(lines) > 1 else ""
    subject = _cut(first, _LONGEST_SUBJECT - len(more)) + more
    rest = [f"- {line}" for line in lines] if subject != first else []
    return "\n".join([subject, *([""] if rest else []), *rest])


def pull_title(facts: SentFacts, edits: Sequence[str]) -> str:
    """`INC-1: Login fails (SEV1): acknowledged by alice`; of several edits the newest, and how many more."""
    newest = _NAMED.sub("", edits[0]) if edits else ""
    newest = "declared" if newest.startswith("declared, ") else newest
    more = f", and {len(edits) - 1} more" if len(edits) > 1 else ""
    level = f" ({facts.label})" if facts.label else ""
    what = f"{_plain(facts.title, 100)}{level}" if facts.title else f"incident{level}"
    return _cut(f"{facts.id}: {what}: {_plain(newest, 100)}{more}", _LONGEST_TITLE)


def pull_body(facts: SentFacts, edits: Sequence[str], template: str) -> str:
    """The text: the template of the repository with its fields filled, and those that it lacks beside them or on top.

    A field is a line `**Severity:**` or a heading of that name. Its comments, which are for people who type, go.
    """
    values = {
        "incident": inline(f"{facts.id} {facts.title}".strip()),
        "what": _edits(edits),
        "severity": inline(facts.label) or "not known yet",
        "services": ", ".join(code(name) for name in facts.services) or "not known yet",
        "merge": (
            f"the record counts on {code(facts.onto)}: the next run opens or updates its issue and sends the notices"
            " that are due. Until then nobody is notified."
        ),
    }
    filled: list[str] = []
    place = 0  # of the fields that the template lacks
    for line in _COMMENT.sub("", template).replace("\r\n", "\n").strip().split("\n"):
        found = _FIELD.match(line)
        name = _field(found["bold"] or found["title"]) if found else ""
        if found is None or name not in values:
            filled.append(line.rstrip())
            continue
        value = values.pop(name)
        filled += [found["head"].rstrip(), "", value] if found["title"] else [_line(found["head"], value)]
        place = place if found["title"] else len(filled)
    missing = [_line(f"**{_NAMES[name]}:**", value) for name, value in values.items()]
    text = "\n".join([*filled[:place], *missing, *([""] if missing else []), *filled[place:]]).strip()
    return text if len(text) <= BODY_LIMIT else "\n".join(missing)


def exchange_message(done: Sequence[str], reason: str | None) -> str:
    """The message of a commit that swaps shifts; `done` are its overrides."""
    lines = [_plain(line, _LONGEST_LINE) for line in done]
    more = f", and {len(lines) - 1} more" if len(lines) > 1 else ""
    subject = _cut(lines[0], _LONGEST_SUBJECT - len(more)) + more
    why = [_plain(reason, _LONGEST_LINE)] if reason else []
    rest = [f"- {line}" for line in lines] if subject != lines[0] else []
    return "\n".join([subject, *(["", *why, *rest] if why or rest else [])])


def exchange_pull(path: str, done: Sequence[str], reason: str | None, first: str, second: str) -> tuple[str, str]:
    """Title and text of the pull request of a swap; `path` is its schedule."""
    name = path.rpartition("/")[2].partition(".")[0]
    title = _cut(_plain(f"On call {name}: {first} and {second} swap", _LONGEST_TITLE), _LONGEST_TITLE)
    rows = [f"- {inline(_cut(line, _LONGEST_LINE))}" for line in done[:50]]
    why = [f"**Why:** {inline(_cut(reason, _LONGEST_LINE))}", ""] if reason else []
    ends = "It counts once it is merged; until then whoever is on call by the schedule is called."
    return title, "\n".join([*why, *rows, "", ends])


def freeze_pull(name: str, done: Sequence[str], reason: str) -> tuple[str, str]:
    """Title and text of the pull request of a freeze."""
    rows = [f"- {inline(_cut(line, _LONGEST_LINE))}" for line in done]
    ends = "It counts once it is merged; until then nothing is held."
    why = f"**Why:** {inline(_cut(reason, _LONGEST_LINE))}"
    return _cut(_plain(f"Freeze {name}", _LONGEST_TITLE), _LONGEST_TITLE), "\n".join([why, "", *rows, "", ends])


def with_edits(body: str, edits: Sequence[str]) -> str:
    """A text with the edits in it as they are now; as it is where a person has taken them out."""
    made = _BLOCK.sub(lambda _: _edits(edits), body.replace("\r\n", "\n"), count=1)
    return made if len(made) <= BODY_LIMIT else body


def _edits(edits: Sequence[str]) -> str:
    """The edits between marks by which they are found again, newest first."""
    rows = [f"- {inline(_cut(_NAMED.sub('', edit), _LONGEST_LINE))}" for edit in edits[:50]]
    return "\n".join([_BEGIN, *rows, _END])


def _line(head: str, value: str) -> str:
    return f"{head}\n\n{value}\n" if "\n" in value else f"{head} {value}  "


def _field(text: str) -> str:
    said = " ".join(text.casefold().strip(" :?").split())
    return next((name for name, words in _WORDS.items() if said in words), "")


def _plain(text: str, most: int) -> str:
    """Text of a record on one line of plain text in which GitHub finds nothing: a character without width is in it."""
    flat = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return _LIVE.sub(_UNSEEN, _cut(flat, most))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
