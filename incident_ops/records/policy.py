"""policy.yaml and services.yaml: preset and overrides -> one resolved policy, or findings that say why not.

Policy and services of a store: what every record is checked against.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any

import msgspec

from incident_ops import resources
from incident_ops.domain.policy import Policy, Service, Services
from incident_ops.errors import UserError
from incident_ops.findings import Finding, Route, did_you_mean
from incident_ops.records.deadline_blocks import deadline_faults, expand
from incident_ops.records.file_findings import fault
from incident_ops.records.schema import check_document
from incident_ops.records.store import SETTINGS_FILES, Store
from incident_ops.records.yaml_reader import MAX_BYTES, Document, read_yaml

Data = dict[str, Any]

# What an entry must say when the preset has none of its id: route of the list, keys.
_NEW_ENTRIES: tuple[tuple[Route, tuple[str, ...]], ...] = (
    (("levels",), ("rank",)),
    (("scheme", "major"), ("rank",)),
    (("escalation", "tiers"), ("tier",)),
    (("maintenance", "notices"), ("when", "title")),
    (("maintenance", "checklist"), ("text",)),
    (("targets", "resolution"), ("within", "pct")),
    (("tracker", "checklists"), ("title", "items")),
)


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy file as far as it was understood: `policy` is None whenever a finding is an error."""

    policy: Policy | None
    own: Data
    resolved: Data
    findings: list[Finding]
    document: Document | None


@dataclass(frozen=True, slots=True)
class LoadedServices:
    """services.yaml as far as it was understood; `services` is None whenever a finding is an error."""

    services: Services | None
    findings: list[Finding]
    document: Document | None
    teams: Mapping[str, Data] = field(default_factory=dict)


def preset(name: str) -> Data:
    """The whole policy of a shipped preset. UserError for a name that is none."""
    if name not in resources.preset_names():
        raise UserError(f"there is no preset {name!r}", hint=did_you_mean(name, resources.preset_names()))
    return copy.deepcopy(_preset(name))


@cache
def _preset(name: str) -> Data:
    document = read_yaml(resources.resource_text(f"presets/{name}.yaml"), f"presets/{name}.yaml")
    if isinstance(document, list):
        raise UserError(f"the installation is damaged: preset {name} cannot be read", hint="install incident-ops again")
    return {key: value for key, value in document.data.items() if key != resources.ABOUT_PRESET}


def resolve_policy(own: Data, base: Data) -> Data:
    """`own` laid over `base`: maps merge key by key, lists whose entries carry an `id` merge by id with the base's
    order first, other lists and values replace, null sets null; so does each entry of `notify.kinds`, whose ranks
    belong together, and a tier takes the place of the base's tier of its number. Neither argument is changed."""
    merged = _laid_over(own, base)
    if (kinds := _at(own, _KINDS)) and (usual := _at(base, _KINDS)):
        merged["notify"]["kinds"] = {**usual, **kinds}
    if tiers := _at(own, _TIERS):
        merged["escalation"]["tiers"] = _without_replaced(_at(merged, _TIERS), tiers)
    if "extends" in own:
        merged = {"extends": own["extends"], **merged}
    return copy.deepcopy(merged)


_KINDS: Route = ("notify", "kinds")
_TIERS: Route = ("escalation", "tiers")


def _without_replaced(merged: list[Data], own: list[Data]) -> list[Data]:
    """The tiers without those of the base whose number one of `own` has."""
    named, numbers = {tier["id"] for tier in own}, {tier["tier"] for tier in own if "tier" in tier}
    return [tier for tier in merged if tier["id"] in named or tier["tier"] not in numbers]


def _laid_over(own: Data, base: Data) -> Data:
    merged = {key: _overlay(own[key], value) if key in own else value for key, value in base.items()}
    return merged | {key: value for key, value in own.items() if key not in base}


def _overlay(own: Any, base: Any) -> Any:
    if isinstance(own, dict) and isinstance(base, dict):
        return _laid_over(own, base)
    if isinstance(own, list) and isinstance(base, list) and own and _by_id(own) and _by_id(base):
        known = {entry["id"]: entry for entry in base}
        for entry in own:
            known[entry["id"]] = _laid_over(entry, known.get(entry["id"], {}))
        return list(known.values())
    return own


def _by_id(entries: list[Any]) -> bool:
    return all(isinstance(entry, dict) and "id" in entry for entry in entries)


