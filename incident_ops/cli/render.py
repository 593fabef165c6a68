"""`incident-ops render`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from incident_ops.adapters.files import write_text
from incident_ops.app.workspace import Opened, no_records, with_repository
from incident_ops.cli.options import finish
from incident_ops.documents.incident_documents import incident_documents
from incident_ops.domain.fence import Unusable, evaluate_each
from incident_ops.domain.record import Record, Unread
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean
from incident_ops.records.history import every_record, read_record
from incident_ops.render.findings import inert, plural


@click.command()
@click.argument("incidents", nargs=-1, metavar="[INC]...")
@click.option("--check", is_flag=True, help="Write nothing; end with 1 when a document is missing or differs.")
@with_repository
def render(opened: Opened, incidents: tuple[str, ...], check: bool) -> None:
    """Write incident.md, timeline.md, action-items.md and postmortem.md beside each record.

    Without ids: every record. Only files that change are written, each whole or not at all.

    \b
    Examples:
      incident-ops render
      incident-ops render INC-20250126-120500
      incident-ops render --check
    """
    differing, count, broken = _written(opened, _asked(opened, incidents), is_check=check)
    for path in differing:
        click.echo(f"{'differs' if check else 'wrote'} {path.relative_to(opened.root)}")
    click.echo(
        f"{plural(count, 'document')}: {len(differing)} {'out of date' if check else 'written'},"
        f" {count - len(differing)} as they should be"
    )
    unread = sorted([*(opened.catalogue.unreadable() if not incidents else ()), *broken])
    for left in unread:
        click.echo(inert(f"error: {left.path}: not read, not rendered: {left.reason}"), err=True)
    if not opened.catalogue.count():
        finish(no_records(opened))
    finish(3 if unread else int(check and bool(differing)))


def _written(
    opened: Opened, records: Iterable[Record], *, is_check: bool
) -> tuple[list[Path], int, tuple[Unread, ...]]:
    """Writes what differs -> the paths of that, how many documents there are, and the records that could make none."""
    policy, _ = opened.judged_by
    differing, count = [], 0
    try:
        for record, made in evaluate_each(
            records, lambda one: (one, incident_documents(one.incident, policy, opened.now))
        ):
            for name, text in made.items():
                count += 1
                path = opened.root / Path(record.path).with_name(name)
                if not path.is_file() or path.read_bytes() != text.encode():
                    differing.append(path)
                    if not is_check:
                        write_text(path, text)
    except Unusable as error:
        return differing, count, error.unread
    return differing, count, ()


def _asked(opened: Opened, incidents: tuple[str, ...]) -> Iterable[Record]:
    if not incidents:
        return every_record(opened.store, opened.catalogue)
    return [_one(opened, incident) for incident in dict.fromkeys(incidents)]


def _one(opened: Opened, incident: str) -> Record:
    path = opened.catalogue.path_of(incident)
    if path is None:
        raise UserError(f"there is no incident {incident}", hint=did_you_mean(incident, opened.catalogue.ids()))
    broken = next((one for one in opened.catalogue.unreadable() if one.path == path), None)
    if broken is not None:
        raise UserError(f"cannot be rendered: {broken.reason}", where=path, hint=f"see `incident-ops validate {path}`")
    return read_record(opened.store, path)
