"""`incident-ops validate`."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from incident_ops.cli.opening import Opened, no_records, open_repository
from incident_ops.cli.printing import finish, format_option, paint
from incident_ops.errors import UserError
from incident_ops.records.files import list_folder
from incident_ops.records.setting import POLICY, SERVICES
from incident_ops.records.store import FOLDERS, INCIDENTS, is_record, load_some, other_folder
from incident_ops.render import findings as shown
from incident_ops.validate import Report, examiner
from incident_ops.validate import validate as check_records


@click.command()
@click.argument("paths", nargs=-1)
@format_option
@click.option("--explain", metavar="RULE", help="Tell what a rule asks for, why, and how to mend it.")
@click.pass_context
def validate(ctx: click.Context, paths: tuple[str, ...], form: str, explain: str | None) -> None:
    """Check records against schema and rules; every finding has its file, line and column.

    Without PATHS: policy, services and every record. Errors end with exit code 1, warnings and notes with 0.

    \b
    Examples:
      incident-ops validate
      incident-ops validate incidents/INC-20250126-120500
      incident-ops validate --format json | jq .summary
      incident-ops validate --explain instant-zone
    """
    if explain is not None:
        from incident_ops.render.rule_docs import explain as told

        click.echo("\n\n".join(map(_wrapped, told(explain).rstrip().split("\n\n"))))
        return
    opened = open_repository(ctx.find_root().obj)
    report = _some(opened, paths) if paths else _all(opened)
    show = (
        shown.to_json(report.findings, report.files)
        if form == "json"
        else shown.to_text(report.findings, report.files, paint)
    )
    click.echo(show, nl=False)
    if not paths and not opened.catalogue.count():
        finish(no_records(opened) or int(report.errors > 0))
    finish(int(report.errors > 0))


def _wrapped(paragraph: str) -> str:
    """Prose at 80 columns; an example, which is indented, as it is."""
    return paragraph if "\n " in f"\n{paragraph}" else textwrap.fill(paragraph, 80, break_on_hyphens=False)


def _all(opened: Opened) -> Report:
    report = check_records(opened.store, opened.setting, opened.catalogue, opened.now)
    settings = [name for name in (POLICY, SERVICES) if opened.store.read(name) is not None]
    return replace(report, files=report.files + len(settings))


def _some(opened: Opened, paths: tuple[str, ...]) -> Report:
    asked = [_inside(opened, path) for path in paths]
    records = [path for one in asked for path in _records_below(opened, one)]
    files = [path for path, _ in opened.store.others() if _below(path, asked)]
    settings = [name for name in (POLICY, SERVICES) if _below(name, asked)]
    if not records and not files and not settings:
        raise UserError(
            "no record is there", where=" ".join(paths), hint=f"records lie in {INCIDENTS}/<id>/incident.yaml"
        )
    catalogue = load_some(opened.store, examiner(opened.setting, opened.now), records)
    # where policy or services are unusable nothing is judged by them, so that is told whatever was asked about
    kept = {*records, *files, *settings, *(one.where.file for one in opened.setting.findings)}
    report = check_records(opened.store, opened.setting, catalogue, opened.now, _among(kept))
    return replace(report, files=report.files + len(settings))


def _among(kept: set[str]) -> Callable[[str], bool]:
    return lambda path: path in kept


def _inside(opened: Opened, path: str) -> str:
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


def _records_below(opened: Opened, asked: str) -> list[str]:
    if opened.store.revision and opened.git:
        return [blob.path for blob in opened.git.tree(opened.store.revision, (asked,)) if is_record(blob.path)]
    if is_record(asked) and not (opened.root / asked).is_dir():
        return [asked]
    if other_folder(asked) or asked in (POLICY, SERVICES, *FOLDERS):
        return []
    found = []
    for name in list_folder(opened.root, asked):
        path = name if asked == "." else f"{asked}/{name}"
        if is_record(path):
            found.append(path)
        elif path == INCIDENTS or path.startswith(f"{INCIDENTS}/"):
            found += _records_below(opened, path) if path.count("/") < 2 else []
    return found
