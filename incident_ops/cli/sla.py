"""`incident-ops sla check`, with report and backtest beside it."""

from __future__ import annotations

from typing import Any

import click

from incident_ops.app.plan import observed_option, sighting, tracker_option
from incident_ops.app.workspace import Opened, no_records, served, with_repository
from incident_ops.cli.options import finish, inert_unread, paint
from incident_ops.cli.sla_report import backtest as backtest_command
from incident_ops.cli.sla_report import report as report_command
from incident_ops.errors import WriteFailed
from incident_ops.records.history import every_record
from incident_ops.render.findings import MOST_SUMMARY_BYTES, inert
from incident_ops.render.sla import (
    AT_RISK,
    BREACHED,
    MISSED,
    clock_rows,
    due_commands,
    due_lines,
    due_summary,
    obligations_data,
    to_json,
    to_text,
)
from incident_ops.sla.obligations import Owed
from incident_ops.sla.status import ClockReport, clock_report

CLOCK_COLOURS = {BREACHED: "red", MISSED: "red", AT_RISK: "yellow", "met": "green"}
FAILING = {"at_risk": {AT_RISK, BREACHED}, "breached": {BREACHED}}


@click.group()
def sla() -> None:
    """Clocks: what is running, at risk, breached.

    \b
    Examples:
      incident-ops sla check
      incident-ops sla report --since 2025-01-01 --by service
      incident-ops sla backtest --policy new-policy.yaml
    """


@sla.command()
@click.option("--all", "everything", is_flag=True, help="What is over, too.")
@click.option("--fail-on", type=click.Choice([*FAILING]), help="End with 1 when a running clock is that bad.")
@tracker_option
@observed_option
@click.option("--save-observed", metavar="FILE", help="Write down what the tracker holds, for --observed.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="Text for people, JSON for scripts, annotations and a summary for GitHub Actions.",
)
@with_repository
def check_command(opened: Opened, everything: bool, fail_on: str | None, form: str, **options: Any) -> None:
    """Show the clocks of the incidents that are not closed, the most urgent first.

    Warnings come first, then what is owed now, how each open incident stands, and its clocks.
    Of closed incidents only the work that is left is listed: postmortems and
    action items. --all adds what is over.

    The records decide alone, unless --tracker or --observed brings in what
    people wrote under the issues: words that escalate, and signs of work.

    The clock of the whole check is --at, by default now; nothing else of the moment enters the result.
    Exit code 3 when a record could not be read.

    \b
    Examples:
      incident-ops sla check
      incident-ops --at 2025-10-21T18:00:00Z sla check --format json
      incident-ops sla check --fail-on breached
    """
    opened, owed = sighting(opened, options)
    made = served(opened, lambda: _clocks(opened, everything))
    shown = made._replace(unread=inert_unread(made.unread))
    if form == "json":
        click.echo(to_json(made, owed.lag_seconds, obligations_data(owed)), nl=False)
    else:
        styled = to_text(
            shown,
            lambda word, line: paint(line, CLOCK_COLOURS[word]) if word in CLOCK_COLOURS else line,
            due_lines(owed),
        )
        click.echo((due_commands(shown, owed) if form == "github" else "") + styled, nl=False)
    if form == "github":
        _summarize(made, owed)
    if not opened.catalogue.count():
        finish(no_records(opened))
    bad = fail_on is not None and any(row.status in FAILING[fail_on] for row in clock_rows(made))
    finish(3 if made.unread else int(bad))


def _clocks(opened: Opened, everything: bool) -> ClockReport:
    records = every_record(opened.store, opened.catalogue) if everything else opened.catalogue.live()
    return clock_report(records, opened.judged_by[0], opened.now, opened.unread, everything)


def _summarize(made: ClockReport, owed: Owed) -> None:
    """The same as the summary of a step of GitHub Actions, where there is one."""
    from incident_ops.adapters.environment import add_to_summary, summary_size

    if (size := summary_size()) is None:
        return
    try:
        add_to_summary(due_summary(made, owed, MOST_SUMMARY_BYTES - size))
    except WriteFailed as error:  # what is owed is told all the same
        click.echo(f"warning: {inert(str(error))}", err=True)


sla.add_command(report_command)
sla.add_command(backtest_command)
