"""The copies of the schemas that an editor reads, with the levels and services of the repository as the only choices.

A copy says in its `$comment` what it was made from, so that `validate` knows when it is out of date, and `init` whether
somebody has edited it. The program itself goes by the schemas that it came with.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from incident_ops.domain.policy import Policy, Services
from incident_ops.findings import Finding
from incident_ops.records.file_findings import fault
from incident_ops.records.policy import PolicyAndServices
from incident_ops.records.schema import SCHEMA_KINDS, schema, schema_text
from incident_ops.records.store import Store

_SERVICE_KINDS = ("incident", "maintenance", "freeze", "problem")
_LEVEL_KINDS = ("incident",)
_COMMENT = re.compile(r'  "\$comment": "Written by [^"\r\n]*",\r?\n')
_SOURCE = re.compile(r"(schema|levels|services|text)=(sha256:[0-9a-f]{16})")
_WORDS = {"schema": "another version of incident-ops", "levels": "levels", "services": "services"}


class Names(NamedTuple):
    """What an editor offers: the labels of each field that may hold one, and the services. None = any will do."""

    labels: Mapping[str, list[str]] | None
    services: list[str] | None

    @classmethod
    def of(cls, policy: Policy | None, services: Services | None) -> Names:
        """The names in force; None for those of a file that cannot be used."""
        labels = None
        if policy is not None:
            labels = {policy.drives: policy.labels} | ({"severity": policy.major_labels} if policy.major_labels else {})
        return cls(labels, sorted(services) if services else None)


def copy_text(kind: str, names: Names) -> str:
    """The copy of a kind's schema that offers these names, with what it was made from."""
    data = dict(schema(kind))
    if kind in _LEVEL_KINDS and names.labels is not None:
        data["properties"] = _with_labels(data["properties"], names.labels)
    if kind in _SERVICE_KINDS and names.services is not None:
        data["$defs"] = {**data["$defs"], "service": _choice(data["$defs"]["service"], names.services)}
    sources = {**_sources(kind, names), "text": _digest(_spelled(data))}
    made_from = " ".join(f"{name}={digest}" for name, digest in sources.items())
    head = {key: data.pop(key) for key in ("$schema", "$id")}
    return _spelled({**head, "$comment": f"Written by incident-ops init; run it again to update. {made_from}", **data})


class CopyState(NamedTuple):
    """A copy that somebody edited, or else what has changed since it was made, in words; empty = nothing.

    `is_plain` is a schema as the program brings it, without the names of the repository.
    """

    is_edited: bool = False
    changed: str = ""
    is_plain: bool = False


def copy_state(kind: str, raw: bytes, names: Names) -> CopyState:
    """How a copy stands to what it would be made from now. What is not known now is not compared."""
    text = raw.decode("utf-8", "replace").replace("\r\n", "\n")
    made_from = dict(_SOURCE.findall(found[0])) if (found := _COMMENT.search(text)) else {}
    if not made_from:
        is_plain = text == schema_text(kind)
        return CopyState(is_edited=not is_plain, is_plain=is_plain)
    if made_from.get("text") != _digest(_COMMENT.sub("", text, count=1)):
        return CopyState(is_edited=True)
    now = _sources(kind, names)
    changed = [name for name in now if made_from.get(name) != now[name]]
    if changed[:1] == ["schema"]:
        return CopyState(changed=_WORDS["schema"])
    return CopyState(changed=f"other {' and '.join(map(_WORDS.__getitem__, changed))}" if changed else "")


def _sources(kind: str, names: Names) -> dict[str, str]:
    """Name -> digest of all that a copy of this kind is made from and that is known."""
    sources = {"schema": _digest(schema_text(kind))}
    if kind in _LEVEL_KINDS and names.labels is not None:
        sources["levels"] = _digest(json.dumps(names.labels))
    if kind in _SERVICE_KINDS and names.services is not None:
        sources["services"] = _digest(json.dumps(names.services))
    return sources


def _with_labels(keys: Mapping[str, Any], labels: Mapping[str, list[str]]) -> dict[str, Any]:
    """The keys of a record with these labels as the only choices; a field that the scheme does not use is left out."""
    described = {"type": "string", **schema("incident")["$defs"]["label"]}
    made = {key: value for key, value in keys.items() if key in labels or key not in ("severity", "priority")}
    for field, of_field in labels.items():
        own = {key: value for key, value in keys[field].items() if key != "$ref"}
        made[field] = _choice({**described, **own}, of_field)
    return made


def _choice(value: Mapping[str, Any], allowed: list[str]) -> dict[str, Any]:
    return {**{key: kept for key, kept in value.items() if key != "examples"}, "enum": allowed}


def _spelled(data: Mapping[str, Any]) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()[:16]


def stale_copies(store: Store, setting: PolicyAndServices) -> Iterator[Finding]:
    """A finding for each copy of a repository that is not what `init` would make of it now."""
    names = Names.of(setting.policy.policy, setting.services.services)
    for kind in SCHEMA_KINDS:
        path = f"schemas/{kind}.schema.json"
        raw = store.read(path)
        if not isinstance(raw, bytes):
            continue
        state = copy_state(kind, raw, names)
        if state.is_edited:
            message = "this copy for editors was edited by hand, or is not from this version of incident-ops"
            yield fault("schema-copy", path, message, "`incident-ops init --replace-schemas` replaces it", at=(1, 1))
        elif state.changed:
            message = f"this copy for editors was made from {state.changed}"
            yield fault("schema-copy", path, message, "run `incident-ops init` again", at=(1, 1))
