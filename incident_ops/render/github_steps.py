"""What a person sets on GitHub after `init --github`: each step with its commands, exact, to be pasted as they are."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from incident_ops import __version__, resources
from incident_ops.domain.tracker import Label
from incident_ops.render.laid_texts import LaidValues

ENVIRONMENT = "incident-ops"
VALIDATE_STATUS = "incident-ops/validate"
HELD_REFS = ("ledger", "ids", "accepted", "public")
"""The branches `incident-ops/...` that only ever move forward."""
_PLACEHOLDER = "{owner}/{repo}"


class ApiCall(NamedTuple):
    """A request to GitHub's API; `path` begins below its address."""

    method: str
    path: str
    body: Mapping[str, Any]

    @property
    def command(self) -> str:
        """The same as a command of GitHub's `gh`, with the body as a here-document."""
        body = json.dumps(self.body, indent=2)
        return f"gh api --method {self.method} {shlex.quote(self.path)} --input - <<'JSON'\n{body}\nJSON"


class SetUpStep(NamedTuple):
    """What is to be done, and the commands that do it."""

    what: str
    commands: Sequence[str | ApiCall]


def set_up_steps(values: LaidValues, labels: Sequence[Label], app: int | None) -> list[SetUpStep]:
    """The steps in order. `labels` are those of our issues; `app` is the id of a GitHub App that acts."""
    repository = values.repository or _PLACEHOLDER
    where = f"repos/{repository}"
    named = ["--repo", values.repository] if values.repository else []
    policy_name = {"name": values.branch, "type": "branch"}
    secrets = [shlex.join(["gh", "secret", "set", one, "--env", ENVIRONMENT, *named]) for one in values.variables]
    # who gets the secrets is the branch of the run: one that nobody reviewed gets none
    limits = {"deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True}}
    rights = {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": True}
    return [
        *_pinning(values),
        SetUpStep(
            "Actions may open pull requests, and begin with a token that only reads",
            [ApiCall("PUT", f"{where}/actions/permissions/workflow", rights)],
        ),
        SetUpStep(
            f"the environment {ENVIRONMENT}, whose secrets only runs on {values.branch} get",
            [
                ApiCall("PUT", f"{where}/environments/{ENVIRONMENT}", limits),
                ApiCall("POST", f"{where}/environments/{ENVIRONMENT}/deployment-branch-policies", policy_name),
            ],
        ),
        *(
            [SetUpStep("its secrets, of the channels that you use (one at a time: gh asks for each)", secrets)]
            if secrets
            else []
        ),
        *([] if app is None else [_app_step(named)]),
        SetUpStep("the labels", [label_command(one, named) for one in labels]),
        SetUpStep(
            f"the files, committed, on {values.branch}",
            [shlex.join(["git", "push", "origin", f"HEAD:{values.branch}"])],
        ),
        SetUpStep(
            f"the rulesets, once the files are on {values.branch}",
            [ApiCall("POST", f"{where}/rulesets", one) for one in rulesets(app)],
        ),
        SetUpStep("a first run, to look at", [shlex.join(["gh", "workflow", "run", "reconcile.yml", *named])]),
        SetUpStep("what is still wrong", ['GH_TOKEN="$(gh auth token)" incident-ops doctor']),
    ]


def rulesets(app: int | None) -> Iterator[dict[str, Any]]:
    """History for everybody; review, which the App passes by; and with an App its refs, which only it moves.

    Whoever may pass a ruleset by passes all of it, so what holds for everybody is one of its own.
    """
    default, refs = "~DEFAULT_BRANCH", [f"refs/heads/incident-ops/{name}" for name in HELD_REFS]
    bypass = [] if app is None else [{"actor_id": app, "actor_type": "Integration", "bypass_mode": "always"}]
    yield _ruleset("history", [default, *refs], [{"type": "deletion"}, {"type": "non_fast_forward"}])
    review = {
        "required_approving_review_count": 0,
        "require_code_owner_review": True,
        "dismiss_stale_reviews_on_push": False,
        "require_last_push_approval": False,
        "required_review_thread_resolution": False,
    }
    checks = {"strict_required_status_checks_policy": False, "required_status_checks": [{"context": VALIDATE_STATUS}]}
    rules = [{"type": "pull_request", "parameters": review}, {"type": "required_status_checks", "parameters": checks}]
    yield _ruleset("review", [default], rules, bypass)
    if app is not None:
        moving = {"type": "update", "parameters": {"update_allows_fetch_and_merge": False}}
        yield _ruleset("refs", refs, [{"type": "creation"}, moving], bypass)


def _ruleset(
    name: str, include: list[str], rules: list[dict[str, Any]], bypass: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    return {
        "name": f"incident-ops: {name}",
        "target": "branch",
        "enforcement": "active",
        "bypass_actors": [*bypass],
        "conditions": {"ref_name": {"include": include, "exclude": []}},
        "rules": rules,
    }


def _pinning(values: LaidValues) -> Iterator[SetUpStep]:
    if not values.wheel:
        commit = shlex.join(["git", "commit", "--message", f"Pin incident-ops {__version__}", "--", ".github"])
        yield SetUpStep(
            f"the pin file of release {__version__}: what the workflows install, by its hash; commit it",
            [pin_command(), "git add .github", commit],
        )


def pin_command() -> str:
    """The command that takes the hash of this release from where it lies."""
    return shlex.join(["incident-ops", "init", "--github", "--pins", resources.pin_file_address(__version__)])


def label_command(label: Label, named: Sequence[str]) -> str:
    """The command that makes a label; `named` are its words that say in which repository."""
    marked = ["--", label.name] if label.name.startswith("-") else [label.name]
    said = ["--color", label.color, "--description", label.description]
    return shlex.join(["gh", "label", "create", *said, *named, *marked])


def steps_text(steps: Sequence[SetUpStep]) -> str:
    """The steps for a terminal: commands begin in the first column, so that they can be pasted."""
    out = ["", "On GitHub (the commands are for `gh`, https://cli.github.com):"]
    for number, step in enumerate(steps, 1):
        commands = [one if isinstance(one, str) else one.command for one in step.commands]
        out += ["", f"  {number}. {step.what}:", "", *commands]
    return "\n".join(out) + "\n"


def steps_data(steps: Sequence[SetUpStep]) -> list[dict[str, Any]]:
    """The same for scripts; a request to the API also as its parts."""
    return [{"what": step.what, "commands": [command_data(one) for one in step.commands]} for step in steps]


def command_data(one: str | ApiCall) -> dict[str, Any]:
    """A command for programs, a request to the API as its parts, too."""
    if isinstance(one, str):
        return {"command": one}
    return {"command": one.command, "method": one.method, "path": one.path, "body": dict(one.body)}


def _app_step(named: Sequence[str]) -> SetUpStep:
    """What the workflows take the App's token by."""
    return SetUpStep(
        "the App: its client id, and its private key (one at a time: gh asks for the id; the key is a file)",
        [
            shlex.join(["gh", "variable", "set", "INCIDENT_OPS_APP_CLIENT_ID", *named]),
            shlex.join(["gh", "secret", "set", "INCIDENT_OPS_APP_PRIVATE_KEY", "--env", ENVIRONMENT, *named])
            + " < private-key.pem",
        ],
    )
