"""What the stand-in has to answer as GitHub does, so that no test passes or fails for a reason of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.repository import Repo
from tests.support.standin import Standin

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])


def test_what_changed_in_the_second_of_since_is_listed(github: Standin) -> None:
    """GitHub dates issues and comments by whole seconds; the stand-in has milliseconds."""
    repository = github.new_repository()
    issue = github.ask("POST", f"/repos/{repository}/issues", {"title": "Renamed"})
    place = f"/repos/{repository}/issues/{issue['number']}/comments"
    comment = github.ask("POST", place, {"body": "now"})
    for path, one in (("issues?state=all&", issue), ("issues/comments?", comment)):
        second = f"{one['updated_at'][:19]}Z"
        listed = github.ask("GET", f"/repos/{repository}/{path}since={second}")
        assert [found["id"] for found in listed] == [one["id"]], path


class Api:
    """The API of a repository as any client asks it, through the gate that looks at each answer."""

    def __init__(self, github: Standin, token: str = "", **settings: Any) -> None:
        self.github, self.token = github, token or github.token
        self.repository = github.new_repository(**settings)
        self.place = f"{github.url}/repos/{self.repository}"

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {more.pop('token', self.token)}"}
        return requests.request(method, f"{self.place}{path}", json=body, headers=headers, timeout=10, **more)


@pytest.fixture
def bare(tmp_path: Path) -> Repo:
    """The repository that lies beside the stand-in's: a workflow that can be started, and one that cannot."""
    repo = Repo(tmp_path / "bare", settings=False)
    repo.write(".github/workflows/tick.yml", "on: {workflow_dispatch: {}}\n")
    repo.write(".github/workflows/push.yml", "on: push\n")
    repo.commit("first")
    return repo


def test_statuses_stand_on_one_commit(github: Standin, bare: Repo) -> None:
    """The newest of a name counts, in any case; another commit has none, and what is no commit is refused."""
    api = Api(github, homepage=bare.root.as_uri())
    first = bare.git("rev-parse", "HEAD")
    second = bare.commit("second")
    said: list[dict[str, Any]] = [
        {"state": "pending", "context": "Ours"},
        {"state": "failure", "context": "ours", "description": "2 errors", "target_url": "https://example.org/run"},
        {"state": "success"},
    ]
    for one in said:
        assert api("POST", f"/statuses/{first}", one).status_code == 201
    listed = api("GET", f"/commits/{first}/statuses?per_page=2")
    assert [one["context"] for one in listed.json()] == ["default", "ours"]
    assert 'rel="next"' in listed.headers["link"]
    together = api("GET", f"/commits/{first}/status").json()
    assert (together["state"], together["total_count"], together["sha"]) == ("failure", 2, first)
    assert api("GET", f"/commits/{second}/statuses").json() == []
    assert api("GET", f"/commits/{second}/status").json()["state"] == "pending"
    assert api("POST", f"/statuses/{'a' * 40}", said[0]).status_code == 422
    assert api("POST", f"/statuses/{second}", {"state": "failure", "description": "x" * 141}).status_code == 422


def test_workflows_are_files_and_are_switched_and_started(github: Standin, bare: Repo) -> None:
    api = Api(github, homepage=bare.root.as_uri())
    place = "/actions/workflows/tick.yml"
    listed = api("GET", "/actions/workflows").json()
    assert {one["path"].rpartition("/")[2]: one["state"] for one in listed["workflows"]} == {
        "tick.yml": "active",
        "push.yml": "active",
    }
    assert api("POST", f"{place}/dispatches", {"ref": "main", "inputs": {"why": "test"}}).status_code == 204
    assert api("PUT", f"{place}/disable").status_code == 204
    assert api("GET", place).json()["state"] == "disabled_manually"
    assert api("POST", f"{place}/dispatches", {"ref": "main"}).status_code == 422
    assert api("PUT", f"{place}/enable").status_code == 204
    assert api("GET", place).json()["state"] == "active"
    for path, body, status in (
        (f"{place}/dispatches", {"ref": "nowhere"}, 422),
        ("/actions/workflows/push.yml/dispatches", {"ref": "main"}, 422),
        ("/actions/workflows/gone.yml/dispatches", {"ref": "main"}, 404),
    ):
        assert api("POST", path, body).status_code == status
    (started,) = github.dispatches(api.repository)
    assert (started["file"], started["inputs"], started["sha"]) == (
        "tick.yml",
        {"why": "test"},
        bare.git("rev-parse", "HEAD"),
    )
    (run,) = api("GET", f"{place}/runs").json()["workflow_runs"]
    assert (run["status"], run["event"], run["head_sha"]) == ("queued", "workflow_dispatch", started["sha"])
    assert api("GET", f"/actions/runs/{run['id']}").json()["id"] == run["id"]


