"""`incident-ops update`, `timeline` and `notify`: what is said about an incident."""

from __future__ import annotations

from typing import Any

import click

from incident_ops.app.edit_record import RecordChange, clean, find_record, must_name_the_day, split_words, who
from incident_ops.app.workspace import Workspace, caught_up
from incident_ops.cli.completion import complete_incident, complete_priority, complete_severity
from incident_ops.cli.options import (
    by_option,
    edits_record,
    expected_time,
    finish,
    format_option,
    incident_argument,
    make_edit,
    past_time,
    pick_incident,
    pick_to_read,
    with_repository,
)
from incident_ops.cli.sending import record_options
from incident_ops.cli.terminal import page_width, style_line
from incident_ops.domain.incident import Incident
from incident_ops.domain.notice_kinds import NEWS
from incident_ops.domain.public_updates import STATUSES
from incident_ops.edits import communicate
from incident_ops.edits.step import Step, join_steps
from incident_ops.errors import UserError
from incident_ops.render.findings import inert


@click.command()
@incident_argument
@click.option("--internal", metavar="TEXT", help="News for the responders and their teams.")
@click.option("--executive", metavar="TEXT", help="News for the management.")
@click.option("--public", metavar="TEXT", help="News for everybody: it goes to the status page.")
@click.option("--status", type=click.Choice(STATUSES), help="Default: what was said last; resolved once it is.")
@click.option("--eta", metavar="WHEN", help="When it may be over: 30m (from now), 14:00, an instant, or unknown.")
@click.option(
    "--severity",
    metavar="LABEL",
    shell_complete=complete_severity,
    help="The new severity; `none` takes it away where a priority drives.",
)
@click.option("--priority", metavar="LABEL", shell_complete=complete_priority, help="The new priority.")
@click.option("--reason", metavar="TEXT", help="Why the level changes; needed to lower it or take it away.")
@by_option
@edits_record
def update(workspace: Workspace, incident: str | None, by: str | None, **said: str | None) -> RecordChange:
    """Write news for an audience, or change the severity.

    Nothing is sent from here: what is written goes out after the merge.

    \b
    Examples:
      incident-ops update --public "We are looking into failing logins"
      incident-ops update --internal "Rolling back" --status identified --eta 30m
      incident-ops update --severity SEV0 --reason "checkout is down, too"
    """
    actor = who(workspace, by)
    texts = {name: text for name in communicate.AUDIENCES if (text := clean(said[name])) is not None}
    policy = workspace.judged_by[0]
    labels = {name: label for name in ("severity", "priority") if (label := policy.label_typed(said[name])) is not None}
    for name in ("status", "eta"):
        if said[name] and not texts:
            raise UserError(f"--{name} goes with a text", hint='add --internal "..." or --public "..."')
    if said["reason"] and not labels:
        raise UserError("--reason goes with a level", hint="--severity LABEL or --priority LABEL")
    if not texts and not labels:
        raise UserError("nothing to post", hint='add --internal "..." or --public "...", or --severity LABEL')

    eta = expected_time(workspace, said["eta"], "--eta")

    def updated(current: Incident) -> Step:
        reason = clean(said["reason"])
        return join_steps(
            communicate.relabel_all(current, policy, workspace.now, actor, labels, reason),
            communicate.public_doubts(current, policy, texts, said["status"]),
            communicate.publish_update(current, workspace.now, actor, texts, said["status"], eta),
        )

    return incident, updated


