"""Which incident a command means without an id: one for which it is legal; several are listed, or asked for."""

from __future__ import annotations

import os

import pytest

from tests.cli.scene import CLOSED, Done, Folder, call
from tests.cli.test_slips import at_terminal

pytestmark = pytest.mark.usefixtures("somebody")

ID = "INC-20250126-120500"
OTHER = "INC-20250126-120600"


def act(folder: Folder, *args: str) -> Done:
    done = call(*args, at=folder.path)
    assert done.code == 0, done
    return done


@pytest.fixture
def both(folder: Folder) -> Folder:
    """A resolved incident that waits for its postmortem, and a new one."""
    folder.put(ID)
    folder.put(OTHER, title="Checkout is slow", severity="SEV2", services="[web]")
    act(folder, "resolve", ID, "--restored", "now", "--cause", "deploy")
    return folder


@pytest.mark.parametrize(
    ("args", "meant"),
    [
        (("ack",), OTHER),
        (("assign", "commander", "@bob"), OTHER),
        (("assign", "@bob"), OTHER),
        (("update", "--internal", "x"), OTHER),
        (("timeline", "x"), OTHER),
        (("pause", "--waiting-for", "vendor"), OTHER),
        (("resolve", "--restored", "now", "--cause", "unknown"), OTHER),
        (("escalate", "--reason", "x", "--notify", "@dana"), OTHER),
        (("withdraw", "--as", "false_alarm", "--reason", "x"), OTHER),
        (("show",), OTHER),
        (("close", "--verified"), ID),
        (("reopen", "--reason", "x"), ID),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_a_resolved_incident_disarms_no_short_form(both: Folder, args: tuple[str, ...], meant: str) -> None:
    """Each command means the one for which it is legal, what is worked on before what is resolved."""
    assert act(both, *args).out.startswith(meant)


def test_the_end_of_a_pause_means_the_one_that_waits(both: Folder) -> None:
    folder = both
    act(folder, "pause", OTHER, "--waiting-for", "vendor")
    folder.put("INC-20250126-120700")
    assert act(folder, "pause", "--end").out.startswith(OTHER)


def test_an_ack_means_the_one_that_nobody_has_taken(folder: Folder) -> None:
    folder.put(ID)
    folder.put(OTHER)
    act(folder, "ack", ID)
    assert act(folder, "ack").out.startswith(OTHER)


def test_an_item_is_one_of_the_incident_that_has_it(both: Folder) -> None:
    """Items belong to what is resolved as well; two incidents with an AI-1 are not guessed between."""
    folder = both
    call("action", "add", "x", at=folder.path).told_once(2, "Which incident? 2 are open")
    act(folder, "action", "add", "x", ID)
    assert act(folder, "action", "start", "AI-1").out.startswith(ID)
    act(folder, "action", "add", "y", OTHER)
    call("action", "start", "AI-1", at=folder.path).told_once(2, "Which incident? 2 are open")


def test_several_are_listed_a_line_each(folder: Folder) -> None:
    """The worst first, no line wider than 80 columns, whatever the title is."""
    folder.put(ID, severity="SEV2", title='"\\u0634\\u0628\\u0643\\u0629 is down \\e[31m"')
    folder.put(OTHER, title="Login fails for most users and nobody knows why, " + "really " * 20)
    folder.put("INC-20250126-120700", **CLOSED)
    done = call("ack", at=folder.path, columns=80)
    done.told_once(2, "Which incident? 2 are open (name it by its id, or by the id's end)")
    _, first, second = done.err.splitlines()
    assert first.startswith(f"  {OTHER}  SEV1  new  api  Login fails for most")
    assert second.startswith(f"  {ID}  SEV2  new  api  ")
    assert max(map(len, done.err.splitlines())) <= 80
    assert "\x1b" not in done.err


def test_two_hundred_are_not_all_listed(folder: Folder) -> None:
    for number in range(200):
        folder.put(f"INC-{number}")
    done = call("ack", at=folder.path)
    done.told_once(2, "200 are open")
    assert len(done.err.splitlines()) == 11
    assert done.err.endswith("  and 191 more: see `incident-ops list --open`\n")


def test_a_terminal_asks_which(folder: Folder) -> None:
    """1 or 2, and it is that one; an answer that is none is asked again."""
    folder.put(ID)
    folder.put(OTHER, severity="SEV2")
    shown, code = at_terminal(folder, "ack", typed=("3\n", "2\n"))
    assert code == 0, shown
    assert f"Which incident?\n  1  {ID}  SEV1  new  api  Login fails\n  2  {OTHER}  SEV2" in shown
    assert f"{OTHER}: acknowledged" in shown


def test_a_terminal_asks_which_before_it_asks_what_is_missing(folder: Folder) -> None:
    folder.put(ID)
    folder.put(OTHER)
    shown, code = at_terminal(folder, "resolve", typed=("1\n", "now\n", "deploy\n"))
    assert code == 0, shown
    assert f"{ID}: resolved" in shown


def test_a_terminal_asks_before_a_closed_incident_comes_back(folder: Folder) -> None:
    """The only closed one is not reopened by a slip."""
    folder.put(ID, **CLOSED, changes=os.linesep.join(CHANGES))
    call("reopen", "--reason", "x", at=folder.path).told_once(2, "Which incident? 1 is closed")
    shown, code = at_terminal(folder, "reopen", "--reason", "it is back", typed=("1\n",))
    assert code == 0, shown
    assert f"{ID}: reopened" in shown


CHANGES = [
    "",
    *(
        f"- {{at: 2025-01-26T12:{minute}:00Z, field: state, from: {old}, to: {new}}}"
        for minute, old, new in (
            ("05", "new", "triaged"), ("06", "triaged", "assigned"), ("07", "assigned", "in_progress"),
            ("30", "in_progress", "resolved"), ("50", "resolved", "closed"),
        )
    ),
]  # fmt: skip


def test_where_none_is_open_the_one_that_was_closed_last_is_named(folder: Folder) -> None:
    """Whoever types `show` or `close --verified` too late sees what they most likely mean."""
    folder.put(ID)
    act(folder, "resolve", ID, "--restored", "now", "--cause", "deploy")
    act(folder, "close", ID)
    done = call("close", "--verified", at=folder.path)
    assert done.code == 2
    assert "no incident is open; the most recent one is closed" in done.err
    assert ID in done.err


def test_what_was_closed_unverified_can_still_be_verified(folder: Folder) -> None:
    """The warning of `close` names the command, and it works; a second time nothing changes."""
    folder.put(ID)
    act(folder, "resolve", ID, "--restored", "now", "--cause", "deploy")
    assert f"incident-ops close {ID} --verified" in act(folder, "close", ID).err.replace("\n  ", " ")
    assert "restoration verified at" in act(folder, "close", ID, "--verified").out
    assert "[verified]" not in call("validate", at=folder.path).out
    assert "nothing changed" in act(folder, "close", ID, "--verified").out


def test_the_next_update_is_named_before_the_end(folder: Folder) -> None:
    """A level that asks for updates asks for the next one, too."""
    folder.put(ID, severity="SEV0")
    act(folder, "ack", ID)
    act(folder, "assign", "commander", "@alice", ID)
    internal, public = (f'next: incident-ops update {ID} --{audience} "..."' for audience in ("internal", "public"))
    end = f"next: incident-ops resolve {ID}"
    assert next_lines(act(folder, "update", "--internal", "x")) == [internal, public, end]
    assert next_lines(act(folder, "update", "--public", "x")) == [internal, end]


def test_nobody_tells_the_public_of_a_drill(folder: Folder) -> None:
    folder.put(ID, severity="SEV0", drill="true")
    assert not [line for line in next_lines(act(folder, "ack", ID)) if "--public" in line]


def next_lines(done: Done) -> list[str]:
    return [line.strip() for line in done.out.splitlines() if "next:" in line]


@pytest.mark.parametrize("typed", ["INC-2", "INC-42", "INC-042", "2", "42"])
def test_an_id_that_is_not_there_is_never_the_end_of_another(folder: Folder, typed: str) -> None:
    """Whoever mistypes an id at night edits no other incident; of an end three digits are asked for."""
    folder.put("INC-20250126-120042")
    folder.put("INC-20250126-120043")
    done = call("ack", typed, at=folder.path)
    assert done.code == 2
    assert "acknowledged" not in f"{folder.data('INC-20250126-120042')['times']}"


@pytest.mark.parametrize("typed", ["042", "120042", "INC-120042", "inc-20250126-120042"])
def test_the_end_of_an_id_will_do(folder: Folder, typed: str) -> None:
    folder.put("INC-20250126-120042")
    folder.put("INC-20250126-120043")
    assert call("ack", typed, at=folder.path).code == 0


@pytest.mark.parametrize("typed", ["7", "INC-7", "INC-0007"])
def test_the_number_of_a_numbered_id_will_do(folder: Folder, typed: str) -> None:
    folder.put("INC-2025-00007")
    folder.put("INC-2025-00017")
    assert call("ack", typed, at=folder.path).code == 0