def test_runs_are_those_that_a_test_set(github: Standin) -> None:
    """Listed newest first, by pages, and since an instant."""
    api = Api(github)
    github.list_workflows(api.repository, sla_yml="disabled_inactivity")
    days = [
        {"created_at": f"2026-11-{day}T10:00:00Z", "status": "completed", "conclusion": "success"} for day in (10, 12)
    ]
    ids = github.set_runs(api.repository, "sla.yml", *days, {"created_at": "2026-11-14T10:00:00Z", "status": "queued"})
    place = "/actions/workflows/sla.yml"
    assert api("GET", place).json()["state"] == "disabled_inactivity"
    everything = api("GET", f"{place}/runs?per_page=2")
    assert [one["id"] for one in everything.json()["workflow_runs"]] == ids[:0:-1]
    assert 'rel="next"' in everything.headers["link"]
    since = api("GET", f"{place}/runs", params={"created": ">=2026-11-12T10:00:00Z"}).json()
    assert (since["total_count"], [one["id"] for one in since["workflow_runs"]]) == (2, ids[:0:-1])
    done = api("GET", f"{place}/runs", params={"status": "success"}).json()
    assert [one["id"] for one in done["workflow_runs"]] == ids[1::-1]


def test_settings_of_actions(github: Standin) -> None:
    """The one that forbids pull requests acts, too."""
    api = Api(github)
    assert api("GET", "/actions/permissions").json()["enabled"] is True
    assert api("PUT", "/actions/permissions", {"enabled": False}).status_code == 204
    assert api("GET", "/actions/permissions").json() == {"enabled": False}
    seen = api("GET", "/actions/permissions/workflow").json()
    assert seen == {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": True}
    body = {"default_workflow_permissions": "write", "can_approve_pull_request_reviews": False}
    assert api("PUT", "/actions/permissions/workflow", body).status_code == 204
    assert api("GET", "/actions/permissions/workflow").json() == body
    sha = github.ask("GET", f"/repos/{api.repository}/git/ref/heads/main")["object"]["sha"]
    github.ask("POST", f"/repos/{api.repository}/git/refs", {"ref": "refs/heads/other", "sha": sha})
    pull = {"title": "x", "head": "other", "base": "main"}
    assert "not permitted" in api("POST", "/pulls", pull).json()["message"]


def test_environments_and_the_names_of_secrets(github: Standin) -> None:
    api = Api(github)
    place = "/environments/incident-ops"
    assert api("GET", place).status_code == 404
    assert api("GET", f"{place}/secrets").status_code == 404
    policy = {"protected_branches": True, "custom_branch_policies": False}
    assert api("PUT", place, {"deployment_branch_policy": policy}).json()["deployment_branch_policy"] == policy
    assert [one["name"] for one in api("GET", "/environments").json()["environments"]] == ["incident-ops"]
    github.set_secrets(api.repository, "PAGER_KEY")
    github.set_secrets(api.repository, "SLACK_BOT_TOKEN", environment="incident-ops")
    named = {one: api("GET", f"{one}/secrets").json()["secrets"] for one in ("/actions", place)}
    assert {one: [secret["name"] for secret in found] for one, found in named.items()} == {
        "/actions": ["PAGER_KEY"],
        place: ["SLACK_BOT_TOKEN"],
    }


RULES = {
    "name": "records",
    "target": "branch",
    "enforcement": "active",
    "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH", "refs/heads/incident-ops/*"], "exclude": []}},
    "rules": [{"type": "deletion"}, {"type": "non_fast_forward"}],
}


def test_rulesets_hold_for_the_branches_they_name(github: Standin) -> None:
    api = Api(github)
    made = api("POST", "/rulesets", RULES)
    assert made.status_code == 201
    assert [one["name"] for one in api("GET", "/rulesets").json()] == ["records"]
    held = {branch: api("GET", f"/rules/branches/{branch}").json() for branch in ("main", "incident-ops/ids", "other")}
    assert {branch: [one["type"] for one in rules] for branch, rules in held.items()} == {
        "main": ["deletion", "non_fast_forward"],
        "incident-ops/ids": ["deletion", "non_fast_forward"],
        "other": [],
    }
    place = f"/rulesets/{made.json()['id']}"
    assert api("PUT", place, {"enforcement": "disabled"}).json()["enforcement"] == "disabled"
    assert api("GET", "/rules/branches/main").json() == []
    assert api("GET", place).json()["rules"] == RULES["rules"]
    assert api("DELETE", place).status_code == 204
    assert api("GET", place).status_code == 404


