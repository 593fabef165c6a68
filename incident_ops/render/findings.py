"""Findings as text, as JSON (docs/contract.md#json), and as GitHub shows them: annotations and a step summary.

Of one step GitHub keeps ten annotations a level, so nine are written and one that counts the rest. The summary holds
them all, up to the size GitHub takes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from incident_ops.findings import RANK, Finding, Level

if TYPE_CHECKING:
    from incident_ops.rules import SuppressedFinding


Paint = Callable[[str, str], str]
"""(text, colour) -> the text in that colour, or unchanged."""

LEVEL_COLOURS = {Level.ERROR: "red", Level.WARNING: "yellow", Level.NOTE: "cyan"}


def inert(text: str) -> str:
    """Text of a record, a file name or a command line as one line that cannot steer a terminal: what is not printable
    stands as its escape, e.g. `\\n`, `\\x1b`."""
    return text if text.isprintable() else "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def quiet(line: str) -> str:
    """A line that steers neither a terminal nor a runner of GitHub Actions."""
    return without_commands(inert(line))


def without_commands(text: str) -> str:
    """Text of lines that a runner of GitHub Actions obeys none of: it looks for `##[` anywhere in a line, and for `::`
    at its beginning."""
    return re.sub(r"^([^\S\n]*):(?=:)", r"\1\\x3a", _unbracketed(text), flags=re.MULTILINE)


def _unbracketed(text: str) -> str:
    return text.replace("##[", "##\\x5b")


def inert_lines(text: str) -> str:
    """The same for text of several lines."""
    return "\n".join(inert(line) for line in text.split("\n"))


def findings_line(findings: Sequence[Finding], files: int, silenced: int = 0) -> str:
    """`7 files checked: 1 error, 2 warnings, 1 suppressed`."""
    counted = [(level, sum(one.level is level for one in findings)) for level in Level]
    parts = [plural(count, level.value) for level, count in counted if count] or ["all fine"]
    parts += [f"{silenced:,} suppressed"] if silenced else []
    return f"{plural(files, 'file')} checked: {', '.join(parts)}"


def plural(count: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def to_json(findings: Sequence[Finding], files: int, silenced: Sequence[SuppressedFinding] = (), **more: Any) -> str:
    """The JSON of `validate`, with a final line break; `silenced` is there where something is, `more` comes last."""
    counts = {level: sum(finding.level is level for finding in findings) for level in Level}
    data: dict[str, Any] = {
        "schema": 1,
        "summary": {"files": files, "errors": counts[Level.ERROR], "warnings": counts[Level.WARNING]},
        "findings": [as_data(finding) for finding in findings],
    }
    if silenced:
        data["silenced"] = [{**as_data(finding.finding), "reason": finding.reason} for finding in silenced]
    return json_text({**data, **more})


def as_data(finding: Finding) -> dict[str, Any]:
    """One finding as JSON-like data."""
    where = finding.where
    return {
        "rule": finding.rule,
        "level": finding.level.value,
        "file": where.file,
        "line": where.line,
        "column": where.column,
        "message": finding.message,
        "hint": finding.hint,
    }


def json_text(data: dict[str, Any]) -> str:
    """JSON as every command prints it: two spaces, in the order given, a final line break, no command for a runner."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    return text.replace("##[", "#\\u0023[") + "\n"


MOST_ANNOTATIONS = 9
"""Annotations of one level; one more says how many are left out."""
MOST_SUMMARY_BYTES = 1024 * 1024
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
        of_level = ordered([finding for finding in findings if finding.level is level], touched)
        lines += [_command(finding, prefix) for finding in of_level[:MOST_ANNOTATIONS]]
        if more := of_level[MOST_ANNOTATIONS:]:
            rest = f"and {plural(len(more), level.value)} more: the summary of this step lists them"
            lines.append(command(_WORDS[level], {"title": "incident-ops"}, rest))
    return "".join(f"{line}\n" for line in lines)


def ordered(findings: Sequence[Finding], touched: Touched) -> list[Finding]:
    """By level, the touched lines first, then by place."""
    return sorted(findings, key=lambda finding: (RANK[finding.level], not touched(finding), finding.sort_key))


def findings_summary(
    findings: Sequence[Finding],
    files: int,
    silenced: int,
    prefix: str,
    touched: Touched,
    room: int = MOST_SUMMARY_BYTES,
) -> str:
    """The findings as a Markdown table of at most `room` bytes; what does not fit is counted in its last line."""
    bad = any(finding.level is Level.ERROR for finding in findings)
    title = "fix the errors before merging" if bad else "fine"
    head = f"## Incident records: {title}\n\n{findings_line(findings, files, silenced)}\n"
    table = "\n| level | where | what | rule |\n| --- | --- | --- | --- |\n" if findings else ""
    left = room - len((head + table + _left_out(len(findings))).encode())
    if left < 0:
        return ""
    rows: list[str] = []
    for finding in ordered(findings, touched):
        row = _row(finding, prefix)
        left -= len(row.encode())
        if left < 0:
            return head + table + "".join(rows) + _left_out(len(findings) - len(rows))
        rows.append(row)
    return head + table + "".join(rows)


def _left_out(count: int) -> str:
    return f"\nand {plural(count, 'finding')} more: run `incident-ops validate`\n"


def _row(finding: Finding, prefix: str) -> str:
    from incident_ops.documents.markdown import code, inline  # many patterns, which only a summary needs

    where = f"{prefix}{finding.where.file}" + (f":{finding.where.line}" if finding.where.line else "")
    hint = f"<br>{inline(inert(finding.hint))}" if finding.hint else ""
    cells = (finding.level.value, code(inert(where)), inline(inert(finding.message)) + hint, f"`{finding.rule}`")
    return f"| {' | '.join(cells)} |\n"


def _command(one: Finding, prefix: str) -> str:
    where = one.where
    place = {"file": inert(f"{prefix}{where.file}")}
    if where.line:
        place |= {"line": str(where.line), "col": str(where.column)}
    place["title"] = one.rule
    text = inert(one.message) + (f"\nfix: {inert(one.hint)}" if one.hint else "")
    return command(_WORDS[one.level], place, text)


def command(level: str, properties: Mapping[str, str], text: str) -> str:
    """One workflow command; no text can break out of it. `level` is error, warning or notice."""
    settings = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {settings}::{_data(text)}"


def _data(text: str) -> str:
    return _unbracketed(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
