"""A live run of a canary: the gate is asked, the rollout is measured, the caller's commands are run.

The verdict is shown where GitHub shows it: a deployment's status, a workflow step's outputs and summary.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from incident_ops.adapters.environment import (
    Ticking,
    add_to_summary,
    artifacts_address,
    named_by_environment,
    set_outputs,
    summary_size,
)
from incident_ops.adapters.files import hold_alone, write_text
from incident_ops.adapters.processes import perform
from incident_ops.app.canary_gate import GateFile, demand_source, gate_of_service
from incident_ops.app.canary_held import GateOfRun, HeldBack
from incident_ops.app.canary_incident import FailedCanary, demand_declarable, record_failure
from incident_ops.app.canary_notices import CanaryNotices
from incident_ops.app.canary_request import CanaryRequest, RunProgress, demand_consistent
from incident_ops.app.canary_samples import Ended, LiveRun, Sampler, query_values
from incident_ops.app.canary_sources import connect_sources
from incident_ops.app.gate_check import GateRequest
from incident_ops.app.workspace import Workspace, remote_of
from incident_ops.canary.carry_on import carried_on, how_to_carry_on
from incident_ops.canary.config import FULL, Analysis, limited_by_policy, longest_run, with_values
from incident_ops.canary.pass_test import looks_left
from incident_ops.canary.replay import NOT_ROLLED_BACK, ROLLED_BACK, CanaryOutcome, outcome_of
from incident_ops.canary.run import (
    Owner,
    Run,
    run_from_json,
    run_to_json,
    stages,
    takes_all_traffic,
)
from incident_ops.canary.trace import RunFacts, RunTrace
from incident_ops.canary.verdict import COMMAND_FAILED, JoinedVerdict, accepted
from incident_ops.canary.watch import watch_analysis
from incident_ops.deploy_gate.verdict import FAIL, FROZEN, INCONCLUSIVE, OVERRIDDEN, OVERRIDE, PASS
from incident_ops.domain.notice_kinds import CANARY_FAILED, CANARY_STARTED, CANARY_WAITING
from incident_ops.domain.time import spell_duration, stamp
from incident_ops.edits.freeze import commit_id
from incident_ops.errors import IncidentOpsError, Incomplete, UserError
from incident_ops.render.canary import canary_notice, canary_summary, page_line, to_outputs, would_have_failed


def run_canary(workspace: Workspace, request: CanaryRequest, progress: RunProgress) -> CanaryOutcome:
    """Runs a canary to its verdict, or with `step_state` to the end of its step.

    UserError for whatever would keep it from ending well, before anything is rolled out. Where a command of the caller
    failed it is inconclusive: then nothing is known to be well.
    """
    gate = gate_of_service(workspace, request.file, request.service)
    return _Rollout(workspace, gate, request, progress).outcome()


class _CommandFailed(Incomplete):
    """A command of the caller could not be run, or failed."""


class _Rollout:
    """One run, from the question whether it may be deployed to the last command."""

    def __init__(self, workspace: Workspace, gate: GateFile, request: CanaryRequest, progress: RunProgress) -> None:
        """UserError for whatever would keep it from ending well: better now than with the canary out."""
        self._workspace, self._request, self._progress = workspace, request, progress
        demand_consistent(request, gate)
        policy, _ = workspace.judged_by
        self._analysis = limited_by_policy(gate.analysis, policy.gate.max_error_pct)
        self._sha = commit_id(request.sha) if request.sha else ""
        self._environment = (request.environment or policy.gate.environment) if request.service else ""
        demand_source(gate, policy)
        is_watched = request.watch or gate.analysis.watch
        self._watched = watch_analysis(gate.analysis, policy.gate.after_rollout_pct) if is_watched else None
        self._weight = stages(self._analysis)[0].weight
        if request.declare:
            demand_declarable(workspace, request.service, request.severity, self._weight, is_sent=request.send)
        values = query_values(self._analysis, request.values)
        self._analysis = with_values(self._analysis, values)
        self._sources = connect_sources(self._analysis, policy, values, request.commands, self._facts, progress.note)
        self._sampler = Sampler(self._sources, self._analysis, values)
        self._owner = Owner(request.service or "", self._environment, self._sha, self._analysis.name, gate.digest)
        self._ticking = Ticking()
        self._gate = GateOfRun(workspace, self._analysis.name, self._question, self._ticking)
        self._started = stamp(self._ticking.now())
        self._traces: list[RunTrace] = []
        self._seconds = 0.0
        self._longest = longest_run(self._analysis, self._watched, request.carry_on)
        whose = (self._analysis.name, request.service or "", self._environment, self._sha)
        self._notices = CanaryNotices(workspace, *whose, request.severity, self._analysis.dry_run, progress.note)

    def outcome(self) -> CanaryOutcome:
        """Runs it. UserError where another run has its state file."""
        path = self._state_file
        if path is None:
            return self._whole()
        with hold_alone(path.with_name(f".{path.name}.lock")) as is_ours:
            if not is_ours:
                hint = "wait until it has ended, or name another file"
                raise UserError("another run is using the state file", where=str(path), hint=hint)
            return self._whole()

    def _whole(self) -> CanaryOutcome:
        try:
            outcome = self._asked_and_measured()
        except _CommandFailed as error:
            notes = (f"error: {error}", f"The canary is still out{self._share}: roll it back.")
            known = (self._analysis.name, INCONCLUSIVE, COMMAND_FAILED)
            outcome = CanaryOutcome(*known, seconds=self._seconds, notes=notes)
        self._notify_of_end(outcome)
        return replace(outcome, traces=tuple(self._traces), facts=self._run_facts())

    def _run_facts(self) -> RunFacts:
        owner = self._owner
        return RunFacts(owner.service, owner.environment, owner.sha, named_by_environment() or "", self._started)

    def _notify_of_end(self, outcome: CanaryOutcome) -> None:
        """Nothing of a pass, of an end before anything was measured, or of a step that another one follows."""
        text = canary_notice(outcome)
        if outcome.verdict == FAIL or would_have_failed(outcome):
            self._notices.send(CANARY_FAILED, self._weight, text)
        elif outcome.verdict in (INCONCLUSIVE, FROZEN) and outcome.seconds is not None and outcome.next_weight is None:
            left = f"The canary is still out{self._share}. Roll it back, or continue with it."
            self._notices.send(CANARY_WAITING, self._weight, f"{text}\n{left}")

    def _notify_of_begin(self) -> None:
        takes = spell_duration(round(self._longest))
        share = f"{self._weight} % of the traffic first; it" if self._weight else "It"
        self._notices.send(CANARY_STARTED, self._weight, f"{share} may take {takes}.")

    def _asked_and_measured(self) -> CanaryOutcome:
        try:
            self._gate.must_be_free()
            with self._progress as progress:
                for note in self._sources.notes:
                    progress.note(note)
                try:
                    outcome = self._measured()
                except (KeyboardInterrupt, SystemExit):
                    progress.note(self._left_behind())
                    raise
        except HeldBack as stop:
            return self._gate.stopped(stop.outcome, self._weight, has_state=self._state_file is not None)
        if self._gate.is_overridden:
            if outcome.verdict == PASS:
                outcome = replace(outcome, verdict=OVERRIDDEN, reason_code=OVERRIDE)
            outcome = replace(outcome, notes=(*outcome.notes, *filter(None, [self._gate.released])))
        return self._concluded(outcome)

    def _left_behind(self) -> str:
        """What an end by a signal leaves: nobody rolls back but the caller."""
        again = "continues from the state file" if self._state_file else "begins anew"
        return f"ended by a signal: the canary is still out{self._share}; a re-run {again}"

    @property
    def _share(self) -> str:
        return f" at {self._weight} % of the traffic" if self._weight else ""

    def _question(self) -> GateRequest | None:
        """What the gate is asked; None where the run has no service."""
        request = self._request
        if request.service is None:
            return None
        lead = timedelta(seconds=max(self._longest - self._seconds, 0.0))
        return GateRequest(
            request.service,
            request.environment,
            request.sha,
            records=request.records,
            trusted=request.trusted,
            passed=request.passed,
            requests=request.requests,
            lead=lead,
        )

    def _measured(self) -> CanaryOutcome:
        run, live = self._resumed(), self._live(self._analysis)
        if run is None:
            run = live.begin(self._analysis, self._progress.note)
            self._notify_of_begin()
        ended = live.measure(self._analysis, run)
        joined = ended.joined if ended.next_weight is not None else accepted(self._analysis, ended.joined)
        outcome = outcome_of(self._analysis.name, joined, ended.run.at, live.trace.curves)
        outcome = replace(outcome, next_weight=self._next(ended, outcome), is_dry=self._analysis.dry_run)
        judged = outcome.verdict
        if self._is_let_through(outcome):
            self._gate.must_be_free()
            if not self._request.step_state:
                outcome = self._at_full(outcome)
        self._close(ended, judged if outcome.verdict == INCONCLUSIVE else outcome.verdict)
        return self._with_way_on(ended, outcome) if judged == INCONCLUSIVE else outcome

    def _with_way_on(self, ended: Ended, outcome: CanaryOutcome) -> CanaryOutcome:
        """Names how a person carries an inconclusive run on, where that can be."""
        if ended.next_weight is not None or self._state_file is None:
            return outcome
        further = how_to_carry_on(self._analysis, ended.run, outcome.needed.seconds if outcome.needed else None)
        return replace(outcome, notes=(*outcome.notes, *filter(None, [further])))

    def _is_let_through(self, outcome: CanaryOutcome) -> bool:
        """Whether all traffic may follow; a dry run that did not pass holds nothing, and moves nothing either."""
        return outcome.verdict == PASS or (outcome.verdict == OVERRIDDEN and not self._analysis.dry_run)

    def _at_full(self, outcome: CanaryOutcome) -> CanaryOutcome:
        """The rollout at full traffic, and watched there where that is asked for. An end that was only accepted stays
        that, however well the watch goes."""
        if takes_all_traffic(self._analysis):
            self._give(FULL)
        elif self._watched is not None:
            self._command("--on-pass", self._request.on_pass, outcome)
            self._weight = FULL
        watched = self._watched
        if watched is None:
            return outcome
        live = replace(self._live(watched), keep=_forget)
        ended = live.measure(watched, live.begin(watched, self._progress.note))
        after = outcome_of(outcome.gate, accepted(watched, ended.joined), outcome.seconds or 0.0, live.trace.curves)
        last = outcome if after.verdict == PASS else after
        return replace(
            after,
            verdict=last.verdict,
            reason_code=last.reason_code,
            metrics=(*outcome.metrics, *after.metrics),
            seconds=(outcome.seconds or 0.0) + ended.run.at,
            curves={**outcome.curves, **after.curves},
            is_dry=outcome.is_dry,
        )

    def _live(self, analysis: Analysis) -> LiveRun:
        self._traces.append(RunTrace())
        return LiveRun(
            self._ticking,
            self._sampler,
            self._step,
            self._keep,
            lambda run, joined: self._show(analysis, run, joined),
            one_step=bool(self._request.step_state),
            trace=self._traces[-1],
        )

    def _next(self, ended: Ended, outcome: CanaryOutcome) -> int | None:
        if ended.next_weight is not None:
            return ended.next_weight
        is_last = bool(self._request.step_state) and self._is_let_through(outcome)
        return FULL if is_last and takes_all_traffic(self._analysis) else None

    @property
    def _state_file(self) -> Path | None:
        named = self._request.state or self._request.step_state
        return Path(named) if named else None

    def _resumed(self) -> Run | None:
        path = self._state_file
        if path is None:
            return None
        seconds = self._request.carry_on
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            if seconds is None:
                return None
            hint = "the state file of the inconclusive run, from its job; without --continue a run begins anew"
            raise UserError(
                "there is no run to carry on: the state file is missing", where=str(path), hint=hint
            ) from None
        except OSError as error:
            raise UserError(f"the state file cannot be read: {error.strerror}", where=str(path)) from error
        run, self._started, has_ended = run_from_json(raw, self._analysis, self._owner, carries_on=seconds is not None)
        if seconds is None:
            return run
        if not has_ended:
            self._progress.note("the run of the state file had not ended: it continues to its own end")
            return run
        longer = carried_on(self._analysis, run, seconds)
        until = spell_duration(round(longer.horizon))
        left = looks_left(longer.look)
        again = f"it can be carried on {left} more time{'s' * (left > 1)}" if left else "this is the last time"
        self._progress.note(f"carried on until {until} of measured time; {again}")
        return longer

    def _keep(self, run: Run, verdict: str | None = None) -> None:
        watch = self._watched.horizon if self._watched else 0.0
        self._seconds, self._longest = run.at, max(self._longest, run.horizon + watch)
        if (path := self._state_file) is not None:
            write_text(path, run_to_json(self._analysis, run, self._owner, self._started, verdict))

    def _close(self, ended: Ended, verdict: str) -> None:
        """A watch without a verdict takes none back: the run itself is over."""
        if ended.next_weight is None:
            self._keep(ended.run, verdict)

    def _facts(self, outcome: CanaryOutcome | None = None) -> dict[str, str]:
        request = self._request
        return {
            "INCIDENT_OPS_GATE": self._analysis.name,
            "INCIDENT_OPS_SERVICE": request.service or "",
            "INCIDENT_OPS_ENVIRONMENT": self._environment,
            "INCIDENT_OPS_SHA": self._sha,
            "INCIDENT_OPS_WEIGHT": str(self._weight or ""),
            "INCIDENT_OPS_VERDICT": outcome.verdict if outcome else "",
            "INCIDENT_OPS_REASON_CODE": outcome.reason_code if outcome else "",
        }

    def _show(self, analysis: Analysis, run: Run, joined: JoinedVerdict) -> None:
        self._gate.note_tick(run, joined)
        self._progress.show(analysis, run, joined)

    def _step(self, weight: int) -> None:
        """Begins a step; before every one but the first, which was just asked about, the gate is asked again."""
        if self._gate.has_begun:
            self._gate.must_be_free()
        self._give(weight)

    def _give(self, weight: int) -> None:
        self._weight = weight
        self._command("--on-step", self._request.on_step, None)

    def _command(self, option: str, command: str | None, outcome: CanaryOutcome | None) -> None:
        if command is not None and not self._analysis.dry_run:
            with self._progress.paused():
                try:
                    perform(option, command, self._facts(outcome))
                except Incomplete as error:
                    raise _CommandFailed(error.message, hint=error.hint) from error

    def _concluded(self, outcome: CanaryOutcome) -> CanaryOutcome:
        """The caller's last command, and the incident; neither changes a fail into anything better."""
        promoted_already = self._watched is not None and not takes_all_traffic(self._analysis)
        if outcome.verdict in (PASS, OVERRIDDEN) and not promoted_already:
            self._command("--on-pass", self._request.on_pass, outcome)
        return outcome if outcome.verdict != FAIL else self._failed(outcome)

    def _failed(self, outcome: CanaryOutcome) -> CanaryOutcome:
        """The rollback at once, and only then the incident, which tells of it."""
        request, at = self._request, self._ticking.now()
        outcome, said = self._roll_back(outcome)
        if not request.declare or request.service is None or self._analysis.dry_run:
            return outcome
        now = self._ticking.now()
        failed = FailedCanary(outcome, request.service, self._sha, self._weight, at, said, now)
        return record_failure(replace(self._workspace, now=now), failed, request.severity, is_sent=request.send)

    def _roll_back(self, outcome: CanaryOutcome) -> tuple[CanaryOutcome, str]:
        """Runs the caller's rollback -> the outcome, and what became of the rollback in words."""
        if self._request.on_fail is None or self._analysis.dry_run:
            if not self._analysis.dry_run:
                left = "Roll back: no --on-fail was given, so nothing was rolled back here."
                outcome = replace(outcome, notes=(*outcome.notes, left))
            return outcome, f"No rollback was run: no --on-fail was given, and the canary is still out{self._share}"
        self._progress.announce(ROLLING_BACK)
        try:
            self._command("--on-fail", self._request.on_fail, outcome)
        except Incomplete as error:
            said = f"The rollback failed: {error.message}; the canary is still out"
            return replace(outcome, rollback=NOT_ROLLED_BACK, notes=(*outcome.notes, f"error: {said}")), said
        said = "Rolled back: the --on-fail command succeeded"
        return replace(outcome, rollback=ROLLED_BACK, notes=(*outcome.notes, said)), said


