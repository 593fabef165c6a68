"""The smaller blocks of a policy (docs/contract.md#policy), each a value of its own.

Durations stay text (`15m`, `1h30m`); `incident_ops.domain.time.duration` reads them. None means that the policy says
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from msgspec import field

from incident_ops.domain.incident import Value
from incident_ops.domain.notice_kinds import WaysByRank
from incident_ops.domain.oncall import WhoIsOnCall, schedule_named
from incident_ops.domain.time import parse_date

OPEN_STATE, AFTER = "open", "after"
"""When a checklist is shown: while the incident is not resolved, or once it is."""

ITEM_STATUSES = ("open", "in_progress", "done", "wont_do")

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Pattern(Value, frozen=True):
    """`count` similar incidents within `window` are one pattern (R62, R230)."""

    count: int | None = None
    window: str | None = None


ON_CALL = "on_call"
"""The role of whoever is called first."""
WaitByLevel = str | dict[str, str | None]
"""A duration for every level, or for each of those it names."""


class Tier(Value, frozen=True):
    """One step of the escalation ladder (R65). `pager_key_env` names the variable with the key of its own pager."""

    id: str
    tier: int
    kind: str = "tier"
    label: str = ""
    notify: list[str] = []
    wait: WaitByLevel | None = None
    repeat_max: int | None = None
    ack_timeout: str | None = None
    pager_key_env: str | None = None

    def wait_at(self, level: str) -> str | None:
        """How long this step has to answer for an incident of a level; None where nobody waits for it."""
        return self.wait.get(level) if isinstance(self.wait, dict) else self.wait

    @property
    def is_own(self) -> bool:
        """True for people of the team itself: neither specialists nor a vendor."""
        return self.kind == "tier"


def next_tier(tier: int | None, tiers: Iterable[Tier]) -> int | None:
    """The lowest tier above one; None at the top, and where there is no ladder."""
    return min((entry.tier for entry in tiers if tier is not None and entry.tier > tier), default=None)


def step_after(tier: int | None, tiers: Iterable[Tier], level: str) -> int | None:
    """The tier that is notified where one does not answer: specialists and vendors are asked for by rules and by
    people, and are passed over unless they have a time to answer. None after the last step."""
    return next_tier(tier, (entry for entry in tiers if entry.is_own or entry.wait_at(level)))


class EscalationPolicy(Value, frozen=True):
    """What makes an incident climb (R58-R62); marks by level are in `LevelPolicy`.

    `repeat`: how often the whole ladder begins again where nobody answers; `fallback`: whom to notify where none of its
    steps has anybody, a role, a handle or a channel.
    """

    reassignments_gt: int | None = None
    keywords: list[str] = []
    vip: list[str] = []
    pattern: Pattern = Pattern()
    tiers: list[Tier] = []
    repeat: int = 0
    fallback: str | None = None


class ReopeningWord(Value, frozen=True):
    """The word with which a comment reopens a closed incident, and who may say it: `team` or `everyone`; the label with
    which the team does, None for none."""

    word: str = "/reopen"
    by: str = "team"
    label: str | None = None


class States(Value, frozen=True):
    """Lifecycle numbers (R79-R81, R87); `edges` are texts such as `new -> triaged`."""

    edges: list[str] = []
    pausing: list[str] = []
    stopping: list[str] = []
    auto_close: str | None = None
    auto_pending: str | None = None
    auto_reopen: str | None = None
    reopen: ReopeningWord = ReopeningWord()
    stable_for: str | None = None

    @property
    def moves(self) -> frozenset[tuple[str, str]]:
        """The edges as pairs (from, to)."""
        return frozenset((left, right) for left, _, right in (edge.partition(" -> ") for edge in self.edges))


class Calendar(Value, frozen=True):
    """Working hours in one IANA zone; `hours` by day are texts `09:00-17:00`, `24:00` is the day's end."""

    tz: str
    hours: dict[str, list[str]] = {}
    holidays: list[str] = []

    def windows(self, weekday: int) -> list[tuple[int, int]]:
        """Open windows of a day (0 = Monday) as minutes since its midnight, in order; reversed ones are left out."""
        spans = (tuple(_minutes(part) for part in text.split("-")) for text in self.hours.get(DAYS[weekday], []))
        return sorted((start, end) for start, end in spans if start < end)

    @property
    def days_off(self) -> frozenset[date]:
        """The holidays as dates."""
        return frozenset(parse_date(day) for day in self.holidays)


