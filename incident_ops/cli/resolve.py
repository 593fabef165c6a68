"""`incident-ops ack`, `pause`, `resolve`, `close`, `reopen` and `withdraw`: the states of an incident."""

from __future__ import annotations

import click

from incident_ops.app import which_incident
from incident_ops.app.edit_record import (
    EditedRecord,
    RecordChange,
    clean,
    edit_record,
    find_record,
    original_of,
    read_for_edit,
    who,
)
from incident_ops.app.workspace import Workspace
from incident_ops.cli.completion import complete_incident
from incident_ops.cli.options import (
    WordChoice,
    at_terminal,
    by_option,
    edits_record,
    finish_edit,
    format_option,
    incident_argument,
    past_time,
    pick_incident,
    pick_one,
    with_repository_to_write,
)
from incident_ops.cli.sending import record_options
from incident_ops.cli.terminal import page_width, prompt, say, style_line
from incident_ops.domain.fence import evaluate_one
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import DUPLICATE, OTHER_OUTCOMES, OVER
from incident_ops.domain.record import Record
from incident_ops.edits import finish, respond
from incident_ops.edits.step import Step
from incident_ops.errors import IncidentOpsError, UserError


@click.command()
@incident_argument
@by_option
@edits_record
def ack(workspace: Workspace, incident: str | None, by: str | None) -> RecordChange:
    """Take an incident: it is in progress, the response clock stops.

    INC is an id or the end of one; without it, the only incident that
    nobody has taken yet. Where there are several, a terminal asks which.

    \b
    Examples:
      incident-ops ack
      incident-ops ack 120500 --by @alice
    """
    actor = who(workspace, by)
    incident = pick_incident(workspace, incident, which_incident.is_unacknowledged)
    return incident, lambda current: respond.acknowledge(current, workspace.judged_by[0], workspace.now, actor)


@click.command()
@incident_argument
@click.option(
    "--restored", metavar="WHEN", help="When service was back: now, 10m (ago), 02:56, an instant, or unknown."
)
@click.option(
    "--cause",
    metavar="CATEGORY",
    type=WordChoice(finish.CATEGORIES, finish.category_typed),
    help=f"The category of the cause: {', '.join(finish.CATEGORIES)}.",
)
@click.option("--what", metavar="TEXT", help="What broke.")
@click.option("--why", metavar="TEXT", help="Why it broke.")
@by_option
@record_options
@format_option
@with_repository_to_write
def resolve(
    workspace: Workspace,
    incident: str | None,
    restored: str | None,
    cause: str | None,
    what: str | None,
    why: str | None,
    by: str | None,
    form: str,
    send: bool,
) -> None:
    """Service is back: resolve the incident. --restored and
    --cause both take `unknown`.

    \b
    Examples:
      incident-ops resolve --restored now --cause deploy
      incident-ops resolve --restored 12m --cause unknown
      incident-ops resolve 120500 --restored 2025-01-26T12:30:00Z --cause deploy \\
        --what "Tokens were rejected as expired"
    """
    actor = who(workspace, by)
    back = past_time(workspace, restored, "--restored", may_be_unknown=True)
    given = finish.ResolutionFacts(back, cause, clean(what), clean(why))
    incident = pick_incident(workspace, incident, which_incident.is_active)
    if at_terminal() and form == "text":
        found = read_for_edit(workspace, find_record(workspace, incident)).record.incident
        incident, given = found.id, _asked(workspace, found, given)
    edited = edit_record(
        workspace,
        incident,
        lambda current: finish.resolve_incident(current, workspace.judged_by[0], workspace.now, actor, given),
    )
    finish_edit(workspace, edited, form, send=send)


def _asked(workspace: Workspace, incident: Incident, given: finish.ResolutionFacts) -> finish.ResolutionFacts:
    """Asks for what is missing; at a terminal only."""
    missing = finish.missing_for_resolution(incident, given) if incident.state not in OVER else ()
    restored, cause = given.restored, given.cause
    while "restored" in missing and restored is None:
        question = "When was service back (now, 10m ago, 02:56, unknown)?"
        said: str = click.prompt(question, prompt_suffix=" ", err=True)
        try:
            restored = past_time(workspace, said.strip(), "the answer", may_be_unknown=True)
        except UserError as error:
            say(str(error), word="error", colour="red")
    if "cause" in missing:
        cause = prompt(
            "What was the cause?",
            kind=WordChoice(finish.CATEGORIES, finish.category_typed),
            default="unknown",
            prompt_suffix=" ",
        )
    return finish.ResolutionFacts(restored, cause, given.what, given.why)


