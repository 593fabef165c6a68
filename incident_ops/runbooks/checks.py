"""What a runbook lacks: an owner, a review in time, steps that say something, the usual questions in their order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from incident_ops.findings import Finding, Level, Where
from incident_ops.runbooks.reading import SHELLS, Runbook, RunbookStep

OWNER, REVIEW = "runbook-owner", "runbook-review"
STEP, LANGUAGE = "runbook-step", "runbook-language"
SCENARIOS, ORDER = "runbook-scenarios", "runbook-order"

_QUESTIONS = {
    "service health": r"health|\bup\b|status",
    "recent deployments": r"deploy|rollout|release",
    "error logs": r"\blogs?\b",
    "metrics": r"metric|error rate|latency|request rate",
}
"""What an investigation looks at, in this order (R164), and the words by which the title of a step shows it."""
_USUAL = {
    "a bad release": r"bad release|roll(?:ed|ing)? ?back|revert",
    "a database that fails": r"database",
    "too little capacity": r"capacity|saturat|overload|disk",
    "a third party that fails": r"third part|vendor|provider",
    "an expired certificate": r"certificate",
    "a wrong setting": r"setting|configuration",
}
"""Usual failures that a runbook should name (R167), and the words by which a text does."""


def check_runbook(runbook: Runbook, today: date) -> list[Finding]:
    """Every finding about a runbook, in the order of the file. What time alone brings is never an error."""
    found = [*runbook.problems, *_front(runbook, today), *_steps(runbook)]
    if runbook.steps:
        found += [*_order(runbook), *_scenarios(runbook)]
    return sorted(found, key=lambda one: one.sort_key)


def _front(runbook: Runbook, today: date) -> Iterator[Finding]:
    if not runbook.owner:
        hint = 'begin the file with a line ---, owner: "@team" below it, and a line --- again'
        yield _finding(runbook, OWNER, Level.WARNING, "nobody owns this runbook", hint)
    if not runbook.review_by:
        hint = "write review_by: and a date between the lines --- at its top"
        yield _finding(runbook, REVIEW, Level.WARNING, "it has no date of its next review", hint)
        return
    try:
        review = date.fromisoformat(runbook.review_by)
    except ValueError:
        message = f"review_by {runbook.review_by!r} is not a date"
        yield _finding(runbook, REVIEW, Level.ERROR, message, "e.g. 2026-06-30")
        return
    if review < today:
        message = f"its review was due on {review}"
        yield _finding(runbook, REVIEW, Level.WARNING, message, "try each step, then write the next date")


def late_review(runbook: Runbook, today: date) -> str | None:
    """What whoever is about to follow it should know: its review is late. None where it is not, or has no date."""
    late = (one.message for one in _front(runbook, today) if one.rule == REVIEW and runbook.review_by)
    return next(late, None)


def _steps(runbook: Runbook) -> Iterator[Finding]:
    for step in runbook.steps:
        if not step.title:
            hint = "say in a line what is to be done"
            yield _finding(runbook, STEP, Level.WARNING, f"step {step.number} has no text", hint, step.line)
        elif not step.content and not step.is_item:
            message = f"step {step.number} says nothing below its heading"
            yield _finding(runbook, STEP, Level.WARNING, message, "say what is to be done, or run", step.line)
        for block in step.blocks:
            if block.language in SHELLS:
                continue
            message = f"a fence of {block.language} is not run" if block.language else "a fence names no language"
            hint = f"{', '.join(SHELLS)}: commands; text: what is only shown"
            if block.language != "text":
                yield _finding(runbook, LANGUAGE, Level.WARNING, message, hint, block.line)


def _order(runbook: Runbook) -> Iterator[Finding]:
    """That a usual question is not asked, or that they are asked in another order."""
    places: dict[str, RunbookStep] = {}
    for name, words in _QUESTIONS.items():
        asked = (one for one in runbook.steps if one not in places.values() and re.search(words, one.title, re.I))
        if (step := next(asked, None)) is not None:
            places[name] = step
    usual = "look in this order: " + ", ".join(_QUESTIONS)
    missing = [name for name in _QUESTIONS if name not in places]
    if missing:
        yield _finding(runbook, ORDER, Level.NOTE, f"no step looks at: {', '.join(missing)}", usual)
    asked_in = sorted(places, key=lambda name: places[name].number)
    if asked_in != list(places):
        first = places[asked_in[0]]
        yield _finding(
            runbook, ORDER, Level.NOTE, f"it looks first at {', then at '.join(asked_in)}", usual, first.line
        )


def _scenarios(runbook: Runbook) -> Iterator[Finding]:
    text = " ".join(_texts(runbook)).casefold()
    missing = [name for name, words in _USUAL.items() if not re.search(words, text)]
    if missing:
        hint = "say what to do then, or who can help"
        message = f"usual failures that it does not name: {', '.join(missing)}"
        yield _finding(runbook, SCENARIOS, Level.NOTE, message, hint)


def _texts(runbook: Runbook) -> Iterator[str]:
    yield from runbook.introduction
    for section, text in runbook.sections.items():
        yield from (section, *text)
    for step in runbook.steps:
        yield from (step.title, *(one if isinstance(one, str) else one.text for one in step.content))


def _finding(runbook: Runbook, rule: str, level: Level, message: str, hint: str, line: int = 1) -> Finding:
    return Finding(rule, level, Where(runbook.path, line=line, column=1), message, hint)
