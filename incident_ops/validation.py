"""validate: every record of a store against schema and rules.

Joins reading and rules: `record_checker` makes each record's entry in the index, `validate_records` adds what depends
on the clock and on other records.

With a base, the rules about merged records run too. Only findings in a changed file, or caused by one, decide the exit
code: a broken file on main never blocks an incident at night.

A comment suppresses a rule: `# incident-ops: ignore[rule-id] reason`.
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
from incident_ops.domain.issue_places import IssuePlace, recorded_place
from incident_ops.domain.lifecycle import NEW
from incident_ops.domain.not_used_yet import value_at
from incident_ops.domain.record import Crossings, Link, Record, World, is_incident_id
from incident_ops.domain.time import SKEW, parse_instant, stamp
from incident_ops.findings import Finding, Level, Route, Where
from incident_ops.postmortem_lint.silenced import rules_of_the_lint
from incident_ops.records.accepted_part import accepted_part
from incident_ops.records.base_revision import Base, same_incident
from incident_ops.records.file_findings import FAULTS, fault
from incident_ops.records.history import merged_rows
from incident_ops.records.index import UNREADABLE, IndexEntry, RecordIndex, to_record
from incident_ops.records.merged_policies import may_rule, policies_since
from incident_ops.records.oncall import ONCALL, load_schedules, read_schedule
from incident_ops.records.planned_changes import FREEZE, MAINTENANCE, to_plan
from incident_ops.records.policy import PolicyAndServices
from incident_ops.records.schema import check_document
from incident_ops.records.schema_copies import stale_copies
from incident_ops.records.store import CheckRecord, Raw, Store, is_record
from incident_ops.records.suppressions import find_suppressions
from incident_ops.records.team_faults import dependency_faults, team_faults
from incident_ops.records.yaml_positions import comments
from incident_ops.records.yaml_reader import Document, place_at, read_bytes
from incident_ops.rules import SuppressedFinding, apply_suppressions, secret, text_safety, timeline_order
from incident_ops.rules import base as base_rules
from incident_ops.rules.oncall import ScheduleFile, check_schedule
from incident_ops.rules.oncall.known import check_references
from incident_ops.rules.policy import PolicyFile, limit_below_slo
from incident_ops.rules.policy.not_used_yet import not_used_yet
from incident_ops.rules.secret import find_secret
from incident_ops.rules.text_safety import find_unsafe

_DATE = re.compile(r"-(?<=([0-9]{4}-))([0-9]{2}-[0-9]{2})")  # starts at the hyphen: fewer candidates than digits
# a quoted text may spell a digit or hyphen of a date as an escape, e.g. `\x32`, or break it by `\` at a line's end
_HIDDEN_DAY = re.compile(r"\\(?:x[23]|u00[23]|U000000[23]|\r?\n)")
_NEVER = 2**62


@dataclass(frozen=True)
class ValidationReport:
    """What a validation found: the number of files checked, findings in printing order, and the suppressed ones."""

    files: int
    findings: tuple[Finding, ...]
    silenced: tuple[SuppressedFinding, ...] = ()

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(finding.level is Level.ERROR for finding in self.findings)

    @property
    def warnings(self) -> int:
        """How many findings are warnings."""
        return sum(finding.level is Level.WARNING for finding in self.findings)


def record_checker(setting: PolicyAndServices, now: datetime) -> CheckRecord:
    """Reads, checks and judges one record; only the schema is checked where policy or services are unusable."""
    world = None
    if not setting.findings:
        world = World(*setting.require(), now)

    def examine(path: str, blob: str, raw: Raw) -> IndexEntry:
        document = [raw] if isinstance(raw, Finding) else read_bytes(raw, path)
        if isinstance(document, list):
            return _unreadable(path, blob, document)
        if findings := check_document(document, "incident"):
            judged = _judged_part(path, document, findings, world) if world else []
            named = [_in_the_policys_words(finding, document, world) for finding in findings] if world else findings
            return _unreadable(path, blob, [*named, *judged], document.data)
        record = to_record(path, document.data)
        try:
            findings = rules.run(record, world, timed=False) if world else []
        except Exception as error:  # its rules are calculations too, and every command asks them
            finding = fault("calculation", path, why_unusable(record, error), at=(1, 1))
            return _unreadable(path, blob, [finding], document.data)
        is_over = world is not None and is_settled(record.incident, world.policy)
        settled = is_over and not _has_item_twice(record.incident)
        return IndexEntry(
            path,
            blob,
            record.incident.id,
            0 if settled else 1,
            _latest(document.text),
            [*_placed(document, findings), *_comment_hazards(document)],
            None if settled else document.data,
            _links(path, record.incident),
            find_suppressions(document.text, path),
            _issues_of(record.incident) if settled else (),
        )

    return examine


def _has_item_twice(incident: Incident) -> bool:
    """True where two items claim one issue, which `plan` tells of as long as it is so."""
    return len({item.id for item in incident.action_items}) < len(incident.action_items)


def _issues_of(incident: Incident) -> list[IssuePlace]:
    recorded = (incident.links.tracking_issue, *(item.issue for item in incident.action_items))
    return [place for place in map(recorded_place, recorded) if place is not None]


LOCAL_RULES = frozenset(
    ("label", "service-known", "contact-known", "text-safety", "secret", "timeline-order", "item-id", "id-folder")
)
"""Rules that look at single values, whatever else the record says."""


def _in_the_policys_words(finding: Finding, document: Document, world: World) -> Finding:
    """The finding; for a status of an item that is a word of the policy, the hint says what the record writes."""
    route = finding.where.route
    if finding.rule != "not-allowed" or len(route) != 3 or (route[0], route[2]) != ("action_items", "status"):
        return finding
    word = value_at(document.data, route)
    status = world.policy.action_items.status_typed(word) if isinstance(word, str) else None
    return replace(finding, hint=f"write {status}: {word} is a word of the policy for it") if status else finding


def _judged_part(path: str, document: Document, faults: list[Finding], world: World) -> list[Finding]:
    """What rules find in the parts of a record that the schema accepts, so that one run tells of all of it."""
    folder = path.split("/")[-2] if path.count("/") else ""
    stand_ins = {
        "id": folder if is_incident_id(folder) else "INC-0",
        "title": "unknown",
        "services": [*world.services][:1] or ["unknown"],
        "state": NEW,
        "times": {"declared": stamp(world.now)},
    }
    part = accepted_part(document, faults, stand_ins)
    if part is None:
        return []
    try:
        found = rules.run(to_record(path, part.data), world, timed=False)
    except Exception:  # the record is reported as one that cannot be read in any case
        return []
    kept = [
        finding
        for finding in _placed(document, found)
        if (part.has_course or finding.rule in LOCAL_RULES) and part.concerns(finding.where.route)
    ]
    silences = find_suppressions(document.text, path)
    every = rules.RULE_DOCS.keys() | FAULTS.keys() | rules_of_the_lint(silences)
    return apply_suppressions(kept, silences, rules.SUPPRESSIBLE, every, every)[0]


def validate_records(
    store: Store,
    setting: PolicyAndServices,
    index: RecordIndex,
    now: datetime,
    is_wanted: Callable[[str], bool] | None = None,
    base: Base | None = None,
    merged: Callable[[], str | None] = lambda: None,
) -> ValidationReport:
    """The report on an index and the other records.

    `is_wanted(path)` says which files are reported, default all. With a `base` the rules about merged records
    run, too, and what no change caused is a note. What the commit of `merged` holds is not asked to be put in order.
    """
    world = None if setting.findings else World(*setting.require(), now)
    findings = [*setting.findings, *index.findings()]
    if world:
        findings += _clock_findings(store, index, world)
        findings += _with_lines(store, rules.run_all(crossings(index)))
    findings += [finding for document in _settings(setting) for finding in _hazards(document)]
    others = [(path, kind) for path, kind in store.others() if is_wanted is None or is_wanted(path)]
    findings += [finding for path, kind in others for finding in _other_findings(store, path, kind, world)]
    findings += [*stale_copies(store, setting), *_not_used_yet(setting), *_gate_limit(setting), *team_faults(setting)]
    findings += [*dependency_faults(setting), *store.near_names()]
    findings += oncall_findings(store, setting, now, base)
    silenced: list[SuppressedFinding] = []
    if world:
        findings, silenced = _without_suppressed(findings, index, partial=is_wanted is not None)
        findings = _without_late_rows(findings, store, (lambda: base.commit) if base else merged)
    if base:
        findings = [
            *weighed_against_base(findings, base, index, record_checker(setting, now)),
            *base_findings(base, world, index),
        ]
    files = len(others) + (index.count() if is_wanted is None else sum(is_wanted(path) for path in index.paths()))
    return _report(files, findings, silenced, is_wanted or (lambda _path: True))


def _report(
    files: int, findings: Iterable[Finding], silenced: Iterable[SuppressedFinding], is_wanted: Callable[[str], bool]
) -> ValidationReport:
    """What is said of the files that are wanted, in order."""
    kept = (finding for finding in findings if is_wanted(finding.where.file))
    suppressed = (one for one in silenced if is_wanted(one.finding.where.file))
    return ValidationReport(
        files,
        tuple(sorted(kept, key=lambda finding: finding.sort_key)),
        tuple(sorted(suppressed, key=lambda one: one.finding.sort_key)),
    )


def _without_suppressed(
    findings: Iterable[Finding], index: RecordIndex, *, partial: bool
) -> tuple[list[Finding], list[SuppressedFinding]]:
    """Without what comments suppress. A rule that waits for a time, or for records left out, may find it later."""
    unasked = {name for name, rule in rules.RULE_DOCS.items() if rule.timed or (partial and rule.needs_others)}
    every = rules.RULE_DOCS.keys() | FAULTS.keys()
    silences = index.silences()
    unasked |= rules_of_the_lint(silences)
    return apply_suppressions(findings, silences, rules.SUPPRESSIBLE, every, unasked)


def _without_late_rows(findings: Iterable[Finding], store: Store, merged: Callable[[], str | None]) -> list[Finding]:
    """Without entries of a timeline below one that is merged: that one stays, so a late one has no other place."""
    counts: dict[str, int] = {}
    kept = []
    for finding in findings:
        file, route = finding.where.file, finding.where.route
        if finding.rule == timeline_order.ID and route[:1] == ("timeline",):
            if file not in counts:
                counts[file] = merged_rows(store.git, merged(), file, "timeline")
            if int(route[1]) <= counts[file]:
                continue
        kept.append(finding)
    return kept


def _unreadable(path: str, blob: str, findings: list[Finding], data: Any = None) -> IndexEntry:
    parts = path.split("/")
    name = data.get("id") if isinstance(data, dict) else None
    if not (isinstance(name, str) and is_incident_id(name)):
        name = next((part for part in reversed(parts[1:]) if is_incident_id(part)), None)
    return IndexEntry(path, blob, name, UNREADABLE, 0, findings, None, [])


def _placed(document: Document, findings: Iterable[Finding]) -> list[Finding]:
    return sorted(
        (finding.at(document.locate(finding.where)) for finding in findings), key=lambda finding: finding.sort_key
    )


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
    links = [
        Link(path, incident.id, "related", one.id, ("related", index, *(() if isinstance(written, str) else ("id",))))
        for index, (written, one) in enumerate(zip(incident.related, incident.relations, strict=True))
    ]
    for kind, target in (("duplicate_of", incident.duplicate_of), ("problem", incident.problem)):
        if target is not None:
            links.append(Link(path, incident.id, kind, target, (kind,)))
    return links


def _clock_findings(store: Store, index: RecordIndex, world: World) -> Iterator[Finding]:
    for record in index.live():
        yield from _clock_findings_of(store, record, world)
    for path in index.settled_after(int((world.now + SKEW).timestamp())):
        if (document := _document(store, path)) is not None:
            yield from _clock_findings_of(store, to_record(path, document.data), world)


def _clock_findings_of(store: Store, record: Record, world: World) -> list[Finding]:
    findings = rules.run(record, world, timed=True)
    document = _document(store, record.path) if findings else None
    return _placed(document, findings) if document else findings


def _with_lines(store: Store, findings: Iterable[Finding]) -> Iterator[Finding]:
    for finding in findings:
        document = _document(store, finding.where.file)
        yield finding.at(document.locate(finding.where)) if document else finding


def _document(store: Store, path: str) -> Document | None:
    raw = store.read(path)
    document = read_bytes(raw, path) if isinstance(raw, bytes) else None
    return document if isinstance(document, Document) else None


def _other_findings(store: Store, path: str, kind: str, world: World | None) -> list[Finding]:
    raw = store.read(path)
    if not isinstance(raw, bytes):
        return [raw] if raw else []
    if kind in (FREEZE, MAINTENANCE) and not path.endswith(".yaml"):
        folder, _, name = path.rpartition("/")
        stem = f"{folder}/{name.rpartition('.')[0] or name}" if folder else f"{path}/NAME"
        return [fault("near-name", path, "its name does not end in .yaml", f"rename it to {stem}.yaml")]
    document = read_bytes(raw, path)
    if isinstance(document, list):
        return document
    if kind == "gate":
        return [*_hazards(document), *_gate_findings(document, world)]
    found = check_document(document, kind)
    if not found and kind in (FREEZE, MAINTENANCE):
        found = _plan_findings(document, kind, world)
    return [*_hazards(document), *found]


def _settings(setting: PolicyAndServices) -> list[Document]:
    return [loaded.document for loaded in (setting.policy, setting.services) if loaded.document is not None]


def _hazards(document: Document) -> list[Finding]:
    """Secrets and characters that mislead, in the texts, keys and comments of a file beside the incidents."""
    found = [*secret.secrets_in(document.data), *text_safety.unsafe_in(document.data)]
    return [*_placed(document, found), *_comment_hazards(document)]


def _comment_hazards(document: Document) -> Iterator[Finding]:
    """Secrets and characters that mislead in comments, which are no part of the data."""
    text = document.text
    if "#" not in text or (find_unsafe(text) is None and find_secret(text) is None):
        return
    for comment in comments(text):
        for rule, find in ((secret, find_secret), (text_safety, find_unsafe)):
            if (found := find(comment[0])) is not None:
                at = comment.start() + found[0]
                where = Where(document.file, (), *place_at(text, at))
                yield Finding(rule.ID, rule.LEVEL, where, found[1], rule.HINT)


def _gate_findings(document: Document, world: World | None) -> list[Finding]:
    """Findings over a gate file; whether its data source is there only a usable policy can tell."""
    # the canary's statistics take long to load, and most repositories have no gate file
    from incident_ops.canary.config_check import check_gate_file, check_source
    from incident_ops.canary.length_check import check_counts, check_length
    from incident_ops.records.gate_file import gate_findings

    def judge(data: Mapping[str, Any], file: str) -> Iterator[Finding]:
        yield from check_gate_file(data, file)
        yield from check_length(data, file)
        yield from check_counts(data, file)
        if world:
            yield from check_source(data, file, world.policy)
        yield from not_used_yet("gate", data, file)

    return gate_findings(document, judge)


def _plan_findings(document: Document, kind: str, world: World | None) -> list[Finding]:
    """Findings over the times of a freeze or a maintenance window, and over what it names, as the gate reads them."""
    from incident_ops.deploy_gate.names import check_plan_names  # most runs have no such file that changed
    from incident_ops.deploy_gate.plan_check import check_plan

    plan, buffer = to_plan(document, kind), world.policy.maintenance.buffer if world else None
    found = [*check_plan(plan, document.file, buffer)]
    if world:
        found += check_plan_names(plan, document.file, world.policy, world.services, world.now)
    return _placed(document, found)


def oncall_findings(store: Store, setting: PolicyAndServices, now: datetime, base: Base | None = None) -> list[Finding]:
    """What the rules find in every schedule that can be read, and in what policy and services say of schedules."""
    schedules, policy = load_schedules(store), setting.policy.policy
    contacts = policy.contacts.people if policy else None
    found: list[Finding] = []
    for path in (path for path, kind in store.others() if kind == ONCALL):
        read, was = (read_schedule(raw, path) for raw in (store.read(path), base.before.get(path) if base else None))
        if read is not None:
            merged = was.schedule if was else None
            subject = ScheduleFile(path, read.schedule, now, contacts, schedules.by_name, merged)
            found += _placed(read.document, check_schedule(subject))
    for document in _settings(setting):
        found += _placed(document, check_references(document.data, document.file, schedules.names))
    return found


def validate_schedules(store: Store, setting: PolicyAndServices, now: datetime) -> tuple[list[Finding], int]:
    """Every finding about schedules and what names them, in printing order, and the number of their files."""
    paths = [path for path, kind in store.others() if kind == ONCALL]
    read = [finding for path in paths for finding in _other_findings(store, path, ONCALL, None)]
    found = [*read, *oncall_findings(store, setting, now)]
    return sorted(found, key=lambda finding: finding.sort_key), len(paths)


def _not_used_yet(setting: PolicyAndServices) -> Iterator[Finding]:
    """What policy and services set and nothing reads yet, where they can be used at all."""
    for kind, loaded in (("policy", setting.policy), ("services", setting.services)):
        if loaded.document is not None and not loaded.findings:
            yield from _placed(loaded.document, not_used_yet(kind, loaded.document.data, loaded.document.file))


def _gate_limit(setting: PolicyAndServices) -> Iterator[Finding]:
    loaded, known = setting.policy, setting.services.services or {}
    if loaded.policy is not None and loaded.document is not None and not loaded.findings:
        subject = PolicyFile(loaded.policy, loaded.own, loaded.resolved, loaded.document.file, known)
        yield from _placed(loaded.document, limit_below_slo.check(subject))


def crossings(index: RecordIndex) -> Crossings:
    """What is true of all records together."""
    return Crossings(index.clashes(), index.dangling(), index.links())


def base_findings(base: Base, world: World | None, index: RecordIndex) -> Iterator[Finding]:
    """What no merged record may have become, and what no new one may bring along, each at its place in the present
    file."""
    for was, now in base.pairs():
        if now is None and index.path_of(was.incident.id) is None:
            yield from base_rules.deleted(was)
            now = base.renamed(was)
        if now is not None:
            yield from _in_present(base, now, base_rules.compare(was, now, world))
    added = [*base.added()]
    policies = policies_since(base.git, base.tip, [new.incident for new in added], world.now) if world else []
    for new in added:
        found = base.deleted_before(new)
        if found and same_incident(found[0].incident, new.incident):
            yield from _in_present(base, new, base_rules.compare(found[0], new, world))
            continue
        findings = base_rules.reused(new, found[1]) if found else []
        if world:
            ruling = [one for one in policies if may_rule(one, new.incident, world.now)]
            findings += base_rules.added(new, ruling)
        yield from _in_present(base, new, findings)


def _in_present(base: Base, record: Record, findings: list[Finding]) -> Iterator[Finding]:
    raw = base.after.get(record.path) if findings else None
    document = read_bytes(raw, record.path) if isinstance(raw, bytes) else None
    for finding in findings:
        yield finding.at(document.locate(finding.where)) if isinstance(document, Document) else finding


def weighed_against_base(
    findings: Iterable[Finding], base: Base, index: RecordIndex, examine: CheckRecord
) -> Iterator[Finding]:
    """The findings; what no change since the base caused is a note."""
    earlier: set[tuple[str, str, Route, str]] | None = None
    for finding in findings:
        if finding.where.file in base.changed or (base.settings_changed and finding.rule in rules.RULE_DOCS):
            yield finding
            continue
        if finding.rule in rules.RULE_DOCS and rules.RULE_DOCS[finding.rule].needs_others:
            if earlier is None:
                earlier = {_key(old) for old in rules.run_all(crossings(_as_merged(base, index, examine)))}
            if _key(finding) not in earlier:
                yield finding
                continue
        yield replace(finding, level=Level.NOTE)


def _key(finding: Finding) -> tuple[str, str, Route, str]:
    return finding.where.file, finding.rule, finding.where.route, finding.message


def _as_merged(base: Base, index: RecordIndex, examine: CheckRecord) -> RecordIndex:
    """The index with every changed record as it was at the base."""
    merged = RecordIndex(index.to_bytes())
    for path in filter(is_record, base.changed):
        merged.drop(path)
        if path in base.before:
            merged.put(examine(path, "", base.before[path]))
    return merged
