"""The workflows of a repository in memory: what is switched on, what was started, and what runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from incident_ops.domain.ports import WorkflowRun
from incident_ops.errors import WriteFailed


class FakeWorkflows:
    """`states` by file; `began` the runs by file, as a test makes them; a dispatched run is queued there.

    `written` lists every change, in order; `refuses`: none is taken.
    """

    def __init__(self, states: Mapping[str, str], now: Callable[[], datetime]) -> None:
        self.states, self.now = dict(states), now
        self.began: dict[str, list[WorkflowRun]] = {}
        self.written: list[str] = []
        self.refuses = False

    def state(self, file: str) -> str:
        return self.states.get(file, "")

    def enable(self, file: str) -> None:
        self._change("enable", file)
        self.states[file] = "active"

    def disable(self, file: str) -> None:
        self._change("disable", file)
        self.states[file] = "disabled_manually"

    def dispatch(self, file: str, branch: str, inputs: Mapping[str, str]) -> None:
        self._change(f"dispatch on {branch}", file)
        if self.states[file] != "active":
            raise WriteFailed(f"{file} is switched off")
        runs = self.began.setdefault(file, [])
        runs.append(WorkflowRun(len(runs) + 1, "queued", "", self.now(), None))

    def runs(self, file: str, since: datetime | None = None) -> Sequence[WorkflowRun]:
        found = [one for one in self.began.get(file, ()) if since is None or one.began >= since]
        return sorted(found, key=lambda one: one.began, reverse=True)

    def begin(self, file: str) -> None:
        """The oldest queued run begins now."""
        self._turn(file, "queued", "in_progress", "")

    def end(self, file: str, conclusion: str = "success") -> None:
        """The run that goes on ends now."""
        self._turn(file, "in_progress", "completed", conclusion)

    def is_queued(self, file: str) -> bool:
        return any(one.status == "queued" for one in self.began.get(file, ()))

    def _change(self, what: str, file: str) -> None:
        if file not in self.states or self.refuses:
            raise WriteFailed(f"{file} cannot be changed")
        self.written.append(f"{what} {file}")

    def _turn(self, file: str, old: str, new: str, conclusion: str) -> None:
        runs = self.began[file]
        place = next(place for place, one in enumerate(runs) if one.status == old)
        one = runs[place]
        ended = self.now() if new == "completed" else None
        began = self.now() if new == "in_progress" else one.began
        runs[place] = WorkflowRun(one.id, new, conclusion, began, ended)
