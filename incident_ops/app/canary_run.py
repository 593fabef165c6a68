"""A live run of a canary: the gate is asked, the rollout is measured, the caller's commands are run.

A canary that failed is declared as an incident, with the verdict's table as the first entries of its timeline. The
verdict is shown where GitHub shows it: a deployment's status, a workflow step's outputs and summary.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol, Self

from incident_ops.adapters.environment import Ticking, add_to_summary, set_outputs, summary_size
from incident_ops.adapters.files import write_text
from incident_ops.adapters.metrics.connect import connect
from incident_ops.adapters.processes import perform
from incident_ops.app.canary_gate import GateFile, demand_source, gate_of_service
from incident_ops.app.canary_held import GateOfRun, HeldBack
from incident_ops.app.canary_samples import Ended, LiveRun, Sampler, query_values
from incident_ops.app.declare import declare_record
from incident_ops.app.edit_record import check_services, edit_record, who
from incident_ops.app.gate_check import GateRequest
from incident_ops.app.workspace import Workspace, demand_work_tree, remote_of
from incident_ops.canary.config import FILE_PROVIDER, FULL, Analysis, limited_by_policy, with_values
from incident_ops.canary.replay import CanaryOutcome, outcome_of
from incident_ops.canary.run import (
    Owner,
    Run,
    carried_on,
    run_from_json,
    run_to_json,
    stages,
    takes_all_traffic,
    watch_analysis,
)
from incident_ops.canary.verdict import JoinedVerdict, accepted
from incident_ops.deploy_gate.verdict import FAIL, FROZEN, INCONCLUSIVE, OVERRIDDEN, OVERRIDE, PASS
from incident_ops.domain.incident import Incident
from incident_ops.domain.ports import MetricSource
from incident_ops.domain.time import spell_duration, stamp
from incident_ops.domain.triage import triage_answers, worst_tier
from incident_ops.edits.communicate import TimelineEntry, add_entry
from incident_ops.edits.declare import NO_ANSWERS, Declaration
from incident_ops.edits.freeze import commit_id
from incident_ops.edits.step import Step
from incident_ops.errors import IncidentOpsError, Incomplete, UserError
from incident_ops.render.canary import canary_headline, canary_summary, progress, to_outputs


@dataclass(frozen=True)
class CanaryRequest:
    """A run as the options of `canary run` ask for it; see its help."""

    file: str
    service: str | None = None
    environment: str | None = None
    sha: str | None = None
    records: str | None = None
    passed: str | None = None
    requests: int | None = None
    values: tuple[str, ...] = ()
    state: str | None = None
    step_state: str | None = None
    watch: bool = False
    on_step: str | None = None
    on_pass: str | None = None
    on_fail: str | None = None
    declare: bool = False
    severity: str | None = None
    carry_on: float | None = None
    """Seconds more for a run that ended inconclusive."""


class RunProgress(Protocol):
    """Whoever is shown how a run goes, from the first tick to the last."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    def show(self, analysis: Analysis, run: Run, joined: JoinedVerdict, /) -> None:
        """The status of every metric after a tick."""

    def note(self, text: str, /) -> None:
        """A line for people."""

    def paused(self) -> AbstractContextManager[None]:
        """For as long as a command of the caller prints."""


def run_canary(workspace: Workspace, request: CanaryRequest, progress: RunProgress) -> CanaryOutcome:
    """Runs a canary to its verdict, or with `step_state` to the end of its step.

    UserError for whatever would keep it from ending well, before anything is rolled out. Incomplete where a command of
    the caller failed: then nothing is known to be well.
    """
    gate = gate_of_service(workspace, request.file, request.service)
    return _Rollout(workspace, gate, request, progress).outcome()


_LONGEST = 86400.0


def _demand_consistent(request: CanaryRequest, gate: GateFile) -> None:
    """UserError for options that do not go together, and for a gate that cannot be measured live."""
    if gate.analysis.provider.kind == FILE_PROVIDER:
        raise UserError("a file is not live", where=gate.path, hint="incident-ops canary replay X.csv -f GATE.yaml")
    if request.state and request.step_state:
        raise UserError("--state and --step-state are two ways", hint="a job for each step: --step-state alone")
    if (request.state or request.step_state) and not request.sha:
        hint = "--sha SHA: evidence of one version must not count for another"
        raise UserError("a state file belongs to one commit", hint=hint)
    if request.carry_on is not None:
        if not (request.state or request.step_state):
            raise UserError("--continue without --state", hint="--state FILE, the one that the inconclusive run wrote")
        if not gate.analysis.interval <= request.carry_on <= _LONGEST:
            raise UserError(
                "--continue is too short or too long", hint="at least one interval, a day at most, e.g. 10m"
            )
    for option in ("environment", "records", "passed", "requests"):
        if getattr(request, option) is not None and not request.service:
            raise UserError(f"--{option} without --service", hint="--service NAME")
    if request.severity and not request.declare:
        raise UserError("--severity without --declare", hint="add --declare, or leave it out")


