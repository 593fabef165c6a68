"""A runbook carried out at a terminal: step by step, each asked for, each in the timeline of its incident.

Commands of a file run with the rights of whoever says yes to them, so nothing but a person at a terminal does.
"""

from __future__ import annotations

import os
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple, Protocol

from incident_ops.adapters.environment import Ticking, in_actions
from incident_ops.adapters.files import hold_alone, write_bytes
from incident_ops.adapters.metrics.command import without_secrets
from incident_ops.app.edit_record import edit_record, find_record, read_for_edit, who
from incident_ops.app.runbooks import FoundRunbook
from incident_ops.app.workspace import Workspace, at_present, caught_up, demand_work_tree
from incident_ops.domain.incident import Incident
from incident_ops.domain.record import Record
from incident_ops.domain.time import stamp
from incident_ops.edits.communicate import add_entry
from incident_ops.edits.step import Step
from incident_ops.errors import IncidentOpsError, UserError
from incident_ops.runbooks.output import kept_action, kept_output, plain_lines
from incident_ops.runbooks.progress import (
    BEGUN,
    DONE,
    FAILED,
    INTERRUPTED,
    NO_INCIDENT,
    SKIPPED,
    RunbookProgress,
    StepOutcome,
    entry_of,
    from_step,
    is_recorded,
    new_progress,
    next_step,
    progress_bytes,
    progress_name,
    progress_of,
)
from incident_ops.runbooks.reading import CodeBlock, Runbook, RunbookStep

GO, SKIP, STOP = "go", "skip", "stop"
"""What a person answers at a step: run it, or it is done by hand; leave it out; end here."""
_SHELL = {"bash": ("bash", "-e", "-o", "pipefail", "-c")}
_PLAIN_SHELL = ("/bin/sh", "-e", "-c")


class RunbookTalk(Protocol):
    """Whoever sits at the terminal."""

    def ask(self, step: RunbookStep, before: StepOutcome | None, /) -> str:
        """Shows a step, and what became of it before, where it is not finished -> GO, SKIP or STOP."""

    def show(self, piece: bytes, /) -> None:
        """What a command prints, as it comes."""

    def ended(self, step: RunbookStep, outcome: StepOutcome, /) -> None:
        """What became of a step."""

    def unrecorded(self, step: RunbookStep, outcome: StepOutcome, /, *, is_kept: bool) -> None:
        """The timeline has not got it; `is_kept`: the next run writes it first. The error follows."""


class RunbookRun(NamedTuple):
    """How a run ended: the step that was not finished, None where all were, and what became of it, None where the
    person stopped there."""

    step: RunbookStep | None
    outcome: StepOutcome | None


def incidents_on(workspace: Workspace, service: str) -> list[Record]:
    """The incidents on a service that are worked on."""
    live = (record for record in workspace.catalogue.live() if not record.incident.is_closed)
    return [one for one in live if service in one.incident.services and one.incident.state != "resolved"]


def progress_so_far(workspace: Workspace, runbook: Runbook, incident: str | None) -> RunbookProgress:
    """How far a run of this runbook is, for an incident by its id, or for none."""
    name = incident or NO_INCIDENT
    with suppress(OSError):
        if kept := progress_of(_state_file(workspace, runbook, name).read_bytes(), runbook, name):
            return kept
    return new_progress(runbook, name)


def demand_executable(workspace: Workspace, runbook: Runbook, begin_at: int | None) -> None:
    """UserError where this runbook must not be executed here, or there is not such a step."""
    if in_actions():
        hint = "run it at a terminal; what a workflow executes belongs in the workflow"
        raise UserError("a runbook is never executed inside GitHub Actions", hint=hint)
    if find_spec("termios") is None:
        hint = "without --execute it says what would be run"
        raise UserError("a command gets a terminal of its own, which this system does not have", hint=hint)
    demand_work_tree(workspace)
    if workspace.is_at_given:
        raise UserError("a runbook is executed now", hint="leave out --at")
    if runbook.problems:
        first = runbook.problems[0]
        raise UserError(first.message, where=str(first.where), hint=first.hint)
    if begin_at is not None and begin_at > len(runbook.steps):
        raise UserError(f"there is no step {begin_at}", where=runbook.path, hint=f"it has {len(runbook.steps)}")


def execute_runbook(
    workspace: Workspace,
    found: FoundRunbook,
    incident: str | None,
    by: str | None,
    talk: RunbookTalk,
    begin_at: int | None = None,
) -> RunbookRun:
    """Goes through the steps behind the last finished one, or from `begin_at` on; `incident` by any name, or None.

    UserError as `demand_executable`, and where another run is going on; Incomplete where a shell is missing.
    """
    demand_executable(workspace, found.runbook, begin_at)
    known = None if incident is None else read_for_edit(workspace, find_record(workspace, incident)).record.incident.id
    lock = _state_file(workspace, found.runbook, known or NO_INCIDENT).with_suffix(".lock")
    with hold_alone(lock) as is_ours:
        if not is_ours:
            raise UserError(f"{found.runbook.path} is being executed in another window", hint="go on there")
        return _Execution(workspace, found.runbook, known, by, talk).whole(begin_at)


