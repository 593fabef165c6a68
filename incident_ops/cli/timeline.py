"""`incident-ops timeline`: what happened, when it happens."""

from __future__ import annotations

from typing import Any

import click

from incident_ops.app.edit_record import clean, edit_record, split_words, who
from incident_ops.app.workspace import Workspace, moment
from incident_ops.cli.options import by_option, complete_incident, format_option, print_edited, with_repository
from incident_ops.edits import communicate
from incident_ops.errors import UserError


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="TEXT [INC]", shell_complete=complete_incident)
@click.option(
    "--kind",
    metavar="KIND",
    type=click.Choice(communicate.TIMELINE_KINDS),
    default="note",
    show_default=True,
    help=f"What kind of event: {', '.join(communicate.TIMELINE_KINDS)}.",
)
@click.option("--action", metavar="TEXT", help="What was done.")
@click.option("--result", metavar="TEXT", help="What came of it.")
@click.option("--ref", metavar="TEXT", help="A commit, a link, a ticket.")
@click.option("--at", metavar="WHEN", help="When it happened: 10m (ago), or an instant. Default: now.")
@click.option("--corrects", type=click.IntRange(1), help="The number of the entry that this one sets right.")
@click.option(
    "--mark",
    metavar="NAME",
    multiple=True,
    type=click.Choice(communicate.MARKS),
    help=f"This was also the instant of that name: {', '.join(communicate.MARKS)}.",
)
@by_option
@format_option
@with_repository
def timeline(workspace: Workspace, words: tuple[str, ...], by: str | None, form: str, **said: Any) -> None:
    """Write down what happened, when it happens.

    \b
    Examples:
      incident-ops timeline "Rolled back to def456" --kind action --ref def456
      incident-ops timeline "Cause found" --kind diagnosis --mark diagnosed
      incident-ops timeline "Error rate is normal" --at 5m --mark restored
    """
    actor = who(workspace, by)
    incident, text = split_words(words, at_least=1)
    if len(text) != 1:
        raise UserError("one text is needed", hint='put it in quotes: incident-ops timeline "Rolled back" INC-...')
    entry = communicate.TimelineEntry(
        event=clean(text[0]) or "",
        kind=said["kind"],
        action=clean(said["action"]),
        result=clean(said["result"]),
        ref=said["ref"],
        at=moment(said["at"], workspace.now, "--at"),
        corrects=said["corrects"],
        marks=tuple(dict.fromkeys(said["mark"])),
    )
    edited = edit_record(
        workspace, incident, lambda current: communicate.add_entry(current, workspace.now, actor, entry)
    )
    print_edited(edited, form)
