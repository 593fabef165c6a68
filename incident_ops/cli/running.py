"""What commands that make a plan or carry one out print of it: `plan`, `apply`, `sla run`."""

from __future__ import annotations

import click

from incident_ops.app.apply import AppliedRun, NotApplied, Progress, Report, SentNotices, worst_exit_code
from incident_ops.app.plan import PlannedRun
from incident_ops.app.plan_view import PlanView
from incident_ops.app.write_back import WriteBack
from incident_ops.cli.options import finish, no_records
from incident_ops.cli.terminal import page_width, painter
from incident_ops.reconcile.apply import LEFT_OVER
from incident_ops.render.findings import plural, quiet
from incident_ops.render.plan import (
    ACTION_COLOURS,
    applied_json,
    applied_line,
    delivered_lines,
    held_lines,
    not_applied_line,
    not_sent_lines,
    plan_headline,
    plan_json,
    plan_text,
)
from incident_ops.render.plan_preview import plan_markdown
from incident_ops.render.text import fold


def shown_plan(view: PlanView, form: str, *, is_verbose: bool) -> str:
    """A plan as text, Markdown or JSON."""
    if form == "json":
        return plan_json(view.plan, view.basis)
    if form == "markdown":
        return plan_markdown(view.plan, view.basis)
    return plan_text(view.plan, painter(ACTION_COLOURS), page_width(), is_verbose=is_verbose, basis=view.basis)


def end_run(run: AppliedRun, form: str) -> None:
    """Prints what became of a run, and ends with its exit code."""
    if form == "json":
        plan = run.planned.plan
        text = applied_json(plan, run.outcomes, run.summary, run.held, run.records.message, run.notices)
        click.echo(text, nl=False)
    finish(worst_exit_code({_print_problems(run), run.exit_code}))


class _Printer:
    """Prints a run as it happens."""

    def __init__(self) -> None:
        self._left = 0

    def report(self, part: Progress) -> None:
        if isinstance(part, PlannedRun):
            for line in fold(plan_headline(part.plan, part.unsent), "", "  ", page_width()):
                click.echo(line)
        elif isinstance(part, NotApplied):
            click.echo(quiet(not_applied_line(part.paths)), err=True)
        elif isinstance(part, SentNotices):
            for line in delivered_lines(part.delivered, page_width()):
                click.echo(quiet(line))
        elif isinstance(part, WriteBack):
            if self._left:
                click.echo(f"  {plural(self._left, 'change')} left for the next run")
            for line in part.lines:
                click.echo(f"Records: {quiet(line)}")
        elif part.outcome == LEFT_OVER:
            self._left += 1
        else:
            click.echo(quiet(applied_line(part)))


def report_of(form: str) -> Report:
    """Where a run reports its parts: the screen, or nowhere while its JSON is waited for."""
    return _Printer().report if form == "text" else lambda _: None


def _print_problems(run: AppliedRun) -> int:
    """Prints on the error stream what is left or went wrong -> 3 where every record is missing, else 0."""
    missing = 0
    errors = ([run.summary.error] if run.summary.error else []) + list(run.errors)
    for line in held_lines(run.held, errors, run.planned.plan.unread):
        click.echo(quiet(line), err=True)
    if not run.planned.workspace.catalogue.count():
        missing = no_records(run.planned.workspace, has_issues=run.planned.has_issues)
    say_unread_pager(run.planned)
    for line in not_sent_lines(run.notices, run.ledger_error, run.unset):
        click.echo(quiet(line), err=True)
    return missing


def say_unread_pager(run: PlannedRun, word: str = "error") -> None:
    """Says in one line that the pager was not read back, where it was asked."""
    if run.pager_error is not None:
        click.echo(quiet(f"{word}: {run.pager_error}"), err=True)
