"""`incident-ops postmortem lint`."""

from __future__ import annotations

import click

from incident_ops.app.postmortem_lint import LintReport, lint_postmortems
from incident_ops.app.workspace import Workspace
from incident_ops.cli.completion import complete_incident
from incident_ops.cli.options import finish, format_choice, inert_unread, no_records, with_repository
from incident_ops.cli.terminal import paint, say
from incident_ops.findings import Level
from incident_ops.render.findings import commands
from incident_ops.render.postmortem_lint import PostmortemView, gates_line, lint_docs, lint_json, lint_text


@click.group()
def postmortem() -> None:
    """What belongs to postmortems.

    \b
    Examples:
      incident-ops postmortem lint
      incident-ops postmortem lint INC-20250126-120500 --strict
    """


@postmortem.command("lint", short_help="Parts that are missing, weak structure, language that blames.")
@click.argument("incidents", nargs=-1, metavar="[INC]...", shell_complete=complete_incident)
@click.option("--strict", is_flag=True, help="End with 1 where there is a warning; notes let it pass.")
@format_choice(
    ["text", "json", "github", "sarif"],
    "Text for people, JSON for scripts, annotations for GitHub Actions, SARIF for code scanning.",
)
@with_repository
def lint(workspace: Workspace, incidents: tuple[str, ...], strict: bool, form: str) -> None:
    """Say what good reviewers say: missing parts, weak structure, language that blames.

    Without ids: every record that has a postmortem, or whose level asks for
    one and that is resolved. Each finding has the sentence, the reason, and a
    way to say it instead; docs/postmortem-lint.md has the sources. It warns,
    and ends with 0 unless --strict is given. A comment in the record silences
    a rule: `# incident-ops: ignore[blame] the reason`.

    \b
    Examples:
      incident-ops postmortem lint
      incident-ops postmortem lint 120500 --strict
      incident-ops postmortem lint --format json | jq .postmortems[].gates
      incident-ops validate --explain counterfactual
    """
    report = lint_postmortems(workspace, incidents)
    click.echo(_shown(report, form), nl=False)
    for unread in inert_unread(report.unread):
        say(f"{unread.path}: not read, not linted: {unread.reason}", word="error", colour="red")
    if not workspace.catalogue.count():
        finish(no_records(workspace))
    warned = any(finding.level is not Level.NOTE for finding in report.findings)
    finish(3 if report.unread else int(strict and warned))


def _shown(report: LintReport, form: str) -> str:
    views = [
        PostmortemView(one.incident, one.path, one.findings, one.remarks, one.silenced, one.open_gates)
        for one in report.postmortems
    ]
    if form == "json":
        return lint_json(views, inert_unread(report.unread))
    if form == "sarif":
        from incident_ops.render.rule_pages import to_sarif

        return to_sarif(report.findings, report.silenced, report.prefix, lint_docs())
    if form == "github":
        lines = "".join(f"{gates_line(view)}\n" for view in views)
        return commands(report.findings, report.prefix, lambda _finding: False) + lines
    return lint_text(views, paint)
