"""How a repository is set up on GitHub, as far as a token and a plan let it be read."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

import msgspec

from incident_ops.adapters.github.client import Client
from incident_ops.adapters.github.connect import client_of
from incident_ops.adapters.github.responses import Answer, RepositorySeen, check, refused, says
from incident_ops.errors import Incomplete

_MOST_REQUESTS = 120
_EXPIRY = "github-authentication-token-expiration"
_EXPIRY_FORMS = ("%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%d %H:%M:%S %z")

_Shape = TypeVar("_Shape")


class Unreadable(NamedTuple):
    """Why a setting cannot be read: the plan of the owner has no such thing, or else the token may not see it."""

    is_plan: bool = False


class TokenRefused(NamedTuple):
    """GitHub takes nothing from this token, or shows it no such repository: the status of its answer and its words."""

    status: int
    message: str


class RepositorySettings(RepositorySeen, frozen=True):
    """The repository; `pushed_at` is the last push to any branch, `permissions` what the person may whose token it
    is, as far as GitHub says."""

    default_branch: str = ""
    pushed_at: datetime | None = None
    permissions: dict[str, bool] = msgspec.field(default_factory=dict)


class ActionsAllowed(msgspec.Struct, frozen=True):
    """Whether workflows run, and whose actions they may use: all, local_only, selected."""

    enabled: bool
    allowed_actions: str = ""


class JobRights(msgspec.Struct, frozen=True):
    """What a job may do that names no permissions, and whether jobs may open pull requests."""

    default_workflow_permissions: str = ""
    can_approve_pull_request_reviews: bool = False


class BranchRule(msgspec.Struct, frozen=True):
    """A rule that holds for a branch, of whatever ruleset; `parameters` depend on its type."""

    type: str
    parameters: dict[str, Any] = {}
    ruleset_id: int | None = None
    ruleset_source_type: str = ""


class Ruleset(msgspec.Struct, frozen=True):
    """A ruleset; `bypass_actors` may pass it by, which only its admins may see."""

    id: int
    name: str = ""
    conditions: dict[str, Any] = {}
    bypass_actors: list[dict[str, Any]] = []
    current_user_can_bypass: str = ""

    @property
    def lets_app_pass(self) -> bool:
        """True where an App may pass it by, or this token may."""
        apps = any(one.get("actor_type") == "Integration" for one in self.bypass_actors)
        return apps or self.current_user_can_bypass == "always"


class SecretsSeen(NamedTuple):
    """The names of all secrets that jobs can be given, and whether the environment is there that should hold them."""

    names: frozenset[str]
    has_environment: bool


class _Named(msgspec.Struct, frozen=True):
    name: str


class GitHubSettings:
    """The settings of one repository. Reads raise `Incomplete`, or `Stopped` past the budget of requests."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.token_ends: datetime | None = None

    @classmethod
    def of(
        cls, environment: Mapping[str, str], remote_url: str | None, sleep: Callable[[float], None] = time.sleep
    ) -> GitHubSettings:
        """Those of the repository that the environment names, or else the clone's remote; sends nothing yet.

        UserError where no token or no repository is named.
        """
        return cls(client_of(environment, remote_url, _MOST_REQUESTS, sleep))

    @property
    def asked(self) -> str:
        """`owner/name`, as it is named here."""
        return self._client.repository

    def repository(self) -> RepositorySettings | TokenRefused:
        """The first question; `token_ends` is known after it, where the token has a last day."""
        doing = f"asking about {self.asked}"
        answer = self._client.ask("GET", "")
        if answer.status in (401, 403, 404):
            return TokenRefused(answer.status, answer.message)
        if answer.status >= 300:
            raise refused(answer, Incomplete, doing, self.asked)
        self.token_ends = _expiry(answer)
        return check(answer.data, RepositorySettings, doing)

    def actions(self) -> ActionsAllowed | Unreadable:
        """Whether workflows run."""
        return self._read("/actions/permissions", ActionsAllowed, "asking whether Actions is on")

    def job_rights(self) -> JobRights | Unreadable:
        """What jobs may do."""
        return self._read("/actions/permissions/workflow", JobRights, "asking what jobs may do")

    def rules(self, branch: str) -> list[BranchRule] | Unreadable:
        """The rules that hold for a branch, which need not exist; those of the organisation are among them."""
        place = f"/rules/branches/{quote(branch, safe='')}?per_page=100"
        return self._read(place, list[BranchRule], f"reading the rules of {branch}")

    def ruleset(self, number: int) -> Ruleset | Unreadable:
        """A ruleset of the repository, with the branches it is about."""
        return self._read(f"/rulesets/{number}", Ruleset, f"reading ruleset {number}")

    def labels(self) -> frozenset[str]:
        """The names of the labels, case-folded as GitHub compares them."""
        doing = "listing the labels"
        pages = self._client.pages("/labels", doing=doing, permission="issues: read")
        return frozenset(one.name.casefold() for page in pages for one in check(page, list[_Named], doing))

    def secrets(self, environment: str) -> SecretsSeen | Unreadable:
        """The names of the secrets of the repository and of an environment, which need not be there."""
        found, has_environment = set[str](), True
        for place in ("/actions/secrets", f"/environments/{quote(environment, safe='')}/secrets"):
            doing = "listing the names of the secrets"
            answer = self._client.ask("GET", f"{place}?per_page=100")
            if answer.status == 404 and place.startswith("/environments"):
                has_environment = False
                continue
            if (why := _unreadable(answer)) is not None:
                return why
            if answer.status >= 300:
                raise refused(answer, Incomplete, doing, self.asked)
            data = answer.data.get("secrets") if isinstance(answer.data, dict) else None
            found |= {one.name for one in check(data, list[_Named], doing)}
        return SecretsSeen(frozenset(found), has_environment)

    def _read(self, path: str, shape: type[_Shape], doing: str) -> _Shape | Unreadable:
        answer = self._client.ask("GET", path)
        if (why := _unreadable(answer)) is not None:
            return why
        if answer.status >= 300:
            raise refused(answer, Incomplete, doing, self.asked)
        return check(answer.data, shape, doing)


def _unreadable(answer: Answer) -> Unreadable | None:
    if answer.status not in (403, 404):
        return None
    return Unreadable(is_plan=says(answer, r"upgrade to"))


def _expiry(answer: Answer) -> datetime | None:
    text = answer.headers.get(_EXPIRY, "")
    for form in _EXPIRY_FORMS:
        try:
            at = datetime.strptime(text, form)
        except ValueError:
            continue
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    return None
