"""How a live run is watched: a table that changes on a terminal, a line now and then in a log."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from incident_ops.canary.config import Analysis
from incident_ops.canary.run import Run, stage_of
from incident_ops.canary.verdict import JoinedVerdict
from incident_ops.domain.time import spell_duration
from incident_ops.render.canary import progress
from incident_ops.render.findings import inert

if TYPE_CHECKING:
    from rich.live import Live as Table


EVERY = 15.0
"""Seconds of the run between two lines in a log."""


class Progress:
    """Shows on the error stream how a run goes."""

    def __init__(self) -> None:
        self._last = -EVERY
        self._table: Table | None = None

    def __enter__(self) -> Progress:
        if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
            self._table = _begin_table()
        return self

    def __exit__(self, *error: object) -> None:
        if self._table is not None:
            self._table.transient = error[0] is None  # of a run that is broken off, the last figures stay
            self._table.stop()
            self._table = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Takes the table away while a command of the caller prints to the same terminal.

        It does not come back where the command fails: the run is then over.
        """
        if self._table is None:
            yield
            return
        self._table.stop()
        self._table = None
        yield
        self._table = _begin_table()

    def show(self, analysis: Analysis, run: Run, joined: JoinedVerdict) -> None:
        """The status of every metric."""
        weight = stage_of(analysis, run).weight
        share = f", {weight} %" if weight else ""
        head = f"{spell_duration(int(run.at))} of {spell_duration(int(run.horizon))}{share}"
        lines = [progress(metric) for metric in joined.metrics]
        if self._table is not None:
            from rich.text import Text

            self._table.update(Text("\n".join([head, *(f"  {line}" for line in lines)])), refresh=True)
        elif run.at - self._last >= EVERY or joined.is_final:
            self._last = run.at
            for line in lines:
                click.echo(f"{head}: {inert(line)}", err=True)

    def note(self, text: str) -> None:
        """A line that stays."""
        line = f"note: {inert(text)}"
        if self._table is not None:
            self._table.console.print(line, markup=False, highlight=False)
        else:
            click.echo(line, err=True)


def _begin_table() -> Table:
    """A new one each time: one that was stopped would be drawn over the lines that follow it."""
    from rich.console import Console
    from rich.live import Live as Table

    table = Table(console=Console(stderr=True), auto_refresh=False, transient=True)
    table.start()
    return table
