"""What of the settings of a repository on GitHub has to be so, and what mends it. Each function is one check."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from incident_ops.adapters.github.settings import (
    ActionsAllowed,
    BranchRule,
    JobRights,
    RepositorySettings,
    Ruleset,
    SecretsSeen,
    TokenRefused,
    Unreadable,
)
from incident_ops.adapters.notifiers.slack import TOKEN_VARIABLE
from incident_ops.domain.tracker import Label
from incident_ops.render.findings import plural
from incident_ops.render.github_steps import ENVIRONMENT, HELD_REFS, VALIDATE_STATUS, ApiCall, label_command, rulesets
from incident_ops.render.set_up import SetUpCheck, SetUpState

ERROR, WARNING, UNKNOWN, OK = SetUpState.ERROR, SetUpState.WARNING, SetUpState.UNKNOWN, SetUpState.OK
BY_PERSON = 'not readable with this token; run it once with GH_TOKEN="$(gh auth token)"'
NOT_IN_PLAN = "not available on this plan"
OUR_REFS = tuple(f"incident-ops/{name}" for name in HELD_REFS)
FREE_REFS = ("incident-ops/lock", "incident-ops/edit/x")
"""Branches of ours that come, are rewritten and go: the lock, and one that stands for all proposals."""
SOON = timedelta(days=14)
QUIET = timedelta(days=50)
"""GitHub stops the schedules of a public repository after 60 days without a commit."""
_REFUSE = {
    "pull_request": "pull requests only",
    "required_status_checks": "checks before a push",
    "required_signatures": "signed commits",
    "required_linear_history": "",
    "update": "no updates",
    "creation": "no new branches",
    "deletion": "no deletion",
    "non_fast_forward": "no force push",
}
_ADDRESS = "INCIDENT_OPS_CHANNEL_"
_UNUSED = "or write in policy.yaml which ones you have: `notify.channels`, and `channels` of each of `levels`"
_NO_INCIDENT_CHANNEL = "notify: {incident_channel: {create: false}}"
_MOVES_FORWARD = ("deletion", "non_fast_forward", "required_linear_history")


def unreadable(check: str, why: Unreadable) -> SetUpCheck:
    """A setting that could not be read."""
    return SetUpCheck(check, UNKNOWN, NOT_IN_PLAN if why.is_plan else BY_PERSON)


def token_check(
    asked: str, seen: RepositorySettings | TokenRefused, ends: datetime | None, now: datetime
) -> SetUpCheck:
    """Whether GitHub takes the token, and how long still."""
    if isinstance(seen, TokenRefused):
        return SetUpCheck("token", ERROR, *_refused_token(asked, seen))
    if ends is None:
        return SetUpCheck("token", OK, "GitHub takes it")
    left = ends - now
    if left < SOON:
        new = "make a new one before, and put it where this one is"
        return SetUpCheck("token", WARNING, f"it ends on {ends:%Y-%m-%d}, in {plural(max(left.days, 0), 'day')}", new)
    return SetUpCheck("token", OK, f"it ends on {ends:%Y-%m-%d}")


def _refused_token(asked: str, seen: TokenRefused) -> tuple[str, str]:
    if seen.status == 401:
        return "GitHub does not know it: it is wrong, expired or revoked", "make a new one; at home: gh auth login"
    if "suspended" in seen.message.lower():
        way = "an owner lifts that: Settings > GitHub Apps > the App > Configure > Unsuspend"
        return "the App is suspended: nothing runs", way
    if seen.status == 403:
        return f"GitHub refuses it: {seen.message}", "authorise it for the organisation, or use another token"
    way = f"is {asked} its name, is the App installed there, and may the token see it?"
    return f"it finds no {asked}", way


def repository_checks(asked: str, seen: RepositorySettings, now: datetime) -> Iterator[SetUpCheck]:
    """Archived, renamed, without issues, quiet for so long that its schedules stop."""
    name, place = seen.full_name or asked, f"repos/{seen.full_name or asked}"
    if seen.archived:
        way = "Settings > General > Danger Zone > Unarchive this repository"
        call = ApiCall("PATCH", place, {"archived": False})
        yield SetUpCheck("archived", ERROR, f"{name} is archived: nothing can be written", way, (call,))
    else:
        yield SetUpCheck("archived", OK, "it is not")
    if name.casefold() != asked.casefold():
        address = f"git remote set-url origin {shlex.quote(f'https://github.com/{name}.git')}"
        yield SetUpCheck("name", WARNING, f"{asked} is now {name}", "tell the clone, and GITHUB_REPOSITORY", (address,))
    else:
        yield SetUpCheck("name", OK, name)
    if not seen.has_issues:
        way, call = "Settings > General > Features > Issues", ApiCall("PATCH", place, {"has_issues": True})
        yield SetUpCheck("issues", ERROR, "issues are switched off: no incident gets one", way, (call,))
    else:
        yield SetUpCheck("issues", OK, "they are on")
    if seen.readers == "public" and seen.pushed_at is not None and now - seen.pushed_at > QUIET:
        days = (now - seen.pushed_at).days
        text = f"no push for {days} days: GitHub stops the schedules of a public repository after 60"
        yield SetUpCheck("quiet", WARNING, text, "any commit on the default branch begins the 60 days anew")


def visibility_check(seen: RepositorySettings, *, says_private: bool, kept: Mapping[str, int]) -> SetUpCheck:
    """Who can read the records; `kept` counts those that are restricted and internal, `says_private` is the policy's
    word."""
    readers = seen.readers
    if not readers:
        return SetUpCheck("visibility", UNKNOWN, "GitHub does not say who can read the repository")
    restricted, internal = kept.get("restricted", 0), kept.get("internal", 0)
    if readers == "private" or not (restricted or internal or says_private):
        return SetUpCheck("visibility", OK, f"the repository is {readers}")
    way = "Settings > General > Danger Zone > Change visibility; what was public is known"
    call = ApiCall("PATCH", f"repos/{seen.full_name}", {"private": True})
    if restricted or says_private:
        what = f"{plural(restricted, 'record')} restricted" if restricted else "the policy says access.private"
        return SetUpCheck("visibility", ERROR, f"the repository is {readers}, and {what}", way, (call,))
    if readers != "public":
        return SetUpCheck("visibility", OK, f"the repository is {readers}")
    text = f"everybody can read it, and not all of it is meant for them: {plural(internal, 'internal record')}"
    return SetUpCheck("visibility", WARNING, text, f"visibility: public in each that may be read; or {way}", ())


def actions_check(name: str, seen: ActionsAllowed | Unreadable) -> SetUpCheck:
    """Whether workflows run, and may use GitHub's own actions."""
    if isinstance(seen, Unreadable):
        return unreadable("actions", seen)
    way, place = "Settings > Actions > General > Actions permissions", f"repos/{name}/actions/permissions"
    if not seen.enabled:
        call = ApiCall("PUT", place, {"enabled": True})
        return SetUpCheck("actions", ERROR, "Actions is off: no workflow runs", way, (call,))
    if seen.allowed_actions == "local_only":
        call = ApiCall("PUT", place, {"enabled": True, "allowed_actions": "selected"})
        more = ApiCall("PUT", f"{place}/selected-actions", {"github_owned_allowed": True})
        return SetUpCheck("actions", ERROR, "actions of GitHub's own are not allowed", way, (call, more))
    return SetUpCheck("actions", OK, "it is on")


