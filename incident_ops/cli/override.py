"""`incident-ops override`."""

from __future__ import annotations

import click

from incident_ops.adapters.person import ACTOR
from incident_ops.app.edit_record import by_option, clean
from incident_ops.app.gate_check import actor_of
from incident_ops.app.planned_changes import ahead, check_names, is_over, override_record, report_file, write_freeze
from incident_ops.app.workspace import Opened, with_repository
from incident_ops.cli.options import complete_service, format_option
from incident_ops.cli.respond import incident_argument
from incident_ops.domain.time import stamp
from incident_ops.edits.freeze import OverrideRequest, commit_id, override_file
from incident_ops.errors import UserError


@click.command()
@incident_argument
@click.option("--service", "-s", required=True, shell_complete=complete_service, help="The service to deploy.")
@click.option("--environment", "-e", help="Where. Default: the policy's production environment.")
@click.option("--sha", required=True, help="The one commit that is let through.")
@click.option("--reason", metavar="TEXT", required=True, help="Why it cannot wait.")
@click.option(
    "--expires", metavar="WHEN", default="4h", show_default=True, help="Until when: 4h (from now), or an instant."
)
@click.option("--approved-by", metavar="WHO", help="The second person; only without INC.")
@by_option
@format_option
@with_repository
def override(
    opened: Opened,
    incident: str | None,
    service: str,
    environment: str | None,
    sha: str,
    reason: str,
    expires: str,
    approved_by: str | None,
    by: str | None,
    form: str,
) -> None:
    """Let one commit through what holds deploys, for a time, with a reason.

    With INC it is written into that incident's record, without it into
    freezes/override-<first seven digits>.yaml. It counts once it is merged.

    \b
    Examples:
      incident-ops override 120500 -s auth --sha 7be19f2 --reason "the fix"
      incident-ops override -s auth --sha 7be19f2 --reason "security patch" \\
        --expires 2h --approved-by @maya
    """
    environment = environment or opened.judged_by[0].gate.environment
    check_names(opened, [service], [environment])
    actor = actor_of(opened, by)
    if actor is None:
        raise UserError("who takes it on?", hint=f"--by @handle (in a workflow {ACTOR} says it)")
    until = ahead(expires, opened.now, "--expires")
    wanted = OverrideRequest(actor, service, environment, commit_id(sha), clean(reason) or "", until)
    if incident is not None:
        if approved_by is not None:
            raise UserError("a record's override has no --approved-by", hint="the review of its pull request is that")
        override_record(opened, incident, form, opened.now, wanted)
        return
    data = override_file(opened.now, wanted, approved_by)
    path = write_freeze(opened, data, lambda there: is_over(opened, there))
    told = f"override: {service} {wanted.sha[:12]} may be deployed to {environment} until {stamp(until)}"
    report_file(opened, path, [told], [], form, changed=True)
