"""Numbers of issues on the branch of numbers: kept beside the ids, a repository each, whoever writes at once."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from incident_ops.adapters.git_numbers import NUMBERS_BRANCH, keep_issue_numbers, numbers_kept, take_number
from incident_ops.domain.tracker import StoredIssue, StoredList, WholeList
from incident_ops.errors import Incomplete
from tests.support.origin import Origin, remote_of
from tests.support.repository import Repo

NOW = datetime(2025, 1, 26, 14, 0, tzinfo=UTC)


def test_numbers_are_kept_beside_the_ids(origin: Origin) -> None:
    """Neither forgets the other, two trackers are apart, and what is kept already is not written again."""
    one, other = remote_of(origin.clone()), remote_of(origin.clone("other"))
    assert numbers_kept(one).by_id.get(7, {}) == {}
    assert take_number(one, "INC-", lambda _: 0, NOW) == 1
    keep_issue_numbers(one, 7, {"INC-1": 4, "INC-1/AI-1": 5}, NOW)
    keep_issue_numbers(other, 8, {"INC-1": 1}, NOW)
    keep_issue_numbers(other, 7, {"INC-1/AI-1": 9}, NOW)
    tip = one.tip(NUMBERS_BRANCH)
    keep_issue_numbers(one, 7, {"INC-1": 4}, NOW)
    assert one.tip(NUMBERS_BRANCH) == tip
    assert take_number(other, "INC-", lambda _: 0, NOW) == 2
    assert numbers_kept(one).by_id[7] == {"INC-1": 4, "INC-1/AI-1": 9}
    assert numbers_kept(one).by_id[8] == {"INC-1": 1}
    assert json.loads(origin.show(NUMBERS_BRANCH, "last.json")) == {"INC-": 2}


def test_a_number_can_be_taken_where_a_run_kept_issues_first(origin: Origin) -> None:
    """Whoever makes the branch, the other finds it as it wants it."""
    remote = remote_of(origin.clone())
    keep_issue_numbers(remote, 7, {"INC-1": 4}, NOW)
    assert take_number(remote, "INC-", lambda _: 1, NOW) == 2
    assert numbers_kept(remote).by_id[7] == {"INC-1": 4}


def test_broken_numbers_of_issues_keep_nobody_from_a_number(origin: Origin) -> None:
    """Whoever declares at night gets an id; the file is left as it is."""
    remote = remote_of(origin.clone())
    take_number(remote, "INC-", lambda _: 0, NOW)
    person = origin.clone("other", "--branch", NUMBERS_BRANCH)
    person.write("issues.json", "{")
    person.commit("broken")
    person.git("push", "--quiet", "origin", NUMBERS_BRANCH)
    assert take_number(remote, "INC-", lambda _: 0, NOW) == 2
    assert origin.show(NUMBERS_BRANCH, "issues.json") == "{"


def test_a_branch_that_holds_something_else_keeps_it(origin: Origin) -> None:
    """Numbers of issues do not replace what somebody keeps under that name."""
    pushed(origin.clone(), "readme.txt", "mine")
    before = origin.tip(NUMBERS_BRANCH)
    with pytest.raises(Incomplete, match="does not hold numbers"):
        keep_issue_numbers(remote_of(origin.clone("other")), 7, {"INC-1": 4}, NOW)
    assert origin.tip(NUMBERS_BRANCH) == before


def pushed(repo: Repo, name: str, content: str) -> None:
    """The branch of numbers holds this file alone."""
    repo.git("checkout", "--quiet", "--orphan", "ids")
    repo.git("rm", "--quiet", "-rf", ".")
    repo.write(name, content)
    repo.commit("by a person")
    repo.git("push", "--quiet", "origin", f"HEAD:refs/heads/{NUMBERS_BRANCH}")


@pytest.mark.parametrize("content", ["[]", "{", '{"7": {"INC-1": "4"}}'])
def test_what_is_no_number_is_not_guessed(origin: Origin, content: str) -> None:
    """A broken file stops the run, with the way back."""
    repo = origin.clone()
    pushed(repo, "issues.json", content)
    with pytest.raises(Incomplete, match="does not hold numbers of issues") as told:
        numbers_kept(remote_of(repo))
    assert "git log -p" in told.value.hint


def test_the_list_that_is_remembered_takes_the_place_of_the_one_before(origin: Origin) -> None:
    """It stands beside the numbers, survives whatever else is kept, and is not remembered where somebody broke it."""
    one, other = remote_of(origin.clone()), remote_of(origin.clone("other"))
    first, second = (
        StoredList(
            whole=WholeList(at=f"2025-02-0{day}T12:00:00Z", pages=3, labels="x"),
            scope="here",
            issues=(StoredIssue(number=1, labels=("incident",)), StoredIssue(number=2, state="closed")),
        )
        for day in (1, 2)
    )
    keep_issue_numbers(one, 7, {"INC-1": 1}, NOW, seen_list=first)
    keep_issue_numbers(other, 8, {"INC-1": 1}, NOW, seen_list=second)
    take_number(one, "INC-2025-", lambda _: 0, NOW)
    assert numbers_kept(other).lists == {7: first, 8: second}
    keep_issue_numbers(other, 7, {}, NOW, seen_list=second)
    before = one.tip(NUMBERS_BRANCH)
    keep_issue_numbers(one, 7, {"INC-1": 1}, NOW, seen_list=second)
    assert one.tip(NUMBERS_BRANCH) == before
    assert numbers_kept(one).lists[7] == second
    text = one.objects.content(str(before), "lists.json")
    assert text is not None
    assert len(text.splitlines()) == 5, "one issue a line"
    broken = one.objects.files_tree(
        {"last.json": b"{}", "issues.json": b'{"7": {"INC-1": 1}}', "lists.json": text[:-9]}
    )
    one.push(NUMBERS_BRANCH, one.objects.commit(broken, (str(before),), "by hand", NOW), before)
    assert numbers_kept(other).lists == {}
    assert numbers_kept(other).by_id == {7: {"INC-1": 1}}
