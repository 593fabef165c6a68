"""`incident-ops plan` and `incident-ops apply`."""

from __future__ import annotations

import os
from typing import Any

import click

from incident_ops.app.apply import carry_out
from incident_ops.app.plan import (
    has_issues,
    keep_observed,
    look,
    max_requests_option,
    no_notify_option,
    observed_option,
    recreate_option,
    requests_option,
    source_of,
    tracker_option,
)
from incident_ops.app.workspace import Opened, no_records, with_repository
from incident_ops.cli.options import finish, format_option
from incident_ops.errors import PlanChanged, UserError
from incident_ops.reconcile.changes import NOTIFY
from incident_ops.reconcile.limits import WITHOUT_LIMITS, LimitOverrides, allow
from incident_ops.render.findings import inert, inert_lines
from incident_ops.render.plan import plan_json, plan_markdown, plan_text

FORKED = ("pull_request", "pull_request_target")
"""Events on which a change that nobody reviewed could steer the run."""


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
@click.option("--save-observed", metavar="FILE", help="Write down what the tracker holds, for --observed.")
@recreate_option
@no_notify_option
@max_requests_option
@requests_option
@click.option("--fail-on", type=click.Choice(["changes"]), help="End with 1 when there is something to do.")
@with_repository
def plan(opened: Opened, form: str, save_observed: str | None, fail_on: str | None, **options: Any) -> None:
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
    seen = look(opened, source_of(options["tracker"]), options)
    if save_observed is not None:
        keep_observed(seen, save_observed)
    made = seen.made
    shown = {"json": plan_json, "markdown": plan_markdown}.get(form)
    click.echo(shown(made) if shown else inert_lines(plan_text(made)), nl=False)
    if seen.unread is not None and any(change.action == NOTIFY for change in made.changes):
        click.echo(inert(f"warning: planned without the ledger, a repeat is possible: {seen.unread}"), err=True)
    if not seen.opened.catalogue.count():
        finish(no_records(seen.opened, has_issues=has_issues(seen)))
    finish(3 if made.unread else int(fail_on is not None and bool(made.changes)))


@click.command()
@tracker_option
@format_option
@click.option("--checksum", metavar="SHA", help="Refuse to run unless the plan is the one with this checksum.")
@observed_option
@recreate_option
@click.option("--max-creates", type=click.IntRange(min=0), metavar="N", help="Open at most so many issues.")
@click.option("--max-closes", type=click.IntRange(min=0), metavar="N", help="Close up to so many issues at once.")
@click.option("--max-writes", type=click.IntRange(min=0), metavar="N", help="Change the tracker at most so often.")
@max_requests_option
@no_notify_option
@click.option("--accept-empty-tracker", is_flag=True, help="Go on though the tracker lost every issue of ours.")
@requests_option
@with_repository
def apply(opened: Opened, form: str, checksum: str | None, **options: Any) -> None:
    """Carry out the plan, one change at a time. A second run finds nothing to do.

    On GitHub the records are those of HEAD, new issues are opened under a lock, and what people did on the tracker, and
    what escalated, is brought into the records by a pull request. Notices are sent, ranks 1 and 2 before all else; with
    the embedded tracker they are recorded as not sent. Exit code 5: a limit of one run is reached, and the next run
    goes on. Exit code 4 or 2: a notice was not sent, or its channel is not set up; nothing else waited for it. Exit
    code 6: the plan is not the one of --checksum; nothing was done.

    \b
    Examples:
      incident-ops apply
      incident-ops apply --tracker github --max-creates 100
      sha=$(incident-ops plan --format json | jq -r .checksum)
      incident-ops apply --checksum "$sha"
    """
    if os.environ.get("GITHUB_EVENT_NAME") in FORKED:
        hint = "plan there (`incident-ops plan --format markdown`), apply after the merge"
        raise UserError("apply does not run on a pull request: what it says is not reviewed yet", hint=hint)
    seen = look(opened, source_of(options["tracker"]), options)
    if checksum is not None and checksum != seen.made.checksum:
        raise PlanChanged(
            "the plan is not the one that was reviewed",
            hint=f"plan again with `incident-ops plan`: its checksum is now {seen.made.checksum}",
        )
    lifts = LimitOverrides(**{name: options[f"max_{name}"] for name in ("creates", "closes", "writes", "requests")})
    lifts = lifts._replace(accept_empty=options["accept_empty_tracker"])
    limits = seen.policy.tracker.limits if seen.github else WITHOUT_LIMITS
    finish(carry_out(seen, allow(seen.made, limits, lifts), form))
