"""Findings as GitHub shows them: annotations on the lines of a pull request, and the summary of a step.

Of one step GitHub keeps ten annotations a level, so nine are written and one that counts the rest. The summary holds
them all, up to the size GitHub takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from incident_ops.findings import RANK, Finding, Level
from incident_ops.render.findings import inert, plural, summary
from incident_ops.render.safe import code, inline

MOST = 9
"""Annotations of one level; one more tells how many are left out."""
MOST_BYTES = 1024 * 1024
"""What GitHub takes as the summary of one step."""
_WORDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}

Touched = Callable[[Finding], bool]
"""True for a finding on a line that this change wrote."""


def commands(findings: Sequence[Finding], prefix: str, touched: Touched) -> str:
    """Workflow commands, errors first, in each level the touched lines first; "" where there is no finding.

    `prefix` is the records' folder in the repository, "" or ending with `/`.
    """
    lines = []
    for level in sorted(Level, key=RANK.__getitem__):
        found = ordered([one for one in findings if one.level is level], touched)
        lines += [_command(one, prefix) for one in found[:MOST]]
        if more := found[MOST:]:
            told = f"and {plural(len(more), level.value)} more: the summary of this step lists them"
            lines.append(command(_WORDS[level], {"title": "incident-ops"}, told))
    return "".join(f"{line}\n" for line in lines)


def ordered(findings: Sequence[Finding], touched: Touched) -> list[Finding]:
    """By level, the touched lines first, then by place."""
    return sorted(findings, key=lambda one: (RANK[one.level], not touched(one), one.sort_key))


def step_summary(
    findings: Sequence[Finding], files: int, silenced: int, prefix: str, touched: Touched, room: int = MOST_BYTES
) -> str:
    """The findings as a Markdown table of at most `room` bytes; what does not fit is counted in its last line."""
    bad = any(one.level is Level.ERROR for one in findings)
    title = "not to be merged like this" if bad else "fine"
    head = f"## Incident records: {title}\n\n{summary(findings, files, silenced)}\n"
    table = "\n| level | where | what | rule |\n| --- | --- | --- | --- |\n" if findings else ""
    left = room - len((head + table + _left_out(len(findings))).encode())
    if left < 0:
        return ""
    rows: list[str] = []
    for one in ordered(findings, touched):
        row = _row(one, prefix)
        left -= len(row.encode())
        if left < 0:
            return head + table + "".join(rows) + _left_out(len(findings) - len(rows))
        rows.append(row)
    return head + table + "".join(rows)


def _left_out(count: int) -> str:
    return f"\nand {plural(count, 'finding')} more: run `incident-ops validate`\n"


def _row(one: Finding, prefix: str) -> str:
    where = f"{prefix}{one.where.file}" + (f":{one.where.line}" if one.where.line else "")
    hint = f"<br>{inline(inert(one.hint))}" if one.hint else ""
    return f"| {one.level.value} | {code(inert(where))} | {inline(inert(one.message))}{hint} | `{one.rule}` |\n"


def _command(one: Finding, prefix: str) -> str:
    where = one.where
    place = {"file": inert(f"{prefix}{where.file}")}
    if where.line:
        place |= {"line": str(where.line), "col": str(where.column)}
    place["title"] = one.rule
    told = inert(one.message) + (f"\nmend: {inert(one.hint)}" if one.hint else "")
    return command(_WORDS[one.level], place, told)


def command(level: str, properties: Mapping[str, str], text: str) -> str:
    """One workflow command; no text can break out of it. `level` is error, warning or notice."""
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {told}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
