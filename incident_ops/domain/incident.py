"""The incident record as values (docs/contract.md#record). Field names are the record's own.

Built from checked data only, so types here are what the schema allows and nothing is checked twice.
Instants stay text, so that a record comes out as it went in; `incident_ops.domain.time.instant` reads them.
"""

from __future__ import annotations

from typing import Any

import msgspec

Amount = int | float | str | None
"""A number, the word `unknown`, or absent."""


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of every value in the model: immutable, closed, and written back without the fields that were not set."""


class Targets(Value, frozen=True, kw_only=True):
    response: str | None = None
    resolution: str | None = None


class PolicyInForce(Value, frozen=True, kw_only=True):
    """The policy under which the incident was declared; its targets rule the incident's clocks."""

    scheme: str
    digest: str | None = None
    targets: Targets = Targets()


class Detection(Value, frozen=True, kw_only=True):
    source: str
    detail: str | None = None


class Times(Value, frozen=True, kw_only=True):
    """Instants of the first cycle; later cycles are in `cycles`."""

    declared: str
    started: str | None = None
    detected: str | None = None
    acknowledged: str | None = None
    assembled: str | None = None
    diagnosed: str | None = None
    mitigated: str | None = None
    restored: str | None = None
    resolved: str | None = None
    verified: str | None = None
    stood_down: str | None = None
    closed: str | None = None


class Roles(Value, frozen=True, kw_only=True):
    commander: str | None = None
    technical_lead: str | None = None
    communications_lead: str | None = None
    scribe: str | None = None
    others: dict[str, str] = {}


class Triage(Value, frozen=True, kw_only=True):
    """Answers to the triage questions (R11)."""

    users_percent: Amount = None
    feature: str | None = None
    data_risk: str | None = None
    revenue: bool | None = None
    reputation: bool | None = None
    slo: str | None = None
    sla: str | None = None
    ongoing: bool | None = None
    category: str | None = None


class Customer(Value, frozen=True, kw_only=True):
    vip: bool = False
    names: list[str] = []


class Users(Value, frozen=True, kw_only=True):
    count: Amount = None
    percent: Amount = None


class Revenue(Value, frozen=True, kw_only=True):
    amount: Amount = None
    currency: str | None = None
    per_minute: Amount = None


class Point(Value, frozen=True, kw_only=True, rename={"start": "from", "end": "to"}):
    start: str
    end: str
    value: Amount


class Series(Value, frozen=True, kw_only=True):
    name: str
    unit: str
    points: list[Point]


class ServiceImpact(Value, frozen=True, kw_only=True, rename={"start": "from", "end": "to"}):
    """How badly one service was hurt over one interval; no end while it goes on."""

    service: str
    degree: str
    start: str
    end: str | None = None


class Impact(Value, frozen=True, kw_only=True):
    summary: str | None = None
    services: list[ServiceImpact] = []
    users: Users | str | None = None
    failed_requests: Amount = None
    revenue: Revenue | str | None = None
    data_loss: str | None = None
    support_tickets: Amount = None
    support_tickets_increase_percent: Amount = None
    qualitative: list[str] = []
    budget_minutes: Amount = None
    series: list[Series] = []


class Event(Value, frozen=True, kw_only=True):
    """One line of the timeline (C21); append-only once merged."""

    at: str
    kind: str
    event: str
    action: str | None = None
    result: str | None = None
    by: str | None = None
    ref: str | None = None
    corrects: int | None = None


class Update(Value, frozen=True, kw_only=True):
    at: str
    audience: str
    status: str
    text: str
    eta: str | None = None


LABEL_FIELDS = ("severity", "priority")
"""The fields that give an incident its level."""


class Change(Value, frozen=True, kw_only=True, rename={"old": "from", "new": "to"}):
    """A change of a label, the state, services, title, visibility or a role, and of an item's title, due date,
    owner, priority or status; append-only. None = no value."""

    at: str
    field: str
    old: str | None
    new: str | None
    by: str | None = None
    reason: str | None = None


class Correction(Value, frozen=True, kw_only=True, rename={"old": "from", "new": "to"}):
    """How a merged instant is corrected: the value of the last correction holds."""

    at: str
    field: str
    old: str
    new: str
    by: str
    reason: str


class Pause(Value, frozen=True, kw_only=True, rename={"start": "from", "end": "to"}):
    start: str
    end: str | None = None
    waiting_for: str
    reason: str | None = None


class Cycle(Value, frozen=True, kw_only=True):
    reopened: str
    restored: str | None = None
    resolved: str | None = None
    verified: str | None = None
    closed: str | None = None


class Assignment(Value, frozen=True, kw_only=True):
    at: str
    to: str
    tier: int | None = None


class Escalation(Value, frozen=True, kw_only=True):
    at: str
    key: str
    rule: str
    reason: str
    from_tier: int | None = None
    to_tier: int | None = None
    notified: list[str] = []
    failed: list[str] = []
    noticed_at: str | None = None
    appropriate: bool | str | None = None


class Snooze(Value, frozen=True, kw_only=True):
    at: str | None = None
    until: str
    by: str
    reason: str


class Override(Value, frozen=True, kw_only=True):
    at: str
    by: str
    service: str
    environment: str
    sha: str
    reason: str
    expires: str


