"""`incident-ops resolve`: service is back and the cause is known."""

from __future__ import annotations

import click

from incident_ops.app.edit_record import clean, edit_record, find_record, read_for_edit, who
from incident_ops.app.workspace import Workspace, moment
from incident_ops.cli.options import (
    at_terminal,
    by_option,
    format_option,
    incident_argument,
    print_edited,
    with_repository,
)
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import OVER
from incident_ops.edits import finish
from incident_ops.errors import UserError
from incident_ops.render.findings import inert


@click.command()
@incident_argument
@click.option("--restored", metavar="WHEN", help="When service was back: now, 10m (ago), an instant, or unknown.")
@click.option(
    "--cause",
    metavar="CATEGORY",
    type=click.Choice(finish.CATEGORIES),
    help=f"The category of the cause: {', '.join(finish.CATEGORIES)}.",
)
@click.option("--what", metavar="TEXT", help="What broke.")
@click.option("--why", metavar="TEXT", help="Why it broke.")
@by_option
@format_option
@with_repository
def resolve(
    workspace: Workspace,
    incident: str | None,
    restored: str | None,
    cause: str | None,
    what: str | None,
    why: str | None,
    by: str | None,
    form: str,
) -> None:
    """Service is back: resolve the incident. --restored and
    --cause both take `unknown`.

    \b
    Examples:
      incident-ops resolve --restored now --cause deploy
      incident-ops resolve --restored 12m --cause unknown
      incident-ops resolve 120500 --restored 2025-01-26T12:30:00Z --cause deploy \\
        --what "Tokens were rejected as expired"
    """
    actor = who(workspace, by)
    back = moment(restored, workspace.now, "--restored", may_be_unknown=True)
    given = finish.ResolutionFacts(back, cause, clean(what), clean(why))
    if at_terminal() and form == "text":
        found = read_for_edit(workspace, find_record(workspace, incident)).record.incident
        incident, given = found.id, _asked(workspace, found, given)
    edited = edit_record(
        workspace,
        incident,
        lambda current: finish.resolve_incident(current, workspace.judged_by[0], workspace.now, actor, given),
    )
    print_edited(edited, form)


def _asked(workspace: Workspace, incident: Incident, given: finish.ResolutionFacts) -> finish.ResolutionFacts:
    """Asks for what is missing; at a terminal only."""
    missing = finish.missing_for_resolution(incident, given) if incident.state not in OVER else ()
    restored, cause = given.restored, given.cause
    while "restored" in missing and restored is None:
        question = "When was service back (now, 10m ago, a time, unknown)?"
        said: str = click.prompt(question, prompt_suffix=" ", err=True)
        try:
            restored = moment(said.strip(), workspace.now, "the answer", may_be_unknown=True)
        except UserError as error:
            click.echo(f"Error: {inert(str(error))}", err=True)
    if "cause" in missing:
        choice = click.Choice(finish.CATEGORIES)
        cause = click.prompt("What was the cause?", type=choice, default="unknown", prompt_suffix=" ", err=True)
    return finish.ResolutionFacts(restored, cause, given.what, given.why)
