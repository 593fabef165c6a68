"""`incident-ops canary run`: the freeze is asked, the rollout is measured, the caller's commands are run."""

from __future__ import annotations

import io
import json
import os
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from incident_ops.adapters.environment import Ticking
from incident_ops.adapters.files import write_text
from incident_ops.adapters.metrics.connect import connect
from incident_ops.adapters.processes import perform
from incident_ops.app.canary_outcome import declare_failed, demand_answers
from incident_ops.app.canary_samples import Ended, GateFile, Live, Sampler, arguments, demand_source
from incident_ops.app.workspace import Workspace
from incident_ops.canary.config import FILE_PROVIDER, FULL, Analysis
from incident_ops.canary.replay import CanaryOutcome, outcome_of
from incident_ops.canary.run import Run, goes_full, stages, watch_analysis
from incident_ops.canary.run_state import Owner, run_from_json, run_to_json
from incident_ops.canary.verdict import accepted
from incident_ops.cli.canary_progress import Progress
from incident_ops.deploy_gate.verdict import FAIL, OVERRIDDEN, OVERRIDE, PASS
from incident_ops.domain.time import stamp
from incident_ops.edits.freeze import commit_id
from incident_ops.errors import Incomplete, UserError


@dataclass(frozen=True)
class RunOptions:
    """The options of a run; see its help."""

    service: str | None
    environment: str | None
    sha: str | None
    records: str | None
    passed: str | None
    values: tuple[str, ...]
    state: str | None
    step_state: str | None
    watch: bool
    on_step: str | None
    on_pass: str | None
    on_fail: str | None
    declare: bool
    severity: str | None


