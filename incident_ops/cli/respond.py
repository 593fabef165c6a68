"""The commands that write into a record while an incident is worked on: ack, assign, update, timeline, pause."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from incident_ops.app.edit_record import by_option, clean, perform_edit, split_words, who
from incident_ops.app.workspace import Opened, moment, with_repository
from incident_ops.cli.options import complete_incident, format_option
from incident_ops.domain.incident import Incident
from incident_ops.edits import communicate, respond
from incident_ops.edits.respond import acknowledge, assign_incident, assign_role
from incident_ops.edits.step import Step
from incident_ops.errors import UserError

incident_argument: Callable[[Any], Any] = click.argument(
    "incident", metavar="[INC]", required=False, shell_complete=complete_incident
)


@click.command()
@incident_argument
@by_option
@format_option
@with_repository
def ack(opened: Opened, incident: str | None, by: str | None, form: str) -> None:
    """Take an incident: it is in progress, the response clock stops.

    INC is an id or the end of one; without it, the only open incident.

    \b
    Examples:
      incident-ops ack
      incident-ops ack 120500 --by @alice
    """
    actor = who(opened, by)
    perform_edit(opened, incident, form, lambda one: acknowledge(one, opened.judged_by[0], opened.now, actor))


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="[ROLE] WHO [INC]", shell_complete=complete_incident)
@click.option("--tier", type=click.IntRange(1, 9), help="The tier of the escalation ladder that takes over.")
@by_option
@format_option
@with_repository
def assign(opened: Opened, words: tuple[str, ...], tier: int | None, by: str | None, form: str) -> None:
    """Give a role, or the incident itself, to somebody.

    ROLE is commander, technical_lead, communications_lead, scribe, or a word
    of your own. Without a role WHO works on the incident from now on.

    \b
    Examples:
      incident-ops assign commander @alice
      incident-ops assign @bob 120500
      incident-ops assign @carol --tier 2
    """
    actor = who(opened, by)
    incident, said = split_words(words, at_least=1)
    if len(said) == 1:
        perform_edit(
            opened,
            incident,
            form,
            lambda one: assign_incident(one, opened.judged_by[0], opened.now, actor, said[0], tier),
        )
    elif len(said) == 2 and tier is None:
        perform_edit(opened, incident, form, lambda one: assign_role(one, opened.now, actor, said[0], said[1]))
    elif len(said) == 2:
        raise UserError("a role has no tier", hint="incident-ops assign @who --tier 2")
    else:
        raise UserError("who gets what?", hint='ROLE WHO [INC]; put names with blanks in quotes: "QA team"')


@click.command()
@incident_argument
@click.option("--internal", metavar="TEXT", help="News for the responders and their teams.")
@click.option("--executive", metavar="TEXT", help="News for the management.")
@click.option("--public", metavar="TEXT", help="News for everybody: it goes to the status page.")
@click.option("--status", type=click.Choice(communicate.STATUSES), help="Default: what the record says.")
@click.option("--eta", metavar="WHEN", help="When it may be over: an instant, a duration, or unknown.")
@click.option("--severity", metavar="LABEL", help="The new severity.")
@click.option("--priority", metavar="LABEL", help="The new priority.")
@click.option("--reason", metavar="TEXT", help="Why the level changes; needed to lower it.")
@by_option
@format_option
@with_repository
def update(opened: Opened, incident: str | None, by: str | None, form: str, **said: str | None) -> None:
    """Write news for an audience, or change the severity.

    Nothing is sent from here: what is written goes out after the merge.

    \b
    Examples:
      incident-ops update --public "We are looking into failing logins"
      incident-ops update --internal "Rolling back" --status identified --eta 30m
      incident-ops update --severity SEV0 --reason "checkout is down, too"
    """
    actor = who(opened, by)
    texts = {name: text for name in communicate.AUDIENCES if (text := clean(said[name])) is not None}
    labels = {name: label for name in ("severity", "priority") if (label := said[name]) is not None}
    for name in ("status", "eta"):
        if said[name] and not texts:
            raise UserError(f"--{name} goes with a text", hint='add --internal "..." or --public "..."')
    if said["reason"] and not labels:
        raise UserError("--reason goes with a level", hint="--severity LABEL or --priority LABEL")
    if not texts and not labels:
        raise UserError("there is nothing to say", hint='--internal "...", --public "...", or --severity LABEL')

    def door(one: Incident) -> Step:
        steps = [
            communicate.relabel(one, opened.judged_by[0], opened.now, actor, name, label, clean(said["reason"]))
            for name, label in labels.items()
        ]
        steps.append(communicate.publish_update(one, opened.now, actor, texts, said["status"], said["eta"]))
        return Step(
            tuple(edit for step in steps for edit in step.edits),
            tuple(told for step in steps for told in step.messages),
            tuple(told for step in steps for told in step.warnings),
        )

    perform_edit(opened, incident, form, door)


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="TEXT [INC]", shell_complete=complete_incident)
@click.option(
    "--kind",
    metavar="KIND",
    type=click.Choice(communicate.TIMELINE_KINDS),
    default="note",
    show_default=True,
    help=f"What kind of event: {', '.join(communicate.TIMELINE_KINDS)}.",
)
@click.option("--action", metavar="TEXT", help="What was done.")
@click.option("--result", metavar="TEXT", help="What came of it.")
@click.option("--ref", metavar="TEXT", help="A commit, a link, a ticket.")
@click.option("--at", metavar="WHEN", help="When it happened: 10m (ago), or an instant. Default: now.")
@click.option("--corrects", type=click.IntRange(1), help="The number of the entry that this one sets right.")
@click.option(
    "--mark",
    metavar="NAME",
    multiple=True,
    type=click.Choice(communicate.MARKS),
    help=f"This was also the instant of that name: {', '.join(communicate.MARKS)}.",
)
@by_option
@format_option
@with_repository
def timeline(opened: Opened, words: tuple[str, ...], by: str | None, form: str, **said: Any) -> None:
    """Write down what happened, when it happens.

    \b
    Examples:
      incident-ops timeline "Rolled back to def456" --kind action --ref def456
      incident-ops timeline "Cause found" --kind diagnosis --mark diagnosed
      incident-ops timeline "Error rate is normal" --at 5m --mark restored
    """
    actor = who(opened, by)
    incident, text = split_words(words, at_least=1)
    if len(text) != 1:
        raise UserError("one text is needed", hint='put it in quotes: incident-ops timeline "Rolled back" INC-...')
    entry = communicate.TimelineEntry(
        event=clean(text[0]) or "",
        kind=said["kind"],
        action=clean(said["action"]),
        result=clean(said["result"]),
        ref=said["ref"],
        at=moment(said["at"], opened.now, "--at"),
        corrects=said["corrects"],
        marks=tuple(dict.fromkeys(said["mark"])),
    )
    perform_edit(opened, incident, form, lambda one: communicate.add_entry(one, opened.now, actor, entry))


@click.command()
@incident_argument
@click.option("--waiting-for", type=click.Choice(respond.WAITING_FOR), help="Whom the incident waits for.")
@click.option("--reason", metavar="TEXT", help="What is waited for.")
@click.option("--end", is_flag=True, help="The wait is over: back to the state that was left.")
@by_option
@format_option
@with_repository
def pause(
    opened: Opened,
    incident: str | None,
    waiting_for: str | None,
    reason: str | None,
    end: bool,
    by: str | None,
    form: str,
) -> None:
    """Wait for a user, a vendor or an approval; clocks that may pause do.

    \b
    Examples:
      incident-ops pause --waiting-for vendor --reason "ticket 4711"
      incident-ops pause --end
    """
    actor, why = who(opened, by), clean(reason)
    if end == (waiting_for is not None) or (end and reason):
        raise UserError(
            "say whom you wait for, or that the wait is over", hint="--waiting-for vendor [--reason TEXT], or --end"
        )

    def door(one: Incident) -> Step:
        policy = opened.judged_by[0]
        if waiting_for is None:
            return respond.end_pause(one, policy, opened.now, actor)
        return respond.pause_incident(one, policy, opened.now, actor, waiting_for, why)

    perform_edit(opened, incident, form, door)
