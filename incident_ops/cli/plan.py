"""`incident-ops plan`."""

from __future__ import annotations

from typing import Any

import click

from incident_ops.app.observed_tracker import save_observed as save_snapshot
from incident_ops.app.plan import plan_changes
from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import (
    finish,
    max_requests_option,
    no_notify_option,
    no_records,
    observed_option,
    plan_options,
    recreate_option,
    requests_option,
    save_observed_option,
    tracker_option,
    with_repository,
)
from incident_ops.reconcile.changes import NOTIFY
from incident_ops.render.findings import inert, inert_lines
from incident_ops.render.plan import plan_json, plan_markdown, plan_text


@click.command()
@tracker_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="Text for people, Markdown for a pull request or a summary, JSON for scripts.",
)
@observed_option
@save_observed_option
@recreate_option
@no_notify_option
@max_requests_option
@requests_option
@click.option("--fail-on", type=click.Choice(["changes"]), help="Exit 1 if there is something to do.")
@with_repository
def plan(workspace: Workspace, form: str, save_observed: str | None, fail_on: str | None, **options: Any) -> None:
    """Show what the tracker should become, and why. Changes nothing.

    With it come the edits of records that are due, such as escalations, and
    the notices that would be sent.

    Exit code 3 when a record could not be read: its issues are left alone and listed.

    \b
    Examples:
      incident-ops plan
      incident-ops plan --tracker github --format markdown
      incident-ops plan --format json | jq '.changes[].reason'
    """
    run = plan_changes(workspace, plan_options(options))
    if save_observed is not None:
        save_snapshot(run.observed, save_observed)
    shown = {"json": plan_json, "markdown": plan_markdown}.get(form)
    click.echo(shown(run.plan) if shown else inert_lines(plan_text(run.plan)), nl=False)
    if run.ledger_error is not None and any(change.action == NOTIFY for change in run.plan.changes):
        click.echo(inert(f"warning: planned without the ledger, a repeat is possible: {run.ledger_error}"), err=True)
    if not run.workspace.catalogue.count():
        finish(no_records(run.workspace, has_issues=run.has_issues))
    finish(3 if run.plan.unread else int(fail_on is not None and bool(run.plan.changes)))
