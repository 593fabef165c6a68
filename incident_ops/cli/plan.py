"""`incident-ops plan` and `apply`: what the tracker should become, and making it so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from incident_ops.app.workspace import Workspace, source_of
from incident_ops.cli.options import (
    finish,
    format_choice,
    format_option,
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
from incident_ops.cli.terminal import say
from incident_ops.domain.tracker import LOCAL


@click.command()
@tracker_option
@format_choice(
    ["text", "markdown", "json"], "Text for people, Markdown for a pull request or a summary, JSON for scripts."
)
@observed_option
@save_observed_option
@recreate_option
@no_notify_option
@max_requests_option
@requests_option
@click.option("--base", metavar="REV", help="Show only what the change since this revision adds.")
@click.option("--fail-on", type=click.Choice(["changes"]), help="Exit 1 if there is something to do.")
@with_repository
@click.pass_context
def plan(
    ctx: click.Context,
    /,
    workspace: Workspace,
    form: str,
    save_observed: str | None,
    base: str | None,
    fail_on: str | None,
    **options: Any,
) -> None:
    """Show what the tracker should become, and why. Changes nothing.

    With it come the edits of records that are due, such as escalations, and
    the notices that would be sent.

    With --base the plan of what was merged is made too, against the same tracker at the same time, and only the
    difference is shown: what happens if this change is merged, and what no longer happens.

    Exit code 3 when a record could not be read: its issues are left alone and listed. -v shows long texts whole, and
    says more about what is left unchanged.

    \b
    Examples:
      incident-ops plan
      incident-ops plan --base origin/main
      incident-ops plan --tracker github --format markdown
      incident-ops plan --format json | jq '.changes[].reason'
    """
    if source_of(options["tracker"]) == LOCAL:
        workspace.store.compare_early()  # git goes through the files while the rest of the program is loaded

    from incident_ops.app.observed_tracker import save_observed as keep_observed
    from incident_ops.app.plan import plan_changes
    from incident_ops.app.plan_view import view_plan
    from incident_ops.cli.running import say_page, shown_plan, warn_of_pager
    from incident_ops.reconcile.changes import NOTIFY

    asked = replace(plan_options(options), is_whole=base is not None or save_observed is not None)
    run = plan_changes(workspace, asked)
    view = view_plan(asked, run, base)
    if save_observed is not None:
        keep_observed(view.observed, save_observed)
    click.echo(shown_plan(view, form, is_verbose=bool(ctx.find_root().obj.get("verbose"))), nl=False)
    if run.ledger_error is not None and any(change.action == NOTIFY for change in view.plan.changes):
        text = f"planned without the ledger, a repeat is possible: {run.ledger_error}"
        say(text, word="warning", colour="yellow")
    if not run.workspace.catalogue.count():
        finish(no_records(run.workspace, has_issues=run.has_issues))
    is_something = bool(view.plan.changes or view.basis.dropped)
    say_page(run, asked, form)
    warn_of_pager(run)
    finish(3 if run.plan.unread else int(fail_on is not None and is_something))


@click.command()
@tracker_option
@format_option
@click.option("--checksum", metavar="SHA", help="Refuse to run unless the plan is the one with this checksum.")
@observed_option
@recreate_option
@click.option("--max-creates", type=click.IntRange(min=0), metavar="N", help="Open at most N issues.")
@click.option("--max-closes", type=click.IntRange(min=0), metavar="N", help="Close at most N issues.")
@click.option("--max-writes", type=click.IntRange(min=0), metavar="N", help="Make at most N changes on the tracker.")
@max_requests_option
@no_notify_option
@click.option("--accept-empty-tracker", is_flag=True, help="Continue even if the tracker has none of our issues left.")
@requests_option
@with_repository
def apply(workspace: Workspace, form: str, checksum: str | None, **options: Any) -> None:
    """Carry out the plan, one change at a time. A second run finds nothing to do.

    On GitHub the records are those of the tip of the default branch, and any other commit is refused (exit code 6). New
    issues are opened under a lock. Their numbers, what people did on the tracker, and what escalated, come into the
    records by pull requests, one for each topic. Notices are sent, ranks 1 and 2 before all else; with
    the embedded tracker they are recorded as not sent. Exit code 5: a limit of one run is reached, and the next run
    goes on. Exit code 4 or 2: a notice was not sent, its channel is not set up, or the pager was not read back; nothing
    else waited for it. Exit code 6: the plan is not the one of --checksum, or HEAD not the tip of the default branch;
    nothing was done.

    \b
    Examples:
      incident-ops apply
      incident-ops apply --tracker github --max-creates 100
      sha=$(incident-ops plan --format json | jq -r .checksum)
      incident-ops apply --checksum "$sha"
    """
    from incident_ops.app.apply import apply_plan
    from incident_ops.cli.running import end_run, report_of
    from incident_ops.reconcile.limits import LimitOverrides

    limits = {name: options[f"max_{name}"] for name in ("creates", "closes", "writes", "requests")}
    overrides = LimitOverrides(**limits, accept_empty=options["accept_empty_tracker"])
    report = report_of(form)
    end_run(apply_plan(workspace, plan_options(options), report, checksum=checksum, overrides=overrides), form)
