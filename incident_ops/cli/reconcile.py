"""`incident-ops plan` and `incident-ops apply`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from incident_ops.adapters.local import LocalTracker
from incident_ops.cli.opening import Opened, local_tracker, no_records, with_repository
from incident_ops.cli.printing import finish, format_option
from incident_ops.errors import UserError
from incident_ops.reconcile.apply import apply as carry_out
from incident_ops.reconcile.desired import desired
from incident_ops.reconcile.observe import observe
from incident_ops.reconcile.plan import Plan
from incident_ops.reconcile.plan import plan as compare
from incident_ops.records.recall import every_record
from incident_ops.render.findings import inert, inert_lines
from incident_ops.render.issue_bodies import Bodies
from incident_ops.render.plan import applied_line, headline, plan_json, plan_text

tracker_option: Callable[[Any], Any] = click.option(
    "--tracker",
    type=click.Choice(["local"]),
    default="local",
    show_default=True,
    help="The tracker embedded in this clone.",
)


@click.command()
@tracker_option
@format_option
@click.option("--fail-on", type=click.Choice(["changes"]), help="End with 1 when there is something to do.")
@with_repository
def plan(opened: Opened, tracker: str, form: str, fail_on: str | None) -> None:  # noqa: ARG001 - one tracker so far
    """Show what the tracker should become, and why. Changes nothing.

    Exit code 3 when a record could not be read: its issues are left alone and listed.

    \b
    Examples:
      incident-ops plan
      incident-ops plan --format json | jq '.changes[].reason'
    """
    made = make_plan(opened, local_tracker(opened))
    click.echo(plan_json(made) if form == "json" else inert_lines(plan_text(made)), nl=False)
    if not opened.catalogue.count():
        finish(no_records(opened))
    finish(3 if made.unread else int(fail_on is not None and bool(made.changes)))


@click.command()
@tracker_option
@click.option("--checksum", metavar="SHA", help="Refuse to run unless the plan is the one with this checksum.")
@with_repository
def apply(opened: Opened, tracker: str, checksum: str | None) -> None:  # noqa: ARG001 - one tracker so far
    """Carry out the plan, one change at a time. A second run finds nothing to do.

    \b
    Examples:
      incident-ops apply
      sha=$(incident-ops plan --format json | jq -r .checksum)
      incident-ops apply --checksum "$sha"
    """
    target = local_tracker(opened)
    made = make_plan(opened, target)
    if checksum is not None and checksum != made.checksum:
        raise UserError(
            "the plan is not the one that was reviewed",
            hint=f"its checksum is {made.checksum}; look at `incident-ops plan`",
        )
    click.echo(headline(made))
    for done in carry_out(made, target):
        click.echo(applied_line(done))
    for left in made.unread:
        click.echo(inert(f"error: {left.path}: not read, its issues are left alone: {left.reason}"), err=True)
    if not opened.catalogue.count():
        finish(no_records(opened))
    finish(3 if made.unread else 0)


def make_plan(opened: Opened, tracker: LocalTracker) -> Plan:
    """Records against tracker."""
    policy, _ = opened.judged_by
    records = list(every_record(opened.store, opened.catalogue))
    return compare(desired(records, policy, Bodies(records, policy)), observe(tracker), opened.catalogue.unreadable())
