"""Reading freezes/*.yaml and maintenance/*.yaml; what cannot be read is a value beside what can."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import msgspec

from incident_ops.domain.planned_changes import Freeze, Maintenance
from incident_ops.domain.ports import Repository
from incident_ops.domain.record import Unread
from incident_ops.records.file_findings import line_and_message
from incident_ops.records.history import last_document
from incident_ops.records.schema import check_document
from incident_ops.records.store import Raw, Store
from incident_ops.records.yaml_reader import Document, read_bytes

FREEZE, MAINTENANCE = "freeze", "maintenance"
FOLDER = "freezes"

_Kind = TypeVar("_Kind", Freeze, Maintenance)


class Plans(NamedTuple):
    """Everything planned, by path, and the files that cannot be read, each with its kind."""

    freezes: dict[str, Freeze]
    maintenance: dict[str, Maintenance]
    unread: tuple[tuple[Unread, str], ...]


def freeze_path(name: str) -> str:
    """Where the freeze of a name lies."""
    return f"{FOLDER}/{name}.yaml"


def load_plans(store: Store) -> Plans:
    """Every freeze and maintenance window of a store."""
    freezes: dict[str, Freeze] = {}
    maintenance: dict[str, Maintenance] = {}
    unread = []
    for path, kind in store.others():
        if kind not in (FREEZE, MAINTENANCE):
            continue
        document = read_document(store.read(path), path, kind)
        if isinstance(document, Unread):
            unread.append((document, kind))
        elif isinstance(plan := to_plan(document, kind), Freeze):
            freezes[path] = plan
        else:
            maintenance[path] = plan
    return Plans(freezes, maintenance, tuple(unread))


def to_plan(document: Document, kind: str) -> Freeze | Maintenance:
    """A document that fits the schema of its kind as a value."""
    return msgspec.convert(document.data, Freeze) if kind == FREEZE else msgspec.convert(document.data, Maintenance)


def last_plan(git: Repository | None, path: str, kind: type[_Kind]) -> _Kind | None:
    """What a plan was in the newest commit in which it can be read, or None where there is none."""
    document = last_document(git, path, FREEZE if kind is Freeze else MAINTENANCE)
    return None if document is None else msgspec.convert(document.data, kind)


def read_document(raw: Raw | None, path: str, kind: str) -> Document | Unread:
    """A document of a kind, or why there is none, in one line."""
    if not isinstance(raw, bytes):
        return Unread(path, "it no longer exists" if raw is None else raw.message)
    document = read_bytes(raw, path)
    findings = document if isinstance(document, list) else check_document(document, kind)
    return Unread(path, line_and_message(findings[0])) if isinstance(document, list) or findings else document
