"""What commands that make a plan or carry one out print of it: `plan`, `apply`, `run`, `sla run`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import click

from incident_ops.adapters.environment import fenced
from incident_ops.app.apply import AlsoDone, AppliedRun, NotApplied, Progress, Report, SentNotices, worst_exit_code
from incident_ops.app.plan import PlannedRun, PlanOptions
from incident_ops.app.plan_view import PlanView
from incident_ops.app.write_back import WriteBack
from incident_ops.cli.options import finish, no_records
from incident_ops.cli.terminal import page_width, painter, say
from incident_ops.domain.tracker import GITHUB
from incident_ops.errors import WriteFailed
from incident_ops.reconcile.apply import LEFT_OVER, Applied
from incident_ops.render.findings import plural, quiet
from incident_ops.render.plan import (
    ACTION_COLOURS,
    applied_json,
    applied_line,
    delivered_lines,
    held_lines,
    not_applied_lines,
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
    for line in problems(run):
        click.echo(line, err=True)
    finish(worst_exit_code({missing_records(run), run.exit_code}))


class RunPrinter:
    """Prints a run as it happens; `write` prints some lines."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write, self._left = write, 0

    def report(self, part: Progress) -> None:
        """Prints one part."""
        if lines := list(self._lines(part)):
            self._write("\n".join(lines))

    def _lines(self, part: Progress) -> Iterator[str]:
        if isinstance(part, PlannedRun):
            yield from fold(plan_headline(part.plan, part.unsent), "", "  ", page_width())
        elif isinstance(part, SentNotices):
            yield from map(quiet, delivered_lines(part.delivered, page_width()))
        elif isinstance(part, WriteBack):
            if self._left:
                yield f"  {plural(self._left, 'change')} left for the next run"
            yield from (f"Records: {quiet(line)}" for line in part.lines)
        elif isinstance(part, AlsoDone):
            yield quiet(part.line)
        elif isinstance(part, Applied):
            if part.outcome == LEFT_OVER:
                self._left += 1
            else:
                yield quiet(applied_line(part))


def report_of(form: str) -> Report:
    """Where a run reports its parts: the screen, the log of a job, or nowhere while its JSON is waited for."""
    if form == "json":
        return lambda _: None
    printer = RunPrinter(click.echo if form == "text" else lambda text: click.echo(fenced(text), nl=False))

    def report(part: Progress) -> None:
        if isinstance(part, NotApplied):
            say_not_applied(part)
        printer.report(part)

    return report


def say_not_applied(left: NotApplied) -> None:
    """Names what GitHub gets nothing of."""
    for line in not_applied_lines(*left):
        click.echo(quiet(line), err=True)


def missing_records(run: AppliedRun) -> int:
    """Says where every record is missing -> 3 there, else 0."""
    if run.planned.workspace.catalogue.count():
        return 0
    return no_records(run.planned.workspace, has_issues=run.planned.has_issues)


def problems(run: AppliedRun) -> list[str]:
    """What is left or went wrong, a line each, with a word such as `error:` before it."""
    errors = ([run.summary.error] if run.summary.error else []) + list(run.errors)
    lines = [*held_lines(run.held, errors, run.planned.plan.unread)]
    if run.planned.pager_error is not None:
        lines.append(f"error: {run.planned.pager_error}")
    return [quiet(line) for line in (*lines, *not_sent_lines(run.notices, run.ledger_error, run.unset))]


def say_page(run: PlannedRun, asked: PlanOptions, form: str) -> None:
    """Says what a run would publish on the existing status page, where there is one; in JSON only the plan is. The page
    is asked where the tracker is."""
    from incident_ops.app.status_page import page_preview

    asks = run.observed.source == GITHUB and asked.observed is None
    for line in page_preview(run.workspace, asks=asks):
        click.echo(quiet(line), err=form == "json")


def warn_of_pager(run: PlannedRun) -> None:
    """Says in one line that the pager was not read back, where it was asked."""
    if run.pager_error is not None:
        click.echo(quiet(f"warning: {run.pager_error}"), err=True)


def summarize(text: str) -> None:
    """Adds to the page of the step, where there is one."""
    from incident_ops.adapters.environment import add_to_summary, summary_size

    if summary_size() is None:
        return
    try:
        add_to_summary(text)
    except WriteFailed as error:  # it was printed all the same
        say(str(error), word="warning", colour="yellow")