def job_rights_checks(name: str, seen: JobRights | Unreadable) -> Iterator[SetUpCheck]:
    """Whether jobs may open pull requests, and what they may do by default."""
    if isinstance(seen, Unreadable):
        yield unreadable("pull-requests", seen)
        yield unreadable("job-rights", seen)
        return
    place, at = f"repos/{name}/actions/permissions/workflow", "Settings > Actions > General > Workflow permissions"
    if not seen.can_approve_pull_request_reviews:
        text = "Actions may not open pull requests: no edit of the automation is proposed"
        way = f"{at} > Allow GitHub Actions to create and approve pull requests"
        call = ApiCall("PUT", place, {"can_approve_pull_request_reviews": True})
        yield SetUpCheck("pull-requests", ERROR, text, way, (call,))
    else:
        yield SetUpCheck("pull-requests", OK, "Actions may open them")
    if seen.default_workflow_permissions != "read":
        call = ApiCall("PUT", place, {"default_workflow_permissions": "read"})
        text = "a job that names no permissions may write to everything"
        yield SetUpCheck("job-rights", WARNING, text, f"{at} > Read repository contents permission", (call,))
    else:
        yield SetUpCheck("job-rights", OK, "a job begins with a token that only reads")


def label_check(name: str, seen: Collection[str], wanted: Sequence[Label]) -> SetUpCheck:
    """The labels that runs use; `seen` are case-folded names. A run makes what it lacks, if it may."""
    missing = [one for one in wanted if one.name.casefold() not in seen]
    if not missing:
        return SetUpCheck("labels", OK, f"all {len(wanted)} are there")
    text = f"not there: {', '.join(one.name for one in missing)}"
    commands = tuple(label_command(one, ("--repo", name)) for one in missing)
    return SetUpCheck("labels", WARNING, text, "Issues > Labels > New label", commands)