def test_a_private_repository_on_a_free_plan_has_no_rulesets(github: Standin) -> None:
    api = Api(github, private=True)
    github.set_plan(api.repository, "free")
    answer = api("GET", "/rulesets")
    assert (answer.status_code, "Upgrade to GitHub Pro" in answer.json()["message"]) == (403, True)


def test_deployments_and_what_is_said_of_them(github: Standin, bare: Repo) -> None:
    api = Api(github, homepage=bare.root.as_uri())
    body = {"ref": "main", "environment": "production", "required_contexts": []}
    made = api("POST", "/deployments", body).json()
    assert made["sha"] == bare.git("rev-parse", "HEAD")
    place = f"/deployments/{made['id']}/statuses"
    for state in ("in_progress", "success"):
        assert api("POST", place, {"state": state, "description": state}).status_code == 201
    assert [one["state"] for one in api("GET", place).json()] == ["success", "in_progress"]
    assert api("GET", f"/deployments/{made['id']}").json()["environment"] == "production"
    asked = f"/deployments?sha={made['sha']}&environment="
    assert [one["id"] for one in api("GET", f"{asked}production").json()] == [made["id"]]
    assert api("GET", f"{asked}staging").json() == []


def test_reactions_to_issues_and_comments(github: Standin) -> None:
    """The same one twice is one."""
    api = Api(github)
    number = api("POST", "/issues", {"title": "x"}).json()["number"]
    comment = api("POST", f"/issues/{number}/comments", {"body": "/incident ack"}).json()["id"]
    for place in (f"/issues/{number}/reactions", f"/issues/comments/{comment}/reactions"):
        first = api("POST", place, {"content": "eyes"})
        again = api("POST", place, {"content": "eyes"})
        assert (first.status_code, again.status_code, again.json()["id"]) == (201, 200, first.json()["id"])
        assert [one["content"] for one in api("GET", place).json()] == ["eyes"]
        assert api("DELETE", f"{place}/{first.json()['id']}").status_code == 204
        assert api("GET", place).json() == []


def test_flags_of_a_repository_act(github: Standin) -> None:
    """Without issues nothing of them answers; an archived one can only be read."""
    api = Api(github)
    api("PATCH", "", {"has_issues": False})
    assert (api("GET", "/issues").status_code, api("GET", "").json()["has_issues"]) == (410, False)
    api("PATCH", "", {"has_issues": True, "archived": True})
    assert (api("POST", "/issues", {"title": "x"}).status_code, api("GET", "/issues").status_code) == (403, 200)
    assert api("GET", "").json()["archived"] is True


def test_a_token_may_do_what_its_permissions_name(github: Standin) -> None:
    """As GitHub's table has it; what was refused says what it needs, and all that was asked is noted."""
    token = github.new_token({"issues": "read", "contents": "write"})
    api = Api(github, token)
    assert api("GET", "/issues").status_code == 200
    refused = api("POST", "/issues", {"title": "x"})
    assert (refused.status_code, refused.headers["x-accepted-github-permissions"]) == (403, "issues=write")
    assert api("PUT", "/actions/workflows/tick.yml/enable").headers["x-accepted-github-permissions"] == "actions=write"
    assert api("GET", "/actions/permissions").status_code == 403
    assert api("GET", "").status_code == 200
    assert github.refused_to(token) == [
        ("POST", f"/repos/{api.repository}/issues"),
        ("PUT", f"/repos/{api.repository}/actions/workflows/tick.yml/enable"),
        ("GET", f"/repos/{api.repository}/actions/permissions"),
    ]
    assert github.asked_with(token)[0] == ("GET", f"/repos/{api.repository}/issues")


@pytest.mark.parametrize(("state", "status"), [("suspended", 403), ("revoked", 401)])
def test_an_app_that_was_suspended_or_a_key_that_was_revoked(github: Standin, state: str, status: int) -> None:
    token = github.new_token({"issues": "write"})
    api = Api(github, token)
    assert api("GET", "/issues").status_code == 200
    github.change_token(token, state=state)
    assert api("GET", "/issues").status_code == status


def test_a_token_with_a_last_day_says_so(github: Standin) -> None:
    api = Api(github, github.new_token(expires="2026-12-01 00:00:00 UTC"))
    name = "github-authentication-token-expiration"
    assert api("GET", "").headers[name] == "2026-12-01 00:00:00 UTC"
