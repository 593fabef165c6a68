"""`incident-ops merge`: git's merge driver for incident records."""

from __future__ import annotations

from pathlib import Path

import click

from incident_ops.app.merge import merge_files
from incident_ops.cli.options import finish
from incident_ops.records.merge import MARKER_SIZE
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
    merged = merge_files(base, ours, theirs, size)
    for note in merged.notes:
        click.echo(f"{shown}: {inert(note)}", err=True)
    if merged.has_conflicts:
        click.echo(f"{shown}: settle the lines between {'<' * size} and {'>' * size}, then `git add` it", err=True)
    finish(int(merged.has_conflicts))
