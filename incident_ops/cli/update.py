"""`incident-ops update`: news for an audience, or another level."""

from __future__ import annotations

import click

from incident_ops.app.edit_record import clean, edit_record, who
from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import by_option, format_option, incident_argument, print_edited, with_repository
from incident_ops.domain.incident import Incident
from incident_ops.edits import communicate
from incident_ops.edits.step import Step, join_steps
from incident_ops.errors import UserError


@click.command()
@incident_argument
@click.option("--internal", metavar="TEXT", help="News for the responders and their teams.")
@click.option("--executive", metavar="TEXT", help="News for the management.")
@click.option("--public", metavar="TEXT", help="News for everybody: it goes to the status page.")
@click.option("--status", type=click.Choice(communicate.STATUSES), help="Default: what the record says.")
@click.option("--eta", metavar="WHEN", help="When it may be over: an instant, a duration, or unknown.")
@click.option("--severity", metavar="LABEL", help="The new severity.")
@click.option("--priority", metavar="LABEL", help="The new priority.")
@click.option("--reason", metavar="TEXT", help="Why the level changes; needed to lower it.")
@by_option
@format_option
@with_repository
def update(workspace: Workspace, incident: str | None, by: str | None, form: str, **said: str | None) -> None:
    """Write news for an audience, or change the severity.

    Nothing is sent from here: what is written goes out after the merge.

    \b
    Examples:
      incident-ops update --public "We are looking into failing logins"
      incident-ops update --internal "Rolling back" --status identified --eta 30m
      incident-ops update --severity SEV0 --reason "checkout is down, too"
    """
    actor = who(workspace, by)
    texts = {name: text for name in communicate.AUDIENCES if (text := clean(said[name])) is not None}
    labels = {name: label for name in ("severity", "priority") if (label := said[name]) is not None}
    for name in ("status", "eta"):
        if said[name] and not texts:
            raise UserError(f"--{name} goes with a text", hint='add --internal "..." or --public "..."')
    if said["reason"] and not labels:
        raise UserError("--reason goes with a level", hint="--severity LABEL or --priority LABEL")
    if not texts and not labels:
        raise UserError("there is nothing to say", hint='--internal "...", --public "...", or --severity LABEL')

    def updated(current: Incident) -> Step:
        policy, reason = workspace.judged_by[0], clean(said["reason"])
        return join_steps(
            *(
                communicate.relabel(current, policy, workspace.now, actor, name, label, reason)
                for name, label in labels.items()
            ),
            communicate.publish_update(current, workspace.now, actor, texts, said["status"], said["eta"]),
        )

    print_edited(edit_record(workspace, incident, updated), form)
