"""`incident-ops issues`: what the tracker embedded in this clone holds."""

from __future__ import annotations

import click

from incident_ops.app.issues import NO_ISSUES, find_issue, held_issues
from incident_ops.app.workspace import Workspace
from incident_ops.cli.completion import complete_incident
from incident_ops.cli.options import format_option, with_repository
from incident_ops.cli.terminal import page_width, painter, say
from incident_ops.errors import UserError
from incident_ops.extras import is_installed
from incident_ops.render.issues import (
    ISSUE_COLOURS,
    ShownIssue,
    issue_head,
    issue_json,
    issue_lines,
    issues_json,
    item_lines,
    shown_markdown,
    unfolded_markdown,
)
from incident_ops.render.text import UNCUT, fold_record


@click.command()
@click.argument("issue", metavar="[ISSUE]", required=False, shell_complete=complete_incident)
@click.option("--open", "only_open", is_flag=True, help="Only open issues.")
@click.option("--closed", "only_closed", is_flag=True, help="Only closed issues.")
@format_option
@with_repository
def issues(workspace: Workspace, issue: str | None, only_open: bool, only_closed: bool, form: str) -> None:
    """Show the issues of the tracker embedded in this clone, or one of them.

    They are what `apply` without `--tracker github` makes, so that you see offline what GitHub would show. ISSUE is a
    number, or the id of an incident or an action item. At a terminal an issue's text is laid out, in a pipe it is
    Markdown.

    \b
    Examples:
      incident-ops issues
      incident-ops issues 4
      incident-ops issues INC-20250126-120500/AI-2
      incident-ops issues --open --format json
    """
    if only_open and only_closed:
        raise UserError("--open and --closed together leave nothing", hint="leave one of them out")
    if issue is not None:
        shown = find_issue(workspace, issue)
        click.echo(issue_json(shown), nl=False) if form == "json" else _print_issue(shown)
        return
    found = held_issues(workspace, is_open=True if only_open else False if only_closed else None)
    if form == "json":
        click.echo(issues_json(found), nl=False)
    elif found:
        for line in issue_lines(found, page_width(), painter(ISSUE_COLOURS)):
            click.echo(line)
    elif held_issues(workspace):
        say(f"there is no {'open' if only_open else 'closed'} issue in the tracker of this clone")
    else:
        say(f"there is no issue yet in the tracker of this clone: {NO_ISSUES}")


def _print_issue(shown: ShownIssue) -> None:
    width = page_width()
    title, about = issue_head(shown.issue)
    for line in fold_record(title, rest="  ", width=width):
        click.echo(click.style(line, bold=True))
    for line in fold_record(about, rest="  ", width=width):
        click.echo(click.style(line, fg=ISSUE_COLOURS[shown.issue.state]))
    _print_text(shown.issue.body, width)
    for comment in shown.comments:
        click.echo(click.style("\nComment", bold=True))
        _print_text(comment, width)
    if shown.items:
        click.echo(click.style("\nIssues of its action items", bold=True))
        for line in item_lines(shown.items, width):
            click.echo(line)


def _print_text(text: str, width: int) -> None:
    """Markdown laid out at a terminal; as it is in a pipe, and where rich is not installed."""
    click.echo()
    if width == UNCUT or not is_installed("terminal"):
        click.echo(shown_markdown(text))
        return
    from rich.console import Console  # only a terminal needs it
    from rich.markdown import Markdown

    context = click.get_current_context()
    has_colour = context.color is not False
    console = Console(width=width, highlight=False, force_terminal=has_colour, no_color=not has_colour)
    with console.capture() as laid_out:
        console.print(Markdown(unfolded_markdown(text), hyperlinks=False))
    lines = [line.rstrip() for line in laid_out.get().strip("\n").splitlines()]
    for place, line in enumerate(lines):
        if line or lines[place - 1]:  # a table has empty lines of its own
            click.echo(line)
