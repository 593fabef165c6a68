"""The effect on users, the business and services, as far as a record knows it: what counts, and how it is spelled."""

from __future__ import annotations

import re
from datetime import datetime

from incident_ops.domain.incident import Amount, Incident, Revenue, ServiceImpact, Users
from incident_ops.domain.time import UNKNOWN, parse_instant, spell_clock, spell_duration, spell_minute

DEGREES = ("degraded", "partial", "major")
"""How badly a service is hurt, the mildest first."""

_NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,15})"
_COUNT = re.compile(_NUMBER, re.ASCII)
_PERCENT = re.compile(r"([0-9]{1,9}(?:[.][0-9]{1,4})?)\s*%?", re.ASCII)
_MONEY = re.compile(rf"(?:([A-Za-z]{{3}})\s*)?({_NUMBER}(?:[.][0-9]{{1,4}})?)\s*([A-Za-z]{{3}})?", re.ASCII)


def affected_users(incident: Incident) -> Users:
    """The users affected: what the impact says; their share as answered at triage, where the impact gives none."""
    users = incident.impact.users
    known = users if isinstance(users, Users) else Users()
    answer = incident.triage.users_percent if incident.triage else None
    return Users(count=known.count, percent=answer if known.percent is None else known.percent)


def spell_amount(amount: Amount) -> str:
    """A number with thousands separators, or the record's own word; `unknown` where there is none."""
    if amount is None:
        return UNKNOWN
    return amount if isinstance(amount, str) else f"{amount:,}"


def spell_share(percent: Amount) -> str:
    """`60 %`, `more than 50 %`; "" where it is not known."""
    if percent in (None, UNKNOWN):
        return ""
    if isinstance(percent, int | float):
        return f"{percent:,} %"
    from incident_ops.domain.triage import share_in_words  # only a range needs the words of triage

    return share_in_words(percent).removesuffix(" of users")


def spell_users(users: Users) -> str:
    """`5,000 (60 %)`, `60 % (number unknown)`, `unknown`."""
    share = spell_share(users.percent)
    if isinstance(users.count, int | float):
        return spell_amount(users.count) + (f" ({share})" if share else "")
    return f"{share} (number unknown)" if share else UNKNOWN


def spell_revenue(revenue: Revenue | str | None) -> str:
    """`2,500 USD, 50 USD a minute`, `unknown`."""
    if not isinstance(revenue, Revenue):
        return revenue or UNKNOWN
    currency = f" {revenue.currency}" if revenue.currency else ""
    text = spell_amount(revenue.amount) + (currency if revenue.amount not in (None, UNKNOWN) else "")
    if revenue.per_minute not in (None, UNKNOWN):
        text += f", {spell_amount(revenue.per_minute)}{currency} a minute"
    return text


def hurt_services(incident: Incident) -> dict[str, list[ServiceImpact]]:
    """When each service was hurt, by its name in the order of the record; the earliest first."""
    by_name: dict[str, list[ServiceImpact]] = {}
    for one in incident.impact.services:
        by_name.setdefault(one.service, []).append(one)
    return {name: sorted(entries, key=lambda one: parse_instant(one.start)) for name, entries in by_name.items()}


def hurt_for(hurt: ServiceImpact, now: datetime) -> str:
    """`major 20m`; while it goes on `major since 12:05`, on another day than `now` with its date."""
    begin = parse_instant(hurt.start)
    if hurt.end is None:
        return f"{hurt.degree} since {spell_clock(begin, dated=begin.date() != now.date())}"
    return f"{hurt.degree} {spell_duration(int((parse_instant(hurt.end) - begin).total_seconds()))}"


def spell_hurt(hurt: ServiceImpact) -> str:
    """`major 20m (12:05–12:25 UTC)`, `partial since 2025-01-26 12:05 UTC`."""
    if hurt.end is None:
        return f"{hurt.degree} since {spell_minute(parse_instant(hurt.start))}"
    begin, end = parse_instant(hurt.start), parse_instant(hurt.end)
    dated = begin.date() != end.date()
    return f"{hurt_for(hurt, end)} ({spell_clock(begin, dated)}–{spell_clock(end, dated)} UTC)"


def count_answer(text: str) -> int | str:
    """A number as people type it: `5000`, `5,000`, or `unknown`. ValueError for anything else."""
    said = text.strip().lower()
    if said == UNKNOWN:
        return said
    if _COUNT.fullmatch(said) is None:
        raise ValueError(f"{text!r} is not a whole number")
    return int(said.replace(",", ""))


def percent_answer(text: str) -> float | str:
    """A percentage as people type it: `60%`, `60 %`, `12.5`, or `unknown`. ValueError for anything else."""
    said = text.strip().lower()
    if said == UNKNOWN:
        return said
    matched = _PERCENT.fullmatch(said)
    if matched is None:
        raise ValueError(f"{text!r} is not a percentage")
    return _plain(matched[1])


def money_answer(text: str) -> tuple[float | str, str | None]:
    """An amount and its currency, or None, as people type it: `2500 USD`, `USD 2,500`, `2500`, `unknown`.

    ValueError for anything else.
    """
    said = text.strip()
    if said.lower() == UNKNOWN:
        return UNKNOWN, None
    matched = _MONEY.fullmatch(said)
    if matched is None or (matched[1] and matched[3]):
        raise ValueError(f"{text!r} is not a sum of money")
    currency = matched[1] or matched[3]
    return _plain(matched[2].replace(",", "")), currency.upper() if currency else None


def _plain(text: str) -> float:
    """A number without a fraction of zero: 60 for `60.0`."""
    number = float(text)
    return int(number) if number.is_integer() else number
