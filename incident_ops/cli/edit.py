"""`incident-ops edit`: what an incident says of itself, put right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from incident_ops.app.edit_record import RecordChange, check_services, clean, who
from incident_ops.app.workspace import Workspace
from incident_ops.cli.completion import complete_service
from incident_ops.cli.options import at_terminal, by_option, edits_record, incident_argument
from incident_ops.cli.terminal import say
from incident_ops.domain.deadlines import Duty
from incident_ops.domain.incident import Incident
from incident_ops.domain.time import spell_minute
from incident_ops.edits.deadlines import give_up_reports, reports_given_up
from incident_ops.edits.declare import SOURCES
from incident_ops.edits.details import LINKS, Details, edit_details, values_kept, with_details
from incident_ops.edits.step import Step, join_steps
from incident_ops.errors import UserError

VISIBILITIES = ("internal", "public", "restricted")


def link_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command an option for each link that has a field of its own."""
    for name in reversed(LINKS):
        option = f"--{name.replace('_', '-')}"
        where = "TEXT" if name in ("channel", "bridge", "kb") else "PLACE" if name == "runbook" else "URL"
        words = {"kb": "knowledge article", "status_page": "status page"}.get(name, name)
        command = click.option(option, name, metavar=where, help=f"The {words}; `-` takes it away.")(command)
    return command


@click.command()
@incident_argument
@click.option("--title", metavar="TEXT", help="What is broken, in the words of a user.")
@click.option("--description", metavar="TEXT", help="What is known; `-` takes it away.")
@click.option(
    "--service",
    "-s",
    "services",
    metavar="NAME",
    multiple=True,
    shell_complete=complete_service,
    help="+NAME adds, -NAME takes away, NAME alone replaces all; may be repeated.",
)
@click.option("--source", type=click.Choice([*SOURCES]), help="What noticed it.")
@click.option("--detail", metavar="TEXT", help="Which alert, ticket or dashboard; `-` takes it away.")
@click.option("--vip/--no-vip", default=None, help="Is an important customer affected?")
@click.option("--customer", "customers", metavar="NAME", multiple=True, help="An affected customer, as for --service.")
@click.option("--tag", "tags", metavar="WORD", multiple=True, help="A tag, as for --service.")
@link_options
@click.option("--link", "others", metavar="NAME=URL", multiple=True, help="Any other link; NAME=- takes it away.")
@click.option("--factor", "factors", metavar="NAME=VALUE", multiple=True, help="A circumstance; NAME=- takes it away.")
@click.option("--drill/--no-drill", default=None, help="Is it an exercise?")
@click.option("--visibility", type=click.Choice(VISIBILITIES), help="Who may see it.")
@click.option("--yes", is_flag=True, help="Also where it gives up a report that is owed to others.")
@by_option
@edits_record
def edit(workspace: Workspace, incident: str | None, by: str | None, yes: bool, **said: Any) -> RecordChange:
    """Fix what a record says: title, services, customers, tags, links ...

    Title, services and visibility keep a history in the record. The first
    service decides the clocks at the declaration; changing it later does not
    move them. Levels: `update`. Times: `correct`. People: `assign`.

    A tag may say that a report is not owed (`+not-nis2`). A terminal asks
    before one is given up; elsewhere it needs --yes.

    \b
    Examples:
      incident-ops edit --service +db --service -web
      incident-ops edit 120500 --title "No login: the database is down"
      incident-ops edit --bridge https://meet.example.com/1 --channel "#inc-1"
      incident-ops edit --link "Vendor ticket=https://vendor.example.com/7"
      incident-ops edit --customer "Acme Ltd" --vip --tag +dns
    """
    actor = who(workspace, by)
    others = _pairs("--link", "URL", said["others"])
    fields = {name: others.pop(typed) for typed in [*others] if (name := typed.lower().replace(" ", "_")) in LINKS}
    wanted = Details(
        **{name: said[name] for name in ("services", "source", "vip", "customers", "tags", "drill", "visibility")},
        title=clean(said["title"]),
        description=clean(said["description"]),
        detail=clean(said["detail"]),
        links={name: value for name in LINKS if (value := said[name]) is not None} | fields,
        others=others,
        factors=_pairs("--factor", "VALUE", said["factors"]),
    )
    if wanted == Details():
        raise UserError("nothing to change is named", hint="--title, --service, --tag, --link ...: see `edit --help`")
    check_services(workspace, values_kept(wanted.services))
    policy, now, asked = workspace.judged_by[0], workspace.now, yes

    def edited(current: Incident) -> Step:
        nonlocal asked
        step = edit_details(current, now, actor, wanted)
        dropped = reports_given_up(current, with_details(current, wanted), policy, now)
        if not dropped:
            return step
        asked = asked or _agreed(current, dropped)
        return join_steps(step, give_up_reports(dropped, now, actor))

    return incident, edited


def _agreed(incident: Incident, dropped: Sequence[Duty]) -> bool:
    """Asks at a terminal whether these reports are given up. UserError elsewhere, Abort where somebody says no."""
    reports = [_spelled_duty(one) for one in dropped]
    why = "nobody would be reminded of it, and the law may still ask for it"
    if not at_terminal():
        hint = f"--yes where it is not owed; once it is made: `incident-ops deadline done {dropped[0].deadline.id}`"
        raise UserError(f"{incident.id} would give up {'; '.join(reports)}: {why}", hint=hint)
    say(f"{incident.id} would give up a report:")
    for line in reports:
        say(line, first="  ")
    say(f"{why[0].upper()}{why[1:]}.")
    if not click.confirm("Give it up?", err=True):
        raise click.Abort
    return True


def _spelled_duty(duty: Duty) -> str:
    by = f" by {spell_minute(duty.due)}" if duty.due else ""
    return f"{duty.deadline.id}{by}" + (f" to {duty.deadline.to}" if duty.deadline.to else "")


def _pairs(option: str, value: str, texts: Sequence[str]) -> dict[str, str]:
    """`NAME=VALUE` texts by name. UserError where one lacks a part."""
    found = {}
    for text in texts:
        name, equals, said = text.partition("=")
        if not (equals and name.strip() and said.strip()) or "://" in name:
            raise UserError(f"{option} {text!r} is not NAME={value}", hint=f'{option} "NAME={value}"')
        found[name.strip()] = said.strip()
    return found
