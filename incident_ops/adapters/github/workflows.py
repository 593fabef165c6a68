"""The workflows of a repository: whether they are switched on, their runs, and starting one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import NoReturn
from urllib.parse import quote

import msgspec

from incident_ops.adapters.github.client import Client
from incident_ops.adapters.github.connect import client_of
from incident_ops.adapters.github.responses import Answer, check, refused
from incident_ops.domain.ports import WorkflowRun
from incident_ops.errors import Incomplete

_MOST_REQUESTS = 60
_READ, _WRITE = "actions: read", "actions: write"
_MOST_LISTED = 1000  # runs that GitHub lists of those in a span
# GitHub filters by when a run was created; one that is run again begins later. Only a person runs one again, so that a
# day is enough: the 30 days in which they may would bring more runs than GitHub lists, and then none could be counted.
_RE_RUN = timedelta(days=1)


class _Workflow(msgspec.Struct, frozen=True):
    state: str
    path: str = ""


class _Run(msgspec.Struct, frozen=True):
    id: int
    created_at: datetime
    updated_at: datetime
    status: str | None = None
    conclusion: str | None = None
    run_started_at: datetime | None = None


class GitHubWorkflows:
    """The port `WorkflowControl` for one repository on GitHub."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @classmethod
    def of(
        cls, environment: Mapping[str, str], remote_url: str | None, sleep: Callable[[float], None] = time.sleep
    ) -> GitHubWorkflows:
        """Those of the repository that the environment names, or else the clone's remote; sends nothing yet.

        UserError where no token or no repository is named.
        """
        return cls(client_of(environment, remote_url, _MOST_REQUESTS, sleep))

    def states(self) -> dict[str, str]:
        """The state of every workflow, by the name of its file."""
        doing = "listing the workflows"
        pages = self._client.pages("/actions/workflows", doing=doing, permission=_READ, inside="workflows")
        seen = [one for page in pages for one in check(page, list[_Workflow], doing)]
        return {one.path.rpartition("/")[2]: one.state for one in seen}

    def state(self, file: str) -> str:
        """`active`, `disabled_manually` and such; "" where there is no such workflow."""
        doing = f"looking up the workflow {file}"
        answer = self._client.ask("GET", _place(file))
        if answer.status == 404:
            return ""
        if answer.status >= 300:
            self._refuse(answer, doing)
        return check(answer.data, _Workflow, doing).state

    def enable(self, file: str) -> None:
        """Lets its schedule and its events start runs."""
        self._client.write("PUT", f"{_place(file)}/enable", None, doing=f"switching on {file}", permission=_WRITE)

    def disable(self, file: str) -> None:
        """Lets nothing start it any more."""
        self._client.write("PUT", f"{_place(file)}/disable", None, doing=f"switching off {file}", permission=_WRITE)

    def dispatch(self, file: str, branch: str, inputs: Mapping[str, str]) -> None:
        """Starts a run on the newest commit of a branch. `Ambiguous` where the answer is lost: it may have started."""
        body = {"ref": branch, "inputs": dict(inputs)}
        doing = f"starting {file} on {branch}"
        self._client.write("POST", f"{_place(file)}/dispatches", body, doing=doing, permission=_WRITE)

    def runs(self, file: str, since: datetime | None = None) -> Sequence[WorkflowRun]:
        """Those that began at or after `since`, else the newest hundred; newest first. None of a missing workflow."""
        doing = f"listing the runs of {file}"
        asked = {} if since is None else {"created": f">={_spelled(since - _RE_RUN)}"}
        try:
            pages = self._client.pages(
                f"{_place(file)}/runs", doing=doing, permission=_READ, inside="workflow_runs", **asked
            )
            listed = [one for page in islice(pages, 1 if since is None else None) for one in page]
        except Incomplete:
            if self.state(file) == "":
                return ()
            raise
        if since is not None and len(listed) >= _MOST_LISTED:
            raise Incomplete(f"{doing}: GitHub lists no more than {_MOST_LISTED}", hint="ask for a shorter time")
        found = [_as_run(one) for one in check(listed, list[_Run], doing)]
        kept = (one for one in found if since is None or one.began >= since)
        return sorted(kept, key=lambda one: (one.began, one.id), reverse=True)

    def _refuse(self, answer: Answer, doing: str) -> NoReturn:
        raise refused(answer, Incomplete, doing, self._client.repository, _READ)


def _place(file: str) -> str:
    return f"/actions/workflows/{quote(file, safe='')}"


def _spelled(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _as_run(seen: _Run) -> WorkflowRun:
    began = seen.run_started_at or seen.created_at
    status = seen.status or ""
    ended = seen.updated_at if status == "completed" else None
    return WorkflowRun(seen.id, status, seen.conclusion or "", began, ended)
