"""The proposals of the automation, judged by the run that wrote them, and what it says of each on its commit.

A pull request that a job opened waits for a person before its checks run, so nothing else would judge it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from incident_ops.adapters.git_proposals import SeenBranch
from incident_ops.adapters.git_remote import Remote
from incident_ops.app.run_parts import PartDone
from incident_ops.app.validate import has_lost_records, validate_workspace
from incident_ops.app.workspace import Workspace, at_commit, need_remote, strict, token_and_server
from incident_ops.domain.ports import CommitStatuses
from incident_ops.errors import IncidentOpsError, Stopped, WriteFailed
from incident_ops.reconcile.observe import turn
from incident_ops.render.findings import findings_line

VALIDATE_STATUS = "incident-ops/validate"
"""The name under which it is said; the ruleset of the default branch asks for it."""

_GOOD, _BAD = "success", "failure"


def check_proposals(workspace: Workspace, statuses: CommitStatuses, branches: Iterable[SeenBranch]) -> PartDone:
    """Judges the head of each of `branches` of which nothing was said, as `validate --base` the default branch does.

    Left alone is a branch with a commit of a person, whose pull request has checks of its own, one that is merged, and
    one that moved meanwhile. Where the requests do not last for all, the rest have their turn in other hours, and the
    run is a complete one. UserError where the clone has no remote, Incomplete where it does not answer.
    """
    remote = need_remote(workspace.git)
    tip = remote.default_tip()
    if tip is None:
        return PartDone()
    lines: list[str] = []
    errors: list[IncidentOpsError] = []
    for seen in turn(list(branches), workspace.now):
        try:
            if _is_to_judge(remote, tip, seen) and not statuses.newest(seen.commit, VALIDATE_STATUS):
                lines.append(_check(workspace, remote, tip, statuses, seen))
        except Stopped as error:
            lines.append(f"proposals are left for the next run to judge: {error.message}")
            break
        except IncidentOpsError as error:
            errors.append(error)
            if isinstance(error, WriteFailed) and error.is_final:
                break
    return PartDone(tuple(lines), tuple(errors))


def _is_to_judge(remote: Remote, tip: str, seen: SeenBranch) -> bool:
    objects = remote.objects
    parents = objects.parents(seen.commit)
    is_one_commit = len(parents) == 1 and objects.descends(tip, parents[0])
    return seen.is_ours and is_one_commit and not objects.descends(tip, seen.commit)


def _check(workspace: Workspace, remote: Remote, tip: str, statuses: CommitStatuses, seen: SeenBranch) -> str:
    state, text = _judge(workspace, seen.commit, tip)
    if remote.tips((seen.branch,)).get(seen.branch) != seen.commit:
        return f"{seen.branch}: it moved meanwhile, so nothing is said of {seen.commit[:12]}; the next run looks again"
    statuses.tell(seen.commit, VALIDATE_STATUS, state, text, _run_address())
    return f"{seen.branch}: {VALIDATE_STATUS} of {seen.commit[:12]} is {state}: {text}"


def _judge(workspace: Workspace, commit: str, base: str) -> tuple[str, str]:
    """(state, description). Errors as `validate_workspace`: what could not be judged is nothing to speak of."""
    proposed = strict(at_commit(workspace, commit))
    validated = validate_workspace(proposed, base=base)
    report = validated.report
    if has_lost_records(proposed, validated):
        return _BAD, "there is no record here, but the base has some"
    text = findings_line(report.findings, report.files, len(report.silenced))
    return (_BAD if report.errors else _GOOD), text


def _run_address() -> str:
    """Where people read this run of Actions; "" outside of one."""
    run, repository = os.environ.get("GITHUB_RUN_ID"), os.environ.get("GITHUB_REPOSITORY")
    _, server = token_and_server()
    return f"{server.rstrip('/')}/{repository}/actions/runs/{run}" if run and repository else ""
