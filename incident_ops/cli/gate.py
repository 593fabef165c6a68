"""`incident-ops gate check` and `incident-ops gate publish`."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from dataclasses import replace

import click

from incident_ops.app.gate_check import Published, actor_of, contents, known_of, source
from incident_ops.app.workspace import Opened, must_say_something, no_records, open_repository, read_text_file, served
from incident_ops.cli.gate_publish import publish_command
from incident_ops.cli.options import complete_incident, complete_service, finish, format_option, inert_unread
from incident_ops.deploy_gate.check import DeployRequest, Known, check_deploy, released, rolled_back
from incident_ops.deploy_gate.release import FIX_LASTS, fix_refused, is_listed
from incident_ops.deploy_gate.verdict import INCIDENT_REPO_UNREACHABLE, INCONCLUSIVE, HeldRelease, Verdict
from incident_ops.domain.record import Unread
from incident_ops.errors import IncidentOpsError, UserError
from incident_ops.render.findings import inert, inert_lines
from incident_ops.render.gate import config_error, to_json, to_text

_WHOLE_IDS = (40, 64)


@click.group()
def gate() -> None:
    """May this service be deployed now?

    \b
    Examples:
      incident-ops gate check --service auth
    """


gate.add_command(publish_command)


@gate.command()
@click.option("--service", "-s", required=True, shell_complete=complete_service, help="The service to deploy.")
@click.option("--environment", "-e", help="Where. Default: the policy's production environment.")
@click.option("--sha", help="The commit to deploy: one that passed before is never held, an override names one.")
@click.option(
    "--fixes", metavar="INC", shell_complete=complete_incident, help="It fixes this incident; its commander says so."
)
@click.option("--by", metavar="WHO", help="Who asks, where no workflow says it: @handle or a name.")
@click.option("--records", metavar="WHERE", help="A folder, URL@BRANCH, or a gate.json (file or URL). Default: here.")
@click.option("--passed", metavar="FILE", help="Commits that passed before: SHA [SERVICE ENVIRONMENT], one a line.")
@click.option(
    "--requests", type=click.IntRange(min=0), help="Requests in the objective's window, where it counts them."
)
@format_option
@click.pass_context
def check_command(
    ctx: click.Context, /, service: str, sha: str | None, fixes: str | None, form: str, **said: object
) -> None:
    """Ask whether a service may be deployed now.

    Held by an open incident on it or on what it needs, a maintenance window,
    a freeze, the hours for deploys, a spent error budget.

    Exit codes: 0 nothing holds, or a person lets it through; 2 the question is
    wrong; 3 held (frozen) or it cannot be told (inconclusive).

    \b
    Examples:
      incident-ops gate check --service auth
      incident-ops gate check -s auth --sha $GITHUB_SHA --format json
      incident-ops gate check -s auth --sha $GITHUB_SHA --fixes INC-12
      incident-ops gate check -s auth \\
        --records https://github.com/acme/incidents@incident-ops/public
    """
    try:
        must_say_something(ctx.command, ctx.params)
        opened = open_repository(ctx.find_root().obj)
        if fixes is not None and sha is None:
            raise UserError("--fixes lets one commit through", hint="--sha SHA")
        asked = DeployRequest(
            service,
            _text(said["environment"]) or "",
            opened.now,
            _commit(sha),
            _number(said["requests"]),
        )
        verdict = _ask(ctx, opened, asked, _text(said["records"]), fixes, _text(said["by"]))
        verdict = _rolled_back(opened, asked, verdict, _text(said["passed"]))
    except UserError:
        if form == "json":
            click.echo(config_error(), nl=False)
        raise
    notes = tuple(inert(note) for note in verdict.notes)
    shown = replace(verdict, unread=inert_unread(verdict.unread), notes=notes)
    click.echo(to_json(verdict) if form == "json" else inert_lines(to_text(shown)), nl=False)
    finish(verdict.exit_code)


def _ask(
    ctx: click.Context, opened: Opened, asked: DeployRequest, records: str | None, fixes: str | None, by: str | None
) -> Verdict:
    """The verdict of the records or of gate.json; a read that does not finish is no answer."""
    try:
        found = source(ctx, opened, records)
        if isinstance(found, Published):
            return _published(found, asked, fixes)
        return _from_records(found, asked, fixes, by)
    except UserError:
        raise
    except IncidentOpsError as error:
        return _unreachable(asked, str(error))


def _published(found: Published, asked: DeployRequest, fixes: str | None) -> Verdict:
    from incident_ops.deploy_gate.public_state import not_current, parse_state, verdict_of_state

    state = parse_state(found.raw, found.where)
    if (why := not_current(state, found.head, asked.now)) is not None:
        return _unreachable(asked, why)
    verdict = verdict_of_state(state, replace(asked, environment=asked.environment or state.environments[0]))
    if fixes is not None and verdict.exit_code:
        told = f"gate.json does not tell who commands {fixes}: ask the records, --records URL@BRANCH"
        return replace(verdict, notes=(*verdict.notes, told))
    return verdict


def _from_records(found: Opened, asked: DeployRequest, fixes: str | None, by: str | None) -> Verdict:
    policy, _ = found.judged_by
    asked = replace(asked, environment=asked.environment or policy.gate.environment)

    def judged() -> tuple[Known, Verdict]:
        known = known_of(found, asked.service, contents(found))
        return known, check_deploy(asked, known)

    known, verdict = served(found, judged)
    verdict = replace(verdict, unread=tuple(_at_line(found, known, one) for one in verdict.unread))
    if not found.catalogue.count() and no_records(found):
        return _unreachable(asked, "records that HEAD or the tracker has are not here")
    if fixes is None or not verdict.exit_code:
        return verdict
    return _fixed(found, asked, verdict, fixes, actor_of(found, by))


def _at_line(found: Opened, known: Known, unread: Unread) -> Unread:
    """The same with the line of a plan whose times say nothing; what could not be read at all tells its own."""
    plan = known.freezes.get(unread.path) or known.maintenance.get(unread.path)
    if plan is None:
        return unread
    from incident_ops.deploy_gate import plan_check
    from incident_ops.records.planned_changes import FREEZE, MAINTENANCE, read_document
    from incident_ops.records.yaml_reader import Document

    kind = FREEZE if unread.path in known.freezes else MAINTENANCE
    document = read_document(found.store.read(unread.path), unread.path, kind)
    faults = plan_check.check_plan(plan, unread.path, known.policy.maintenance.buffer)
    if not isinstance(document, Document) or (fault := next(faults, None)) is None:
        return unread
    return Unread(unread.path, f"line {document.locate(fault.where).line}: {fault.message}")


def _fixed(found: Opened, asked: DeployRequest, verdict: Verdict, fixes: str, by: str | None) -> Verdict:
    """The verdict where the incident's commander says that this commit fixes it: let through, and written down."""
    from incident_ops.app.edit_record import find_record
    from incident_ops.app.planned_changes import override_record
    from incident_ops.edits.freeze import OverrideRequest

    path = find_record(found, fixes)
    record = next((one for one in found.catalogue.live() if one.path == path), None)
    why = f"{fixes} is not open" if record is None else fix_refused(record.incident, asked.service, by)
    if why is None and found.store.revision:
        why = "a fix is written into the record, and these records cannot be written; use incident-ops override there"
    if why is not None or record is None or by is None or asked.sha is None:
        return replace(verdict, notes=(*verdict.notes, f"--fixes {fixes} does not count: {why}"))
    expires, reason = asked.now + FIX_LASTS, f"It fixes {record.incident.id}"
    wanted = OverrideRequest(by, asked.service, asked.environment, asked.sha, reason, expires)
    with redirect_stdout(sys.stderr):  # what is printed belongs to the verdict
        override_record(found, record.incident.id, "text", asked.now, wanted)
    return released(verdict, HeldRelease(by, reason, expires, record.incident.id))


