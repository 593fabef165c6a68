"""doctor on the stand-in for GitHub: what is wrong is said with what mends it, and executing that makes it right."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from incident_ops.adapters import clock
from incident_ops.adapters.git_branches import LedgerRef
from incident_ops.app.laid_files import RECORD
from incident_ops.app.workspace import need_remote, open_workspace
from incident_ops.domain.time import stamp
from tests.cli.scene import Done, Folder, call
from tests.support.hosted import hosted
from tests.support.standin import Standin

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])

CHANNEL = "INCIDENT_OPS_CHANNEL_CHAT"
POLICY = """extends: sev0-3
levels:
- {id: SEV0, channels: [chat]}
access: {private: true}
"""
WHEEL = "https://x.example/incident_ops-0.1.0-py3-none-any.whl#sha256=" + "a" * 64
RIGHTS = {"contents": "read", "actions": "read", "issues": "read"}
"""What the job of doctor.yml may do."""


class Place:
    """A clone with the files of a release, its repository on the stand-in, and a run that ended an hour ago."""

    def __init__(self, folder: Folder, github: Standin, repository: str) -> None:
        self.folder, self.github, self.repository = folder, github, repository

    def call(self, *args: str, **variables: str) -> Done:
        """Runs doctor as the job does."""
        return call("doctor", *args, at=self.folder.path, clock=None, **variables)

    def seen(self, code: int, **variables: str) -> dict[str, dict[str, Any]]:
        """Check -> what was seen; the worst of several of a name."""
        done = self.call("--format", "json", **variables)
        assert done.code == code, done
        order = ("ok", "unknown", "warning", "error")
        rows = sorted(json.loads(done.out)["checks"], key=lambda one: order.index(one["state"]))
        return {one["check"]: one for one in rows}

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """A request of the owner."""
        return self.github.ask(method, f"/repos/{self.repository}{path}", body)

    def execute(self, command: dict[str, Any]) -> None:
        """What a person does who pastes a printed command: `gh` as the request that it sends."""
        if "method" in command:
            self.github.ask(command["method"], f"/{command['path']}", command["body"])
            return
        words = shlex.split(command["command"])
        assert words[0] == "gh", words
        if words[1:3] == ["label", "create"]:
            colour, text = words[words.index("--color") + 1], words[words.index("--description") + 1]
            self.ask("POST", "/labels", {"name": words[-1], "color": colour, "description": text})
        elif words[1:3] in (["workflow", "enable"], ["workflow", "disable"]):
            self.ask("PUT", f"/actions/workflows/{words[3]}/{words[2]}")
        else:
            raise AssertionError(f"nobody has told how to execute {words}")

    def mend(self) -> None:
        """Executes what doctor prints for whatever is wrong, until it prints nothing more."""
        for _ in range(3):
            rows = json.loads(self.call("--format", "json").out)["checks"]
            commands = [each for one in rows if one["state"] in ("error", "warning") for each in one["commands"]]
            if not commands:
                return
            for command in commands:
                self.execute(command)


def _complete(place: Place, hours: float) -> None:
    options = {"repo": str(place.folder.path), "rev": None, "at": None}
    remote = need_remote(open_workspace(options).git)
    LedgerRef(remote).mark_complete(clock.now() - timedelta(hours=hours))


@pytest.fixture
def place(tmp_path: Path, github: Standin, monkeypatch: pytest.MonkeyPatch) -> Place:
    folder = Folder(tmp_path / "clone", policy=POLICY)
    repository = hosted(folder, github, monkeypatch)
    made = Place(folder, github, repository)
    github.ask("PATCH", f"/repos/{repository}", {"private": True})
    laid = call("init", "--github", "--owner", "@acme/sre", "--wheel", WHEEL, at=folder.path, clock=None)
    assert laid.code == 0, laid
    folder.commit()
    folder.git("push", "--quiet", "origin", "HEAD:main")
    folder.git("fetch", "--quiet", "origin")
    _complete(made, 1)
    an_hour_ago = stamp(datetime.now(UTC) - timedelta(hours=1))
    for file in (folder.path / ".github/workflows").glob("*.yml"):
        github.set_runs(
            repository, file.name, {"created_at": an_hour_ago, "status": "completed", "conclusion": "success"}
        )
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for name in json.loads((folder.path / RECORD).read_text())["values"]["variables"]:
        monkeypatch.setenv(name, "json://x")
    return made


def _actions_off(place: Place) -> None:
    place.ask("PUT", "/actions/permissions", {"enabled": False})


def _no_pulls(place: Place) -> None:
    body = {"default_workflow_permissions": "write", "can_approve_pull_request_reviews": False}
    place.ask("PUT", "/actions/permissions/workflow", body)


def _no_issues(place: Place) -> None:
    place.ask("PATCH", "", {"has_issues": False})


def _asleep(place: Place) -> None:
    place.github.list_workflows(place.repository, reconcile_yml="disabled_inactivity")


def _signatures_everywhere(place: Place) -> None:
    everywhere = {"ref_name": {"include": ["~ALL"], "exclude": []}}
    rules = [{"type": "required_signatures"}]
    body = {"name": "house", "target": "branch", "enforcement": "active", "conditions": everywhere, "rules": rules}
    place.ask("POST", "/rulesets", body)


WRONG: dict[str, Callable[[Place], None]] = {
    "actions": _actions_off,
    "pull-requests": _no_pulls,
    "issues": _no_issues,
    "reconcile.yml": _asleep,
    "our-branches": _signatures_everywhere,
}


@pytest.mark.slow
def test_a_repository_that_is_wrong_in_every_way_is_mended_by_what_is_printed(place: Place) -> None:
    """Five settings are wrong, and it has neither rulesets nor labels yet."""
    for make_wrong in WRONG.values():
        make_wrong(place)
    seen = place.seen(1)
    assert {seen[name]["state"] for name in (*WRONG, "review", "history")} == {"error"}
    place.mend()
    seen = place.seen(0)
    assert {name for name, one in seen.items() if one["state"] != "ok"} == {"attestation"}  # that of another GitHub


@pytest.mark.slow
@pytest.mark.parametrize("name", WRONG)
def test_each_alone_is_found_and_mended(place: Place, name: str) -> None:
    place.mend()
    assert place.seen(0)[name]["state"] == "ok"
    WRONG[name](place)
    assert place.seen(1)[name]["state"] == "error"
    place.mend()
    assert place.seen(0)[name]["state"] == "ok"


@pytest.mark.slow
def test_an_archived_repository_is_said_and_mended(place: Place) -> None:
    place.mend()
    place.ask("PATCH", "", {"archived": True})
    assert place.seen(1)["archived"]["state"] == "error"
    place.mend()
    place.seen(0)


def test_what_the_token_of_the_job_may_not_see_is_said_and_is_no_error(place: Place) -> None:
    place.mend()
    seen = place.seen(0, GITHUB_TOKEN=place.github.new_token(RIGHTS))
    unknown = {name for name, one in seen.items() if one["state"] == "unknown"}
    assert unknown == {"actions", "pull-requests", "job-rights", "attestation"}
    assert 'GH_TOKEN="$(gh auth token)"' in seen["actions"]["message"]
    assert all(one["state"] in ("ok", "unknown") for one in seen.values())


def test_doctor_only_reads(place: Place) -> None:
    token = place.github.new_token(RIGHTS)
    place.seen(1, GITHUB_TOKEN=token)
    assert {method for method, _ in place.github.asked_with(token)} == {"GET"}


@pytest.mark.parametrize(
    ("state", "words"), [("suspended", "the App is suspended"), ("revoked", "wrong, expired or revoked")]
)
def test_a_token_that_github_refuses_hides_nothing_that_is_seen_without_it(
    place: Place, state: str, words: str
) -> None:
    token = place.github.new_token(RIGHTS, state=state)
    seen = place.seen(1, GITHUB_TOKEN=token)
    assert words in seen["token"]["message"]
    assert (seen["pins"]["state"], seen["heartbeat"]["state"]) == ("ok", "ok")


@pytest.mark.slow
def test_a_token_with_a_last_day_is_warned_of(place: Place) -> None:
    place.mend()
    soon = f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d %H:%M:%S} UTC"
    assert place.seen(0, GITHUB_TOKEN=place.github.new_token(expires=soon))["token"]["state"] == "warning"


def test_a_plan_without_rulesets_is_said_as_such(place: Place) -> None:
    place.github.set_plan(place.repository, "free")
    assert "not available on this plan" in place.seen(0)["rules"]["message"]


def test_a_public_repository_with_what_is_not_public(place: Place) -> None:
    place.ask("PATCH", "", {"private": False})
    assert place.seen(1)["visibility"]["state"] == "error"


def test_a_channel_without_an_address_and_no_monitor(place: Place) -> None:
    seen = place.seen(1, **{CHANNEL: "", "INCIDENT_OPS_HEARTBEAT_URL": ""})
    assert CHANNEL in seen["channels"]["message"]
    assert (seen["channels"]["state"], seen["monitor"]["state"]) == ("error", "warning")


def test_a_status_page_without_its_key(place: Place) -> None:
    """Asked only where the policy publishes on one."""
    place.mend()
    assert "status-page" not in place.seen(0)
    path = place.folder.path / "policy.yaml"
    path.write_text(f"{path.read_text()}publish: {{to: statuspage, page: kctbh9vrtdwd}}\n")
    missing = place.seen(1, INCIDENT_OPS_STATUSPAGE_TOKEN="")["status-page"]
    assert (missing["state"], "INCIDENT_OPS_STATUSPAGE_TOKEN is not set" in missing["message"]) == ("error", True)
    assert missing["commands"][0]["command"].startswith("gh secret set INCIDENT_OPS_STATUSPAGE_TOKEN --env ")
    assert place.seen(0, INCIDENT_OPS_STATUSPAGE_TOKEN="set")["status-page"]["state"] == "ok"


def test_a_heartbeat_that_is_late_and_a_run_that_failed(place: Place) -> None:
    place.mend()
    run = {"created_at": stamp(datetime.now(UTC) - timedelta(hours=2)), "status": "completed", "conclusion": "failure"}
    (number,) = place.github.set_runs(place.repository, "reconcile.yml", run)
    _complete(place, 40)
    seen = place.seen(1)
    assert (seen["heartbeat"]["state"], seen["reconcile.yml runs"]["state"]) == ("error", "error")
    (command,) = seen["reconcile.yml runs"]["commands"]
    assert command["command"].startswith(f"gh run view {number} --log-failed")


def test_a_file_that_was_taken_away_is_drift(place: Place) -> None:
    (place.folder.path / ".github/workflows/validate.yml").unlink()
    assert "missing: .github/workflows/validate.yml" in place.seen(1)["laid-files"]["message"]


def test_a_remote_that_is_gone_hides_no_other_check(place: Place) -> None:
    place.mend()
    place.folder.git("remote", "set-url", "origin", "file:///nowhere/at/all.git")
    seen = place.seen(4)
    assert (seen["heartbeat"]["state"], seen["actions"]["state"], seen["labels"]["state"]) == ("unknown", "ok", "ok")


@pytest.mark.parametrize("columns", [80, 140])
def test_the_list_of_what_is_wrong_comes_whole_before_long_commands(place: Place, columns: int) -> None:
    """Errors, warnings, what is fine and the sum come first; what is to be pasted stands below, by name."""
    _no_issues(place)
    done = call("doctor", at=place.folder.path, clock=None, columns=columns)
    assert done.code == 1
    lines = done.out.splitlines()
    end = next(number for number, line in enumerate(lines) if line.startswith(f"{place.repository}: "))
    seen = [line.split()[0] for line in lines[:end] if not line.startswith(" ")]
    states = ["error", "warning", "unknown", "fine:"]
    assert seen == sorted(seen, key=states.index)
    assert seen[0] == "error"
    assert end < 60
    assert not any("<<'JSON'" in line for line in lines[:end])
    at = next(number for number, line in enumerate(lines) if "issues are switched off" in line)
    assert lines[at + 1] == "  fix: Settings > General > Features > Issues, or the command below"
    begin = lines.index("# issues")
    assert begin > end
    assert lines[begin + 1] == f"gh api --method PATCH repos/{place.repository} --input - <<'JSON'"


def test_in_a_job_it_annotates_and_writes_a_summary(place: Place, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.touch()
    _no_issues(place)
    done = place.call("--format", "github", GITHUB_STEP_SUMMARY=str(summary))
    assert done.code == 1
    assert "::error title=incident-ops issues::issues are switched off" in done.out
    text = summary.read_text()
    assert text.startswith("## Set-up of ")
    assert "| error | issues | " in text
    assert f"    gh api --method PATCH repos/{place.repository}" in text


def test_at_home_the_environment_and_the_secrets_on_github_are_looked_at(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is set in the shell does not count: jobs do not get it."""
    monkeypatch.delenv("GITHUB_ACTIONS")
    names = json.loads((place.folder.path / RECORD).read_text())["values"]["variables"]
    seen = place.seen(1)
    assert (seen["environment"]["state"], seen["channels"]["state"], seen["monitor"]["state"]) == (
        "error", "error", "warning"
    )  # fmt: skip
    call_ = seen["environment"]["commands"][0]
    place.github.ask(call_["method"], f"/{call_['path']}", call_["body"])
    sets = [shlex.split(one["command"]) for one in seen["channels"]["commands"]]
    assert {words[3] for words in sets} == {*names} - {"INCIDENT_OPS_HEARTBEAT_URL"}
    place.github.set_secrets(place.repository, *names, environment="incident-ops")
    seen = place.seen(1)
    assert {seen[name]["state"] for name in ("environment", "channels", "monitor")} == {"ok"}


def test_without_a_token_it_says_how_to_get_one(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/records")
    call("doctor", at=folder.path).told_once(2, "token")
