"""What came back from GitHub: answers, or none; checked for their shape, and as values of the model.

What it refuses becomes errors that say how to mend it; what it takes at most is checked before anything is sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec

from incident_ops.adapters.processes import one_line
from incident_ops.domain.tracker import Issue, Label, Milestone
from incident_ops.errors import IncidentOpsError, Incomplete, WriteFailed

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
    def given_at(self) -> datetime | None:
        """When the server gave it, by its own clock; None where it does not say."""
        try:
            at = parsedate_to_datetime(self.headers.get("date", ""))
        except ValueError:
            return None
        return at.astimezone(UTC) if at.tzinfo else None

    @property
    def is_redirect(self) -> bool:
        """True where the answer names another address to ask."""
        return self.status in (301, 302, 307, 308) and "location" in self.headers


class Lost(NamedTuple):
    """No answer that can be read: `kind` is UNSENT (never left this machine), TIMEOUT, DROPPED or GARBLED."""

    kind: str
    reason: str


PUBLIC, PRIVATE = "public", "private"


class RepositorySeen(msgspec.Struct, frozen=True):
    """A repository; `permissions` are those of a person's token."""

    id: int
    full_name: str = ""
    archived: bool = False
    has_issues: bool = True
    permissions: dict[str, bool] | None = None
    visibility: str | None = None
    private: bool | None = None

    @property
    def readers(self) -> str:
        """PUBLIC, PRIVATE, or `internal`; "" where GitHub does not say."""
        if self.visibility or self.private is None:
            return self.visibility or ""
        return PRIVATE if self.private else PUBLIC


class Login(msgspec.Struct, frozen=True):
    """A person or a bot; GitHub gives null for an account that is gone."""

    login: str


class LabelSeen(msgspec.Struct, frozen=True):
    """A label, in a list of labels or on an issue."""

    name: str
    color: str | None = None
    description: str | None = None
    id: int = 0


class MilestoneSeen(msgspec.Struct, frozen=True):
    """A milestone, in the list of milestones or on an issue; `due_on` is an instant."""

    number: int
    title: str
    state: str = "open"
    due_on: str | None = None


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
    milestone: MilestoneSeen | None = None
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


BELONG = ("OWNER", "MEMBER", "COLLABORATOR")
"""What GitHub calls the people of a repository (`author_association`)."""


class Said(msgspec.Struct, frozen=True):
    """A comment in the list of a whole repository; pull requests' are among them."""

    issue_url: str
    created_at: str
    body: str | None = None
    user: Account | None = None
    author_association: str = ""

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
        milestone=seen.milestone.title if seen.milestone else None,
    )


def as_label(seen: LabelSeen) -> Label:
    """A label of the repository."""
    return Label(name=seen.name, color=seen.color or "", description=seen.description or "")


def as_milestone(seen: MilestoneSeen) -> Milestone:
    """A milestone of the repository."""
    return Milestone(title=seen.title, due=(seen.due_on or "").partition("T")[0])


def _parent(seen: IssueSeen) -> int | None:
    """The number of the parent, in whatever repository; None where it has none."""
    if not isinstance(seen.parent_issue_url, str):
        return None
    number = seen.parent_issue_url.rpartition("/issues/")[2]
    return int(number) if number.isdecimal() else None


MOST_TITLE, MOST_BODY, MOST_LABEL, MOST_DESCRIPTION = 256, 65_536, 50, 100

_Error = TypeVar("_Error", bound=IncidentOpsError)


def refused(
    answer: Answer, kind: type[_Error], doing: str, repository: str, permission: str = "issues: write"
) -> _Error:
    """An error of `kind` for an answer of 300 or more; `doing` says what was asked for.

    `permission` is what a job needs for it, for a 403 that does not say so itself.
    """
    said = answer.message
    hint = _forbidden(answer, repository, permission) if answer.status == 403 else ""
    if mend := _HINTS.get(answer.status):
        hint = mend(answer, repository)
    text = f"{doing}: GitHub answered {answer.status}"
    listed = validation_errors(answer)
    detail = ": ".join(part for part in (said, "; ".join(listed)) if part)
    error = kind(f"{text} {detail}" if detail else text, hint=hint)
    if isinstance(error, WriteFailed):
        error.is_final = answer.status in (401, 403) or issues_are_off(answer)
    return error


