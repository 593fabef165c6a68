"""The pull requests of our branches: found again, changed rather than opened twice; who closed one without merging."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote, urlencode

import msgspec

from incident_ops.adapters.github import timelines
from incident_ops.adapters.github.client import Client, Identity
from incident_ops.adapters.github.responses import check, check_body, check_title, refused, says
from incident_ops.domain.tracker import PullRequest
from incident_ops.errors import Ambiguous, Incomplete, WriteFailed

OPEN, MERGED, CLOSED = "open", "merged", "closed"


_WITH_ITS_BRANCH = timedelta(seconds=2)
"""GitHub closes a pull request whose branch is deleted, and names whoever deleted it for both."""


class _Repository(msgspec.Struct, frozen=True):
    full_name: str


class _Head(msgspec.Struct, frozen=True):
    ref: str
    repo: _Repository | None = None


class _Seen(msgspec.Struct, frozen=True):
    number: int
    html_url: str
    state: str
    title: str
    head: _Head
    base: _Head
    body: str | None = None
    merged_at: str | None = None

    def value(self) -> PullRequest:
        state = OPEN if self.state == "open" else MERGED if self.merged_at else CLOSED
        return PullRequest(self.number, self.html_url, state, self.title, self.body or "")


def compare_address(site: str, repository: str, base: str, branch: str) -> str:
    """Where a person opens the pull request of a branch."""
    return f"{site}/{repository}/compare/{quote(base)}...{quote(branch)}?expand=1"


class PullRequests:
    """Pull requests from branches of the repository itself; `site` is where people read them."""

    def __init__(self, client: Client, identity: Identity, site: str) -> None:
        self._client, self._identity, self._site = client, identity, site

    def open_ones(self) -> dict[str, PullRequest]:
        """Branch -> its open pull request."""
        doing = "listing the open pull requests"
        pages = self._client.pages("/pulls", doing=doing, state="open")
        seen = [one for page in pages for one in check(page, list[_Seen], doing)]
        return {one.head.ref: one.value() for one in seen if one.head.repo == one.base.repo}

    def closed(self, branch: str) -> list[PullRequest]:
        """The pull requests of a branch that were closed without a merge, newest first, of its last hundred."""
        return [one for one in self._of(branch, "closed") if one.state == CLOSED]

    def closed_by_person(self, number: int) -> str:
        """The login of the person who closed a pull request.

        "" where it was a bot, this tool, or GitHub, which closes one whose branch is deleted.
        """
        doing = f"looking up who closed pull request #{number}"
        events = timelines.read(self._client, number, doing)
        last = timelines.last_closing(events)
        if last is None or last.actor is None or self._identity.is_bot(last.actor):
            return ""
        closed = timelines.instant_of(last, doing)
        gone = [timelines.instant_of(one, doing) for one in events if one.event == "head_ref_deleted"]
        return "" if any(abs(at - closed) <= _WITH_ITS_BRANCH for at in gone) else last.actor.login

    def _of(self, branch: str, state: str) -> list[PullRequest]:
        owner = self._client.repository.partition("/")[0]
        doing = f"looking for the pull request of {branch}"
        query = urlencode(
            {"head": f"{owner}:{branch}", "state": state, "sort": "created", "direction": "desc", "per_page": 100}
        )
        answer = self._client.read(f"/pulls?{query}", doing=doing)
        return [one.value() for one in check(answer.data, list[_Seen], doing)]

    def find(self, branch: str) -> PullRequest | None:
        """The open pull request of `branch`, if it has one."""
        return next(iter(self._of(branch, OPEN)), None)

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
            if found is None:
                raise Ambiguous(error.message, hint="the next run looks for it first") from error
            return found
        if answer.status == 422 and says(answer, r"already exists"):
            found = self.find(branch)
            if found is not None:
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
        compare = compare_address(self._site, self._client.repository, base, branch)
        settings = f"{self._site}/{self._client.repository}/settings/actions"
        return (
            f"tick `Allow GitHub Actions to create and approve pull requests` at {settings} (greyed out: in the"
            " organisation's settings), and the next run opens it; nothing is lost, the branch is pushed."
            f" Or open it by hand: {compare}"
        )