def policy_digest(resolved: Data) -> str:
    """`sha256:` and 16 hex digits of the canonical JSON of a resolved policy; the order of keys does not matter."""
    canonical = json.dumps(resolved, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()[:16]


def to_policy(resolved: Data) -> Policy:
    """A resolved policy as a value."""
    contacts = dict(resolved.get("contacts", {}))
    people = {key: contacts.pop(key) for key in list(contacts) if key.startswith("@")}
    return msgspec.convert({**resolved, "contacts": {**contacts, "people": people}}, Policy)


def with_teams(policy: Policy, resolved: Data, services: Services, teams: Mapping[str, Data]) -> Policy:
    """The policy, with those of the teams of services.yaml in it, and the tiers where a deadline asks for them; itself
    where there are none."""
    if any(one.when is not None and one.when.tier is not None for one in policy.deadlines):
        known = {name: service.tier for name, service in services.items() if service.tier is not None}
        policy = msgspec.structs.replace(policy, tier_of=known)
    if not teams:
        return policy
    return msgspec.structs.replace(
        policy,
        teams={name: to_policy(team_data(resolved, team, policy)) for name, team in teams.items()},
        team_of={name: service.team for name, service in services.items() if service.team is not None},
    )


def team_data(resolved: Data, team: Data, usual: Policy) -> Data:
    """The resolved policy that holds for the services of a team; `usual` is the one that it is laid over. A
    name in it that the policy does not have changes nothing; `team_faults` names it."""
    found = resolve_policy(team_overlay(resolved, team), resolved)
    calendar, names = team.get("calendar", _BUSINESS), team.get("channels", {})
    if calendar in resolved["calendars"]:  # its hours alone, nothing of the others
        found["calendars"][_BUSINESS] = copy.deepcopy(resolved["calendars"][calendar])
    elif calendar != "24x7":
        calendar = _BUSINESS
    for level in (*found["levels"], *found["scheme"].get("major", ())):
        if level.get("calendar") == _BUSINESS:
            level["calendar"] = calendar
        level["channels"] = [names.get(channel, channel) for channel in level.get("channels", ())]
    settings = found.setdefault("channels", {})
    for name, its_own in names.items():
        settings[its_own] = {"rings": usual.rings(name), **settings.get(its_own, {})}
    return found


def team_overlay(resolved: Data, team: Data) -> Data:
    """What a team says, in the shape of a policy that is laid over another one."""
    own: Data = {key: team[key] for key in ("contacts", "escalation") if key in team}
    if "on_call" in team:
        people = [team["on_call"]] if isinstance(team["on_call"], str) else team["on_call"]
        contacts = own.get("contacts", {})
        own["contacts"] = {**contacts, "roles": {**contacts.get("roles", {}), "on_call": people}}
    clocks = team.get("levels", {})
    levels, major = (
        [{"id": one["id"], **clocks[one["id"]]} for one in scale if one["id"] in clocks]
        for scale in (resolved["levels"], resolved["scheme"].get("major", ()))
    )
    own |= {"levels": levels} if levels else {}
    own |= {"scheme": {"major": major}} if major else {}
    calendar = resolved["calendars"].get(team.get("calendar"))
    return own | ({"calendars": {_BUSINESS: calendar}} if calendar is not None else {})


_BUSINESS = "business"


def load_policy(text: str, file: str = "policy.yaml") -> LoadedPolicy:
    """The text of policy.yaml -> the resolved policy, or findings. Never raises for bad content."""
    document = read_yaml(text if text.strip() else "{}", file)
    if isinstance(document, list):
        return LoadedPolicy(None, {}, {}, document, None)
    findings = _bad_extends(document) or check_document(document, "policy")
    own: Data = document.data if isinstance(document.data, dict) else {}
    if findings:
        return LoadedPolicy(None, own, {}, findings, document)
    resolved = resolve_policy(own, _preset(own["extends"]))
    if "deadlines" in resolved:
        resolved["deadlines"] = expand(resolved["deadlines"])
    findings = [*_duplicate_ids(document), *_incomplete_new_entries(document, resolved)] or [*deadline_faults(document)]
    if findings:
        return LoadedPolicy(None, own, resolved, findings, document)
    return LoadedPolicy(to_policy(resolved), own, resolved, [], document)


def load_services(text: str, file: str = "services.yaml") -> LoadedServices:
    """The text of services.yaml -> services by name, or findings. Never raises for bad content."""
    document = read_yaml(text if text.strip() else "{}", file)
    if isinstance(document, list):
        return LoadedServices(None, document, None)
    if findings := check_document(document, "services"):
        return LoadedServices(None, findings, document)
    if findings := [*(_duplicate_ids(document) if "teams" in document.data else ()), *_unknown_teams(document)]:
        return LoadedServices(None, findings, document)
    services = msgspec.convert(document.data["services"], dict[str, Service])
    return LoadedServices(services, [], document, document.data.get("teams", {}))


def _unknown_teams(document: Document) -> Iterator[Finding]:
    teams = document.data.get("teams", {})
    for name, service in document.data["services"].items():
        team = service.get("team", "")
        if team and team not in teams:
            message = f"service {name!r} has team {team!r}, which is not in `teams`"
            hint = did_you_mean(team, teams) if teams else f"add it: `teams: {{{team}: {{}}}}`"
            route = ("services", name, "team")
            yield from _located(document, fault("team-names", document.file, message, hint, route=route))


def no_policy(folder: str) -> UserError:
    """The error for a repository without policy.yaml."""
    return UserError(
        "there is no policy.yaml, so this is not a repository of records",
        where=folder,
        hint="cd into your clone of it, or name it: --repo DIR; `incident-ops init` begins a new one",
    )


def _bad_extends(document: Document) -> list[Finding]:
    """What is wrong with `extends`, reported before anything else: without it nothing else can be checked."""
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        return []
    presets = resources.preset_names()
    if "extends" not in data:
        hint = f"add a line such as `extends: sev0-3` (presets: {', '.join(presets)})"
        return _located(
            document, fault("missing-key", document.file, "the policy does not say which preset it extends", hint)
        )
    name = data["extends"]
    if name in presets:
        return []
    if isinstance(name, str) and ("/" in name or name.endswith((".yaml", ".yml")) or name == document.file):
        itself = name.removeprefix("./") in (document.file, document.file.rpartition("/")[2])
        message = "the policy extends itself" if itself else f"a policy extends a preset, not the file {name!r}"
        hint = f"write one of {', '.join(presets)}"
    else:
        message, hint = f"there is no preset {name!r}", did_you_mean(name, presets)
    return _located(document, fault("not-allowed", document.file, message, hint, route=("extends",)))


def _duplicate_ids(document: Document) -> Iterator[Finding]:
    """Two entries of one list with the same id: neither may win."""
    for route, entries in _lists(document.data, ()):
        seen: set[str] = set()
        for index, entry in enumerate(entries):
            if entry["id"] in seen:
                name = ".".join(str(step) for step in route if isinstance(step, str))
                message = f"{entry['id']!r} appears twice in {name}"
                yield from _located(
                    document,
                    fault("limits", document.file, message, "merge the two entries", route=(*route, index, "id")),
                )
            seen.add(entry["id"])


def _lists(data: Any, route: Route) -> Iterator[tuple[Route, list[Data]]]:
    """Every list whose entries have an id, at any depth, with its route."""
    if isinstance(data, list) and data and _by_id(data):
        yield route, data
    for step, inner in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from _lists(inner, (*route, step))


def _incomplete_new_entries(document: Document, resolved: Data) -> Iterator[Finding]:
    """Entries that are new against the preset and do not say what a new one must."""
    for route, keys in _NEW_ENTRIES:
        base = [entry["id"] for entry in _at(_preset(document.data["extends"]), route) or []]
        ids = [entry["id"] for entry in _at(document.data, route) or []]
        for entry in _at(resolved, route) or []:
            for key in (key for key in keys if key not in entry):
                message = f"{entry['id']!r} is not in preset {resolved['extends']}, and as a new entry it needs `{key}`"
                hint = did_you_mean(entry["id"], base)
                yield from _located(
                    document, fault("missing-key", document.file, message, hint, route=(*route, ids.index(entry["id"])))
                )
    for name in (name for name, calendar in resolved["calendars"].items() if "tz" not in calendar):
        message = f"calendar {name!r} is not in preset {resolved['extends']}, and as a new one it needs `tz`"
        yield from _located(
            document,
            fault("missing-key", document.file, message, "add e.g. `tz: Europe/Berlin`", route=("calendars", name)),
        )
    if not resolved["levels"]:
        yield from _located(
            document,
            fault("limits", document.file, "the policy has no levels", "define at least one", route=("levels",)),
        )


def _at(data: Any, route: Route) -> Any:
    for key in route:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _located(document: Document, finding: Finding) -> list[Finding]:
    return [finding.at(document.locate(finding.where))]


POLICY, SERVICES = SETTINGS_FILES


@dataclass(frozen=True)
class PolicyAndServices:
    """Policy and services as far as they could be read; `findings` says what is wrong."""

    policy: LoadedPolicy
    services: LoadedServices

    @property
    def findings(self) -> list[Finding]:
        """What is wrong with the two files."""
        return [*self.policy.findings, *self.services.findings]

    def require(self) -> tuple[Policy, Mapping[str, Service]]:
        """Both values. UserError with the first finding where one cannot be used."""
        if self.policy.policy is None or self.services.services is None:
            first = self.findings[0]
            raise UserError(first.message, hint=first.hint, where=str(first.where))
        services = self.services.services
        return with_teams(self.policy.policy, self.policy.resolved, services, self.services.teams), services

    @property
    def digest(self) -> str:
        """Changes when anything changes that a record is checked against."""
        services: Any = msgspec.to_builtins(self.services.services)
        services = [services, self.services.teams] if self.services.teams else services
        return (
            policy_digest(self.policy.resolved) + sha256(json.dumps(services, sort_keys=True).encode()).hexdigest()[:16]
        )

    @property
    def fingerprint(self) -> str:
        """Names everything but its own file that a record's entry depends on."""
        return f"{resources.resource_stamp()} {self.digest} {'schema only' if self.findings else 'judged'}"


def load_policy_and_services(store: Store) -> PolicyAndServices:
    """Reads policy.yaml and services.yaml. UserError where there is no policy at all."""
    policy = _text(store, POLICY)
    if policy is None:
        raise no_policy(str(store.root))
    services = _text(store, SERVICES)
    return PolicyAndServices(
        LoadedPolicy(None, {}, {}, [policy], None) if isinstance(policy, Finding) else load_policy(policy, POLICY),
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
        return fault("file", path, f"the file has over {MAX_BYTES:,} bytes", "none of it takes effect; make it smaller")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return fault("encoding", path, "the file is not UTF-8 text", "save it as UTF-8")
