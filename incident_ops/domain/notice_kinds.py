"""The kinds of notices, and the ways in which people hear of them: by kind and rank, as the policy or the usual table
says (`notify.kinds`); and which channels ring.
"""

from __future__ import annotations

from collections.abc import Mapping

PAGE, TELL, DIGEST, TO_NOBODY = "page", "tell", "digest", "none"
WAYS = (PAGE, TELL, DIGEST, TO_NOBODY)
"""Over all channels, over the quiet ones, in one message a day, to nobody."""

DECLARED, RAISED, REOPENED_KIND, RESOLVED_KIND, ESCALATED = "declared", "raised", "reopened", "resolved", "escalated"
RESPONSE_DUE, DIAGNOSIS_DUE, RESOLUTION_AT_RISK = "response_due", "diagnosis_due", "resolution_at_risk"
RESOLUTION_DUE, UPDATE_DUE, NEWS, HANDOVER = "resolution_due", "update_due", "news", "handover"
AUTO_STATE, POSTMORTEM_DUE, ITEM_DUE, DEADLINE_DUE = "auto_state", "postmortem_due", "item_due", "deadline"
NOTICE_KINDS = (
    *(DECLARED, RAISED, REOPENED_KIND, ESCALATED, RESPONSE_DUE),
    *(DIAGNOSIS_DUE, RESOLUTION_AT_RISK, RESOLUTION_DUE, UPDATE_DUE, HANDOVER, NEWS, RESOLVED_KIND, AUTO_STATE),
    *(POSTMORTEM_DUE, ITEM_DUE, DEADLINE_DUE),
)
"""Those of incidents; what asks for a person comes first."""
CANARY_STARTED, CANARY_FAILED, CANARY_WAITING = "canary_started", "canary_failed", "canary_waiting"
CANARY_KINDS = (CANARY_STARTED, CANARY_FAILED, CANARY_WAITING)
"""Those of a canary that is measured: nothing in them is due, and they go out at once or not at all."""
EVERY_KIND = (*NOTICE_KINDS, *CANARY_KINDS)

CALLS = frozenset({DECLARED, RAISED, REOPENED_KIND, RESPONSE_DUE})
"""What asks that somebody takes an incident; it pages nobody any more once somebody has."""
ALERTS = CALLS | {ESCALATED, DIAGNOSIS_DUE, RESOLUTION_DUE}
"""What may open the alert of a pager, where the policy pages for it."""
PAGED_RANKS = 2
"""The usual table pages for the ranks up to this one (1 is the worst)."""
PAGERS = ("pager", "pagerduty")
"""The channels that keep one open alert a key."""
RINGING = frozenset({"pager", "pagerduty", "sms", "phone"})
"""The channels that ring unless the policy says otherwise; every other one is quiet."""

WaysByRank = str | dict[str, list[int]]
"""A way for every rank, or the ranks of each way."""


def way_of(kinds: Mapping[str, WaysByRank], kind: str, rank: int, *, is_ahead: bool = False) -> str:
    """How people hear of a notice of this kind and rank; `is_ahead`: what it speaks of is not due yet,
    of a deadline not for hours."""
    said = kinds.get(kind)
    if isinstance(said, str):
        return said
    if said:
        named = next((way for way in WAYS if rank in said.get(way, ())), None)
        if named is not None:
            return named
    if kind in CALLS or kind == ESCALATED:
        return PAGE if rank <= PAGED_RANKS else TELL
    if kind == DEADLINE_DUE:
        return TELL if is_ahead else PAGE
    return DIGEST if is_ahead and kind in (ITEM_DUE, POSTMORTEM_DUE) else TELL


def pages_at_all(kinds: Mapping[str, WaysByRank], rank: int) -> bool:
    """True where an incident of this rank may page somebody."""
    return any(way_of(kinds, kind, rank) == PAGE for kind in ALERTS)
