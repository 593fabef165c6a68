"""What `sla check` looks at: the records alone, or with them what a tracker shows, asked now or read from a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from incident_ops.adapters.files import write_text
from incident_ops.cli.opening import Opened, local_tracker, served
from incident_ops.cli.owing import live_ones, owed_by, recent, seen_in, tracking
from incident_ops.cli.tracking import connect, observed, observed_in, records_for, source_of
from incident_ops.errors import UserError
from incident_ops.model.observed import GITHUB, Snapshot
from incident_ops.ports import IssueTracker
from incident_ops.reconcile.desired import desired
from incident_ops.reconcile.saved import save
from incident_ops.records.recall import every_record
from incident_ops.sla.obligations import Owed, obligations


def sighting(opened: Opened, options: Mapping[str, Any]) -> tuple[Opened, Owed]:
    """(the records that were looked at, what is owed of them). `options`: tracker, observed, save_observed.

    Without any of them the records of the work tree decide alone. Raises as `tracking.look`.
    """
    tracker, file, keep = options["tracker"], options["observed"], options["save_observed"]
    policy = opened.judged_by[0]
    if tracker is None and file is None and keep is None:
        return opened, served(opened, lambda: obligations(live_ones(opened), policy, opened.now))
    if file is not None and keep is not None:
        raise UserError("--observed and --save-observed together say nothing new", hint="leave one of them out")
    kept = observed_in(file) if file is not None else None
    source = tracker or (kept.source if kept else source_of(None))
    if kept is not None and kept.source != source:
        hint = f"use --tracker {kept.source}"
        raise UserError(f"it tells of a {kept.source} tracker, not of a {source} one", where=file, hint=hint)
    opened = records_for(opened, source)
    return opened, served(opened, lambda: _with_tracker(opened, source, kept, keep))


def _with_tracker(opened: Opened, source: str, kept: Snapshot | None, keep: str | None) -> Owed:
    policy = opened.judged_by[0]
    records = list(every_record(opened.store, opened.catalogue))
    wanted = desired(records, policy, {})
    matter = [record for record in recent(opened, records) if record.incident.id not in wanted.clashes]
    snapshot = kept
    if snapshot is None:
        tracker: IssueTracker = connect(opened, None, show=False) if source == GITHUB else local_tracker(opened)
        snapshot = observed(opened, tracker, wanted, matter, None)
    if keep is not None:
        write_text(Path(keep), save(snapshot))
    return owed_by(matter, policy, opened.now, seen_in(snapshot, tracking(wanted, snapshot)), snapshot.noticed)
