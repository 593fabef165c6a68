"""A message: one notice to one recipient over one channel. And the ledger of what was sent: which notice went to which
channel, claimed when, confirmed when.

The ledger holds no address, no handle and no text: a key is stored as its sha256. A line is
`<sha256> <channel> <claimed> <confirmed or ->`, lines sorted, one for each pair of key and channel.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from sys import intern
from typing import NamedTuple

from incident_ops.domain.time import parse_instant, stamp
from incident_ops.errors import Incomplete

INCIDENT_CHANNEL = "incident_channel"
"""The incident's own chat channel (policy notify.incident_channel); it needs a token and no address."""

ACKNOWLEDGED, RESOLVED_EVENT = "acknowledged", "resolved"
"""Marks of the messages that acknowledge or resolve a page."""


INTERNAL, EXECUTIVE = "internal", "executive"
"""For whom a message is."""

ISSUE_LINK, RECORD_LINK = "Issue", "Record"
"""Names of the links of a notice that lead to the incident itself."""


class NoticePlaces(NamedTuple):
    """Where an incident is read: addresses, "" where there is none; `runbooks` by name, addresses or paths."""

    issue: str = ""
    record: str = ""
    runbooks: tuple[tuple[str, str], ...] = ()


class NoticeFacts(NamedTuple):
    """What a notice says beside its own words: `rows` and `links` by name, in order; all of it plain text.

    `services` and `teams` are names, `ways` further rows for those who respond; of a restricted incident there are
    `links` to its issue and record only.
    """

    rows: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    services: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    ways: tuple[tuple[str, str], ...] = ()

    def spelled(self, spell: Callable[[str], str], *, responds: bool) -> NoticeFacts:
        """The same with every text as `spell` gives it, for somebody who `responds` or not."""
        rows = tuple((spell(name), spell(value)) for name, value in (*self.rows, *(self.ways if responds else ())))
        links = tuple((spell(name), spell(value)) for name, value in self.links)
        return NoticeFacts(rows, links, tuple(map(spell, self.services)), tuple(map(spell, self.teams)))


NO_FACTS = NoticeFacts()


class Message(NamedTuple):
    """One notice to one recipient over one channel.

    `key` holds no run id, no time of a run and no policy digest; together with `channel`, a name of the policy, it is
    what the ledger knows. `rank` is the level's (1 = worst), `recipient` a handle, a role or a channel's name.
    `subject` and `text` are plain text. `held` says why it is not sent now; "" where it is; `held_until` when it goes
    after all (aware UTC), None where nothing is waited for. `kind` and `obligation` name what it is about; "" where a
    person wrote it. Without a channel it is only shown, never sent. `way` is how it goes (`domain.notice_kinds`), ""
    where a person chose. An alert of a pager has `is_alert`; `route` names the variable with the routing key of its
    pager, "" where none is named. `facts` are added where it is sent.
    """

    key: str
    incident: str
    rank: int
    mark: str
    audience: str
    recipient: str
    channel: str
    subject: str
    text: str
    drill: bool = False
    restricted: bool = False
    held: str = ""
    kind: str = ""
    obligation: str = ""
    way: str = ""
    is_alert: bool = False
    route: str = ""
    facts: NoticeFacts = NO_FACTS
    held_until: datetime | None = None

    @property
    def whole(self) -> str:
        """Its own words, then the facts, one a line."""
        lines = [f"{name}: {value}" for name, value in (*self.facts.rows, *self.facts.links)]
        return "\n".join([*([self.text, ""] if self.text and lines else [self.text]), *lines]).strip()


def follow_up(page: Message, mark: str) -> Message:
    """The message that acknowledges or resolves a page, under a key of its own; `mark` as above."""
    return page._replace(key=f"{page.key}#{mark}", mark=mark, kind=mark, obligation="")


def page_key(notice: Message) -> str:
    """The key of the page that a message is about: its own, or that of the page it acknowledges or resolves."""
    return notice.key.removesuffix(f"#{notice.mark}") if notice.mark in (ACKNOWLEDGED, RESOLVED_EVENT) else notice.key


LEDGER_BRANCH = "incident-ops/ledger"
KEPT = timedelta(days=400)

_CHANNEL = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
_LINE = re.compile(rf"([0-9a-f]{{64}}) ({_CHANNEL.pattern}) (\S+) (\S+)", re.ASCII)


