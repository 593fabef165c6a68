"""`incident-ops sla check`."""

from __future__ import annotations

import click

from incident_ops.cli.opening import Opened, no_records, with_repository
from incident_ops.cli.printing import finish, format_option, inert_unread, paint
from incident_ops.records.recall import every_record
from incident_ops.render.sla import AT_RISK, BREACHED, MISSED, rows, to_json, to_text
from incident_ops.sla.report import report

COLOURS = {BREACHED: "red", MISSED: "red", AT_RISK: "yellow", "met": "green"}
FAILING = {"at_risk": {AT_RISK, BREACHED}, "breached": {BREACHED}}


@click.group()
def sla() -> None:
    """Clocks: what is running, at risk, breached.

    \b
    Examples:
      incident-ops sla check
    """


@sla.command()
@click.option("--all", "everything", is_flag=True, help="What is over, too.")
@click.option("--fail-on", type=click.Choice([*FAILING]), help="End with 1 when a running clock is that bad.")
@format_option
@with_repository
def check(opened: Opened, everything: bool, fail_on: str | None, form: str) -> None:
    """Show the clocks of the incidents that are not closed, the most urgent first.

    Warnings come first, then how each open incident stands, then its clocks.
    Of closed incidents only the work that is left is listed: postmortems and
    action items. --all adds what is over.

    The clock of the whole check is --at, by default now; nothing else of the moment enters the result.
    Exit code 3 when a record could not be read.

    \b
    Examples:
      incident-ops sla check
      incident-ops --at 2025-10-21T18:00:00Z sla check --format json
      incident-ops sla check --fail-on breached
    """
    policy, _ = opened.judged_by
    records = every_record(opened.store, opened.catalogue) if everything else opened.catalogue.live()
    made = report(records, policy, opened.now, opened.catalogue.unreadable(), everything)
    shown = made._replace(unread=inert_unread(made.unread))
    text = (
        to_json(made)
        if form == "json"
        else to_text(shown, lambda word, line: paint(line, COLOURS[word]) if word in COLOURS else line)
    )
    click.echo(text, nl=False)
    if not opened.catalogue.count():
        finish(no_records(opened))
    bad = fail_on is not None and any(row.status in FAILING[fail_on] for row in rows(made))
    finish(3 if made.unread else int(bad))
