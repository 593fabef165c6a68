"""What tired hands type: nothing at all, a hint as it was printed, a text without quotes, an incident left out."""

from __future__ import annotations

import json
import os
import pty
import select
import shlex
import subprocess
import time
from itertools import product
from pathlib import Path
from unittest import mock

import pytest

from tests.cli.scene import AT, CLOSED, Folder, command, contents, run, small_disk
from tests.cli.scene import call_merged as call

pytestmark = pytest.mark.usefixtures("somebody")

EDITS = (  # every text that a command writes into a record, given as nothing
    ("declare", "{}", "-s", "api", "--severity", "SEV1"),
    ("declare", "x", "-s", "api", "--severity", "SEV1", "--commander", "{}"),
    ("declare", "x", "-s", "api", "--severity", "SEV1", "--description", "{}"),
    ("ack", "--by", "{}"),
    ("assign", "{}", "INC-1"),
    ("assign", "commander", "{}", "INC-1"),
    ("update", "--public", "{}"),
    ("update", "--severity", "SEV3", "--reason", "{}"),
    ("timeline", "{}", "INC-1"),
    ("timeline", "x", "--result", "{}"),
    ("pause", "--waiting-for", "vendor", "--reason", "{}"),
    ("resolve", "--restored", "now", "--cause", "deploy", "--what", "{}"),
    ("withdraw", "--as", "false_alarm", "--reason", "{}"),
    ("action", "add", "{}", "INC-1"),
    ("action", "add", "x", "--owner", "{}"),
    ("impact", "--summary", "{}"),
    ("impact", "--service", "{}"),
)


@pytest.mark.parametrize("nothing", ["", "  ", "\t\n"])
@pytest.mark.parametrize("args", EDITS, ids=" ".join)
def test_a_text_of_blanks_is_none(folder: Folder, args: tuple[str, ...], nothing: str) -> None:
    folder.put()
    before = contents(folder.path)
    call(*(one.format(nothing) for one in args), at=folder.path).told_once(2, "empty")
    assert contents(folder.path) == before


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (("assign", "commander", "@who", "INC-1"), "@who"),
        (("assign", "@who"), "@who"),
        (("assign", "commander", "@you", "INC-1"), "@you"),
        (("update", "INC-1", "--internal", "..."), "..."),
        (("action", "add", "...", "INC-1"), "..."),
        (("withdraw", "INC-1", "--as", "false_alarm", "--reason", "TEXT"), "TEXT"),
    ],
    ids=str,
)
def test_a_hint_pasted_as_it_is_asks_for_the_missing_word(folder: Folder, args: tuple[str, ...], word: str) -> None:
    folder.put()
    before = contents(folder.path)
    call(*args, at=folder.path).told_once(2, f"'{word}'", "stands for")
    assert contents(folder.path) == before


def test_what_comes_next_is_never_cut_and_never_writes_what_nobody_meant(folder: Folder) -> None:
    """Every command told at any step of a life fits its line, and is refused where a word is still missing."""
    name = "INC-20250126-120500"
    folder.put(name)
    for step in (
        ("ack",), ("assign", "commander", "@a"), ("update", "--internal", "x"), ("timeline", "x", "--mark", "restored"),
        ("resolve", "--cause", "deploy"), ("close",), ("reopen", name, "--reason", "x"),
    ):  # fmt: skip
        assert call(*step, at=folder.path).code == 0, step
        shown = call("show", name, at=folder.path).out
        for line in json.loads(call("show", name, "--format", "json", at=folder.path).out)["next"]:
            assert f"{line}\n" in shown
            assert not set(line.split()) & {"CATEGORY", "TEXT", "INC-..."}, line


def test_a_title_without_quotes(folder: Folder) -> None:
    call("declare", "Login", "fails", "-s", "api", "--severity", "SEV1", at=folder.path).told_once(2, "quotes")