class Pair(NamedTuple):
    """What is sent once: a notice, by the sha256 of its key, to a channel, by its name."""

    digest: str
    channel: str


class Sending(NamedTuple):
    """When a pair was claimed, and when it was known to be sent (None until then): instants as text."""

    claimed: str
    confirmed: str | None


Ledger = Mapping[Pair, Sending]


class Claim(NamedTuple):
    """A ledger with what was claimed, and the pairs that this claim gave us to send."""

    ledger: Ledger
    ours: frozenset[Pair]


@lru_cache(maxsize=4_096)  # a plan asks the same of each alert several times
def pair(key: str, channel: str) -> Pair:
    """The pair of a notice's key and a channel's name. ValueError for an invalid name: no address must get in."""
    if not _CHANNEL.fullmatch(channel):
        raise ValueError(f"{channel!r} is not a channel name")
    return Pair(sha256(key.encode()).hexdigest(), channel)


def parse_ledger(content: bytes) -> Ledger:
    """Bytes -> ledger. Incomplete names the first line that is not valid; no line is ever skipped."""
    if content and not content.endswith(b"\n"):
        raise _broken(content.count(b"\n") + 1, "it is cut off")
    out: dict[Pair, Sending] = {}
    for number, line in enumerate(content.split(b"\n")[:-1], 1):
        found = _LINE.fullmatch(line.decode("ascii", "replace"))
        if found is None:
            raise _broken(number, "it is not `<sha256> <channel> <claimed> <confirmed or ->`")
        digest, channel, claimed, confirmed = found.groups()
        try:
            parse_instant(claimed)
            if confirmed != "-":
                parse_instant(confirmed)
        except ValueError as error:
            raise _broken(number, "one of its times is not valid") from error
        key = Pair(digest, intern(channel))
        if key in out:
            raise _broken(number, "its key and channel appear twice")
        out[key] = Sending(claimed, None if confirmed == "-" else confirmed)
    return out


def serialise(ledger: Ledger) -> bytes:
    """Ledger -> bytes; the same ledger gives the same bytes."""
    return "".join(
        f"{key.digest} {key.channel} {sending.claimed} {sending.confirmed or '-'}\n"
        for key, sending in sorted(ledger.items())
    ).encode("ascii")


def claim(ledger: Ledger, pairs: Iterable[Pair], now: datetime, after: timedelta | None = None) -> Claim:
    """Claims what nobody has claimed; with `after` also what was claimed that long ago and never confirmed.

    The run that claimed it may have died before or after sending; now one run alone sends it again.
    """
    at, out, ours = stamp(now), dict(ledger), set()
    for key in pairs:
        held = ledger.get(key)
        if held is None or (after is not None and _is_due(held, now, after)):
            out[key] = Sending(at, None)
            ours.add(key)
    return Claim(out, frozenset(ours))


def confirm(ledger: Ledger, pairs: Iterable[Pair], now: datetime) -> Ledger:
    """Marks pairs as sent; one that was sent without a claim (the ledger was unreachable) gets its line now."""
    at, out = stamp(now), dict(ledger)
    for key in pairs:
        held = out.get(key, Sending(at, None))
        if held.confirmed is None:
            out[key] = held._replace(confirmed=at)
    return out


def compact(ledger: Ledger, now: datetime) -> Ledger:
    """The ledger without what was confirmed more than 400 days ago; what is not confirmed stays."""
    first = now - KEPT
    return {
        key: sending
        for key, sending in ledger.items()
        if sending.confirmed is None or parse_instant(sending.confirmed) >= first
    }


def giving_up(one: Pair) -> Pair:
    """What the ledger holds, confirmed, where a pair is not sent a third time: nobody knows whether it arrived."""
    return Pair(sha256(f"{one.digest}#given-up".encode()).hexdigest(), one.channel)


def _is_due(sending: Sending, now: datetime, after: timedelta) -> bool:
    return sending.confirmed is None and parse_instant(sending.claimed) + after <= now


def _broken(number: int, why: str) -> Incomplete:
    hint = f"fix or remove that line on the branch {LEDGER_BRANCH}; its history shows who changed it"
    return Incomplete(
        f"line {number} of the ledger cannot be read: {why}", hint=hint, where=f"{LEDGER_BRANCH}:{number}"
    )
