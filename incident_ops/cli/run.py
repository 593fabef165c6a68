"""`incident-ops run`: one whole pass, as a scheduled job makes it."""

from __future__ import annotations

from typing import Any

import click

from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import with_repository
from incident_ops.cli.run_options import run_options


@click.command(short_help="Do everything that is due, once, on GitHub.")
@run_options
@with_repository
@click.pass_context
def run(ctx: click.Context, /, workspace: Workspace, dry_run: bool, form: str, **options: Any) -> None:
    """Do everything that is due, once: what the workflow `reconcile` runs on each push.

    Reads the records at the tip of the remote's default branch, whatever is
    checked out. Pages of ranks 1 and 2 go first, then issues are opened and
    changed, the other notices go, and what people did and what came due
    becomes pull requests. Then gate.json is published where it has changed,
    and the run is noted; INCIDENT_OPS_HEARTBEAT_URL is pinged where it is set.

    Run it as often as you like: what was done is not done again. `sla run`
    does the same without issues; `apply` carries out a plan that you reviewed.

    Exit code 4 or 2: something failed, was not sent, or is not set up. Exit code 3: a record could not be read. Exit
    code 5: a limit of one run is reached; in a job it is 0 where another run was started for the rest. Exit code 6: the
    default branch kept moving, and nothing was done.

    \b
    Examples:
      incident-ops run --dry-run
      incident-ops run
      incident-ops run --format github
    """
    from incident_ops.cli.whole_run import carry_out

    carry_out(ctx, workspace, form, options, is_dry=dry_run, with_issues=True)
