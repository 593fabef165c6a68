"""`incident-ops list`: incidents, or action items, by urgency."""

from __future__ import annotations

from collections.abc import Iterable

import click

from incident_ops.app.workspace import Opened, day, no_records, served, with_repository
from incident_ops.cli.options import complete_service, finish, format_option, inert_unread
from incident_ops.domain.fence import each
from incident_ops.domain.incident import Incident
from incident_ops.domain.record import Record
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean
from incident_ops.records.history import every_record
from incident_ops.render import lists
from incident_ops.render.findings import inert
from incident_ops.render.incident import LATE_LINE
from incident_ops.render.sla import AT_RISK, BREACHED, MISSED
from incident_ops.rules.item_overdue import days_late
from incident_ops.sla.incident_at import declared_at

LIST_COLOURS = {BREACHED: "red", MISSED: "red", LATE_LINE: "red", AT_RISK: "yellow", "met": "green"}


@click.command("list")
@click.option("--open", "only_open", is_flag=True, help="Incidents that are not closed; items that are not done.")
@click.option("--owner", metavar="WHO", help="Action items of this person or team instead of incidents.")
@click.option("--overdue", is_flag=True, help="Action items past their due date instead of incidents.")
@click.option("-s", "--service", metavar="NAME", shell_complete=complete_service, help="Of this service only.")
@click.option("--level", metavar="LEVEL", help="Of this severity or priority only.")
@click.option("--since", metavar="DATE", help="Declared on this day (UTC) or instant, or later.")
@format_option
@with_repository
def list_command(
    opened: Opened,
    only_open: bool,
    owner: str | None,
    overdue: bool,
    service: str | None,
    level: str | None,
    since: str | None,
    form: str,
) -> None:
    """List incidents, the most urgent first; with --owner or --overdue their action items.

    Exit code 3 when a record could not be read: the list may lack it.

    \b
    Examples:
      incident-ops list --open
      incident-ops list --service auth --level SEV1 --since 2025-01-01
      incident-ops list --owner @alice --open
      incident-ops list --overdue --format json
    """
    after = day(since, "--since")

    def listed() -> str:
        records = [
            one
            for one in _records(opened, only_open and not (owner or overdue))
            if after is None or declared_at(one.incident) >= after
        ]
        records = _at_level(opened, _of_service(opened, records, service), level)
        if owner is not None or overdue:
            return _items(opened, records, owner, only_open, overdue, form)
        return _incidents(opened, records, form)

    click.echo(served(opened, listed), nl=False)
    if form == "text":
        _tell_unread(opened)
    if not opened.catalogue.count():
        finish(no_records(opened))
    finish(3 if opened.unread else 0)


def open_table(opened: Opened) -> str:
    """The open incidents as a table; "" unless there are several to choose from."""

    def table() -> str:
        found = lists.incident_rows(_records(opened, only_open=True), opened.judged_by[0], opened.now)
        return lists.incidents_text(found, _style) if len(found) > 1 else ""

    return served(opened, table)


def _records(opened: Opened, only_open: bool) -> list[Record]:
    if not only_open:
        return [*every_record(opened.store, opened.catalogue)]
    return [record for record in opened.catalogue.live() if not record.incident.is_closed]


def _incidents(opened: Opened, records: list[Record], form: str) -> str:
    found = lists.incident_rows(records, opened.judged_by[0], opened.now)
    if form == "json":
        return lists.incidents_json(found, opened.now, opened.unread)
    return lists.incidents_text(found, _style)


def _items(opened: Opened, records: list[Record], owner: str | None, only_open: bool, overdue: bool, form: str) -> str:
    policy, _ = opened.judged_by
    dated = each(records, lambda record: (record, days_late(record.incident, policy, opened.now)))
    owners = {None} if owner is None else {owner, f"@{owner}"}
    found = [
        one
        for one in lists.item_rows(dated, policy)
        if (owner is None or one.item.owner in owners)
        and (one.item.is_open or not only_open)
        and (one.late or not overdue)
    ]
    if form == "json":
        return lists.items_json(found, opened.now, opened.unread)
    return lists.items_text(found, _style)


def _of_service(opened: Opened, records: list[Record], name: str | None) -> list[Record]:
    if name is None:
        return records
    found = [record for record in records if name in record.incident.services]
    services = opened.judged_by[1]
    if not found and name not in services:
        raise UserError(f"there is no service {inert(name)!r}", hint=did_you_mean(name, services))
    return found


def _at_level(opened: Opened, records: list[Record], label: str | None) -> list[Record]:
    if label is None:
        return records
    found = [record for record in records if label in _labels(record.incident)]
    policy, _ = opened.judged_by
    known = [*policy.labels, *policy.major_labels]
    if not found and label not in known:
        raise UserError(f"there is no level {inert(label)!r}", hint=did_you_mean(label, known))
    return found


def _labels(incident: Incident) -> Iterable[str | None]:
    return incident.severity, incident.priority


def _tell_unread(opened: Opened) -> None:
    unread = inert_unread(opened.unread)
    if unread:
        click.echo(f"\nNot read, so not in this list ({len(unread)}):")
    for one in unread:
        click.echo(f"  {one.path}: {one.why}")


def _style(tone: str, line: str) -> str:
    if tone == lists.LIVE_STYLE:
        return click.style(line, bold=True)
    return click.style(line, fg=LIST_COLOURS[tone]) if tone in LIST_COLOURS else line
