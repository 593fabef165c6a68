"""`incident-ops cause`: why it happened, and what ended it."""

from __future__ import annotations

from typing import Any

import click

from incident_ops.app.edit_record import RecordChange, clean
from incident_ops.app.which_incident import is_any
from incident_ops.app.workspace import Workspace, must_have_come, read_text_file
from incident_ops.cli.options import (
    WordChoice,
    edits_record,
    incident_argument,
    past_time,
    pick_incident,
    to_be_asked_about,
)
from incident_ops.cli.terminal import prompt, prompt_text
from incident_ops.domain.incident import Cause, Incident, Resolution, Snippet
from incident_ops.domain.time_words import is_meant_as_time
from incident_ops.edits.cause import CauseFacts, write_cause
from incident_ops.edits.finish import CATEGORIES, category_typed
from incident_ops.errors import UserError
from incident_ops.render.findings import inert

_OF_CAUSE = ("category", "what", "why", "where", "trigger", "ref")
_OF_RESOLUTION = {"immediate": "immediate", "permanent": "permanent", "deployed": "deployed", "fix_ref": "ref"}


@click.command()
@incident_argument
@click.option(
    "--category",
    metavar="CATEGORY",
    type=WordChoice(CATEGORIES, category_typed),
    help=f"Kind of cause: {', '.join(CATEGORIES)}.",
)
@click.option("--what", metavar="TEXT", help="What broke.")
@click.option("--why", metavar="TEXT", help="Why it broke.")
@click.option("--where", metavar="TEXT", help="Where: a file, a function, a host.")
@click.option("--trigger", metavar="TEXT", help="What set it off.")
@click.option("--contributing", metavar="TEXT", multiple=True, help="What else contributed; -TEXT takes one away.")
@click.option("--why-chain", metavar="WHY=BECAUSE", multiple=True, help="The five whys, one each; -WHY takes one away.")
@click.option(
    "--snippet",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="Code or a query that shows it, from a file; the same --caption again replaces it.",
)
@click.option("--language", metavar="NAME", help="What the snippet is written in: diff, sql, python.")
@click.option("--caption", metavar="TEXT", help="What the snippet shows.")
@click.option("--ref", metavar="TEXT", help="The commit or link that caused it.")
@click.option("--immediate", metavar="TEXT", help="What stopped the impact.")
@click.option("--permanent", metavar="TEXT", help="What fixes it for good.")
@click.option("--deployed", metavar="WHEN", help="When the fix was deployed, or in which release.")
@click.option("--fix-ref", metavar="TEXT", help="The commit of the fix, or the one rolled back to.")
@edits_record
def cause(workspace: Workspace, incident: str | None, **said: Any) -> RecordChange:
    """Write down why it happened, and what ended it.

    It may be said before the incident is resolved and long after. What is
    left out stays as it is; `unknown` is an answer.

    At a terminal, without options, it asks for what is not written yet.

    \b
    Examples:
      incident-ops cause --category deploy --what "Tokens were rejected"
      incident-ops cause 120500 --contributing "No canary" --ref abc123
      incident-ops cause --why-chain "Why did logins fail?=All tokens expired"
      incident-ops cause --snippet fix.diff --language diff --caption "The fix"
      incident-ops cause --immediate "Rolled back" --deployed 12:20
    """
    incident = pick_incident(workspace, incident, is_any)
    if not any(said.values()):
        said = {**said, **_asked(workspace, incident)}
    facts = CauseFacts(
        cause={name: clean(said[name]) or "" for name in _OF_CAUSE if said[name]},
        resolution={
            field: clean(said[name]) or "" if name != "deployed" else _deployed(workspace, said[name])
            for name, field in _OF_RESOLUTION.items()
            if said[name]
        },
        contributing=said["contributing"],
        whys=[_why(text) for text in said["why_chain"]],
        snippet=_snippet(said["snippet"], said["language"], clean(said["caption"])),
    )
    return incident, lambda current: write_cause(current, facts)


def _snippet(file: str | None, language: str | None, caption: str | None) -> Snippet | None:
    """The code in a file. UserError where there is none to read, and where its language or caption is given alone."""
    if file is None:
        if language or caption:
            raise UserError("--language and --caption are about code", hint="--snippet FILE")
        return None
    text = read_text_file(file).strip("\n")
    if not text.strip():
        raise UserError(f"{inert(file)} is empty", hint="--snippet FILE")
    return Snippet(text=text, language=language, caption=caption)


def _deployed(workspace: Workspace, text: str) -> str:
    """A time as people type it -> the text for a record; what has not the form of one is the name of a release."""
    try:
        at = past_time(workspace, text, "--deployed") or ""
    except UserError:
        if is_meant_as_time(text):
            raise
        return text
    must_have_come(workspace, at, "--deployed")
    return at


def _why(text: str) -> tuple[str, str | None]:
    if text.startswith("-") and "=" not in text:
        return text[1:].strip(), None
    why, _, because = (part.strip() for part in text.partition("="))
    if not why or not because:
        hint = 'WHY=BECAUSE, e.g. --why-chain "Why did logins fail?=All tokens looked expired"'
        raise UserError(f"--why-chain {inert(text)!r} has no question or no answer", hint=hint)
    return why, because


def _asked(workspace: Workspace, incident: str) -> dict[str, str]:
    """Asks at a terminal for what is not written yet; an empty answer leaves it so. UserError elsewhere."""
    example = 'e.g. --what "..." --why "..." --immediate "..."; see `incident-ops cause --help`'
    current = to_be_asked_about(workspace, incident, example)
    answers = {}
    if current.cause is None:
        answers["category"] = prompt(
            "What was the cause?", kind=WordChoice(CATEGORIES, category_typed), default="unknown", prompt_suffix=" "
        )
    answers |= {name: prompt_text(question) for name, question in _open_questions(current).items()}
    return {name: text for name, text in answers.items() if text}


def _open_questions(incident: Incident) -> dict[str, str]:
    known, ended = incident.cause or Cause(category=""), incident.resolution or Resolution()
    questions = {
        "what": ("What broke?", known.what),
        "why": ("Why did it break?", known.why),
        "immediate": ("What stopped the impact?", ended.immediate),
        "permanent": ("What fixes it for good?", ended.permanent),
    }
    return {name: question for name, (question, answer) in questions.items() if answer is None}
