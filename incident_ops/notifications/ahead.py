"""When notices will go out that do not go now: what the alarm clock and the tick are there for. Pure.

For each incident, clock and way the first instant counts: the run at that instant finds what comes after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from incident_ops.domain.as_of import as_of
from incident_ops.domain.fence import evaluate_each
from incident_ops.domain.incident import Incident
from incident_ops.domain.notice_kinds import PAGE, TELL
from incident_ops.domain.notification import Ledger, Message, Pair
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Record, World
from incident_ops.domain.time import duration, parse_instant
from incident_ops.errors import NoIssueYet, NotSetUp
from incident_ops.notifications.deliver import GIVEN_UP, NO_LONGER_DUE, SENT_NOW, Delivered
from incident_ops.notifications.plan import CLAIMED, HELD, WAITS, PlannedNotice, resend_after
from incident_ops.notifications.recipients import notices
from incident_ops.sla.obligations import MOST_SLOTS, Obligation, SeenOf, incident_obligations

DAY = timedelta(days=1)
"""How far ahead it is looked."""
_TICK = timedelta(seconds=1)
_MOST_WAITS = 4
_DONE = frozenset({SENT_NOW, GIVEN_UP, NO_LONGER_DUE})


class Ahead(NamedTuple):
    """From when on (aware UTC) a run can send something of an incident, of which rank, and how it goes
    (`domain.notice_kinds`)."""

    at: datetime
    incident: str
    rank: int
    way: str


def coming(records: Sequence[Record], world: World, seen_of: SeenOf, horizon: timedelta) -> list[Ahead]:
    """What comes due after `now` and within a day, in order; pages within `horizon` are all there.

    A nearer look finds what a farther one leaves out: only the newest slots of updates are listed. Unusable as
    `evaluate_each`.
    """
    if world.policy.mode == "observe":
        return []
    found: set[Ahead] = set()
    for window in sorted({horizon, min(horizon, _slots_listed(world.policy))}):
        found |= _within(records, world, seen_of, window)
    return sorted(found or _within(records, world, seen_of, max(DAY, horizon)))


def _slots_listed(policy: Policy) -> timedelta:
    """So far ahead every slot of updates is listed."""
    every = (*policy.levels, *policy.scheme.major)
    lengths = (length for level in every for length in (level.update.internal, level.update.public) if length)
    return timedelta(seconds=MOST_SLOTS * min(map(duration, lengths), default=int(DAY.total_seconds())))


def waiting(
    planned: Iterable[PlannedNotice], delivered: Iterable[Delivered], ledger: Ledger, now: datetime
) -> Iterator[Ahead]:
    """What a run left for later: held until an instant, claimed by another run, not sent. A channel that nobody set up
    is not waited for, nor is an issue that may never be opened: whoever opens it writes the comment."""
    outcomes = {one.planned.pair: one for one in delivered}
    for notice in planned:
        at = _again(notice, outcomes.get(notice.pair), ledger, now)
        if at is not None:
            message = notice.message
            yield Ahead(at, message.incident, message.rank, message.way or TELL)


def _again(notice: PlannedNotice, sent: Delivered | None, ledger: Ledger, now: datetime) -> datetime | None:
    """When a notice is tried again; None where it is not."""
    outcome = sent.outcome if sent else notice.action
    if notice.action == HELD:
        return notice.message.held_until
    if outcome == CLAIMED:
        return _claim_ends(notice.pair, notice.message, ledger, now)
    if outcome == WAITS or (notice.goes_out and sent is None):
        return now
    is_left = notice.goes_out and outcome not in _DONE and not (sent and isinstance(sent.error, (NotSetUp, NoIssueYet)))
    return now + resend_after(notice.message) if is_left else None


def _claim_ends(pair: Pair, message: Message, ledger: Ledger, now: datetime) -> datetime:
    known = ledger.get(pair)
    return (parse_instant(known.claimed) if known else now) + resend_after(message)


def _within(records: Sequence[Record], world: World, seen_of: SeenOf, window: timedelta) -> set[Ahead]:
    until = world.now + window

    def marks_of(record: Record) -> list[Obligation]:
        """What others of the same kind did is over: a pattern of incidents comes due at a declaration, or never."""
        level = world.policy.level_of(record.incident)
        view = as_of(record.incident, until)
        made = incident_obligations(view, world.policy, seen_of(record.incident)) if level else []
        return sorted((one for one in made if world.now <= one.due < until), key=lambda one: one.due)

    marks = zip(records, evaluate_each(records, marks_of), strict=True)
    return {found for record, rising in marks if rising for found in _firsts(record.incident, rising, world, until)}


def _firsts(incident: Incident, rising: Sequence[Obligation], world: World, until: datetime) -> Iterator[Ahead]:
    """Of each clock the first that goes to somebody: a later one never goes before it."""
    found: set[tuple[str, str, str]] = set()
    for one in rising:
        step = one.escalation.key if one.escalation else ""
        if (one.kind, one.clock, step) in found:
            continue
        first = _first(one, incident, world, until)
        if first is not None:
            found.add((one.kind, one.clock, step))
            yield first


def _first(obligation: Obligation, incident: Incident, world: World, until: datetime) -> Ahead | None:
    """When it goes out first: a mark fires strictly after its instant, and quiet hours, digests and snoozes hold it."""
    at, alone = obligation.due + _TICK, obligation._replace(superseded="")
    for _ in range(_MOST_WAITS):
        made = notices([alone], {incident.id: incident}, world.policy, world.services, at).deliverable
        going = next((one for one in made if not one.held), None)
        if going is not None:
            return Ahead(at, incident.id, obligation.rank, going.way)
        opens = [one.held_until for one in made if one.held_until is not None and one.held_until > at]
        if not opens or min(opens) > until:
            break
        at = min(opens)
    if not opens and _has_own_pager(obligation, incident, world):
        return Ahead(at, incident.id, obligation.rank, PAGE)
    return None


def _has_own_pager(obligation: Obligation, incident: Incident, world: World) -> bool:
    """True for a step of the ladder that rings a pager of its own, whoever is on it."""
    if obligation.escalation is None:
        return False
    tiers = world.policy.for_incident(incident).escalation.tiers
    return any(tier.pager_key_env for tier in tiers if tier.tier == obligation.escalation.to_tier)
