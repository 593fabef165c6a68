"""Many notices become one: a storm, of which nobody reads hundreds one by one, and the notices of a day. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

from incident_ops.domain.notice_kinds import DIGEST
from incident_ops.domain.notification import Message, pair
from incident_ops.notifications.plan import RESEND, SEND, SUMMED, PlannedNotice, is_urgent

MOST_AT_ONCE = 20
"""So many notices go to one recipient over one channel in one run; more of ranks 3 and 4 become one summary."""
SUMMARY = "summary"
_SHOWN = 10


def sum_up(planned: Iterable[PlannedNotice], apart: Collection[str] = ()) -> tuple[PlannedNotice, ...]:
    """The notices of a run, with a summary after them for each channel and recipient that would get too many.

    Ranks 1 and 2 are never summed up, nor is what goes over a channel of `apart`, in which each incident has a place
    of its own. A summary `covers` the notices that it stands for; what is recorded of it is recorded of each of them.
    """
    notices = list(planned)
    groups = _groups((one for one in notices if not is_urgent(one.message)), apart, more_than=MOST_AT_ONCE)
    return _replaced(notices, groups, _SUM)


def gather_digests(planned: Iterable[PlannedNotice], apart: Collection[str] = ()) -> tuple[PlannedNotice, ...]:
    """The notices of a run, with those of the way `digest` in one for each recipient and channel; `apart` as of
    `sum_up`."""
    notices = list(planned)
    groups = _groups((one for one in notices if one.message.way == DIGEST), apart, more_than=1)
    return _replaced(notices, groups, _DAY)


def _groups(notices: Iterable[PlannedNotice], apart: Collection[str], *, more_than: int) -> list[list[PlannedNotice]]:
    """What goes to one recipient over one channel, where that is more than so many."""
    found: dict[tuple[str, str], list[PlannedNotice]] = {}
    for one in notices:
        if one.goes_out and one.message.channel not in apart:
            found.setdefault((one.message.channel, one.message.recipient), []).append(one)
    return [same for same in found.values() if len(same) > more_than]


class _Together(NamedTuple):
    """What becomes of notices that go as one: the words for how many there are, and why."""

    title: str
    one_for: str
    why: str


_SUM = _Together("notices at once", "summary", f"more than {MOST_AT_ONCE} at once become one summary")
_DAY = _Together("notices of the day", "digest", "one message a day")


def _replaced(
    notices: Sequence[PlannedNotice], groups: Sequence[Sequence[PlannedNotice]], how: _Together
) -> tuple[PlannedNotice, ...]:
    why = {one.pair: _why(same, how) for same in groups for one in same}
    left = (one._replace(action=SUMMED, why=why[one.pair]) if one.pair in why else one for one in notices)
    return (*left, *(_summary(same, how) for same in groups))


def _why(same: Sequence[PlannedNotice], how: _Together) -> str:
    message = same[0].message
    return f"in the {how.one_for} of {len(same)} notices to {message.recipient} by {message.channel}"


def _summary(same: Sequence[PlannedNotice], how: _Together) -> PlannedNotice:
    """The one notice in place of many. Its key is made of theirs, so that the same ones make the same summary."""
    messages = [one.message for one in same]
    first = min(messages, key=lambda message: message.rank)
    digest = sha256("\n".join(sorted(message.key for message in messages)).encode()).hexdigest()[:16]
    kinds = Counter(message.kind or message.mark for message in messages)
    counts = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in kinds.most_common())
    about = len({message.incident for message in messages})
    made = Message(
        key=f"{SUMMARY}/{digest}/{first.recipient}",
        incident="",
        rank=first.rank,
        mark=SUMMARY,
        audience=first.audience,
        recipient=first.recipient,
        channel=first.channel,
        subject=f"{len(same)} {how.title}, about {about} incident{'s' if about > 1 else ''}: {counts}",
        text="\n".join([*_lines(messages), "All of them: incident-ops sla check"]),
        drill=all(message.drill for message in messages),
        kind=SUMMARY,
    )
    action = RESEND if all(one.action == RESEND for one in same) else SEND
    return PlannedNotice(made, pair(made.key, made.channel), action, how.why, tuple(one.pair for one in same))


def _lines(messages: Sequence[Message]) -> list[str]:
    """The first ones, the worst level first, and how many more there are."""
    worst = sorted(messages, key=lambda message: message.rank)
    more = len(worst) - _SHOWN
    return [*(f"- {message.subject}" for message in worst[:_SHOWN]), *([f"... and {more} more"] if more > 0 else [])]
