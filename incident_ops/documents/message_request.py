"""Which text is wanted, and what it is written from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from incident_ops.domain.policy import Policy, Service

UPDATE, PAGE, ANNOUNCEMENT = "update", "page", "announcement"
PUBLIC_TEXTS = (UPDATE, PAGE, ANNOUNCEMENT)
"""The texts for the public: one update, the whole status page, the announcement that it is over."""


class MessageRequest(NamedTuple):
    """For whom a text is, which status it says, which of the public texts it is; `eta` as a record has it."""

    audience: str
    status: str
    kind: str = UPDATE
    eta: str | None = None


class MessageSources(NamedTuple):
    """What a text is written from beside the incident; `postmortem` is where its postmortem can be read, or ""."""

    policy: Policy
    services: Mapping[str, Service]
    now: datetime
    postmortem: str = ""
