"""What holds at the tip of the default branch and no longer does in the files of a person's clone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from incident_ops.app.workspace import Workspace
from incident_ops.deploy_gate.check import DeployFacts
from incident_ops.deploy_gate.verdict import DEPLOY_FREEZE, OPEN_INCIDENT, Hold
from incident_ops.domain.lifecycle import OVER
from incident_ops.errors import Incomplete
from incident_ops.records.history import read_record


def ended_here(here: Workspace, tip: str, merged: DeployFacts, ended: Iterable[Hold]) -> Iterator[str]:
    """A note for each of the `ended` holds whose file was edited in this clone; one that only lacks what was merged
    since says nothing. `merged` are the facts of the commit `tip`."""
    for hold in ended:
        path = _path_of(hold, merged)
        if path is not None and _is_edited(here, tip, path):
            yield f"{_what_ended(here, hold, path)} in your files, but that is not merged; until then it holds"


def _path_of(hold: Hold, merged: DeployFacts) -> str | None:
    if hold.reason_code == OPEN_INCIDENT:
        return next((record.path for record in merged.records if record.incident.id == hold.id), None)
    if hold.reason_code == DEPLOY_FREEZE:
        return next((path for path, freeze in merged.freezes.items() if freeze.name == hold.id), None)
    return None


def _is_edited(here: Workspace, tip: str, path: str) -> bool:
    git = here.git
    if git is None or git.head is None:
        return False
    try:
        base = git.merge_base(tip, git.head)
    except Incomplete:  # a shallow clone: at least what is not committed is known
        base = git.head
    return git.read_path(base, path) != here.store.read(path)


def _what_ended(here: Workspace, hold: Hold, path: str) -> str:
    if hold.reason_code == DEPLOY_FREEZE:
        return f"freeze {hold.id} is lifted"
    if here.store.read(path) is None:
        return f"{hold.id} is deleted"
    state = read_record(here.store, path).incident.state
    return f"{hold.id} is {state}" if state in OVER else f"{hold.id} holds nothing"
