"""The commands that write records: a whole life by commands alone, bad input, two at once, and an end at any moment."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from incident_ops.adapters.environment import ACTOR, CHOSEN
from incident_ops.app import edit_record
from tests.cli.scene import AT, Done, Folder, as_ordinary_user, call, command, contents, read_only, record, run
from tests.support.killing import run_with_signal
from tests.support.laws import cells_run, chosen

pytestmark = pytest.mark.usefixtures("somebody")

ID = "INC-20250126-120500"
PATH = f"incidents/{ID}/incident.yaml"
OTHERS = (  # every command that edits a record, with answers that are fit for a new one
    ("ack",),
    ("assign", "commander", "@a"),
    ("assign", "@a"),
    ("update", "--internal", "x"),
    ("update", "--severity", "SEV0"),
    ("timeline", "x"),
    ("action", "add", "x"),
    ("resolve", "--restored", "now", "--cause", "unknown"),
    ("pause", "--waiting-for", "vendor"),
    ("withdraw", "--as", "false_alarm", "--reason", "x"),
)


def act(folder: Folder, clock: str, *args: str) -> Done:
    """A command at a time of the day, which must succeed and leave every record without an error."""
    done = call(*args, at=folder.path, clock=f"2025-01-26T{clock}Z")
    assert done.code == 0, (args, done)
    checked = call("validate", at=folder.path, clock=f"2025-01-26T{clock}Z")
    assert checked.code == 0, (args, checked)
    return done


def merge(folder: Folder, clock: str) -> None:
    """What was done since the last commit takes nothing back that was merged; then it is merged, too."""
    checked = call("validate", "--base", "HEAD", at=folder.path, clock=f"2025-01-26T{clock}Z")
    assert checked.code == 0, checked
    folder.commit()


def text(folder: Folder, path: str = PATH) -> str:
    return (folder.path / path).read_text(encoding="utf-8")


def declare(folder: Folder, *more: str, clock: str = "12:05:00") -> Done:
    return act(folder, clock, "declare", "Login fails", "-s", "api", "--severity", "SEV1", *more)


# ------------------------------------------------------------------ the whole life


@pytest.mark.slow
def test_a_whole_life_by_commands_alone(folder: Folder) -> None:
    """Every step validates, with and without its base, and each diff takes away only lines that were set anew."""
    life: list[tuple[str, tuple[str, ...], int]] = [  # clock, command, lines that may go
        ("12:06:00", ("ack",), 1),
        ("12:07:00", ("assign", "commander", "@alice"), 0),
        ("12:07:30", ("assign", "@bob", "--tier", "2"), 0),
        ("12:08:00", ("update", "--public", "We look into it", "--internal", "Two\nlines", "--eta", "30m"), 0),
        ("12:09:00", ("update", "--severity", "SEV0", "--reason", "all users"), 1),
        ("12:10:00", ("timeline", "Cause found", "--kind", "diagnosis", "--mark", "diagnosed"), 0),
        ("12:11:00", ("pause", "--waiting-for", "vendor"), 1),
        ("12:12:00", ("pause", "--end"), 1),
        ("12:13:00", ("timeline", "Rolled back", "--kind", "action", "--ref", "def456", "--mark", "mitigated"), 0),
        ("12:30:00", ("resolve", "--restored", "15m", "--cause", "deploy", "--what", "a: b", "--why", "- c"), 1),
        (
            "12:31:00",
            ("action", "add", "Add an alert", "--owner", "@bob", "--due", "2025-02-01", "--priority", "P1"),
            0,
        ),
        ("12:32:00", ("action", "start", "AI-1"), 1),
    ]
    declare(folder, "--source", "alert", "--started", "5m")
    folder.commit()
    for clock, args, gone in life:
        act(folder, clock, *args)
        changed = [
            line
            for line in folder.git("diff", "-U0").splitlines()
            if line[:1] in "+-" and line[:3] not in ("+++", "---")
        ]
        assert len([line for line in changed if line[0] == "-"]) <= gone, (args, changed)
        assert any(line[0] == "+" for line in changed)
        merge(folder, clock)
    written = text(folder) + (
        "postmortem:\n  status: final\n  summary: A release rejected tokens.\n"
        '  reviewers:\n  - "@maya"\n  approved_by: "@dana"\n  final_at: 2025-01-26\n'
    )
    folder.write(PATH, written)
    assert act(folder, "12:50:00", "close", "--verified", "--stood-down").err == ""
    merge(folder, "12:50:00")
    for clock, args in (
        ("12:51:00", ("action", "done", f"{ID}/AI-1", "--evidence", "https://example.org/1")),
        ("12:52:00", ("reopen", ID, "--reason", "it is back")),
        ("12:53:00", ("ack",)),
        ("13:10:00", ("resolve", "--restored", "unknown")),
        ("13:11:00", ("close",)),
    ):
        act(folder, clock, *args)
        merge(folder, clock)
    assert written.splitlines()[0] == "# yaml-language-server: $schema=../../schemas/incident.schema.json"
    assert "state: closed\n" in text(folder)


def test_declare_tells_what_comes_next(folder: Folder) -> None:
    """R102: id, folder, commander, channel, runbook, update."""
    folder.write("runbooks/api.md", "# Restart it\n")
    done = declare(folder)
    assert done.out.splitlines()[0] == f"{ID}: declared, SEV1: Login fails"
    for words in (
        f"folder: incidents/{ID}",
        "incident-ops ack",
        "#incident-20250126-120500",
        "runbooks/api.md",
        "update",
    ):
        assert words in done.out
    listed = json.loads(declare(folder, "--format", "json", clock="12:06:00").out)
    assert (listed["schema"], listed["severity"], len(listed["next"])) == (1, "SEV1", 5)


def test_the_answers_give_the_label_and_the_rule_is_told(folder: Folder) -> None:
    """Without a label."""
    done = act(folder, "12:05:00", "declare", "x", "-s", "api", "-s", "web", "--users", "60", "--feature", "core")
    assert "declared, SEV1" in done.out
    assert "rule " in done.out
    assert "users_percent: 60\n" in text(folder)


def test_two_declarations_in_one_second_get_two_ids(folder: Folder) -> None:
    """And an empty folder that is there already is left alone."""
    (folder.path / "incidents/INC-20250126-120501").mkdir(parents=True)
    ids = [declare(folder).out.partition(":")[0] for _ in range(2)]
    assert ids == [ID, "INC-20250126-120502"]


def test_json_for_scripts(folder: Folder) -> None:
    """What was done, what gives pause, what is next."""
    declare(folder)
    folder.commit()
    told = json.loads(act(folder, "12:06:00", "ack", "--format", "json").out)
    assert told["changed"]
    assert told["state"] == "in_progress"
    assert told["undo"] == f"incident-ops undo {ID}"
    assert told["next"] == [f'incident-ops update {ID} --{audience} "..."' for audience in ("internal", "public")]
    again = json.loads(act(folder, "12:06:00", "ack", "--format", "json").out)
    assert (again["changed"], again["undo"]) == (False, None)


@pytest.mark.parametrize("short", [ID, ID.lower(), "20250126-120500", "120500"])
def test_an_incident_by_its_end(folder: Folder, short: str) -> None:
    """Id, or a part that only one has."""
    declare(folder)
    declare(folder, clock="12:06:00")
    act(folder, "12:07:00", "timeline", "12", short)
    assert 'event: "12"' in text(folder)


def test_which_one(folder: Folder) -> None:
    """Two open ones are listed; a short form that two have is not guessed; a wrong id has a near one."""
    declare(folder)
    declare(folder, clock="12:06:00")
    for args, words in [((), "2 are open"), (("00",), "could be"), (("INC-20250126-120501",), "did you mean")]:
        call("ack", *args, at=folder.path).told_once(2, words)


def test_who(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """--by, then INCIDENT_OPS_BY, then the actor, then git's user name, then the user of the machine."""
    declare(folder)
    folder.git("config", "user.name", "Ann  Lee")
    act(folder, "12:06:00", "timeline", "x", "--by", "@eve")
    act(folder, "12:06:00", "timeline", "x")
    monkeypatch.delenv(CHOSEN)
    monkeypatch.setenv(ACTOR, "octo[bot]")
    act(folder, "12:06:00", "timeline", "x")
    monkeypatch.delenv(ACTOR)
    act(folder, "12:06:00", "timeline", "x")
    folder.git("config", "user.name", "a@b")
    act(folder, "12:06:00", "timeline", "x")
    rows = text(folder).partition("timeline:")[2].partition("changes:")[0].split("- at:")
    by = [row.partition("by: ")[2].strip() for row in rows[2:]]
    assert by[:4] == ['"@eve"', '"@alice"', '"@octo"', "Ann Lee"]
    assert re.fullmatch(r"[A-Za-z0-9-]+@[A-Za-z0-9-]+", by[4])


