"""Findings -> text for people, JSON for scripts (docs/contract.md#json)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from incident_ops.findings import Finding, Level

if TYPE_CHECKING:
    from incident_ops.rules.silencing import Silenced

Paint = Callable[[str, str], str]
"""(text, colour) -> the text coloured, or as it is."""

COLOURS = {Level.ERROR: "red", Level.WARNING: "yellow", Level.NOTE: "cyan"}


def to_text(findings: Sequence[Finding], files: int, paint: Paint, silenced: int = 0) -> str:
    """One finding a line as `file:line:column: level: message [rule]`, its hint below, a summary last."""
    lines = []
    for one in findings:
        level = paint(one.level.value, COLOURS[one.level])
        lines.append(f"{inert(str(one.where))}: {level}: {inert(one.message)} [{one.rule}]")
        if one.hint:
            lines.append(f"    {paint('mend:', 'green')} {inert(one.hint)}")
    return "\n".join([*lines, summary(findings, files, silenced)]) + "\n"


def inert(text: str) -> str:
    """Text of a record, a file name or a command line as one line that cannot steer a terminal: what is not printable
    stands as its escape, e.g. `\\n`, `\\x1b`."""
    return text if text.isprintable() else "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def inert_lines(text: str) -> str:
    """The same for text of several lines."""
    return "\n".join(inert(line) for line in text.split("\n"))


def summary(findings: Sequence[Finding], files: int, silenced: int = 0) -> str:
    """`7 files checked: 1 error, 2 warnings, 1 silenced`."""
    counted = [(level, sum(one.level is level for one in findings)) for level in Level]
    told = [plural(count, level.value) for level, count in counted if count] or ["all fine"]
    told += [f"{silenced:,} silenced"] if silenced else []
    return f"{plural(files, 'file')} checked: {', '.join(told)}"


def plural(count: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def to_json(findings: Sequence[Finding], files: int, silenced: Sequence[Silenced] = ()) -> str:
    """The JSON of `validate`, with a final line break; `silenced` is there where something is."""
    counts = {level: sum(one.level is level for one in findings) for level in Level}
    data: dict[str, Any] = {
        "schema": 1,
        "summary": {"files": files, "errors": counts[Level.ERROR], "warnings": counts[Level.WARNING]},
        "findings": [as_data(one) for one in findings],
    }
    if silenced:
        data["silenced"] = [{**as_data(one.finding), "reason": one.reason} for one in silenced]
    return dump(data)


def as_data(one: Finding) -> dict[str, Any]:
    """One finding as JSON-like data."""
    where = one.where
    return {
        "rule": one.rule,
        "level": one.level.value,
        "file": where.file,
        "line": where.line,
        "column": where.column,
        "message": one.message,
        "hint": one.hint,
    }


def dump(data: dict[str, Any]) -> str:
    """JSON as every command prints it: two spaces, in the order given, a final line break."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
