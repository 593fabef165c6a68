"""How far a run of a runbook is, as it is kept between runs, and what each step leaves in the timeline.

A step is kept as begun before its command starts, with its outcome as soon as that is known, and as recorded once the
timeline has it: whatever ends the run in between, the next one knows what is left, and writes nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from incident_ops.domain.incident import Incident
from incident_ops.edits.communicate import TimelineEntry
from incident_ops.runbooks.reading import Runbook, RunbookStep

BEGUN, DONE, SKIPPED, FAILED, INTERRUPTED = "begun", "done", "skipped", "failed", "interrupted"
RUNBOOK = "runbook"
"""The kind of a step's entry in the timeline."""
NO_INCIDENT = "no-incident"


class StepOutcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of a step, BEGUN until it is known; `at` an instant as text; `action` and `result` as the record
    says them; `recorded`: the timeline has it."""

    outcome: str
    at: str
    action: str | None = None
    result: str | None = None
    recorded: bool = False

    @property
    def is_finished(self) -> bool:
        """Whether a later run goes on behind it."""
        return self.outcome in (DONE, SKIPPED)


class RunbookProgress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run of the runbook of that digest, for an incident or NO_INCIDENT; outcomes by the number of the step."""

    path: str
    digest: str
    incident: str
    steps: dict[int, StepOutcome] = {}

    def with_step(self, number: int, outcome: StepOutcome) -> RunbookProgress:
        """The same with an outcome in place of the one before."""
        return msgspec.structs.replace(self, steps={**self.steps, number: outcome})

    def waiting(self) -> list[int]:
        """The steps whose outcome is known and not in the timeline yet, in order."""
        return [one for one, step in sorted(self.steps.items()) if step.outcome != BEGUN and not step.recorded]


def new_progress(runbook: Runbook, incident: str) -> RunbookProgress:
    """A run that has not begun."""
    return RunbookProgress(runbook.path, runbook.digest, incident)


def progress_of(raw: bytes, runbook: Runbook, incident: str) -> RunbookProgress | None:
    """What was kept of a run; None where it is of another runbook, or cannot be read."""
    try:
        kept = msgspec.json.decode(raw, type=RunbookProgress)
    except msgspec.DecodeError:
        return None
    return kept if (kept.digest, kept.path, kept.incident) == (runbook.digest, runbook.path, incident) else None


def progress_bytes(progress: RunbookProgress) -> bytes:
    """A run as it is kept."""
    return msgspec.json.encode(progress)


def progress_name(runbook: Runbook, incident: str) -> str:
    """The name under which a run is kept: by incident, runbook, and what the runbook says."""
    stem = runbook.path.rpartition("/")[2].removesuffix(".md")
    return f"{incident}-{stem}-{runbook.digest[:12]}.json"


def next_step(runbook: Runbook, steps: Mapping[int, StepOutcome]) -> RunbookStep | None:
    """The first step behind the last finished one; None where there is none."""
    last = max((number for number, step in steps.items() if step.is_finished), default=0)
    return next((step for step in runbook.steps if step.number > last), None)


def from_step(progress: RunbookProgress, number: int) -> RunbookProgress:
    """The same run set to begin at a step, whatever was done from there on."""
    kept = {one: step for one, step in progress.steps.items() if one < number}
    before = kept.get(number - 1)
    if number > 1 and (before is None or not before.is_finished):
        kept[number - 1] = StepOutcome(SKIPPED, "", recorded=True)
    return msgspec.structs.replace(progress, steps=kept)


def entry_of(runbook: Runbook, step: RunbookStep, outcome: StepOutcome) -> TimelineEntry:
    """What the timeline says of a step."""
    event = f"Runbook {runbook.path}, step {step.number} of {len(runbook.steps)}: {step.title}"
    return TimelineEntry(event[:_MOST_EVENT], RUNBOOK, outcome.action, outcome.result, at=outcome.at)


def is_recorded(incident: Incident, entry: TimelineEntry) -> bool:
    """Whether the timeline has this entry already."""
    wanted = (RUNBOOK, entry.at, entry.event, entry.result)
    return any((one.kind, one.at, one.event, one.result) == wanted for one in incident.timeline)


_MOST_EVENT = 500