class DeadlineReport(Value, frozen=True, kw_only=True):
    """What was reported to whom it is owed; append-only once merged but for its reference."""

    id: str
    done_at: str
    by: str | None = None
    ref: str | None = None


class Why(Value, frozen=True, kw_only=True):
    why: str
    because: str


class Snippet(Value, frozen=True, kw_only=True):
    """A piece of code, which is shown and never run."""

    text: str
    language: str | None = None
    caption: str | None = None


class Cause(Value, frozen=True, kw_only=True):
    category: str
    what: str | None = None
    why: str | None = None
    where: str | None = None
    trigger: str | None = None
    contributing: list[str] = []
    five_whys: list[Why] = []
    snippets: list[Snippet] = []
    ref: str | None = None


class Resolution(Value, frozen=True, kw_only=True):
    immediate: str | None = None
    permanent: str | None = None
    deployed: str | None = None
    ref: str | None = None


ITEM_FIELDS = ("title", "due", "owner", "priority")
"""The fields of an action item whose changes it keeps."""


class ActionItem(Value, frozen=True, kw_only=True):
    id: str
    title: str
    owner: str | None = None
    due: str | None = None
    priority: str | None = None
    kind: str | None = None
    status: str = "open"
    horizon: str | None = None
    issue: int | str | None = None
    added: str | None = None
    description: str | None = None
    acceptance: str | None = None
    changes: list[Change] = []
    done_at: str | None = None
    done_by: str | None = None
    evidence: str | None = None
    reason: str | None = None

    @property
    def is_open(self) -> bool:
        """True until the item is done or will not be done."""
        return self.status in ("open", "in_progress")


class Lessons(Value, frozen=True, kw_only=True):
    technical: list[str] = []
    process: list[str] = []
    cultural: list[str] = []


class Measure(Value, frozen=True, kw_only=True):
    text: str
    done_at: str | None = None


class Prevention(Value, frozen=True, kw_only=True):
    short: list[Measure] = []
    medium: list[Measure] = []
    long: list[Measure] = []


class Postmortem(Value, frozen=True, kw_only=True):
    status: str
    authors: list[str] = []
    summary: str | None = None
    public_summary: str | None = None
    went_well: list[str] = []
    went_poorly: list[str] = []
    lucky: list[str] = []
    lessons: Lessons = Lessons()
    prevention: Prevention = Prevention()
    narrative: str | None = None
    attendees: list[str] = []
    conclusion: str | None = None
    meeting: str | None = None
    due: str | None = None
    reviewers: list[str] = []
    reviewed_at: str | None = None
    approved_by: str | None = None
    final_at: str | None = None
    follow_up_on: str | None = None


class NamedLink(Value, frozen=True, kw_only=True):
    name: str
    url: str


class Links(Value, frozen=True, kw_only=True):
    channel: str | None = None
    bridge: str | None = None
    dashboard: str | None = None
    pipeline: str | None = None
    logs: str | None = None
    status_page: str | None = None
    runbook: str | None = None
    runbook_updated: str | None = None
    kb: str | None = None
    tracking_issue: int | None = None
    others: list[NamedLink] = []


CAUSES, CAUSED_BY, DEPENDS_ON, SIMILAR = "causes", "caused_by", "depends_on", "similar"


class Relation(Value, frozen=True, kw_only=True):
    """Another incident, and what this one has to do with it."""

    id: str
    kind: str


class Source(Value, frozen=True, kw_only=True):
    system: str
    dedup_key: str | None = None


class Incident(Value, frozen=True, kw_only=True):
    """One incident record."""

    id: str
    title: str
    services: list[str]
    state: str
    times: Times
    severity: str | None = None
    priority: str | None = None
    description: str | None = None
    policy: PolicyInForce | None = None
    detection: Detection | None = None
    roles: Roles = Roles()
    triage: Triage | None = None
    customer: Customer = Customer()
    impact: Impact = Impact()
    timeline: list[Event] = []
    updates: list[Update] = []
    changes: list[Change] = []
    corrections: list[Correction] = []
    pauses: list[Pause] = []
    cycles: list[Cycle] = []
    assignments: list[Assignment] = []
    escalations: list[Escalation] = []
    snooze: Snooze | None = None
    overrides: list[Override] = []
    cause: Cause | None = None
    resolution: Resolution | None = None
    outcome: str = "fixed"
    tags: list[str] = []
    factors: dict[str, str] = {}
    imported: dict[str, Any] = {}
    action_items: list[ActionItem] = []
    postmortem: Postmortem | None = None
    links: Links = Links()
    related: list[Relation | str] = []
    duplicate_of: str | None = None
    problem: str | None = None
    public_status: str | None = None
    source: Source | None = None
    deadlines: list[DeadlineReport] = []
    visibility: str = "internal"
    drill: bool = False

    @property
    def is_closed(self) -> bool:
        """True in state closed; every other state is open."""
        return self.state == "closed"

    @property
    def relations(self) -> list[Relation]:
        """The related incidents; one that is named by its id alone is similar."""
        return [Relation(id=one, kind=SIMILAR) if isinstance(one, str) else one for one in self.related]

    @property
    def open_items(self) -> list[ActionItem]:
        """Action items not done yet, in the record's order."""
        return [item for item in self.action_items if item.is_open]
