"""Records against schema and rules: all of them, those that are named, and what changed since a base."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

from incident_ops.adapters.environment import add_to_summary, summary_size
from incident_ops.app.workspace import Workspace, merged_commit
from incident_ops.domain.record import is_incident_id
from incident_ops.errors import IncidentOpsError, UserError
from incident_ops.findings import Finding
from incident_ops.records.base_revision import Base, changes_since
from incident_ops.records.index import RecordIndex
from incident_ops.records.policy import POLICY, SERVICES
from incident_ops.records.store import INCIDENTS, KIND_OF_FOLDER, is_record, list_folder, load_some
from incident_ops.render.findings import MOST_SUMMARY_BYTES, findings_summary
from incident_ops.rules import RULE_DOCS
from incident_ops.validation import ValidationReport, record_checker, validate_records

_MOST_RENDERED = 20
"""Of so many changed records the documents are compared: each has to be rendered for that."""
_NEED_BASE = frozenset(name for name, rule in RULE_DOCS.items() if rule.needs_base)


@dataclass(frozen=True)
class Validated:
    """What a validation found, and the base it was compared with (None without one)."""

    report: ValidationReport
    base: Base | None
    prefix: str
    """Where the records' folder lies in its git repository."""
    notes: tuple[str, ...] = ()
    """What could not be looked at, and documents that no longer say what their record does."""

    def is_new(self, finding: Finding) -> bool:
        """Whether it is on a line that was changed since the base."""
        if self.base is None:
            return False
        return finding.rule in _NEED_BASE or self.base.touches(finding.where.file, finding.where.line)


def validate_workspace(workspace: Workspace, paths: Sequence[str] = (), base: str | None = None) -> Validated:
    """Checks everything, or what is below `paths`. UserError for a path that holds no record, and for a bad base."""
    report, merged = _some(workspace, paths, base) if paths else _all(workspace, base)
    notes = (*_notes(workspace, merged), *_left_behind(workspace, merged)) if merged is not None else ()
    return Validated(report, merged, workspace.git.prefix if workspace.git else "", notes)


def has_lost_records(workspace: Workspace, validated: Validated) -> bool:
    """True where there is no record and the base has some: nothing was checked, so nothing passed."""
    return validated.base is not None and validated.base.has_records and not workspace.catalogue.count()


def _notes(workspace: Workspace, merged: Base) -> tuple[str, ...]:
    hint = workspace.git.shallow_hint() if workspace.git else ""
    if not hint or not any(True for _ in merged.added()):
        return ()
    return (f"whether an id was used before was not looked at: {hint}",)


def _left_behind(workspace: Workspace, merged: Base) -> Iterator[str]:
    """The documents beside records that were changed since the base, where they no longer say what the record does."""
    from incident_ops.app.documents_beside import documents_beside, outdated_documents  # only with a base

    for record in islice(merged.current.values(), _MOST_RENDERED):
        there = documents_beside(workspace.store.read, record.path)
        try:
            outdated = outdated_documents(workspace, record, there)
        except IncidentOpsError:  # what is wrong with the record or the policy is a finding
            continue
        if names := ", ".join(path.rpartition("/")[2] for path in (*outdated.texts, *outdated.edited)):
            incident = record.incident.id
            yield f"{incident}: no longer what its record says: {names}; `incident-ops render {incident}`"


def add_summary(validated: Validated) -> None:
    """The findings as the summary of a step of GitHub Actions, where there is one. WriteFailed as `add_to_summary`."""
    if (size := summary_size()) is None:
        return
    report, room = validated.report, MOST_SUMMARY_BYTES - size
    silenced = len(report.silenced)
    add_to_summary(findings_summary(report.findings, report.files, silenced, validated.prefix, validated.is_new, room))


def _all(workspace: Workspace, base: str | None) -> tuple[ValidationReport, Base | None]:
    settings = [name for name in (POLICY, SERVICES) if workspace.store.read(name) is not None]
    merged = _base(workspace, base, workspace.catalogue) if base is not None else None
    known = partial(merged_commit, workspace.git)
    report = validate_records(
        workspace.store, workspace.setting, workspace.catalogue, workspace.now, base=merged, merged=known
    )
    return replace(report, files=report.files + len(settings)), merged


def _base(workspace: Workspace, revision: str, catalogue: RecordIndex) -> Base:
    others = [path for path, _ in workspace.store.others()]
    present = [name for name in (POLICY, SERVICES) if workspace.store.read(name) is not None]
    return changes_since(workspace.store, revision, [*catalogue.paths(), *others, *present])


def _some(workspace: Workspace, paths: Sequence[str], base: str | None) -> tuple[ValidationReport, Base | None]:
    asked = [_inside(workspace, path) for path in paths]
    records = [path for folder in asked for path in _records_below(workspace, folder)]
    files = [path for path, _ in workspace.store.others() if _below(path, asked)]
    settings = [name for name in (POLICY, SERVICES) if _below(name, asked)]
    if not records and not files and not settings:
        raise UserError(
            "no record is there", where=" ".join(paths), hint=f"records lie in {INCIDENTS}/<id>/incident.yaml"
        )
    catalogue = load_some(workspace.store, record_checker(workspace.setting, workspace.now), records)
    # where policy or services are unusable nothing is judged by them, so that is shown whatever was asked about
    kept = {*records, *files, *settings, *(finding.where.file for finding in workspace.setting.findings)}
    merged = _base(workspace, base, catalogue) if base is not None else None
    known = partial(merged_commit, workspace.git)
    report = validate_records(workspace.store, workspace.setting, catalogue, workspace.now, _among(kept), merged, known)
    return replace(report, files=report.files + len(settings)), merged


def _among(kept: set[str]) -> Callable[[str], bool]:
    return lambda path: path in kept


def _inside(workspace: Workspace, path: str) -> str:
    """The path relative to the records' folder; a path from the current folder or from the records' folder will do."""
    root = workspace.root.resolve()
    asked = [base / path for base in (Path.cwd(), root)]
    # a link is judged as what it is, so only the folder it lies in is resolved
    named = [Path(os.path.relpath(full.parent.resolve() / full.name, root)).as_posix() for full in asked]
    inside = [relative for relative in named if relative != ".." and not relative.startswith("../")]
    if not inside:
        hint = f"the folder is {workspace.root}; see --repo"
        raise UserError("this path is outside the records' folder", where=path, hint=hint)
    for relative in inside:
        if workspace.store.revision or os.path.lexists(root / relative):
            return relative
    hint = "check the path, or give none to check everything"
    raise UserError("there is no such file or folder", where=path, hint=hint)


def _below(path: str, folders: list[str]) -> bool:
    return any(folder in (".", path) or path.startswith(f"{folder}/") for folder in folders)


def _records_below(workspace: Workspace, asked: str) -> list[str]:
    if workspace.store.revision and workspace.git:
        return [blob.path for blob in workspace.git.tree(workspace.store.revision, (asked,)) if is_record(blob.path)]
    if is_record(asked) and not (workspace.root / asked).is_dir():
        return [asked]
    if asked.split("/")[0] in KIND_OF_FOLDER or asked in (POLICY, SERVICES, *KIND_OF_FOLDER):
        return []
    records = []
    for name in list_folder(workspace.root, asked):
        path = name if asked == "." else f"{asked}/{name}"
        if is_record(path):
            records.append(path)
        elif (path == INCIDENTS or path.startswith(f"{INCIDENTS}/")) and not is_incident_id(asked.rpartition("/")[2]):
            records += _records_below(workspace, path)
    return records
