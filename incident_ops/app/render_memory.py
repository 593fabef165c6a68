"""What each record's documents were made from, kept between runs: an unchanged incident costs a hash, not a rendering.

The kept file only saves time (docs/decisions/0003): without it, or with one that this program did not write, all is
rendered and the result is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import msgspec

from incident_ops.adapters.cache import Cache
from incident_ops.app.workspace import Workspace, leads_somewhere
from incident_ops.documents.incident_documents import incident_documents
from incident_ops.domain.record import Record

_ENCODER = msgspec.msgpack.Encoder(order="deterministic")


class Made(NamedTuple):
    """One rendering: the hash of record and policy, which places it asked for, and the hash of each document."""

    source: str
    asked: dict[str, bool]
    documents: dict[str, str]


class RenderMemory:
    """The renderings of a clone; `save` keeps them for the next run."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._stamp = workspace.in_force.fingerprint
        self._keep = Cache(workspace.state / "documents") if workspace.git else None
        self._known = _load(self._keep)
        self._there: Callable[[str], bool] = cache(partial(leads_somewhere, workspace))
        self._is_new = False

    def count_current(self, record: Record) -> int | None:
        """How many documents lie beside a record as they would be rendered; None where one has to be rendered."""
        made = self._known.get(record.path)
        if made is None or made.source != self._source(record):
            return None
        if any(self._there(place) != is_there for place, is_there in made.asked.items()):
            return None
        folder = (self._workspace.root / record.path).parent
        are_current = all(_digest_of_file(folder / name) == digest for name, digest in made.documents.items())
        return len(made.documents) if are_current else None

    def render(self, record: Record) -> Mapping[str, str]:
        """The documents of a record, name -> text, which are remembered."""
        asked: dict[str, bool] = {}

        def leads(place: str) -> bool:
            return asked.setdefault(place, self._there(place))

        policy, _ = self._workspace.judged_by
        documents = incident_documents(record.incident, policy, self._workspace.now, record.undated, leads)
        digests = {name: _digest(text.encode()) for name, text in documents.items()}
        self._known[record.path] = Made(self._source(record), asked, digests)
        self._is_new = True
        return documents

    def save(self) -> None:
        """Keeps what was rendered, if something was."""
        if self._is_new and self._keep is not None:
            self._keep.save(_ENCODER.encode(self._known))

    def _source(self, record: Record) -> str:
        return _digest(_ENCODER.encode((self._stamp, record.incident, record.undated)))


def _load(keep: Cache | None) -> dict[str, Made]:
    content = keep.load() if keep is not None else None
    if content is None:
        return {}
    try:
        return msgspec.msgpack.decode(content, type=dict[str, Made])
    except msgspec.DecodeError:  # of another version
        return {}


def _digest_of_file(file: Path) -> str | None:
    return _digest(file.read_bytes()) if file.is_file() else None


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()
