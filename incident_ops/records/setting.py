"""Policy and services of a store: what every record is judged by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from incident_ops import shipped
from incident_ops.errors import UserError
from incident_ops.findings import Finding
from incident_ops.model.policy import Policy
from incident_ops.model.service import Service
from incident_ops.records.faults import fault
from incident_ops.records.policy import Loaded, LoadedServices, digest, load_policy, load_services, no_policy
from incident_ops.records.read import MAX_BYTES
from incident_ops.records.store import SETTINGS, Store

POLICY, SERVICES = SETTINGS


@dataclass(frozen=True)
class Setting:
    """Policy and services as far as they were understood; `findings` says why not further."""

    policy: Loaded
    services: LoadedServices

    @property
    def findings(self) -> list[Finding]:
        """What is wrong with the two files."""
        return [*self.policy.findings, *self.services.findings]

    def require(self) -> tuple[Policy, Mapping[str, Service]]:
        """Both values. UserError naming the first fault where one cannot be used."""
        if self.policy.policy is None or self.services.services is None:
            first = self.findings[0]
            raise UserError(first.message, hint=first.hint, where=str(first.where))
        return self.policy.policy, self.services.services

    @property
    def digest(self) -> str:
        """Changes when anything changes that a record is judged by."""
        services: Any = msgspec.to_builtins(self.services.services)
        return digest(self.policy.resolved) + sha256(json.dumps(services, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def fingerprint(self) -> str:
        """Names everything but its own file that a record's entry depends on."""
        return f"{shipped.stamp()} {self.digest} {'schema only' if self.findings else 'judged'}"


def load_setting(store: Store) -> Setting:
    """Reads policy.yaml and services.yaml. UserError where there is no policy at all."""
    policy = _text(store, POLICY)
    if policy is None:
        raise no_policy(str(store.root))
    services = _text(store, SERVICES)
    return Setting(
        Loaded(None, {}, {}, [policy], None) if isinstance(policy, Finding) else load_policy(policy, POLICY),
        _services(services),
    )


def _services(text: str | Finding | None) -> LoadedServices:
    if text is None:
        missing = fault("file", SERVICES, "there is no services.yaml", 'write one: `services: {api: {owner: "@team"}}`')
        return LoadedServices(None, [missing], None)
    return LoadedServices(None, [text], None) if isinstance(text, Finding) else load_services(text, SERVICES)


def _text(store: Store, path: str) -> str | Finding | None:
    raw = store.read(path)
    if not isinstance(raw, bytes):
        return raw
    if len(raw) > MAX_BYTES:
        return fault(
            "file", path, f"the file has over {MAX_BYTES:,} bytes", "nothing of it is in force; make it smaller"
        )
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return fault("encoding", path, "the file is not UTF-8 text", "save it as UTF-8")
