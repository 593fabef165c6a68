"""The policy in force: scheme, levels, triage rules and the other blocks, as frozen values; and the services of
services.yaml: who owns each and what it needs (docs/contract.md#files).

Built from checked and resolved data by `incident_ops.records.policy`; nothing is checked twice here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from incident_ops.domain.incident import Incident, Value
from incident_ops.domain.lifecycle import counts
from incident_ops.domain.memo import memoised
from incident_ops.domain.notice_kinds import RINGING, way_of
from incident_ops.domain.policy_sections import (
    AROUND_THE_CLOCK,
    Access,
    ActionItems,
    AlarmPolicy,
    AutomationPolicy,
    Calendar,
    ChannelSettings,
    Contacts,
    Datasource,
    Documents,
    EscalationPolicy,
    Gate,
    Goals,
    Ids,
    Ingest,
    MaintenancePolicy,
    Notify,
    Publish,
    ReleaseTrain,
    Routing,
    Slo,
    States,
    Tracker,
    WriteBack,
)
from incident_ops.domain.teams import clock_service, each_once, united_contacts, united_ladder
from incident_ops.domain.time import duration


class Service(Value, frozen=True):
    """One service. `slo` in percent, or the path of an OpenSLO file; `pager_key_env` names an environment variable,
    never a key; `issues` the repository (`owner/name`) that has the issues of action items."""

    owner: str
    team: str | None = None
    tier: int | None = None
    slo: float | str | None = None
    paths: list[str] = []
    runbook: str | None = None
    depends_on: list[str] = []
    labels: dict[str, str] = {}
    public_name: str | None = None
    pager_key_env: str | None = None
    issues: str | None = None


Services = dict[str, Service]
"""Services by name, in the file's order."""


TIME_BUDGET, REQUEST_BUDGET = "time", "requests"


class Objective(NamedTuple):
    """`target_pct` in percent over a rolling `window` (seconds); `mode` TIME or REQUESTS (C19)."""

    target_pct: float
    window: int
    mode: str = TIME_BUDGET


NEXT_RELEASE = "next_release"
_DAYS_OF_TARGET = {"end_of_day": 0, "next_business_day": 1}


@lru_cache(maxsize=512)
def target_days(target: str) -> int | None:
    """For a target that ends at a closing time: of the how-manieth working day after the start (0 = that day itself).

    None for a duration and for `next_release`.
    """
    count, found, _ = target.partition("_business_day")
    return int(count) if found and count.isdecimal() else _DAYS_OF_TARGET.get(target)


class ResponsePhase(Value, frozen=True, rename={"start": "from", "end": "to"}):
    """A phase of the response, as durations since the declaration; `end` None = open."""

    id: str
    start: str
    end: str | None


class Cadence(Value, frozen=True):
    """Longest time between updates by audience; None = no clock. `public_max` is the outer limit of a range (C11)."""

    internal: str | None = None
    public: str | None = None
    public_max: str | None = None


class PostmortemDuty(Value, frozen=True):
    """Whether a postmortem is required, and the targets of its meeting and final text (C24)."""

    required: bool = False
    within: str | None = None
    final_within: str | None = None


class LevelPolicy(Value, frozen=True):
    """One level. `id` is the word records write; `rank` 1 is the worst. A target is a duration, a closing time
    (`target_days`), `next_release`, or None = no clock (C13). Without `declare` a record of this level is a ticket
    (`domain.ticket`)."""

    id: str
    rank: int
    label: str = ""
    definition: str | None = None
    examples: list[str] = []
    goal_text: str | None = None
    response: str | None = None
    resolution: str | None = None
    diagnosis: str | None = None
    phases: list[ResponsePhase] = []
    runbook_blocks: list[ResponsePhase] = []
    response_warn_at: str | None = None
    warn_at: str | None = None
    escalate_at: str | None = None
    stagnation: str | None = None
    defer_if_active_within: str | None = None
    update: Cadence = Cadence()
    calendar: str = "24x7"
    declare: bool = True
    ic: str = "optional"
    team: str | None = None
    audiences: list[str] = []
    channels: list[str] = []
    status_page: bool = False
    verify: bool = False
    postmortem: PostmortemDuty = PostmortemDuty()

    @property
    def ic_after(self) -> int | None:
        """Seconds after which somebody must be in command: 0 = at once, None = never (C32)."""
        if self.ic == "required":
            return 0
        _, colon, span = self.ic.partition(":")
        return duration(span) if colon else None

    @property
    def needs_commander(self) -> bool:
        """True where one is needed from the start, be it at once or within a time; not `after` a time only."""
        return self.ic == "required" or self.ic.startswith("within:")


