"""Settings are read as GitHub gives them; a plan or a token that has none of it is no failure."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from incident_ops.adapters.github.settings import (
    ActionsAllowed,
    GitHubSettings,
    JobRights,
    RepositorySettings,
    SecretsSeen,
    TokenRefused,
    Unreadable,
)
from incident_ops.errors import Incomplete
from tests.adapters.github.building import NAME
from tests.support.scripted_server import Reply, ScriptedServer

UPGRADE = {"message": "Upgrade to GitHub Pro or make this repository public to enable this feature."}
NO_RIGHT = {"message": "Resource not accessible by integration"}


def settings(server: ScriptedServer) -> GitHubSettings:
    there = {"GITHUB_API_URL": server.url, "GITHUB_TOKEN": "ghs_test", "GITHUB_REPOSITORY": NAME}
    return GitHubSettings.of(there, None, sleep=lambda _: None)


def test_the_repository_and_the_last_day_of_the_token(server: ScriptedServer) -> None:
    data = {"id": 7, "full_name": "acme/new", "default_branch": "trunk", "pushed_at": "2026-11-01T10:00:00Z"}
    until = {"github-authentication-token-expiration": "2026-12-05 10:00:00 UTC"}
    server.script(Reply(data=data, headers=until))
    asked = settings(server)
    seen = asked.repository()
    assert isinstance(seen, RepositorySettings)
    assert (seen.full_name, seen.default_branch, seen.has_issues) == ("acme/new", "trunk", True)
    assert seen.pushed_at == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert asked.token_ends == datetime(2026, 12, 5, 10, tzinfo=UTC)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refused_token_is_an_answer(server: ScriptedServer, status: int) -> None:
    server.script(Reply(status, {"message": "This installation has been suspended"}))
    assert settings(server).repository() == TokenRefused(status, "This installation has been suspended")


def test_settings_of_actions(server: ScriptedServer) -> None:
    server.script(
        Reply(data={"enabled": True, "allowed_actions": "all"}),
        Reply(data={"enabled": False}),
        Reply(data={"default_workflow_permissions": "read", "can_approve_pull_request_reviews": True}),
    )
    asked = settings(server)
    assert (asked.actions(), asked.actions()) == (ActionsAllowed(True, "all"), ActionsAllowed(False))
    assert asked.job_rights() == JobRights("read", True)


@pytest.mark.parametrize(
    ("status", "data", "why"),
    [(403, UPGRADE, Unreadable(True)), (403, NO_RIGHT, Unreadable()), (404, NO_RIGHT, Unreadable())],
)
def test_what_may_not_be_read_says_whether_it_is_the_plan(
    server: ScriptedServer, status: int, data: dict[str, str], why: Unreadable
) -> None:
    server.script(*[Reply(status, data)] * 4)
    asked = settings(server)
    assert (asked.actions(), asked.job_rights(), asked.rules("main"), asked.ruleset(1)) == (why, why, why, why)


def test_a_failure_of_github_is_none_of_these(server: ScriptedServer) -> None:
    server.script(*[Reply(503, {"message": "no"})] * 9)
    with pytest.raises(Incomplete):
        settings(server).actions()


def test_rules_and_rulesets(server: ScriptedServer) -> None:
    rule = {"type": "pull_request", "parameters": {"require_code_owner_review": True}, "ruleset_id": 3}
    passes = {"id": 3, "name": "x", "bypass_actors": [{"actor_id": 1, "actor_type": "Integration"}]}
    server.script(Reply(data=[rule]), Reply(data=passes), Reply(data={"id": 3, "current_user_can_bypass": "never"}))
    asked = settings(server)
    found = asked.rules("incident-ops/ledger")
    assert not isinstance(found, Unreadable)
    assert (found[0].type, found[0].ruleset_id) == ("pull_request", 3)
    assert server.asked[0].path == "/repos/acme/records/rules/branches/incident-ops%2Fledger?per_page=100"
    may = [asked.ruleset(3), asked.ruleset(3)]
    assert [one.lets_app_pass for one in may if not isinstance(one, Unreadable)] == [True, False]


def test_labels_are_compared_as_github_does(server: ScriptedServer) -> None:
    server.script(Reply(data=[{"name": "Incident"}, {"name": "ticket"}]))
    assert settings(server).labels() == {"incident", "ticket"}


def test_secrets_of_the_repository_and_of_an_environment_that_need_not_be_there(server: ScriptedServer) -> None:
    one, other = {"secrets": [{"name": "A"}]}, {"secrets": [{"name": "B"}]}
    server.script(Reply(data=one), Reply(data=other), Reply(data=one), Reply(404, NO_RIGHT), Reply(403, NO_RIGHT))
    asked = settings(server)
    assert asked.secrets("incident-ops") == SecretsSeen(frozenset("AB"), True)
    assert asked.secrets("incident-ops") == SecretsSeen(frozenset("A"), False)
    assert asked.secrets("incident-ops") == Unreadable()
