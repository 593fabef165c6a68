"""The existing status page that the policy names: what a run publishes there, and what it would publish."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import timedelta

from incident_ops.adapters.environment import in_actions
from incident_ops.adapters.github.issues import GitHubTracker
from incident_ops.adapters.statuspage import TOKEN_VARIABLE, ChangeRefused, statuspage
from incident_ops.app.apply import IssueLock
from incident_ops.app.known import known_live, known_records
from incident_ops.app.run_parts import PartDone
from incident_ops.app.workspace import Workspace, served
from incident_ops.documents.status_page import ended_after, may_stand_on_page, wanted_on_page
from incident_ops.domain.fence import evaluate_each
from incident_ops.domain.record import Record
from incident_ops.domain.status_page import STATUSPAGE, StatusPage, WantedOnPage
from incident_ops.domain.time import shift
from incident_ops.errors import IncidentOpsError, Incomplete, Stopped
from incident_ops.reconcile.status_page import PagePlan, plan_page
from incident_ops.records.history import read_record

MOST_CHANGES = 40
"""So many changes one run makes; Statuspage takes about 60 requests a minute."""
_FOLLOWED = timedelta(days=7)
"""So long after its last instant an incident that is over is still looked for on the page."""


def publish_page(workspace: Workspace, github: GitHubTracker | None) -> PartDone:
    """Brings the page to what the records say, under the lock of the issues: two runs never publish the same.

    Raises as the page, and Stopped where another run has the lock.
    """
    wanted = _wanted(workspace)
    if not wanted or workspace.judged_by[0].mode == "observe":
        return PartDone()
    if not in_actions() and not os.environ.get(TOKEN_VARIABLE):
        return PartDone((_said(f"left to the run on GitHub: {TOKEN_VARIABLE} is not set here"),))
    page = statuspage(workspace.judged_by[0].publish.page, os.environ)
    with IssueLock(workspace, github) as lock:
        if not lock.may_create():
            if lock.error is not None:
                raise lock.error
            raise Stopped("the status page is left to the next run: another run has the lock")
        return carry_out(page, plan_page(wanted, page.read()))


def carry_out(page: StatusPage, plan: PagePlan) -> PartDone:
    """One change after the other; what the page refuses of one incident keeps no other from its turn, what it answers
    nobody ends the run's part."""
    lines, errors = [*map(_said, plan.left)], [_edited(name) for name in plan.spoiled]
    refused = set[str]()
    for number, change in enumerate(plan.changes):
        if number == MOST_CHANGES:
            left = len(plan.changes) - number
            errors.append(Stopped(f"{left} changes of the status page are left for the next run"))
            break
        if change.key in refused:
            continue
        try:
            page.change(change)
        except ChangeRefused as error:
            refused.add(change.key)
            errors.append(_about(error, change.key))
        except IncidentOpsError as error:
            errors.append(_about(error, change.key))
            break
        else:
            lines.append(_said(f"{change.key}: {change.line}"))
    return PartDone(tuple(lines), tuple(errors))


def _edited(name: str) -> IncidentOpsError:
    hint = "until that incident or its metadata incident_ops is deleted there, no other one is opened"
    return Incomplete(f"Statuspage: somebody edited the metadata of incident {name}", hint=hint)


def _about(error: IncidentOpsError, key: str) -> IncidentOpsError:
    error.where = key
    return error


def page_preview(workspace: Workspace, *, asks: bool) -> tuple[str, ...]:
    """What a run on GitHub would publish, a line each; where the page is not asked, or does not answer, what is to
    stand there."""
    wanted, policy = _wanted(workspace), workspace.judged_by[0]
    if not wanted:
        return ()
    if policy.mode == "observe":
        return ("status page: nothing is published: the policy says mode: observe",)
    if not asks:
        return _to_stand_there(wanted, policy.publish.page)
    try:
        plan = plan_page(wanted, statuspage(policy.publish.page, os.environ).read())
    except IncidentOpsError as error:
        return (f"status page: what it holds is not known: {error}", *_to_stand_there(wanted, policy.publish.page))
    return (*map(_said, plan.left), *(_said(f"{change.key}: {change.line}") for change in plan.changes))


def _to_stand_there(wanted: Sequence[WantedOnPage], page: str | None) -> tuple[str, ...]:
    def line(one: WantedOnPage) -> str:
        states = [f"component {name}: {state}" for name, state in sorted(one.components.items()) if not one.is_over]
        return (
            f"status page {page or '(publish.page is not set)'}: {one.key} is to be {', '.join([one.status, *states])}"
        )

    return tuple(line(one) for one in wanted if one.may_begin and not one.is_hidden)


def _said(line: str) -> str:
    return f"status page: {line}"


def _wanted(workspace: Workspace) -> list[WantedOnPage]:
    """What the page should say, of each incident that may stand there; nothing where the policy publishes nothing."""
    if workspace.judged_by[0].publish.to != STATUSPAGE:
        return []

    def made() -> list[WantedOnPage]:
        policy, services = workspace.judged_by
        ids, now = policy.publish.components, workspace.now

        def wanted(record: Record) -> WantedOnPage:
            return wanted_on_page(record.incident, policy, services, ids, now)

        return list(evaluate_each(_records(workspace), wanted))

    return served(workspace, made)


def _records(workspace: Workspace) -> Iterator[Record]:
    """The records that are open or were until lately, whose level has a status page or had one."""
    since = shift(workspace.now, -_FOLLOWED.total_seconds())
    live = known_live(workspace)
    paths = set(workspace.catalogue.settled_after(int(since.timestamp()))).difference(record.path for record in live)
    settled = known_records(workspace, [read_record(workspace.store, path) for path in sorted(paths)])
    policy = workspace.judged_by[0]
    for record in (*live, *settled):
        if may_stand_on_page(record.incident, policy) and ended_after(record.incident, since):
            yield record
