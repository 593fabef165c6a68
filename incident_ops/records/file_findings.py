"""What reading and the schema can find wrong, by rule id. The text is each id's documentation."""

from __future__ import annotations

from incident_ops.domain.time import YEARS
from incident_ops.findings import Finding, Level, Route, Where

FAULTS: dict[str, str] = {
    "file": "The file cannot be read as a record: it is not a regular file, over 256 KiB, not readable, or empty.",
    "encoding": "The file is not plain UTF-8 text: it has other bytes, control characters or a byte-order mark.",
    "syntax": "The text is not valid YAML. The message says where reading stopped; a quote that is never closed "
    "is also reported where it was opened.",
    "duplicate-key": "A key appears twice in one mapping. Most readers silently keep the last one; here neither wins.",
    "yaml-feature": "Anchors, aliases, merge keys, tags, explicit `? key` and several documents in a file are refused: "
    "what a reviewer sees must be what is read.",
    "nesting": "Values are nested deeper than 20 levels.",
    "number": "A number that parsers read differently (0123), is not a number (.nan, .inf) or has over 18 digits.",
    "unknown-key": "A key that the schema does not have, usually a typo.",
    "missing-key": "A required key is missing.",
    "wrong-type": "A value of the wrong type, e.g. a number where text is expected (put it in quotes).",
    "not-allowed": "A value that is not one of the allowed values.",
    "bad-format": "A text that does not have the expected format.",
    "instant-zone": "A time without a zone. `2025-01-26T12:05:00` means a different moment in every office: add `Z`.",
    "impossible-date": "A date or a time in the right format that is not on the calendar.",
    "year-range": f"A date or a time outside the years {YEARS[0]} to {YEARS[-1]}. `0001-01-01T00:00:00Z` is how Go "
    "programs (Alertmanager is one) write a time that was never set: leave the key out, or write `unknown`.",
    "limits": "A text that is too long, a number out of range, a list too short or too long, or a duplicate entry.",
    "schema": "The file breaks the schema in a way that no other rule describes; the message is the validator's own.",
    "gate-command": "A gate file contains a command, a hook or an address. Commands come from the command line "
    "(--on-step, --on-pass, --on-fail, --command), addresses from the policy's `datasources`: nothing in a gate file "
    "is run.",
    "gate-settings": "Settings of a gate file that contradict each other, or that could never fail or never pass.",
    "gate-length": "A gate whose run has so few ticks after its warm-up that a canary with clumps of errors is hard to "
    "distinguish from a good one. With fewer than five nothing could pass, and that is an error (`gate-settings`).",
    "gate-condition": "A condition of a threshold metric that cannot be parsed; the message gives the column.",
    "gate-query": "A query of a gate file with an unknown argument, with an argument outside quotes, or with rate() or "
    "increase() where the raw counter is needed.",
    "plan-times": "The times of a freeze, an override or a maintenance window make no sense: it ends before it begins, "
    "or its time zone is unknown. `gate check` cannot tell what it holds, so it holds every deploy.",
    "known-names": "A freeze, an override or a maintenance window that is not over, or a service's `depends_on`, names "
    "a service that is not in services.yaml or an environment that is not in policy `gate`. It holds nothing, so "
    "`gate check` cannot tell what was meant.",
    "near-name": "A file or folder whose name is nearly that of records: `Incidents/`, `freeze/`, `freezes/x.yml`, a "
    "file in place of the folder `freezes`. What nobody reads holds no deploy, so `gate check` is inconclusive.",
    "calculation": "A calculation with the record's values failed, e.g. because a time derived from them is off the "
    "calendar. The record is left out and reported; every other record is processed.",
    "team-names": "A team of services.yaml names a calendar, a level or a channel that the policy does not have, or a "
    "service names a team that is not there.",
    "team-unused": "No service has this team, so nothing that it says holds.",
    "schema-copy": "A file in `schemas/` of the repository, which editors use, was edited by hand, or made from "
    "another version of the program, or from levels or services that have changed since. Checks go by the installed "
    "program's.",
}


def line_and_message(finding: Finding) -> str:
    """The finding where its file is named already: `line 3: ...`."""
    return f"line {finding.where.line}: {finding.message}" if finding.where.line else finding.message


def fault_level(rule: str) -> Level:
    """All faults are errors but three: a stale copy for editors and a team that nobody has never decide anything, and
    a short gate decides."""
    return Level.WARNING if rule in ("schema-copy", "team-unused", "gate-length") else Level.ERROR


def fault(
    rule: str, file: str, message: str, hint: str = "", *, route: Route = (), at: tuple[int, int] = (0, 0)
) -> Finding:
    """An error of reading or schema at `at` = (line, column), both from 1."""
    if rule not in FAULTS:
        raise KeyError(rule)
    return Finding(rule, fault_level(rule), Where(file, route, *at), message, hint)
