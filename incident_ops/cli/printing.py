"""Printing that every command shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from incident_ops.model.unread import Unread
from incident_ops.render.findings import inert

format_option: Callable[[Any], Any] = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text for people, JSON for scripts.",
)


def paint(text: str, colour: str) -> str:
    """Text in a colour; the terminal or --color decides later whether it is shown."""
    return click.style(text, fg=colour)


def inert_unread(unread: Sequence[Unread]) -> tuple[Unread, ...]:
    """Unread records as they may be shown on a terminal: a file's name can hold anything."""
    return tuple(Unread(inert(one.path), inert(one.reason)) for one in unread)


def finish(code: int) -> None:
    """Ends the command with an exit code."""
    if code:
        raise click.exceptions.Exit(code)


def force_color(ctx: click.Context) -> bool | None:
    """What --color says to a library that colours by itself: True, False, or None to let it look at the terminal."""
    return ctx.find_root().color
