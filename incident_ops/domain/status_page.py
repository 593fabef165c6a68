"""A status page of somebody else's: what it should say of an incident, what it says, and a change of it.

An incident on the page is ours where it carries our mark: which incident of the records it is, in which of its cycles,
what of it was published, and the states that its components were given. The mark travels with each change, so that a
run which was killed, or whose answer was lost, is seen by the next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from incident_ops.domain.public_updates import STATUSES

STATUSPAGE = "statuspage"
"""The kind of page, as the policy's `publish.to` has it."""
OPERATIONAL = "operational"
COMPONENT_STATES = (OPERATIONAL, "degraded_performance", "partial_outage", "major_outage")
"""From the best to the worst."""
RESOLVED = STATUSES[-1]
Components = Mapping[str, str]
"""The id of a component on the page -> its state."""
NONE: Components = MappingProxyType({})


class PagePost(NamedTuple):
    """A public update as it is published; `digest` knows it again, `at` is when it was written (epoch seconds)."""

    digest: str
    at: float
    status: str
    body: str


class WantedOnPage(NamedTuple):
    """What the page should say of an incident; `posts` are the updates of its present `cycle`, the oldest first.

    `may_begin`: it is put there where it does not stand yet. `is_hidden`: nothing of it may be there.
    `last_word` closes it where no update does.
    """

    key: str
    cycle: int
    name: str
    status: str
    posts: tuple[PagePost, ...]
    components: Components
    is_over: bool
    may_begin: bool
    is_hidden: bool
    first_word: str
    last_word: str


class Mark(NamedTuple):
    """What we noted on an incident of the page: the last status and component states that it got from us."""

    key: str
    cycle: int
    status: str
    published: frozenset[str] = frozenset()
    components: Components = NONE


class PageIncident(NamedTuple):
    """An incident as the page has it; `mark` None = it is not ours. `changed`: epoch seconds. `metadata` as it came."""

    id: str
    status: str
    changed: float
    mark: Mark | None
    components: frozenset[str] = frozenset()
    metadata: Mapping[str, Any] = MappingProxyType({})

    @property
    def is_resolved(self) -> bool:
        """True where the page says that it is over; one with a postmortem is."""
        return self.status not in STATUSES[:-1]


class PageSeen(NamedTuple):
    """What the page holds: its unresolved incidents and the newest others, and the state of each component.

    `spoiled` are those whose mark somebody edited: which incident of ours they are is not known.
    """

    incidents: tuple[PageIncident, ...] = ()
    components: Components = NONE
    spoiled: tuple[str, ...] = ()


class PageChange(NamedTuple):
    """One request: `id` of the incident on the page, "" for a new one; `line` says for people what it does.

    `name` and `body` None = not said. `notifies`: those who subscribed to the page hear of it. `attached`: the
    components that the incident has on the page, which it keeps.
    """

    key: str
    id: str
    line: str
    mark: Mark
    name: str | None = None
    status: str | None = None
    body: str | None = None
    components: Components = NONE
    notifies: bool = False
    metadata: Mapping[str, Any] = MappingProxyType({})
    attached: frozenset[str] = frozenset()


class StatusPage(Protocol):
    """The page itself. `read` raises Incomplete and UserError, `change` WriteFailed, Ambiguous and UserError."""

    def read(self) -> PageSeen:
        """All that it holds."""
        ...

    def change(self, change: PageChange) -> None:
        """Carries out one change."""
        ...
