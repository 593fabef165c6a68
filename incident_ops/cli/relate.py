"""`incident-ops relate`: what one incident has to do with another."""

from __future__ import annotations

import click

from incident_ops.app.workspace import Workspace
from incident_ops.cli.completion import complete_incident
from incident_ops.cli.options import (
    finish_edit,
    format_option,
    pick_incident,
    with_repository_to_write,
)
from incident_ops.cli.sending import record_options
from incident_ops.domain.incident import SIMILAR
from incident_ops.domain.relations import KINDS
from incident_ops.errors import UserError


@click.command()
@click.argument("incidents", nargs=-1, metavar="[INC] OTHER", shell_complete=complete_incident)
@click.option("--kind", type=click.Choice(KINDS), help=f"What INC has to do with OTHER. Default: {SIMILAR}.")
@click.option("--remove", is_flag=True, help="Take the relation away.")
@format_option
@record_options
@with_repository_to_write
def relate(
    workspace: Workspace, incidents: tuple[str, ...], kind: str | None, remove: bool, form: str, send: bool
) -> None:
    """Relate an incident to another one: INC causes OTHER, depends on it, is like it.

    One of the two records says it, and `show` of both shows it. The same
    relation with another kind replaces the first.

    \b
    Examples:
      incident-ops relate 04567
      incident-ops relate 120500 04567 --kind caused_by
      incident-ops relate 120500 04567 --remove
    """
    from incident_ops.app.relate import other_incident, relate_to  # what only this command needs

    if len(incidents) not in (1, 2):
        raise UserError("a relation needs two incidents", hint="incident-ops relate INC OTHER --kind causes")
    if remove and kind is not None:
        raise UserError("--remove takes no --kind", hint="leave one of them out")
    other = other_incident(workspace, incidents[-1])
    asked = incidents[0] if len(incidents) > 1 else None
    meant = pick_incident(workspace, asked, lambda one: one.id != other.id)
    finish_edit(workspace, relate_to(workspace, meant, other, None if remove else kind or SIMILAR), form, send=send)
