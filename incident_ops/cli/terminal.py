"""What is known of the terminal: its width, whether it shows colours; and the lines that commands say on it.

Output into a pipe or a file is never cut and never broken: a line of it is a whole fact for `grep`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TextIO

import click

from incident_ops.errors import UserError
from incident_ops.render.findings import quiet
from incident_ops.render.text import DEFAULT_WIDTH, UNCUT, cut_line, fold, fold_record

NARROWEST, WIDEST = 40, 200


def echo_folded(line: str, first: str = "") -> None:
    """A line of output after `first`, in as many lines of a terminal as it takes; whole where there is no terminal."""
    click.echo("\n".join(fold_record(quiet(line), first, "  " + " " * len(first), page_width())))


def page_width(*, err: bool = False) -> int:
    """Columns of the terminal that output goes to, or errors (`err`): 40 to 200; UNCUT where it is none.

    COLUMNS counts before what the terminal says; one that says nothing has 80.
    """
    stream = sys.stderr if err else sys.stdout
    if stream is None or not stream.isatty():
        return UNCUT
    said = os.environ.get("COLUMNS", "")
    try:
        found = int(said) if said.isdecimal() else os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        found = 0
    return min(max(found or DEFAULT_WIDTH, NARROWEST), WIDEST)


def drop_output(stream: TextIO) -> None:
    """Lets a stream that nobody takes lead nowhere: Python tries once more at exit, and would end with its own code."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def shows_colour(said: str | None, environment: Mapping[str, str]) -> bool | None:
    """What --color (always, never, auto or nothing) and the environment say of colours.

    None leaves it to the stream, which has colours where it is a terminal. Of variables NO_COLOR counts first, then
    FORCE_COLOR, then TERM=dumb; an empty one says nothing.
    """
    if said in ("always", "never"):
        return said == "always"
    if environment.get("NO_COLOR"):
        return False
    if forced := environment.get("FORCE_COLOR"):
        return forced not in ("0", "false")
    return False if environment.get("TERM") == "dumb" else None


def say(
    text: str,
    *,
    word: str = "",
    colour: str = "",
    first: str = "",
    err: bool = True,
    is_prose: bool = False,
    color: bool | None = None,
) -> None:
    """A sentence of ours, which may quote a record: at a terminal broken at its width and set in; else it is one line,
    but for prose of the policy or ours (`is_prose`).

    `word`, e.g. `error`, stands before it with a colon, in its colour or bold; `first` is what the line begins with.
    `color` as in `click.echo`, for what is said after the command line has ended.
    """
    head = f"{word}: " if word else ""
    lines = (fold if is_prose else fold_record)(quiet(head + text), first, f"{first}  ", page_width(err=err))
    if word and lines:
        lines[0] = lines[0].replace(word, click.style(word, fg=colour) if colour else click.style(word, bold=True), 1)
    for line in lines:
        click.echo(line, err=err, color=color)


def prompt(question: str, *, kind: Any = None, value_proc: Callable[[str], Any] | None = None, **how: Any) -> Any:
    """A question at the terminal, asked again until the answer is of its kind -> that answer.

    `kind` is a type of click, `value_proc` a function that raises UsageError; `how` as in `click.prompt`.
    """
    read = value_proc or click.types.convert_type(kind, how.get("default"))
    if isinstance(kind, click.Choice) and how.pop("show_choices", True):
        question = f"{question} ({', '.join(map(str, kind.choices))})"
    wrong = object()

    def checked(typed: str) -> Any:
        try:
            return read(typed)
        except click.UsageError as error:
            say(error.message, word="error", colour="red")
            return wrong

    while True:
        answer = click.prompt(question, value_proc=checked, err=True, **how)
        if answer is not wrong:
            return answer


def prompt_text(question: str, check: Callable[[str], object] = str) -> str:
    """A question that may be left without an answer; asked again while `check` raises UserError for what was typed."""

    def read(typed: str) -> str:
        text = typed.strip()
        try:
            if text:
                check(text)
        except UserError as error:
            raise click.UsageError(str(error)) from error
        return text

    answer: str = prompt(question, value_proc=read, default="", show_default=False, prompt_suffix=" ")
    return answer


def say_listed(lines: Iterable[str]) -> None:
    """Lines of a list below an error, each cut at the width of the terminal."""
    width = page_width(err=True)
    for line in lines:
        click.echo(cut_line(f"  {quiet(line)}", width), err=True)


def paint(text: str, colour: str) -> str:
    """Text in a colour; the terminal or --color decides later whether it is shown."""
    return click.style(text, fg=colour)


def painter(colours: Mapping[str, str]) -> Callable[[str, str], str]:
    """(tone, line) -> the line in the colour of its tone, or as it is."""
    return lambda tone, line: paint(line, colours[tone]) if tone in colours else line


def style_line(tone: str, line: str) -> str:
    """A line of a table or of an incident's picture as its tone asks: bold, coloured, or as it is."""
    from incident_ops.render.lists import BOLD_TONES, TONE_COLOURS  # what only `list` and `show` need

    bold = True if tone in BOLD_TONES else None
    return click.style(line, fg=TONE_COLOURS.get(tone), bold=bold) if bold or tone in TONE_COLOURS else line
