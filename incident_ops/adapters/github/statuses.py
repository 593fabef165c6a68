"""Commit statuses: what is said of single commits, beside their checks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import msgspec

from incident_ops.adapters.github.client import Client
from incident_ops.adapters.github.connect import client_of
from incident_ops.adapters.github.responses import check

_MOST_REQUESTS = 40
_LONGEST = 140  # characters GitHub takes as description


class _Status(msgspec.Struct, frozen=True):
    context: str
    state: str


class GitHubStatuses:
    """The port `CommitStatuses` for one repository on GitHub."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @classmethod
    def of(
        cls, environment: Mapping[str, str], remote_url: str | None, sleep: Callable[[float], None] = time.sleep
    ) -> GitHubStatuses:
        """Those of the repository that the environment names, or else the clone's remote; sends nothing yet.

        UserError where no token or no repository is named.
        """
        return cls(client_of(environment, remote_url, _MOST_REQUESTS, sleep))

    def newest(self, commit: str, context: str) -> str:
        """The state that was said last under this name; "" where nothing was."""
        doing = f"reading the statuses of {commit[:12]}"
        for page in self._client.pages(f"/commits/{commit}/statuses", doing=doing, permission="statuses: read"):
            for one in check(page, list[_Status], doing):  # GitHub lists the newest first
                if one.context.casefold() == context.casefold():  # one name, in any case
                    return one.state
        return ""

    def tell(self, commit: str, context: str, state: str, description: str, address: str = "") -> None:
        """Says it of exactly this commit. Telling it twice does no harm, so a lost answer is asked for again."""
        body = {"state": state, "context": context, "description": description[:_LONGEST]}
        if address:
            body["target_url"] = address
        doing = f"writing the status {context} of {commit[:12]}"
        place = f"/statuses/{commit}"
        self._client.write("POST", place, body, doing=doing, again=True, permission="statuses: write")
