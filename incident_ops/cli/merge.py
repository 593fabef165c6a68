"""`incident-ops merge`: git's merge driver for incident records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from incident_ops.adapters.files import write_bytes
from incident_ops.adapters.git import merge_lines
from incident_ops.cli.options import finish
from incident_ops.records.merge import MARKER_SIZE, Merged, merge_records
from incident_ops.records.yaml_reader import MAX_BYTES
from incident_ops.render.findings import inert

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("base", type=_FILE)
@click.argument("ours", type=_FILE)
@click.argument("theirs", type=_FILE)
@click.argument("size", type=click.IntRange(min=1), default=MARKER_SIZE)
@click.argument("name", default="")
def merge(base: Path, ours: Path, theirs: Path, size: int, name: str) -> None:
    """Merge two versions of an incident record; git calls this by itself.

    What both sides appended to a timeline or another history stands in the
    order of its instants; what both changed differently gets git's conflict
    markers. The result is written to OURS. Exit code 0: merged; 1: conflicts
    are left in the file.

    `incident-ops init` sets it up; by hand, once in a clone, beside the line
    of .gitattributes:

    \b
    Examples:
      git config merge.incident-ops.driver "incident-ops merge %O %A %B %L %P"
      incident-ops merge base.yaml ours.yaml theirs.yaml
    """
    shown = inert(name or str(ours))
    versions = [path.read_bytes() for path in (base, ours, theirs)]
    why, merged = "", None
    try:
        merged = _as_records(versions, size)
    except Exception as error:  # ending here would leave only our side in the file, and nothing to see of theirs
        why = f" because incident-ops crashed ({type(error).__name__}: {error})"
    if merged is None:
        content, has_conflicts = merge_lines(base, ours, theirs, size)
        write_bytes(ours, content)
        told = [f"merged line by line, not as a record{why}: run `incident-ops validate` on the result"]
    else:
        write_bytes(ours, merged.text.encode())
        has_conflicts, told = bool(merged.conflicts), list(merged.conflicts)
    for line in told:
        click.echo(f"{shown}: {inert(line)}", err=True)
    if has_conflicts:
        click.echo(f"{shown}: settle the lines between {'<' * size} and {'>' * size}, then `git add` it", err=True)
    finish(int(has_conflicts))


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
