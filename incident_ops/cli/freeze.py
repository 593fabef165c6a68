"""`incident-ops freeze`, `unfreeze` and `override`: what holds deploys, and what lets one commit through."""

from __future__ import annotations

from typing import Any

import click

from incident_ops.app.edit_record import EditedRecord, who
from incident_ops.app.gate_check import actor_of
from incident_ops.app.planned_changes import asked_freeze, hold_deploys, let_through, lift_hold
from incident_ops.app.workspace import Workspace
from incident_ops.cli.completion import complete_service
from incident_ops.cli.options import (
    by_option,
    finish,
    finish_edit,
    format_option,
    incident_argument,
    print_written,
    say_time,
    with_repository_to_write,
)
from incident_ops.cli.sending import data_of_sent, record_options, say_exchange, send_option
from incident_ops.errors import UserError


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
@click.option(
    "--from",
    "since",
    metavar="WHEN",
    default="now",
    show_default=True,
    help="When it begins: 2h (from now), 2025-12-20, friday 17:00, or an instant.",
)
@click.option(
    "--until",
    metavar="WHEN",
    help="When it ends: 8h (from now), 3w, 2026-01-05, or an instant. Default: when it is lifted.",
)
@by_option
@send_option
@format_option
@with_repository_to_write
def freeze(workspace: Workspace, name: str, by: str | None, form: str, send: bool, **wanted: Any) -> None:
    """Hold deploys for a time: writes freezes/NAME.yaml.

    It counts once it is merged. With --send it goes on a branch of its own, on
    top of what the default branch has, and nothing here is changed.

    \b
    Examples:
      incident-ops freeze year-end --reason "closing of the books" \\
        --from 2025-12-19T17:00:00Z --until 2026-01-05T08:00:00Z
      incident-ops freeze db-move -s checkout --reason "migration" --until 4h \\
        --send
    """
    for option, typed in (("--from", wanted["since"]), ("--until", wanted["until"])):
        if typed is not None:
            say_time(workspace, typed, option, ahead=True)
    request = asked_freeze(workspace, name, by=who(workspace, by), **wanted)
    if not send:
        print_written(hold_deploys(workspace, request), form)
        return
    from incident_ops.app.freeze_sent import send_freeze

    written, sent = send_freeze(workspace, request)
    if form == "json":
        print_written(written, form, {"send": data_of_sent(sent)})
    else:
        print_written(written, form)
        say_exchange(sent)
    finish(sent.exit_code)


@click.command()
@click.argument("name")
@format_option
@with_repository_to_write
def unfreeze(workspace: Workspace, name: str, form: str) -> None:
    """Lift a freeze, or take back an override: it ends now.

    One that has not begun yet is removed.

    \b
    Examples:
      incident-ops unfreeze year-end
      incident-ops unfreeze override-7be19f2
    """
    print_written(lift_hold(workspace, name), form)


@click.command()
@incident_argument
@click.option("--service", "-s", required=True, shell_complete=complete_service, help="The service to deploy.")
@click.option("--environment", "-e", help="Where. Default: the policy's production environment.")
@click.option("--sha", required=True, help="The one commit that is let through, by its whole id.")
@click.option("--reason", metavar="TEXT", required=True, help="Why it cannot wait.")
@click.option(
    "--expires",
    metavar="WHEN",
    default="4h",
    show_default=True,
    help="Until when: 4h (from now), 18:00, or an instant.",
)
@click.option("--approved-by", metavar="WHO", help="The second person, not the one who asks; only without INC.")
@by_option
@record_options
@format_option
@with_repository_to_write
def override(workspace: Workspace, incident: str | None, by: str | None, form: str, send: bool, **wanted: Any) -> None:
    """Let one commit through what holds deploys, for a time, with a reason.

    With INC it releases from that incident, the error budget and deploy
    hours, and is written into its record. Without INC it releases from
    everything, such as a freeze or several incidents, and is a file that
    somebody else reviews: freezes/override-<first seven digits>.yaml.
    Either counts once it is merged.

    \b
    Examples:
      incident-ops override 120500 -s auth --sha $GITHUB_SHA --reason "the fix"
      incident-ops override -s auth --sha $GITHUB_SHA --expires 2h \\
        --reason "security patch" --approved-by @maya
    """
    if send and incident is None:
        raise UserError("--send goes with an incident's record", hint="name the incident, or leave out --send")
    say_time(workspace, wanted["expires"], "--expires", ahead=True)
    allowed = let_through(workspace, incident, by=actor_of(workspace, by), **wanted)
    if isinstance(allowed, EditedRecord):
        finish_edit(workspace, allowed, form, send=send)
    else:
        print_written(allowed, form)