_NOT_ASKED_OF_A_TICKET: dict[str, Any] = {
    "ic": "optional",
    "team": None,
    "status_page": False,
    "postmortem": PostmortemDuty(),
}
"""What a level that declares no incident asks for, whatever else the policy says of it."""


class Scheme(Value, frozen=True):
    """The named scheme; labels are compared only inside it (C1). `major` is a second scale beside it (R3)."""

    id: str
    version: int
    drives_clocks: str
    major: list[LevelPolicy] = []


class When(Value, frozen=True):
    """Conditions of a triage rule; all that are set must hold. `tier` is that of the most critical service."""

    users_pct: str | None = None
    feature: str | list[str] | None = None
    data_risk: str | list[str] | None = None
    slo: str | list[str] | None = None
    sla: str | list[str] | None = None
    revenue: bool | None = None
    reputation: bool | None = None
    ongoing: bool | None = None
    tier: int | list[int] | None = None


class TriageRule(Value, frozen=True):
    """One rule of the ordered list; `assumed` where the playbook leaves the case open."""

    when: When
    level: str
    major: str | None = None
    assumed: bool = False
    source: str | None = None


class DutyWhen(When, frozen=True):
    """Conditions of a deadline: those of a triage rule, by what was answered alone, and the rank of the level."""

    rank: int | list[int] | None = None


class AfterReport(Value, frozen=True):
    """What a deadline is counted from: the report that another one asks for."""

    deadline: str


class Deadline(Value, frozen=True, rename={"start": "from"}):
    """A report owed to others. `within` is a duration, or calendar months (`1 month`); None = no due instant.

    It holds for a record with one of the `tags`, or that meets `when`; for every one where neither is set; never for
    one with a tag of `unless`, nor for one declared before the day `since`.
    """

    id: str
    start: str | AfterReport = "detected"
    within: str | None = None
    when: DutyWhen | None = None
    tags: list[str] = []
    unless: list[str] = []
    since: str | None = None
    to: str | None = None
    source: str | None = None


class CausePrior(Value, frozen=True):
    """A common cause and how often it is the cause, in percent (R150)."""

    id: str
    label: str = ""
    prior_pct: float | None = None


class TriagePolicy(Value, frozen=True):
    within: str | None = None
    recent_changes: str | None = None
    unknown: str = "cautious"
    rules: list[TriageRule] = []
    causes: list[CausePrior] = []


