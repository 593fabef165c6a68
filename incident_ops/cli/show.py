"""`incident-ops show`, `list` and `render`: one incident on one screen, many by urgency, the documents of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from incident_ops.app.edit_record import find_record
from incident_ops.app.views import (
    Selection,
    end_of_incident,
    list_incidents,
    record_at,
    sheet_of,
    view_incident,
)
from incident_ops.app.workspace import Workspace, day
from incident_ops.cli.completion import complete_incident, complete_level, complete_person, complete_service
from incident_ops.cli.options import (
    end_of_list,
    finish,
    format_choice,
    format_option,
    no_records,
    pick_to_read,
    print_items,
    with_repository,
)
from incident_ops.cli.sending import say_unsent
from incident_ops.cli.terminal import page_width, say, style_line
from incident_ops.domain.fence import evaluate_one
from incident_ops.domain.record import Record, Unread
from incident_ops.render import lists
from incident_ops.render.findings import plural
from incident_ops.render.incident import to_text
from incident_ops.render.incident_data import to_json


@click.command()
@click.argument("incident", metavar="[INC]", required=False, shell_complete=complete_incident)
@click.option("--checklist", is_flag=True, help="The playbook's checklists instead, with what the record says is done.")
@click.option("--final", is_flag=True, help="What remains of one that is over: impact, cause, lessons, what is left.")
@click.option("--sheet", is_flag=True, help="A page for the war room, in Markdown, or with --format html.")
@format_choice(["text", "json", "md", "html"], "Text for people, JSON for scripts; md or html of --sheet.")
@with_repository
def show(workspace: Workspace, incident: str | None, checklist: bool, final: bool, sheet: bool, form: str) -> None:
    """Show an incident on one screen: clocks, roles, last update, what comes next.

    INC is an id or the end of one. Without it, the only incident that is
    worked on is shown, else the only resolved one, else the one that was
    closed last. Where there are several, a terminal asks which; elsewhere
    they are listed, with exit code 2.

    \b
    Examples:
      incident-ops show
      incident-ops show INC-20250126-120500
      incident-ops show 120500
      incident-ops show --checklist
      incident-ops show INC-20250126-120500 --final
      incident-ops show --sheet --format html > war-room.html
      incident-ops show --format json | jq .next
    """
    if checklist + final + sheet > 1:
        raise click.UsageError("--checklist, --final and --sheet are three views: take one of them")
    if form not in (("md", "html", "text") if sheet else ("text", "json")):
        raise click.UsageError("md and html are forms of --sheet, which has no JSON")
    incident = pick_to_read(workspace, incident)

    def shown(record: Record) -> str:
        if final:
            return _final(workspace, record, form)
        if sheet:
            return _sheet(workspace, record, form)
        if checklist:
            from incident_ops.render import checklist as boxes  # not needed for the screen

            of = (record.incident, workspace.judged_by[0])
            return boxes.to_json(*of) if form == "json" else boxes.to_text(*of, style_line, page_width())
        view = view_incident(workspace, record)._replace(width=page_width())
        return to_json(view) if form == "json" else to_text(view, style_line)

    record = record_at(workspace, find_record(workspace, incident))
    click.echo(evaluate_one(record, shown), nl=False)
    if form == "text" and not (checklist or final or sheet):
        say_unsent(workspace, record)


def _final(workspace: Workspace, record: Record, form: str) -> str:
    from incident_ops.render import incident_end as end  # not needed for the screen

    found = end_of_incident(workspace, record)
    return end.to_json(record.incident, found) if form == "json" else end.to_text(found, style_line, page_width())


def _sheet(workspace: Workspace, record: Record, form: str) -> str:
    sheet = sheet_of(workspace, record)
    if form == "html":
        from incident_ops.documents.html_page import html_page  # a Markdown parser

        return html_page(sheet, lambda _name: None)
    return sheet


@click.command("list")
@click.option("--open", "only_open", is_flag=True, help="Incidents that are not closed; items that are not done.")
@click.option(
    "--owner",
    metavar="WHO",
    shell_complete=complete_person,
    help="Action items of this person or team instead of incidents.",
)
@click.option("--overdue", is_flag=True, help="Action items past their due date instead of incidents.")
@click.option("-s", "--service", metavar="NAME", shell_complete=complete_service, help="Of this service only.")
@click.option("--level", metavar="LEVEL", shell_complete=complete_level, help="Of this severity or priority only.")
@click.option("--tier", metavar="TIER", help="Those that this tier of the ladder has, by id or number.")
@click.option("--since", metavar="DATE", help="Declared on this day (UTC) or later: a date, 30d (ago), or an instant.")
@format_option
@with_repository
def list_command(
    workspace: Workspace,
    only_open: bool,
    owner: str | None,
    overdue: bool,
    service: str | None,
    level: str | None,
    tier: str | None,
    since: str | None,
    form: str,
) -> None:
    """List incidents, the most urgent first; with --owner or --overdue their action items.

    Exit code 3 when a record could not be read: the list may lack it.

    \b
    Examples:
      incident-ops list --open
      incident-ops list --service auth --level SEV1 --since 2025-01-01
      incident-ops list --tier 2 --open
      incident-ops list --owner @alice --open
      incident-ops list --overdue --format json
    """
    wanted = Selection(only_open, service, level, day(since, "--since", workspace.now), tier=tier)
    if owner is not None or overdue:
        print_items(workspace, wanted, owner, overdue=overdue, form=form)
        return
    incidents = list_incidents(workspace, wanted)
    if form == "json":
        click.echo(lists.incidents_json(incidents, workspace.now, workspace.unread), nl=False)
    else:
        click.echo(lists.incidents_text(incidents, style_line, page_width()), nl=False)
    end_of_list(workspace, form)


@click.command()
@click.argument("incidents", nargs=-1, metavar="[INC]...")
@click.option("--check", is_flag=True, help="Write nothing; end with 1 when a document is missing or differs.")
@click.option(
    "--adopt",
    is_flag=True,
    help="First take over into the record of INC what people typed under the empty headings of its postmortem.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["md", "html", "pdf"]),
    default="md",
    help="md beside the records; html or pdf, pages to send and to print, into --output.",
)
@click.option(
    "--output",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("rendered"),
    show_default=True,
    help="Where pages go: DIR/INC/postmortem.html.",
)
@with_repository
def render(workspace: Workspace, incidents: tuple[str, ...], check: bool, adopt: bool, form: str, output: Path) -> None:
    """Write incident.md, timeline.md, action-items.md and postmortem.md beside each record.

    Without ids: every record. Only files that change are written, each whole
    or not at all. What somebody typed into a document is kept: it is moved to
    a file beside it, postmortem.notes.md, or with --adopt into the record.
    A PDF is printed by Chromium or Chrome, which must be installed.

    \b
    Examples:
      incident-ops render
      incident-ops render INC-20250126-120500
      incident-ops render --adopt INC-20250126-120500
      incident-ops render --check
      incident-ops render INC-20250126-120500 --format pdf --output /tmp
    """
    from incident_ops.app.kept_prose import adopt_typed  # the templates, which the others do not need
    from incident_ops.app.render import render_documents

    if adopt and (check or not incidents):
        raise click.UsageError("--adopt writes records: name the incidents, without --check")
    if form != "md":
        if check or adopt:
            raise click.UsageError(f"--check and --adopt are about the documents beside records, not about {form}")
        _render_pages(workspace, incidents, form, output)
        return
    for edited in adopt_typed(workspace, incidents) if adopt else ():
        for line in edited.done:
            click.echo(f"{edited.record.incident.id}: {line}")
    rendered = render_documents(workspace, incidents, write=not check)
    for path in rendered.differing:
        word = "wrote" if not check else "differs" if path.exists() else "missing"
        click.echo(f"{word} {path.relative_to(workspace.root)}")
    outcome = "missing or out of date" if check else "written"
    click.echo(
        f"{plural(rendered.total, 'document')}: {len(rendered.differing)} {outcome},"
        f" {rendered.total - len(rendered.differing)} already up to date"
    )
    for kept in rendered.kept:
        headings = ", ".join(one.heading or "at the top" for one in kept.prose)
        message = f"somebody typed into it ({headings}); that is now in {kept.notes.relative_to(workspace.root)}"
        say(f"{kept.document.relative_to(workspace.root)}: {message}", word="warning", colour="yellow")
    _say_unread(rendered.unread)
    if not workspace.catalogue.count():
        finish(no_records(workspace))
    finish(3 if rendered.unread else int(check and bool(rendered.differing)))


def _render_pages(workspace: Workspace, incidents: tuple[str, ...], form: str, output: Path) -> None:
    from incident_ops.app.render_pages import render_pages  # as in `render`

    pages = render_pages(workspace, incidents, form, output)
    for path in pages.written:
        click.echo(f"wrote {path}")
    already = pages.total - len(pages.written)
    click.echo(f"{plural(pages.total, 'page')}: {len(pages.written)} written, {already} already up to date")
    _say_unread(pages.unread)
    finish(no_records(workspace) if not workspace.catalogue.count() else 3 if pages.unread else 0)


def _say_unread(unread: Sequence[Unread]) -> None:
    for one in unread:
        say(f"{one.path}: not read, not rendered: {one.reason}", word="error", colour="red")
