"""What of a repository's settings doctor calls wrong, and what it prints to mend it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incident_ops.adapters.github.settings import (
    ActionsAllowed,
    BranchRule,
    JobRights,
    RepositorySettings,
    Ruleset,
    TokenRefused,
    Unreadable,
)
from incident_ops.app import doctor_settings as checks
from incident_ops.app.doctor_settings import FREE_REFS, OUR_REFS, RulesSeen
from incident_ops.domain.tracker import Label
from incident_ops.render.github_steps import ApiCall, rulesets
from incident_ops.render.set_up import SetUpCheck, SetUpState

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
NAME = "acme/records"
ERROR, WARNING, UNKNOWN, OK = SetUpState.ERROR, SetUpState.WARNING, SetUpState.UNKNOWN, SetUpState.OK
ALL = ("main", *OUR_REFS, *FREE_REFS)


def repository(**changes: Any) -> RepositorySettings:
    given: dict[str, Any] = {"id": 7, "full_name": NAME, "visibility": "private", "default_branch": "main"}
    return RepositorySettings(**{**given, **changes})


def states(found: list[SetUpCheck]) -> dict[str, SetUpState]:
    return {one.check: one.state for one in found}


def rules_of(*bodies: dict[str, Any]) -> RulesSeen:
    """What GitHub says of branches where these rulesets hold."""
    by_branch: dict[str, list[BranchRule]] = {name: [] for name in ALL}
    made = {}
    for number, body in enumerate(bodies, 1):
        made[number] = Ruleset(number, body["name"], body["conditions"], body["bypass_actors"])
        for ref in body["conditions"]["ref_name"]["include"]:
            name = "main" if ref == "~DEFAULT_BRANCH" else ref.removeprefix("refs/heads/")
            for branch in ALL if ref == "~ALL" else (name,):
                by_branch[branch] += [
                    BranchRule(one["type"], one.get("parameters", {}), number) for one in body["rules"]
                ]
    return RulesSeen("main", by_branch, made)


def judged(seen: RulesSeen) -> list[SetUpCheck]:
    found = [*checks.default_branch_checks(NAME, seen), checks.history_check(NAME, seen)]
    return [*found, checks.our_branches_check(NAME, seen)]


@pytest.mark.parametrize("app", [None, 123])
def test_the_rulesets_that_init_prints_are_what_doctor_asks_for(app: int | None) -> None:
    assert states(judged(rules_of(*rulesets(app)))) == {"review": OK, "history": OK, "our-branches": OK}


def test_without_a_ruleset_the_missing_ones_are_printed() -> None:
    found = judged(rules_of())
    assert states(found) == {"review": ERROR, "history": ERROR, "our-branches": OK}
    printed = [one for check in found for one in check.commands if isinstance(one, ApiCall)]
    assert [(one.method, one.path, one.body["name"]) for one in printed] == [
        ("POST", "repos/acme/records/rulesets", "incident-ops: review"),
        ("POST", "repos/acme/records/rulesets", "incident-ops: history"),
    ]
    bodies = [{"bypass_actors": [], **one.body} for one in printed]
    assert states(judged(rules_of(*bodies))) == {"review": OK, "history": OK, "our-branches": OK}


@pytest.mark.parametrize(
    "kind", ["pull_request", "required_signatures", "update", "creation", "required_status_checks"]
)
def test_a_rule_for_all_branches_that_refuses_ours_is_an_error_with_its_exclusion(kind: str) -> None:
    everywhere = {
        "name": "house",
        "conditions": {"ref_name": {"include": ["~ALL"], "exclude": ["refs/heads/x"]}},
        "bypass_actors": [],
        "rules": [{"type": kind}],
    }
    (found,) = [one for one in judged(rules_of(*rulesets(None), everywhere)) if one.check == "our-branches"]
    assert found.state is ERROR
    (call,) = found.commands
    assert isinstance(call, ApiCall)
    assert (call.method, call.path) == ("PUT", "repos/acme/records/rulesets/3")
    assert call.body["conditions"]["ref_name"] == {
        "include": ["~ALL"],
        "exclude": ["refs/heads/x", "refs/heads/incident-ops/**/*"],
    }


def test_a_status_of_one_app_a_strict_rule_and_other_checks_are_said() -> None:
    history, review = rulesets(None)
    parameters = review["rules"][1]["parameters"]
    parameters["strict_required_status_checks_policy"] = True
    parameters["required_status_checks"] = [
        {"context": "incident-ops/validate", "integration_id": 15368},
        {"context": "ci"},
    ]
    found = states(judged(rules_of(history, review)))
    assert found["validate-source"] is ERROR
    assert (found["strict"], found["other-checks"]) == (WARNING, WARNING)


@pytest.mark.parametrize(
    ("seen", "words", "way"),
    [
        (TokenRefused(401, "Bad credentials"), "expired or revoked", "make a new one"),
        (TokenRefused(403, "This installation has been suspended"), "the App is suspended", "Unsuspend"),
        (TokenRefused(403, "Resource protected by organization SAML enforcement"), "SAML", "authorise it"),
        (TokenRefused(404, "Not Found"), "it finds no acme/records", "is the App installed"),
    ],
)
def test_a_token_that_github_refuses_is_said_with_the_way_on(seen: TokenRefused, words: str, way: str) -> None:
    found = checks.token_check(NAME, seen, None, NOW)
    assert found.state is ERROR
    assert words in found.message
    assert way in found.way


@pytest.mark.parametrize(("days", "state"), [(None, OK), (20, OK), (13, WARNING), (-1, WARNING)])
def test_a_token_that_ends_soon_is_a_warning(days: int | None, state: SetUpState) -> None:
    ends = None if days is None else NOW + timedelta(days=days)
    assert checks.token_check(NAME, repository(), ends, NOW).state is state


def test_archived_renamed_and_without_issues() -> None:
    found = list(checks.repository_checks("acme/old", repository(archived=True, has_issues=False), NOW))
    assert states(found) == {"archived": ERROR, "name": WARNING, "issues": ERROR}
    assert found[1].commands == ("git remote set-url origin https://github.com/acme/records.git",)
    assert found[2].commands == (ApiCall("PATCH", "repos/acme/records", {"has_issues": True}),)
    assert set(states(list(checks.repository_checks(NAME, repository(), NOW))).values()) == {OK}


def test_a_public_repository_without_pushes_is_warned_before_its_schedules_stop() -> None:
    for days, is_warned in ((40, False), (55, True)):
        seen = repository(visibility="public", pushed_at=NOW - timedelta(days=days))
        assert ("quiet" in states(list(checks.repository_checks(NAME, seen, NOW)))) is is_warned


@pytest.mark.parametrize(
    ("visibility", "private", "kept", "state"),
    [
        ("private", True, {"restricted": 2}, OK),
        ("public", False, {"public": 3}, OK),
        ("public", False, {"internal": 1}, WARNING),
        ("public", False, {"restricted": 1}, ERROR),
        ("public", True, {}, ERROR),
        ("internal", True, {}, ERROR),
        ("internal", False, {"internal": 5}, OK),
    ],
)
def test_who_can_read_the_records(visibility: str, private: bool, kept: dict[str, int], state: SetUpState) -> None:
    seen = repository(visibility=visibility)
    assert checks.visibility_check(seen, says_private=private, kept=kept).state is state
    unknown = checks.visibility_check(repository(visibility=None), says_private=private, kept=kept)
    assert unknown.state is UNKNOWN


def test_actions_off_or_only_local_is_an_error() -> None:
    assert checks.actions_check(NAME, ActionsAllowed(True, "all")).state is OK
    off = checks.actions_check(NAME, ActionsAllowed(False))
    assert (off.state, off.commands) == (
        ERROR,
        (ApiCall("PUT", "repos/acme/records/actions/permissions", {"enabled": True}),),
    )
    assert checks.actions_check(NAME, ActionsAllowed(True, "local_only")).state is ERROR


def test_what_jobs_may_do() -> None:
    good = list(checks.job_rights_checks(NAME, JobRights("read", True)))
    bad = list(checks.job_rights_checks(NAME, JobRights("write", False)))
    assert states(good) == {"pull-requests": OK, "job-rights": OK}
    assert states(bad) == {"pull-requests": ERROR, "job-rights": WARNING}
    assert "Settings > Actions > General > Workflow permissions" in bad[0].way


@pytest.mark.parametrize(
    ("is_plan", "words"), [(True, "not available on this plan"), (False, 'GH_TOKEN="$(gh auth token)"')]
)
def test_what_cannot_be_read_says_why(is_plan: bool, words: str) -> None:
    why = Unreadable(is_plan)
    found = [*checks.job_rights_checks(NAME, why), checks.actions_check(NAME, why)]
    found.append(checks.channels_check(NAME, ["A"], why, (), in_job=False))
    assert {one.state for one in found} == {UNKNOWN}
    assert all(words in one.message for one in found)


def test_missing_labels_come_with_the_commands_that_make_them() -> None:
    labels = [Label("Incident", "ff0000", "It is one"), Label("ticket", "00ff00", "A ticket")]
    assert checks.label_check(NAME, {"incident", "ticket"}, labels).state is OK
    found = checks.label_check(NAME, {"incident"}, labels)
    assert (found.state, found.message) == (WARNING, "not there: ticket")
    assert found.commands == ("gh label create --color 00ff00 --description 'A ticket' --repo acme/records ticket",)


def test_a_channel_without_an_address() -> None:
    chat, pager = "INCIDENT_OPS_CHANNEL_CHAT", "INCIDENT_OPS_CHANNEL_PAGER"
    assert checks.channels_check(NAME, [], None, (), in_job=False).state is OK
    assert checks.channels_check(NAME, [chat], None, (), in_job=False).state is UNKNOWN
    assert checks.channels_check(NAME, [chat], {chat}, (), in_job=True).state is OK
    by_preset = checks.channels_check(NAME, [chat, pager], {chat}, (), in_job=False)
    named = checks.channels_check(NAME, [chat, pager], {chat}, {pager}, in_job=False)
    nobody = checks.channels_check(NAME, [chat], {"OTHER"}, (), in_job=False)
    routing = checks.channels_check(NAME, [chat, "PD_KEY"], {chat}, (), in_job=False)
    assert (by_preset.state, named.state, nobody.state, routing.state) == (WARNING, ERROR, ERROR, ERROR)
    bot = "SLACK_BOT_TOKEN"
    by_preset = checks.channels_check(NAME, [chat, bot], {chat}, (), in_job=False)
    named_bot = checks.channels_check(NAME, [chat, bot], {chat}, {bot}, in_job=False)
    assert (by_preset.state, named_bot.state) == (WARNING, ERROR), "a run only warns of what its preset names"
    assert all(one in by_preset.way for one in ("`channels` of each of `levels`", "{create: false}"))
    assert named.commands == (f"gh secret set {pager} --env incident-ops --repo acme/records",)
