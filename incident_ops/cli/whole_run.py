"""What `run` and `sla run` share: a whole run, carried out or only shown, for people, scripts and Actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from incident_ops.adapters.environment import fenced
from incident_ops.app.apply import Progress, worst_exit_code
from incident_ops.app.plan import PlannedRun, PlanOptions
from incident_ops.app.plan_view import view_plan
from incident_ops.app.run import preview_run, run_at_tip
from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import finish, plan_options
from incident_ops.cli.running import (
    RunPrinter,
    end_run,
    missing_records,
    problems,
    report_of,
    say_not_applied,
    say_page,
    shown_plan,
    summarize,
    warn_of_pager,
)
from incident_ops.cli.terminal import say
from incident_ops.errors import Stopped
from incident_ops.render.run_log import annotated, run_summary

_NOT_ASKED = (
    "GITHUB_TOKEN is not set, so GitHub was not asked: what people wrote and did on issues, and what waits in pull "
    "requests, is not in this"
)


def carry_out(
    ctx: click.Context,
    workspace: Workspace,
    form: str,
    options: Mapping[str, Any],
    *,
    is_dry: bool,
    with_issues: bool,
) -> None:
    """A whole run, or what it would do; prints it, and ends with its exit code."""
    asked = plan_options({"observed": None, "recreate": (), "no_notify": False, **options})
    if not is_dry and form == "github":
        return _in_actions(workspace, asked, with_issues=with_issues)
    if not is_dry:
        return end_run(run_at_tip(workspace, asked, report_of(form), with_issues=with_issues), form)
    run, was_asked, left_out = preview_run(workspace, asked, with_issues=with_issues)
    view, is_verbose = view_plan(asked, run), bool(ctx.find_root().obj.get("verbose"))
    if form == "github":
        click.echo(fenced(shown_plan(view, "text", is_verbose=is_verbose)), nl=False)
        summarize(shown_plan(view, "markdown", is_verbose=False))
    else:
        click.echo(shown_plan(view, form, is_verbose=is_verbose), nl=False)
    say_not_applied(left_out)
    say_page(run, asked, form)
    warn_of_pager(run)
    if not was_asked:
        say(_NOT_ASKED, word="note")
    return finish(3 if run.plan.unread else 0)


def _in_actions(workspace: Workspace, asked: PlanOptions, *, with_issues: bool) -> None:
    """The same in a job: the log is fenced, what went wrong is annotated, plan and outcome are the page."""
    lines: list[str] = []
    planned: list[PlannedRun] = []

    def write(text: str) -> None:
        lines.extend(text.splitlines())
        click.echo(fenced(text), nl=False)

    printer = RunPrinter(write)

    def report(part: Progress) -> None:
        if isinstance(part, PlannedRun):
            planned.append(part)
        printer.report(part)

    try:
        run = run_at_tip(workspace, asked, report, with_issues=with_issues)
    finally:  # only now: no page waits for the one of the job
        for one in planned:
            summarize(run_summary(shown_plan(view_plan(asked, one), "markdown", is_verbose=False), lines))
    wrong = problems(run)
    click.echo(fenced("\n".join(wrong)) + annotated(wrong), nl=False)
    code = worst_exit_code({missing_records(run), run.exit_code})
    finish(0 if run.goes_on and code == Stopped.exit_code else code)
