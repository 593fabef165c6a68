"""Planned times as their records say them: deploy freezes, overrides of one commit, maintenance windows.

Only what decisions rest on is taken; the schemas hold the whole. Instants stay text, `incident_ops.windows` reads them.
"""

from __future__ import annotations

import msgspec

OVERRIDE = "override"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Base: built from checked data, fields that no decision needs are left out."""


class Freeze(Plan, frozen=True, kw_only=True, rename={"begin": "from", "end": "until"}):
    """freezes/<name>.yaml. `kind` freeze holds deploys, OVERRIDE lets `sha` through; no services or environments = all.

    `begin` and `end` are instants, or local times that `zone` explains; `end` None = until the file is gone.
    """

    name: str
    reason: str
    begin: str
    end: str | None = None
    zone: str | None = None
    kind: str = "freeze"
    services: list[str] = []
    environments: list[str] = []
    by: str | None = None
    approved_by: str | None = None
    sha: str | None = None

    @property
    def is_override(self) -> bool:
        """True where it releases instead of holding."""
        return self.kind == OVERRIDE

    def concerns(self, service: str, environment: str) -> bool:
        """True where it is about this service in this environment."""
        return (not self.services or service in self.services) and (
            not self.environments or environment in self.environments
        )


class Window(Plan, frozen=True, kw_only=True, rename={"begin": "from", "end": "until"}):
    """A stretch on the wall clock of a zone."""

    zone: str
    begin: str
    end: str


class Buffer(Plan, frozen=True, kw_only=True):
    """Durations kept free around a window; None = the policy's."""

    before: str | None = None
    after: str | None = None


class Execution(Plan, frozen=True, kw_only=True):
    """When the work really began and the window was closed; `unknown` is a value."""

    started: str | None = None
    closed: str | None = None


class Maintenance(Plan, frozen=True, kw_only=True):
    """maintenance/<CHG id>.yaml."""

    id: str
    title: str
    status: str
    services: list[str]
    window: Window
    buffer: Buffer = Buffer()
    execution: Execution = Execution()

    @property
    def is_agreed(self) -> bool:
        """True from the approval until it is over; a draft or a request holds nothing."""
        return self.status in ("approved", "in_progress") and self.execution.closed is None

    @property
    def is_running(self) -> bool:
        """True while people work on it, however long that takes."""
        return self.is_agreed and (self.status == "in_progress" or self.execution.started is not None)