class _Execution:
    """One run, from the first step that is left to the last."""

    def __init__(
        self, workspace: Workspace, runbook: Runbook, incident: str | None, by: str | None, talk: RunbookTalk
    ) -> None:
        self._workspace, self._runbook, self._incident, self._talk = workspace, runbook, incident, talk
        self._by = who(workspace, by)
        self._progress = progress_so_far(workspace, runbook, incident)
        self._ticking = Ticking()

    def whole(self, begin_at: int | None) -> RunbookRun:
        """Carries it out."""
        self._record_waiting()
        if begin_at is not None:
            self._keep(from_step(self._progress, begin_at))
        while (step := next_step(self._runbook, self._progress.steps)) is not None:
            answer = self._talk.ask(step, self._progress.steps.get(step.number))
            if answer == STOP:
                return RunbookRun(step, None)
            outcome = self._carried_out(step) if answer == GO else self._outcome(SKIPPED, None, SKIPPED)
            self._settle(step, outcome)
            if not outcome.is_finished:
                return RunbookRun(step, outcome)
        if self._incident is None:  # the next one is another occasion
            _state_file(self._workspace, self._runbook, NO_INCIDENT).unlink(missing_ok=True)
        return RunbookRun(None, None)

    def _carried_out(self, step: RunbookStep) -> StepOutcome:
        if not step.commands:
            return self._outcome(DONE, None, "done by hand")
        self._keep(self._progress.with_step(step.number, self._outcome(BEGUN, None, None)))
        printed: list[str] = []
        for block in step.commands:
            code, lines, was_interrupted = self._run(block)
            printed += lines
            if code or was_interrupted:
                break
        word = INTERRUPTED if was_interrupted else FAILED if code else DONE
        how = "ended by Ctrl-C" if was_interrupted else f"signal {-code}" if code < 0 else f"exit code {code}"
        said = kept_output([without_secrets(line, os.environ) for line in printed])
        return self._outcome(word, without_secrets(kept_action(step), os.environ), f"{word}, {how}", said)

    def _run(self, block: CodeBlock) -> tuple[int, list[str], bool]:
        from incident_ops.adapters.terminal_process import run_on_terminal  # what only some systems have

        ran = run_on_terminal((*_SHELL.get(block.language, _PLAIN_SHELL), block.text), self._talk.show)
        return ran.code, plain_lines(ran.output), ran.was_interrupted

    def _outcome(self, word: str, action: str | None, result: str | None, printed: str = "") -> StepOutcome:
        said = f"{result}: {printed}" if printed else result
        return StepOutcome(word, stamp(self._ticking.now()), action, said)

    def _settle(self, step: RunbookStep, outcome: StepOutcome) -> None:
        """Keeps an outcome, says it, and writes it into the timeline: what was done is said whatever fails then."""
        try:
            self._keep(self._progress.with_step(step.number, outcome))
        except IncidentOpsError:
            self._talk.ended(step, outcome)
            self._talk.unrecorded(step, outcome, is_kept=False)
            raise
        self._talk.ended(step, outcome)
        self._record_waiting()

    def _record_waiting(self) -> None:
        """Writes what is known and not in the timeline yet, such as what a kill has left."""
        for number in self._progress.waiting():
            step, outcome = self._runbook.steps[number - 1], self._progress.steps[number]
            try:
                if self._incident is not None:
                    self._write(self._incident, step, outcome)
            except IncidentOpsError:
                self._talk.unrecorded(step, outcome, is_kept=True)
                raise
            done = StepOutcome(outcome.outcome, outcome.at, outcome.action, outcome.result, recorded=True)
            self._keep(self._progress.with_step(number, done))

    def _write(self, incident: str, step: RunbookStep, outcome: StepOutcome) -> None:
        entry = entry_of(self._runbook, step, outcome)
        now = caught_up(at_present(self._workspace, self._ticking.now()))

        def recorded(current: Incident) -> Step:
            return Step((), ()) if is_recorded(current, entry) else add_entry(current, now.now, self._by, entry)

        edit_record(now, incident, recorded)

    def _keep(self, progress: RunbookProgress) -> None:
        self._progress = progress
        write_bytes(_state_file(self._workspace, self._runbook, progress.incident), progress_bytes(progress), 0o600)


def _state_file(workspace: Workspace, runbook: Runbook, incident: str) -> Path:
    return workspace.state / "runbooks" / progress_name(runbook, incident)
