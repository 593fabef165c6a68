"""Who gave an issue which text: the one thing that REST does not answer, and GraphQL does."""

from __future__ import annotations

import msgspec

from incident_ops.adapters.github.client import Client
from incident_ops.adapters.github.responses import check
from incident_ops.domain.time import parse_instant, stamp
from incident_ops.domain.tracker import BodyEdit
from incident_ops.errors import Incomplete

_QUERY = """
query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    issue(number: $number) { userContentEdits(first: 100) { nodes { editedAt diff editor { __typename login } } } }
  }
}
"""


class _Editor(msgspec.Struct, frozen=True):
    login: str
    kind: str = msgspec.field(default="User", name="__typename")


class _Edit(msgspec.Struct, frozen=True, rename="camel"):
    edited_at: str | None = None
    diff: str | None = None
    editor: _Editor | None = None

    @property
    def login(self) -> str | None:
        """As REST spells it: a bot's ends in `[bot]`."""
        if self.editor is None:
            return None
        return f"{self.editor.login}[bot]" if self.editor.kind == "Bot" else self.editor.login


class _Edits(msgspec.Struct, frozen=True):
    nodes: list[_Edit]


class _Issue(msgspec.Struct, frozen=True, rename="camel"):
    user_content_edits: _Edits


class _Repository(msgspec.Struct, frozen=True):
    issue: _Issue | None = None


class _Data(msgspec.Struct, frozen=True):
    repository: _Repository | None = None


def body_edits(client: Client, number: int) -> list[BodyEdit]:
    """The last hundred texts of an issue, oldest first; GitHub gives them newest first, each whole, as `diff`."""
    doing = f"reading who edited issue #{number}"
    data = check(client.query(_QUERY, doing=doing, number=number), _Data, doing)
    nodes = data.repository.issue.user_content_edits.nodes if data.repository and data.repository.issue else []
    try:
        found = [
            (parse_instant(node.edited_at), node)
            for node in reversed(nodes)
            if node.edited_at is not None and node.diff is not None
        ]
    except ValueError as error:
        raise Incomplete(f"{doing}: {error}", hint="run it again") from error
    found.sort(key=lambda pair: pair[0])
    return [BodyEdit(node.diff or "", node.login, stamp(at.replace(microsecond=0))) for at, node in found]
