"""`incident-ops validate`."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import finish, no_records, paint, workspace_of
from incident_ops.errors import UserError, WriteFailed
from incident_ops.findings import Finding
from incident_ops.records.base_revision import Base, changes_since
from incident_ops.records.index import RecordIndex
from incident_ops.records.policy import POLICY, SERVICES
from incident_ops.records.store import INCIDENTS, KIND_OF_FOLDER, is_record, list_folder, load_some, other_folder
from incident_ops.render import findings
from incident_ops.rules import RULE_DOCS
from incident_ops.validation import ValidationReport, record_checker, validate_records


@click.command()
@click.argument("paths", nargs=-1)
@click.option("--base", metavar="REV", help="Also check what changed since this revision against what was merged.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help="Text for people, JSON for scripts, annotations for GitHub Actions, SARIF for code scanning.",
)
@click.option("--explain", metavar="RULE", help="Tell what a rule asks for, why, and how to mend it.")
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
    opened = workspace_of(ctx)
    report, merged = _some(opened, paths, base) if paths else _all(opened, base)
    click.echo(_shown(opened, report, merged, form), nl=False)
    code = int(report.errors > 0)
    if not paths and not opened.catalogue.count():
        code = _no_records(opened, merged) or code
    if form == "github" and code <= 1:  # else nothing may be concluded, least of all that all is fine
        _summarize(opened, report, merged)
    finish(code)


def _shown(opened: Workspace, report: ValidationReport, merged: Base | None, form: str) -> str:
    if form == "json":
        return findings.to_json(report.findings, report.files, report.silenced)
    if form == "sarif":
        from incident_ops.render.sarif import to_sarif

        return to_sarif(report.findings, report.silenced, _prefix(opened))
    if form == "github":
        from incident_ops.render.findings import commands

        told = findings.findings_line(report.findings, report.files, len(report.silenced))
        return f"{commands(report.findings, _prefix(opened), _touched(merged))}{told}\n"
    return findings.to_text(report.findings, report.files, paint, len(report.silenced))


def _summarize(opened: Workspace, report: ValidationReport, merged: Base | None) -> None:
    """The findings as the summary of a step of GitHub Actions, where there is one."""
    from incident_ops.adapters.environment import add_to_summary, summary_size
    from incident_ops.render.findings import MOST_SUMMARY_BYTES, findings_summary

    if (size := summary_size()) is None:
        return
    room, silenced = MOST_SUMMARY_BYTES - size, len(report.silenced)
    text = findings_summary(report.findings, report.files, silenced, _prefix(opened), _touched(merged), room)
    try:
        add_to_summary(text)
    except WriteFailed as error:  # the findings are told all the same, and they decide the exit code
        click.echo(f"warning: {findings.inert(str(error))}", err=True)


def _touched(merged: Base | None) -> Callable[[Finding], bool]:
    if merged is None:
        return lambda _one: False
    base_rules = {name for name, rule in RULE_DOCS.items() if rule.needs_base}
    return lambda one: one.rule in base_rules or merged.touches(one.where.file, one.where.line)


def _prefix(opened: Workspace) -> str:
    return opened.git.prefix if opened.git else ""


def _no_records(opened: Workspace, merged: Base | None) -> int:
    if merged is not None and merged.has_records:
        click.echo("error: there is no record here, but the base has some (were all deleted?)", err=True)
        return 3
    return no_records(opened)


def _wrapped(paragraph: str) -> str:
    """Prose at 80 columns; an example, which is indented, as it is."""
    return paragraph if "\n " in f"\n{paragraph}" else textwrap.fill(paragraph, 80, break_on_hyphens=False)


def _all(opened: Workspace, base: str | None) -> tuple[ValidationReport, Base | None]:
    settings = [name for name in (POLICY, SERVICES) if opened.store.read(name) is not None]
    merged = _base(opened, base, opened.catalogue) if base is not None else None
    report = validate_records(opened.store, opened.setting, opened.catalogue, opened.now, base=merged)
    return replace(report, files=report.files + len(settings)), merged


def _base(opened: Workspace, revision: str, catalogue: RecordIndex) -> Base:
    others = [path for path, _ in opened.store.others()]
    present = [name for name in (POLICY, SERVICES) if opened.store.read(name) is not None]
    return changes_since(opened.store, revision, [*catalogue.paths(), *others, *present])


def _some(opened: Workspace, paths: tuple[str, ...], base: str | None) -> tuple[ValidationReport, Base | None]:
    asked = [_inside(opened, path) for path in paths]
    records = [path for one in asked for path in _records_below(opened, one)]
    files = [path for path, _ in opened.store.others() if _below(path, asked)]
    settings = [name for name in (POLICY, SERVICES) if _below(name, asked)]
    if not records and not files and not settings:
        raise UserError(
            "no record is there", where=" ".join(paths), hint=f"records lie in {INCIDENTS}/<id>/incident.yaml"
        )
    catalogue = load_some(opened.store, record_checker(opened.setting, opened.now), records)
    # where policy or services are unusable nothing is judged by them, so that is told whatever was asked about
    kept = {*records, *files, *settings, *(one.where.file for one in opened.setting.findings)}
    merged = _base(opened, base, catalogue) if base is not None else None
    report = validate_records(opened.store, opened.setting, catalogue, opened.now, _among(kept), merged)
    return replace(report, files=report.files + len(settings)), merged


def _among(kept: set[str]) -> Callable[[str], bool]:
    return lambda path: path in kept


def _inside(opened: Workspace, path: str) -> str:
    """The path relative to the records' folder; a path from the current folder or from the records' folder will do."""
    root = opened.root.resolve()
    asked = [base / path for base in (Path.cwd(), root)]
    # a link is judged as what it is, so only the folder it lies in is resolved
    named = [os.path.relpath(one.parent.resolve() / one.name, root) for one in asked]
    inside = [one for one in named if one != ".." and not one.startswith("../")]
    if not inside:
        hint = f"the folder is {opened.root}; see --repo"
        raise UserError("this path is outside the records' folder", where=path, hint=hint)
    for one in inside:
        if opened.store.revision or os.path.lexists(root / one):
            return one
    hint = "check the path, or give none to check everything"
    raise UserError("there is no such file or folder", where=path, hint=hint)


def _below(path: str, asked: list[str]) -> bool:
    return any(one in (".", path) or path.startswith(f"{one}/") for one in asked)


def _records_below(opened: Workspace, asked: str) -> list[str]:
    if opened.store.revision and opened.git:
        return [blob.path for blob in opened.git.tree(opened.store.revision, (asked,)) if is_record(blob.path)]
    if is_record(asked) and not (opened.root / asked).is_dir():
        return [asked]
    if other_folder(asked) or asked in (POLICY, SERVICES, *KIND_OF_FOLDER):
        return []
    found = []
    for name in list_folder(opened.root, asked):
        path = name if asked == "." else f"{asked}/{name}"
        if is_record(path):
            found.append(path)
        elif path == INCIDENTS or path.startswith(f"{INCIDENTS}/"):
            found += _records_below(opened, path) if path.count("/") < 2 else []
    return found