def _minutes(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)


AROUND_THE_CLOCK = Calendar(tz="Etc/UTC", hours={day: ["00:00-24:00"] for day in DAYS})
"""The calendar called 24x7; it is built in and cannot be redefined."""


class Ids(Value, frozen=True):
    incident: str = "INC-YYYYMMDD-HHMMSS"
    change: str = "CHG-YYYY-NNNN"
    problem: str = "PRB-YYYY-NNNN"


class ActionItems(Value, frozen=True):
    """Follow-up work (R193, R194); priorities are the items' own, not the incident's (C22).

    `statuses`: other words for a status -> the record's word.
    """

    statuses: dict[str, str] = {}
    priorities: list[str] = []
    due_by_priority: dict[str, str | None] = {}
    metric_days: int | None = None

    def status_typed(self, word: str) -> str | None:
        """The record's word for a status, for that word or another one, in any case; None for no status."""
        words = {_plain(one): status for one, status in self.statuses.items()} | {one: one for one in ITEM_STATUSES}
        return words.get(_plain(word))

    def word_for(self, status: str) -> str | None:
        """The last word that the policy names for a status: a user's own come after those of the preset."""
        return next((word for word, meant in reversed(self.statuses.items()) if meant == status), None)


def _plain(word: str) -> str:
    return "_".join(word.casefold().replace("-", " ").replace("_", " ").replace("\u2019", "'").split())


class MaintenanceNotice(Value, frozen=True):
    """A message about a window; `when` is a time before its start, or `start`, or `end` (R223)."""

    id: str
    when: str
    title: str
    channels: list[str] = []
    status_page: bool = False


class UsualWindow(Value, frozen=True):
    tz: str | None = None
    day: str | None = None
    hours: str | None = None


class ChecklistItem(Value, frozen=True):
    id: str
    text: str


class MaintenancePolicy(Value, frozen=True):
    notices: list[MaintenanceNotice] = []
    buffer: str | None = None
    usual_window: UsualWindow = UsualWindow()
    approvals: list[str] = []
    checklist: list[ChecklistItem] = []
    checklist_due: str | None = None


class BurnRate(Value, frozen=True):
    """The error budget burns too fast at `rate` times the even pace or more, in both windows (durations)."""

    rate: float
    long: str
    short: str


class Gate(Value, frozen=True):
    """What holds a deploy."""

    steps: list[int] = []
    observe: str | None = None
    max_error_pct: float | None = None
    after_rollout_pct: float | None = None
    environment: str = "production"
    canary_environment: str | None = None
    environments: list[str] = []
    block_on_open_rank: int | None = None
    dependency_depth: int = 1
    budget: str = "ignore"
    burn_rates: list[BurnRate] = []
    deploy_calendar: str | None = None
    max_age: str = "3h"


class Slo(Value, frozen=True):
    target_pct: float | None = None
    window: str | None = None
    mode: str = "time"


class ResolutionShare(Value, frozen=True):
    """`pct` of the incidents of level `id` are resolved `within` (R201)."""

    id: str
    within: str
    pct: float


class Goals(Value, frozen=True):
    """Block `targets`: what the team wants to reach (R200-R206); reported, never enforced."""

    detection: str | None = None
    resolution: list[ResolutionShare] = []
    repeat_reduction_pct: float | None = None
    mttr_trend: str | None = None
    sla_compliance_pct: float | None = None
    escalation_accuracy_pct: float | None = None
    coordination: str | None = None
    report: str | None = None


class Documents(Value, frozen=True):
    layout: str = "sev0-3"
    timeline_columns: list[str] = []
    duration: str = "impact"
    runbook_path: str = "runbooks/{service}.md"
    follow_up: str | None = None


