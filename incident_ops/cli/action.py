"""`incident-ops action`: the action items of a record."""

from __future__ import annotations

from functools import partial

import click

from incident_ops.app.edit_record import RecordChange, clean, split_words, who
from incident_ops.app.workspace import Workspace, is_past
from incident_ops.cli.completion import complete_item
from incident_ops.cli.options import (
    by_option,
    complete_incident,
    edits_record,
    future_day,
    incident_argument,
    past_time,
    pick_incident,
)
from incident_ops.domain.incident import Incident
from incident_ops.domain.time import is_date
from incident_ops.edits import action_items
from incident_ops.edits.step import Step, join_steps
from incident_ops.errors import UserError

item_argument = click.argument("item", metavar="AI-N", shell_complete=complete_item)


@click.group()
def action() -> None:
    """What is to be done afterwards, so that it does not happen again.

    \b
    Examples:
      incident-ops action add "Test token expiry" --owner @alice --due 2025-02-01
      incident-ops action start AI-2
      incident-ops action done AI-2 --evidence https://example.org/pull/7
      incident-ops action drop AI-3 --reason "replaced by AI-4"
    """


@action.command()
@click.argument("words", nargs=-1, required=True, metavar="TITLE [INC]", shell_complete=complete_incident)
@click.option("--owner", metavar="WHO", help="Who does it: @handle, @org/team or a name.")
@click.option("--due", metavar="DATE", help="Until when: 2025-02-01, 14d, friday.")
@click.option("--priority", metavar="P", help="P0 to P9, the item's own.")
@click.option("--kind", type=click.Choice(action_items.ITEM_KINDS), help="What it does against a repetition.")
@click.option("--horizon", type=click.Choice(action_items.HORIZONS), help="In which stretch of the prevention plan.")
@edits_record
def add(workspace: Workspace, words: tuple[str, ...], due: str | None, **said: str | None) -> RecordChange:
    """Write down an action item; it gets the next free id.

    \b
    Examples:
      incident-ops action add "Add an alert" --owner @bob --due 2025-02-01
    """
    incident, title = split_words(words, at_least=1)
    if len(title) != 1:
        raise UserError("one title is needed", hint='put it in quotes: incident-ops action add "Add an alert" INC-...')
    incident = pick_incident(workspace, incident, active_first=False)
    until = future_day(workspace, due, "--due")
    passed = (f"--due {until} has passed",) if until is not None and is_past(workspace, until) else ()
    item = action_items.NewItem(title[0], due=until, **said)
    return incident, lambda current: join_steps(
        action_items.add_item(current, workspace.now, item), Step((), (), passed)
    )


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
    if incident is not None and not inside.upper().endswith(incident.upper()):
        raise UserError(f"{item} is not an item of {incident}", hint="leave out one of the two incidents")
    return inside, name


def _has_item(item: str, incident: Incident) -> bool:
    return any(one.id == item.upper() for one in incident.action_items)


def _when(workspace: Workspace, text: str | None) -> str | None:
    """When an item was done: a date stays one, any other time becomes an instant."""
    if text is None or is_date(text):
        return text
    return past_time(workspace, text, "--on", may_be_unknown=True)
