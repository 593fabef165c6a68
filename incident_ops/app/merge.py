"""Two versions of an incident record merged in place, as git asks its merge driver to."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from incident_ops.adapters.files import write_bytes
from incident_ops.adapters.git import merge_lines
from incident_ops.errors import UserError
from incident_ops.records.merge import MARKER_SIZE, Merged, merge_records
from incident_ops.records.yaml_reader import MAX_BYTES


class MergedFile(NamedTuple):
    """Whether conflicts are left in the file, and lines for people: the conflicts, or why lines were merged."""

    has_conflicts: bool
    notes: tuple[str, ...]


def merge_files(base: Path, ours: Path, theirs: Path, size: int) -> MergedFile:
    """Writes the merged record to `ours`; conflict markers have `size` characters."""
    versions = [path.read_bytes() for path in (base, ours, theirs)]
    why, merged = "", None
    try:
        merged = _as_records(versions, size)
    except Exception as error:  # ending here would leave only our side in the file, and nothing to see of theirs
        why = f" because incident-ops crashed ({type(error).__name__}: {error})"
    if merged is None:
        content, has_conflicts = merge_lines(base, ours, theirs, size)
        write_bytes(ours, content)
        note = f"merged line by line, not as a record{why}: run `incident-ops validate` on the result"
        return MergedFile(has_conflicts, (note,))
    write_bytes(ours, merged.text.encode())
    return MergedFile(bool(merged.conflicts), tuple(merged.conflicts))


def joined_texts(path: str, base: bytes, ours: bytes, theirs: bytes, hint: str) -> bytes:
    """Two people's versions of a record and what they began with -> one record with what both did.

    UserError with `hint` where both changed the same value, or a version is not a record.
    """
    merged = _as_records([base, ours, theirs], MARKER_SIZE)
    if merged is None:
        raise UserError("what others did to this record cannot be joined with yours", hint=hint, where=path)
    if merged.conflicts:
        raise UserError(f"others changed the same: {'; '.join(merged.conflicts)}", hint=hint, where=path)
    return merged.text.encode()


def _as_records(versions: list[bytes], size: int) -> Merged | None:
    if max(map(len, versions)) > MAX_BYTES:
        return None
    try:
        base, ours, theirs = (raw.decode("utf-8") for raw in versions)
    except UnicodeDecodeError:
        return None
    return merge_records(base, ours, theirs, count_errors=_faults_of_history, size=size)


def _faults_of_history(data: Any) -> int:
    """How many moves of a record are not legal; a record that the schema refuses is not judged here."""
    import msgspec

    from incident_ops.domain.incident import Change
    from incident_ops.domain.lifecycle import FIXED, path_faults

    try:
        changes = msgspec.convert(data.get("changes") or [], list[Change])
    except msgspec.ValidationError:
        return 0
    return len(path_faults(changes, str(data.get("state")), str(data.get("outcome", FIXED))))
