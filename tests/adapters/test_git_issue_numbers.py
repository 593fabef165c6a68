"""Numbers of issues on the branch of numbers: kept beside the ids, a repository each, whoever writes at once."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from incident_ops.adapters.git_numbers import NUMBERS_BRANCH, issue_numbers, keep_issue_numbers, take_number
from incident_ops.errors import Incomplete
from tests.support.origin import Origin, remote_of

NOW = datetime(2025, 1, 26, 14, 0, tzinfo=UTC)


def test_numbers_are_kept_beside_the_ids(origin: Origin) -> None:
    """Neither forgets the other, two trackers are apart, and what is kept already is not written again."""
    one, other = remote_of(origin.clone()), remote_of(origin.clone("other"))
    assert issue_numbers(one, 7) == {}
    assert take_number(one, "INC-", lambda _: 0, NOW) == 1
    keep_issue_numbers(one, 7, {"INC-1": 4, "INC-1/AI-1": 5}, NOW)
    keep_issue_numbers(other, 8, {"INC-1": 1}, NOW)
    keep_issue_numbers(other, 7, {"INC-1/AI-1": 9}, NOW)
    tip = one.tip(NUMBERS_BRANCH)
    keep_issue_numbers(one, 7, {"INC-1": 4}, NOW)
    assert one.tip(NUMBERS_BRANCH) == tip
    assert take_number(other, "INC-", lambda _: 0, NOW) == 2
    assert issue_numbers(one, 7) == {"INC-1": 4, "INC-1/AI-1": 9}
    assert issue_numbers(one, 8) == {"INC-1": 1}
    assert json.loads(origin.show(NUMBERS_BRANCH, "last.json")) == {"INC-": 2}


@pytest.mark.parametrize("content", ["[]", "{", '{"7": {"INC-1": "4"}}'])
def test_what_is_no_number_is_not_guessed(origin: Origin, content: str) -> None:
    """A broken file stops the run, with the way back."""
    repo = origin.clone()
    repo.git("checkout", "--quiet", "--orphan", "ids")
    repo.git("rm", "--quiet", "-rf", ".")
    repo.write("issues.json", content)
    repo.commit("broken")
    repo.git("push", "--quiet", "origin", f"HEAD:refs/heads/{NUMBERS_BRANCH}")
    with pytest.raises(Incomplete, match="does not hold numbers of issues") as told:
        issue_numbers(remote_of(repo), 7)
    assert "git log -p" in told.value.hint
