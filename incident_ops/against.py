"""A state of the records against its base: the rules about merged records, and which findings a change brought about.

Only what stands in a changed file, or is caused by one, decides the exit code: a broken file on main
never blocks an incident at night.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from incident_ops import rules
from incident_ops.findings import Finding, Level, Route
from incident_ops.model.record import Crossings, World
from incident_ops.records.base import Base
from incident_ops.records.catalogue import Catalogue
from incident_ops.records.read import Document, read_bytes
from incident_ops.records.store import Examine, is_record
from incident_ops.rules import base as base_rules


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
