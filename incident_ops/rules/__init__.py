"""The registry of rules over incident records, how they are run, and what people's comments suppress of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType, ModuleType
from typing import NamedTuple, Protocol

from incident_ops.domain.record import Crossings, Record, Silence, World
from incident_ops.findings import Finding, Level
from incident_ops.rules import base, silence_reason, silence_unused
from incident_ops.rules._support import rule_modules


class Rule(Protocol):
    """A rule over one record. Its module docstring is its documentation."""

    ID: str
    TIMED: bool

    def check(self, record: Record, world: World, /) -> Iterator[Finding]: ...


class CrossRule(Protocol):
    """A rule over all records together."""

    ID: str
    TIMED: bool

    def check_all(self, crossings: Crossings, /) -> Iterator[Finding]: ...


_MODULES = rule_modules(__name__, __path__)
_RECORD_MODULES = tuple(module for module in _MODULES if hasattr(module, "check"))
_CROSS_MODULES = tuple(module for module in _MODULES if hasattr(module, "check_all"))
_SILENCE_MODULES = tuple(module for module in _MODULES if hasattr(module, "check_silence"))

RULES: tuple[Rule, ...] = _RECORD_MODULES
CROSS_RULES: tuple[CrossRule, ...] = _CROSS_MODULES
_BY_TIMED = {timed: tuple(rule.check for rule in RULES if rule.TIMED is timed) for timed in (False, True)}


@dataclass(frozen=True, slots=True)
class RuleDoc:
    """A rule's row in the table of rules; `doc` is its documentation, a sentence first."""

    id: str
    levels: tuple[Level, ...]
    needs_base: bool = False
    needs_others: bool = False
    timed: bool = False
    doc: str = ""

    @property
    def sentence(self) -> str:
        """The first sentence of the documentation."""
        return " ".join(self.doc.strip().partition("\n\n")[0].split())


def document(module: ModuleType, *, needs_others: bool = False, needs_base: bool = False) -> RuleDoc:
    """The row of a rule's module."""
    levels = module.LEVEL if isinstance(module.LEVEL, tuple) else (module.LEVEL,)
    doc = (module.__doc__ or "").strip()
    return RuleDoc(module.ID, levels, needs_base, needs_others, timed=module.TIMED, doc=doc)


RULE_DOCS: Mapping[str, RuleDoc] = MappingProxyType(
    {module.ID: document(module) for module in _RECORD_MODULES}
    | {module.ID: document(module, needs_others=True) for module in _CROSS_MODULES}
    | {module.ID: document(module, needs_base=True) for module in base.MODULES}
    | {module.ID: document(module) for module in _SILENCE_MODULES}
)
SUPPRESSIBLE = frozenset(
    module.ID for module in (*_RECORD_MODULES, *_CROSS_MODULES) if not getattr(module, "NOT_SUPPRESSIBLE", False)
)
"""Rules that a comment may suppress on a line: all but those whose module sets NOT_SUPPRESSIBLE."""


def run(record: Record, world: World, *, timed: bool) -> list[Finding]:
    """Findings of one record, with its file filled in, positions still to be found.

    `timed` True runs only the rules whose answer depends on `world.now`, False only the others.
    """
    path = record.path
    return [
        replace(finding, where=replace(finding.where, file=path))
        for check in _BY_TIMED[timed]
        for finding in check(record, world)
    ]


def run_all(crossings: Crossings) -> list[Finding]:
    """Findings about all records together, each at the file it concerns."""
    return [finding for rule in CROSS_RULES for finding in rule.check_all(crossings)]


class SuppressedFinding(NamedTuple):
    """A finding that a person does not want to see, and why."""

    finding: Finding
    reason: str


def apply_suppressions(
    findings: Iterable[Finding],
    silences: Sequence[Silence],
    silenceable: Collection[str],
    every: Collection[str],
    unasked: Collection[str] = (),
) -> tuple[list[Finding], list[SuppressedFinding]]:
    """(what is left, with the findings about the comments themselves; what was suppressed).

    `silenceable` are the rules that may be suppressed, `unasked` those that may find something another time.
    """
    reasons = {
        (suppression.path, suppression.on, rule): suppression
        for suppression in silences
        if suppression.reason
        for rule in suppression.rules
    }
    left, silenced, used = [], [], set()
    for finding in findings:
        place = (finding.where.file, finding.where.line, finding.rule)
        by = reasons.get(place) if finding.rule in silenceable else None
        if by is None:
            left.append(finding)
        else:
            silenced.append(SuppressedFinding(finding, by.reason))
            used.add((by, finding.rule))
    for suppression in silences:
        left += silence_reason.check_silence(suppression)
        if suppression.reason:
            fine = {rule for rule in suppression.rules if rule in unasked or (suppression, rule) in used}
            left += silence_unused.check_silence(suppression, fine, silenceable, every)
    return left, silenced