class Access(Value, frozen=True):
    private: bool = False
    commanders: list[str] = []
    responders: list[str] = []

    @property
    def logins(self) -> frozenset[str]:
        """The people named here as case-folded logins; a team, a role and a plain name are none."""
        handles = (name for name in (*self.commanders, *self.responders) if name.startswith("@") and "/" not in name)
        return frozenset(handle[1:].casefold() for handle in handles)


class Contact(Value, frozen=True):
    name: str | None = None
    manager: str | None = None
    channels: list[str] = []
    git: list[str] = []
    pagerduty: str | None = None


class Contacts(Value, frozen=True):
    """Who is behind each role and tier; `people` are the block's keys with @."""

    people: dict[str, Contact] = {}
    roles: dict[str, list[str]] = {}
    tiers: dict[str, list[str]] = {}
    executive: list[str] = []
    on_call: WhoIsOnCall | None = None
    """Who stands behind `oncall:NAME`; no key of a file, None where schedules are not asked."""

    def known_by_git(self, *identities: str) -> str | None:
        """The handle of the person whom git knows by one of these names or addresses, whatever their case."""
        asked = {one.casefold() for one in identities if one}
        found = (handle for handle, contact in self.people.items() if asked & {one.casefold() for one in contact.git})
        return next(found, None)

    def known_by_pager(self, user: str) -> str | None:
        """The handle of the person with this user id in the pager."""
        return next((handle for handle, contact in self.people.items() if user and contact.pagerduty == user), None)

    def handles(self, whom: str, at: datetime) -> list[str]:
        """The handles of a role, a tier, `executive`, or a handle itself, each once; `oncall:NAME` is whoever is on
        call at that instant. Empty where it has no contact, and where nobody is on call."""
        found = (self._person(name, at) for name in self.names_behind(whom))
        return [*dict.fromkeys(name for name in found if name is not None)]

    def on_call_changes(self, whom: str, begin: datetime, end: datetime) -> list[datetime]:
        """When, after `begin` and up to `end`, a schedule behind a name changes hands, in order."""
        names = [name for one in self.names_behind(whom) if (name := schedule_named(one)) is not None]
        return sorted({at for name in names for at in (self.on_call.changes(name, begin, end) if self.on_call else ())})

    def why_nobody(self, whom: str) -> str:
        """Why `handles` has nobody for a name."""
        names = [name for name in self.names_behind(whom) if schedule_named(name) is not None]
        return f"nobody is on call by {', '.join(names)}" if names else "no contact in `contacts`"

    def names_behind(self, whom: str) -> list[str]:
        """What the block writes for a role, a tier or `executive`; a handle and `oncall:NAME` stand for themselves."""
        if whom.startswith("@") or schedule_named(whom) is not None:
            return [whom]
        return self.executive if whom == "executive" else self.roles.get(whom) or self.tiers.get(whom) or []

    def _person(self, name: str, at: datetime) -> str | None:
        schedule = schedule_named(name)
        if schedule is None:
            return name
        return self.on_call(schedule, at) if self.on_call is not None else None


class PhaseRoute(Value, frozen=True):
    lead: list[str] = []
    supporting: list[str] = []


class Routing(Value, frozen=True):
    by_symptom: dict[str, list[str]] = {}
    by_category: dict[str, list[str]] = {}
    by_phase: dict[str, PhaseRoute] = {}


class TrackerLabels(Value, frozen=True):
    incident: str = "incident"
    ticket: str = "ticket"
    state: str = "state:"
    action_item: str = "action-item"
    priority: str = "priority:"
    overdue: str = "overdue"
    escalated: str = "escalated"


class Limits(Value, frozen=True):
    """The most one run may do."""

    creates: int = 20
    closes: int = 5
    closes_pct: int = 30
    writes: int = 40
    requests: int = 300


class Step(ChecklistItem, frozen=True):
    """A box to tick; `done_when` names what the record has to say for it to be filled, see documents/checklists.py."""

    done_when: str | None = None


class Box(Step, frozen=True):
    """A box to tick, and the boxes below it."""

    items: list[Step] = []


