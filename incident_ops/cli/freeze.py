"""`incident-ops freeze` and `incident-ops unfreeze`."""

from __future__ import annotations

import click

from incident_ops.app.edit_record import who
from incident_ops.app.planned_changes import hold_deploys, lift_hold
from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import by_option, complete_service, format_option, print_written, with_repository


@click.command()
@click.argument("name")
@click.option("--reason", metavar="TEXT", required=True, help="Why; whoever is held reads it.")
@click.option(
    "--service",
    "-s",
    "services",
    multiple=True,
    shell_complete=complete_service,
    help="Service to hold; may be repeated. Default: all.",
)
@click.option("--environment", "-e", "environments", multiple=True, help="Where; may be repeated. Default: everywhere.")
@click.option("--from", "since", metavar="WHEN", default="now", show_default=True, help="An instant, or 2h (from now).")
@click.option("--until", metavar="WHEN", help="An instant, or 8h (from now). Default: until it is lifted.")
@by_option
@format_option
@with_repository
def freeze(
    workspace: Workspace,
    name: str,
    reason: str,
    services: tuple[str, ...],
    environments: tuple[str, ...],
    since: str,
    until: str | None,
    by: str | None,
    form: str,
) -> None:
    """Hold deploys for a time: writes freezes/NAME.yaml.

    \b
    Examples:
      incident-ops freeze year-end --reason "closing of the books" \\
        --from 2025-12-19T17:00:00Z --until 2026-01-05T08:00:00Z
      incident-ops freeze db-move -s checkout --reason "migration" --until 4h
    """
    written = hold_deploys(
        workspace,
        name,
        reason=reason,
        services=services,
        environments=environments,
        since=since,
        until=until,
        by=who(workspace, by),
    )
    print_written(written, form)


@click.command()
@click.argument("name")
@format_option
@with_repository
def unfreeze(workspace: Workspace, name: str, form: str) -> None:
    """Lift a freeze, or take back an override: it ends now.

    One that has not begun yet is removed.

    \b
    Examples:
      incident-ops unfreeze year-end
      incident-ops unfreeze override-7be19f2
    """
    print_written(lift_hold(workspace, name), form)
