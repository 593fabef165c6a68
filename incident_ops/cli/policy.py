"""`incident-ops policy show | lint | import | holidays`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from incident_ops import resources
from incident_ops.app.workspace import strict
from incident_ops.cli.options import finish, format_choice, format_option, workspace_of
from incident_ops.cli.terminal import page_width, paint
from incident_ops.errors import UserError
from incident_ops.findings import Level
from incident_ops.render.text import UNCUT


@click.group()
def policy() -> None:
    """Show, lint or import the policy; write down holidays.

    \b
    Examples:
      incident-ops policy show --resolved        every value in force, diffable
      incident-ops policy show --preset p0-p3    a preset's own tables
      incident-ops policy lint
      incident-ops policy import old-config.json > policy.yaml
      incident-ops policy holidays DE --subdivision BY
    """


@policy.command(short_help="Show the levels and triage rules in force.")
@click.option("--resolved", is_flag=True, help="Every value in force, as YAML that can be compared in a review.")
@click.option(
    "--preset",
    type=click.Choice(resources.preset_names()),
    help="Show a shipped preset instead of this repository's policy.",
)
@click.option("--service", "-s", metavar="NAME", help="What holds for incidents of this service, and from where.")
@format_choice(
    ["text", "markdown", "json"], "Text for a terminal; Markdown for documents, also in a pipe; JSON for scripts."
)
@click.pass_context
def show_command(ctx: click.Context, resolved: bool, preset: str | None, service: str | None, form: str) -> None:
    """Show the levels and triage rules in force, or with --resolved every value.

    With --service: hours, people, ladder, clocks and channels of one service,
    each line with its source, its team in services.yaml or the policy.

    \b
    Examples:
      incident-ops policy show
      incident-ops policy show --format markdown
      incident-ops policy show --resolved > resolved.yaml
      incident-ops policy show --service api
      incident-ops policy show --preset itil-p1-p4
    """
    if service is not None:
        _show_service(ctx, service, "resolved" if resolved else form, preset)
        return
    from incident_ops.records.policy import preset as preset_data
    from incident_ops.records.policy import to_policy
    from incident_ops.records.policy_origins import own_values, text_with_origins
    from incident_ops.records.yaml_writer import to_yaml
    from incident_ops.render.findings import json_text
    from incident_ops.render.notice_ways import ways_table
    from incident_ops.render.policy import (
        duties_list,
        gate_limits,
        level_tables,
        to_text,
        triage_table,
        unused_keys,
    )

    if preset is not None:
        values, data, own = to_policy(preset_data(preset)), preset_data(preset), []
    else:
        workspace = strict(workspace_of(ctx))
        values, data = workspace.judged_by[0], workspace.setting.policy.resolved
        own = own_values(workspace.setting.policy)
    if form == "json":
        places = {value.key: str(value.place) for value in own}
        click.echo(json_text({"schema": 1, "policy": data, "origins": places}), nl=False)
    elif resolved:
        click.echo(text_with_origins(data, data["extends"], own) if own else to_yaml(data), nl=False)
    elif form == "text" and (width := page_width()) != UNCUT:
        click.echo(to_text(values, data, width), nl=False)
    else:
        click.echo(f"Scheme {values.scheme.id}\n\n{level_tables(values)}")
        click.echo(f"Triage, first match decides:\n\n{triage_table(values)}")
        ends = f"{gate_limits(values)}\n{duties_list(values)}{unused_keys(data)}"
        click.echo(f"Notices, by kind:\n\n{ways_table({'How': values})}\n{ends}", nl=False)


def _show_service(ctx: click.Context, service: str, form: str, preset: str | None) -> None:
    from incident_ops.app.policy import held_data
    from incident_ops.records.yaml_writer import to_yaml
    from incident_ops.render.held_policy import held_json, held_text

    if preset is not None:
        raise click.UsageError("--service and --preset exclude each other: a preset has no services")
    workspace = strict(workspace_of(ctx))
    data = held_data(workspace, service)
    if form == "json":
        click.echo(held_json(*workspace.judged_by, service, workspace.now, data), nl=False)
    elif form == "resolved":
        click.echo(to_yaml(data), nl=False)
    else:
        click.echo(held_text(*workspace.judged_by, service, workspace.now, page_width()), nl=False)


@policy.command(short_help="Check the policy: levels, calendars, people.")
@format_option
@click.pass_context
def lint(ctx: click.Context, form: str) -> None:
    """Check the policy: levels reachable, calendars open, people reachable. Errors end with exit code 1.

    \b
    Examples:
      incident-ops policy lint
      incident-ops policy lint --format json | jq '.findings[].message'
    """
    from incident_ops.app.policy import lint_policy
    from incident_ops.render import findings
    from incident_ops.render.findings_text import findings_text

    found = lint_policy(workspace_of(ctx))
    text = findings.to_json(found, 2) if form == "json" else findings_text(found, 2, paint, width=page_width())
    click.echo(text, nl=False)
    finish(int(any(one.level is Level.ERROR for one in found)))


@policy.command("import", short_help="Turn a JSON block of an agent into a policy.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
def import_(file: str) -> None:
    """Turn a JSON block `agents.incident_coordinator` into a policy.yaml, printed.

    FILE holds the JSON; - reads it from standard input.

    \b
    Examples:
      incident-ops policy import old-config.json > policy.yaml
      curl -s https://example.org/config.json | incident-ops policy import -
    """
    from incident_ops.records.policy_import import import_block

    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError("cannot be read as text", where=file, hint="save it as UTF-8 JSON") from error
    click.echo(import_block(text), nl=False)


@policy.command(short_help="Write down the public holidays of a country.")
@click.argument("country")
@click.option("--subdivision", metavar="CODE", help="A part of the country: BY or Bavaria, CA, SCT.")
@click.option(
    "--year", "years", type=click.IntRange(1970, 2200), multiple=True, help="Default: this year and the next."
)
@click.option("--calendar", default="business", show_default=True, help="The calendar they belong to.")
@click.option("--write", is_flag=True, help="Add them to policy.yaml; dates that are there stay.")
@format_option
@click.pass_context
def holidays(
    ctx: click.Context,
    country: str,
    subdivision: str | None,
    years: tuple[int, ...],
    calendar: str,
    write: bool,
    form: str,
) -> None:
    """Write down the public holidays of a country as dates for a calendar.

    COUNTRY is an ISO 3166 code. Where a holiday falls on a day off, the day
    observed in its place is listed too. Clocks read only the dates in
    policy.yaml: read them before you commit them, they are yours then.

    \b
    Examples:
      incident-ops policy holidays DE --subdivision BY --year 2026
      incident-ops policy holidays US --calendar business --write
    """
    from incident_ops.adapters.holiday_dates import public_holidays
    from incident_ops.app.policy import add_holidays
    from incident_ops.render.policy import holiday_name, to_json, to_yaml

    workspace = workspace_of(ctx)
    wanted = sorted(set(years)) or [workspace.now.year, workspace.now.year + 1]
    found = public_holidays(country, subdivision, wanted)
    days = [(one.day, one.name, one.is_observed) for one in found.days]
    if write:
        click.echo(
            add_holidays(workspace, calendar, {day: holiday_name(name, observed) for day, name, observed in days})
        )
    elif form == "json":
        click.echo(to_json(found.country, found.subdivision, days, found.source), nl=False)
    else:
        click.echo(to_yaml(calendar, found.country, found.subdivision, days, found.source), nl=False)
