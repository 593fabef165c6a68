"""The pull request of a fixed branch of ours: found again, changed rather than opened twice, closed when empty."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote, urlencode

import msgspec

from incident_ops.adapters.github.client import Client
from incident_ops.adapters.github.responses import check, check_body, check_title, refused, says
from incident_ops.errors import Ambiguous, Incomplete, WriteFailed

OPEN, MERGED, CLOSED = "open", "merged", "closed"


class PullRequest(NamedTuple):
    """A pull request: `state` is OPEN, MERGED, or CLOSED by a person without a merge; `head` the commit it proposes."""

    number: int
    url: str
    state: str
    title: str
    body: str
    head: str


class _Head(msgspec.Struct, frozen=True):
    sha: str


class _Seen(msgspec.Struct, frozen=True):
    number: int
    html_url: str
    state: str
    title: str
    head: _Head
    body: str | None = None
    merged_at: str | None = None

    def value(self) -> PullRequest:
        state = OPEN if self.state == "open" else MERGED if self.merged_at else CLOSED
        return PullRequest(self.number, self.html_url, state, self.title, self.body or "", self.head.sha)


class PullRequests:
    """Pull requests from branches of the repository itself; `site` is where people read them."""

    def __init__(self, client: Client, site: str) -> None:
        self._client, self._site = client, site

    def find(self, branch: str) -> PullRequest | None:
        """The open pull request of `branch`, else the newest that was closed, else None."""
        owner = self._client.repository.partition("/")[0]
        doing = f"looking for the pull request of {branch}"
        query = urlencode(
            {"head": f"{owner}:{branch}", "state": "all", "sort": "created", "direction": "desc", "per_page": 100}
        )
        answer = self._client.read(f"/pulls?{query}", doing=doing)
        seen = [one.value() for one in check(answer.data, list[_Seen], doing)]
        return next((one for one in seen if one.state == OPEN), seen[0] if seen else None)

    def create(self, branch: str, base: str, title: str, body: str) -> PullRequest:
        """Opens one, or finds the one that is open; where Actions may not, `WriteFailed` says what to switch on."""
        check_title(title, "the pull request")
        check_body(body, "the pull request")
        doing = f"opening the pull request of {branch}"
        wanted = {"head": branch, "base": base, "title": title, "body": body}
        try:
            answer = self._client.ask("POST", "/pulls", body=wanted)
            if answer.status < 300:
                return check(answer.data, _Seen, doing).value()
        except (Ambiguous, Incomplete) as error:
            self._client.settle()
            found = self.find(branch)
            if found is None or found.state != OPEN:
                raise Ambiguous(error.message, hint="the next run looks for it first") from error
            return found
        if answer.status == 422 and says(answer, r"already exists"):
            found = self.find(branch)
            if found is not None and found.state == OPEN:
                return found
        refusal = refused(answer, WriteFailed, doing, self._client.repository)
        if says(answer, r"not permitted to create"):
            refusal.hint = self._not_permitted(branch, base)
        raise refusal

    def update(self, number: int, title: str, body: str) -> None:
        """Changes title and text."""
        check_title(title, f"pull request #{number}")
        check_body(body, f"pull request #{number}")
        self._client.write(
            "PATCH", f"/pulls/{number}", {"title": title, "body": body}, doing=f"changing pull request #{number}"
        )

    def close(self, number: int) -> None:
        """Closes it unmerged."""
        self._client.write("PATCH", f"/pulls/{number}", {"state": "closed"}, doing=f"closing pull request #{number}")

    def _not_permitted(self, branch: str, base: str) -> str:
        compare = f"{self._site}/{self._client.repository}/compare/{quote(base)}...{quote(branch)}?expand=1"
        return (
            "switch on Settings > Actions > General > Allow GitHub Actions to create and approve pull requests"
            f" (of the organisation too); the branch is pushed: open it by hand at {compare}"
        )
