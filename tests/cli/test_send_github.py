"""`--send` with GitHub, as far as a pull request: opened once, kept up, found again after whatever failed."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from incident_ops.adapters.github import connect
from incident_ops.app import send as sending
from incident_ops.errors import Incomplete
from tests.cli.scene import Done, Folder, call
from tests.cli.test_send import AT, DECLARE, EDIT, ID, WORDS, Team
from tests.support.standin import PERSON_TOKEN, Standin

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])

FORBIDDEN = "Actions may not open pull requests"
TEMPLATE = """<!-- One incident per pull request. -->
**Incident:** INC-
**What changes:** <!-- declared / updated -->

## Services

<!-- which? -->

- [ ] Nothing merged was rewritten.
"""


class OnGitHub(Team):
    """The same with a repository on the stand-in."""

    def __init__(self, folder: Path, github: Standin) -> None:
        super().__init__(folder)
        self.github, self.repository = github, github.new_repository()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What a person asks GitHub."""
        return self.github.ask(method, f"/repos/{self.repository}{path}", body, token=PERSON_TOKEN)

    def pulls(self, state: str = "open") -> list[dict[str, Any]]:
        """The pull requests."""
        return list(self.ask("GET", f"/pulls?state={state}&per_page=100"))


@pytest.fixture
def hub(tmp_path: Path, github: Standin, monkeypatch: pytest.MonkeyPatch) -> OnGitHub:
    made = OnGitHub(tmp_path, github)
    for name, value in github.environment(made.repository).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(connect, "connect", functools.partial(connect.connect, pause=0.0))
    return made


def send(place: Folder, *words: str, code: int = 0, **variables: str) -> Done:
    done = call(*words, at=place.path, clock=AT, **variables)
    assert done.code == code, done
    return done


def test_declare_send_opens_the_pull_request(hub: OnGitHub) -> None:
    alice = hub.clone()
    done = send(alice, *WORDS)
    (pull,) = hub.pulls()
    assert pull["head"]["ref"] == DECLARE
    assert pull["base"]["ref"] == "main"
    assert pull["title"] == f"{ID}: Login fails (SEV1): declared"
    for words in ("**Severity:** SEV1", "**Services:** `api`", "**On merge:**", "Until then nobody is notified"):
        assert words in pull["body"]
    assert f"opened pull request #{pull['number']} of branch {DECLARE}" in done.out
    assert "nobody has been notified yet: that follows once it is merged into main" in done.out
    assert f"next: merge {pull['html_url']}" in done.out


def test_the_next_edit_goes_on_in_the_same_pull_request_and_its_text_tells_both(hub: OnGitHub) -> None:
    alice = hub.clone()
    send(alice, "timeline", "One", "INC-1", "--by", "@alice", "--send")
    done = send(alice, "ack", "INC-1", "--by", "@alice", "--send", "--format", "json")
    (pull,) = hub.pulls()
    assert json.loads(done.out)["send"] == {
        "branch": EDIT,
        "commit": hub.tip(EDIT),
        "sent": True,
        "pull_request": {"number": pull["number"], "url": pull["html_url"]},
        "open_at": None,
        "problem": None,
    }
    assert "timeline: One" in pull["body"]
    assert "acknowledged by" in pull["body"]
    assert pull["body"].index("acknowledged by") < pull["body"].index("timeline: One")
    assert pull["title"].endswith(", and 1 more")
    assert "@alice" not in pull["body"]


def test_edits_that_were_not_sent_at_once_are_told_too(hub: OnGitHub) -> None:
    """Three commands, one of them with --send: the text of the pull request tells all that its diff holds."""
    alice = hub.clone()
    send(alice, "ack", "INC-1", "--by", "@alice")
    send(alice, "timeline", "Rolled back", "INC-1", "--by", "@alice")
    send(alice, "timeline", "It works", "INC-1", "--by", "@alice", "--send")
    body = hub.pulls()[0]["body"]
    for words in ("timeline: It works", "Rolled back", "cknowledged"):
        assert words in body
    assert body.count("It works") == 1
    send(alice, "timeline", "Sent later", "INC-1", "--by", "@alice")
    send(alice, "send")
    assert "- timeline: Sent later" in hub.pulls()[0]["body"]


def test_what_a_person_wrote_in_the_pull_request_stays(hub: OnGitHub) -> None:
    alice = hub.clone()
    send(alice, "timeline", "One", "INC-1", "--by", "@alice", "--send")
    (pull,) = hub.pulls()
    hub.ask("PATCH", f"/pulls/{pull['number']}", {"title": "My words", "body": pull["body"] + "\nand mine"})
    send(alice, "timeline", "Two", "INC-1", "--by", "@alice", "--send")
    (pull,) = hub.pulls()
    assert pull["title"] == "My words"
    assert pull["body"].endswith("\nand mine")
    assert "timeline: Two" in pull["body"]