class Checklist(Value, frozen=True, rename={"start": "from", "end": "to"}):
    """Boxes in the issue of every incident of `levels` (empty = all); `during` says when: OPEN or AFTER.

    `start` and `end` are durations since the declaration that its heading shows; `end` None = open.
    """

    id: str
    title: str
    levels: list[str] = []
    during: str = OPEN_STATE
    start: str | None = None
    end: str | None = None
    items: list[Box] = []


class Tracker(Value, frozen=True):
    """How issues are kept, and what the issue of an incident reminds people of."""

    labels: TrackerLabels = TrackerLabels()
    identities: list[str] = []
    limits: Limits = Limits()
    principles: list[str] = []
    checklists: list[Checklist] = []


class IncidentChannel(Value, frozen=True):
    create: bool = False
    name: str = "incident-{id}"


class Notify(Value, frozen=True):
    """`kinds`: a kind of notice -> how people hear of it, see `domain.notice_kinds`."""

    channels: list[str] = []
    kinds: dict[str, WaysByRank] = {}
    incident_channel: IncidentChannel = IncidentChannel()


class ChannelSettings(Value, frozen=True):
    """How a channel behaves; `rings` None = by its name."""

    rings: bool | None = None


class Quota(Value, frozen=True):
    count: int | None = None
    window: str | None = None


class Ingest(Value, frozen=True):
    cap: str | None = None
    quota: Quota = Quota()
    mapping: dict[str, str] = {}


class Publish(Value, frozen=True):
    """`to` is the kind of an existing page, None where nothing is published; `components`: service -> its id there."""

    to: str | None = None
    page: str | None = None
    components: dict[str, str] = {}
    enabled: bool = False
    title: str | None = None
    url: str | None = None


class AutomationPolicy(Value, frozen=True):
    """`tick`: whether runs switch the workflow `tick.yml` on while something is due within a day."""

    tick: bool = True


class AlarmMinutes(Value, frozen=True):
    """The most minutes of the alarm clock: while one incident is open, and in a calendar month (UTC)."""

    incident: int = 360
    month: int = 1000


class AlarmPolicy(Value, frozen=True):
    """When the alarm clock is alive: while an incident of one of these ranks is open, or a page is due within
    `horizon`."""

    ranks: list[int] = field(default_factory=lambda: [1])
    horizon: str = "2h"
    minutes: AlarmMinutes = AlarmMinutes()


class BasicAuth(Value, frozen=True):
    user_env: str
    password_env: str


class OAuth2Client(Value, frozen=True):
    """Client credentials; `scopes` empty: whatever the client has."""

    token_url: str
    client_id_env: str
    client_secret_env: str
    scopes: list[str] = []


class SigV4(Value, frozen=True):
    service: str
    region: str


class GoogleAuth(Value, frozen=True):
    """`scopes` empty: reading metrics."""

    scopes: list[str] = []


class SignIn(Value, frozen=True):
    """How to sign in to a metric source: one of these."""

    basic: BasicAuth | None = None
    oauth2: OAuth2Client | None = None
    sigv4: SigV4 | None = None
    google: GoogleAuth | None = None


class Datasource(Value, frozen=True):
    """A metric source; `*_env` name the variables that hold what git should not, `header_env` those of headers."""

    kind: str
    url: str | None = None
    url_env: str | None = None
    token_env: str | None = None
    header_env: dict[str, str] = {}
    auth: SignIn | None = None
    application_key_env: str | None = None
    account: int | None = None
    region: str | None = None
    allow_private: bool = False


def ways_to_sign_in(source: Datasource) -> list[str]:
    """The settings of a data source that write the header Authorization; one at most can."""
    header = [f"header_env {name}" for name in source.header_env if name.casefold() == "authorization"]
    return [*["token_env"] * bool(source.token_env), *["auth"] * bool(source.auth), *header]


class ReleaseTrain(Value, frozen=True):
    name: str
    on: str


class WriteBack(Value, frozen=True):
    commands: str = "push"
    automation: str = "pull_request"
