"""The rules of completeness: what a reader looks for in a postmortem, and the ten quality gates they make up."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from incident_ops.domain.as_of import corrected_instants
from incident_ops.domain.incident import Incident
from incident_ops.domain.time import UNKNOWN, parse_instant
from incident_ops.findings import Route
from incident_ops.postmortem_lint.language import ABOUT_EVENTS, ABOUT_PEOPLE, ABOUT_REMEDIES
from incident_ops.postmortem_lint.remarks import Remark
from incident_ops.postmortem_lint.structure import says_something

GATES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "severity documented": frozenset({"part-severity"}),
        "timeline complete": frozenset({"part-timeline"}),
        "root cause found": frozenset({"part-cause", "cause-trigger-only", "whys-end-in-person"}),
        "impact in figures": frozenset({"part-impact"}),
        "blameless": frozenset({*ABOUT_PEOPLE, *ABOUT_EVENTS, "whys-end-in-person"}),
        "action items specific": frozenset({"part-actions", "action-vague", "action-training-only", *ABOUT_REMEDIES}),
        "owner and day for each item": frozenset({"part-actions", "action-owner", "action-due"}),
        "lessons written down": frozenset({"part-lessons", "part-postmortem"}),
        "communication documented": frozenset({"part-communication"}),
        "runbook brought up to date": frozenset({"part-runbook"}),
    }
)
"""The quality gates of a postmortem, and the rules that hold each."""


def open_gates(rules: Collection[str]) -> tuple[str, ...]:
    """The gates that are not passed where these rules found something."""
    return tuple(gate for gate, of in GATES.items() if not of.isdisjoint(rules))


def completeness_remarks(data: Mapping[str, Any], incident: Incident) -> Iterator[Remark]:
    """What the rules of completeness miss in a record, given as its data and as the incident made from it."""
    postmortem = data.get("postmortem")
    at: Route = ("postmortem",) if isinstance(postmortem, Mapping) else ()
    parts: Mapping[str, Any] = postmortem if isinstance(postmortem, Mapping) else {}
    if incident.severity is None and incident.priority is None:
        yield Remark("part-severity", ())
    yield from _missing_parts(parts, at) if at else [Remark("part-postmortem", ())]
    if missing := "; ".join(_timeline_gaps(incident)):
        yield Remark("part-timeline", ("timeline",), missing)
    if incident.cause is None or not (_known(incident.cause.what) or _known(incident.cause.why)):
        yield Remark("part-cause", ("cause",))
    if missing := ", ".join(_figures_missing(data)):
        yield Remark("part-impact", ("impact",), f"missing: {missing}")
    if not incident.action_items:
        yield Remark("part-actions", ())
    if not incident.updates and all(row.kind != "communication" for row in incident.timeline):
        yield Remark("part-communication", ())
    if incident.links.runbook_updated is None and not _runbook_items(incident):
        yield Remark("part-runbook", ("links",))


def _missing_parts(parts: Mapping[str, Any], at: Route) -> Iterator[Remark]:
    """What a postmortem does not say."""
    if not says_something(parts.get("summary")):
        yield Remark("part-summary", at)
    if not says_something(parts.get("went_poorly")):
        yield Remark("part-went-poorly", (*at, "went_poorly") if "went_poorly" in parts else at)
    lessons = parts.get("lessons")
    if not any(says_something(kind) for kind in (lessons.values() if isinstance(lessons, Mapping) else ())):
        yield Remark("part-lessons", at)


def _known(text: str | None) -> bool:
    return text != UNKNOWN and says_something(text)


def _runbook_items(incident: Incident) -> bool:
    return any(item.kind == "runbook" or "runbook" in item.title.lower() for item in incident.action_items)


def _timeline_gaps(incident: Incident) -> Iterator[str]:
    """What a timeline lacks between the first sign and the end."""
    rows = [parse_instant(row.at) for row in incident.timeline]
    if not rows:
        yield "it has no entry"
        return
    instants = corrected_instants(incident)
    if all(row.kind != "detection" for row in incident.timeline):
        yield "no entry says how the incident was detected"
    begin = _instant(instants, "detected") or _instant(instants, "declared")
    if begin is not None and min(rows) > begin:
        yield "it begins after the incident was detected"
    end = _instant(instants, "restored") or _instant(instants, "resolved")
    if end is not None and max(rows) < end:
        yield "it ends before service was restored"


def _instant(instants: Mapping[str, str], name: str) -> datetime | None:
    text = instants.get(f"times.{name}")
    return None if text is None or text == UNKNOWN else parse_instant(text)


def _figures_missing(data: Mapping[str, Any]) -> Iterator[str]:
    """Users, revenue and what the incident did to the SLO, where the record gives no figure or answer."""
    impact, triage = data.get("impact"), data.get("triage")
    impact = impact if isinstance(impact, Mapping) else {}
    triage = triage if isinstance(triage, Mapping) else {}
    if not (_has_figure(impact.get("users")) or triage.get("users_percent") is not None):
        yield "users"
    if not _has_figure(impact.get("revenue")):
        yield "revenue"
    if not (_has_figure(impact.get("budget_minutes")) or triage.get("slo") is not None):
        yield "SLO"


def _has_figure(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(_has_figure(part) for part in value.values())
    return isinstance(value, int | float) and not isinstance(value, bool)
