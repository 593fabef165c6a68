"""A policy for a terminal and in Markdown: levels, triage rules, unused keys; holidays for policy.yaml, or as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from incident_ops.canary.watch import WATCH_LIMIT
from incident_ops.documents.checklists import is_for_labels
from incident_ops.domain.not_used_yet import unused
from incident_ops.domain.policy import AfterReport, Deadline, LevelPolicy, Policy
from incident_ops.domain.triage import conditions_in_words, rule_in_words
from incident_ops.render.findings import inert, json_text, plural
from incident_ops.render.notice_ways import ways_in_words
from incident_ops.render.text import DEFAULT_WIDTH, fold
from incident_ops.resources import preset


def to_text(policy: Policy, resolved: Mapping[str, Any], width: int = DEFAULT_WIDTH) -> str:
    """Every level in a few lines, worst first; the triage rules; the keys that are set but not used yet."""
    out = [f"Scheme {policy.scheme.id}"]
    for level in sorted(
        (*policy.levels, *policy.scheme.major), key=lambda level: (level in policy.scheme.major, level.rank)
    ):
        name = "" if level.label == level.id else f"  {level.label}"
        name += "" if level.declare else "  [a ticket, no incident]"
        out += ["", *fold(inert(f"{level.id}{name}"), rest="  ", width=width)]
        out += fold(inert(level.definition or ""), "  ", "  ", width)
        for title, text in about_level(level, policy):
            out += fold(inert(f"  {title:<10}  {text}"), rest=" " * 14, width=width)
    out += ["", "Triage, first match decides:"]
    for number, rule in enumerate(policy.triage.rules, 1):
        out += fold(inert(f"{number}. {rule_in_words(rule)}"), "  ", "     ", width)
    heading = "Notices, by kind (page rings, tell does not, digest is one message a day):"
    out += ["", *fold(heading, width=width)]
    for kinds, words in ways_in_words(policy):
        out += fold(inert(f"{words}: {', '.join(kinds)}"), "  ", "    ", width)
    out += ["", *fold(gate_limits(policy), width=width)]
    out += ["", "Owed to others:"] * bool(policy.deadlines)
    for one in policy.deadlines:
        out += fold(inert(f"{one.id}: {_deadline_in_words(one)}"), "  ", "    ", width)
    waiting = _waiting(resolved)
    out += ["", "Accepted but not used yet:"] * bool(waiting)
    for capability, names in waiting.items():
        out += fold(f"{capability}: {', '.join(names)}", "  ", "    ", width)
    return "\n".join(out) + "\n"


def about_level(level: LevelPolicy, policy: Policy) -> Iterator[tuple[str, str]]:
    """What holds for a level, as pairs of a title and a sentence; what is not set is left out."""
    clocks = {"response": level.response, "resolution": level.resolution, "diagnosis": level.diagnosis}
    if set_clocks := ", ".join(f"{name} {_words(target)}" for name, target in clocks.items() if target):
        yield "Clocks", f"{set_clocks} ({level.calendar})"
    updates = [f"every {level.update.internal}"] if level.update.internal else []
    updates += [f"public every {_public(level)}"] if level.update.public else []
    if updates:
        yield "Updates", ", ".join(updates)
    marks = {
        "response warning": level.response_warn_at,
        "warning": level.warn_at,
        "escalation": level.escalate_at,
        "without activity": level.stagnation,
    }
    if set_marks := ", ".join(f"{name} {_words(mark)}" for name, mark in marks.items() if mark):
        yield "Escalation", set_marks
    who = [f"commander {_commander(level)}"] * level.declare + [f"team {level.team}"] * bool(level.team)
    who += [f"notified {_listed(level.audiences)}"] * bool(level.audiences)
    if who:
        yield "Who", "; ".join(who)
    if level.channels:
        yield "Channels", _listed(level.channels)
    yield "Afterwards", f"status page {_yes(level.status_page)}, postmortem {_postmortem(level)}"
    lists = [one for one in policy.tracker.checklists if is_for_labels(one, (level.id,), is_declared=level.declare)]
    if boxes := sum(1 + len(box.items) for one in lists for box in one.items):
        yield "Checklists", f"{plural(len(lists), 'list')}, {boxes} boxes"


def level_tables(policy: Policy) -> str:
    """The level table of the policy's layout; for a scheme with two scales the second table follows."""
    tables = [_table(preset(policy.documents.layout).columns, policy.levels)]
    if policy.scheme.major:
        tables.append(_table(_MAJOR, policy.scheme.major))
    return "\n".join(tables)


def triage_table(policy: Policy) -> str:
    """The triage rules in order, numbered as decisions name them."""
    return "".join(f"{number}. {rule_in_words(rule)}\n" for number, rule in enumerate(policy.triage.rules, 1))


def _deadline_in_words(one: Deadline) -> str:
    """`within 24h of detected, to the CSIRT; rank 1, or tag nis2`: until when, to whom, and what owes it."""
    start = f"the report {one.start.deadline}" if isinstance(one.start, AfterReport) else one.start
    until = f"within {one.within} of {start}" if one.within else f"from {start} on, without a due time"
    asked = ", or ".join(filter(None, (_asked_in_words(one), f"tag {' or '.join(one.tags)}" if one.tags else "")))
    never = f", but never with tag {' or '.join(one.unless)}" if one.unless else ""
    since = f", declared since {one.since}" if one.since else ""
    return f"{until}{f', to {one.to}' if one.to else ''}; {asked or 'every incident'}{never}{since}"


