"""A record as rules see it, and the world they see it in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy
from incident_ops.model.service import Service


class Record(NamedTuple):
    """An incident with the place it came from.

    `path` is relative to the repository; `data` is the JSON-like content the incident was built from; `pending` is
    true for a record that is not merged yet.
    """

    path: str
    incident: Incident
    data: Mapping[str, Any]
    pending: bool = False


class World(NamedTuple):
    """What a rule may know beside the record: policy, services by name, and the instant of the check (aware UTC)."""

    policy: Policy
    services: Mapping[str, Service]
    now: datetime


class Clash(NamedTuple):
    """One id in several records; `next_free` is an id nobody has."""

    id: str
    paths: tuple[str, ...]
    next_free: str


class Link(NamedTuple):
    """A link between records as written: `kind` is related, duplicate_of or problem; `route` leads to it."""

    path: str
    source: str
    kind: str
    target: str
    route: tuple[str | int, ...]


class Crossings(NamedTuple):
    """What is true of all records together: ids given twice, links that lead nowhere, every link between records."""

    clashes: tuple[Clash, ...]
    dangling: tuple[Link, ...]
    links: tuple[Link, ...]
