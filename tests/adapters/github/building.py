"""Trackers for tests, and answers of GitHub as its API describes them."""

from __future__ import annotations

from typing import Any

from incident_ops.adapters.github.connect import connect
from incident_ops.adapters.github.issues import GitHubTracker
from incident_ops.reconcile.generated_block import compose, owner
from tests.support.standin import LOGIN

LABELS = ("incident", "action-item")
NAME = "acme/records"
BOT = "github-actions[bot]"


def tracker(url: str, repository: str = NAME, **words: Any) -> GitHubTracker:
    """A tracker that waits for nothing; `waits` collects the seconds it would have waited, `remote` is the clone's."""
    environment = {
        "GITHUB_API_URL": url,
        "GITHUB_TOKEN": words.pop("token", "ghp_standin"),
        "GITHUB_REPOSITORY": repository,
        "GITHUB_REPOSITORY_ID": "7",
    }
    waits: list[float] = words.pop("waits", [])
    identities = words.pop("identities", (LOGIN, BOT))
    remote = words.pop("remote", None)
    given = {"requests": 300, "pause": 0.0, "owner_of": owner, "sleep": waits.append, **words}
    return connect(environment, remote, LABELS, identities, **given)


def body(key: str, text: str = "text") -> str:
    """A body with our marker."""
    return compose(key, text, repository=7)


def issue(number: int, **changes: Any) -> dict[str, Any]:
    """An issue as GitHub lists it; `repository` names another place, `author` another login."""
    place = f"{{url}}/repos/{changes.pop('repository', NAME)}"
    return {
        "id": 1000 + number,
        "number": number,
        "title": f"title {number}",
        "state": "open",
        "state_reason": None,
        "repository_url": place,
        "html_url": f"{place}/issues/{number}",
        "labels": [{"name": name, "color": "ededed"} for name in changes.pop("labels", ["incident"])],
        "assignees": [],
        "user": {"login": changes.pop("author", BOT)},
        "body": "",
        **changes,
    }
