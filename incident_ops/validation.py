"""validate: every record of a store against schema and rules.

Joins reading and rules: `examiner` gives each record its entry in the catalogue, `validate` adds what depends on the
clock and on other records.

A state of the records against its base: the rules about merged records, and which findings a change brought about.

Only what stands in a changed file, or is caused by one, decides the exit code: a broken file on main
never blocks an incident at night.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from incident_ops import rules
from incident_ops.domain.as_of import is_settled
from incident_ops.domain.fence import why_unusable
from incident_ops.domain.incident import Incident
from incident_ops.domain.record import Crossings, Link, Record, World, is_incident_id
from incident_ops.domain.time import SKEW, parse_instant
from incident_ops.findings import Finding, Level, Route
from incident_ops.records.base_revision import Base
from incident_ops.records.file_findings import FAULTS, fault
from incident_ops.records.index import UNREADABLE, Catalogue, IndexEntry, to_record
from incident_ops.records.planned_changes import FREEZE, MAINTENANCE, to_plan
from incident_ops.records.policy import Setting
from incident_ops.records.schema import SCHEMA_KINDS, check_document, schema_text
from incident_ops.records.store import Examine, Raw, Store, is_record
from incident_ops.records.suppressions import silences
from incident_ops.records.yaml_reader import Document, read_bytes
from incident_ops.rules import base as base_rules
from incident_ops.rules.suppressions import Silenced, silence

_DATE = re.compile(r"-(?<=([0-9]{4}-))([0-9]{2}-[0-9]{2})")  # searched by its first hyphen, which is fast
_HIDDEN_DAY = re.compile(r"\\(?:x[23]|u00[23]|U000000[23]|\r?\n)")  # escapes that may spell a part of a date
_NEVER = 2**62


@dataclass(frozen=True)
class ValidationReport:
    """What a validation found: number of files looked at, findings in printing order, and what comments silence."""

    files: int
    findings: tuple[Finding, ...]
    silenced: tuple[Silenced, ...] = ()

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(one.level is Level.ERROR for one in self.findings)

    @property
    def warnings(self) -> int:
        """How many findings are warnings."""
        return sum(one.level is Level.WARNING for one in self.findings)


def examiner(setting: Setting, now: datetime) -> Examine:
    """Reads, checks and judges one record; only the schema is checked where policy or services are unusable."""
    world = None
    if not setting.findings:
        world = World(*setting.require(), now)

    def examine(path: str, blob: str, raw: Raw) -> IndexEntry:
        document = [raw] if isinstance(raw, Finding) else read_bytes(raw, path)
        if isinstance(document, list):
            return _unreadable(path, blob, document)
        if faults := check_document(document, "incident"):
            return _unreadable(path, blob, faults, document.data)
        record = to_record(path, document.data)
        try:
            found = rules.run(record, world, timed=False) if world else []
        except Exception as error:  # its rules are calculations too, and every command asks them
            told = fault("calculation", path, why_unusable(record, error), at=(1, 1))
            return _unreadable(path, blob, [told], document.data)
        settled = is_settled(record.incident)
        return IndexEntry(
            path,
            blob,
            record.incident.id,
            0 if settled else 1,
            _latest(document.text),
            _placed(document, found),
            None if settled else document.data,
            _links(path, record.incident),
            silences(document.text, path),
        )

    return examine


def validate_records(
    store: Store,
    setting: Setting,
    catalogue: Catalogue,
    now: datetime,
    asked: Callable[[str], bool] | None = None,
    base: Base | None = None,
) -> ValidationReport:
    """The report over a catalogue and the other records.

    `asked(path)` says which files are reported, without it all are. With a `base` the rules about merged records are
    asked, too, and what no change brought about is a note.
    """
    world = None if setting.findings else World(*setting.require(), now)
    found = [*setting.findings, *catalogue.findings()]
    if world:
        found += _timed(store, catalogue, world)
        found += _relocated(store, rules.run_all(crossings(catalogue)))
    others = [(path, kind) for path, kind in store.others() if asked is None or asked(path)]
    found += [one for path, kind in others for one in _other(store, path, kind, world)]
    found += _stale_schemas(store)
    silenced: list[Silenced] = []
    if world:
        found, silenced = _silenced(found, catalogue, partial=asked is not None)
    if base:
        found = [*weighed(found, base, catalogue, examiner(setting, now)), *against(base, world, catalogue)]
    files = len(others) + (catalogue.count() if asked is None else sum(asked(path) for path in catalogue.paths()))
    kept = sorted((one for one in found if asked is None or asked(one.where.file)), key=lambda one: one.sort_key)
    quiet = [one for one in silenced if asked is None or asked(one.finding.where.file)]
    return ValidationReport(files, tuple(kept), tuple(sorted(quiet, key=lambda one: one.finding.sort_key)))


def _silenced(found: Iterable[Finding], catalogue: Catalogue, *, partial: bool) -> tuple[list[Finding], list[Silenced]]:
    """Without what comments silence. A rule that waits for a time, or for records left out, may find it later."""
    unasked = {name for name, rule in rules.CATALOGUE.items() if rule.timed or (partial and rule.needs_others)}
    every = rules.CATALOGUE.keys() | FAULTS.keys()
    return silence(found, catalogue.silences(), rules.SILENCEABLE, every, unasked)


def _unreadable(path: str, blob: str, found: list[Finding], data: Any = None) -> IndexEntry:
    parts = path.split("/")
    name = data.get("id") if isinstance(data, dict) else None
    if not (isinstance(name, str) and is_incident_id(name)):
        name = parts[1] if len(parts) in (2, 3) and is_incident_id(parts[1]) else None
    return IndexEntry(path, blob, name, UNREADABLE, 0, found, None, [])


def _placed(document: Document, found: Iterable[Finding]) -> list[Finding]:
    return sorted((one.at(document.locate(one.where)) for one in found), key=lambda one: one.sort_key)


def _latest(text: str) -> int:
    """An instant after every date named in a record's text, seconds of the epoch; 0 where none is.

    Two days after the last date: the end of that day, wherever on earth. Later than needed only costs a second look.
    """
    if "\\" in text and _HIDDEN_DAY.search(text):
        return _NEVER
    latest = "".join(max(_DATE.findall(text), default=()))
    try:
        return int(parse_instant(f"{latest}T00:00:00Z").timestamp()) + 2 * 86_400 if latest else 0
    except ValueError:
        return _NEVER


def _links(path: str, incident: Incident) -> list[Link]:
    found = [
        Link(path, incident.id, "related", target, ("related", index)) for index, target in enumerate(incident.related)
    ]
    for kind, target in (("duplicate_of", incident.duplicate_of), ("problem", incident.problem)):
        if target is not None:
            found.append(Link(path, incident.id, kind, target, (kind,)))
    return found


def _timed(store: Store, catalogue: Catalogue, world: World) -> Iterator[Finding]:
    for record in catalogue.live():
        yield from _timed_of(store, record, world)
    for path in catalogue.settled_after(int((world.now + SKEW).timestamp())):
        if (document := _document(store, path)) is not None:
            yield from _timed_of(store, to_record(path, document.data), world)


def _timed_of(store: Store, record: Record, world: World) -> list[Finding]:
    found = rules.run(record, world, timed=True)
    document = _document(store, record.path) if found else None
    return _placed(document, found) if document else found


def _relocated(store: Store, found: Iterable[Finding]) -> Iterator[Finding]:
    for one in found:
        document = _document(store, one.where.file)
        yield one.at(document.locate(one.where)) if document else one


def _document(store: Store, path: str) -> Document | None:
    raw = store.read(path)
    document = read_bytes(raw, path) if isinstance(raw, bytes) else None
    return document if isinstance(document, Document) else None


def _other(store: Store, path: str, kind: str, world: World | None) -> list[Finding]:
    raw = store.read(path)
    if not isinstance(raw, bytes):
        return [raw] if raw else []
    document = read_bytes(raw, path)
    if isinstance(document, list):
        return document
    if kind == "gate":
        return _gate(document, world)
    return check_document(document, kind) or (_planned(document, kind, world) if kind in (FREEZE, MAINTENANCE) else [])


def _gate(document: Document, world: World | None) -> list[Finding]:
    """Findings over a gate file; whether its data source is there only a usable policy can tell."""
    from incident_ops.canary import config_check
    from incident_ops.records.gate_file import gate_findings

    def judge(data: Mapping[str, Any], file: str) -> Iterator[Finding]:
        yield from config_check.check_gate_file(data, file)
        if world:
            yield from config_check.check_source(data, file, world.policy)

    return gate_findings(document, judge)


def _planned(document: Document, kind: str, world: World | None) -> list[Finding]:
    """Findings over the times of a freeze or a maintenance window, as the gate reads them."""
    from incident_ops.deploy_gate import plan_check

    buffer = world.policy.maintenance.buffer if world else None
    return _placed(document, plan_check.check_plan(to_plan(document, kind), document.file, buffer))


def _stale_schemas(store: Store) -> Iterator[Finding]:
    for kind in SCHEMA_KINDS:
        path = f"schemas/{kind}.schema.json"
        raw = store.read(path)
        if isinstance(raw, bytes) and raw != schema_text(kind).encode():
            message = "this copy for editors differs from the schema of the installed program"
            yield fault("schema-copy", path, message, "copy it again; the installed one is used", at=(1, 1))


def crossings(catalogue: Catalogue) -> Crossings:
    """What is true of all records together."""
    return Crossings(catalogue.clashes(), catalogue.dangling(), catalogue.links())


def against(base: Base, world: World | None, catalogue: Catalogue) -> Iterator[Finding]:
    """What no merged record may have become, each at its place in the present file."""
    for was, now in base.pairs():
        if now is None and catalogue.path_of(was.incident.id) is None:
            yield from base_rules.deleted(was)
            now = base.renamed(was)
        if now is None:
            continue
        found = base_rules.compare(was, now, world)
        raw = base.after.get(now.path) if found else None
        document = read_bytes(raw, now.path) if isinstance(raw, bytes) else None
        for one in found:
            yield one.at(document.locate(one.where)) if isinstance(document, Document) else one


def weighed(found: Iterable[Finding], base: Base, catalogue: Catalogue, examine: Examine) -> Iterator[Finding]:
    """The findings; what no change since the base brought about as a note."""
    earlier: set[tuple[str, str, Route, str]] | None = None
    for one in found:
        if one.where.file in base.changed or (base.judges_anew and one.rule in rules.CATALOGUE):
            yield one
            continue
        if one.rule in rules.CATALOGUE and rules.CATALOGUE[one.rule].needs_others:
            if earlier is None:
                earlier = {_key(old) for old in rules.run_all(crossings(_as_merged(base, catalogue, examine)))}
            if _key(one) not in earlier:
                yield one
                continue
        yield replace(one, level=Level.NOTE)


def _key(one: Finding) -> tuple[str, str, Route, str]:
    return one.where.file, one.rule, one.where.route, one.message


def _as_merged(base: Base, catalogue: Catalogue, examine: Examine) -> Catalogue:
    """The catalogue with every changed record as it was."""
    merged = Catalogue(catalogue.to_bytes())
    for path in filter(is_record, base.changed):
        merged.drop(path)
        if path in base.before:
            merged.put(examine(path, "", base.before[path]))
    return merged
