"""What the workflows of a repository cost, counted from the files as they lie in it; nothing is asked of GitHub."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from incident_ops.app.workspace import Workspace
from incident_ops.domain.run_cost import RunCost, WorkflowFile, run_cost
from incident_ops.records.store import list_folder, read_regular
from incident_ops.records.workflow_files import WORKFLOWS, read_workflow


class UnreadWorkflow(NamedTuple):
    """A workflow that could not be counted, and why."""

    file: str
    reason: str


class CountedCost(NamedTuple):
    """The cost of the workflows that could be read, and those that could not."""

    cost: RunCost
    unread: tuple[UnreadWorkflow, ...]


def count_cost(workspace: Workspace) -> CountedCost:
    """Counts every workflow of the repository that the records lie in; the policy caps the alarm clock."""
    files, unread = read_workflows(git_top(workspace))
    return CountedCost(run_cost(files, workspace.judged_by[0].watch.minutes.incident), unread)


def git_top(workspace: Workspace) -> Path:
    """The top folder of the repository, where GitHub looks for workflows; the records may lie deeper."""
    prefix = workspace.git.prefix if workspace.git else ""
    return workspace.root.parents[len(Path(prefix).parts) - 1] if prefix else workspace.root


def read_workflows(top: Path) -> tuple[list[WorkflowFile], tuple[UnreadWorkflow, ...]]:
    """The workflows below a repository's top folder, and those that cannot be read."""
    files, unread = list[WorkflowFile](), list[UnreadWorkflow]()
    for name in list_folder(top, WORKFLOWS):
        if not name.endswith((".yml", ".yaml")):
            continue
        raw = read_regular(top, f"{WORKFLOWS}/{name}")
        found = read_workflow(raw, name) if isinstance(raw, bytes) else raw.message if raw else "it is gone"
        if isinstance(found, WorkflowFile):
            files.append(found)
        else:
            unread.append(UnreadWorkflow(name, found))
    return files, tuple(unread)
