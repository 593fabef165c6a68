"""`incident-ops sla`: check, run, report, backtest."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from incident_ops.adapters.environment import fenced
from incident_ops.app.sla import SlaOptions, SlaStatus, check_clocks
from incident_ops.app.workspace import Workspace, day, day_ago, month_of
from incident_ops.cli.completion import complete_incident, complete_level, complete_person, complete_service
from incident_ops.cli.options import (
    finish,
    format_choice,
    format_option,
    inert_unread,
    no_records,
    observed_option,
    run_format_option,
    save_observed_option,
    tracker_option,
    with_repository,
)
from incident_ops.cli.run_options import run_options
from incident_ops.cli.terminal import page_width, painter, say
from incident_ops.errors import UserError, WriteFailed
from incident_ops.render.delivery import delivery_data, delivery_lines
from incident_ops.render.due_notices import due_lines, due_summary, obligations_data
from incident_ops.render.findings import MOST_SUMMARY_BYTES
from incident_ops.render.sla import AT_RISK, BREACHED, CLOCK_COLOURS, clock_rows, to_json, to_text
from incident_ops.render.sla_commands import due_commands

FAILING = {"at_risk": {AT_RISK, BREACHED}, "breached": {BREACHED}}
REPORT_AXES = ("level", "service", "month")
FAIL_ON_MISSED, FAIL_ON_GOAL = "missed", "goal"


@click.group()
def sla() -> None:
    """Clocks: what is running, at risk, breached.

    \b
    Examples:
      incident-ops sla check
      incident-ops sla run --dry-run
      incident-ops sla report --since 2025-01-01 --by service
      incident-ops sla backtest --policy new-policy.yaml
    """


@sla.command(short_help="Show the clocks of open incidents, and what is due.")
@click.argument("incident", required=False, metavar="[INC]", shell_complete=complete_incident)
@click.option("--level", metavar="LEVEL", shell_complete=complete_level, help="Of this severity or priority only.")
@click.option("-s", "--service", metavar="NAME", shell_complete=complete_service, help="Of this service only.")
@click.option("--state", metavar="STATE", help="In this state only, e.g. pending.")
@click.option("--assignee", metavar="WHO", shell_complete=complete_person, help="Assigned to this person only.")
@click.option("--all", "everything", is_flag=True, help="Finished clocks, too.")
@click.option("--fail-on", type=click.Choice([*FAILING]), help="Exit 1 if a running clock is in this state or worse.")
@tracker_option
@observed_option
@save_observed_option
@run_format_option
@with_repository
@click.pass_context
def check_command(
    ctx: click.Context, /, workspace: Workspace, everything: bool, fail_on: str | None, form: str, **options: Any
) -> None:
    """Show the clocks of the incidents that are not closed, the most urgent first.

    Warnings come first, then what is due now, how each open incident stands, and its clocks.
    Of closed incidents only the work that is left is listed: postmortems and
    action items. --all adds what is over.

    The records decide alone, unless --tracker or --observed brings in what
    people wrote under the issues: words that escalate, and signs of work.

    The clock of the whole check is --at, by default now; nothing else of the moment enters the result.
    Exit code 3 when a record could not be read. -v adds the keys of what is due.

    \b
    Examples:
      incident-ops sla check
      incident-ops --at 2025-10-21T18:00:00Z sla check --format json
      incident-ops sla check 04567
      incident-ops sla check --level P2 --state in_progress --assignee @ann
      incident-ops sla check --fail-on breached
    """
    if options.get("state"):
        options["state"] = options["state"].replace("-", "_")
    status = check_clocks(workspace, SlaOptions(everything, with_people=form != "json", **options))
    clocks, due = status.clocks, status.due._replace(obligations=status.delivery.obligations)
    shown = clocks._replace(unread=inert_unread(clocks.unread))
    if form == "json":
        more = delivery_data(status.delivery, due.at)
        click.echo(to_json(clocks, status.delivery.lag_seconds, obligations_data(due), more), nl=False)
    else:
        width, with_keys = page_width(), bool(ctx.find_root().obj.get("verbose"))
        lines = due_lines(due, width, with_keys=with_keys, whom=status.delivery.whom)
        lines += delivery_lines(status.delivery, due.at, width)
        styled = to_text(shown, painter(CLOCK_COLOURS), lines, width)
        click.echo(due_commands(shown, due) + fenced(styled) if form == "github" else styled, nl=False)
    if form == "github":
        _summarize(status)
    if not status.workspace.catalogue.count():
        finish(no_records(status.workspace))
    bad = fail_on is not None and any(row.status in FAILING[fail_on] for row in clock_rows(clocks))
    finish(3 if clocks.unread else int(bad))


def _summarize(status: SlaStatus) -> None:
    """The same as the summary of a step of GitHub Actions, where there is one."""
    from incident_ops.adapters.environment import add_to_summary, summary_size

    if (size := summary_size()) is None:
        return
    try:
        due = status.due._replace(obligations=status.delivery.obligations)
        add_to_summary(due_summary(status.clocks, due, MOST_SUMMARY_BYTES - size))
    except WriteFailed as error:  # what is due was printed all the same
        say(str(error), word="warning", colour="yellow")


@sla.command(short_help="Report how often each clock was met.")
@click.option("--since", metavar="DATE", help="Declared on this day (UTC) or later: a date, 30d (ago), or an instant.")
@click.option("--until", metavar="DATE", help="Declared before this day (UTC), or instant.")
@click.option("--last", metavar="LENGTH", help="The last 30d, 4w or 12h, instead of --since.")
@click.option("--month", metavar="MONTH", help="A month (UTC), e.g. 2025-10, instead of --since and --until.")
@click.option("--last-month", is_flag=True, help="The month before this one.")
@click.option(
    "--by",
    type=click.Choice(REPORT_AXES),
    default=REPORT_AXES[0],
    show_default=True,
    help="What the figures are split by.",
)
@click.option(
    "--fail-on", type=click.Choice([FAIL_ON_MISSED, FAIL_ON_GOAL]), help="Exit 1 if a clock, or a goal, was missed."
)
@format_choice(["text", "json", "markdown"], "Text for people, JSON for scripts, Markdown for a summary.")
@with_repository
def report(workspace: Workspace, by: str, fail_on: str | None, form: str, **period_said: Any) -> None:
    """Report how often each clock was met: in total, and by level, service or month.

    An incident belongs to the day it was declared. What does not count is
    counted apart, with the reason: drills, duplicates, what is still running.

    \b
    Examples:
      incident-ops sla report --since 2025-01-01 --until 2025-02-01
      incident-ops sla report --last-month --by service --format markdown
      incident-ops sla report --fail-on goal
    """
    from incident_ops.app.sla_report import report_compliance
    from incident_ops.render import sla_report
    from incident_ops.sla.compliance import Period

    period = Period(*_period(workspace, **period_said))
    made = report_compliance(workspace, period, by)
    if fail_on == FAIL_ON_GOAL and not made.goals:
        hint = "set e.g. `targets.sla_compliance_pct: 95` in policy.yaml"
        raise UserError("--fail-on goal: the policy sets no goal that clocks can reach", hint=hint)
    shown = made._replace(unread=inert_unread(made.unread))
    if form == "json":
        click.echo(sla_report.to_json(made), nl=False)
    elif form == "markdown":
        click.echo(sla_report.to_markdown(shown), nl=False)
    else:
        click.echo(sla_report.to_text(shown, page_width()), nl=False)
    if not workspace.catalogue.count():
        finish(no_records(workspace))
    is_bad = made.has_missed if fail_on == FAIL_ON_MISSED else any(goal.is_reached is False for goal in made.goals)
    finish(3 if made.unread else int(fail_on is not None and is_bad))


def _period(
    workspace: Workspace, since: str | None, until: str | None, last: str | None, month: str | None, last_month: bool
) -> tuple[datetime | None, datetime | None]:
    """From when to when the incidents were declared. UserError where that is said in two ways."""
    given = [
        option for option, is_given in (("--last", last), ("--month", month), ("--last-month", last_month)) if is_given
    ]
    if len(given) > 1 or (given and (since or until)):
        raise UserError(f"{given[0]} is a period of its own", hint="leave out the other options of the period")
    if last is not None:
        return day_ago(workspace, last, "--last"), None
    if month is not None or last_month:
        return month_of(workspace, month, "--month")
    return day(since, "--since", workspace.now), day(until, "--until", workspace.now)


@sla.command("run", short_help="Check once and notify.")
@run_options
@with_repository
@click.pass_context
def sla_run(ctx: click.Context, /, workspace: Workspace, dry_run: bool, form: str, **options: Any) -> None:
    """Check once and notify: for cron, systemd, Kubernetes or any other scheduler.

    Reads the records at the tip of the remote's default branch, whatever is
    checked out. Sends the notices that are due and records them in the
    ledger, proposes escalations and moves of the state, publishes gate.json
    where it has changed, and notes the run where it is complete. No issue is
    opened or changed: that is left to `run`. Run it as often as you like:
    what was sent is not sent again. --dry-run needs no token.

    Where INCIDENT_OPS_HEARTBEAT_URL is set, a complete run pings that address.

    Exit code 4 or 2: a notice was not sent, its channel is not set up, or the pager was not read back. Exit code 3: a
    record could not be read. Exit code 5: something is left for the next run. Exit code 6: the default branch kept
    moving, and nothing was done.

    \b
    Examples:
      incident-ops sla run
      incident-ops sla run --dry-run
      incident-ops sla run --format json
    """
    from incident_ops.cli.whole_run import carry_out  # what the other commands of `sla` do not need

    carry_out(ctx, workspace, form, options, is_dry=dry_run, with_issues=False)


@sla.command(short_help="Replay the history under another policy.")
@click.option("--policy", "file", metavar="FILE", required=True, help="The other policy.yaml.")
@click.option("--since", metavar="DATE", help="Incidents declared on this day (UTC) or instant, or later.")
@click.option("--observed", metavar="FILE", help="What the tracker holds (sla check --save-observed): comments.")
@format_option
@with_repository
def backtest(workspace: Workspace, file: str, since: str | None, observed: str | None, form: str) -> None:
    """Replay the history under another policy: what would be late, who would be notified.

    Records keep the targets of their declaration; here they take the other
    policy's. What people did stays as it was. Of their comments on the
    tracker only those in --observed are known.

    \b
    Examples:
      incident-ops sla backtest --policy new-policy.yaml
      incident-ops sla backtest --policy new-policy.yaml --since 2025-01-01
    """
    from incident_ops.app.sla_report import backtest_policy
    from incident_ops.render import backtest as render_backtest

    made = backtest_policy(workspace, file, day(since, "--since", workspace.now), observed)
    shown = made._replace(unread=inert_unread(made.unread))
    text = render_backtest.to_json(made) if form == "json" else render_backtest.to_text(shown, page_width())
    click.echo(text, nl=False)
    if not workspace.catalogue.count():
        finish(no_records(workspace))
    finish(3 if made.unread else 0)
