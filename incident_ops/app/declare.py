"""Declaring an incident: its record, written under the first id that nobody has."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from typing import Any

from incident_ops.adapters.files import demand_no_link, write_in_new_folder
from incident_ops.app.edit_record import check_services, checked, must_have_happened
from incident_ops.app.workspace import Workspace, demand_work_tree
from incident_ops.domain.incident import Incident
from incident_ops.domain.record import Record
from incident_ops.domain.triage import Decision
from incident_ops.edits.declare import Declaration, candidates, channel_name, declare_incident, runbook
from incident_ops.errors import UserError
from incident_ops.records.policy import policy_digest
from incident_ops.records.store import INCIDENTS, record_path
from incident_ops.records.yaml_writer import to_yaml

RECORD_HEADER = "# yaml-language-server: $schema=../../schemas/incident.schema.json"
ID_ATTEMPTS = 1000


@dataclass(frozen=True)
class DeclaredRecord:
    """The record of a new incident, the triage decision that counted, what should give pause, and what comes next."""

    record: Record
    decision: Decision | None
    warnings: tuple[str, ...]
    next_steps: tuple[str, ...]

    @property
    def folder(self) -> str:
        """The folder of the record, below the folder of the repository."""
        return self.record.path.rpartition("/")[0]


def declare_record(workspace: Workspace, declaration: Declaration, by: str | None) -> DeclaredRecord:
    """Writes the record of a declaration. UserError where it names an unknown service or would not be valid."""
    demand_work_tree(workspace)
    check_services(workspace, declaration.services)
    must_have_happened(workspace)
    policy = workspace.judged_by[0]
    in_force = policy_digest(workspace.setting.policy.resolved)
    for incident_id in itertools.islice(candidates(policy, workspace.now, lambda: _every_id(workspace)), ID_ATTEMPTS):
        path = record_path(incident_id)
        demand_no_link(workspace.root, path)
        if os.path.lexists((workspace.root / path).parent):
            continue
        declared = declare_incident(incident_id, declaration, policy, in_force, workspace.now, by)
        raw = _spelled(declared.data)
        record = checked(workspace, path, raw, None)
        if write_in_new_folder(workspace.root / path, raw):
            return DeclaredRecord(
                record, declared.decision, declared.warnings, _first_steps(workspace, record.incident)
            )
    raise UserError(f"no id is free after {ID_ATTEMPTS} tries", where=INCIDENTS, hint="look at what fills this folder")


def _every_id(workspace: Workspace) -> list[str]:
    folder = workspace.root / INCIDENTS
    names = [one.name for one in folder.iterdir()] if folder.is_dir() else []
    return [*workspace.catalogue.ids(), *names]


def _spelled(data: dict[str, Any]) -> bytes:
    try:
        return f"{RECORD_HEADER}\n{to_yaml(data)}".encode()
    except UnicodeEncodeError:
        raise UserError("a text has half a character in it", hint="type it again") from None


def _first_steps(workspace: Workspace, incident: Incident) -> tuple[str, ...]:
    policy, services = workspace.judged_by
    commander = () if incident.roles.commander else (f"incident-ops assign commander @who {incident.id}",)
    return (
        *commander,
        f"open the channel {channel_name(incident, policy)}",
        *(f"runbook of {name}: {runbook(name, services, policy)}" for name in incident.services),
        f'incident-ops update {incident.id} --internal "..."',
    )