@click.command()
@incident_argument
@click.option(
    "--for",
    "--waiting-for",
    "waiting_for",
    type=click.Choice(respond.WAITING_FOR),
    help="Whom the incident waits for.",
)
@click.option("--now", "at_once", is_flag=True, help="With --for user: pending at once, not after the policy's time.")
@click.option("--reason", metavar="TEXT", help="What is waited for.")
@click.option("--end", is_flag=True, help="The wait is over: back to the state that was left.")
@by_option
@edits_record
def pause(
    workspace: Workspace,
    incident: str | None,
    waiting_for: str | None,
    at_once: bool,
    reason: str | None,
    end: bool,
    by: str | None,
) -> RecordChange:
    """Wait for a user, a vendor or an approval; clocks that may pause do.

    A wait for the user becomes pending by itself after `states.auto_pending`
    of the policy; until then the state stays as it is, and clocks run.

    \b
    Examples:
      incident-ops pause --for vendor --reason "ticket 4711"
      incident-ops pause --for user --reason "which browser?"
      incident-ops pause --for user --now
      incident-ops pause --end
    """
    actor, why = who(workspace, by), clean(reason)
    if end == (waiting_for is not None) or (end and (reason or at_once)):
        hint = "--for vendor [--reason TEXT], or --end"
        raise UserError("say whom you wait for, or that the wait is over", hint=hint)

    fits = which_incident.is_waiting if end else which_incident.is_not_waiting
    incident = pick_incident(workspace, incident, fits)

    def paused(current: Incident) -> Step:
        policy = workspace.judged_by[0]
        if waiting_for is None:
            return respond.end_pause(current, policy, workspace.now, actor)
        return respond.pause_incident(current, policy, workspace.now, actor, waiting_for, why, at_once)

    return incident, paused


@click.command()
@incident_argument
@click.option("--verified", is_flag=True, help="It has been verified that service is restored.")
@click.option("--stood-down", is_flag=True, help="The team has been released.")
@by_option
@record_options
@format_option
@with_repository_to_write
def close(
    workspace: Workspace,
    incident: str | None,
    verified: bool,
    stood_down: bool,
    by: str | None,
    form: str,
    send: bool,
) -> None:
    """Close a resolved incident, and sum it up.

    What it prints then is also in `incident-ops show INC --final`.

    \b
    Examples:
      incident-ops close --verified
      incident-ops close 120500 --verified --stood-down
    """
    actor = who(workspace, by)
    incident = pick_incident(workspace, incident, which_incident.is_resolved)
    edited = edit_record(
        workspace,
        incident,
        lambda current: finish.close_incident(
            current, workspace.judged_by[0], workspace.now, actor, verified=verified, stood_down=stood_down
        ),
    )
    finish_edit(workspace, edited, form, send=send, sum_up=_summed_up(workspace, edited) if form == "text" else "")


def _summed_up(workspace: Workspace, edited: EditedRecord) -> str:
    """What remains of an incident, with an empty line around it; "" where it was closed before."""
    from incident_ops.app.views import end_of_incident  # what no other change of state needs
    from incident_ops.render.incident_end import to_text

    if not edited.is_changed:
        return ""

    def shown(record: Record) -> str:
        return to_text(end_of_incident(workspace, record), style_line, page_width())

    try:
        return f"\n{evaluate_one(edited.record, shown)}\n"
    except (IncidentOpsError, OSError) as error:  # the edit is written, and has to be printed and sent all the same
        return f"\nIt cannot be summed up: {error}\n\n"


@click.command()
@incident_argument
@click.option("--reason", metavar="TEXT", required=True, help="What came back.")
@by_option
@edits_record
def reopen(workspace: Workspace, incident: str | None, reason: str, by: str | None) -> RecordChange:
    """It came back: reopen a resolved or closed incident.

    INC is an id or the end of one; without it, the only resolved incident.

    \b
    Examples:
      incident-ops reopen --reason "logins fail again"
      incident-ops reopen 120500 --reason "errors are back since 14:10"
    """
    actor, why = who(workspace, by), clean(reason) or ""
    if incident is None:
        incident = pick_one(workspace, which_incident.ended_candidates(workspace))
    return incident, lambda current: finish.reopen_incident(current, workspace.judged_by[0], workspace.now, actor, why)


@click.command()
@incident_argument
@click.option("--as", "outcome", type=click.Choice(OTHER_OUTCOMES), required=True, help="What it was instead.")
@click.option(
    "--of", "other", metavar="INC", shell_complete=complete_incident, help="The incident of which this is a duplicate."
)
@click.option("--reason", metavar="TEXT", required=True, help="How that is known.")
@by_option
@edits_record
def withdraw(
    workspace: Workspace, incident: str | None, outcome: str, other: str | None, reason: str, by: str | None
) -> RecordChange:
    """It was no incident, or the same as another: close it, out of all metrics.

    \b
    Examples:
      incident-ops withdraw --as false_alarm --reason "the probe was broken"
      incident-ops withdraw 12 --as duplicate --of 11 --reason "same outage"
    """
    actor, why = who(workspace, by), clean(reason) or ""
    of = original_of(workspace, other) if other is not None and outcome == DUPLICATE else other
    return incident, lambda current: finish.withdraw_incident(
        current, workspace.judged_by[0], workspace.now, actor, outcome, why, of
    )
