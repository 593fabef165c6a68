"""A whole run where GitHub takes less than it should: who is on call is paged all the same, the run is red and says
what to mend, and once that is mended the next run does the rest and nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.cli.test_apply_notices import Place, pages, place  # noqa: F401 - a fixture
from tests.cli.test_run import keys, run
from tests.support.http_sink import HttpSink

pytestmark = [pytest.mark.slow, pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])]
Patch = pytest.MonkeyPatch

REFUSES = """#!/bin/sh
case "$1" in {which}) ;; *) exit 0;; esac
echo "error: GH013: Repository rule violations found for $1." >&2
echo "- {why}" >&2
exit 1
"""


def origin(place: Place) -> Path:  # noqa: F811
    return place.folder.path.parent / "origin.git"


def refuse(place: Place, which: str, why: str) -> None:  # noqa: F811
    """From now on the remote refuses a push to these refs."""
    hook = origin(place) / "hooks/update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(REFUSES.format(which=which, why=why))
    hook.chmod(0o755)


def without_issues(place: Place, _: Patch) -> None:  # noqa: F811
    place.ask("PATCH", "", {"has_issues": False})


def archived(place: Place, _: Patch) -> None:  # noqa: F811
    place.ask("PATCH", "", {"archived": True})
    refuse(place, "*", "This repository was archived so it is read-only.")


def protected(place: Place, _: Patch) -> None:  # noqa: F811
    refuse(place, "refs/heads/incident-ops/*", "Changes must be made through a pull request.")


def suspended(place: Place, patch: Patch) -> None:  # noqa: F811
    patch.setenv("GITHUB_TOKEN", place.github.new_token(state="suspended"))


def revoked(place: Place, patch: Patch) -> None:  # noqa: F811
    patch.setenv("GITHUB_TOKEN", place.github.new_token(state="revoked"))


def without_rights(place: Place, patch: Patch) -> None:  # noqa: F811
    patch.setenv("GITHUB_TOKEN", place.github.new_token({"contents": "write", "metadata": "read"}))


def mend(place: Place) -> None:  # noqa: F811
    """What a person does then."""
    place.ask("PATCH", "", {"archived": False})
    place.ask("PATCH", "", {"has_issues": True})
    (origin(place) / "hooks/update").unlink(missing_ok=True)


class Wrong(NamedTuple):
    """What is wrong, the words that a run has for it, and how many pages two runs send: without a ledger that takes
    the claim, each run pages, for one page too many is better than none."""

    make: Callable[[Place, Patch], Any]
    words: tuple[str, ...]
    pages: int = 1


WRONG = {
    "issues off": Wrong(without_issues, ("410", "switch issues on")),
    "archived": Wrong(archived, ("archived", "unarchive"), 2),
    "our branches protected": Wrong(protected, ("GH013", "the ledger"), 2),
    "App suspended": Wrong(suspended, ("suspended",)),
    "key revoked": Wrong(revoked, ("401", "expired or revoked")),
    "token without rights": Wrong(without_rights, ("403", "issues")),
}


@pytest.mark.parametrize("name", WRONG)
def test_whoever_is_on_call_is_paged_and_the_run_says_what_to_mend(
    place: Place,  # noqa: F811
    sink: HttpSink,
    name: str,
) -> None:
    wrong = WRONG[name]
    with pytest.MonkeyPatch.context() as patch:
        wrong.make(place, patch)
        for _ in range(2):
            done = run(place)
            assert done.code == 4, done
            assert "Traceback" not in done.out + done.err
            assert [word for word in wrong.words if word not in done.err] == [], done.err
    assert [action for action, _ in pages(sink)] == ["trigger"] * wrong.pages
    mend(place)
    assert keys(place) == []
    done = run(place)
    assert (done.code, keys(place)) == (0, ["INC-1"]), done
    paged = len(pages(sink))
    assert (run(place).code, len(pages(sink))) == (0, paged)