@click.command()
@click.argument("words", nargs=-1, metavar="TEXT [INC]", shell_complete=complete_incident)
@click.option("--list", "only_lists", is_flag=True, help="Read it instead: every entry, by time, with its number.")
@click.option(
    "--kind",
    metavar="KIND",
    type=click.Choice(communicate.TIMELINE_KINDS),
    help=f"What kind of event: {', '.join(communicate.TIMELINE_KINDS)}. Default: note; with --list: all.",
)
@click.option("--action", metavar="TEXT", help="What was done.")
@click.option("--result", metavar="TEXT", help="What came of it.")
@click.option("--ref", metavar="TEXT", help="A commit, a link, a ticket.")
@click.option(
    "--at", metavar="WHEN", help="When it happened: 10m (ago), 02:56, yesterday 14:00, or an instant. Default: now."
)
@click.option("--corrects", type=click.IntRange(1), help="The number of the entry that this one sets right.")
@click.option(
    "--mark",
    metavar="NAME",
    multiple=True,
    type=click.Choice(communicate.MARKS),
    help=f"This was also the instant of that name: {', '.join(communicate.MARKS)}.",
)
@by_option
@record_options
@format_option
@with_repository
def timeline(
    workspace: Workspace, words: tuple[str, ...], only_lists: bool, by: str | None, form: str, send: bool, **said: Any
) -> None:
    """Write down what happened, when it happens; or read it with --list.

    A decision is an entry of kind decision: --list --kind decision shows the
    log of decisions. The numbers of --list are those that --corrects takes.

    \b
    Examples:
      incident-ops timeline "Rolled back to def456" --kind action --ref def456
      incident-ops timeline "Cause found" --kind diagnosis --mark diagnosed
      incident-ops timeline "Error rate is normal" --at 5m --mark restored
      incident-ops timeline "We roll back, a fix takes too long" --kind decision
      incident-ops timeline --list INC-20250126-120500
      incident-ops timeline --list --kind decision --format json
    """
    if only_lists:
        _print_timeline(workspace, words, {**said, "by": by, "send": send}, form)
    else:
        workspace = caught_up(workspace)
        make_edit(workspace, _new_entry(workspace, words, by, said), form, send=send)


def _print_timeline(workspace: Workspace, words: tuple[str, ...], said: dict[str, Any], form: str) -> None:
    from incident_ops.app.views import timeline_of  # what only the list needs
    from incident_ops.render.timeline import to_json, to_text

    incident, more = split_words(words)
    unfit = [name for name, value in said.items() if value and name != "kind"]
    if more or unfit:
        message = f"--list takes no {f'--{unfit[0]}' if unfit else 'text'}"
        raise UserError(message, hint="incident-ops timeline --list [INC] [--kind KIND]")
    path = find_record(workspace, pick_to_read(workspace, incident))
    listed = timeline_of(workspace, path, said["kind"])
    click.echo(
        to_json(listed, workspace.now) if form == "json" else to_text(listed, style_line, page_width()), nl=False
    )


def _new_entry(workspace: Workspace, words: tuple[str, ...], by: str | None, said: dict[str, Any]) -> RecordChange:
    actor = who(workspace, by)
    incident, text = split_words(words, at_least=1)
    if len(text) != 1:
        raise UserError("one text is needed", hint='put it in quotes: incident-ops timeline "Rolled back" INC-...')
    entry = communicate.TimelineEntry(
        event=clean(text[0]) or "",
        kind=said["kind"] or "note",
        action=clean(said["action"]),
        result=clean(said["result"]),
        ref=said["ref"],
        at=past_time(workspace, said["at"], "--at"),
        corrects=said["corrects"],
        marks=tuple(dict.fromkeys(said["mark"])),
    )

    def add(current: Incident) -> Step:
        must_name_the_day(workspace, current, said["at"] or "")
        return communicate.add_entry(current, workspace.now, actor, entry)

    return incident, add