class Policy(Value, frozen=True):
    """A resolved policy: preset and overrides, all values explicit.

    `teams` are the policies of the teams of services.yaml, `team_of` says which service has which; one that holds for
    an incident or a service (`for_incident`, `for_services`) has no `teams`. `tier_of` are the tiers of services, where
    a deadline asks for them.
    """

    scheme: Scheme
    levels: list[LevelPolicy]
    extends: str | None = None
    mode: str = "active"
    triage: TriagePolicy = TriagePolicy()
    escalation: EscalationPolicy = EscalationPolicy()
    states: States = States()
    calendars: dict[str, Calendar] = {}
    ids: Ids = Ids()
    action_items: ActionItems = ActionItems()
    maintenance: MaintenancePolicy = MaintenancePolicy()
    gate: Gate = Gate()
    slo: Slo = Slo()
    targets: Goals = Goals()
    documents: Documents = Documents()
    access: Access = Access()
    contacts: Contacts = Contacts()
    routing: Routing = Routing()
    tracker: Tracker = Tracker()
    notify: Notify = Notify()
    channels: dict[str, ChannelSettings] = {}
    ingest: Ingest = Ingest()
    publish: Publish = Publish()
    datasources: dict[str, Datasource] = {}
    releases: list[ReleaseTrain] = []
    deadlines: list[Deadline] = []
    write_back: WriteBack = WriteBack()
    automation: AutomationPolicy = AutomationPolicy()
    watch: AlarmPolicy = AlarmPolicy()
    teams: dict[str, Policy] = {}
    team_of: dict[str, str] = {}
    tier_of: dict[str, int] = {}

    def for_incident(self, incident: Incident) -> Policy:
        """The policy that holds for an incident: clocks and calendar of the team of its first service at the
        declaration, people, ladders and channels of the teams of all its services. Itself where there are no teams."""
        if not self.teams:
            return self
        return self._held(clock_service(incident), incident.services)

    def for_services(self, names: Sequence[str]) -> Policy:
        """The policy that holds for an incident of these services, the first of which decides clocks and calendar."""
        return self._held(next(iter(names), ""), names) if self.teams else self

    def teams_of(self, names: Sequence[str]) -> list[str] | None:
        """The teams of these services, each once; None where no service has one."""
        known = dict.fromkeys(self.team_of[name] for name in names if name in self.team_of)
        return [*known] if self.team_of else None

    def _held(self, first: str, names: Sequence[str]) -> Policy:
        of_people = dict.fromkeys(self.team_of.get(name, "") for name in names or (first,))
        return _held(self, self.teams.get(self.team_of.get(first, "")), *map(self.teams.get, of_people))

    @property
    def drives(self) -> str:
        """The field of a record that drives its clocks: `severity` or `priority` (C2)."""
        return self.scheme.drives_clocks

    @property
    def labels(self) -> list[str]:
        """The labels that drive clocks, worst first."""
        return [level.id for level in sorted(self.levels, key=lambda level: level.rank)]

    @property
    def major_labels(self) -> list[str]:
        """The labels of the second scale, worst first; empty where a scheme has one axis."""
        return [level.id for level in sorted(self.scheme.major, key=lambda level: level.rank)]

    def label_typed(self, text: str | None) -> str | None:
        """The label as the policy writes it, in whatever case it was typed; any other text stays as it is."""
        labels = {label.casefold(): label for label in (*self.labels, *self.major_labels)}
        return None if text is None else labels.get(text.casefold(), text)

    def driving_label(self, severity: str | None, priority: str | None) -> str | None:
        """Which of the two labels drives the clocks under this scheme; None where it is missing."""
        return priority if self.drives == "priority" else severity

    def label_of(self, incident: Incident) -> str | None:
        """The label of an incident that drives its clocks; None where it is missing."""
        return self.driving_label(incident.severity, incident.priority)

    def level_of(self, incident: Incident) -> LevelPolicy | None:
        """What holds for an incident with the labels it has now, as `duties` of the policy that holds for it."""
        return self.for_incident(incident).duties(incident.severity, incident.priority)

    def requires_postmortem(self, incident: Incident) -> bool:
        """True for a real incident of a level that asks for a postmortem."""
        level = self.level_of(incident)
        return level is not None and level.postmortem.required and counts(incident)

    def level(self, label: str | None) -> LevelPolicy | None:
        """The level of this very label, on either scale; None for an unknown one (C1: no aliases, no stripping)."""
        return next((level for level in (*self.levels, *self.scheme.major) if level.id == label), None)

    def duties(self, severity: str | None, priority: str | None) -> LevelPolicy | None:
        """What holds for a record with these labels; None where the driving label is missing or unknown.

        In a scheme with two scales the priority gives response, resolution, warning and escalation; a severity,
        where there is one, gives updates, diagnosis, audiences, channels, commander, team, status page and
        postmortem, and the worse of the two ranks counts (C2). Either of the two may declare an incident.
        """
        known = _duties_worked_out(self)
        if (severity, priority) not in known:
            known[severity, priority] = self._worked_out(severity, priority)
        return known[severity, priority]

    def _worked_out(self, severity: str | None, priority: str | None) -> LevelPolicy | None:
        label = self.driving_label(severity, priority)
        driving = next((level for level in self.levels if level.id == label), None)
        major = next((level for level in self.scheme.major if level.id == severity), None)
        if driving is None:
            return None
        both = driving if major is None else self._both(driving, major)
        return both if both.declare else msgspec.structs.replace(both, **_NOT_ASKED_OF_A_TICKET)

    @staticmethod
    def _both(driving: LevelPolicy, major: LevelPolicy) -> LevelPolicy:
        return msgspec.structs.replace(
            driving,
            declare=driving.declare or major.declare,
            rank=min(driving.rank, major.rank),
            diagnosis=major.diagnosis,
            phases=major.phases,
            update=major.update,
            ic=major.ic,
            team=major.team,
            audiences=major.audiences,
            channels=major.channels,
            status_page=major.status_page,
            verify=driving.verify or major.verify,
            postmortem=major.postmortem,
        )

    def wanted_priority(self, severity: str | None, priority: str | None) -> str | None:
        """The priority that the triage rules give beside this severity of a major incident; None where the priority
        of the record is as bad, or no rule gives that severity."""
        ladder = self.labels
        given = [rule.level for rule in self.triage.rules if severity is not None and rule.major == severity]
        mildest = max((ladder.index(label) for label in given if label in ladder), default=None)
        if mildest is None or priority not in ladder or ladder.index(priority) <= mildest:
            return None
        return ladder[mildest]

    def rings(self, channel: str) -> bool:
        """True for a channel that wakes people."""
        settings = self.channels.get(channel)
        return channel in RINGING if settings is None or settings.rings is None else settings.rings

    def way(self, kind: str, rank: int, *, is_ahead: bool = False) -> str:
        """How people hear of a notice of this kind and rank, as `way_of`."""
        return way_of(self.notify.kinds, kind, rank, is_ahead=is_ahead)

    def calendar(self, name: str) -> Calendar | None:
        """The calendar of this name; `24x7` is built in."""
        return AROUND_THE_CLOCK if name == "24x7" else self.calendars.get(name)

    @property
    def day_zone(self) -> ZoneInfo:
        """The zone in which days begin and end: that of calendar `business`; UTC where there is none."""
        business = self.calendar("business")
        try:
            return ZoneInfo(business.tz if business else "Etc/UTC")
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("Etc/UTC")  # `policy lint` reports a wrong zone


@memoised
def _duties_worked_out(policy: Policy) -> dict[tuple[str | None, str | None], LevelPolicy | None]:  # noqa: ARG001
    """What this very policy has answered of pairs of labels: every record asks it many times about few of them."""
    return {}


@memoised
def _held(policy: Policy, clocks: Policy | None, *people: Policy | None) -> Policy:
    """The policy that `clocks` rules (None: the whole repository's), with the people and channels of `people`."""
    parts = [part or policy for part in people]
    own = clocks or policy

    def all_channels(level: LevelPolicy) -> LevelPolicy:
        same = (part.level(level.id) for part in parts)
        return msgspec.structs.replace(level, channels=each_once(one.channels for one in same if one is not None))

    return msgspec.structs.replace(
        own,
        levels=[all_channels(level) for level in own.levels],
        scheme=msgspec.structs.replace(own.scheme, major=[all_channels(level) for level in own.scheme.major]),
        contacts=united_contacts([part.contacts for part in parts], policy.contacts.on_call),
        escalation=united_ladder([part.escalation for part in parts]),
        channels={name: settings for part in reversed(parts) for name, settings in part.channels.items()},
        teams={},
        team_of=policy.team_of,
        tier_of=policy.tier_of,
    )
