"""`incident-ops gate publish`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from incident_ops.app.gate_check import contents, known_of
from incident_ops.app.workspace import Workspace, at_commit, need_remote, served
from incident_ops.cli.options import finish, with_repository
from incident_ops.errors import Incomplete, UserError
from incident_ops.render.findings import inert

if TYPE_CHECKING:
    from incident_ops.deploy_gate.public_state import PublicState


@click.command()
@click.option("--output", metavar="FILE", help="Write it there instead of publishing it.")
@click.option("--check", "only_check", is_flag=True, help="Publish nothing; exit 1 where it is to be published.")
@with_repository
def publish_command(opened: Workspace, output: str | None, only_check: bool) -> None:
    """Publish gate.json: what holds deploys, for other repositories' pipelines.

    It lies on branch incident-ops/public and tells of HEAD's records. No title,
    no person, no restricted id is in it.

    \b
    Examples:
      incident-ops gate publish
      incident-ops gate publish --check || incident-ops gate publish
      incident-ops gate publish --output gate.json
    """
    git = opened.git
    if git is None or git.head is None:
        raise UserError("there is no commit to publish", hint="gate.json tells of committed records: commit them")
    from incident_ops.deploy_gate.public_state import to_json

    committed = opened if opened.store.revision else at_commit(opened, git.head)
    _, services = committed.judged_by
    if not services:
        click.echo("services.yaml names no service, so there is no gate to publish")
        return
    state = served(committed, lambda: _state(committed))
    if only_check:
        _check(opened, state)
        return
    content = to_json(state)
    if output is not None:
        from incident_ops.adapters.files import write_bytes

        write_bytes(Path(output), content)
        click.echo(f"gate.json of {len(services)} services written to {inert(output)}")
        return
    _publish(opened, content)


def _state(committed: Workspace) -> PublicState:
    from incident_ops.deploy_gate.public_state import public_state

    held = contents(committed)
    known = {name: known_of(committed, name, held) for name in committed.judged_by[1]}
    return public_state(known, committed.store.commit or "", committed.now)


def _check(opened: Workspace, ours: PublicState) -> None:
    from incident_ops.adapters.gate_state import BRANCH, published
    from incident_ops.deploy_gate.public_state import gives_way, parse_state

    there = published(need_remote(opened.git))
    why: str | None = "it is not there yet"
    if there is not None:
        try:
            why = gives_way(parse_state(there, BRANCH), ours)
        except Incomplete as error:
            why = str(error)
    click.echo(f"gate.json on branch {BRANCH} is {f'to be published: {inert(why)}' if why else 'current'}")
    finish(int(bool(why)))


def _publish(opened: Workspace, content: bytes) -> None:
    from incident_ops.adapters import clock, gate_state
    from incident_ops.deploy_gate.public_state import parse_state
    from incident_ops.domain.time import SKEW, parse_instant

    def keeps(theirs: bytes) -> bool:
        try:
            written = parse_instant(parse_state(theirs, gate_state.BRANCH).written_at)
        except Incomplete:
            return False  # damaged: ours takes its place
        return opened.now < written <= clock.now() + SKEW  # one of the future would stay for ever

    done = gate_state.publish(need_remote(opened.git), content, opened.now, keeps)
    told = "published" if done else "a newer one is published already, it stays"
    click.echo(f"gate.json on branch {gate_state.BRANCH}: {told}")
