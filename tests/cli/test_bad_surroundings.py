"""Nights at which the surroundings are wrong: clocks apart, 200 incidents, no git, people who left, odd files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import pytest

from tests.cli.scene import AT, Done, Folder, record, run
from tests.cli.scene import call_merged as call

NOON = datetime(2026, 11, 29, 12, 5, tzinfo=UTC)
LIFE = (
    ("ack",),
    ("assign", "commander", "@b"),
    ("update", "--internal", "Looking"),
    ("timeline", "Rolled back", "--kind", "action", "--mark", "mitigated"),
    ("resolve", "--restored", "now", "--cause", "deploy"),
)

# ------------------------------------------------------------------ two clones, two clocks


def at_clock(now: datetime, *args: str, at: Path) -> Done:
    """Runs a command on a machine whose clock says `now`."""
    with mock.patch("incident_ops.adapters.clock.now", return_value=now):
        return call(*args, at=at, clock=None)


def commit_at(folder: Folder, now: datetime) -> None:
    when = now.isoformat()
    folder.git("add", "-A")
    env = {**os.environ, "GIT_COMMITTER_DATE": when, "GIT_AUTHOR_DATE": when}
    subprocess.run(["git", "-C", str(folder.path), "commit", "-q", "-m", "x"], env=env, check=True)


@pytest.mark.parametrize("behind", [5, 120, 170, 290])
def test_a_clone_whose_clock_is_behind_writes_after_what_it_answers(folder: Folder, behind: int) -> None:
    """Declared on one machine, worked on at another one that is minutes behind: nothing is refused, nothing is out of
    order, and the first line says which time is recorded."""
    declare = ("declare", "Login fails", "-s", "api", "--severity", "SEV1", "--by", "@a")
    assert at_clock(NOON, *declare, at=folder.path).code == 0
    commit_at(folder, NOON + timedelta(seconds=10))
    slow = NOON - timedelta(seconds=behind)
    for args in LIFE:
        done = at_clock(slow, *args, "--by", "@b", at=folder.path)
        assert done.code == 0, (args, done)
        assert "behind the last commit's: 2026-11-29T12:05:10Z is recorded" in done.err
        assert "happened before" not in done.err
    text = next(folder.path.glob("incidents/*/incident.yaml")).read_text()
    assert "acknowledged: 2026-11-29T12:05:10Z" in text
    report = at_clock(NOON + timedelta(seconds=30), "validate", at=folder.path)
    assert "order" not in report.out
    assert report.code == 0


@pytest.mark.parametrize(
    "args",
    [
        ("triage", "INC-1", "--users", "all"),
        ("action", "add", "Add an alert"),
        ("impact", "--service", "api:major"),
        ("freeze", "year-end", "--reason", "closing"),
        ("relate", "INC-1", "INC-2"),
    ],
)
def test_every_command_that_writes_comes_after_what_it_answers(folder: Folder, args: tuple[str, ...]) -> None:
    """Also one that does not ask who acts."""
    folder.put(times="{declared: 2026-11-29T12:05:00Z}")
    folder.put("INC-2", state="closed", times="{declared: 2026-11-29T12:04:00Z, closed: 2026-11-29T12:04:30Z}")
    commit_at(folder, NOON)
    done = at_clock(NOON - timedelta(minutes=2), *args, at=folder.path)
    assert done.code == 0, done
    assert "behind the last commit's: 2026-11-29T12:05:00Z is recorded" in done.err


def test_a_command_that_only_reads_takes_the_clock_as_it_is(folder: Folder) -> None:
    folder.put(times="{declared: 2026-11-29T12:00:00Z}")
    commit_at(folder, NOON)
    for args in (("timeline", "--list"), ("triage", "--users", "all"), ("action", "list")):
        done = at_clock(NOON - timedelta(minutes=2), *args, at=folder.path)
        assert done.code == 0, done
        assert "behind the last commit" not in done.err


def test_a_clock_that_is_ahead_or_far_behind_is_taken_as_it_is(folder: Folder) -> None:
    folder.put()
    commit_at(folder, NOON)
    for now in (NOON + timedelta(hours=1), NOON - timedelta(hours=1)):
        done = at_clock(now, "ack", "--by", "@b", at=folder.path)
        assert "behind the last commit" not in done.err
        folder.git("checkout", "-q", "--", ".")


def test_a_view_of_what_was_declared_two_minutes_ahead_shows_it(folder: Folder) -> None:
    """A deploy is held by it, too: a slow clock never opens the gate."""
    folder.put(times="{declared: 2026-11-29T12:05:00Z}")
    commit_at(folder, NOON)
    slow = NOON - timedelta(minutes=2)
    assert at_clock(slow, "show", at=folder.path).out.startswith("INC-1  SEV1  new  ACTIVE, open 0s\n")
    assert at_clock(slow, "gate", "check", "-s", "api", at=folder.path).code == 3


# ------------------------------------------------------------------ many at once, and people who left


def test_two_hundred_holds_are_a_screen_and_json_has_all(folder: Folder) -> None:
    for number in range(1, 201):
        folder.put(f"INC-{number}")
    done = call("gate", "check", "-s", "api", at=folder.path)
    lines = done.out.splitlines()
    assert (done.code, len(lines) < 30) == (3, True)
    assert "  and 180 more: `--format json` has all of them" in lines
    assert "Deploys resume when none of these 200 holds any more." in lines
    data = json.loads(call("gate", "check", "-s", "api", "--format", "json", at=folder.path).out)
    assert len(data["incident_ids"]) == 200


CONTACTS = 'extends: sev0-3\ncontacts:\n  roles: {on_call: ["@alice"]}\n  "@alice": {channels: [chat]}\n'
ITEMS = '\n- {id: AI-1, title: Fix it, owner: "@bob", due: 2025-02-09, status: open}\n'
ITEMS += '- {id: AI-2, title: Done, owner: "@bob", status: done, done_at: 2025-01-26T13:00:00Z}\n'


def test_somebody_who_left_is_a_warning_and_the_open_items_are_named(folder: Folder) -> None:
    """Nothing is sent to them, nothing fails, and who has to act reads which items nobody is reminded of."""
    folder.write("policy.yaml", CONTACTS)
    folder.put(roles='{commander: "@bob"}', action_items=ITEMS)
    done = call("validate", at=folder.path)
    assert done.code == 0
    lines = [line for line in done.out.splitlines() if "[contact-known]" in line]
    assert len(lines) == 2
    assert "warning: '@bob' is not in the policy's contacts [contact-known]" in lines[0]
    assert "so nobody is reminded of AI-1 [contact-known]" in lines[1]
    assert "fix: has this person left? assign the item to somebody else" in done.out
    plan = call("plan", at=folder.path).out
    assert "notify @bob" not in plan
    assert "@bob cannot be notified: no channel in `contacts`" in plan
    assert "INC-1/AI-1" in call("list", "--owner", "bob", at=folder.path).out


def test_one_unknown_key_of_contacts_does_not_make_the_people_unknown(folder: Folder) -> None:
    folder.write("policy.yaml", CONTACTS.replace("  roles:", "  rolls:"))
    out = call("validate", at=folder.path).out
    assert "unknown key 'rolls' in contacts" in out
    assert "'@alice'" not in out


# ------------------------------------------------------------------ texts and files


@pytest.mark.parametrize(
    "title", ["تسجيل الدخول لا يعمل", "登录失败：大多数用户无法登录系统，支付也失败，请立刻处理", "🔥 שרת"]
)
def test_a_title_in_any_script_is_kept_shown_and_fits(folder: Folder, title: str) -> None:
    declared = call("declare", title, "-s", "api", "--severity", "SEV1", "--by", "@a", at=folder.path)
    assert declared.code == 0
    assert f": {title}\n" in declared.out
    assert call("validate", at=folder.path).code == 0
    for args in (("list",), ("show",), ("plan",), ("gate", "check", "-s", "api")):
        assert title[:12] in call(*args, at=folder.path).out, args
    assert call("render", at=folder.path).code == 0
    assert title in next(folder.path.glob("incidents/*/incident.md")).read_text(encoding="utf-8")


def test_a_record_with_crlf_is_edited_in_its_own_line_ends(folder: Folder) -> None:
    path = folder.put(text=record().replace("\n", "\r\n"))
    for args in LIFE:
        assert call(*args, "--by", "@b", at=folder.path).code == 0, args
    raw = path.read_bytes()
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert call("validate", at=folder.path).code == 0


@pytest.mark.parametrize("name", ["incidents/INC-1/incident.yaml", "policy.yaml", "services.yaml"])
def test_a_byte_order_mark_is_named_and_stops_only_what_it_must(folder: Folder, name: str) -> None:
    folder.put()
    folder.put("INC-2")
    folder.commit()
    folder.write(name, b"\xef\xbb\xbf" + (folder.path / name).read_bytes())
    done = call("validate", at=folder.path)
    assert f"{name}:1:1: error: the file begins with a byte-order mark [encoding]" in done.out
    assert "    fix: save it as UTF-8 without BOM" in done.out
    assert call("ack", "INC-2", "--by", "@a", at=folder.path).code == 0
    if name.startswith("incidents"):
        call("ack", "INC-1", "--by", "@a", at=folder.path).told_once(2, f"{name}:1:1", "byte-order mark", "without BOM")


# ------------------------------------------------------------------ git


@pytest.mark.slow
def test_without_git_or_its_program_a_whole_life_works(folder: Folder, tmp_path: Path) -> None:
    nothing = tmp_path / "bin"
    nothing.mkdir()
    folder.put()
    for args in LIFE:
        done = run(*args, "--by", "@b", at=folder.path, env={"PATH": str(nothing)})
        assert done.code == 0, (args, done)
        assert "git" not in done.err
    assert run("validate", at=folder.path, env={"PATH": str(nothing)}).code == 0
    run("verify", at=folder.path, env={"PATH": str(nothing)}).told_once(2, "no git history")


def test_a_detached_head_is_a_place_like_any_other(folder: Folder) -> None:
    folder.put()
    folder.commit()
    folder.git("checkout", "-q", "--detach")
    for args in LIFE:
        assert call(*args, "--by", "@b", at=folder.path).code == 0, args
    assert call("validate", "--base", "HEAD", at=folder.path).code == 0
    verified = call("verify", at=folder.path)
    assert verified.code == 1
    assert "1 commit looked at: 1 with nobody to answer for it" in verified.out
    assert call("plan", at=folder.path).code == 0


def test_a_reader_that_goes_away_takes_no_edit_back(folder: Folder) -> None:
    """The pipe is closed before the first word: the record is written, and nothing is printed about it."""
    path = folder.put()
    words = f"import sys; sys.argv = ['incident-ops', '--at', '{AT}', 'ack', '--by', '@a']; "
    words += "from incident_ops.cli.main import main; main()"
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", words], cwd=folder.path, stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert done.stderr == ""
    assert "acknowledged: 2025-01-26T14:00:00Z" in path.read_text()