def _asked_in_words(one: Deadline) -> str:
    if one.when is None:
        return ""
    ranks = one.when.rank if isinstance(one.when.rank, list) else [one.when.rank]
    rank = f"rank {' or '.join(map(str, ranks))}" if one.when.rank is not None else ""
    return " and ".join(filter(None, (rank, conditions_in_words(one.when)))) or "every incident"


def duties_list(policy: Policy) -> str:
    """The section on reports that are owed to others; "" where the policy asks for none."""
    lines = [f"- `{one.id}`: {_deadline_in_words(one)}\n" for one in policy.deadlines]
    return f"\nOwed to others:\n\n{''.join(lines)}" if lines else ""


def gate_limits(policy: Policy) -> str:
    """The error limits of a deploy, in a sentence; `gate.max_error_pct` and `gate.after_rollout_pct`."""
    limit, after = policy.gate.max_error_pct, policy.gate.after_rollout_pct or WATCH_LIMIT
    during = "has no limit of its own" if limit is None else f"fails above {limit:g} % errors"
    return f"A canary {during}, at full traffic above {after:g} %, unless its gate file has a maxErrorRate."


def unused_keys(resolved: Mapping[str, Any]) -> str:
    """The section on keys that are set but not used yet, by what they wait for; "" where there are none."""
    waiting = _waiting(resolved)
    lines = [f"- {', '.join(f'`{name}`' for name in names)}: {capability}\n" for capability, names in waiting.items()]
    return f"\nAccepted but not used yet:\n\n{''.join(lines)}" if lines else ""


def _waiting(resolved: Mapping[str, Any]) -> dict[str, list[str]]:
    """Capability -> the keys that are set and wait for it, each once."""
    waiting: dict[str, list[str]] = {}
    for key in unused("policy", resolved):
        names = waiting.setdefault(key.capability, [])
        if key.path not in names:
            names.append(key.path)
    return waiting


def _table(columns: tuple[str, ...], levels: Iterable[LevelPolicy]) -> str:
    rows = [list(columns), ["---"] * len(columns)]
    rows += [
        [_CELLS[heading](level).replace("|", "\\|") for heading in columns]
        for level in sorted(levels, key=lambda level: level.rank)
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _words(text: str | None) -> str:
    return "none" if text is None else text.replace("_", " ")


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def _public(level: LevelPolicy) -> str:
    update = level.update
    return f"{update.public} to {update.public_max}" if update.public and update.public_max else _words(update.public)


def _postmortem(level: LevelPolicy) -> str:
    duty = level.postmortem
    return (f"within {_words(duty.within)}" if duty.within else "yes") if duty.required else "no"


def _commander(level: LevelPolicy) -> str:
    return level.ic.replace(":", " ")


_CELLS: dict[str, Callable[[LevelPolicy], str]] = {
    "Level": lambda level: level.id,
    "Name": lambda level: level.label,
    "Definition": lambda level: _words(level.definition),
    "Response": lambda level: _words(level.response),
    "Resolution": lambda level: _words(level.resolution),
    "Diagnosis": lambda level: _words(level.diagnosis),
    "Updates": lambda level: _words(level.update.internal),
    "Public updates": _public,
    "Warning": lambda level: _words(level.warn_at),
    "Escalation": lambda level: _words(level.escalate_at),
    "No activity": lambda level: _words(level.stagnation),
    "Deferred while active within": lambda level: _words(level.defer_if_active_within),
    "Team": lambda level: level.team or "none",
    "Notified": lambda level: _listed(level.audiences),
    "Channels": lambda level: _listed(level.channels),
    "Status page": lambda level: _yes(level.status_page),
    "Declared": lambda level: _yes(level.declare),
    "Commander": _commander,
    "Calendar": lambda level: level.calendar,
    "Postmortem": _postmortem,
}
"""Heading -> the text of a cell in its column; the headings a preset may list."""

_MAJOR = ("Level", "Definition", "Updates", "Team", "Notified", "Commander", "Diagnosis", "Postmortem")
"""Columns of the table of major incidents."""


Day = tuple[date, str, bool]
"""A date, its name, and whether it is the day off for a holiday on another day."""


def to_yaml(calendar: str, country: str, subdivision: str | None, days: Sequence[Day], source: str) -> str:
    """The block `calendars`, with a comment for its reader on top."""
    place = f"{country}-{subdivision}" if subdivision else country
    lines = [
        f"# Public holidays of {place}, from the Python library {source}; check them before you commit.",
        "# (observed) = the day off for a holiday that falls on a non-working day; both are listed.",
        "calendars:",
        f"  {calendar}:",
        "    holidays:",
        *(f"    - {day.isoformat()}  # {holiday_name(name, observed)}" for day, name, observed in days),
    ]
    return "\n".join(lines) + "\n"


def to_json(country: str, subdivision: str | None, days: Sequence[Day], source: str) -> str:
    """Version 1: `{"schema", "country", "subdivision", "source", "holidays": [{"date", "name", "observed"}]}`."""
    listed = [{"date": day.isoformat(), "name": name, "observed": observed} for day, name, observed in days]
    return json_text(
        {"schema": 1, "country": country, "subdivision": subdivision, "source": source, "holidays": listed}
    )


def holiday_name(name: str, observed: bool) -> str:
    """The name of a holiday as a comment has it; a day off in place of it says so."""
    return inert(name if not observed or "(observed" in name.casefold() else f"{name} (observed)")
