"""`incident-ops action`: the action items of a record."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from incident_ops.app.edit_record import RecordChange, clean, find_record, split_words, who
from incident_ops.app.views import Selection
from incident_ops.app.workspace import Workspace
from incident_ops.cli.completion import complete_incident, complete_item
from incident_ops.cli.options import (
    by_option,
    edits_record,
    format_option,
    future_day,
    incident_argument,
    past_time,
    pick_incident,
    print_items,
    with_repository,
)
from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.domain.policy_sections import ITEM_STATUSES
from incident_ops.domain.time import is_date
from incident_ops.edits import action_items
from incident_ops.edits.step import NO_VALUE, Step, join_steps
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean

item_argument = click.argument("item", metavar="AI-N", shell_complete=complete_item)


@click.group()
def action() -> None:
    """What is to be done afterwards, so that it does not happen again.

    \b
    Examples:
      incident-ops action add "Test token expiry" --owner @alice --due 2025-02-01
      incident-ops action list
      incident-ops action edit AI-2 --due 14d --reason "the vendor is late"
      incident-ops action start AI-2
      incident-ops action done AI-2 --evidence https://example.org/pull/7
      incident-ops action drop AI-3 --reason "replaced by AI-4"
    """


@action.command()
@click.argument("words", nargs=-1, required=True, metavar="TITLE [INC]", shell_complete=complete_incident)
@click.option("--owner", metavar="WHO", help="Who does it: @handle, @org/team or a name.")
@click.option("--due", metavar="DATE", help="Until when: 2025-02-01, 14d, friday.")
@click.option("--priority", metavar="P", help="P0 to P9, the item's own.")
@click.option("--kind", type=click.Choice(action_items.ITEM_KINDS), help="How it prevents recurrence.")
@click.option("--horizon", type=click.Choice(action_items.HORIZONS), help="In which phase of the prevention plan.")
@click.option("--description", metavar="TEXT", help="More about it than the title says.")
@click.option("--acceptance", metavar="TEXT", help="How everybody can see that it is done.")
@edits_record
def add(workspace: Workspace, words: tuple[str, ...], due: str | None, **said: str | None) -> RecordChange:
    """Write down an action item; it gets the next free id.

    \b
    Examples:
      incident-ops action add "Add an alert" --owner @bob --due 2025-02-01
      incident-ops action add "Test expiry" --acceptance "Old code fails it"
    """
    incident, title = split_words(words, at_least=1)
    if len(title) != 1:
        raise UserError("one title is needed", hint='put it in quotes: incident-ops action add "Add an alert" INC-...')
    incident = pick_incident(workspace, incident, active_first=False)
    until = future_day(workspace, due, "--due")
    priority = said.pop("priority")
    item = action_items.NewItem(title[0], due=until, priority=priority.upper() if priority else None, **said)
    policy = workspace.judged_by[0]
    return incident, lambda current: action_items.add_item(current, policy, workspace.now, item)


@action.command()
@item_argument
@incident_argument
@click.option("--title", metavar="TEXT", help="What is to be done.")
@click.option("--owner", metavar="WHO", help="Who does it: @handle, @org/team or a name; - for nobody.")
@click.option("--due", metavar="DATE", help="Until when: 2025-02-01, 14d, friday; - for no date of its own.")
@click.option("--priority", metavar="P", help="P0 to P9, the item's own; - for none.")
@click.option("--kind", type=click.Choice((*action_items.ITEM_KINDS, "-")), help="How it prevents recurrence.")
@click.option("--horizon", type=click.Choice((*action_items.HORIZONS, "-")), help="Planning horizon.")
@click.option("--description", metavar="TEXT", help="More about it than the title says; - for none.")
@click.option("--acceptance", metavar="TEXT", help="How everybody can see that it is done; - for none.")
@click.option("--status", metavar="WORD", help="open, in_progress, done, wont_do, or the policy's word for one.")
@click.option("--issue", type=click.IntRange(1), metavar="N", help="The number of its issue.")
@click.option("--reason", metavar="TEXT", help="Why the date, the owner or the priority changes, or it is not done.")
@by_option
@edits_record
def edit(
    workspace: Workspace, item: str, incident: str | None, by: str | None, reason: str | None, **said: Any
) -> RecordChange:
    """Change what an item says: postpone it, give it to somebody else.

    What the title, the due date, the owner and the priority were before stays
    in the record, with who changed it, when and why.

    \b
    Examples:
      incident-ops action edit AI-2 --due 14d --reason "the vendor is late"
      incident-ops action edit AI-2 120500 --owner @bob --priority P1
      incident-ops action edit AI-2 --status open     # opens it again
    """
    where, name = _key(workspace, item, incident)
    actor, why, policy = who(workspace, by), clean(reason), workspace.judged_by[0]
    status, wanted = _status(policy, said.pop("status")), _wanted(workspace, said)
    if not wanted and status is None:
        raise UserError("there is nothing to change", hint="--due, --owner, --title, --status, ...; see --help")

    def edited(current: Incident) -> Step:
        steps = []
        if wanted:
            steps.append(action_items.edit_item(current, policy, workspace.now, actor, name, wanted, why))
        if status is not None:
            steps.append(action_items.set_status(current, workspace.now, actor, name, status, why))
        return join_steps(*steps)

    return where, edited


def _status(policy: Policy, word: str | None) -> str | None:
    """The record's word for a status that was typed. UserError for no status of the policy."""
    if word is None or (status := policy.action_items.status_typed(word)) is not None:
        return status if word is not None else None
    words = [*ITEM_STATUSES, *policy.action_items.statuses]
    raise UserError(f"{word!r} is not a status", hint=did_you_mean(word, words))