def test_questions_are_asked_only_at_a_terminal(folder: Folder) -> None:
    """Elsewhere what is missing is named, with exit code 2."""
    call("declare", at=folder.path).told_once(2, "a title and --service")
    call("declare", "x", "-s", "api", at=folder.path).told_once(2, "No severity is given", "--users 60")
    declare(folder)
    call("resolve", at=folder.path).told_once(2, "--restored and --cause")


def test_at_a_terminal_the_triage_questions_give_the_label(folder: Folder) -> None:
    """An empty answer means: not known."""
    answers: list[object] = ["Login fails", "api", 60, "core", "", "", "", "", "SEV1"]
    with (
        mock.patch("incident_ops.cli.declare.at_terminal", return_value=True),
        mock.patch("click.prompt", side_effect=answers),
    ):
        done = act(folder, "12:05:00", "declare")
    assert "SEV1: Login fails" in done.out
    answers = ["2m", "deploy"]
    with (
        mock.patch("incident_ops.cli.resolve.at_terminal", return_value=True),
        mock.patch("click.prompt", side_effect=answers),
    ):
        act(folder, "12:20:00", "resolve")
    assert "restored: 2025-01-26T12:18:00Z" in text(folder)


# ------------------------------------------------------------------ bad input

TITLES = {
    "quotes": 'it\'s "down"',
    "emoji": "🔥 down é",
    "hash": "a # b",
    "colon": "a: b",
    "dash": "- a",
    "braces": "{{ title }} {% x %}",
    "number": "0123",
    "word": "yes",
    "markers": "<!-- incident-ops v1 --> @here #1",
}


