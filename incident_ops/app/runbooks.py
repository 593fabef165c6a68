"""Where the runbook of a service lies, which there are, what they lack, and the first text of a new one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from incident_ops.adapters.files import demand_no_link, write_text
from incident_ops.app.edit_record import check_services
from incident_ops.app.planned_changes import WrittenFile, committing
from incident_ops.app.workspace import Workspace, demand_work_tree, merged_commit
from incident_ops.edits.declare import runbook
from incident_ops.errors import UserError
from incident_ops.findings import Finding, did_you_mean
from incident_ops.runbooks.checks import check_runbook
from incident_ops.runbooks.reading import Runbook, read_runbook, unusable

FIRST_REVIEW = timedelta(days=180)
"""After how long a new runbook asks for its review."""
SUFFIX = ".md"
_VARIABLE = "{service}"


class FoundRunbook(NamedTuple):
    """A runbook, the service whose it is ("" where it is none's), and what should give pause before it is run."""

    runbook: Runbook
    service: str
    warning: str = ""


class MissingRunbook(NamedTuple):
    """Why there is no such runbook, where it would be looked for, and a line for each that there is."""

    message: str
    hint: str
    lines: tuple[str, ...]


class RunbookRow(NamedTuple):
    """A line of the list: a service ("" where the file is none's), the path of its runbook, which may be an address,
    and the runbook, None where it is not there or cannot be read."""

    service: str
    path: str
    runbook: Runbook | None


def find_runbook(workspace: Workspace, asked: str) -> FoundRunbook | MissingRunbook:
    """The runbook of a service, or the one at a path. UserError where the file is there and cannot be read.

    Other Markdown is none, such as a document beside a record, which nobody reviews for its commands.
    """
    services = workspace.judged_by[1]
    path = runbook_place(workspace, asked) if asked in services else _below_root(workspace, asked)
    is_one = asked in services or path in _paths(workspace)
    raw = workspace.store.read(path) if is_one and "://" not in path else None
    if raw is None:
        return _missing(workspace, asked, path)
    if isinstance(raw, Finding):
        raise UserError(raw.message, where=path, hint=raw.hint)
    service = asked if asked in services else _service_of(workspace, path)
    return FoundRunbook(read_runbook(raw, path), service, _unmerged(workspace, path, raw))


def runbook_place(workspace: Workspace, service: str) -> str:
    """Where the runbook of a service is to be: a path, or an address."""
    policy, services = workspace.judged_by
    return runbook(service, services, policy)


def list_runbooks(workspace: Workspace) -> list[RunbookRow]:
    """A row for each service, then one for each file of the folder that belongs to no service."""
    services = workspace.judged_by[1]
    places = {name: runbook_place(workspace, name) for name in services}
    others = sorted(set(_paths(workspace)) - set(places.values()))
    return [*(_row(workspace, *one) for one in places.items()), *(_row(workspace, "", path) for path in others)]


def lint_runbooks(workspace: Workspace, asked: str | None) -> tuple[list[Finding], int] | MissingRunbook:
    """(the findings about every runbook, or about one; the number of files)."""
    if asked is None:
        paths = _paths(workspace)
    else:
        found = find_runbook(workspace, asked)
        if isinstance(found, MissingRunbook):
            return found
        paths = [found.runbook.path]
    return [one for path in paths for one in _findings(workspace, path)], len(paths)


def new_runbook(workspace: Workspace, service: str, kind: str, place: str | None) -> WrittenFile:
    """Writes the first text of a runbook. UserError where one is there already, or its place is an address."""
    from incident_ops.render.runbook_starters import starter_text  # templates, which nothing else here needs

    demand_work_tree(workspace)
    check_services(workspace, [service])
    path = _below_root(workspace, place) if place else runbook_place(workspace, service)
    if "://" in path:
        raise UserError(f"the runbook of {service} is at {path}", hint=f"--output runbooks/{service}-{kind}{SUFFIX}")
    folder = _folder(workspace)
    if place and not (folder and path.startswith(f"{folder}/") and path.endswith(SUFFIX)):
        hint = f"--output {folder}/{service}-{kind}{SUFFIX}" if folder else "leave out --output"
        raise UserError(f"runbooks lie in {folder or 'the places that services name'}", where=path, hint=hint)
    if os.path.lexists(workspace.root / path):
        beside = f"{path.removesuffix(SUFFIX)}-{kind}{SUFFIX}"
        raise UserError("is there already", where=path, hint=f"to write another: --output {beside}")
    demand_no_link(workspace.root, path)
    owner = workspace.judged_by[1][service].owner
    write_text(workspace.root / path, starter_text(kind, service, owner, (workspace.now + FIRST_REVIEW).date()))
    done = f"{path}: a runbook of {service}, begun from {kind}"
    change = "put your own commands into it, then: incident-ops runbook lint " + path
    return WrittenFile(path, (done,), next_steps=(change, committing(workspace, path)))


def _findings(workspace: Workspace, path: str) -> list[Finding]:
    raw = workspace.store.read(path)
    if not isinstance(raw, bytes):
        return [unusable(path, *((raw.message, raw.hint) if raw else ("is not there any more", "run it again")))]
    return check_runbook(read_runbook(raw, path), workspace.now.date())


def _row(workspace: Workspace, service: str, path: str) -> RunbookRow:
    raw = None if "://" in path else workspace.store.read(path)
    return RunbookRow(service, path, read_runbook(raw, path) if isinstance(raw, bytes) else None)


def _paths(workspace: Workspace) -> list[str]:
    """Every runbook: the Markdown files of the policy's folder, and those that services name."""
    return list(dict.fromkeys(sorted(_each_path(workspace))))


def _each_path(workspace: Workspace) -> Iterator[str]:
    services = workspace.judged_by[1]
    if folder := _folder(workspace):
        below = workspace.store.paths_below(folder)
        yield from (path for path in below if path.endswith(SUFFIX) and not path.endswith(f"/README{SUFFIX}"))
    for name in services:
        place = runbook_place(workspace, name)
        if "://" not in place and isinstance(workspace.store.read(place), bytes):
            yield place


def _folder(workspace: Workspace) -> str:
    """The folder of the policy's runbooks; "" where they lie beside the records' folders."""
    return workspace.judged_by[0].documents.runbook_path.partition(_VARIABLE)[0].rpartition("/")[0]


def _service_of(workspace: Workspace, path: str) -> str:
    services = workspace.judged_by[1]
    return next((name for name in services if runbook_place(workspace, name) == path), "")


def _below_root(workspace: Workspace, place: str) -> str:
    """A path as it is typed in the current folder, else below the records' folder -> below the latter.

    UserError where it leads out of it.
    """
    found = Path(os.path.normpath(Path.cwd() / place))
    if not found.is_relative_to(workspace.root) or (not found.exists() and (workspace.root / place).exists()):
        found = Path(os.path.normpath(workspace.root / place))
    if not found.is_relative_to(workspace.root):
        raise UserError("is outside the records' folder", where=place, hint="only reviewed files are runbooks")
    return found.relative_to(workspace.root).as_posix()


def _missing(workspace: Workspace, asked: str, path: str) -> MissingRunbook:
    services = workspace.judged_by[1]
    there = _paths(workspace)
    lines = tuple(there) if there else ("there is none yet",)
    if asked not in services:
        known = did_you_mean(asked, [*services, *there])
        return MissingRunbook(f"{asked} is neither a service nor a runbook", known, lines)
    if "://" in path:
        return MissingRunbook(f"the runbook of {asked} is not in this repository: {path}", "read it there", lines)
    hint = f"write one: incident-ops runbook new {asked} --from rollback"
    return MissingRunbook(f"{asked} has no runbook: {path} is not there", hint, lines)


def _unmerged(workspace: Workspace, path: str, raw: bytes) -> str:
    """That a runbook is not what the default branch has; "" where it is, or nothing is known of that branch."""
    merged = merged_commit(workspace.git)
    if workspace.git is None or merged is None or workspace.git.read_path(merged, path) == raw:
        return ""
    return f"{path} is not what the default branch has: nobody may have reviewed it"