class Rollout:
    """One run of `canary run`, from the freeze to the last command."""

    def __init__(self, ctx: click.Context, opened: Workspace, gate: GateFile, said: RunOptions) -> None:
        """UserError for whatever would keep it from ending well: better now than with the canary out."""
        self._ctx, self._opened, self._gate, self._said = ctx, opened, gate, said
        self._analysis = gate.analysis
        if self._analysis.provider.kind == FILE_PROVIDER:
            raise UserError("a file is not live", where=gate.path, hint="incident-ops canary replay X.csv -f GATE.yaml")
        if said.state and said.step_state:
            raise UserError("--state and --step-state are two ways", hint="a job for each step: --step-state alone")
        if (said.state or said.step_state) and not said.sha:
            hint = "--sha SHA: evidence of one version must not count for another"
            raise UserError("a state file belongs to one commit", hint=hint)
        for option in ("environment", "records", "passed"):
            if getattr(said, option) and not said.service:
                raise UserError(f"--{option} without --service", hint="--service NAME")
        if said.severity and not said.declare:
            raise UserError("--severity without --declare", hint="add --declare, or leave it out")
        self._sha = commit_id(said.sha) if said.sha else ""
        self._environment = (said.environment or opened.judged_by[0].gate.environment) if said.service else ""
        demand_source(gate, opened.judged_by[0])
        self._watched = watch_analysis(self._analysis) if said.watch or self._analysis.watch else None
        self._weight = stages(self._analysis)[0].weight
        if said.declare:
            demand_answers(opened, said.service, said.severity, self._weight)
        name = self._analysis.provider.datasource
        source = connect(
            name,
            opened.judged_by[0].datasources[name],
            os.environ,
            self._analysis.provider.timeout,
            self._analysis.provider.json_path,
        )
        self._unproven = source.unproven
        self._sampler = Sampler(source, self._analysis, arguments(self._analysis, said.values))
        self._owner = Owner(said.service or "", self._environment, self._sha, self._analysis.name, gate.digest)
        self._ticking = Ticking()
        self._progress = Progress()
        self._started = stamp(self._ticking.now())

    def outcome(self) -> CanaryOutcome:
        """Runs it. Incomplete where a command of the caller failed: then nothing is known to be well."""
        notes: tuple[str, ...] = ()
        if self._said.service is not None:
            held = self._ask_freeze()
            if held.verdict not in (PASS, OVERRIDDEN):
                return held
            notes = ("a person lets this commit through what holds deploys",) if held.verdict == OVERRIDDEN else ()
        with self._progress as progress:
            if self._unproven:
                progress.note(self._unproven)
            try:
                outcome = self._measured(progress)
            except (KeyboardInterrupt, SystemExit):
                progress.note(self._left_behind())
                raise
        if notes and outcome.verdict == PASS:
            outcome = replace(outcome, verdict=OVERRIDDEN, reason_code=OVERRIDE)
        return self._concluded(replace(outcome, notes=(*outcome.notes, *notes)))

    def _left_behind(self) -> str:
        """What an end by a signal leaves: nobody rolls back but the caller."""
        share = f" at {self._weight} % of the traffic" if self._weight else ""
        again = "goes on from the state file" if self._state_file else "begins anew"
        return f"ended by a signal: the canary is still out{share}; a re-run {again}"

    def _ask_freeze(self) -> CanaryOutcome:
        """What `gate check` says, in its own words."""
        from incident_ops.cli.gate import check_command

        said, told = self._said, io.StringIO()
        asked = {"service": said.service, "environment": said.environment, "sha": said.sha}
        with redirect_stdout(told), suppress(click.exceptions.Exit):  # the code is in the verdict, too
            self._ctx.invoke(check_command, **asked, records=said.records, passed=said.passed, form="json")
        data: dict[str, Any] = json.loads(told.getvalue())
        return CanaryOutcome(
            self._analysis.name,
            data["verdict"],
            data["reason_code"],
            incident_ids=tuple(data["incident_ids"]),
            notes=tuple(data.get("notes", ())),
        )

    def _measured(self, progress: Progress) -> CanaryOutcome:
        run = self._resumed()
        live = self._live(progress, self._analysis)
        ended = live.measure(self._analysis, run or live.begin(self._analysis, progress.note))
        joined = ended.joined if ended.next_weight is not None else accepted(self._analysis, ended.joined)
        outcome = outcome_of(self._analysis.name, joined, ended.run.at, live.curves.whole)
        outcome = replace(outcome, next_weight=self._next(ended, outcome), is_dry=self._analysis.dry_run)
        if self._is_let_through(outcome) and not self._said.step_state:
            outcome = self._at_full(progress, outcome)
        self._close(ended, outcome)
        return outcome

    def _is_let_through(self, outcome: CanaryOutcome) -> bool:
        """Whether all traffic may follow; a dry run that did not pass holds nothing, and moves nothing either."""
        return outcome.verdict == PASS or (outcome.verdict == OVERRIDDEN and not self._analysis.dry_run)

    def _at_full(self, progress: Progress, outcome: CanaryOutcome) -> CanaryOutcome:
        """The rollout at full traffic, and watched there where that is asked for. An end that was only accepted stays
        that, however well the watch goes."""
        if goes_full(self._analysis):
            self._step(FULL)
        elif self._watched is not None:
            self._command("--on-pass", self._said.on_pass, outcome)
            self._weight = FULL
        watched = self._watched
        if watched is None:
            return outcome
        live = replace(self._live(progress, watched), keep=_forget)
        ended = live.measure(watched, live.begin(watched, progress.note))
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

    def _live(self, progress: Progress, analysis: Analysis) -> Live:
        return Live(
            self._ticking,
            self._sampler,
            self._step,
            self._keep,
            lambda run, joined: progress.tell(analysis, run, joined),
            one_step=bool(self._said.step_state),
        )

    def _next(self, ended: Ended, outcome: CanaryOutcome) -> int | None:
        if ended.next_weight is not None:
            return ended.next_weight
        is_last = bool(self._said.step_state) and self._is_let_through(outcome)
        return FULL if is_last and goes_full(self._analysis) else None

    @property
    def _state_file(self) -> Path | None:
        named = self._said.state or self._said.step_state
        return Path(named) if named else None

    def _resumed(self) -> Run | None:
        path = self._state_file
        if path is None:
            return None
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UserError(f"the state file cannot be read: {error.strerror}", where=str(path)) from error
        run, self._started = run_from_json(raw, self._analysis, self._owner)
        return run

    def _keep(self, run: Run, verdict: str | None = None) -> None:
        if (path := self._state_file) is not None:
            write_text(path, run_to_json(self._analysis, run, self._owner, self._started, verdict))

    def _close(self, ended: Ended, outcome: CanaryOutcome) -> None:
        if ended.next_weight is None:
            self._keep(ended.run, outcome.verdict)

    def _facts(self, outcome: CanaryOutcome | None = None) -> dict[str, str]:
        said = self._said
        return {
            "INCIDENT_OPS_GATE": self._analysis.name,
            "INCIDENT_OPS_SERVICE": said.service or "",
            "INCIDENT_OPS_ENVIRONMENT": self._environment,
            "INCIDENT_OPS_SHA": self._sha,
            "INCIDENT_OPS_WEIGHT": str(self._weight or ""),
            "INCIDENT_OPS_VERDICT": outcome.verdict if outcome else "",
            "INCIDENT_OPS_REASON_CODE": outcome.reason_code if outcome else "",
        }

    def _step(self, weight: int) -> None:
        self._weight = weight
        self._command("--on-step", self._said.on_step, None)

    def _command(self, option: str, command: str | None, outcome: CanaryOutcome | None) -> None:
        if command is not None and not self._analysis.dry_run:
            with self._progress.paused():
                perform(option, command, self._facts(outcome))

    def _concluded(self, outcome: CanaryOutcome) -> CanaryOutcome:
        """The caller's last command, and the incident; neither changes a fail into anything better."""
        promoted_already = self._watched is not None and not goes_full(self._analysis)
        if outcome.verdict in (PASS, OVERRIDDEN) and not promoted_already:
            self._command("--on-pass", self._said.on_pass, outcome)
        if outcome.verdict != FAIL:
            return outcome
        notes = list(outcome.notes)
        try:
            self._command("--on-fail", self._said.on_fail, outcome)
        except Incomplete as error:
            notes.append(f"error: {error}; the canary is still out")
        ids = outcome.incident_ids
        if self._said.declare and self._said.service and not self._analysis.dry_run:
            opened = replace(self._opened, now=self._ticking.now())
            found = declare_failed(opened, outcome, self._said.service, self._facts(outcome), self._said.severity)
            notes.append(f"declared as {found}")
            ids = (*ids, found)
        return replace(outcome, notes=tuple(notes), incident_ids=ids)


def _forget(_run: Run) -> None:
    """The watch keeps no state: a re-run begins it anew."""