@pytest.mark.parametrize("name", TITLES)
def test_any_text_comes_out_as_it_went_in(folder: Folder, name: str) -> None:
    """In a title, an update, an entry and an item."""
    said = TITLES[name]
    done = act(
        folder, "12:05:00", "declare", "--severity", "SEV1", "-s", "api", "--description", f"{said}\nx", "--", said
    )
    assert done.code == 0
    act(folder, "12:06:00", "timeline", "--result", said, "--", said)
    act(folder, "12:07:00", "update", f"--public={said}")
    act(folder, "12:08:00", "action", "add", "--", said)
    from incident_ops.records.yaml_reader import Document, read_yaml

    data = read_yaml(text(folder), PATH)
    assert isinstance(data, Document)
    held = data.data
    assert (held["title"], held["description"]) == (said, f"{said}\nx")
    assert (held["timeline"][1]["event"], held["updates"][0]["text"], held["action_items"][0]["title"]) == (said,) * 3


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("x" * 10_000, "title"),
        ("two\nlines", "title"),
        ("", "empty"),
        ("a\x1b[31m", "control"),
        ("a\u202eb", "direction"),
    ],
)
def test_a_title_that_no_record_may_have(folder: Folder, said: str, words: str) -> None:
    """Refused in one line, and no folder is left."""
    call("declare", said, "-s", "api", "--severity", "SEV1", at=folder.path).told_once(2, words)
    assert not list(folder.path.glob("incidents/*"))


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("-s", "apj", "--severity", "SEV1"), "did you mean api"),
        (("-s", "api", "--severity", "SEV-1"), "SEV-1"),
        (("-s", "api", "--priority", "P1", "--severity", "SEV1"), "priority"),
        (("-s", "api", "--severity", "SEV1", "--started", "someday"), "--started"),
        (("-s", "api", "--severity", "SEV1", "--started", "2025-01-26T12:00:00 CET"), "yesterday 14:00"),
        (("-s", "api", "--severity", "SEV1", "--started", "2052-01-26T12:00:00Z"), "2052"),
        (("-s", "api", "--severity", "SEV1", "--by", "@a b"), "by"),
        (("-s", "api", "--severity", "SEV1", "--detail", "x"), "--source"),
    ],
)
def test_a_declaration_that_cannot_be(folder: Folder, args: tuple[str, ...], words: str) -> None:
    """Refused in one line, and nothing is written."""
    call("declare", "x", *args, at=folder.path).told_once(2, words)
    assert not list(folder.path.glob("incidents/*"))