def test_the_template_of_the_repository_is_filled(hub: OnGitHub) -> None:
    hub.seed.write(".github/pull_request_template.md", TEMPLATE)
    hub.seed.commit()
    hub.seed.git("push", "-q", "origin", "main")
    alice = hub.clone()
    send(alice, *WORDS)
    body = hub.pulls()[0]["body"]
    assert body.count("**Incident:**") == 1
    assert f"**Incident:** {ID} Login fails" in body
    assert "## Services\n\n`api`" in body
    assert "- [ ] Nothing merged was rewritten." in body
    assert "**Severity:** SEV1" in body
    assert "One incident per pull request" not in body


def test_without_a_token_the_address_is_printed(hub: OnGitHub) -> None:
    alice = hub.clone()
    found = f"https://github.com/{hub.repository}/compare/main...incident-ops/declare/{ID}?expand=1"
    done = send(alice, *WORDS, GITHUB_TOKEN="", GITHUB_API_URL="")
    assert f"pushed: branch {DECLARE}" in done.out
    assert "once its pull request is open and merged" in done.out
    assert f"next: open {found}" in done.out
    assert hub.pulls() == []
    assert "nothing waits" in send(alice, "send", GITHUB_TOKEN="", GITHUB_API_URL="").out
    done = send(alice, "send")
    assert "pushed, and no pull request is known" in done.out
    assert [one["head"]["ref"] for one in hub.pulls()] == [DECLARE]


def test_a_repository_that_forbids_pull_requests_says_where_to_click(hub: OnGitHub) -> None:
    hub.ask("PATCH", "", {"description": FORBIDDEN})
    alice = hub.clone()
    done = send(alice, *WORDS, code=4)
    assert "no pull request" in done.err
    assert "Allow GitHub Actions to create and approve pull requests" in done.err
    assert hub.tip(DECLARE)
    hub.ask("PATCH", "", {"description": "mended"})
    send(alice, "send")
    assert [one["head"]["ref"] for one in hub.pulls()] == [DECLARE]
    assert "nothing waits" in send(alice, "send").out


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Incomplete("GitHub did not answer")])
def test_what_ends_between_push_and_pull_request_is_gone_on_with(
    hub: OnGitHub, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    alice = hub.clone()

    def ends(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(sending, "put_pull", ends)
        done = call(*WORDS, at=alice.path, clock=AT)
    assert done.code == (130 if isinstance(error, KeyboardInterrupt) else 4)
    assert "incident-ops send" in done.out + done.err
    assert hub.tip(DECLARE)
    assert hub.pulls() == []
    send(alice, "send")
    assert [one["head"]["ref"] for one in hub.pulls()] == [DECLARE]


def test_a_pull_request_that_a_person_opened_by_hand_is_found(hub: OnGitHub) -> None:
    alice = hub.clone()
    send(alice, "timeline", "One", "INC-1", "--by", "@alice", "--send", GITHUB_TOKEN="")
    hub.ask("POST", "/pulls", {"head": EDIT, "base": "main", "title": "By hand", "body": "mine"})
    done = send(alice, "timeline", "Two", "INC-1", "--by", "@alice", "--send")
    (pull,) = hub.pulls()
    assert (pull["title"], pull["body"]) == ("By hand", "mine")
    assert f"#{pull['number']}" in done.out


def test_after_the_merge_a_new_edit_has_a_new_pull_request(hub: OnGitHub) -> None:
    alice = hub.clone()
    send(alice, "timeline", "One", "INC-1", "--by", "@alice", "--send")
    (first,) = hub.pulls()
    hub.merge(EDIT, "--squash")
    hub.ask("PATCH", f"/pulls/{first['number']}", {"state": "closed"})
    assert "nothing waits" in send(alice, "send").out
    send(alice, "timeline", "Two", "INC-1", "--by", "@alice", "--send")
    (second,) = hub.pulls()
    assert second["number"] != first["number"]


def test_a_title_of_a_stranger_is_text(hub: OnGitHub) -> None:
    alice = hub.clone()
    title = "Fixes #1 @alice <img src=x> ![x](https://evil.example/x.png) fixes https://github.com/a/b/issues/1"
    send(alice, "declare", title, "-s", "api", "--severity", "SEV1", "--by", "@alice", "--send")
    (pull,) = hub.pulls()
    for live in ("#1", "@alice", "<img", "![x]"):
        assert live not in pull["body"], pull["body"]
    for live in ("#1", "@alice", "https://"):
        assert live not in pull["title"]


def test_a_remote_elsewhere_gets_no_token_of_github(tmp_path: Path, github: Standin) -> None:
    """A token is set, the repository is not named, and the remote is not on GitHub: only the branch is pushed."""
    team = Team(tmp_path)
    alice = team.clone()
    done = send(alice, *WORDS, GITHUB_TOKEN=github.token, GITHUB_API_URL=github.url)
    assert f"next: merge branch {DECLARE} into main" in done.out
