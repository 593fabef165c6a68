"""What came back from GitHub: answers, or none; checked for their shape, and as values of the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec

from incident_ops.adapters.processes import one_line
from incident_ops.domain.tracker import Issue, Label
from incident_ops.errors import Incomplete

UNSENT, TIMEOUT, DROPPED, GARBLED = "unsent", "timeout", "dropped", "garbled"

_Shape = TypeVar("_Shape")


class Answer(NamedTuple):
    """An answer as it came: header names in lower case, `data` the JSON of its body (None without a body)."""

    status: int
    headers: Mapping[str, str]
    data: object

    @property
    def message(self) -> str:
        """What GitHub says about a refusal, one printable line; "" where it says nothing."""
        said = self.data.get("message") if isinstance(self.data, dict) else None
        return one_line(said) if isinstance(said, str) else ""

    @property
    def is_redirect(self) -> bool:
        """True where the answer names another address to ask."""
        return self.status in (301, 302, 307, 308) and "location" in self.headers


class Lost(NamedTuple):
    """No answer that can be read: `kind` is UNSENT (never left this machine), TIMEOUT, DROPPED or GARBLED."""

    kind: str
    reason: str


class Login(msgspec.Struct, frozen=True):
    """A person or a bot; GitHub gives null for an account that is gone."""

    login: str


class LabelSeen(msgspec.Struct, frozen=True):
    """A label, in a list of labels or on an issue."""

    name: str
    color: str | None = None
    description: str | None = None


class IssueSeen(msgspec.Struct, frozen=True):
    """An issue or a pull request: GitHub lists both as issues."""

    id: int
    number: int
    title: str
    state: Literal["open", "closed"]
    repository_url: str
    labels: list[LabelSeen]
    html_url: str = ""
    assignees: list[Login] | None = None
    user: Login | None = None
    body: str | None = None
    state_reason: str | None = None
    pull_request: dict[str, Any] | None = None
    parent_issue_url: str | msgspec.UnsetType | None = msgspec.UNSET
    sub_issues_summary: dict[str, Any] | msgspec.UnsetType | None = msgspec.UNSET

    @property
    def author(self) -> str:
        """The login that opened it, "" where that account is gone."""
        return self.user.login if self.user else ""

    @property
    def repository(self) -> str:
        """`owner/name` of the repository it lies in now."""
        return "/".join(self.repository_url.split("/")[-2:])

    @property
    def knows_sub_issues(self) -> bool:
        """True where this GitHub has sub-issues: older servers leave both fields out."""
        return self.parent_issue_url is not msgspec.UNSET or self.sub_issues_summary is not msgspec.UNSET


class CommentSeen(msgspec.Struct, frozen=True):
    """A comment of an issue."""

    id: int
    body: str | None = None
    user: Login | None = None

    @property
    def author(self) -> str:
        """The login that wrote it, "" where that account is gone."""
        return self.user.login if self.user else ""


class Account(msgspec.Struct, frozen=True):
    """Who wrote something: `type` is User, Bot, Organization or Mannequin."""

    login: str
    type: str = "User"


class Said(msgspec.Struct, frozen=True):
    """A comment in the list of a whole repository; pull requests' are among them."""

    issue_url: str
    created_at: str
    body: str | None = None
    user: Account | None = None

    @property
    def issue(self) -> int | None:
        """The number of the issue it stands under."""
        number = self.issue_url.rpartition("/")[2]
        return int(number) if number.isdecimal() else None


def check(data: object, shape: type[_Shape], doing: str) -> _Shape:
    """`data` as `shape`, or `Incomplete`: an answer of another shape tells nothing."""
    try:
        return msgspec.convert(data, shape)
    except msgspec.ValidationError as error:
        raise Incomplete(
            f"{doing}: GitHub's answer is not as its API describes it: {error}", hint="run it again"
        ) from error


def as_issue(seen: IssueSeen) -> Issue:
    """What the plan may know of an issue."""
    return Issue(
        number=seen.number,
        title=seen.title,
        body=seen.body or "",
        labels=tuple(label.name for label in seen.labels),
        assignees=tuple(one.login for one in seen.assignees or ()),
        state=seen.state,
        state_reason=seen.state_reason,
        author=seen.author,
        parent=_parent(seen),
    )


def as_label(seen: LabelSeen) -> Label:
    """A label of the repository."""
    return Label(name=seen.name, color=seen.color or "", description=seen.description or "")


def _parent(seen: IssueSeen) -> int | None:
    """The number of the parent; None where it has none, or one in another repository."""
    if not isinstance(seen.parent_issue_url, str):
        return None
    place, _, number = seen.parent_issue_url.rpartition("/issues/")
    return int(number) if number.isdecimal() and place.casefold() == seen.repository_url.casefold() else None
