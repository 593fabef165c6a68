"""`incident-ops oncall who | next | lint | swap | load | calendar | import`."""

from __future__ import annotations

import sys
from typing import Any

import click

from incident_ops.app.edit_record import who as who_acts
from incident_ops.app.identity import MAKE_KNOWN, actor, handle_of
from incident_ops.app.workspace import Workspace, month_of, read_text_file, typed_time
from incident_ops.cli.completion import complete_service
from incident_ops.cli.options import (
    by_option,
    finish,
    format_option,
    print_written,
    say_notes,
    say_time,
    warn,
    with_repository,
    with_repository_to_write,
)
from incident_ops.cli.sending import data_of_sent, say_exchange, send_option
from incident_ops.cli.terminal import page_width, paint
from incident_ops.domain.time_words import counts_from_today
from incident_ops.errors import UserError
from incident_ops.findings import Level

ME = "@me"


@click.group()
def oncall() -> None:
    """Who is on call: schedules in oncall/*.yaml.

    \b
    Examples:
      incident-ops oncall who
      incident-ops oncall next @me
      incident-ops oncall swap @alice @ben --from friday --to saturday
      incident-ops oncall lint
    """


@oncall.command("who")
@click.argument("name", metavar="[SCHEDULE]", required=False)
@click.option("--service", "-s", shell_complete=complete_service, help="Only the schedules of this service.")
@click.option("--at", metavar="WHEN", help="When: 02:00 (the last one), in 2h, or a date. Default: now.")
@format_option
@with_repository
def who_command(workspace: Workspace, name: str | None, service: str | None, at: str | None, form: str) -> None:
    """Show who is on call, until when, and who then.

    \b
    Examples:
      incident-ops oncall who
      incident-ops oncall who --service auth
      incident-ops oncall who primary --at "saturday 03:00"   # who was, last time
      incident-ops oncall who primary --at 2025-02-01T03:00   # who will be
    """
    from incident_ops.app.oncall import who_is_on_call
    from incident_ops.render.oncall import who_json, who_text

    if name is not None and service is not None:
        raise UserError("SCHEDULE and --service say both what to show", hint="leave out one of them")
    when = workspace.now
    if at is not None:
        say_time(workspace, at, "--at", ahead=False)
        when = typed_time(at, workspace.now, "--at", ahead=False).at
    answer = who_is_on_call(workspace, name, service, when)
    click.echo(who_json(answer, when) if form == "json" else who_text(answer, when, page_width()), nl=False)
    finish(3 if answer.unread else 0)


@oncall.command("next")
@click.argument("who", metavar="WHO")
@click.option("--count", type=click.IntRange(1, 100), default=5, show_default=True, help="How many shifts.")
@format_option
@with_repository
def next_command(workspace: Workspace, who: str, count: int, form: str) -> None:
    """Show the next shifts of somebody.

    @me is you, as git or INCIDENT_OPS_BY says.

    \b
    Examples:
      incident-ops oncall next @me
      incident-ops oncall next @ben --count 10
    """
    from incident_ops.app.oncall import coming_shifts
    from incident_ops.render.oncall import next_json, next_text

    whom = _meant(workspace, who)
    coming, unread = coming_shifts(workspace, whom, workspace.now)
    shown = coming[:count]
    if form == "json":
        click.echo(next_json(whom, shown, workspace.now, unread), nl=False)
    else:
        click.echo(next_text(whom, shown, workspace.now, unread, page_width()), nl=False)
    finish(3 if unread else 0)


@oncall.command("lint")
@click.argument("name", metavar="[SCHEDULE]", required=False)
@format_option
@with_repository
def lint_command(workspace: Workspace, name: str | None, form: str) -> None:
    """Check the schedules; list what nobody covers.

    Errors end with exit code 1; `validate` finds the same.

    \b
    Examples:
      incident-ops oncall lint
      incident-ops oncall lint primary --format json | jq .uncovered
    """
    from incident_ops.app.oncall import lint_schedules
    from incident_ops.render import findings
    from incident_ops.render.findings_text import findings_text
    from incident_ops.render.oncall import gaps_data, gaps_text

    found = lint_schedules(workspace, name)
    if form == "json":
        click.echo(findings.to_json(found.findings, found.files, uncovered=gaps_data(found.gaps)), nl=False)
    else:
        text = findings_text(found.findings, found.files, paint, width=page_width())
        click.echo(text + gaps_text(found.gaps, found.zones), nl=False)
    finish(int(any(one.level is Level.ERROR for one in found.findings)))


