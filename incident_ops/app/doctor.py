"""Whether everything is set up as it has to be. Each check stands alone: one that fails hides no other."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from incident_ops.adapters.git_branches import LedgerRef
from incident_ops.adapters.github.settings import (
    GitHubSettings,
    RepositorySettings,
    Ruleset,
    SecretsSeen,
    TokenRefused,
    Unreadable,
)
from incident_ops.adapters.github.workflows import GitHubWorkflows
from incident_ops.adapters.heartbeat import HEARTBEAT
from incident_ops.adapters.notifiers import variable
from incident_ops.adapters.notifiers.slack import TOKEN_VARIABLE
from incident_ops.adapters.statuspage import TOKEN_VARIABLE as PAGE_KEY
from incident_ops.app import doctor_release, doctor_runs, doctor_settings
from incident_ops.app.alarm_clock import outlook_by_records, wants_tick
from incident_ops.app.doctor_runs import Expected
from incident_ops.app.doctor_settings import FREE_REFS, OUR_REFS, RulesSeen
from incident_ops.app.github_setup import needed_variables
from incident_ops.app.notify import LEDGER_SECONDS
from incident_ops.app.run_cost import CountedCost, count_cost, git_top, read_workflows
from incident_ops.app.workspace import Workspace, need_remote, remote_of
from incident_ops.domain.notification import INCIDENT_CHANNEL
from incident_ops.domain.time import instant
from incident_ops.errors import IncidentOpsError
from incident_ops.notifications.unset_channels import named_channels
from incident_ops.reconcile.desired import palette
from incident_ops.render.github_steps import ENVIRONMENT
from incident_ops.render.set_up import SetUpCheck, SetUpState

Found = SetUpCheck | Iterable[SetUpCheck]


class Examined(NamedTuple):
    """What was looked at in a repository; `is_cut`: GitHub or the remote did not answer all that it was asked."""

    repository: str
    checks: tuple[SetUpCheck, ...]
    is_cut: bool

    @property
    def exit_code(self) -> int:
        """1 where something is wrong, 4 where an answer is missing, else 0."""
        return 1 if any(one.state is SetUpState.ERROR for one in self.checks) else 4 if self.is_cut else 0


def examine(workspace: Workspace) -> Examined:
    """Looks at the repository, here and on GitHub. UserError without a token or a repository on GitHub."""
    remote = remote_of(workspace.git)
    settings = GitHubSettings.of(os.environ, remote.url if remote else None)
    doctor = _Doctor(workspace, settings, GitHubWorkflows.of(os.environ, remote.url if remote else None))
    doctor.look()
    return Examined(doctor.name, tuple(doctor.found), doctor.is_cut)


class _Doctor:
    def __init__(self, workspace: Workspace, settings: GitHubSettings, workflows: GitHubWorkflows) -> None:
        self._workspace, self._settings, self._workflows = workspace, settings, workflows
        self.found: list[SetUpCheck] = []
        self.is_cut = False
        self.name = settings.asked

    def look(self) -> None:
        """Everything; of GitHub nothing more where it refuses the token."""
        self._check("pins", lambda: doctor_release.pin_check(git_top(self._workspace)))
        self._check("laid-files", lambda: doctor_runs.drift_checks(git_top(self._workspace)))
        seen = self._repository()
        if isinstance(seen, RepositorySettings):
            self._settings_of(seen)
            self._runs_of()
            if not _in_job():
                branch = seen.default_branch
                self._check("environment", lambda: doctor_settings.environment_check(self.name, branch, self._secrets))
            self._check("attestation", lambda: doctor_release.attestation_checks(git_top(self._workspace), os.environ))
        may_ask = isinstance(seen, RepositorySettings)
        self._check("heartbeat", lambda: self._heartbeat(may_ask))
        self._check("channels", lambda: self._channels(may_ask))
        if self._workspace.judged_by[0].publish.to is not None:
            self._check("status-page", lambda: self._status_page(may_ask))
        readers = seen.readers if isinstance(seen, RepositorySettings) else ""
        self._check("cost", lambda: doctor_runs.cost_check(self._cost, readers))

    def _check(self, name: str, work: Callable[[], Found]) -> None:
        try:
            found = work()
            self.found += [found] if isinstance(found, SetUpCheck) else list(found)
        except IncidentOpsError as error:
            self.is_cut = True
            self.found.append(SetUpCheck(name, SetUpState.UNKNOWN, error.message, error.hint))

    def _repository(self) -> RepositorySettings | TokenRefused | None:
        seen: list[RepositorySettings | TokenRefused] = []

        def ask() -> SetUpCheck:
            seen.append(self._settings.repository())
            ends = self._settings.token_ends
            return doctor_settings.token_check(self.name, seen[0], ends, self._workspace.now)

        self._check("token", ask)
        if not seen:
            return None
        if isinstance(seen[0], RepositorySettings):
            asked, self.name = self.name, seen[0].full_name or self.name
            self.found += doctor_settings.repository_checks(asked, seen[0], self._workspace.now)
        return seen[0]

    def _settings_of(self, seen: RepositorySettings) -> None:
        name, settings = self.name, self._settings
        self._check("visibility", lambda: self._visibility(seen))
        self._check("actions", lambda: doctor_settings.actions_check(name, settings.actions()))
        self._check("pull-requests", lambda: doctor_settings.job_rights_checks(name, settings.job_rights()))
        self._check("rules", lambda: self._rules(seen.default_branch))
        if seen.has_issues:
            self._check("labels", self._labels)

    def _visibility(self, seen: RepositorySettings) -> SetUpCheck:
        entries = self._workspace.catalogue.entries() if seen.readers == "public" else []
        kept = Counter(record.incident.visibility for _, _, record in entries if record is not None)
        private = self._workspace.judged_by[0].access.private
        return doctor_settings.visibility_check(seen, says_private=private, kept=kept)

    def _rules(self, branch: str) -> Iterator[SetUpCheck]:
        found = {}
        for one in (branch, *OUR_REFS, *FREE_REFS):
            rules = self._settings.rules(one)
            if isinstance(rules, Unreadable):
                yield doctor_settings.unreadable("rules", rules)
                return
            found[one] = rules
        numbers = {rule.ruleset_id for rules in found.values() for rule in rules if rule.ruleset_id is not None}
        asked = {number: self._settings.ruleset(number) for number in sorted(numbers)}
        seen = RulesSeen(branch, found, {number: one for number, one in asked.items() if isinstance(one, Ruleset)})
        yield from doctor_settings.default_branch_checks(self.name, seen)
        yield doctor_settings.history_check(self.name, seen)
        yield doctor_settings.our_branches_check(self.name, seen)

    def _labels(self) -> SetUpCheck:
        policy = self._workspace.judged_by[0]
        labels, known = policy.tracker.labels, palette(policy, ())
        kinds = (labels.incident, labels.ticket, labels.action_item, labels.overdue, labels.escalated)
        wanted = [known[name.casefold()] for name in kinds]
        return doctor_settings.label_check(self.name, self._settings.labels(), wanted)

    def _runs_of(self) -> None:
        files, _ = read_workflows(git_top(self._workspace))
        ours = [one for one in files if one.file in doctor_runs.OURS]

        def look() -> Iterator[SetUpCheck]:
            states = self._workflows.states()
            runs = {one.file: self._workflows.runs(one.file) for one in ours if states.get(one.file)}
            for one in doctor_runs.seen_workflows(files, states, runs):
                yield from doctor_runs.workflow_checks(self.name, one, self._workspace.now, self._expected())

        self._check("workflows", look)

    def _expected(self) -> Expected | None:
        """What the records ask of the tick and the alarm clock; None where they cannot be read."""
        try:
            outlook = outlook_by_records(self._workspace)
        except IncidentOpsError:
            return None
        return Expected(ticks=wants_tick(outlook), watches=bool(outlook.watched))

    def _heartbeat(self, may_ask: bool) -> Iterator[SetUpCheck]:
        ledger = LedgerRef(need_remote(self._workspace.git, LEDGER_SECONDS)).known()
        complete: datetime | None = instant(ledger.reports.complete)
        given = self._given(may_ask)
        monitor = None if given is None or isinstance(given, Unreadable) else HEARTBEAT in given
        yield from doctor_runs.heartbeat_checks(complete, self._workspace.now, has_monitor=monitor)

    def _status_page(self, may_ask: bool) -> SetUpCheck:
        given = self._given(may_ask)
        has_key = None if given is None or isinstance(given, Unreadable) else PAGE_KEY in given
        return doctor_runs.status_page_check(self.name, has_key=has_key)

    def _channels(self, may_ask: bool) -> SetUpCheck:
        needed = [one for one in needed_variables(self._workspace, *self._workspace.judged_by) if one != HEARTBEAT]
        files = self._workspace.in_force
        channels = named_channels(files.policy.own, files.services.teams)
        named = {TOKEN_VARIABLE if one == INCIDENT_CHANNEL else variable(one) for one in channels}
        given = self._given(may_ask) if needed else None
        return doctor_settings.channels_check(self.name, needed, given, named, in_job=_in_job())

    def _given(self, may_ask: bool) -> frozenset[str] | Unreadable | None:
        """The names of what jobs are given: a job knows by itself, elsewhere GitHub does, where it may be asked."""
        if _in_job():
            return frozenset(name for name, value in os.environ.items() if value.strip())
        if not may_ask:
            return None
        return self._secrets if isinstance(self._secrets, Unreadable) else self._secrets.names

    @cached_property
    def _secrets(self) -> SecretsSeen | Unreadable:
        return self._settings.secrets(ENVIRONMENT)

    @cached_property
    def _cost(self) -> CountedCost:
        return count_cost(self._workspace)


def _in_job(environment: Mapping[str, str] = os.environ) -> bool:
    return environment.get("GITHUB_ACTIONS") == "true"
