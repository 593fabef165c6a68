"""Runbooks as text and as JSON: the list, a whole one, one step, and how a run went."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.render.findings import inert, json_text, plural, quiet
from incident_ops.render.incident import level_labels, state_of
from incident_ops.render.text import DEFAULT_WIDTH, UNCUT, Style, aligned, fold
from incident_ops.runbooks.progress import BEGUN, NO_INCIDENT, RunbookProgress, StepOutcome, entry_of
from incident_ops.runbooks.reading import CodeBlock, Runbook, RunbookStep

if TYPE_CHECKING:
    from incident_ops.app.runbooks import RunbookRow

END_MARK = "End of the runbook."
WHAT_NEXT = "Review what you found, and decide how to mitigate."
HEADING, COMMAND, REMARK = "heading", "command", "remark"
"""Tones of lines."""
RUNBOOK_COLOURS = {HEADING: "cyan", COMMAND: "green", REMARK: "yellow"}
WIDEST_TEXT = 100
"""Columns of a paragraph at most: a longer line is hard to read."""


def list_text(rows: Sequence[RunbookRow], width: int = DEFAULT_WIDTH) -> str:
    """A table of services and their runbooks."""
    cells = [(inert(one.service) or "-", *_about(one)) for one in rows]
    if not cells:
        return "No service and no runbook here yet.\n"
    return "\n".join(aligned(("SERVICE", "RUNBOOK", "STEPS", "OWNER", "REVIEW BY"), cells, (2,), width)) + "\n"


def _about(row: RunbookRow) -> tuple[str, str, str, str]:
    if row.runbook is None:
        return inert(row.path) if "://" in row.path else "none", "-", "-", "-"
    steps = str(len(row.runbook.steps))
    return inert(row.path), steps, inert(row.runbook.owner) or "-", inert(row.runbook.review_by) or "-"


def list_json(rows: Sequence[RunbookRow]) -> str:
    """The same for scripts; `steps` null = there is no such file, `service` null = it is none's."""
    data = [
        {
            "service": one.service or None,
            "path": one.path,
            "steps": None if one.runbook is None else len(one.runbook.steps),
            "owner": one.runbook.owner or None if one.runbook else None,
            "review_by": one.runbook.review_by or None if one.runbook else None,
        }
        for one in rows
    ]
    return json_text({"schema": 1, "runbooks": data})


def runbook_text(runbook: Runbook, style: Style, width: int = DEFAULT_WIDTH) -> str:
    """A whole runbook: its steps in order, the end mark, and what comes next."""
    lines = [style(HEADING, quiet(runbook.title or runbook.path)), _facts_line(runbook)]
    lines += _paragraphs(runbook.introduction, "", width)
    section = ""
    for step in runbook.steps:
        if step.section and step.section != section:
            lines += ["", style(HEADING, quiet(step.section))]
            lines += _paragraphs(runbook.sections.get(step.section, ()), "", width)
        section = step.section
        lines += ["", *step_lines(step, len(runbook.steps), style, width)]
    return "\n".join([*lines, "", *end_lines()]) + "\n"


def end_lines() -> list[str]:
    """What stands behind the last step."""
    return [END_MARK, WHAT_NEXT]


def _facts_line(runbook: Runbook) -> str:
    owner = f", owner {runbook.owner}" if runbook.owner else ""
    review = f", review by {runbook.review_by}" if runbook.review_by else ""
    return quiet(f"{runbook.path}: {plural(len(runbook.steps), 'step')}{owner}{review}")


def step_lines(step: RunbookStep, steps: int, style: Style, width: int = DEFAULT_WIDTH) -> list[str]:
    """One step: its number and title, then its paragraphs, and its commands as they are, each after `$ `."""
    head = f"{step.number:>{len(str(steps))}}. "
    room = " " * len(head)
    lines = fold(quiet(step.title), head, room, _narrowed(width))
    for one in step.content:
        lines += _block(one, room, style) if isinstance(one, CodeBlock) else _paragraphs([one], room, width)
    return lines


