"""The data sources that an imported gate names, and what policy.yaml has to say of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from incident_ops.canary.migrate.notebook import Notebook, SourcePart
from incident_ops.canary.migrate.reading import ImportArguments, name_in_gate

_DEFAULTS = {"prometheus": "main", "datadog": "datadog", "cloudwatch": "cloudwatch", "newRelic": "newrelic"}
_HEADER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}", re.ASCII)
_BASIC = {"basic": {"user_env": "METRICS_USER", "password_env": "METRICS_PASSWORD"}}
_PASSWORD = re.compile(r"((?:[A-Za-z]+://)?)[^/@]*@")
_BEARER = re.compile(r"bearer\s", re.IGNORECASE)


@dataclass
class NamedSources:
    """Name -> the block for policy.yaml. `wanted`: kind, or "" for any, -> the name a person chose."""

    wanted: Mapping[str, str]
    blocks: dict[str, dict[str, Any]] = field(default_factory=dict)
    commands: dict[str, str] = field(default_factory=dict)
    """Command metrics -> what the source ran."""
    _names: dict[tuple[str, str], dict[str | None, str]] = field(default_factory=dict)
    """Kind and settings -> the names by address, as `name` takes it."""

    def name(self, kind: str, address: str | None, settings: Mapping[str, Any]) -> str:
        """The name for an address with its settings; the same one for the same. None, where the source says none, is
        the first that it does say; "" is one that cannot be written out. A password in it stays out.
        """
        if password := _PASSWORD.match(address or ""):
            address = password[1] + password.string[password.end() :]
            settings = {"auth": _BASIC, **settings} if "token_env" not in settings else settings
        known = self._names.setdefault((kind, f"{sorted(settings.items(), key=str)}"), {})
        if address is None and known:
            return next(iter(known.values()))
        if address not in known:
            chosen = self.wanted.get(kind) or self.wanted.get("") or _DEFAULTS.get(kind, kind)
            name = known.pop(None, "") or name_in_gate(chosen, self.blocks)
            known[address] = name
            self.blocks[name] = {"kind": kind, **_address(kind, address or "", name), **settings}
        return known[address]


def _address(kind: str, address: str, name: str) -> dict[str, Any]:
    if not address:
        return {"url_env": f"{environment_name(name)}_URL"} if kind in ("prometheus", "web") else {}
    plain = address if "://" in address else f"http://{address}"
    return {"url": plain, **({"allow_private": True} if plain.startswith("http://") else {})}


def environment_name(text: str) -> str:
    """A name for an environment variable."""
    name = re.sub(r"[^A-Z0-9]+", "_", text.upper()).strip("_")[:50]
    return name if re.match(r"[A-Z]", name) else f"VAR_{name}"


@dataclass
class Migration:
    """One import: its notes, arguments and sources, and the names of metrics so far."""

    notebook: Notebook
    arguments: ImportArguments
    sources: NamedSources
    names: set[str] = field(default_factory=set)
    alternatives: list[Any] = field(default_factory=list)
    asked_for: set[str] = field(default_factory=set)
    """Arguments that a Rollout takes from the cluster."""
    pairs: list[tuple[re.Pattern[str], str]] = field(default_factory=list)
    """How the source names the new version in a query, and what stands there for the old one."""

    def metric_name(self, part: SourcePart, key: str = "name") -> str:
        """A name of its own for a metric."""
        text = self.arguments.filled(part.text(key))
        name = name_in_gate(text, self.names)
        self.names.add(name)
        if name == text:
            part.same(key, f"name: {name}")
        else:
            part.differs(key, f"name: {name}", "names here are letters, digits and . _ - only, and unique")
        return name


def sign_in_settings(part: SourcePart, kind: str) -> dict[str, Any]:
    """`authentication` of a provider of Argo -> what the data source needs."""
    found: dict[str, Any] = {}
    auth = part.part("authentication")
    if "sigv4" in auth:
        sigv4 = auth.part("sigv4")
        found = {"sigv4": {"service": "aps" if kind == "prometheus" else "execute-api", "region": sigv4.text("region")}}
        auth.differs(
            "sigv4", "", f"policy.yaml: datasources: auth: sigv4, region {found['sigv4']['region']}", "see below"
        )
        for key in ("profile", "roleArn"):
            if key in sigv4:
                sigv4.refused(key, "the runner's own AWS credentials sign", "let the job assume the role first")
    if "oauth2" in auth:
        oauth = auth.part("oauth2")
        scopes = oauth.whole("scopes")
        found = {"oauth2": {"token_url": oauth.text("tokenUrl"), "client_id_env": "METRICS_CLIENT_ID"}}
        found["oauth2"]["client_secret_env"] = "METRICS_CLIENT_SECRET"  # noqa: S105 - a name
        found["oauth2"] |= {"scopes": [str(one) for one in scopes]} if isinstance(scopes, list) else {}
        for key in ("clientId", "clientSecret"):
            oauth.text(key)
        way = "set METRICS_CLIENT_ID and METRICS_CLIENT_SECRET where the gate runs"
        auth.differs("oauth2", "", "policy.yaml: datasources: auth: oauth2; secrets never go into a file", way)
    return {"auth": found} if found else {}


def headers_of(part: SourcePart, migration: Migration, *, in_gate: bool) -> tuple[dict[str, str], dict[str, Any]]:
    """(headers that the gate file may hold, settings of the data source for the secret ones)."""
    plain: dict[str, str] = {}
    secret: dict[str, str] = {}
    settings: dict[str, Any] = {}
    for header in part.parts("headers"):
        key, value = header.text("key"), migration.arguments.filled(header.text("value"))
        if "valueFrom" in header:
            header.whole("valueFrom")
        if not _HEADER.fullmatch(key):
            header.refused("key", "this is not the name of a header", "write its name", weakens=True)
        elif in_gate and not is_secret(key) and re.fullmatch(r"[!-~]([ -~]*[!-~])?", value) and "{{" not in value:
            plain[key] = value
            header.same("key", f"headers: {key}")
        elif key.lower() == "authorization" and _BEARER.match(value):
            settings["token_env"] = "METRICS_TOKEN"  # noqa: S105 - a name
            header.differs("key", "", "policy.yaml: token_env: METRICS_TOKEN", "set METRICS_TOKEN to the bearer token")
        else:
            variable = environment_name(f"METRICS_{key}")
            secret[key] = variable
            header.differs("key", "", f"policy.yaml: header_env: {key}: {variable}", f"set {variable} to its value")
    return plain, {**settings, **({"header_env": secret} if secret else {})}


def is_secret(header: str) -> bool:
    """Whether a header is one that holds a secret, by its name."""
    return (
        re.search(r"auth|cookie|key|token|secret|passw|credential|session|signature", header, re.IGNORECASE) is not None
    )
