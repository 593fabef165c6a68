"""The ways to people. A notifier is one module of this folder that declares itself; nothing else lists it.

    CHANNELS    names of the policy that are reserved for it; () for one that takes any name with an address
    TAKES_BACK  True where a page can be acknowledged and resolved there, and a repeat of its key is dropped
    ESCAPES     True where it makes a record's text harmless itself; for all others mentions are broken before it
    connect     NotifierSettings -> the notifier, or None where nothing is set up for it; UserError for half a set-up

Each has a test of the same name in tests/adapters/notifiers with a `scene` in it, by which it is held to what
`domain.ports.Notifier` promises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol, cast

from incident_ops.domain.incident import Incident
from incident_ops.domain.mentions import without_mentions
from incident_ops.domain.notification import EXECUTIVE, NO_FACTS, Message, NoticeFacts
from incident_ops.domain.policy import Service
from incident_ops.domain.ports import IssueTracker, Notifier
from incident_ops.errors import NotSetUp


@dataclass(frozen=True)
class NotifierSettings:
    """What a notifier may be made from.

    `room` is the name of an incident's own chat channel, `tracker` connects to the tracking issues, whose numbers
    `issues` gives by incident; `inert` makes a record's text harmless in Markdown; `addresses` are those by which git
    knows the people of an incident. `repository` is the name of the one with the records, the same wherever it is run;
    `has_tier_pagers`: a tier of the policy has a pager of its own. `facts` by incident are what its notices say beside
    their own words.
    """

    channel: str
    environment: Mapping[str, str] = field(repr=False)
    incidents: Sequence[Incident]
    services: Mapping[str, Service]
    room: Callable[[Incident], str]
    tracker: Callable[[], IssueTracker]
    issues: Mapping[str, int]
    inert: Callable[[str], str]
    repository: str = ""
    has_tier_pagers: bool = False
    addresses: Callable[[Incident], Sequence[str]] = lambda _incident: ()
    facts: Mapping[str, NoticeFacts] = field(default_factory=dict)


class NotifierKind(Protocol):
    """A module of this folder."""

    CHANNELS: tuple[str, ...]
    TAKES_BACK: bool
    ESCAPES: bool

    def connect(self, settings: NotifierSettings, /) -> Notifier | None:
        """See above."""
        ...


class Quiet:
    """A notifier whose messages carry the facts of their incident, and mention nobody, whatever stands in a record."""

    def __init__(self, inner: Notifier, facts: Mapping[str, NoticeFacts]) -> None:
        self.inner, self._facts = inner, facts

    def send(self, message: Message) -> None:
        """Sends the same words with the facts, see `domain.mentions`."""
        subject, text = without_mentions(message.subject), without_mentions(message.text)
        facts = self._facts.get(message.incident, NO_FACTS)
        facts = facts.spelled(without_mentions, responds=message.audience != EXECUTIVE)
        self.inner.send(message._replace(subject=subject, text=text, facts=facts))


@cache
def kinds() -> tuple[tuple[str, NotifierKind], ...]:
    """Every notifier by its module's name, those that take any channel first: an address that is set wins."""
    names = sorted(module.name for module in iter_modules(__path__))
    found = [(name, cast("NotifierKind", import_module(f"{__name__}.{name}"))) for name in names]
    return tuple(sorted(found, key=lambda one: bool(one[1].CHANNELS)))


def connect(settings: NotifierSettings) -> Notifier:
    """The notifier of a channel. NotSetUp where nothing is set up for it."""
    for _, kind in kinds():
        if not kind.CHANNELS or settings.channel in kind.CHANNELS:
            made = kind.connect(settings)
            if made is not None:
                return made if kind.ESCAPES else Quiet(made, settings.facts)
    hint = "an apprise URL: in the repository's secrets, at home with export"
    more = ", or pager_key_env of a service in services.yaml" if settings.channel in pagers() else ""
    raise NotSetUp(settings.channel, variable(settings.channel), hint + more)


def pagers() -> frozenset[str]:
    """The channels whose pages are taken back when an incident is acknowledged or resolved."""
    return frozenset(channel for _, kind in kinds() if kind.TAKES_BACK for channel in kind.CHANNELS)


def has_address(channel: str, environment: Mapping[str, str]) -> bool:
    """True where the channel's variable is set; an address comes before everything else."""
    return bool(environment.get(variable(channel), "").strip())


def variable(channel: str) -> str:
    """The environment variable that holds a channel's address."""
    return "INCIDENT_OPS_CHANNEL_" + re.sub(r"[^A-Z0-9]", "_", channel.upper())
