"""Commits that GitHub makes and signs. They are on no branch until somebody moves one there."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from incident_ops.adapters.git_proposals import ChangedFile
from incident_ops.adapters.github.client import Client
from incident_ops.adapters.github.responses import Answer, check, refused
from incident_ops.errors import WriteFailed

_AT_ONCE = 100  # files in one request
_MAY_NOT = (403, 404)  # to a token that may not write contents


class _Made(msgspec.Struct, frozen=True):
    sha: str


class _Verification(msgspec.Struct, frozen=True):
    signature: str | None = None


class _Commit(msgspec.Struct, frozen=True):
    sha: str
    verification: _Verification


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

        `changed` is what differs between `base_tree`, which GitHub has, and `tree`. Raises WriteFailed or Ambiguous.
        """
        doing = "asking GitHub for a signed commit"
        made = self._tree(base_tree, changed, doing) if self._signs else ""
        if made and made != tree:
            raise WriteFailed(f"{doing}: it made other files than those sent", hint="the next run tries again")
        body = {"message": message, "tree": tree, "parents": [parent]}
        answer = self._post("/git/commits", body, doing) if made else None
        commit = check(answer.data, _Commit, doing) if answer else None
        self._signs = commit is not None and bool(commit.verification.signature)
        return commit.sha if commit and self._signs else ""

    def _tree(self, base: str, changed: Sequence[ChangedFile], doing: str) -> str:
        tree = base
        for start in range(0, len(changed), _AT_ONCE):
            rows = [_row(one) for one in changed[start : start + _AT_ONCE]]
            answer = self._post("/git/trees", {"base_tree": tree, "tree": rows}, doing)
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