def validation_errors(answer: Answer) -> list[str]:
    """The `errors` of a 422, each as a short text: `title is too long`, `label name already_exists`."""
    errors = answer.data.get("errors") if isinstance(answer.data, dict) else None
    if isinstance(errors, str):
        return [one_line(errors)]
    return [one_line(_spelled(one)) for one in errors] if isinstance(errors, list) else []


def _spelled(error: object) -> str:
    if not isinstance(error, dict):
        return str(error)
    if isinstance(error.get("message"), str):
        return str(error["message"])
    words = (error.get("resource"), error.get("field"), error.get("code"), error.get("value"))
    return " ".join(str(word) for word in words if word is not None)


def says(answer: Answer, pattern: str) -> bool:
    """True where the message or a validation error matches, in any case."""
    return bool(re.search(pattern, " ".join([answer.message, *validation_errors(answer)]), re.IGNORECASE))


def issues_are_off(answer: Answer) -> bool:
    """True where the repository has no issues at all; a 410 without that is a deleted issue."""
    return answer.status == 410 and says(answer, r"disabled")


def _unauthorized(_answer: Answer, _repository: str) -> str:
    return "the token in GITHUB_TOKEN (or GH_TOKEN) is wrong, expired or revoked; make a new one"


def _forbidden(answer: Answer, repository: str, permission: str) -> str:
    if says(answer, r"archived"):
        return f"{repository} is archived: unarchive it, or keep its records with --tracker local"
    if says(answer, r"saml|sso"):
        return "authorise the token for the organisation's single sign-on"
    wanted = answer.headers.get("x-accepted-github-permissions", "")
    if wanted:
        either = one_line(" or ".join(part.strip() for part in wanted.split(";")))
        return f"the token needs {either}: name it under `permissions:` of the job, or give it to the App or token"
    scopes = answer.headers.get("x-accepted-oauth-scopes", "")
    if scopes:
        return f"the token needs one of the scopes {one_line(scopes)}"
    return f"the token may not do this; a job needs `permissions: {permission}`"


def _not_found(_answer: Answer, repository: str) -> str:
    return f"it is not there, or this token may not see it: check GITHUB_REPOSITORY={repository} and the token"


def _gone(answer: Answer, repository: str) -> str:
    if issues_are_off(answer):
        return f"switch issues on: Settings > General > Features of {repository}"
    return "it was deleted"


def _moved(_answer: Answer, repository: str) -> str:
    return f"{repository} was moved and its new address does not answer; set GITHUB_REPOSITORY to its present name"


_HINTS = {
    301: _moved,
    302: _moved,
    307: _moved,
    308: _moved,
    401: _unauthorized,
    404: _not_found,
    410: _gone,
}


def check_title(title: str, what: str) -> None:
    """At most 256 characters, at least one."""
    if not title.strip():
        raise WriteFailed(f"{what}: the title is empty", hint="give it a title")
    _check_length(title, MOST_TITLE, f"{what}: the title", "shorten the title")


def check_body(body: str, what: str) -> None:
    """At most 65,536 characters."""
    _check_length(body, MOST_BODY, f"{what}: the text", "shorten it: what does not fit belongs in the record")


def check_label(label: Label) -> None:
    """A name of at most 50 characters and a description of at most 100."""
    _check_length(label.name, MOST_LABEL, f"the name of label `{label.name[:20]}...`", "shorten it in policy.yaml")
    _check_length(
        label.description, MOST_DESCRIPTION, f"the description of label `{label.name}`", "shorten it in policy.yaml"
    )


def _check_length(text: str, most: int, what: str, hint: str) -> None:
    if len(text) > most:
        raise WriteFailed(f"{what} has {len(text):,} characters, GitHub takes {most:,}; nothing was sent", hint=hint)
