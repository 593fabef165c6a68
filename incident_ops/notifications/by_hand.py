"""What a person may send by hand: the words for what it is about, and what it does to the alert of a pager. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from incident_ops.domain.notice_kinds import DECLARED, NEWS, NOTICE_KINDS
from incident_ops.domain.notification import ACKNOWLEDGED, RESOLVED_EVENT, Ledger, Message, follow_up, pair
from incident_ops.errors import UserError
from incident_ops.findings import closest
from incident_ops.notifications.alert_state import BEFORE, Alert, sent_again
from incident_ops.notifications.kinds import notice_kind
from incident_ops.sla.obligations import Obligation

AT_ANY_TIME = (DECLARED, NEWS)
"""The kinds that may be sent at any time: without a notice that is due, the facts of the record go out."""


def words_of(obligation: Obligation) -> tuple[str, ...]:
    """What a person may call a notice: its kind as in `notify.kinds`, its mark, and how the ledger's keys call it."""
    return notice_kind(obligation), obligation.mark, obligation.kind


def due_with(word: str, due: Iterable[Obligation], incident: str) -> list[Obligation]:
    """The obligations that a word means. UserError for a word that means nothing, and where nothing of it is due."""
    open_now = [one for one in due if not one.superseded]
    found = [one for one in open_now if word in words_of(one)]
    if found or word in AT_ANY_TIME:
        return found
    named = list(dict.fromkeys(name for one in open_now for name in words_of(one)))
    listed = ", ".join(dict.fromkeys(notice_kind(one) for one in open_now)) or "nothing"
    own = '--mark news --text "..." sends your own words'
    if word in NOTICE_KINDS:
        raise UserError(f"nothing of kind {word} is due for {incident}", hint=f"due now: {listed}; {own}")
    near = closest(word, [*NOTICE_KINDS, *named])
    guess = f"did you mean {near}? " if near else ""
    kinds = ", ".join(NOTICE_KINDS)
    raise UserError(f"--mark {word}: no such kind of notice", hint=f"{guess}Due now: {listed}. Kinds: {kinds}; {own}")


def alerts_by_hand(
    found: Iterable[Alert], channels: Collection[str], own: Collection[str], ledger: Ledger | None
) -> Iterator[Message]:
    """What a person sends to these pagers: the incident's one alert, which its end ends.

    What should ring goes out under the key of its opening. Where somebody has it, the pagers of the services (`own`,
    by the variables of their keys) are rung again: the alert ends, and opens once more. Of what is over, nothing.
    """
    for alert in (one.in_turn(ledger or {}) for one in found):
        if alert.mark == RESOLVED_EVENT:
            continue
        made = {one.channel: one for one in alert.reaches}
        for name in channels:
            if not alert.mark and (name in made or alert.message.route in own):
                yield made.get(name, alert.message._replace(channel=name))
            elif alert.mark == ACKNOWLEDGED and alert.message.route in own:
                yield from _open_again(alert.message._replace(channel=name), ledger or {})


def _open_again(message: Message, ledger: Ledger) -> Iterator[Message]:
    """Ended and acknowledged first, so that the automation does not acknowledge what is opened now."""
    again = message._replace(key=sent_again(message.key))
    if pair(again.key, message.channel) not in ledger:
        yield follow_up(again._replace(key=f"{message.key}/{BEFORE}"), RESOLVED_EVENT)
        yield follow_up(message, ACKNOWLEDGED)
    yield again
