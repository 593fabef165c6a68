"""A snapshot as a document: what `--save-observed` writes and `--observed` reads."""

from __future__ import annotations

import json

import msgspec

from incident_ops.errors import UserError
from incident_ops.model.observed import Snapshot

SCHEMA = 1


def save(snapshot: Snapshot) -> str:
    """Snapshot -> JSON text ending in a newline; the same snapshot gives the same bytes."""
    data = msgspec.to_builtins(snapshot, str_keys=True)
    return json.dumps({"schema": SCHEMA, **data}, indent=1, ensure_ascii=False) + "\n"


def load(text: str, where: str = "") -> Snapshot:
    """JSON text -> Snapshot. UserError, with `where` (a path), for anything that `save` did not write."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refused(f"this is no JSON: {error}", where) from error
    if not isinstance(data, dict) or "schema" not in data:
        raise _refused("this is no observed tracker: it has no `schema`", where)
    if data["schema"] != SCHEMA or isinstance(data["schema"], bool):
        raise _refused(f"the observed tracker has schema {data['schema']!r}, expected {SCHEMA}", where)
    try:
        snapshot = msgspec.convert(data, Snapshot, str_keys=True)
    except msgspec.ValidationError as error:
        raise _refused(f"this is no observed tracker: {error}", where) from error
    if len({issue.number for issue in snapshot.issues}) != len(snapshot.issues):
        raise _refused("the observed tracker has one issue twice", where)
    return snapshot


def _refused(message: str, where: str) -> UserError:
    return UserError(message, where=where, hint="write a new one with `incident-ops plan --save-observed FILE`")
