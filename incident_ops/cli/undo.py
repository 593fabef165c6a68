"""`incident-ops undo`: the last edit, taken back."""

from __future__ import annotations

import click

from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import (
    format_option,
    incident_argument,
    warn,
    with_repository,
)
from incident_ops.cli.sending import render_option, say_documents
from incident_ops.cli.terminal import say
from incident_ops.domain.record import is_numbered
from incident_ops.render.findings import inert, json_text


@click.command()
@incident_argument
@render_option
@format_option
@with_repository
def undo(workspace: Workspace, incident: str | None, form: str) -> None:
    """Take back the last edit of an incident that was made in this clone.

    One step, as long as the record has not changed since and the edit is not
    committed; where it cannot be undone, what does it instead is named.
    Without INC the last edit of all is meant. Undoing `declare` removes the
    folder. What was sent stays sent, and how to take that back is named.

    \b
    Examples:
      incident-ops undo
      incident-ops undo 120500
    """
    from incident_ops.app.undo import undo_last  # what only this command needs

    undone = undo_last(workspace, incident)
    edit, now = undone.edit, undone.incident
    if form == "json":
        head = {"schema": 1, "incident": edit.incident, "path": edit.path, "state": now.state if now else None}
        click.echo(json_text({**head, "undone": [*edit.done], "stays_sent": undone.stays or None}), nl=False)
        warn(undone.problems)
        return
    lines = tuple(f'"{line}"' for line in edit.done)
    if now is None:
        number = "; its number stays taken" if is_numbered(edit.incident) else ""
        lines = (f"the declaration; {undone.folder} is gone{number}",)
    for line in lines:
        click.echo(f"{click.style(edit.incident, bold=True)}: undone: {inert(line)}")
    say_documents(undone.documents)
    warn(undone.problems)
    if undone.stays:
        say(undone.stays, first="  ", err=False)