def test_a_text_that_begins_with_a_hyphen_is_told_how(folder: Folder) -> None:
    folder.put()
    for said in ("- 5 % errors", "-5%"):
        done = call("timeline", said, at=folder.path)
        assert done.code == 2
        assert f"incident-ops timeline -- {shlex.quote(said)}\n" in done.err
        assert call("timeline", "--", said, at=folder.path).code == 0
    assert "--" not in call("timeline", "-x", at=folder.path).err.partition("option")[2]


def test_reopen_without_an_incident(folder: Folder) -> None:
    """The only resolved one; a closed one is named, the latest first."""
    folder.put("INC-1", **CLOSED)
    folder.put("INC-2", **CLOSED | {"times": CLOSED["times"].replace("13:00:00Z", "13:30:00Z")})
    call("reopen", "--reason", "x", at=folder.path).told_once(2, "Which incident? 2 are closed")
    assert [line.split()[0] for line in call("reopen", "--reason", "x", at=folder.path).err.splitlines()] == [
        "error:", "INC-2", "INC-1",
    ]  # fmt: skip
    for name in ("INC-3", "INC-4"):
        folder.put(name)
    assert call("resolve", "INC-3", "--restored", "now", "--cause", "deploy", at=folder.path).code == 0
    assert call("reopen", "--reason", "x", at=folder.path).out.startswith("INC-3: reopened")
    call("reopen", "--reason", "x", "INC-4", at=folder.path).told_once(2, "still open")


def test_reopen_where_nothing_was_ever_over(folder: Folder) -> None:
    folder.put()
    call("reopen", "--reason", "x", at=folder.path).told_once(2, "no incident is resolved or closed")


def test_a_reason_goes_with_a_level(folder: Folder) -> None:
    """Else it would be dropped."""
    folder.put()
    call("update", "--internal", "x", "--reason", "y", at=folder.path).told_once(2, "--reason goes with")


def test_an_end_that_has_passed_gives_pause(folder: Folder) -> None:
    folder.put()
    done = call("update", "--internal", "x", "--eta", "2025-01-26T13:59:00Z", at=folder.path)
    assert done.code == 0
    assert "warning: --eta 2025-01-26T13:59:00Z has passed" in done.err
    assert call("update", "--internal", "x", "--eta", "30m", at=folder.path).err == ""
    call("update", "--internal", "x", "--eta", "soon", at=folder.path).told_once(2, "eta")


def test_roles_by_the_words_that_people_use(folder: Folder) -> None:
    """A slip is refused, a role is no person, and a role is taken back."""
    file = folder.put("INC-1303")
    call("assign", "comander", "@a", at=folder.path).told_once(2, "'comander' is not a role", "did you mean commander?")
    call("assign", "commander", "1303", at=folder.path).told_once(
        2, "'commander' is a role: who is to have it?", "incident-ops assign commander @who"
    )
    assert "@a is now commander" in call("assign", "ic", "@a", at=folder.path).out
    assert "@a is now communications lead" in call("assign", "comms", "@a", "1303", at=folder.path).out
    assert "@a is no longer communications lead" in call("assign", "comms", "-", at=folder.path).out
    assert "  communications_lead:" not in file.read_text(encoding="utf-8")
    assert call("assign", "database", "@a", at=folder.path).err == ""


def test_a_level_in_any_case(folder: Folder) -> None:
    """At the declaration, at a change, in a list."""
    assert "SEV1" in call("declare", "x", "-s", "api", "--severity", "sev1", at=folder.path).out
    assert "raised from SEV1 to SEV0" in call("update", "--severity", "Sev0", at=folder.path).out
    assert "INC-20250126-140000" in call("list", "--level", "sev0", at=folder.path).out
    call("declare", "x", "-s", "api", "--severity", "sev9", at=folder.path).told_once(2, "sev9", "known: SEV0")


