"""What the stand-in has to answer as GitHub does, so that no test passes or fails for a reason of its own."""

from __future__ import annotations

import pytest

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