def _block(block: CodeBlock, room: str, style: Style) -> list[str]:
    """A fence, whole: a command that is cut cannot be copied."""
    lines = block.text.rstrip("\n").split("\n")
    if not block.is_command:
        return ["", *(f"{room}  | {quiet(line)}".rstrip() for line in lines), ""]
    return [style(COMMAND, f"{room}{'$ ' if not at else '  '}{quiet(line)}".rstrip()) for at, line in enumerate(lines)]


def _paragraphs(texts: Sequence[str], room: str, width: int) -> list[str]:
    return [
        line
        for text in texts
        for one in text.split("\n")
        for line in fold(quiet(one), room, room + ("  " if one.startswith("- ") else ""), _narrowed(width))
    ]


def _narrowed(width: int) -> int:
    return width if width == UNCUT else min(width, WIDEST_TEXT)


def runbook_json(runbook: Runbook, service: str) -> str:
    """A runbook for scripts, its steps in order."""
    steps = [
        {
            "number": step.number,
            "section": step.section or None,
            "title": step.title,
            "text": [one for one in step.content if isinstance(one, str)],
            "commands": [block.text for block in step.commands],
            "line": step.line,
        }
        for step in runbook.steps
    ]
    return json_text(
        {
            "schema": 1,
            "path": runbook.path,
            "service": service or None,
            "title": runbook.title or None,
            "owner": runbook.owner or None,
            "review_by": runbook.review_by or None,
            "steps": steps,
        }
    )


def dry_run_text(
    runbook: Runbook, progress: RunbookProgress, way: str, style: Style, width: int = DEFAULT_WIDTH
) -> str:
    """What `--execute` would do, a step after the other, and which are done already; `way` is the command with it."""
    lines: list[str] = []
    for step in runbook.steps:
        known = progress.steps.get(step.number)
        lines += [*step_lines(step, len(runbook.steps), style, width)]
        lines += [style(REMARK, f"   -> {_would(step, known)}"), ""]
    goes = f" With --execute each step goes into the timeline of {progress.incident}."
    into = "" if progress.incident == NO_INCIDENT else goes
    lines += [*end_lines(), "", f"Nothing was run.{into}", f"To run it, step by step: {way}"]
    return "\n".join(lines) + "\n"


def _would(step: RunbookStep, known: StepOutcome | None) -> str:
    if known is not None and known.is_finished:
        return f"{known.outcome} already"
    again = f" again ({before_line(known)})" if known is not None else ""
    if not step.commands:
        return "by hand: it would ask whether it is done"
    return f"would ask, then run {plural(len(step.commands), 'command')}{again}"


def before_line(known: StepOutcome) -> str:
    """What became of a step that is not finished."""
    if known.outcome == BEGUN:
        return f"it was begun at {known.at}, and how it ended is not known"
    return quiet(f"{known.result or known.outcome}, at {known.at}")


def recorded_in_line(incident: Incident, policy: Policy) -> str:
    """Which record gets the steps: id, level, state, title."""
    kind = "drill, " if incident.drill else ""
    facts = f"{kind}{level_labels(incident, policy)}, {state_of(incident)}"
    return quiet(f"each step goes into the timeline of {incident.id} ({facts}): {incident.title}")


def by_hand_command(runbook: Runbook, step: RunbookStep, outcome: StepOutcome, incident: str) -> str:
    """The command that records an outcome by hand; what was printed is left out."""
    entry = entry_of(runbook, step, outcome)
    result = (outcome.result or outcome.outcome).partition(":")[0]
    words = ("timeline", entry.event, incident, "--kind", entry.kind, "--at", outcome.at, "--result", result)
    return quiet(" ".join(["incident-ops", *(_quoted(word) for word in words)]))


def _quoted(word: str) -> str:
    return word if shlex.quote(word) == word else f'"{word}"' if not set(word) & set('"$`\\!') else shlex.quote(word)


def outcome_lines(step: RunbookStep, outcome: StepOutcome) -> Iterator[str]:
    """What became of a step."""
    word = (outcome.result or outcome.outcome).partition(":")[0]
    yield quiet(f"step {step.number}: {word}")
