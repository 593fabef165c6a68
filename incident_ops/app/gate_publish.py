"""gate.json, from which other repositories' pipelines learn what holds their deploys: made, compared, published."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from incident_ops.adapters import clock
from incident_ops.adapters.files import write_bytes
from incident_ops.adapters.git_branches import GATE_BRANCH, publish_gate, published
from incident_ops.adapters.git_remote import Remote
from incident_ops.app.gate_check import deploy_facts, read_contents
from incident_ops.app.workspace import Workspace, at_commit, need_remote, served
from incident_ops.deploy_gate.public_state import PublicState, parse_state, public_state, to_json, why_replaced
from incident_ops.domain.time import SKEW, parse_instant
from incident_ops.errors import Incomplete, UserError


def current_state(workspace: Workspace) -> PublicState | None:
    """What gate.json is to say of the committed records; None where services.yaml names no service.

    UserError where there is no commit.
    """
    git = workspace.git
    if git is None or git.head is None:
        raise UserError("there is no commit to publish", hint="gate.json is about committed records: commit them")
    committed = workspace if workspace.store.revision else at_commit(workspace, git.head)
    committed = replace(committed, is_at_given=False)  # other repositories read it as the present
    _, services = committed.judged_by
    if not services:
        return None

    def state() -> PublicState:
        held = read_contents(committed)
        known = {name: deploy_facts(committed, name, held) for name in services}
        return public_state(known, committed.store.commit or "", committed.now)

    return served(committed, state)


def why_outdated(workspace: Workspace, state: PublicState) -> str | None:
    """Why the published gate.json is to be replaced by `state`; None where it is current."""
    there = published(need_remote(workspace.git))
    if there is None:
        return "none was there yet"
    try:
        return why_replaced(parse_state(there, GATE_BRANCH), state)
    except Incomplete as error:
        return str(error)


def published_revision(workspace: Workspace) -> str:
    """The commit that the last run published gate.json of; "" where none is there or it cannot be read."""
    try:
        there = published(need_remote(workspace.git))
        return parse_state(there, GATE_BRANCH).revision if there is not None else ""
    except Incomplete:
        return ""


def write_state(state: PublicState, file: Path) -> None:
    """Writes gate.json to a file instead of publishing it."""
    write_bytes(file, to_json(state))


def publish(workspace: Workspace, state: PublicState) -> bool:
    """Publishes gate.json on its branch; False where a newer one is there already.

    GitHub makes and signs the commit where the token is one that it signs for; else git pushes one of ours. The newer
    file is that of the later commit, whatever the clocks say; of one commit it is the later one.
    """
    from incident_ops.adapters.github.connect import commits_of

    remote = need_remote(workspace.git)

    def is_newer(raw: bytes) -> bool:
        try:
            theirs = parse_state(raw, GATE_BRANCH)
        except Incomplete:
            return False  # damaged: ours takes its place
        if theirs.revision != state.revision:
            return _is_later(remote, theirs.revision, state.revision)
        written = parse_instant(theirs.written_at)
        return workspace.now < written <= clock.now() + SKEW  # one of the future would stay for ever

    return publish_gate(remote, to_json(state), workspace.now, is_newer, commits_of(os.environ, remote.url))


def _is_later(remote: Remote, theirs: str, ours: str) -> bool:
    """True where their commit comes after ours; False also for one that the remote does not have."""
    try:
        remote.bring(theirs)
    except Incomplete:
        return False
    return remote.git.knows(theirs) and remote.objects.descends(theirs, ours)
