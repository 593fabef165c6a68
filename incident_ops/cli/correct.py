"""`incident-ops correct`: a wrong time of a record, put right."""

from __future__ import annotations

import click

from incident_ops.app.edit_record import clean, split_words, who
from incident_ops.app.workspace import Workspace
from incident_ops.cli.completion import complete_incident
from incident_ops.cli.options import (
    by_option,
    finish_edit,
    format_option,
    past_time,
    pick_incident,
    with_repository_to_write,
)
from incident_ops.cli.sending import record_options
from incident_ops.errors import UserError


@click.command()
@click.argument("words", nargs=-1, metavar="[INC] FIELD WHEN", shell_complete=complete_incident)
@click.option("--reason", metavar="TEXT", help="Why; needed where the wrong time is merged.")
@by_option
@format_option
@record_options
@with_repository_to_write
def correct(
    workspace: Workspace, words: tuple[str, ...], reason: str | None, by: str | None, form: str, send: bool
) -> None:
    """Put a time of an incident right.

    FIELD is started, detected, acknowledged, restored ...; after a reopening
    the present cycle is meant, and times.restored is the first. A merged time
    keeps what it was, and the correction beside it counts; any other time is
    changed in place. WHEN is 10m (ago), 02:56, an instant, or unknown.

    \b
    Examples:
      incident-ops correct started 02:41 --reason "the load balancer's logs"
      incident-ops correct 120500 restored 2025-01-26T12:25:00Z --reason "..."
      incident-ops correct cycles.1.restored unknown --reason "no data left"
    """
    from incident_ops.app.correct import correct_time  # what only this command needs

    incident, said = split_words(words, at_least=2)
    if len(said) != 2:
        hint = 'incident-ops correct FIELD WHEN --reason TEXT; put a time with blanks in quotes: "yesterday 14:00"'
        raise UserError("which time, and when was it?", hint=hint)
    at = past_time(workspace, said[1], "WHEN", may_be_unknown=True) or said[1]
    meant = pick_incident(workspace, incident)
    finish_edit(
        workspace, correct_time(workspace, meant, said[0], at, clean(reason), who(workspace, by)), form, send=send
    )
