"""`incident-ops validate`."""

from __future__ import annotations

import click

from incident_ops.app.validate import Validated, add_summary, has_lost_records, validate_workspace
from incident_ops.app.workspace import Workspace, strict
from incident_ops.cli.completion import complete_rule
from incident_ops.cli.options import finish, format_choice, no_records, say_notes, workspace_of
from incident_ops.cli.terminal import page_width, paint, say
from incident_ops.errors import WriteFailed
from incident_ops.render import findings
from incident_ops.render.findings_text import findings_text
from incident_ops.render.text import fold


@click.command()
@click.argument("paths", nargs=-1)
@click.option("--base", metavar="REV", help="Also check what changed since this revision against what was merged.")
@format_choice(
    ["text", "json", "github", "sarif"],
    "Text for people, JSON for scripts, annotations for GitHub Actions, SARIF for code scanning.",
)
@click.option(
    "--explain", metavar="RULE", shell_complete=complete_rule, help="Say what a rule asks for, why, and how to fix it."
)
@click.pass_context
def validate(ctx: click.Context, paths: tuple[str, ...], base: str | None, form: str, explain: str | None) -> None:
    """Check records against schema and rules; every finding has its file, line and column.

    Without PATHS: policy, services and every record. Errors end with exit code 1, warnings and notes with 0.
    With --base only what a change since then brought about counts; all else is a note.

    \b
    Examples:
      incident-ops validate
      incident-ops validate incidents/INC-20250126-120500
      incident-ops validate --format json | jq .summary
      incident-ops validate --base origin/main
      incident-ops validate --explain instant-zone
    """
    if explain is not None:
        from incident_ops.render.rule_pages import rule_page

        click.echo("\n\n".join(map(_wrapped, rule_page(explain).rstrip().split("\n\n"))))
        return
    workspace = strict(workspace_of(ctx))
    validated = validate_workspace(workspace, paths, base)
    say_notes(validated.notes)
    click.echo(_shown(validated, form), nl=False)
    code = int(validated.report.errors > 0)
    if not paths and not workspace.catalogue.count():
        code = _no_records(workspace, validated) or code
    if form == "github" and code <= 1:  # else nothing may be concluded, least of all that all is fine
        _summarize(validated)
    finish(code)


def _shown(validated: Validated, form: str) -> str:
    report = validated.report
    if form == "json":
        return findings.to_json(report.findings, report.files, report.silenced)
    if form == "sarif":
        from incident_ops.render.rule_pages import to_sarif

        return to_sarif(report.findings, report.silenced, validated.prefix)
    if form == "github":
        total = findings.findings_line(report.findings, report.files, len(report.silenced))
        return f"{findings.commands(report.findings, validated.prefix, validated.is_new)}{total}\n"
    return findings_text(report.findings, report.files, paint, len(report.silenced))


def _summarize(validated: Validated) -> None:
    try:
        add_summary(validated)
    except WriteFailed as error:  # the findings are shown all the same, and they decide the exit code
        say(str(error), word="warning", colour="yellow")


def _no_records(workspace: Workspace, validated: Validated) -> int:
    if has_lost_records(workspace, validated):
        say("there is no record here, but the base has some (were all deleted?)", word="error", colour="red")
        return 3
    return no_records(workspace)


def _wrapped(paragraph: str) -> str:
    """Prose at the width of the terminal; an example, which is indented, as it is."""
    return paragraph if "\n " in f"\n{paragraph}" else "\n".join(fold(paragraph, width=page_width()))