def _wanted(workspace: Workspace, said: dict[str, Any]) -> dict[str, Any]:
    """The new values by field, as the record writes them."""
    given = {name: value for name, value in said.items() if value is not None}
    wanted: dict[str, Any] = {name: clean(one) if isinstance(one, str) else one for name, one in given.items()}
    if wanted.get("due", NO_VALUE) != NO_VALUE:
        wanted["due"] = future_day(workspace, wanted["due"], "--due")
    if "priority" in wanted:
        wanted["priority"] = wanted["priority"].upper()
    return wanted


@action.command("list")
@incident_argument
@click.option("--all", "everything", is_flag=True, help="Also the items that are done or will not be done.")
@click.option("--owner", metavar="WHO", help="Only those of this person or team.")
@click.option("--overdue", is_flag=True, help="Only those past their due date.")
@format_option
@with_repository
def list_command(
    workspace: Workspace, incident: str | None, everything: bool, owner: str | None, overdue: bool, form: str
) -> None:
    """List action items of one incident, or of all of them, by due date.

    Exit code 3 when a record could not be read: the list may lack its items.

    \b
    Examples:
      incident-ops action list
      incident-ops action list INC-20250126-120500 --all
      incident-ops action list --owner @alice --format json
    """
    path = None if incident is None else find_record(workspace, incident)
    print_items(workspace, Selection(only_open=not everything, path=path), owner, overdue=overdue, form=form)


@action.command()
@item_argument
@incident_argument
@edits_record
def start(workspace: Workspace, item: str, incident: str | None) -> RecordChange:
    """An item is in progress.

    \b
    Examples:
      incident-ops action start AI-2
      incident-ops action start INC-20250126-120500/AI-2
    """
    where, name = _key(workspace, item, incident)
    return where, lambda current: action_items.start_item(current, name)


@action.command()
@item_argument
@incident_argument
@click.option("--evidence", metavar="TEXT", help="Where it can be seen: a link, a commit.")
@click.option("--on", metavar="WHEN", help="When: a date, 2h (ago), an instant, or unknown. Default: now.")
@by_option
@edits_record
def done(
    workspace: Workspace, item: str, incident: str | None, evidence: str | None, on: str | None, by: str | None
) -> RecordChange:
    """An item is done.

    \b
    Examples:
      incident-ops action done AI-2 --evidence https://example.org/pull/7
      incident-ops action done AI-2 120500 --on 2025-02-01
    """
    where, name = _key(workspace, item, incident)
    actor, at = who(workspace, by), _when(workspace, on)
    return where, lambda current: action_items.finish_item(current, workspace.now, actor, name, clean(evidence), at)


@action.command()
@item_argument
@incident_argument
@click.option("--reason", metavar="TEXT", required=True, help="Why it will not be done.")
@edits_record
def drop(workspace: Workspace, item: str, incident: str | None, reason: str) -> RecordChange:
    """An item will not be done, and why.

    \b
    Examples:
      incident-ops action drop AI-3 --reason "replaced by AI-4"
    """
    where, name = _key(workspace, item, incident)
    return where, lambda current: action_items.drop_item(current, name, clean(reason) or "")


def _key(workspace: Workspace, item: str, incident: str | None) -> tuple[str, str]:
    """`AI-2` and the incident, the key `INC-.../AI-2` in one word, or `AI-2` of the only open incident that has it."""
    if "/" not in item:
        return pick_incident(workspace, incident, partial(_has_item, item), active_first=False), item
    inside, _, name = item.rpartition("/")
    if incident is not None and find_record(workspace, inside) != find_record(workspace, incident):
        raise UserError(f"{item} is not an item of {incident}", hint="leave out one of the two incidents")
    return inside, name


def _has_item(item: str, incident: Incident) -> bool:
    return any(action_items.is_named(one, item) for one in incident.action_items)


def _when(workspace: Workspace, text: str | None) -> str | None:
    """When an item was done: a date stays one, any other time becomes an instant."""
    if text is None or is_date(text):
        return text
    return past_time(workspace, text, "--on", may_be_unknown=True)
