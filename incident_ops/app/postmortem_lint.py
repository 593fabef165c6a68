"""Postmortems put to the rules of `postmortem lint`: each finding at its sentence, without what people silenced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from incident_ops.app.edit_record import find_record
from incident_ops.app.workspace import Workspace
from incident_ops.domain.fence import Unusable, evaluate_each
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Record, Silence, Unread
from incident_ops.findings import Finding, Where
from incident_ops.postmortem_lint.catalogue import LINT_RULES
from incident_ops.postmortem_lint.check import lint_record, to_finding
from incident_ops.postmortem_lint.completeness import open_gates
from incident_ops.postmortem_lint.remarks import Remark
from incident_ops.records.file_findings import FAULTS
from incident_ops.records.history import every_record, read_record
from incident_ops.records.suppressions import find_suppressions
from incident_ops.records.text_offsets import source_index
from incident_ops.records.yaml_positions import find_node, nodes
from incident_ops.records.yaml_reader import Document, place_at, read_bytes
from incident_ops.rules import RULE_DOCS, SuppressedFinding, apply_suppressions


class LintedPostmortem(NamedTuple):
    """What was found in one record. `remarks` are the findings with their sentences, in the same order; `findings` also
    has what is wrong with comments that silence, behind them. `open_gates` are the quality gates that are not passed.
    """

    incident: str
    path: str
    remarks: tuple[Remark, ...]
    findings: tuple[Finding, ...]
    silenced: tuple[SuppressedFinding, ...]
    open_gates: tuple[str, ...]


class LintReport(NamedTuple):
    """The postmortems that were linted, by path; the records that could not be; where the folder lies in its git."""

    postmortems: tuple[LintedPostmortem, ...]
    unread: tuple[Unread, ...]
    prefix: str

    @property
    def findings(self) -> list[Finding]:
        """Every finding, in printing order."""
        return sorted((one for each in self.postmortems for one in each.findings), key=lambda one: one.sort_key)

    @property
    def silenced(self) -> list[SuppressedFinding]:
        """Everything that was silenced, in printing order."""
        found = (one for each in self.postmortems for one in each.silenced)
        return sorted(found, key=lambda one: one.finding.sort_key)


def lint_postmortems(workspace: Workspace, incidents: Sequence[str] = ()) -> LintReport:
    """Lints the records of `incidents`, else every one that has a postmortem, or whose level asks for one once it is
    resolved. UserError for an incident that is not there."""
    policy, _ = workspace.judged_by
    records = (
        [read_record(workspace.store, path) for path in dict.fromkeys(find_record(workspace, one) for one in incidents)]
        if incidents
        else (record for record in every_record(workspace.store, workspace.catalogue) if _is_asked(record, policy))
    )
    done: list[LintedPostmortem] = []
    broken: tuple[Unread, ...] = ()
    try:
        done.extend(evaluate_each(records, lambda record: _lint(workspace, record, policy)))
    except Unusable as error:
        broken = error.unread
    unread = sorted([*(() if incidents else workspace.catalogue.unreadable()), *broken])
    return LintReport(tuple(done), tuple(unread), workspace.git.prefix if workspace.git else "")


def _is_asked(record: Record, policy: Policy) -> bool:
    incident = record.incident
    is_over = incident.is_closed or incident.times.resolved is not None
    return incident.postmortem is not None or (is_over and policy.requires_postmortem(incident))


def _lint(workspace: Workspace, record: Record, policy: Policy) -> LintedPostmortem:
    remarks = list(lint_record(record.data, record.incident, policy.for_incident(record.incident)))
    raw = workspace.store.read(record.path)
    document = read_bytes(raw, record.path) if isinstance(raw, bytes) else None
    if not isinstance(document, Document):  # read a moment ago; its findings then stand without a line
        findings = tuple(to_finding(remark, record.path) for remark in remarks)
        return LintedPostmortem(record.incident.id, record.path, tuple(remarks), findings, (), _gates(findings))
    placed = sorted(_placed(document, remarks), key=lambda pair: pair[0].sort_key)
    silences = find_suppressions(document.text, record.path)
    return _judged(record, document, placed, silences)


def _judged(
    record: Record, document: Document, placed: Sequence[tuple[Finding, Remark]], silences: Sequence[Silence]
) -> LintedPostmortem:
    """The findings, without those that comments silence."""
    moved = {_at_comment(document, finding, silences): (finding, remark) for finding, remark in placed}
    others = (RULE_DOCS.keys() | FAULTS.keys()) - LINT_RULES.keys()
    left, silenced = apply_suppressions(moved, silences, LINT_RULES.keys(), others, others)
    kept = [moved[finding] for finding in left if finding in moved]
    about_comments = [finding for finding in left if finding not in moved]
    findings = tuple(finding for finding, _ in kept)
    return LintedPostmortem(
        record.incident.id,
        record.path,
        tuple(remark for _, remark in kept),
        (*findings, *about_comments),
        tuple(SuppressedFinding(moved[one.finding][0], one.reason) for one in silenced),
        _gates(findings),
    )


def _gates(findings: Sequence[Finding]) -> tuple[str, ...]:
    return open_gates({finding.rule for finding in findings})


def _placed(document: Document, remarks: Sequence[Remark]) -> Iterator[tuple[Finding, Remark]]:
    top = nodes(document.text) if any(remark.offset for remark in remarks) else None
    for remark in remarks:
        finding = to_finding(remark, document.file)
        where = document.locate(finding.where)
        if top is not None and remark.offset:
            node = find_node(top, remark.route)
            value = document.data
            for step in remark.route:
                value = value[step]
            line, column = place_at(document.text, source_index(document.text, node, value, remark.offset))
            where = Where(document.file, remark.route, line, column)
        yield finding.at(where), remark


def _at_comment(document: Document, finding: Finding, silences: Sequence[Silence]) -> Finding:
    """The finding; where a comment at the beginning of its text silences its rule, at that line.

    Inside a text of several lines nothing is a comment, so it stands at the key, or above it.
    """
    if not silences:
        return finding
    begin = document.locate(Where(document.file, finding.where.route, on_key=True))
    if any(silence.on == begin.line and finding.rule in silence.rules for silence in silences):
        return finding.at(Where(document.file, finding.where.route, begin.line, finding.where.column))
    return finding