@pytest.mark.parametrize("args", OTHERS, ids=" ".join)
def test_a_record_that_cannot_be_edited(folder: Folder, args: tuple[str, ...]) -> None:
    """Unparsable, against the schema, binary, a link, missing: one line with its place, and not a byte changes."""
    for broken, place in (
        ("id: INC-1\ntitle: a: b\n", "incident.yaml:2:9"),
        (record(state="nwe"), "incident.yaml:4:8"),
        (b"\xff\xfe", "incident.yaml:1:1"),
        ("", "incident.yaml"),
        (b"\xef\xbb\xbfid: INC-1\n", "incident.yaml:1:1"),
    ):
        folder.put(text=broken)
        before = contents(folder.path)
        call(*args, "INC-1", at=folder.path).told_once(2, place)
        assert contents(folder.path) == before
    call(*args, "INC-2", at=folder.path).told_once(2, "did you mean INC-1")
    file = folder.path / "incidents/INC-1/incident.yaml"
    file.rename(file.with_name("moved.yaml"))
    file.symlink_to("moved.yaml")
    call(*args, "INC-1", at=folder.path).told_once(2, "links are not followed")


@pytest.mark.parametrize("args", OTHERS, ids=" ".join)
def test_a_read_only_tree(folder: Folder, args: tuple[str, ...]) -> None:
    """Exit code 4, one line, and the record is as it was."""
    file = folder.put()
    before = file.read_bytes()
    with read_only(file.parent):
        run(*args, "INC-1", at=folder.path, before=as_ordinary_user).told_once(4, "could not be written")
    assert file.read_bytes() == before


def test_declare_in_a_read_only_tree(folder: Folder) -> None:
    """Exit code 4, and nothing is left behind."""
    (folder.path / "incidents").mkdir()
    args = ("declare", "x", "-s", "api", "--severity", "SEV1")
    with read_only(folder.path / "incidents"):
        run(*args, at=folder.path, before=as_ordinary_user).told_once(4, "could not be written")
    assert not list(folder.path.glob("incidents/*"))


def test_an_edit_that_would_bring_an_error_is_refused(folder: Folder) -> None:
    """By the rule's own words; an error that was there before does not stop anybody."""
    file = folder.put(services="[api, gone]")
    before = file.read_bytes()
    args = ("timeline", "x", "--at", "2052-01-01T00:00:00Z")
    call(*args, at=folder.path).told_once(2, "nothing was changed", "future")
    assert file.read_bytes() == before
    assert call("ack", at=folder.path).code == 0
    call("timeline", "AKIA" + "A" * 16, at=folder.path).told_once(2, "cloud access key")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("update",), "nothing to post"),
        (("update", "--severity", "SEV3"), "--reason"),
        (("update", "--eta", "3m"), "--eta"),
        (("pause",), "--for"),
        (("pause", "--end"), "cannot be resumed"),
        (("assign", "a", "b", "c"), "who gets what"),
        (("assign", "commander", "@a", "--tier", "2"), "no tier"),
        (("timeline", "a", "b"), "quotes"),
        (("action", "done", "AI-1"), "no action item"),
        (("action", "add", "x", "--due", "someday"), "not a date"),
        (("action", "add", "x", "--priority", "high"), "priority"),
        (("close",), "resolve"),
        (("reopen", "--reason", "x"), "no incident is resolved or closed"),
        (("reopen", "INC-1", "--reason", "x"), "still open"),
        (("withdraw", "--as", "duplicate", "--reason", "x"), "--of"),
        (("withdraw", "--as", "duplicate", "--of", "INC-9", "--reason", "x"), "no incident INC-9"),
        (("withdraw", "--as", "duplicate", "--of", "INC-1", "--reason", "x"), "itself"),
    ],
    ids=" ".join,
)
def test_a_command_that_makes_no_sense_here(folder: Folder, args: tuple[str, ...], words: str) -> None:
    """Exit code 2, one line with the way out, not a byte changed."""
    folder.put()
    before = contents(folder.path)
    done = call(*args, at=folder.path)
    done.told_once(2)
    assert words in done.err
    assert contents(folder.path) == before


