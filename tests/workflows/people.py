"""What people do with a repository on GitHub, and what GitHub then says of it."""

from __future__ import annotations

from typing import Any

from incident_ops.app.proposal_checks import VALIDATE_STATUS
from incident_ops.reconcile.generated_block import owner
from tests.support.standin import PERSON, PERSON_TOKEN
from tests.workflows.act import Hosted
from tests.workflows.running import github_examples

BOX = "**I have it:**"
"""What an issue asks on call to tick."""


def issue_of(records: Hosted, key: str) -> dict[str, Any]:
    """Our issue of that key."""
    (found,) = [one for one in records.ask("/issues?state=all&per_page=100") if owner(one["body"] or "") == key]
    return dict(found)


def person_changes(records: Hosted, key: str, action: str, **change: Any) -> dict[str, Any]:
    """A person changes an issue -> the event of it."""
    path = f"/repos/{records.name}/issues/{issue_of(records, key)['number']}"
    changed = records.github.ask("PATCH", path, change, token=PERSON_TOKEN)
    example = next(one for one in github_examples("issues") if one["action"] == "edited")
    sender = {**example["sender"], "login": PERSON, "type": "User"}
    return {**example, "action": action, "issue": {**example["issue"], **changed}, "sender": sender}


def person_ticks(records: Hosted, key: str) -> dict[str, Any]:
    """A person ticks "I have it" -> the event of it."""
    body = issue_of(records, key)["body"]
    assert f"- [ ] {BOX}" in body
    return person_changes(records, key, "edited", body=body.replace(f"- [ ] {BOX}", f"- [x] {BOX}"))


def must_be_mergeable(records: Hosted, branch: str, commit: str) -> None:
    """The branch has an open pull request, and its commit the status that a ruleset asks for."""
    assert branch in [one["head"]["ref"] for one in records.ask("/pulls?state=open")]
    statuses = records.ask(f"/commits/{commit}/statuses")
    assert [(one["context"], one["state"]) for one in statuses] == [(VALIDATE_STATUS, "success")]
