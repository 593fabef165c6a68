"""An incident written up after the fact: declared at its own time, and every later step at the time it was made."""

from __future__ import annotations

import json

import pytest

from tests.cli.scene import Done, Folder, call, contents

pytestmark = pytest.mark.usefixtures("somebody")

TODAY = "2025-02-10T09:00:00Z"
ID = "INC-20250126-120500"


def declare(folder: Folder, *more: str, when: str = "2025-01-26T12:05:00Z", clock: str = TODAY) -> Done:
    return call("declare", "Login fails", "-s", "api", "--severity", "SEV1", "--declared", when, *more,
                at=folder.path, clock=clock)  # fmt: skip


def test_the_id_and_every_time_are_those_of_the_declaration(folder: Folder) -> None:
    done = declare(folder, "--started", "12:00", "--detected", "2m", "--users", "60", "--feature", "core")
    assert done.code == 0, done
    assert done.out.startswith(f"{ID}: declared, SEV1: Login fails\n")
    found = folder.data(ID)
    assert found["times"] == {
        "started": "2025-01-26T12:00:00Z", "detected": "2025-01-26T12:03:00Z", "declared": "2025-01-26T12:05:00Z"
    }  # fmt: skip
    assert {row["at"] for row in found["changes"]} == {"2025-01-26T12:05:00Z"}
    assert [row["at"] for row in found["timeline"]] == ["2025-01-26T12:03:00Z", "2025-01-26T12:05:00Z"]
    assert "  --started 12:00: 2025-01-26 12:00 UTC\n" in done.err


def test_it_says_that_it_is_written_up_later_and_how_to_go_on(folder: Folder) -> None:
    done = declare(folder)
    lines = done.out.splitlines()
    assert "  written up 14d 20h after the fact; until it is resolved here, it counts as open" in lines
    assert [line for line in lines if "next:" in line] == [
        f"  next: incident-ops ack {ID} --at WHEN",
        f'  next: incident-ops timeline "..." {ID} --at WHEN',
        f"  next: incident-ops resolve {ID} --at WHEN --restored WHEN --cause CATEGORY",
        f"  next: incident-ops close {ID} --at WHEN --verified",
    ]
    assert "notified" not in done.out
    assert "channel" not in done.out


def test_the_rest_is_written_with_the_global_at_and_nothing_is_late(folder: Folder) -> None:
    """Also where --at is typed in words, behind the command: the day is said back."""
    assert declare(folder, "--commander", "@bob").code == 0
    for args in (
        ("ack", ID, "--at", "2025-01-26T12:06:00Z"),
        ("timeline", "Rolled back", ID, "--at", "2025-01-26 12:20", "--kind", "action"),
        ("update", ID, "--public", "Logins fail", "--status", "identified", "--at", "2025-01-26T12:15:00Z"),
        ("resolve", ID, "--at", "2025-01-26T12:45:00Z", "--restored", "12:30", "--cause", "deploy"),
        ("update", ID, "--public", "Logins work", "--at", "2025-01-26T12:46:00Z"),
        ("close", ID, "--verified", "--at", "2025-01-26T13:00:00Z"),
    ):
        done = call(*args, at=folder.path, clock=None)
        assert done.code == 0, (args, done)
        if args[0] != "timeline" and "next:" in done.out:  # its --at is that of the entry alone
            assert "each of these is dated now unless you give --at again" in done.out
    checked = call("validate", at=folder.path, clock=TODAY)
    assert checked.code == 0, checked
    found = folder.data(ID)
    assert found["times"]["restored"] == "2025-01-26T12:30:00Z"
    assert found["times"]["closed"] == "2025-01-26T13:00:00Z"
    shown = call("show", ID, at=folder.path, clock=TODAY).out
    assert "met       response, update, resolution\n" in shown
    as_it_was = json.loads(call("show", ID, "--format", "json", at=folder.path, clock="2025-01-26T12:10:00Z").out)
    assert (as_it_was["state"], as_it_was["public_status"]) == ("in_progress", "investigating")


def test_the_policy_is_that_of_today(folder: Folder) -> None:
    folder.write("policy.yaml", "extends: sev0-3\nlevels:\n- {id: SEV1, response: 7m}\n")
    folder.commit()
    assert declare(folder).code == 0
    assert folder.data(ID)["policy"]["targets"]["response"] == "7m"
    assert call("validate", "--base", "HEAD", at=folder.path, clock=TODAY).code == 0


def test_a_number_is_of_the_year_of_the_declaration(folder: Folder) -> None:
    folder.write("policy.yaml", "extends: itil-p1-p4\nids: {incident: INC-YYYY-NNNNN}\n")
    remote = folder.path.parent / "remote.git"
    folder.git("init", "-q", "--bare", str(remote))
    folder.commit()
    folder.git("remote", "add", "origin", str(remote))
    folder.git("push", "-q", "origin", "HEAD")
    done = call("declare", "x", "-s", "api", "--priority", "P1", "--declared", "2024-12-31T23:50:00Z",
                at=folder.path, clock=TODAY)  # fmt: skip
    assert done.out.startswith("INC-2024-00001: "), done


def test_what_is_open_today_is_no_reason_to_doubt_an_old_one(folder: Folder) -> None:
    call("declare", "Login fails", "-s", "api", "--severity", "SEV1", at=folder.path, clock=TODAY)
    done = declare(folder)
    assert "is open" not in done.err
    assert "duplicate" not in done.out


@pytest.mark.parametrize(
    ("more", "when", "words"),
    [
        ((), "2025-03-01T00:00:00Z", ("--declared", "has not come yet")),
        ((), "soon", ("--declared", "not a time")),
        ((), "unknown", ("--declared", "not a time")),
        (("--detected", "2025-01-26T13:00:00Z"), "2025-01-26T12:05:00Z", ("detected", "12:05")),
        (("--started", "2025-01-26T13:00:00Z"), "2025-01-26T12:05:00Z", ("started",)),
    ],
)
def test_what_cannot_be_writes_nothing(
    folder: Folder, more: tuple[str, ...], when: str, words: tuple[str, ...]
) -> None:
    before = contents(folder.path)
    declare(folder, *more, when=when).told_once(2, *words)
    assert contents(folder.path) == before


def test_a_late_step_of_today_is_not_a_write_up(folder: Folder) -> None:
    assert call("declare", "x", "-s", "api", "--severity", "SEV1", at=folder.path, clock=None).code == 0
    done = call("ack", at=folder.path, clock="0m")
    assert "next:" in done.out
    assert "--at again" not in done.out


@pytest.mark.parametrize("step", [("ack",), ("timeline", "Rolled back"), ("assign", "commander", "@bob")], ids=" ".join)
def test_a_time_of_day_without_its_day_is_refused_weeks_later(folder: Folder, step: tuple[str, ...]) -> None:
    """It would be today's, in the middle of an incident of last month; nothing is written, and the day is asked for."""
    folder.put("INC-20250126-120500")
    before = contents(folder.path)
    done = call(*step, "--at", "03:30", at=folder.path, clock="2025-03-10T09:00:00Z")
    assert done.code == 2
    assert "03:30 of which day? The last entry of INC-20250126-120500 is of 2025-01-26" in done.err
    assert '--at "2025-01-26 03:30", or with the day that is meant' in done.err
    assert contents(folder.path) == before
    said = call(*step, "--at", "2025-03-10 03:30", at=folder.path, clock="2025-03-10T09:00:00Z")
    assert said.code == 0, said