def test_a_second_declaration_of_the_same_says_so(folder: Folder) -> None:
    """The same service and nearly the same title, of what is open; it is declared all the same."""
    first = ("declare", "Login fails for most users", "-s", "api", "--severity", "SEV1")
    call(*first, at=folder.path)
    later = "2025-01-26T14:00:05Z"
    done = call(
        "declare", "login fails for most of our users", "-s", "api", "--severity", "SEV1", at=folder.path, clock=later
    )
    assert done.code == 0
    assert done.err == "warning: INC-20250126-140000 on api is open: Login fails for most users (declared just now)\n"
    assert "incident-ops withdraw INC-20250126-140005 --as duplicate --of INC-20250126-140000 " in done.out
    for other in (("Login fails for most users", "web"), ("Checkout is slow", "api")):
        assert "is open" not in call("declare", other[0], "-s", other[1], "--severity", "SEV1", at=folder.path).err
    as_json = json.loads(call(*first, "--format", "json", at=folder.path).out)
    assert any("is open: Login fails" in line for line in as_json["warnings"])


def test_a_second_declaration_is_asked_for_at_a_terminal(folder: Folder) -> None:
    """No, and nothing is written; yes, and it is."""
    args = ("declare", "Login fails", "-s", "api", "--severity", "SEV1")
    call(*args, at=folder.path)
    before = contents(folder.path)
    shown, code = at_terminal(folder, *args, typed=("n\n",))
    assert code == 130, shown
    assert "Declare another one?" in shown
    assert shown.endswith("\ninterrupted: nothing was written\n")
    assert contents(folder.path) == before
    shown, code = at_terminal(folder, *args, typed=("y\n",))
    assert code == 0, shown
    assert len(list((folder.path / "incidents").iterdir())) == 2


def test_titles_in_an_error_are_short_and_restricted_ones_stay_hidden(folder: Folder) -> None:
    for number in range(1, 5):
        folder.put(f"INC-{number}", title="x" * 190)
    folder.put("INC-5", title="the secret one", visibility="restricted")
    done = call("ack", at=folder.path, columns=80)
    done.told_once(2, "5 are open")
    assert done.err.endswith("  INC-5  SEV1  new  api  (restricted)\n")
    assert max(map(len, done.err.splitlines())) <= 80


def test_two_incidents_of_one_second_have_two_channels(folder: Folder) -> None:
    args = ("declare", "x", "-s", "api", "--severity", "SEV1", "--format", "json")
    steps = [step for _ in range(2) for step in json.loads(call(*args, at=folder.path).out)["next"]]
    channels = {step for step in steps if "channel" in step}
    assert channels == {f"create the chat channel #incident-20250126-14000{number}" for number in (0, 1)}


def test_a_full_disk(folder: Folder) -> None:
    """The record stays as it was, and the hint is about space."""
    file = folder.put()
    before = file.read_bytes()
    run("ack", at=folder.path, before=small_disk(150)).told_once(4, "could not be written", "free some space")
    assert file.read_bytes() == before


def test_a_full_disk_behind_the_output_does_not_ask_for_the_same_entry_again(folder: Folder) -> None:
    """The entry is written; only the words about it are lost."""
    file = folder.put()
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command("timeline", "x"), cwd=folder.path, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 4
    assert "event: x\n" in file.read_text(encoding="utf-8")
    assert b"run it again" not in done.stderr
    assert b"what was to be written may be there already" in done.stderr


# ------------------------------------------------------------------ at a terminal


