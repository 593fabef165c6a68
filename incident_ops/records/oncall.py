"""Reading oncall/*.yaml; what cannot be read is a value beside what can."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from incident_ops.domain.oncall import OnCallSchedule
from incident_ops.domain.record import Unread
from incident_ops.records.planned_changes import read_document
from incident_ops.records.store import Raw, Store
from incident_ops.records.yaml_reader import Document

ONCALL = "oncall"
"""The kind of these files, and the folder they lie in."""


class Schedules(NamedTuple):
    """Every schedule by name, and the files that cannot be read."""

    by_name: dict[str, OnCallSchedule]
    unread: tuple[Unread, ...]

    @property
    def names(self) -> frozenset[str]:
        """The name of every file, whether it can be read or not."""
        return frozenset((*self.by_name, *(one.path.rpartition("/")[2].rpartition(".")[0] for one in self.unread)))


class ReadSchedule(NamedTuple):
    """A schedule with the document that it was read from."""

    document: Document
    schedule: OnCallSchedule


def schedule_path(name: str) -> str:
    """Where the schedule of a name lies."""
    return f"{ONCALL}/{name}.yaml"


def load_schedules(store: Store) -> Schedules:
    """Every schedule of a store. A file that names another schedule than itself is one that cannot be read."""
    found: dict[str, OnCallSchedule] = {}
    unread = []
    for path, kind in store.others():
        if kind != ONCALL:
            continue
        document = read_document(store.read(path), path, ONCALL)
        if isinstance(document, Unread):
            unread.append(document)
        elif path != schedule_path((schedule := to_schedule(document)).name):
            unread.append(Unread(path, f"it is named {schedule.name!r}, and lies elsewhere"))
        else:
            found[schedule.name] = schedule
    return Schedules(found, tuple(unread))


def read_schedule(raw: Raw | None, path: str) -> ReadSchedule | None:
    """The schedule of a file that can be read; None where it cannot, or is not there."""
    document = None if raw is None else read_document(raw, path, ONCALL)
    return ReadSchedule(document, to_schedule(document)) if isinstance(document, Document) else None


def to_schedule(document: Document) -> OnCallSchedule:
    """A document that fits the schema as a value."""
    return msgspec.convert(document.data, OnCallSchedule)
