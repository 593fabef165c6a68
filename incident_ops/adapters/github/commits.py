"""Commits that GitHub makes and signs. They are on no branch until somebody moves one there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from incident_ops.adapters.git_proposals import ChangedFile
from incident_ops.adapters.github.client import Client
from incident_ops.adapters.github.responses import Answer, check, refused
from incident_ops.errors import WriteFailed

_AT_ONCE = 100  # files in one request
_MAY_NOT = (403, 404)  # to a token that may not write contents
_BY_GITHUB = "web-flow"  # the committer of what GitHub makes itself: nobody else can sign for it


class _Made(msgspec.Struct, frozen=True):
    sha: str


class _Verification(msgspec.Struct, frozen=True):
    signature: str | None = None


class _Commit(msgspec.Struct, frozen=True):
    sha: str
    verification: _Verification


class _Account(msgspec.Struct, frozen=True):
    login: str | None = None


class _Checked(msgspec.Struct, frozen=True):
    verified: bool
    reason: str = ""


class _Inner(msgspec.Struct, frozen=True):
    verification: _Checked


class _Seen(msgspec.Struct, frozen=True):
    sha: str
    commit: _Inner
    author: _Account | None = None
    committer: _Account | None = None


class SignedFor(NamedTuple):
    """The login for whom GitHub itself made and signed a commit, "" for any other; `why` is then the reason."""

    login: str
    why: str = ""


class CommitsByGitHub:
    """Makes commits in the repository of `client`.

    GitHub signs one that names no author where the token is an App's, such as GITHUB_TOKEN; it signs none for the token
    of a person, and none is asked for twice. Nothing refers to what a request made, so it may be sent again.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._signs = True

    def signed(self, base_tree: str, tree: str, changed: Sequence[ChangedFile], parent: str, message: str) -> str:
        """A commit of `tree` on top of `parent` -> its id, "" where GitHub signs none for this token.

        `changed` is what differs between `base_tree`, which GitHub has, and `tree`. Without `base_tree` and `parent` it
        is a first commit. Raises WriteFailed or Ambiguous.
        """
        doing = "asking GitHub for a signed commit"
        made = self._tree(base_tree, changed, doing) if self._signs else ""
        if made and made != tree:
            raise WriteFailed(f"{doing}: it made other files than those sent", hint="the next run tries again")
        body = {"message": message, "tree": tree, "parents": [parent] if parent else []}
        answer = self._post("/git/commits", body, doing) if made else None
        commit = check(answer.data, _Commit, doing) if answer else None
        self._signs = commit is not None and bool(commit.verification.signature)
        return commit.sha if commit and self._signs else ""

    def signed_for(self, commit: str) -> SignedFor:
        """For whom GitHub signed a commit of its repository. Incomplete where it does not tell.

        A person's own key does not count: it proves who committed, and they may write any author.
        """
        doing = f"asking GitHub who signed commit {commit[:12]}"
        seen = check(self._client.read(f"/commits/{commit}", doing=doing).data, _Seen, doing)
        author, committer = ((one.login if one else None) or "" for one in (seen.author, seen.committer))
        checked = seen.commit.verification
        if seen.sha != commit or not checked.verified:
            return SignedFor("", checked.reason)
        return SignedFor(author) if committer == _BY_GITHUB else SignedFor("", f"signed by {committer or 'somebody'}")

    def _tree(self, base: str, changed: Sequence[ChangedFile], doing: str) -> str:
        tree = base
        for start in range(0, len(changed), _AT_ONCE):
            rows = [_row(one) for one in changed[start : start + _AT_ONCE]]
            body = {"tree": rows} | ({"base_tree": tree} if tree else {})
            answer = self._post("/git/trees", body, doing)
            if answer is None:
                return ""
            tree = check(answer.data, _Made, doing).sha
        return tree

    def _post(self, path: str, body: object, doing: str) -> Answer | None:
        answer = self._client.ask("POST", path, body=body, again=True)
        if answer.status in _MAY_NOT:
            return None
        if answer.status >= 300:
            raise refused(answer, WriteFailed, doing, self._client.repository)
        return answer


def _row(one: ChangedFile) -> dict[str, object]:
    row: dict[str, object] = {"path": one.path, "mode": one.mode, "type": "blob"}
    return row | ({"sha": None} if one.content is None else {"content": one.content.decode()})
