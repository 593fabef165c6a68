"""The commands that end an incident, or begin it again: resolve, close, reopen, withdraw."""

from __future__ import annotations

import click

from incident_ops.app.edit_record import (
    at_terminal,
    by_option,
    clean,
    find_ended,
    find_record,
    perform_edit,
    read_for_edit,
    record_of,
    who,
)
from incident_ops.app.workspace import Opened, moment, with_repository
from incident_ops.cli.options import complete_incident, format_option
from incident_ops.cli.respond import incident_argument
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import DUPLICATE, OTHER_OUTCOMES, OVER
from incident_ops.edits import finish
from incident_ops.edits.finish import close_incident, reopen_incident, withdraw_incident
from incident_ops.errors import UserError
from incident_ops.render.findings import inert


@click.command()
@incident_argument
@click.option("--restored", metavar="WHEN", help="When service was back: now, 10m (ago), an instant, or unknown.")
@click.option(
    "--cause",
    metavar="CATEGORY",
    type=click.Choice(finish.CATEGORIES),
    help=f"The category of the cause: {', '.join(finish.CATEGORIES)}.",
)
@click.option("--what", metavar="TEXT", help="What broke.")
@click.option("--why", metavar="TEXT", help="Why it broke.")
@by_option
@format_option
@with_repository
def resolve(
    opened: Opened,
    incident: str | None,
    restored: str | None,
    cause: str | None,
    what: str | None,
    why: str | None,
    by: str | None,
    form: str,
) -> None:
    """Service is back: resolve the incident. `unknown` is an answer to both questions.

    \b
    Examples:
      incident-ops resolve --restored now --cause deploy
      incident-ops resolve --restored 12m --cause unknown
      incident-ops resolve 120500 --restored 2025-01-26T12:30:00Z --cause deploy \\
        --what "Tokens were rejected as expired"
    """
    actor = who(opened, by)
    back = moment(restored, opened.now, "--restored", may_be_unknown=True)
    given = finish.ResolutionFacts(back, cause, clean(what), clean(why))
    if at_terminal() and form == "text":
        found = read_for_edit(opened, find_record(opened, incident)).record.incident
        incident, given = found.id, _asked(opened, found, given)
    perform_edit(
        opened, incident, form, lambda one: finish.resolve_incident(one, opened.judged_by[0], opened.now, actor, given)
    )


@click.command()
@incident_argument
@click.option("--verified", is_flag=True, help="It has been verified that service is restored.")
@click.option("--stood-down", is_flag=True, help="The team has been released.")
@by_option
@format_option
@with_repository
def close(opened: Opened, incident: str | None, verified: bool, stood_down: bool, by: str | None, form: str) -> None:
    """Close a resolved incident.

    \b
    Examples:
      incident-ops close --verified
      incident-ops close 120500 --verified --stood-down
    """
    actor = who(opened, by)
    perform_edit(
        opened,
        incident,
        form,
        lambda one: close_incident(
            one, opened.judged_by[0], opened.now, actor, verified=verified, stood_down=stood_down
        ),
    )


@click.command()
@incident_argument
@click.option("--reason", metavar="TEXT", required=True, help="What came back.")
@by_option
@format_option
@with_repository
def reopen(opened: Opened, incident: str | None, reason: str, by: str | None, form: str) -> None:
    """It came back: reopen a resolved or closed incident.

    INC is an id or the end of one; without it, the only resolved incident.

    \b
    Examples:
      incident-ops reopen --reason "logins fail again"
      incident-ops reopen 120500 --reason "errors are back since 14:10"
    """
    actor, why = who(opened, by), clean(reason) or ""
    incident = incident or find_ended(opened)
    perform_edit(opened, incident, form, lambda one: reopen_incident(one, opened.judged_by[0], opened.now, actor, why))


@click.command()
@incident_argument
@click.option("--as", "outcome", type=click.Choice(OTHER_OUTCOMES), required=True, help="What it was instead.")
@click.option(
    "--of", "other", metavar="INC", shell_complete=complete_incident, help="The incident of which this is a duplicate."
)
@click.option("--reason", metavar="TEXT", required=True, help="How that is known.")
@by_option
@format_option
@with_repository
def withdraw(
    opened: Opened, incident: str | None, outcome: str, other: str | None, reason: str, by: str | None, form: str
) -> None:
    """It was no incident, or the same as another: close it, out of all metrics.

    \b
    Examples:
      incident-ops withdraw --as false_alarm --reason "the probe was broken"
      incident-ops withdraw 12 --as duplicate --of 11 --reason "same outage"
    """
    actor, why = who(opened, by), clean(reason) or ""
    of = _original(opened, other) if other is not None and outcome == DUPLICATE else other
    perform_edit(
        opened,
        incident,
        form,
        lambda one: withdraw_incident(one, opened.judged_by[0], opened.now, actor, outcome, why, of),
    )


def _asked(opened: Opened, incident: Incident, given: finish.ResolutionFacts) -> finish.ResolutionFacts:
    """Asks for what is missing; at a terminal only."""
    missing = finish.missing_for_resolution(incident, given) if incident.state not in OVER else ()
    restored, cause = given.restored, given.cause
    while "restored" in missing and restored is None:
        told = "When was service back (now, 10m ago, an instant, unknown)?"
        said: str = click.prompt(told, prompt_suffix=" ", err=True)
        try:
            restored = moment(said.strip(), opened.now, "the answer", may_be_unknown=True)
        except UserError as error:
            click.echo(f"Error: {inert(str(error))}", err=True)
    if "cause" in missing:
        choice = click.Choice(finish.CATEGORIES)
        cause = click.prompt("What was the cause?", type=choice, default="unknown", prompt_suffix=" ", err=True)
    return finish.ResolutionFacts(restored, cause, given.what, given.why)


def _original(opened: Opened, other: str) -> str:
    """The id of the incident that is repeated; one that is a duplicate itself is not taken."""
    path = find_record(opened, other)
    raw = opened.store.read(path)
    incident = record_of(path, raw).incident if isinstance(raw, bytes) else None
    if incident is None:
        raise UserError(f"{other} cannot be read", where=path, hint="mend it first")
    if incident.duplicate_of is not None:
        hint = f"--of {incident.duplicate_of}"
        raise UserError(f"{incident.id} is a duplicate itself, of {incident.duplicate_of}", hint=hint)
    return incident.id
