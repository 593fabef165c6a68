"""A drill: an incident of the worst rank is declared, acknowledged and resolved, and each step says whether it arrived.

Its record lies in a folder of its own that is removed at the end: nothing is merged, nothing changes on GitHub.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from incident_ops.adapters import clock
from incident_ops.adapters.files import LedgerFile
from incident_ops.adapters.notifiers.issue_comment import TICKET
from incident_ops.app.declare import declare_record
from incident_ops.app.due import due_notices, due_obligations, ledger_lines, plan_notices
from incident_ops.app.edit_record import edit_record
from incident_ops.app.notify import notifiers
from incident_ops.app.workspace import Workspace
from incident_ops.domain.incident import Incident
from incident_ops.domain.notification import INCIDENT_CHANNEL
from incident_ops.domain.record import Record, World
from incident_ops.edits.declare import Declaration
from incident_ops.edits.finish import ResolutionFacts, resolve_incident
from incident_ops.edits.respond import acknowledge
from incident_ops.edits.step import Step
from incident_ops.errors import IncidentOpsError, UserError
from incident_ops.findings import did_you_mean
from incident_ops.notifications.deliver import SENT_NOW, Delivered, deliver, delivery_exit_code
from incident_ops.records.policy import POLICY, SERVICES
from incident_ops.records.store import Store
from incident_ops.sla.activity import NOTHING_SEEN

PAGED, ACKNOWLEDGED, RESOLVED = "paged", "acknowledged", "resolved"
TITLE = "Drill of incident-ops: nothing is wrong"
_UNTRIED = (TICKET, INCIDENT_CHANNEL)
"""What would leave something behind: a comment needs an issue, and a channel of its own would stay."""
_SCHEDULES = "oncall"
_STEP = timedelta(seconds=1)

_Edit = Callable[[Incident], Step]


class DrillStep(NamedTuple):
    """A step of the drill: what was sent for it, and why it could not be taken ("" where it was)."""

    name: str
    delivered: tuple[Delivered, ...] = ()
    problem: str = ""

    @property
    def has_arrived(self) -> bool:
        """True where everything that was sent was taken."""
        return not self.problem and all(one.outcome == SENT_NOW or not one.planned.goes_out for one in self.delivered)


class Drill(NamedTuple):
    """What became of a drill: its incident, its steps up to the first that could not be taken."""

    incident: str
    steps: tuple[DrillStep, ...]

    @property
    def exit_code(self) -> int:
        """4 where something did not arrive, 2 where only a channel is not set up, 1 for a refused step, else 0."""
        sent = [one for step in self.steps for one in step.delivered]
        return delivery_exit_code(sent) or (1 if any(step.problem for step in self.steps) else 0)


def walk_drill(workspace: Workspace, service: str | None) -> Drill:
    """Walks it with the policy, the services and the schedules as they are here; `service` None = the first one.

    The people and pagers of that service are really called. UserError for a service that is not there.
    """
    policy, services = workspace.judged_by
    if service is not None and service not in services:
        raise UserError(f"there is no service {service!r}", hint=did_you_mean(service, services))
    meant = service or next(iter(services), "")
    if not meant:
        raise UserError("there is no service, so nobody to call", hint="name one in services.yaml")
    if policy.mode == "observe":
        raise UserError("the policy says mode: observe, so nothing is ever sent", hint="set mode: active for a drill")
    with tempfile.TemporaryDirectory(prefix="incident-ops-drill-") as folder:
        walk = _Walk(_beside(workspace, Path(folder)), Path(folder) / "ledger", meant)
        steps = tuple(walk.steps())
        return Drill(walk.incident, steps)


def _beside(workspace: Workspace, folder: Path) -> Workspace:
    """The same settings in a folder without records, without git and without a remote."""
    for name in (POLICY, SERVICES):
        if (workspace.root / name).is_file():
            shutil.copyfile(workspace.root / name, folder / name)
    if (workspace.root / _SCHEDULES).is_dir():
        shutil.copytree(workspace.root / _SCHEDULES, folder / _SCHEDULES)
    now = clock.now() - 3 * _STEP
    return replace(workspace, root=folder, git=None, store=Store(folder, None), now=now, is_at_given=False)


class _Walk:
    def __init__(self, workspace: Workspace, ledger: Path, service: str) -> None:
        self._workspace, self._ledger, self._service = workspace, LedgerFile(ledger), service
        self.incident = ""

    def steps(self) -> Iterator[DrillStep]:
        """Each step in turn; the first that is refused is the last."""
        facts = ResolutionFacts(restored="unknown", cause="unknown", what="Nothing: it was a drill")
        policy = self._workspace.judged_by[0]
        for name, work in (
            (PAGED, self._declared),
            (ACKNOWLEDGED, partial(self._edited, lambda one, now: acknowledge(one, policy, now, "drill"))),
            (RESOLVED, partial(self._edited, lambda one, now: resolve_incident(one, policy, now, "drill", facts))),
        ):
            try:
                yield DrillStep(name, self._sent(work()))
            except IncidentOpsError as error:
                yield DrillStep(name, problem=str(error))
                return
            self._workspace = replace(self._workspace, now=self._workspace.now + _STEP)

    def _declared(self) -> Record:
        policy = self._workspace.judged_by[0]
        worst = min(policy.levels, key=lambda level: level.rank).id
        is_severity = policy.drives == "severity"
        declaration = Declaration(TITLE, (self._service,), drill=True)
        declaration = replace(declaration, severity=worst) if is_severity else replace(declaration, priority=worst)
        record = declare_record(self._workspace, declaration, "drill").record
        self.incident = record.incident.id
        return record

    def _edited(self, change: Callable[..., Step]) -> Record:
        now = self._workspace.now
        return edit_record(self._workspace, self.incident, lambda one: change(one, now)).record

    def _sent(self, record: Record) -> tuple[Delivered, ...]:
        """Sends what the automation would send now about this record, and about no other."""
        workspace = self._workspace
        world = World(*workspace.judged_by, workspace.now)
        due = due_obligations([record], world.policy, world.now, lambda _: NOTHING_SEEN, {})
        wanted = due_notices([record], due, world, lambda _: NOTHING_SEEN)
        known = self._ledger.read()
        planned, _ = plan_notices(wanted, ledger_lines(known, wanted.pairs_in(known)), world)
        tried = [one for one in planned if one.message.channel not in _UNTRIED and one.goes_out]
        notifier_of = notifiers(workspace, [record.incident], os.environ)
        delivered, _ = deliver(tried, self._ledger, notifier_of, clock.now)
        return delivered
