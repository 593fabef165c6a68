"""Planned notices as changes of a plan: what is sent now is a change, what is held is kept and says why. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from incident_ops.model.message import ACKNOWLEDGED, RESOLVED, Message
from incident_ops.notices import Notice, Told
from incident_ops.reconcile.changes import NOTIFY, Change, Kept, Telling, Verdict
from incident_ops.reconcile.delivery import SENT, Planned, is_urgent

UNREACHABLE = "unreachable"

_ENDS = {ACKNOWLEDGED: "somebody has it", RESOLVED: "it is over"}


def telling(told: Told, planned: Iterable[Planned], why: Mapping[str, str], held: str = "") -> Verdict:
    """One change for each notice that goes out by one channel at least; who cannot be reached is kept and named.

    `why` tells the reason of each obligation that somebody is still to hear of; `held` is why all of them are only
    planned, "" where they are sent.
    """
    kinds = {one.key: one for one in told.notices}
    going: dict[str, list[Planned]] = {}
    kept: list[Kept] = []
    for one in planned:
        if one.goes_out:
            going.setdefault(one.message.key, []).append(one)
        elif one.action != SENT:
            kept.append(Kept(one.message.key, _kind(one.message, kinds), None, f"not sent: {one.why}"))
    changes = tuple(_change(of, kinds, why, held) for of in going.values())
    lost = (
        Kept(one.obligation, UNREACHABLE, None, f"{one.whom} cannot be told: {one.why}")
        for one in told.unreachable
        if one.obligation in why
    )
    return Verdict(changes, (*dict.fromkeys(kept), *lost))


def _change(of: list[Planned], kinds: Mapping[str, Notice], why: Mapping[str, str], held: str) -> Change:
    message = of[0].message
    notice = kinds.get(message.key)
    reason = _ENDS.get(message.mark, "") if notice is None else why.get(notice.obligation, "")
    again = next((one.why for one in of if one.why), "")
    said = Telling(
        message.audience,
        message.recipient,
        tuple(one.message.channel for one in of),
        message.subject,
        is_urgent(message),
        held,
    )
    told = message.mark if message.restricted else reason
    return Change(
        NOTIFY, _kind(message, kinds), message.key, None, "; ".join(filter(None, (told, again))), telling=said
    )


def _kind(message: Message, kinds: Mapping[str, Notice]) -> str:
    notice = kinds.get(message.key)
    return message.mark if notice is None else notice.kind