def at_terminal(folder: Folder | Path, *args: str, typed: tuple[str, ...], clock: str | None = AT) -> tuple[str, int]:
    """(what a terminal of 80 columns shows, the exit code); each of `typed` is sent when the program waits."""
    at = folder if isinstance(folder, Path) else folder.path
    keeper, end = pty.openpty()
    try:
        process = subprocess.Popen(
            command(*args, clock=clock), cwd=at, stdin=end, stdout=end, stderr=end, start_new_session=True,
            preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0),
            env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1"},
        )  # fmt: skip
        os.close(end)
        out, waiting, limit = b"", list(typed), time.monotonic() + 60
        while time.monotonic() < limit:
            if select.select([keeper], [], [], 0.05)[0]:
                try:
                    out += os.read(keeper, 65536)
                except OSError:
                    break
            elif waiting and out.endswith((b" ", b"? ")):
                os.write(keeper, waiting.pop(0).encode())
                out += b"\0"  # the next answer waits for the next question
        return out.replace(b"\0", b"").decode().replace("\r\n", "\n"), process.wait(30)
    finally:
        os.close(keeper)


def test_questions_are_asked_again_until_the_answer_is_one(folder: Folder) -> None:
    """A blank title, an instant that is none."""
    shown, code = at_terminal(folder, "declare", "--severity", "SEV1", typed=("  \n", "Login fails\n", "api\n"))
    assert code == 0, shown
    assert "declared, SEV1: Login fails" in shown
    shown, code = at_terminal(folder, "resolve", typed=("noon\n", "now\n", "deploy\n"))
    assert code == 0, shown
    assert "'noon' is not a time" in shown
    assert "resolved" in shown


@pytest.mark.parametrize("typed", [("\x03",), ("\x04",), ("Login fails\n", "\x03")], ids=repr)
def test_an_end_at_a_question_writes_nothing_and_says_so(folder: Folder, typed: tuple[str, ...]) -> None:
    before = contents(folder.path)
    shown, code = at_terminal(folder, "declare", typed=typed)
    assert code == 130, shown
    assert shown.endswith("\ninterrupted: nothing was written\n")
    assert contents(folder.path) == before


def test_no_service_to_choose_from_is_told_and_not_asked(folder: Folder) -> None:
    folder.write("services.yaml", "services: {}\n")
    with mock.patch("incident_ops.cli.declare.at_terminal", return_value=True):
        call("declare", "x", at=folder.path).told_once(2, "services.yaml", "names no service")


def test_what_has_not_come_yet_is_not_written(folder: Folder) -> None:
    """A clock ahead of the real one would leave a record in error until then."""
    folder.put()
    before = (folder.path / "incidents/INC-1/incident.yaml").read_bytes()
    late = "2099-01-01T00:00:00Z"
    call("ack", at=folder.path, clock=late).told_once(2, "has not come yet")
    call("declare", "Login fails", "-s", "api", "--severity", "SEV1", at=folder.path, clock=late).told_once(
        2, "has not come yet"
    )
    assert (folder.path / "incidents/INC-1/incident.yaml").read_bytes() == before
    assert [path.name for path in (folder.path / "incidents").iterdir()] == ["INC-1"]


@pytest.mark.parametrize("group", ["sla", "gate", "policy", "action"])
def test_a_group_without_its_command_shows_its_help(folder: Folder, group: str) -> None:
    """As it is, with its lines; not as one line with the breaks spelled out."""
    done = call(group, at=folder.path)
    assert done.code == 2
    assert "Commands:" in done.err
    assert "\\n" not in done.err


def test_a_missing_choice_is_one_sentence(folder: Folder) -> None:
    folder.put("INC-1")
    said = call("withdraw", "INC-1", at=folder.path).err
    assert "\\n" not in said
    assert "Choose from: false_alarm, duplicate, withdrawn" in said


@pytest.mark.parametrize(("word", "meant"), [("status", "show"), ("note", "timeline"), ("new", "declare")])
def test_a_word_of_another_tool_leads_to_the_command(folder: Folder, word: str, meant: str) -> None:
    assert f"did you mean {meant}?" in call(word, at=folder.path).err


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("db", "database"),
        ("Database", "database"),
        ("infra", "infrastructure"),
        ("config", "configuration"),
        ("third-party", "third_party"),
        ("vendor", "third_party"),
        ("deployment", "deploy"),
    ],
)
def test_a_category_by_the_word_that_people_use(folder: Folder, typed: str, meant: str) -> None:
    folder.put()
    assert call("cause", "--category", typed, at=folder.path).code == 0
    assert f"category: {meant}" in (folder.path / "incidents/INC-1/incident.yaml").read_text()
    assert call("resolve", "--restored", "now", "--cause", typed, at=folder.path).code == 0


