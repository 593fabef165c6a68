"""Compare-and-swap of a branch: who was slower is asked again, who is refused is told."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from incident_ops.adapters.git_remote import TRIES, Move, Remote, Stay, compare_and_set
from incident_ops.errors import WriteFailed
from tests.support.origin import Origin

NOW = datetime(2025, 1, 26, 12, tzinfo=UTC)
BRANCH = "incident-ops/test"


def commit(remote: Remote, text: str) -> str:
    return remote.objects.commit(remote.objects.file_tree("file", text.encode()), (), "a step", NOW)


def test_a_branch_is_made_moved_and_deleted(origin: Origin, remote: Remote) -> None:
    """Each time the decision is given where the branch is, and its answer comes back."""
    one, two = commit(remote, "one"), commit(remote, "two")
    seen: list[str | None] = []

    def to(wanted: str | None) -> str:
        def decide(tip: str | None) -> Move[str] | Stay[str]:
            seen.append(tip)
            return Move(wanted, f"at {wanted}")

        return compare_and_set(remote, BRANCH, decide, "it was not moved")

    for wanted in (one, two, None):
        assert to(wanted) == f"at {wanted}"
        assert origin.tip(BRANCH) == (wanted or "")
    assert seen == [None, one, two]


def test_a_branch_that_is_to_stay_is_not_touched(origin: Origin, remote: Remote) -> None:
    def decide(_tip: str | None) -> Move[str] | Stay[str]:
        return Stay("it is well as it is")

    assert compare_and_set(remote, BRANCH, decide, "it was not moved") == "it is well as it is"
    assert origin.tip(BRANCH) == ""


def test_where_somebody_was_faster_it_is_decided_anew(origin: Origin, remote: Remote) -> None:
    """The second decision sees what the other wrote."""
    theirs, ours = commit(remote, "theirs"), commit(remote, "ours")
    seen: list[str | None] = []

    def decide(tip: str | None) -> Move[int] | Stay[int]:
        if not seen:
            remote.push(BRANCH, theirs, None)
        seen.append(tip)
        return Move(ours, len(seen))

    assert compare_and_set(remote, BRANCH, decide, "it was not moved") == 2
    assert seen == [None, theirs]
    assert origin.tip(BRANCH) == ours


@pytest.mark.slow
def test_where_others_are_always_faster_it_ends(remote: Remote) -> None:
    ours, seen = commit(remote, "ours"), []

    def decide(tip: str | None) -> Move[None] | Stay[None]:
        seen.append(tip)
        remote.push(BRANCH, commit(remote, f"theirs {len(seen)}"), tip)
        return Move(ours, None)

    with pytest.raises(WriteFailed, match="it was not moved: others were faster"):
        compare_and_set(remote, BRANCH, decide, "it was not moved")
    assert len(seen) == TRIES


def test_a_refusal_is_not_tried_again(origin: Origin, remote: Remote) -> None:
    origin.hook("exit 1")
    ours, seen = commit(remote, "ours"), []

    def decide(tip: str | None) -> Move[None] | Stay[None]:
        seen.append(tip)
        return Move(ours, None)

    with pytest.raises(WriteFailed, match="it was not moved: origin refused the push"):
        compare_and_set(remote, BRANCH, decide, "it was not moved")
    assert seen == [None]
