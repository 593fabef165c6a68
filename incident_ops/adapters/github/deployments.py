"""The deployments of a repository: whether a commit was deployed before, and the status of one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

import msgspec

from incident_ops.adapters.github.client import Client
from incident_ops.adapters.github.connect import client_of
from incident_ops.adapters.github.responses import check

SUCCESS, INACTIVE = "success", "inactive"
MOST_REQUESTS = 40
_LONGEST = 140  # characters GitHub takes as description of a status


class _Deployment(msgspec.Struct, frozen=True):
    id: int
    sha: str
    environment: str


class _Status(msgspec.Struct, frozen=True):
    id: int
    state: str
    description: str | None = None


class Deployments:
    """The deployments of one repository. Reads raise `Incomplete`, or `Stopped` past the budget of requests."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @classmethod
    def of(
        cls, environment: Mapping[str, str], remote_url: str | None, sleep: Callable[[float], None] = time.sleep
    ) -> Deployments:
        """Those of the repository that the environment names, or else the clone's remote; sends nothing yet.

        UserError where no token or no repository is named.
        """
        return cls(client_of(environment, remote_url, MOST_REQUESTS, sleep))

    def deployment_passed(self, sha: str, environment: str, service: str) -> bool:
        """True where a deployment of this whole commit id to this environment ended with success by our own word.

        Our newest status about this service counts, and after it nobody's may say that it ended badly. GitHub itself
        calls a deployment a success where a job ended green, whatever was deployed: no proof. `inactive` only
        tells that a later deployment took its place.
        """
        doing = f"reading the deployments of {sha[:12]}"
        asked = urlencode({"sha": sha, "environment": environment, "per_page": 100})
        answer = self._client.read(f"/deployments?{asked}", doing=doing)
        found = check(answer.data, list[_Deployment], doing)
        ours = [one for one in found if (one.sha, one.environment) == (sha, environment)]
        return any(self._ended_well(one.id, service, doing) for one in ours)

    def tell(self, number: int, state: str, description: str) -> None:
        """Adds a status to a deployment: `state` is success, failure, error or in_progress. `WriteFailed` if refused.

        Telling it twice does no harm, so a lost answer is asked for again.
        """
        body = {"state": state, "description": description[:_LONGEST], "auto_inactive": False}
        doing = f"writing the status of deployment {number}"
        self._client.write("POST", f"/deployments/{number}/statuses", body, doing=doing, again=True)

    def _ended_well(self, number: int, service: str, doing: str) -> bool:
        answer = self._client.read(f"/deployments/{number}/statuses?per_page=100", doing=doing)
        statuses = check(answer.data, list[_Status], doing)
        outcomes = [one for one in sorted(statuses, key=lambda one: one.id) if one.state != INACTIVE]
        ours = [one for one in outcomes if (one.description or "").startswith(marked(service, ""))]
        return bool(ours) and ours[-1].state == outcomes[-1].state == SUCCESS


def marked(service: str, text: str) -> str:
    """The description of a status of ours about a service, by which it is known again."""
    return f"incident-ops {service}: {text}"
