"""What the YAML parser complains about, in plain words."""

from __future__ import annotations

from typing import Any

import yaml

from incident_ops.findings import Finding
from incident_ops.records.faults import fault

_PLAINER = {
    "mapping values are not allowed in this context": (
        "a `: ` stands where no value may follow",
        "quote the text if it contains `: `",
    ),
    "did not find expected key": ("a key was expected here", "check quotes and indentation of the lines above"),
    "could not find expected ':'": ("a `:` was expected after the key", "check the indentation, or quote the text"),
    "did not find expected '-' indicator": ("a list entry `- ` was expected here", "check the indentation"),
    "found unexpected end of stream": ("the text ends too early", "close the quote"),
    "did not find expected ',' or ']'": ("a `,` or `]` was expected", "close the list"),
    "did not find expected ',' or '}'": ("a `,` or `}` was expected", "close the braces"),
    "found character that cannot start any token": ("this character cannot begin a value", "put the text in quotes"),
}


def syntax_findings(error: yaml.YAMLError, last: Any, file: str, text: str) -> list[Finding]:
    """A parser's error in plain words, where reading stopped and, for a broken quote, where that was opened.

    `last` is the last scalar event before the error, None where there was none.
    """
    if not isinstance(error, yaml.MarkedYAMLError):
        position = getattr(error, "position", 0) or 0
        before = text[:position]
        at = (before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)
        return [fault("encoding", file, "a control character stands here", "remove it", at=at)]
    mark, opened = error.problem_mark, error.context_mark
    at = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    plain, hint = _PLAINER.get(error.problem or "", (error.problem or "not YAML", "check quotes and indentation"))
    if mark and text[mark.index : mark.index + 1] == "\t":
        plain, hint = "a tab stands here", "indent with spaces"
    found = [fault("syntax", file, plain, hint, at=at)]
    if error.context and "quoted scalar" in error.context and opened:
        begin = (opened.line + 1, opened.column + 1)
        found.insert(0, fault("syntax", file, "this quote is never closed", "close it on this line", at=begin))
    elif (
        last is not None
        and last.style in ("'", '"')
        and mark
        and last.start_mark.line < last.end_mark.line == mark.line
    ):
        begin = (last.start_mark.line + 1, last.start_mark.column + 1)
        found.insert(
            0,
            fault(
                "syntax", file, f"the quote opened here ends only on line {at[0]}", "close it on this line", at=begin
            ),
        )
    return found
