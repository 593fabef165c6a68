"""`incident-ops notify`: a notice sent by hand."""

from __future__ import annotations

import click

from incident_ops.app.notify import AUDIENCES, NotifyOptions, notify_people
from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import complete_incident, finish, format_option, with_repository
from incident_ops.notifications.deliver import delivery_exit_code
from incident_ops.render.findings import inert
from incident_ops.render.notify import notices_json, notices_text


@click.command()
@click.argument("incident", metavar="[INC]", required=False, shell_complete=complete_incident)
@click.option("--mark", metavar="WORD", required=True, help="What it is about, e.g. declared, warning, breach, test.")
@click.option("--channel", "channels", metavar="NAME", multiple=True, help="Only these. Default: those of the level.")
@click.option("--audience", type=click.Choice(AUDIENCES), default=AUDIENCES[0], show_default=True, help="For whom.")
@click.option("--text", metavar="TEXT", help="What else to say.")
@click.option("--no-wait", is_flag=True, help="Send ranks 3 and 4 too when the ledger cannot be reached.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent, and send nothing.")
@format_option
@with_repository
def notify(
    workspace: Workspace,
    incident: str | None,
    mark: str,
    channels: tuple[str, ...],
    audience: str,
    text: str | None,
    no_wait: bool,
    dry_run: bool,
    form: str,
) -> None:
    """Send a notice about an incident, once for each mark and channel.

    A channel's address is an apprise URL in INCIDENT_OPS_CHANNEL_<NAME>. The
    ledger on the remote keeps two people from sending the same. Ranks 1 and 2
    are sent even when it cannot be reached, the others wait for it.

    Where notices with this mark are due, those are sent, and the automation
    does not send them again. Else the record's facts are sent.

    Exit code 4 when a notice was not sent or nobody can tell; 2 when a
    channel is not set up.

    \b
    Examples:
      incident-ops notify INC-20250126-120500 --mark declared
      incident-ops notify 120500 --mark test --channel slack --dry-run
      incident-ops notify --mark update --text "Login works again for half"
    """
    options = NotifyOptions(mark, channels, audience, text, may_wait=not no_wait, dry_run=dry_run)
    result = notify_people(workspace, incident, options)
    if form == "json":
        click.echo(notices_json(result.incident, mark, result.delivered), nl=False)
    else:
        click.echo(notices_text(result.delivered), nl=False)
    for problem in dict.fromkeys(map(str, result.ledger_errors)):
        click.echo(f"ledger: {inert(problem)}", err=True)
    finish(delivery_exit_code(result.delivered))
