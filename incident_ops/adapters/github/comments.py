"""Comments: ours, one on an issue for each topic, found again by the marker on its first line; and what others say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from incident_ops.adapters.github.client import Client, Identity
from incident_ops.adapters.github.responses import BELONG, CommentSeen, Said, check, check_body
from incident_ops.domain.time import parse_instant, stamp
from incident_ops.domain.tracker import Comment
from incident_ops.errors import Ambiguous, Incomplete, Stopped

_LOOKS_FIRST = "the next run looks for it first"


class Comments:
    """The comments that this program writes, and those it reads."""

    def __init__(self, client: Client, identity: Identity) -> None:
        self._client, self._identity = client, identity

    def say(self, number: int, topic: str, text: str) -> bool:
        """Sees to it that our one comment on `topic` says `text`; False where it says so already."""
        marker = f"<!-- incident-ops v1 comment={topic} -->"
        body = f"{marker}\n{text}"
        doing = f"the comment `{topic}` on issue #{number}"
        check_body(body, doing)
        ours = self._ours(number, marker)
        if ours is None:
            self._post(number, marker, body, doing)
        elif _normal(ours.body) == _normal(body):
            return False
        else:
            self._client.write("PATCH", f"/issues/comments/{ours.id}", {"body": body}, doing=f"changing {doing}")
        return True

    def since(self, at: datetime) -> list[Comment]:
        """Every comment under an issue that was written or changed at or after `at`; bots and ours are marked so."""
        doing = f"reading the comments of {self._client.repository}"
        pages = self._client.pages("/issues/comments", doing=doing, since=stamp(at), sort="updated", direction="asc")
        seen = [one for page in pages for one in check(page, list[Said], doing)]
        found = {(one.issue_url, one.created_at, one.body): self._comment(one, doing) for one in seen}
        return [one for one in found.values() if one is not None]

    def _comment(self, one: Said, doing: str) -> Comment | None:
        if one.issue is None:
            return None
        who = one.user.login if one.user else ""
        is_bot = one.user is not None and self._identity.is_bot(one.user)
        try:
            at = stamp(parse_instant(one.created_at))
        except ValueError as error:
            raise Incomplete(f"{doing}: {one.created_at!r} is not an instant", hint="run it again") from error
        is_stranger = one.author_association not in BELONG
        return Comment(issue=one.issue, by=who, at=at, body=one.body or "", is_bot=is_bot, is_stranger=is_stranger)

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
            if not self._is_there(number, marker, error):
                raise Ambiguous(error.message, hint=_LOOKS_FIRST) from error
            return
        self._identity.check_written(doing, made.author)

    def _is_there(self, number: int, marker: str, lost: Ambiguous | Incomplete) -> bool:
        """True where the comment whose answer was lost is there; Ambiguous where that cannot be read either."""
        try:
            return self._ours(number, marker) is not None
        except (Incomplete, Stopped) as error:
            raise Ambiguous(f"{lost.message}; {error.message}", hint=_LOOKS_FIRST) from error


def _normal(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").rstrip()