ROLLING_BACK = "Canary failed, rolling back"
"""The message of R239, said before the rollback is run."""


def _forget(_run: Run) -> None:
    """The watch keeps no state: a re-run begins it anew."""


DEPLOYMENT_STATES = {
    PASS: "success",
    FAIL: "failure",
    INCONCLUSIVE: "error",
    FROZEN: "error",
    OVERRIDDEN: "in_progress",
}
"""Only a pass is a success: a commit that has one is exempt from the gate later."""


def update_deployment(workspace: Workspace, number: int, service: str | None, outcome: CanaryOutcome) -> str | None:
    """Sets the status of deployment `number` -> why GitHub refused it, else None; the verdict stays what it is.

    With `service` a success is proof for the gate that this commit of it passed.
    """
    from incident_ops.adapters.github.deployments import Deployments, marked

    is_unfinished = outcome.next_weight is not None or (outcome.is_dry and outcome.verdict != PASS)
    state = "in_progress" if is_unfinished else DEPLOYMENT_STATES[outcome.verdict]
    remote = remote_of(workspace.git)
    try:
        deployments = Deployments.of(os.environ, remote.url if remote else None)
        text = f"canary {outcome.gate}: {outcome.verdict} ({outcome.reason_code})"
        deployments.tell(number, state, marked(service, text) if service else text)
    except IncidentOpsError as error:
        return str(error)
    return None


def write_outputs(verdict: str, reason_code: str, page: str | None = None) -> None:
    """Sets the outputs of a workflow's step while the run has no outcome; later ones replace them. Outside GitHub
    Actions it does nothing."""
    set_outputs({"verdict": verdict, "reason-code": reason_code, "page": page or ""})


def report_to_workflow(outcome: CanaryOutcome, page: str | None = None) -> bool:
    """Sets the outputs of a workflow's step and adds to its summary; False where the step has no summary.

    `page` is the file with the run's pictures, which the summary names with the place of the job's artifacts.
    """
    set_outputs({**to_outputs(outcome), "page": page or ""})
    if summary_size() is None:
        return False
    add_to_summary(canary_summary(outcome) + (page_line(page, artifacts_address()) if page else ""))
    return True
