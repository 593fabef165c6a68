"""What reading and the schema can find wrong, by rule id. The text is each id's documentation."""

from __future__ import annotations

from incident_ops.domain.time import YEARS
from incident_ops.findings import Finding, Level, Route, Where

FAULTS: dict[str, str] = {
    "file": "The file cannot be taken as a record: not a regular file, a link, over 256 KiB, not readable, or empty.",
    "encoding": "The file is not plain UTF-8 text: other bytes, control characters or a byte-order mark.",
    "syntax": "The text is not YAML. The message names where reading stopped; a quote that was never closed is also "
    "reported where it was opened.",
    "duplicate-key": "A key stands twice in one mapping. Most readers silently keep the last one; here neither wins.",
    "yaml-feature": "Anchors, aliases, merge keys, tags, explicit `? key` and several documents in a file are refused: "
    "what a reviewer sees must be what is read.",
    "nesting": "Values are nested deeper than 20.",
    "number": "A number that readers disagree about (0123), that is no number (.nan, .inf) or that has over 18 digits.",
    "unknown-key": "A key that the schema does not know, usually a slip of the pen.",
    "missing-key": "A key that must be there is not.",
    "wrong-type": "A value of another type than expected, e.g. a number where text is meant (put it in quotes).",
    "not-allowed": "A value outside the allowed set.",
    "bad-format": "A text that does not have the form asked for.",
    "instant-zone": "An instant without a zone. `2025-01-26T12:05:00` means another moment in every office: add `Z`.",
    "impossible-date": "A date or an instant that has the right form but is not on the calendar.",
    "year-range": f"An instant or a date outside the years {YEARS[0]} to {YEARS[-1]}. `0001-01-01T00:00:00Z` is how Go "
    "programs (Alertmanager is one) write a time that was never set: leave the key out, or write `unknown`.",
    "limits": "A text too long, a number out of bounds, a list too short or too long, an entry twice.",
    "schema": "Another disagreement with the schema.",
    "gate-command": "A gate file names a command, a hook or an address. Commands come from the caller alone "
    "(--on-step, --on-pass, --on-fail), addresses from policy `datasources` by name: a gate file is only read.",
    "gate-settings": "Settings of a gate file that do not go together, or that could never fail or never pass.",
    "gate-condition": "A condition of a threshold metric that cannot be read; the message tells the column within it.",
    "gate-query": "A query of a gate file with an unknown argument, with one outside quotes, or with rate() or "
    "increase() where the counter itself is asked for.",
    "plan-times": "The times of a freeze, an override or a maintenance window say nothing: it ends before it begins, "
    "or its zone is no place. `gate check` cannot tell what it holds, and lets nothing pass.",
    "calculation": "A calculation with the record's values failed, e.g. because a time it leads to is outside the "
    "calendar. The record is left out and named; every other record is served.",
    "schema-copy": "A file of `schemas/` in the repository, which editors read, differs from the installed program's.",
}


def fault_level(rule: str) -> Level:
    """All faults are errors but one: a stale copy for editors never decides anything."""
    return Level.WARNING if rule == "schema-copy" else Level.ERROR


def fault(
    rule: str, file: str, message: str, hint: str = "", *, route: Route = (), at: tuple[int, int] = (0, 0)
) -> Finding:
    """An error of reading or schema at `at` = (line, column), both from 1."""
    if rule not in FAULTS:
        raise KeyError(rule)
    return Finding(rule, fault_level(rule), Where(file, route, *at), message, hint)
