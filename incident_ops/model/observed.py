"""What a tracker was seen to hold: frozen, complete, and all that a plan may know of the outside."""

from __future__ import annotations

from incident_ops.model.incident import Value


class Issue(Value, frozen=True):
    """One issue. `key` is the owner the tracker itself keeps, where it can; otherwise the marker in `body` tells.

    `state` is open or closed; `state_reason` completed, not_planned, duplicate, reopened, or None.
    """

    number: int
    title: str
    body: str
    labels: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    state: str = "open"
    state_reason: str | None = None
    key: str | None = None

    @property
    def is_open(self) -> bool:
        """True until somebody closed it."""
        return self.state == "open"


class Edit(Value, frozen=True):
    """New values for an issue; None leaves a field as it is."""

    title: str | None = None
    body: str | None = None
    labels: tuple[str, ...] | None = None
    assignees: tuple[str, ...] | None = None


class Snapshot(Value, frozen=True):
    """All issues of a tracker at one moment, by number."""

    issues: tuple[Issue, ...] = ()
