"""The policy's `deadlines`: shipped blocks by name, with what the policy says otherwise of all their entries, and
entries of its own."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from incident_ops import resources
from incident_ops.errors import UserError
from incident_ops.findings import Finding, did_you_mean
from incident_ops.records.file_findings import fault
from incident_ops.records.yaml_reader import Document, read_yaml

DeadlineData = dict[str, Any]
BLOCKS = ("nis2", "cra", "gdpr")
OF_ONE_ENTRY = ("from", "within", "to", "source")
"""What differs between the entries of a block, so that nothing can be said of all of them."""


def expand(entries: Sequence[str | DeadlineData]) -> list[DeadlineData]:
    """The deadlines of a policy, each block as its entries. What the policy says of a block replaces what they say."""
    found: list[DeadlineData] = []
    for entry in entries:
        said = {"id": entry} if isinstance(entry, str) else entry
        if said["id"] in BLOCKS:
            found += [{**one, **said, "id": one["id"]} for one in block(said["id"])]
        else:
            found.append(said)
    return copy.deepcopy(found)


@cache
def block(name: str) -> list[DeadlineData]:
    """The entries of a shipped block."""
    path = f"deadlines/{name}.yaml"
    document = read_yaml(resources.resource_text(path), path)
    if isinstance(document, list):
        raise UserError(f"the installation is damaged: {path} cannot be read", hint="install incident-ops again")
    entries: list[DeadlineData] = document.data
    return entries


def deadline_faults(document: Document) -> Iterator[Finding]:
    """What is wrong with the deadlines of a policy that fits its schema."""
    entries = document.data.get("deadlines") or []
    names = [one["id"] for one in expand(entries)]
    starts = {one["id"]: _after(one) for one in expand(entries)}
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        said = {"id": entry} if isinstance(entry, str) else entry
        route = ("deadlines", index, *(() if isinstance(entry, str) else ("id",)))
        for name in (one["id"] for one in expand([entry])):
            if name in seen:
                message = f"the deadline {name!r} appears twice"
                hint = f"say what differs in one entry `{{id: {said['id']}, ...}}`, or leave one out"
                yield _located(document, fault("limits", document.file, message, hint, route=route))
                break
            seen.add(name)
        for key in (key for key in OF_ONE_ENTRY if said["id"] in BLOCKS and key in said):
            message = f"{said['id']} is a block of several deadlines, which have each their own `{key}`"
            hint = "give an entry of your own another id"
            yield _located(
                document, fault("not-allowed", document.file, message, hint, route=("deadlines", index, key))
            )
        after = None if isinstance(entry, str) else _after(entry)
        if after is not None:
            yield from _faults_of_start(document, ("deadlines", index, "from", "deadline"), said["id"], names, starts)


def _faults_of_start(
    document: Document, route: tuple[str | int, ...], name: str, names: Sequence[str], starts: dict[str, str | None]
) -> Iterator[Finding]:
    after = starts[name]
    if after not in names:
        hint = did_you_mean(str(after), names)
        message = f"there is no deadline {after!r} to count {name!r} from"
        yield _located(document, fault("not-allowed", document.file, message, hint, route=route))
        return
    passed = [name]
    while after is not None and after in starts and after not in passed:
        passed.append(after)
        after = starts[after]
    if after == name:
        message = f"{' and '.join(passed)} count from each other, so none of them ever begins"
        hint = "let one of them count from detected, declared, mitigated or resolved"
        yield _located(document, fault("not-allowed", document.file, message, hint, route=route))


def _after(entry: DeadlineData) -> str | None:
    start = entry.get("from")
    return start["deadline"] if isinstance(start, dict) else None


def _located(document: Document, finding: Finding) -> Finding:
    return finding.at(document.locate(finding.where))