class RulesSeen(NamedTuple):
    """The rules of the default branch and of branches of ours, and the rulesets that they come from."""

    default_branch: str
    by_branch: Mapping[str, Sequence[BranchRule]]
    rulesets: Mapping[int, Ruleset]


def default_branch_checks(name: str, seen: RulesSeen) -> Iterator[SetUpCheck]:
    """A pull request, our status and the owners' review before what is merged counts."""
    rules = {one.type: one.parameters for one in seen.by_branch[seen.default_branch]}
    checks = rules.get("required_status_checks", {})
    contexts = {one.get("context"): one.get("integration_id") for one in checks.get("required_status_checks", [])}
    lacks = [text for text, is_there in (
        ("a pull request", "pull_request" in rules),
        ("the review of code owners", rules.get("pull_request", {}).get("require_code_owner_review") is True),
        (f"the status {VALIDATE_STATUS}", VALIDATE_STATUS in contexts),
    ) if not is_there]  # fmt: skip
    if lacks:
        text = f"{seen.default_branch} does not ask for {', '.join(lacks)}"
        way = "Settings > Rules > Rulesets > New branch ruleset"
        yield SetUpCheck("review", ERROR, text, way, (_ruleset_call(name, "review"),))
    else:
        yield SetUpCheck("review", OK, f"{seen.default_branch} asks for it")
    if contexts.get(VALIDATE_STATUS):
        text = f"{VALIDATE_STATUS} counts only from one App, so no proposal of the automation can be merged"
        way = f"in the ruleset: Require status checks > {VALIDATE_STATUS} > any source"
        yield SetUpCheck("validate-source", ERROR, text, way)
    if checks.get("strict_required_status_checks_policy") is True:
        way = "in the ruleset: take back Require branches to be up to date before merging"
        yield SetUpCheck("strict", WARNING, "a proposal has to be brought up to date by hand before each merge", way)
    others = sorted(str(one) for one in contexts if one != VALIDATE_STATUS)
    if others:
        text = f"required too: {', '.join(others)}; a proposal that GITHUB_TOKEN opens waits for each"
        way = "press Approve and run on them, take it out of the ruleset, or use a GitHub App"
        yield SetUpCheck("other-checks", WARNING, text, way)


def history_check(name: str, seen: RulesSeen) -> SetUpCheck:
    """What was once written stays: no force push and no deletion, of the default branch and the branches of ours."""
    open_ = [
        branch
        for branch in (seen.default_branch, *OUR_REFS)
        if not {"deletion", "non_fast_forward"} <= {one.type for one in seen.by_branch[branch]}
    ]
    if not open_:
        return SetUpCheck("history", OK, "nothing of ours can be rewritten")
    text = f"whoever may push can rewrite or delete {', '.join(open_)}"
    way = "Settings > Rules > Rulesets > New branch ruleset"
    return SetUpCheck("history", ERROR, text, way, (_ruleset_call(name, "history"),))