def _rolled_back(opened: Opened, asked: DeployRequest, verdict: Verdict, file: str | None) -> Verdict:
    """A pass for a commit that passed before; the verdict where it did not, or where nobody can tell."""
    sha, environment = asked.sha, asked.environment or verdict.environment
    listed = file is not None and is_listed(
        read_text_file(file, name="--passed"), asked.service, environment, sha or "", file
    )
    if sha is None or not environment or not verdict.exit_code:
        return verdict
    if listed:
        return rolled_back(verdict)
    if len(sha) not in _WHOLE_IDS or not (os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN")):
        return verdict
    from incident_ops.adapters.github.deployments import Deployments
    from incident_ops.app.workspace import remote_of

    try:
        remote = None if os.environ.get("GITHUB_REPOSITORY") else remote_of(opened.git)
        passed = Deployments.of(os.environ, remote.url if remote else None).deployment_passed(sha, environment)
    except IncidentOpsError as error:
        told = f"nobody can tell whether {sha[:12]} passed before: {error}"
        return replace(verdict, notes=(*verdict.notes, told))
    return rolled_back(verdict) if passed else verdict


def _unreachable(asked: DeployRequest, why: str) -> Verdict:
    return Verdict(asked.service, INCONCLUSIVE, INCIDENT_REPO_UNREACHABLE, environment=asked.environment, notes=(why,))


def _commit(sha: str | None) -> str | None:
    if sha is None:
        return None
    from incident_ops.edits.freeze import commit_id

    return commit_id(sha)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None