@click.command()
@click.argument("incident", metavar="[INC]", required=False, shell_complete=complete_incident)
@click.option("--mark", metavar="WORD", help="What it is about: a kind of notice as above.")
@click.option("--test", "is_test", is_flag=True, help="Test every channel instead of sending a notice.")
@click.option("--to", metavar="WHO", help="With --test: only the channels of this @handle, role or tier.")
@click.option("--level", metavar="LABEL", help="With --test: only the channels of this level.")
@click.option("--channel", "channels", metavar="NAME", multiple=True, help="Only these. Default: those of the level.")
@click.option(
    "--audience",
    type=click.Choice(communicate.AUDIENCES),
    default=communicate.AUDIENCES[0],
    show_default=True,
    help="For whom.",
)
@click.option("--text", metavar="TEXT", help="What else to say.")
@click.option("--no-wait", is_flag=True, help="Send ranks 3 and 4 too when the ledger cannot be reached.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent, and send nothing.")
@format_option
@with_repository
def notify(
    workspace: Workspace,
    incident: str | None,
    form: str,
    channels: tuple[str, ...],
    dry_run: bool,
    **said: Any,
) -> None:
    """Send a notice about an incident, once for each mark and channel.

    A channel's address is an apprise URL in INCIDENT_OPS_CHANNEL_<NAME>. The
    ledger on the remote keeps two people from sending the same. Ranks 1 and 2
    are sent even when it cannot be reached, the others wait for it.

    Where notices with this mark are due, those are sent, and the automation
    does not send them again. declared and news can be sent at any time, the
    others while they are due; --text alone is news.

    Marks: declared, raised, reopened, escalated, response_due, diagnosis_due,
    resolution_at_risk, resolution_due, update_due, handover, news, resolved,
    auto_state, postmortem_due, item_due, deadline.

    Only what pages rings, unless --channel names a channel that rings. A
    pager gets the incident's one alert, and none once somebody has it: named
    by --channel it rings again.

    --test sends a test message by every channel that the policy names and
    says which work; a pager's test alert is opened and ended at once. No
    incident is needed, and nothing of it is recorded.

    Exit code 4 when a notice was not sent or nobody can tell; 2 when a
    channel is not set up.

    \b
    Examples:
      incident-ops notify INC-20250126-120500 --mark declared
      incident-ops notify 120500 --mark declared --channel slack --dry-run
      incident-ops notify --text "Login works again for half"
      incident-ops notify --test
      incident-ops notify --test --to @alice
      incident-ops notify --test --level SEV0 --channel pager
    """
    from incident_ops.app.notify_by_hand import NotifyOptions, notify_people  # what only this command needs
    from incident_ops.notifications.deliver import delivery_exit_code
    from incident_ops.render.notices_by_hand import dry_notices_text, notices_json, notices_text

    if said.pop("is_test"):
        _test_channels(workspace, form, channels, dry_run, {**said, "incident": incident})
        return
    text, waits = said["text"], not said["no_wait"]
    mark = said["mark"] or (NEWS if text else None)
    if not mark or said["to"] or said["level"]:
        hint = "--test sends a test; --to and --level go with it"
        raise UserError("a notice says what it is about: --mark WORD", hint=hint)
    options = NotifyOptions(mark, channels, said["audience"], text, may_wait=waits, dry_run=dry_run)
    result = notify_people(workspace, pick_incident(workspace, incident), options)
    if form == "json":
        click.echo(notices_json(result.incident, mark, result.delivered), nl=False)
    else:
        click.echo((dry_notices_text if dry_run else notices_text)(result.delivered), nl=False)
    for problem in dict.fromkeys(map(str, result.ledger_errors)):
        click.echo(f"ledger: {inert(problem)}", err=True)
    finish(delivery_exit_code(result.delivered))


def _test_channels(
    workspace: Workspace, form: str, channels: tuple[str, ...], dry_run: bool, said: dict[str, Any]
) -> None:
    from incident_ops.app.try_channels import try_channels
    from incident_ops.notifications.trials import TrialOptions, trial_exit_code
    from incident_ops.render.channel_trials import trials_json, trials_text

    if any(said[name] for name in ("incident", "mark", "text", "no_wait")):
        hint = "leave out the incident, --mark, --text and --no-wait"
        raise UserError("--test is about channels, not about an incident", hint=hint)
    if said["to"] and said["level"]:
        raise UserError("--to and --level do not go together", hint="test one after the other")
    tried = try_channels(workspace, TrialOptions(said["to"], said["level"], channels, dry_run))
    click.echo(trials_json(tried) if form == "json" else trials_text(tried, page_width()), nl=False)
    finish(trial_exit_code(tried))