def our_branches_check(name: str, seen: RulesSeen) -> SetUpCheck:
    """No rule refuses the branches that the automation moves, other than one that its App passes by."""
    found: dict[int | None, set[str]] = {}
    for branch in (*OUR_REFS, *FREE_REFS):
        allowed = _MOVES_FORWARD if branch in OUR_REFS else ("required_linear_history",)
        for one in seen.by_branch[branch]:
            if one.type in _REFUSE and one.type not in allowed and not _passes(seen, one):
                found.setdefault(one.ruleset_id, set()).add(_REFUSE[one.type])
    if not found:
        return SetUpCheck("our-branches", OK, "no rule refuses them")
    what = ", ".join(sorted(set().union(*found.values())))
    rulesets_seen = [seen.rulesets[one] for one in found if one is not None and one in seen.rulesets]
    text = f"a rule refuses branches incident-ops/...: {what}"
    way = "Settings > Rules > Rulesets: exclude incident-ops/**/* there, or let the App bypass it"
    return SetUpCheck("our-branches", ERROR, text, way, tuple(_excluding(name, one) for one in rulesets_seen))


def _passes(seen: RulesSeen, rule: BranchRule) -> bool:
    found = seen.rulesets.get(rule.ruleset_id) if rule.ruleset_id is not None else None
    return found is not None and found.lets_app_pass


def _excluding(name: str, one: Ruleset) -> ApiCall:
    named: dict[str, Any] = one.conditions.get("ref_name", {})
    include = [*named.get("include", [])]
    exclude = [*named.get("exclude", []), "refs/heads/incident-ops/**/*"]
    body = {"conditions": {"ref_name": {"include": include, "exclude": exclude}}}
    return ApiCall("PUT", f"repos/{name}/rulesets/{one.id}", body)


def _ruleset_call(name: str, kind: str) -> ApiCall:
    body = next(one for one in rulesets(None) if one["name"].endswith(kind))
    return ApiCall("POST", f"repos/{name}/rulesets", body)


def environment_check(name: str, branch: str, seen: SecretsSeen | Unreadable) -> SetUpCheck:
    """Whether the environment is there whose secrets only runs on the default branch get."""
    if isinstance(seen, Unreadable):
        return unreadable("environment", seen)
    if seen.has_environment:
        return SetUpCheck("environment", OK, f"{ENVIRONMENT} is there")
    place = f"repos/{name}/environments/{ENVIRONMENT}"
    limits = {"deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True}}
    only = ApiCall("POST", f"{place}/deployment-branch-policies", {"name": branch, "type": "branch"})
    text = f"the environment {ENVIRONMENT} is missing: secrets of the repository are open to every branch"
    way = "Settings > Environments > New environment, and limit it to the default branch"
    return SetUpCheck("environment", ERROR, text, way, (ApiCall("PUT", place, limits), only))


def channels_check(
    name: str,
    needed: Sequence[str],
    seen: Collection[str] | Unreadable | None,
    named: Collection[str],
    *,
    in_job: bool,
) -> SetUpCheck:
    """Whether every channel of the policy has its address; `needed` are the variables for it, `named` those of channels
    that the policy names itself, and not only its preset.

    `seen` are the names of the secrets on GitHub, or in a job of what it was given; None where nobody was asked.
    """
    if not needed:
        return SetUpCheck("channels", OK, "the policy has no channel that needs an address")
    if seen is None:
        return SetUpCheck("channels", UNKNOWN, "which secrets the repository has could not be asked")
    if isinstance(seen, Unreadable):
        return unreadable("channels", seen)
    missing = [variable for variable in needed if variable not in seen]
    if not missing:
        return SetUpCheck("channels", OK, f"all {len(needed)} addresses and keys are there")
    of_preset = [one for one in missing if one not in named and (one == TOKEN_VARIABLE or one.startswith(_ADDRESS))]
    is_grave = len(missing) == len(needed) or len(of_preset) < len(missing)
    text = f"channels of the policy have no address: {', '.join(missing)}"
    way = f"Settings > Environments > {ENVIRONMENT} > Environment secrets, or the lines below, one at a time; {_UNUSED}"
    if TOKEN_VARIABLE in missing:
        way += f", and `{_NO_INCIDENT_CHANNEL}` for {TOKEN_VARIABLE}"
    if in_job:
        way += "; the job has to name it under `environment:` and pass it under `env:`"
    sets = tuple(shlex.join(["gh", "secret", "set", one, "--env", ENVIRONMENT, "--repo", name]) for one in missing)
    return SetUpCheck("channels", ERROR if is_grave else WARNING, text, way, sets)