@pytest.mark.parametrize("typed", ["d", "network"])
def test_a_category_that_could_be_several_or_none_names_them_all(folder: Folder, typed: str) -> None:
    folder.put()
    call("cause", "--category", typed, at=folder.path).told_once(2, "'deploy', 'database', 'third_party'")


@pytest.mark.parametrize("words", [("1h",), ("INC-1", "1h"), ("1", "1h"), ("1h", "INC-1"), ("15:00",)])
def test_a_snooze_takes_its_end_without_an_option(folder: Folder, words: tuple[str, ...]) -> None:
    folder.put()
    done = call("snooze", *words, "--reason", "the vendor calls back", at=folder.path)
    assert (done.code, "15:00 UTC" in done.out) == (0, True), done


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("1h", "--until", "2h"), "'1h' and --until 2h"),
        (("for", "1h"), "'for' '1h'"),
        (("inc-x", "1h"), "there is no incident inc-x"),
        (("1h", "--off"), "--off stands alone"),
    ],
)
def test_a_snooze_with_two_ends_or_none_is_refused(folder: Folder, words: tuple[str, ...], told: str) -> None:
    folder.put()
    call("snooze", *words, "--reason", "x", at=folder.path).told_once(2, told)


def test_the_gate_takes_the_bare_name_of_a_service(folder: Folder) -> None:
    folder.put()
    assert call("gate", "check", "api", at=folder.path) == call("gate", "check", "-s", "api", at=folder.path)
    assert call("gate", "check", "api", "-s", "api", at=folder.path).code == 3
    call("gate", "check", "api", "-s", "web", at=folder.path).told_once(2, "one service is asked about")
    none = call("gate", "check", at=folder.path)
    assert (none.code, "Missing option '--service'" in none.err) == (2, True), none


def test_show_after_close_shows_what_was_closed(folder: Folder) -> None:
    folder.put("INC-1", **CLOSED)
    folder.put("INC-2", state="closed", times="{declared: 2025-01-26T11:00:00Z, closed: 2025-01-26T11:30:00Z}")
    for words, clock in product((("show",), ("show", "--format", "json"), ("timeline", "--list")), (AT, None)):
        done = call(*words, at=folder.path, clock=clock)
        assert (done.code, "INC-1" in done.out) == (0, True), done
        assert "note: no incident is open; this one was closed last" in done.err


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("declare", "x", "--sevrity", "SEV1"), "Did you mean '--severity'?"),
        (("list", "--stat"), ""),
    ],
)
def test_of_the_options_only_the_nearest_is_offered(folder: Folder, words: tuple[str, ...], meant: str) -> None:
    done = call(*words, at=folder.path)
    said = done.err.partition("error: ")[2]
    assert done.code == 2
    assert meant in said if meant else "mean" not in said
    assert not {"--priority", "--service", "--at"} & {word.strip("'?,()") for word in said.split()}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("in 5m", "is in the future (resolve it once service is back"),
        ("2025-01-26T11:00:00Z", "correct INC-1 detected 2025-01-26T11:00:00Z --reason"),
    ],
)
def test_a_service_is_back_neither_later_than_now_nor_before_anybody_noticed(
    folder: Folder, typed: str, said: str
) -> None:
    folder.put(times="{detected: 2025-01-26T12:00:00Z, declared: 2025-01-26T12:05:00Z}")
    before = folder.data()
    done = call("resolve", "INC-1", "--restored", typed, "--cause", "deploy", "--by", "@me", at=folder.path)
    assert done.code == 2
    assert said in done.err
    assert folder.data() == before
