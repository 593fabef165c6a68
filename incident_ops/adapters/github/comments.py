"""One comment on an issue for each topic: found again by the marker on its first line, changed rather than repeated."""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.adapters.github.client import Client
from incident_ops.adapters.github.identity import Identity
from incident_ops.adapters.github.lengths import check_body
from incident_ops.adapters.github.shapes import CommentSeen, check
from incident_ops.errors import Ambiguous, Incomplete


class Comments:
    """The comments that this program writes."""

    def __init__(self, client: Client, identity: Identity) -> None:
        self._client, self._identity = client, identity

    def say(self, number: int, topic: str, text: str) -> None:
        """Sees to it that our one comment on `topic` says `text`."""
        marker = f"<!-- incident-ops v1 comment={topic} -->"
        body = f"{marker}\n{text}"
        doing = f"the comment `{topic}` on issue #{number}"
        check_body(body, doing)
        ours = self._ours(number, marker)
        if ours is None:
            self._post(number, marker, body, doing)
        elif _normal(ours.body) != _normal(body):
            self._client.write("PATCH", f"/issues/comments/{ours.id}", {"body": body}, doing=f"changing {doing}")

    def _ours(self, number: int, marker: str) -> CommentSeen | None:
        """The oldest comment with the marker by a trusted author."""
        mine = (
            one
            for one in self._all(number)
            if _normal(one.body).split("\n", 1)[0] == marker and self._identity.trusts(one.author)
        )
        return min(mine, key=lambda one: one.id, default=None)

    def _all(self, number: int) -> Iterator[CommentSeen]:
        doing = f"reading the comments of issue #{number}"
        for page in self._client.pages(f"/issues/{number}/comments", doing=doing):
            yield from check(page, list[CommentSeen], doing)

    def _post(self, number: int, marker: str, body: str, doing: str) -> None:
        self._identity.check_token()
        writing = f"writing {doing}"
        try:
            answer = self._client.write("POST", f"/issues/{number}/comments", {"body": body}, doing=writing)
            made = check(answer.data, CommentSeen, writing)
        except (Ambiguous, Incomplete) as error:
            self._client.settle()
            if self._ours(number, marker) is None:
                raise Ambiguous(error.message, hint="the next run looks for it first") from error
            return
        self._identity.check_written(doing, made.author)


def _normal(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").rstrip()
