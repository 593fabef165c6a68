"""`incident-ops render`."""

from __future__ import annotations

import click

from incident_ops.app.views import render_documents
from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import finish, no_records, with_repository
from incident_ops.render.findings import inert, plural


@click.command()
@click.argument("incidents", nargs=-1, metavar="[INC]...")
@click.option("--check", is_flag=True, help="Write nothing; end with 1 when a document is missing or differs.")
@with_repository
def render(workspace: Workspace, incidents: tuple[str, ...], check: bool) -> None:
    """Write incident.md, timeline.md, action-items.md and postmortem.md beside each record.

    Without ids: every record. Only files that change are written, each whole or not at all.

    \b
    Examples:
      incident-ops render
      incident-ops render INC-20250126-120500
      incident-ops render --check
    """
    rendered = render_documents(workspace, incidents, write=not check)
    for path in rendered.differing:
        click.echo(f"{'differs' if check else 'wrote'} {path.relative_to(workspace.root)}")
    click.echo(
        f"{plural(rendered.total, 'document')}: {len(rendered.differing)} {'out of date' if check else 'written'},"
        f" {rendered.total - len(rendered.differing)} as they should be"
    )
    for unread in rendered.unread:
        click.echo(inert(f"error: {unread.path}: not read, not rendered: {unread.reason}"), err=True)
    if not workspace.catalogue.count():
        finish(no_records(workspace))
    finish(3 if rendered.unread else int(check and bool(rendered.differing)))
