"""The ledger on a remote, with real clones racing, and with a run that is killed in the middle."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta

import pytest

from incident_ops.adapters.git_branches import LedgerRef
from incident_ops.adapters.git_remote import Remote
from incident_ops.domain.notification import LEDGER_BRANCH, Pair, confirm, pair, parse_ledger, serialise
from incident_ops.errors import Incomplete, WriteFailed
from tests.support.origin import Origin, race, remote_of, start

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
BOUND = timedelta(minutes=10)
ONE, TWO = pair("one", "chat"), pair("two", "pager")

RACER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from incident_ops.adapters.git import Git
from incident_ops.adapters.git_branches import LedgerRef
from incident_ops.adapters.git_remote import Remote
from incident_ops.domain.notification import pair
me, at_once = int(sys.argv[2]), int(sys.argv[3])
now = datetime(2025, 6, 1, 12, tzinfo=UTC)
ledger = LedgerRef(Remote.of(Git.around(Path(sys.argv[1]))))
keys = [f"INC-{n}" for n in range(50)]
keys = keys[me * 12:] + keys[:me * 12]
print("ready", flush=True)
sys.stdin.readline()
for first in range(0, 50, at_once):
    names = {pair(key, "chat"): key for key in keys[first : first + at_once]}
    while True:
        try:
            ours = ledger.claim([*names, pair(f"own-{me}", "chat")], now)
        except Exception as error:
            if "others were faster" not in str(error):
                raise
            continue
        break
    for one in ours:
        print(names.get(one, "own"))
"""

VICTIM = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from incident_ops.adapters.git import Git
from incident_ops.adapters.git_branches import LedgerRef
from incident_ops.adapters.git_remote import Remote
from incident_ops.domain.notification import pair
ledger = LedgerRef(Remote.of(Git.around(Path(sys.argv[1]))))
now = datetime(2025, 6, 1, 12, tzinfo=UTC)
ledger.claim([pair("one", "chat"), pair("two", "pager")], now)
ledger.confirm([pair("two", "pager")], now)
print("claimed", flush=True)
sys.stdin.readline()
ledger.confirm([pair("one", "chat")], now)
"""


def put(remote: Remote, name: str, content: bytes) -> None:
    objects = remote.objects
    commit = objects.commit(objects.file_tree(name, content), (), "by hand", NOW)
    assert remote.push(LEDGER_BRANCH, commit, remote.tip(LEDGER_BRANCH)).outcome == "done"


def test_claimed_confirmed_and_read_from_another_clone(origin: Origin, remote: Remote) -> None:
    ledger, other = LedgerRef(remote), LedgerRef(remote_of(origin.clone("other")))
    assert ledger.read() == {}
    assert ledger.claim([ONE, TWO], NOW) == {ONE, TWO}
    assert other.claim([ONE, TWO], NOW) == frozenset()
    other.confirm([ONE], NOW + BOUND)
    assert ledger.read() == {ONE: ("2025-06-01T12:00:00Z", "2025-06-01T12:10:00Z"), TWO: ("2025-06-01T12:00:00Z", None)}


def test_a_claim_of_nothing_new_pushes_nothing(origin: Origin, remote: Remote) -> None:
    ledger = LedgerRef(remote)
    ledger.claim([ONE], NOW)
    before = origin.tip(LEDGER_BRANCH)
    assert ledger.claim([ONE], NOW) == ledger.claim([], NOW) == frozenset()
    assert origin.tip(LEDGER_BRANCH) == before


def test_the_branch_only_ever_goes_forward(origin: Origin, remote: Remote) -> None:
    """A rule against rewriting it may be set."""
    origin.bare.git("config", "receive.denyNonFastForwards", "true")
    ledger = LedgerRef(remote)
    ledger.claim([ONE], NOW)
    ledger.confirm([ONE], NOW)
    ledger.claim([TWO], NOW + timedelta(days=500))
    assert origin.bare.git("rev-list", "--count", LEDGER_BRANCH) == "3"
    assert ledger.read().keys() == {TWO}


def test_no_name_and_no_address_reaches_the_branch(origin: Origin, remote: Remote) -> None:
    LedgerRef(remote).claim([pair("INC-1/alice@example.com", "mail")], NOW)
    shown = origin.bare.git("log", "--format=%B", "-p", LEDGER_BRANCH)
    assert "mail" in shown
    assert "alice" not in shown
    assert "INC-1" not in shown


def test_a_damaged_ledger_is_an_error_and_stays_as_it_is(origin: Origin, remote: Remote) -> None:
    put(remote, "ledger", b"what is this\n")
    before = origin.tip(LEDGER_BRANCH)
    with pytest.raises(Incomplete, match="line 1 of the ledger"):
        LedgerRef(remote).claim([ONE], NOW)
    assert origin.tip(LEDGER_BRANCH) == before


def test_a_branch_without_its_file_is_no_empty_ledger(remote: Remote) -> None:
    put(remote, "other", b"")
    with pytest.raises(Incomplete, match="no file 'ledger'"):
        LedgerRef(remote).claim([ONE], NOW)


def test_a_remote_that_refuses_gives_no_claim(origin: Origin, remote: Remote) -> None:
    origin.hook("exit 1")
    with pytest.raises(WriteFailed, match="the ledger took no claim"):
        LedgerRef(remote).claim([ONE], NOW)


def test_two_runs_that_claim_the_same_at_the_same_instant_do_not_both_have_it(
    origin: Origin, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same commit twice would look like one push that is there already."""
    faster, look = LedgerRef(remote_of(origin.clone("faster"))), remote.tip
    won: list[frozenset[Pair]] = []

    def tip(branch: str) -> str | None:
        seen = look(branch)
        if not won:
            won.append(faster.claim([ONE], NOW))
        return seen

    monkeypatch.setattr(remote, "tip", tip)
    assert LedgerRef(remote).claim([ONE], NOW) == frozenset()
    assert won == [{ONE}]


