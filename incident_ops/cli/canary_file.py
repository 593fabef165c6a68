"""A gate file as the canary commands take it: read, checked, and refused with its line where anything is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from incident_ops.errors import UserError
from incident_ops.findings import Finding
from incident_ops.gate.config import Analysis, to_analysis
from incident_ops.gate.config_check import check
from incident_ops.model.policy import Policy
from incident_ops.records.gate_file import gate_findings, load_gate
from incident_ops.records.read import MAX_BYTES, Document


@dataclass(frozen=True)
class GateFile:
    """A gate file that is fine: its data, what they mean, and the digest of its bytes."""

    path: str
    document: Document
    analysis: Analysis
    digest: str


def read_gate(path: str) -> GateFile:
    """The gate file. UserError naming the first fault where it cannot be used."""
    raw = gate_bytes(path)
    found = load_gate(raw, path, check)
    if isinstance(found, list):
        raise refused(found)
    return GateFile(path, found, to_analysis(found.data), sha256(raw).hexdigest())


def gate_bytes(path: str) -> bytes:
    """The bytes of a gate file. UserError where it cannot be read."""
    if not path:
        raise UserError("the name of the gate file is empty", hint="-f gates/NAME.yaml")
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UserError(f"the gate file cannot be read: {error.strerror}", where=path, hint="check the path") from error


def demand_source(gate: GateFile, policy: Policy) -> None:
    """UserError where the data source that the gate names is not in the policy, or of another kind."""
    if found := source_findings(gate.document, policy):
        raise refused(found)


def source_findings(document: Document, policy: Policy) -> list[Finding]:
    """What is wrong with the data source that a gate file names."""
    from incident_ops.gate.config_check import check_source

    return gate_findings(document, lambda data, file: check_source(data, file, policy))


def refused(found: list[Finding]) -> UserError:
    """The first finding as an error, and how many there are."""
    first = found[0]
    more = f"; {len(found) - 1} more: incident-ops canary validate tells all" if len(found) > 1 else ""
    return UserError(first.message, where=str(first.where), hint=f"{first.hint}{more}")


def arguments(analysis: Analysis, given: tuple[str, ...]) -> dict[str, str | None]:
    """The values that queries name: those of `--arg NAME=VALUE` over those of the file. UserError for others."""
    found: dict[str, Any] = dict(analysis.arguments)
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or name not in found:
            known = ", ".join(found) or "the gate file has none under spec.args"
            raise UserError(f"--arg {text!r} gives no value to an argument of the gate", hint=f"NAME=VALUE; {known}")
        found[name] = value
    return found