@oncall.command("swap")
@click.argument("first", metavar="@A")
@click.argument("second", metavar="@B")
@click.option("--from", "since", metavar="WHEN", required=True, help="When it begins: friday 18:00, or an instant.")
@click.option(
    "--to", "until", metavar="WHEN", required=True, help="When it ends, counted from --from: monday 09:00, 12h."
)
@click.option("--schedule", metavar="NAME", help="Default: the one by which they are on call then.")
@click.option("--reason", metavar="TEXT", help="Why; whoever reviews it reads it.")
@by_option
@send_option
@format_option
@with_repository_to_write
def exchange_command(
    workspace: Workspace, first: str, second: str, by: str | None, form: str, send: bool, **wanted: Any
) -> None:
    """Let two people take each other's shifts.

    Writes overrides into the schedule: what @A has in that time goes to @B,
    and what @B has to @A. It counts once it is merged.

    With --send the overrides go on a branch of their own, on top of what
    the default branch has, and nothing here is changed.

    \b
    Examples:
      incident-ops oncall swap @alice @ben --from "friday 18:00" \\
        --to "saturday 09:00" --reason "school concert"
      incident-ops oncall swap @me @ben --from 2025-02-03 --to 2025-02-10 --send
    """
    from incident_ops.app.oncall_exchange import exchange_shifts, send_exchange
    from incident_ops.edits.oncall import ExchangeRequest

    say_time(workspace, wanted["since"], "--from", ahead=True)
    begin = typed_time(wanted["since"], workspace.now, "--from", ahead=True).at
    counted = workspace.now if counts_from_today(wanted["until"]) else begin
    say_time(workspace, wanted["until"], "--to", ahead=True, since=counted)
    end = typed_time(wanted["until"], counted, "--to", ahead=True).at
    people = (_meant(workspace, first), _meant(workspace, second))
    request = ExchangeRequest(*people, begin, end, who_acts(workspace, by), wanted["reason"])
    if not send:
        print_written(exchange_shifts(workspace, wanted["schedule"], request), form)
        return
    written, sent = send_exchange(workspace, wanted["schedule"], request)
    if form == "json":
        print_written(written, form, {"send": data_of_sent(sent)})
    else:
        print_written(written, form)
        say_exchange(sent)
    finish(sent.exit_code)


@oncall.command("load")
@click.option("--month", metavar="YYYY-MM", help="Default: the month before this one.")
@format_option
@with_repository
def load_command(workspace: Workspace, month: str | None, form: str) -> None:
    """Show what each person carried in a month.

    Hours on call, those at night and at weekends, and escalations.

    \b
    Examples:
      incident-ops oncall load
      incident-ops oncall load --month 2025-10
    """
    from incident_ops.app.oncall_load import load_of_people
    from incident_ops.render.oncall import load_json, load_text

    period = month_of(workspace, month, "--month")
    rows, unread = load_of_people(workspace, period)
    click.echo(
        load_json(rows, period, unread) if form == "json" else load_text(rows, period, unread, page_width()), nl=False
    )
    finish(3 if unread else 0)


@oncall.command("calendar")
@click.argument("name", metavar="SCHEDULE")
@click.option("--days", type=click.IntRange(1, 366), default=90, show_default=True, help="How far ahead.")
@click.option("--person", metavar="WHO", help="Only the shifts of one person; @me is you.")
@with_repository
def calendar_command(workspace: Workspace, name: str, days: int, person: str | None) -> None:
    """Print the shifts as an iCalendar file.

    Put it where calendars subscribe.

    \b
    Examples:
      incident-ops oncall calendar primary > primary.ics
      incident-ops oncall calendar primary --person @me --days 180 > mine.ics
    """
    from incident_ops.app.oncall import rota_calendar

    text, warnings = rota_calendar(workspace, name, days, None if person is None else _meant(workspace, person))
    click.echo(text, nl=False)
    warn(warnings)


@oncall.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--name", required=True, metavar="NAME", help="The schedule becomes oncall/NAME.yaml.")
@click.option("--people", metavar="MAP.yaml", help="Who is who: a line for each, name or address: @handle.")
@click.option("--zone", metavar="ZONE", help="For a calendar that names none. Default: UTC.")
@click.option("--write", is_flag=True, help="Write oncall/NAME.yaml instead of printing it.")
@format_option
@with_repository
def import_command(workspace: Workspace, file: str, form: str, **wanted: Any) -> None:
    """Turn the schedule of another tool into a file.

    FILE is a schedule of PagerDuty (GET /schedules/ID) or Opsgenie (GET
    /v2/schedules/ID) as JSON, or a calendar of shifts (.ics); - reads it from
    standard input. People are found by --people, else by `git` and `name` in
    the policy's contacts; whoever is not known is named, and nothing is written.

    \b
    Examples:
      incident-ops oncall import schedule.json --name primary
      incident-ops oncall import rota.ics --name primary --people map.yaml --write
    """
    from incident_ops.app.oncall_import import import_text
    from incident_ops.render.findings import json_text

    text = sys.stdin.read() if file == "-" else read_text_file(file, "save it as UTF-8")
    made, written = import_text(workspace, text, **wanted)
    if form == "json":
        data = {"schema": 1, "path": written.path if written else None, "text": made.text, "notes": [*made.notes]}
        click.echo(json_text(data), nl=False)
        return
    if written is None:
        click.echo(made.text, nl=False)
    say_notes(made.notes)
    if written is not None:
        print_written(written, form)


def _meant(workspace: Workspace, who: str) -> str:
    if who != ME:
        return handle_of(who)
    me = actor(workspace)
    if me.warning:
        raise UserError(f"who is {ME}? nobody is known here", hint=f"{MAKE_KNOWN}, or write the handle")
    return me.name