@pytest.mark.slow
def test_always_somebody_faster_ends_after_five_tries(origin: Origin, remote: Remote) -> None:
    (origin.path / "refs" / "heads" / "incident-ops").mkdir(parents=True)
    (origin.path / "refs" / "heads" / f"{LEDGER_BRANCH}.lock").write_text("")
    with pytest.raises(WriteFailed, match="others were faster 5 times"):
        LedgerRef(remote).claim([ONE], NOW)


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [50, 10])
def test_of_four_runs_that_claim_the_same_fifty_each_key_has_exactly_one(origin: Origin, at_once: int) -> None:
    clones = [origin.clone(f"racer-{number}") for number in range(4)]
    out = race(RACER, [(str(clone.root), str(number), str(at_once)) for number, clone in enumerate(clones)])
    claimed = [key for printed in out for key in printed.split()]
    assert sorted(claimed) == sorted([f"INC-{number}" for number in range(50)] + ["own"] * 4)
    kept = parse_ledger(f"{origin.show(LEDGER_BRANCH, 'ledger')}\n".encode())
    assert len(kept) == 54


def test_a_run_killed_between_claim_and_confirm_is_repeated_once(origin: Origin) -> None:
    victim = start(VICTIM, str(origin.clone("victim").root))
    assert victim.stdout is not None
    assert victim.stdout.readline() == "claimed\n"
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    one, other = (LedgerRef(remote_of(origin.clone(name))) for name in ("one", "other"))
    late = NOW + BOUND
    assert [one.claim([ONE], late, BOUND), other.claim([ONE], late, BOUND)] == [{ONE}, frozenset()]
    one.confirm([ONE], late)
    assert other.claim([ONE], late + BOUND, BOUND) == frozenset()


@pytest.mark.slow
def test_a_hundred_thousand_lines_are_claimed_on_and_read(origin: Origin, remote: Remote) -> None:
    big = confirm({}, [pair(f"INC-{number}", "chat") for number in range(100_000)], NOW)
    put(remote, "ledger", serialise(big))
    other = LedgerRef(remote_of(origin.clone("other")))
    assert other.claim([ONE], NOW) == {ONE}
    assert len(LedgerRef(remote).read()) == 100_001