class _Rollout:
    """One run, from the question whether it may be deployed to the last command."""

    def __init__(self, workspace: Workspace, gate: GateFile, request: CanaryRequest, progress: RunProgress) -> None:
        """UserError for whatever would keep it from ending well: better now than with the canary out."""
        self._workspace, self._request, self._progress = workspace, request, progress
        _demand_consistent(request, gate)
        policy, _ = workspace.judged_by
        self._analysis = limited_by_policy(gate.analysis, policy.gate.max_error_pct)
        self._sha = commit_id(request.sha) if request.sha else ""
        self._environment = (request.environment or policy.gate.environment) if request.service else ""
        demand_source(gate, policy)
        is_watched = request.watch or gate.analysis.watch
        self._watched = watch_analysis(gate.analysis, policy.gate.after_rollout_pct) if is_watched else None
        self._weight = stages(self._analysis)[0].weight
        if request.declare:
            demand_answers(workspace, request.service, request.severity, self._weight)
        source = self._connect()
        self._unproven = source.unproven
        values = query_values(self._analysis, request.values)
        self._analysis = with_values(self._analysis, values)
        self._sampler = Sampler(source, self._analysis, values)
        self._owner = Owner(request.service or "", self._environment, self._sha, self._analysis.name, gate.digest)
        self._ticking = Ticking()
        self._gate = GateOfRun(workspace, self._analysis.name, self._question, self._ticking)
        self._started = stamp(self._ticking.now())

    def _connect(self) -> MetricSource:
        provider = self._analysis.provider
        datasource = self._workspace.judged_by[0].datasources[provider.datasource]
        return connect(
            provider.datasource, datasource, os.environ, provider.timeout, provider.json_path, is_checked=True
        )

    def outcome(self) -> CanaryOutcome:
        """Runs it. Incomplete where a command of the caller failed: then nothing is known to be well."""
        try:
            self._gate.must_be_free()
            with self._progress as progress:
                if self._unproven:
                    progress.note(self._unproven)
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
            note = "a person lets this commit through what holds deploys"
            outcome = replace(outcome, notes=(*outcome.notes, note))
        return self._concluded(outcome)

    def _left_behind(self) -> str:
        """What an end by a signal leaves: nobody rolls back but the caller."""
        share = f" at {self._weight} % of the traffic" if self._weight else ""
        again = "goes on from the state file" if self._state_file else "begins anew"
        return f"ended by a signal: the canary is still out{share}; a re-run {again}"

    def _question(self) -> GateRequest | None:
        """What the gate is asked; None where the run has no service."""
        request = self._request
        if request.service is None:
            return None
        return GateRequest(
            request.service,
            request.environment,
            request.sha,
            records=request.records,
            passed=request.passed,
            requests=request.requests,
        )

    def _measured(self) -> CanaryOutcome:
        run = self._resumed()
        live = self._live(self._analysis)
        ended = live.measure(self._analysis, run or live.begin(self._analysis, self._progress.note))
        joined = ended.joined if ended.next_weight is not None else accepted(self._analysis, ended.joined)
        outcome = outcome_of(self._analysis.name, joined, ended.run.at, live.curves.whole)
        outcome = replace(outcome, next_weight=self._next(ended, outcome), is_dry=self._analysis.dry_run)
        if self._is_let_through(outcome):
            self._gate.must_be_free()
            if not self._request.step_state:
                outcome = self._at_full(outcome)
        self._close(ended, outcome)
        return self._with_way_on(ended, outcome)

    def _with_way_on(self, ended: Ended, outcome: CanaryOutcome) -> CanaryOutcome:
        """Names how a person carries an inconclusive run on, where that can be."""
        if outcome.verdict != INCONCLUSIVE or ended.next_weight is not None or self._state_file is None:
            return outcome
        try:
            carried_on(self._analysis, ended.run, 1.0)
        except UserError:
            return outcome
        further = "To measure on with this evidence, leave the canary out and run the same again with --continue 10m."
        return replace(outcome, notes=(*outcome.notes, further))

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
        after = outcome_of(outcome.gate, accepted(watched, ended.joined), outcome.seconds or 0.0, live.curves.whole)
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
        return LiveRun(
            self._ticking,
            self._sampler,
            self._step,
            self._keep,
            lambda run, joined: self._show(analysis, run, joined),
            one_step=bool(self._request.step_state),
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
            self._progress.note("the run of the state file had not ended: it goes on to its own end")
            return run
        longer = carried_on(self._analysis, run, seconds)
        until = spell_duration(round(longer.horizon))
        self._progress.note(f"carried on until {until} of measured time; this is look {longer.look} at a pass")
        return longer

    def _keep(self, run: Run, verdict: str | None = None) -> None:
        if (path := self._state_file) is not None:
            write_text(path, run_to_json(self._analysis, run, self._owner, self._started, verdict))

    def _close(self, ended: Ended, outcome: CanaryOutcome) -> None:
        if ended.next_weight is None:
            self._keep(ended.run, outcome.verdict)

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
                perform(option, command, self._facts(outcome))

    def _concluded(self, outcome: CanaryOutcome) -> CanaryOutcome:
        """The caller's last command, and the incident; neither changes a fail into anything better."""
        promoted_already = self._watched is not None and not takes_all_traffic(self._analysis)
        if outcome.verdict in (PASS, OVERRIDDEN) and not promoted_already:
            self._command("--on-pass", self._request.on_pass, outcome)
        if outcome.verdict != FAIL:
            return outcome
        notes = list(outcome.notes)
        try:
            self._command("--on-fail", self._request.on_fail, outcome)
        except Incomplete as error:
            notes.append(f"error: {error}; the canary is still out")
        ids = outcome.incident_ids
        if self._request.declare and self._request.service and not self._analysis.dry_run:
            workspace = replace(self._workspace, now=self._ticking.now())
            facts, severity = self._facts(outcome), self._request.severity
            incident = declare_failed(workspace, outcome, self._request.service, facts, severity)
            notes.append(f"declared as {incident}")
            ids = (*ids, incident)
        return replace(outcome, notes=tuple(notes), incident_ids=ids)


def _forget(_run: Run) -> None:
    """The watch keeps no state: a re-run begins it anew."""


def demand_answers(workspace: Workspace, service: str | None, severity: str | None, weight: int) -> None:
    """UserError where a failed canary could not be declared: better known before the rollout than after it."""
    policy, _ = workspace.judged_by
    if service is None:
        raise UserError("--declare needs the service that is hurt", hint="--service NAME")
    check_services(workspace, [service])
    demand_work_tree(workspace)
    if severity is not None and severity not in policy.labels:
        raise UserError(f"--severity {severity!r} is not in the policy", hint=", ".join(policy.labels))
    if severity is None and not weight:
        raise UserError("how bad is a failed canary? The gate names no steps", hint="--severity LABEL")


def declare_failed(
    workspace: Workspace, outcome: CanaryOutcome, service: str, facts: Mapping[str, str], severity: str | None
) -> str:
    """Declares the incident -> its id. Without a label the share of the traffic answers the triage question."""
    weight = float(facts.get("INCIDENT_OPS_WEIGHT") or 0)
    by_priority = workspace.judged_by[0].drives == "priority"
    declaration = Declaration(
        title=f"Canary of {service} failed",
        services=(service,),
        severity=None if by_priority else severity,
        priority=severity if by_priority else None,
        description=canary_headline(outcome),
        source="alert",
        detail=outcome.gate,
        answers=NO_ANSWERS if severity else triage_answers({"users_percent": weight}),
        tier=worst_tier((service,), workspace.judged_by[1]),
        by_machine=True,
    )
    by = who(workspace, None)
    incident_id = declare_record(workspace, declaration, by).record.incident.id
    rows = [canary_headline(outcome), *(f"{status.verdict}: {progress(status)}" for status in outcome.metrics)]
    sha = facts.get("INCIDENT_OPS_SHA") or None
    for row in rows:
        entry = TimelineEntry(event=row, kind="detection", ref=sha)
        edit_record(workspace, incident_id, partial(_add, workspace, by, entry))
    return incident_id


def _add(workspace: Workspace, by: str | None, entry: TimelineEntry, incident: Incident) -> Step:
    return add_entry(incident, workspace.now, by, entry)


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


def write_outputs(verdict: str, reason_code: str) -> None:
    """Sets the outputs of a workflow's step while the run has no outcome; later ones replace them. Outside GitHub
    Actions it does nothing."""
    set_outputs({"verdict": verdict, "reason-code": reason_code})


def report_to_workflow(outcome: CanaryOutcome) -> bool:
    """Sets the outputs of a workflow's step and adds to its summary; False where the step has no summary."""
    set_outputs(to_outputs(outcome))
    if summary_size() is None:
        return False
    add_to_summary(canary_summary(outcome))
    return True
