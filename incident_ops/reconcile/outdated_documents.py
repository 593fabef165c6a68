"""Documents that no longer say what their record does, as edits that a pull request proposes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from incident_ops.domain.record import Set
from incident_ops.reconcile.changes import DOCUMENTS, EDIT, PlannedChange

DOCUMENT = "document"
"""The kind of such a change."""


def document_change(incident: str, texts: Mapping[str, bytes]) -> PlannedChange:
    """The documents of an incident, by path as they should be, as one change: to people it is the same as long as
    they would read the same."""
    names = {path.rpartition("/")[2]: text for path, text in sorted(texts.items())}
    folder = next(iter(texts)).rpartition("/")[0]
    edits = tuple(Set((name,), sha256(text).hexdigest()) for name, text in names.items())
    why = f"{', '.join(names)} no longer {'says' if len(names) == 1 else 'say'} what the record does"
    return PlannedChange(EDIT, DOCUMENT, incident, None, why, path=folder, edits=edits, topic=DOCUMENTS)