def test_an_old_revision_is_not_edited(folder: Folder) -> None:
    """--rev reads only."""
    folder.put()
    folder.commit()
    call("--rev", "HEAD", "ack", at=folder.path).told_once(2, "--rev")
    call("--rev", "HEAD", "declare", "x", "-s", "api", "--severity", "SEV1", at=folder.path).told_once(2, "--rev")


def test_a_duplicate_of_a_duplicate_names_the_first(folder: Folder) -> None:
    """No chains."""
    for name in ("INC-1", "INC-2", "INC-3"):
        folder.put(name)
    assert call("withdraw", "INC-2", "--as", "duplicate", "--of", "1", "--reason", "x", at=folder.path).code == 0
    done = call("withdraw", "INC-3", "--as", "duplicate", "--of", "2", "--reason", "x", at=folder.path)
    done.told_once(2, "--of INC-1")


# ------------------------------------------------------------------ two at once, and the end at any moment


def test_an_edit_in_between_is_not_lost(folder: Folder) -> None:
    """What an editor saves between read and write stays; the command begins again on it."""
    file = folder.put()
    real, calls = edit_record.replace_if_unchanged, []

    def meddle(path: Path, before: bytes, *rest: Any) -> bool:
        if not calls:
            file.write_bytes(before + b"tags: [mine]  # by hand\n")
        calls.append(1)
        return real(path, before, *rest)

    with mock.patch.object(edit_record, "replace_if_unchanged", meddle):
        assert call("ack", at=folder.path).code == 0
    assert len(calls) == 2
    assert "tags: [mine]  # by hand" in file.read_text()
    assert "state: in_progress" in file.read_text()


def test_a_file_that_never_rests_is_told(folder: Folder) -> None:
    """Exit code 4, nothing written."""
    file = folder.put()
    before = file.read_bytes()
    with mock.patch.object(edit_record, "replace_if_unchanged", return_value=False):
        call("ack", at=folder.path).told_once(4, "run the command again")
    assert file.read_bytes() == before


@pytest.mark.slow
def test_processes_at_once_all_land(folder: Folder) -> None:
    """Eight entries by eight processes: all eight are there, and the record is valid."""
    file = folder.put()
    folder.commit()
    started = [
        subprocess.Popen(command("timeline", f"entry {n}"), cwd=folder.path, stdout=subprocess.DEVNULL)
        for n in range(8)
    ]
    assert [one.wait(60) for one in started] == [0] * 8
    assert all(f"event: entry {n}\n" in file.read_text() for n in range(8))
    assert call("validate", at=folder.path).code == 0


@pytest.mark.slow
def test_declarations_at_once_get_ids_of_their_own(folder: Folder) -> None:
    """Four in one second."""
    args = command("declare", "x", "-s", "api", "--severity", "SEV1")
    started = [subprocess.Popen(args, cwd=folder.path, stdout=subprocess.DEVNULL) for _ in range(4)]
    assert [one.wait(60) for one in started] == [0] * 4
    assert len(list(folder.path.glob("incidents/*/incident.yaml"))) == 4
    assert call("validate", at=folder.path).code == 0


@pytest.mark.slow
@pytest.mark.law
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_killed_at_any_moment(
    folder: Folder, tmp_path: Path, how: signal.Signals, record_property: Callable[[str, Any], None]
) -> None:
    """The record is the old one or the new one, and the next command works."""
    file = folder.put()
    old = file.read_bytes()
    whole = run_with_signal("--at", AT, "timeline", "x", at=folder.path, notes=tmp_path)
    assert (whole.code, "event: x" in file.read_text()) == (0, True)
    moments = chosen(f"kills of a record command {how.name}", range(8), sample=2)
    record_property(*cells_run("kills of a record command", how.name, len(moments), 8))
    for moment in moments:
        file.write_bytes(old)
        place = whole.calls * (2 * moment + 1) // 16
        done = run_with_signal("--at", AT, "timeline", "x", at=folder.path, notes=tmp_path, call=place, number=how)
        assert done.code in (-how, 128 + how)
        assert file.read_bytes() == old or "event: x" in file.read_text()
        assert call("validate", at=folder.path).code == 0
    file.write_bytes(old)
    assert call("ack", at=folder.path).code == 0
