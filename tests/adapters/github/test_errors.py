"""Refusals: each says what was refused and how to mend it."""

from __future__ import annotations

from typing import Any

import pytest

from incident_ops.domain.tracker import IssueEdit
from incident_ops.errors import Incomplete, WriteFailed
from tests.adapters.github.building import tracker
from tests.support.scripted_server import Reply, ScriptedServer

PERMISSION = {"x-accepted-github-permissions": "issues=write; pull_requests=write"}
SCHEMA = {"message": "Validation Failed", "errors": [{"resource": "Issue", "field": "title", "code": "missing_field"}]}
LONG = {"message": "Validation Failed", "errors": [{"message": "body is too long (maximum is 65536 characters)"}]}
ARCHIVED = {"message": "Repository was archived so is read-only."}


@pytest.mark.parametrize(
    ("status", "data", "headers", "words", "mend"),
    [
        (401, {"message": "Bad credentials"}, {}, "401 Bad credentials", "expired or revoked"),
        (
            403,
            {"message": "Resource not accessible by integration"},
            PERMISSION,
            "403",
            "issues=write or pull_requests",
        ),
        (403, {"message": "Must have admin rights"}, {"x-accepted-oauth-scopes": "repo"}, "403", "scopes repo"),
        (403, {"message": "no"}, {}, "403", "issues: write"),
        (403, ARCHIVED, PERMISSION, "archived", "unarchive"),
        (403, {"message": "Resource protected by organization SAML enforcement."}, {}, "SAML", "single sign-on"),
        (404, {"message": "Not Found"}, {}, "404 Not Found", "GITHUB_REPOSITORY"),
        (410, {"message": "Issues are disabled for this repo"}, {}, "410", "switch issues on"),
        (410, {"message": "This issue was deleted"}, {}, "410", "deleted"),
        (422, SCHEMA, {}, "Issue title missing_field", ""),
        (422, LONG, {}, "body is too long", ""),
        (422, {"message": "Validation Failed", "errors": ["odd"]}, {}, "odd", ""),
        (400, "no mapping", {}, "400", ""),
    ],
)
def test_a_refusal_is_told_with_its_remedy(
    server: ScriptedServer, status: int, data: Any, headers: dict[str, str], words: str, mend: str
) -> None:
    """The same refusal of a read is `Incomplete` and of a write `WriteFailed`; neither is sent twice."""
    server.script(*[Reply(status, data, headers)] * 2)
    at = tracker(server.url)
    with pytest.raises(Incomplete) as read:
        at.labels()
    with pytest.raises(WriteFailed) as write:
        at.update(5, IssueEdit(title="x"))
    assert len(server.asked) == 2
    for told, doing in ((read.value, "listing the labels"), (write.value, "changing issue #5")):
        assert doing in told.message
        assert words in told.message
        assert mend in told.hint
    assert write.value.is_final is (status in (401, 403) or "disabled" in str(data))


def test_an_html_refusal_is_told(server: ScriptedServer) -> None:
    """A proxy's page is not printed, its status is."""
    server.script(Reply(403, text="<html>\x1b[31mno</html>"))
    with pytest.raises(Incomplete) as told:
        tracker(server.url).labels()
    assert "<html>" not in str(told.value)
