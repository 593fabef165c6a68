"""`incident-ops doctor`: whether everything is set up as it has to be, and what mends what is not."""

from __future__ import annotations

import click

from incident_ops.app.run_cost import count_cost
from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import finish, format_option, with_repository
from incident_ops.cli.terminal import page_width
from incident_ops.errors import UserError
from incident_ops.render.run_cost import cost_json, cost_text


@click.command()
@click.option("--cost", is_flag=True, help="Count the minutes that GitHub bills for the workflows; asks nobody.")
@format_option
@with_repository
def doctor(workspace: Workspace, cost: bool, form: str) -> None:
    """Is everything set up, and what does it cost?

    \b
    Examples:
      incident-ops doctor --cost
      incident-ops doctor --cost --format json
    """
    if not cost:
        raise UserError("there is nothing to look at", hint="doctor --cost")
    counted = count_cost(workspace)
    shown = cost_json(*counted) if form == "json" else cost_text(*counted, page_width())
    click.echo(shown, nl=False)
    finish(3 if counted.unread else 0)
