"""What `doctor` prints: each thing that was looked at, and the commands that mend it (docs/contract.md#json)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from incident_ops.render.findings import MOST_ANNOTATIONS, Paint, command, inert, json_text, plural
from incident_ops.render.github_steps import ApiCall, command_data
from incident_ops.render.text import DEFAULT_WIDTH, fold


class SetUpState(StrEnum):
    """How something is set up; UNKNOWN where it could not be seen."""

    ERROR = "error"
    WARNING = "warning"
    UNKNOWN = "unknown"
    OK = "ok"


SET_UP_COLOURS = {SetUpState.ERROR: "red", SetUpState.WARNING: "yellow", SetUpState.UNKNOWN: "cyan"}
_ANNOTATED = {SetUpState.ERROR: "error", SetUpState.WARNING: "warning"}


class SetUpCheck(NamedTuple):
    """One thing that was looked at: the name of the check, how it is, what was seen, and how to mend it: `way` in
    words (where to click), and the `commands` that do it."""

    check: str
    state: SetUpState
    message: str
    way: str = ""
    commands: tuple[str | ApiCall, ...] = ()


def set_up_text(repository: str, checks: Sequence[SetUpCheck], paint: Paint, width: int = DEFAULT_WIDTH) -> str:
    """What is wrong first, each with what mends it; then what is fine, in one line. Commands are never broken, and
    those of several lines stand at the end, under the names of their checks."""
    lines: list[str] = []
    todo: list[str] = []
    for one in _ordered(checks):
        if one.state is SetUpState.OK:
            continue
        commands = [_spelled(each) for each in one.commands]
        is_long = any("\n" in each for each in commands)
        first, *rest = fold(f"{one.check}: {inert(one.message)}", f"{one.state.value}  ", "  ", width)
        lines += [paint(first, SET_UP_COLOURS[one.state]), *rest]
        ways = [*([inert(one.way)] if one.way else []), *([_below(len(commands))] if is_long else [])]
        lines += fold(f"fix: {', or '.join(ways)}", "  ", "    ", width) if ways else []
        if is_long:
            todo += ["", f"# {one.check}", *(line for each in commands for line in each.splitlines())]
        else:
            lines += [f"    {each}" for each in commands]
    fine = [one.check for one in checks if one.state is SetUpState.OK]
    lines += fold(f"fine: {', '.join(dict.fromkeys(fine))}", "", "  ", width) if fine else []
    lines += fold(f"{inert(repository)}: {_sum(checks)}", "", "  ", width)
    return "".join(f"{line}\n" for line in (*lines, *todo))


def _below(count: int) -> str:
    return "the command below" if count == 1 else f"the {count} commands below"


def set_up_json(repository: str, checks: Sequence[SetUpCheck]) -> str:
    """The same for programs; a request to the API also as its parts."""
    rows = [
        {
            "check": one.check,
            "state": one.state.value,
            "message": one.message,
            "fix": one.way or None,
            "commands": [command_data(each) for each in one.commands],
        }
        for one in checks
    ]
    summary = {f"{state.value}": sum(one.state is state for one in checks) for state in SetUpState}
    return json_text({"schema": 1, "repository": repository, "summary": summary, "checks": rows})


def set_up_commands(checks: Sequence[SetUpCheck]) -> str:
    """Workflow commands, errors first; "" where nothing is to be mended."""
    lines = []
    for state, level in _ANNOTATED.items():
        found = [one for one in checks if one.state is state]
        for one in found[:MOST_ANNOTATIONS]:
            text = f"{one.message}{f': {one.way}' if one.way else ''}"
            lines.append(command(level, {"title": f"incident-ops {one.check}"}, inert(text)))
        if more := found[MOST_ANNOTATIONS:]:
            rest = f"and {plural(len(more), level)} more: the summary of this step lists them"
            lines.append(command(level, {"title": "incident-ops"}, rest))
    return "".join(f"{line}\n" for line in lines)


def set_up_summary(repository: str, checks: Sequence[SetUpCheck]) -> str:
    """The same as Markdown, for the summary of a step: a table, and below it the commands."""
    from incident_ops.documents.markdown import inline, markdown_table  # what only a summary needs

    rows = [
        (one.state.value, one.check, inline(inert(one.message)), inline(inert(one.way))) for one in _ordered(checks)
    ]
    todo = [line for one in _ordered(checks) for each in one.commands for line in _spelled(each).splitlines()]
    block = "".join(f"    {line}\n" for line in todo)
    table = markdown_table(("", "what", "seen", "what mends it"), rows)
    return f"## Set-up of {inline(inert(repository))}\n\n{_sum(checks)}\n\n{table}\n{block}"


def _ordered(checks: Sequence[SetUpCheck]) -> list[SetUpCheck]:
    states = list(SetUpState)
    return sorted(checks, key=lambda one: states.index(one.state))


def _sum(checks: Sequence[SetUpCheck]) -> str:
    counts = [(state, sum(one.state is state for one in checks)) for state in SetUpState]
    words = {SetUpState.UNKNOWN: "could not be seen", SetUpState.OK: "fine"}
    parts = [
        f"{count} {words[state]}" if state in words else plural(count, state.value) for state, count in counts if count
    ]
    return ", ".join(parts) or "nothing was looked at"


def _spelled(one: str | ApiCall) -> str:
    return one if isinstance(one, str) else one.command
