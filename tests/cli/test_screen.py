"""What people see: at a terminal of any width, in a pipe, with colours and without."""

from __future__ import annotations

import json
import re
from unicodedata import east_asian_width

import pytest
from click.shell_completion import ShellComplete

from incident_ops.cli.main import COMMANDS, GROUPS, PLUMBING, cli
from tests.cli.scene import CLOSED, Folder, call, run

LONG = "Checkout is slow since one hour and nobody can pay with any of the cards that they have stored"
ARABIC, WIDE = "تسجيل الدخول يفشل لمعظم المستخدمين", "ログインに失敗する 💥 多くのユーザー"
COLOUR = "\x1b["


@pytest.fixture
def busy(folder: Folder) -> Folder:
    """Three open incidents: a long title, an Arabic one, one of wide characters."""
    folder.put("INC-20250126-120500", title=LONG, severity="SEV0")
    folder.put("INC-20250126-120600", title=f'"{ARABIC}"')
    folder.put("INC-20250126-120700", title=f'"{WIDE}"', severity="SEV3")
    folder.commit()
    return folder


def columns(line: str) -> int:
    """How many columns a line takes."""
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in line)


SHOWN = (
    "list",
    "show 120500",
    "sla check",
    "sla report",
    "gate check -s api",
    "plan",
    "policy show",
    "policy show --preset itil-p1-p4",
    "triage",
)


@pytest.mark.parametrize("width", [40, 60, 80, 140, 200])
@pytest.mark.parametrize("words", SHOWN)
def test_no_line_is_wider_than_the_terminal(busy: Folder, words: str, width: int) -> None:
    """Only a command to copy, a checksum and a key are whole at any width."""
    out = call(*words.split(), at=busy.path, columns=width).out
    wide = [line for line in out.splitlines() if columns(line) > width]
    whole = re.compile(r"incident-ops |^Checksum |^ *= INC-\S+:$")
    assert [line for line in wide if not whole.search(line)] == []


def test_a_wide_terminal_shows_the_whole_title(busy: Folder) -> None:
    for words in ("list", "sla check", "show 120500"):
        assert LONG in call(*words.split(), at=busy.path, columns=200).out, words
    assert LONG not in call("list", at=busy.path, columns=80).out


def test_a_terminal_that_says_nothing_has_80_columns_and_none_fewer_than_40(busy: Folder) -> None:
    assert call("list", at=busy.path, columns=0).out == call("list", at=busy.path, columns=80).out
    assert call("list", at=busy.path, columns=7).out == call("list", at=busy.path, columns=40).out
    assert call("list", at=busy.path, columns=999).out == call("list", at=busy.path, columns=200).out


@pytest.mark.slow
@pytest.mark.parametrize("words", ["list", "show 120500", "sla check", "plan", "gate check -s api"])
def test_a_pipe_gets_every_title_whole_on_one_line(busy: Folder, words: str) -> None:
    """`incident-ops list | grep "one hour"` finds it, whatever COLUMNS is."""
    out = run(*words.split(), at=busy.path, env={"COLUMNS": "40"}).out
    assert any(LONG in line for line in out.splitlines())
    assert "…" not in out


def test_columns_are_aligned_whatever_the_script_is(busy: Folder) -> None:
    lines = call("list", at=busy.path, columns=140).out.splitlines()
    begins = {
        columns(line[: line.index(word)])
        for line, word in zip(lines, ("TITLE", "Check", "تسجيل", "ログ"), strict=False)
    }
    assert len(begins) == 1


def test_errors_are_set_in_at_a_terminal_and_one_line_in_a_pipe(busy: Folder) -> None:
    args = ("timeline", "120500", "x", "--at", "2999-01-01T00:00:00Z", "--by", "@a")
    assert call(*args, at=busy.path).err.count("\n") == 1
    shown = call(*args, at=busy.path, columns=60).err.splitlines()
    assert shown[0].startswith("error: ")
    assert len(shown) > 1
    assert all(line.startswith("  ") and len(line) <= 60 for line in shown[1:])


def test_usage_errors_are_spelled_as_all_others(busy: Folder) -> None:
    for args in (("list", "--nonsense"), ("bogus",), ("show", "INC-9")):
        done = call(*args, at=busy.path)
        assert done.code == 2
        assert "error: " in done.err
        assert "Error" not in done.err


def test_levels_late_clocks_and_verdicts_have_colours(busy: Folder) -> None:
    """The worst rank is red, a breached clock too, and what is held."""
    for words, wanted in (
        ("list", "\x1b[31m\x1b[1mSEV0"),
        ("show 120500", "\x1b[31m\x1b[1mINC-20250126-120500"),
        ("sla check", "\x1b[31mbreached"),
        ("gate check -s api", "\x1b[31mfrozen"),
        ("plan", "\x1b[32m  + create"),
    ):
        assert wanted in call(*words.split(), at=busy.path, columns=80, NO_COLOR="", TERM="xterm").out, words


@pytest.mark.parametrize("words", ["list", "show 120500", "sla check", "gate check -s api", "plan", "show INC-9"])
def test_who_wants_no_colours_gets_none(busy: Folder, words: str) -> None:
    """A pipe, NO_COLOR, TERM=dumb, --color never; what is forced comes in a pipe, too."""
    args = words.split()

    def seen(*before: str, columns: int | None = None, **variables: str) -> bool:
        done = call(*before, *args, at=busy.path, columns=columns, **variables)
        return COLOUR in done.out + done.err

    assert not seen()
    assert not seen(columns=80, NO_COLOR="1", TERM="xterm", FORCE_COLOR="1")
    assert not seen(columns=80, NO_COLOR="", TERM="dumb")
    assert not seen("--color", "never", columns=80, NO_COLOR="", TERM="xterm")
    assert seen(columns=80, NO_COLOR="", TERM="xterm")
    assert seen(NO_COLOR="", FORCE_COLOR="1", TERM="dumb")
    assert seen("--color", "always", NO_COLOR="1")
    assert not seen(NO_COLOR="", FORCE_COLOR="0")


def test_every_command_is_in_one_group_of_the_help() -> None:
    """A new command needs a place in GROUPS, or in PLUMBING where no person types it."""
    grouped = [name for names in GROUPS.values() for name in names]
    assert sorted([*grouped, *PLUMBING]) == sorted(COMMANDS)


def test_the_help_is_in_groups_without_the_plumbing(busy: Folder) -> None:
    shown = call("--help", at=busy.path).out
    assert re.findall(r"^(\w[\w ]+):$", shown, re.MULTILINE)[1:6] == [*GROUPS]
    assert "merge" not in shown
    assert call("merge", "--help", at=busy.path).code == 0


def test_help_is_a_word_too(busy: Folder) -> None:
    for words in ("", "show", "sla check", "canary"):
        by_word, by_option = call("help", *words.split(), at=busy.path), call(*words.split(), "--help", at=busy.path)
        assert by_word == by_option, words
        assert by_word.code == 0
    assert "did you mean show" in call("help", "shwo", at=busy.path).err


def test_a_list_of_200_leaves_none_out(folder: Folder) -> None:
    for number in range(200):
        folder.put(f"INC-{number + 1}")
    out = call("list", at=folder.path, columns=80).out
    assert out.count("Login fails") == 200
    assert out.endswith("200 incidents\n")


def test_sla_check_names_incidents_by_title_and_shows_keys_only_when_asked(busy: Folder) -> None:
    out = call("sla", "check", at=busy.path).out
    assert ARABIC in out
    assert "/response/1" not in out
    assert "INC-20250126-120500/response/1/due" in call("-v", "sla", "check", at=busy.path).out


def test_rows_that_count_nothing_are_left_out_of_the_report(busy: Folder) -> None:
    table = call("sla", "report", at=busy.path).out.partition("MEAN\n")[2].partition("\n\n")[0]
    assert [line.split()[-8] for line in table.splitlines()] == ["response", "update"] * 3


def test_the_checklist_is_filled_where_the_record_knows(busy: Folder) -> None:
    """On the screen, in the tracking issue and in incident.md; each the same boxes."""

    def filled() -> list[str]:
        out = call("show", "120500", "--checklist", at=busy.path).out
        return [line.strip().removeprefix("[x] ") for line in out.splitlines() if "[x]" in line]

    out = call("show", "120500", "--checklist", at=busy.path).out
    assert "  [ ] Create the channel `#incident-20250126-120500`" in out
    assert filled() == []
    for args in (("assign", "commander", "@alice", "120500"), ("update", "--public", "Looking", "120500")):
        assert call(*args, "--by", "@alice", at=busy.path).code == 0
    done = ['Post "Investigating outage" on the status page', "Assign the incident commander"]
    assert filled() == done
    assert call("render", "INC-20250126-120500", at=busy.path).code == 0
    text = (busy.path / "incidents" / "INC-20250126-120500" / "incident.md").read_text()
    assert re.findall(r"- \[x\] (.+)", text.partition("## Checklists")[2].partition("\n## ")[0]) == done
    data = json.loads(call("show", "120500", "--checklist", "--format", "json", at=busy.path).out)
    assert [box["text"] for one in data["checklists"] for box in one["boxes"] if box["done"]] == done
    assert "no checklist for SEV3" in call("show", "120700", "--checklist", at=busy.path).out


@pytest.mark.parametrize("columns", [40, 60, 80, 140, None])
def test_what_the_plan_leaves_unchanged_is_told_by_reason_and_whole(busy: Folder, columns: int | None) -> None:
    """Each reason once, with every word, however narrow the terminal."""
    busy.put("INC-20250126-120900", outcome="withdrawn", **(CLOSED | {"cause": ""}))

    def kept(*before: str) -> list[str]:
        out = call(*before, "plan", at=busy.path, columns=columns).out
        return out.partition("Left unchanged")[2].partition("\n\n")[0].splitlines()[1:]

    rows = json.loads(call("plan", "--format", "json", at=busy.path).out)["kept"]
    said = " ".join(" ".join(kept()).split())
    assert rows
    assert all(" ".join(row["reason"].split()) in said for row in rows), said
    assert sum(line.startswith("  = ") for line in kept()) == len({row["reason"] for row in rows})
    assert columns is None or all(len(line) <= columns for line in kept() if " " in line.removeprefix("  = "))
    assert len(kept("-v")) >= len(kept())


COMPLETED = {
    "declare x --severity ": "SEV0 SEV1 SEV2 SEV3",
    "update --severity sev1": "SEV1",
    "list --level SEV3": "SEV3",
    "assign ": "commander technical_lead communications_lead scribe @alice",
    "assign com": "commander communications_lead",
    "assign commander @a": "@alice",
    "assign commander @alice 120": "",
    "assign commander @alice INC-2": "INC-20250126-120500",
    "action done ": "AI-1 INC-20250126-120500/AI-1",
    "validate --explain roles": "roles-filled",
    "declare x -s w": "web",
    "list --owner ": "@alice",
}


@pytest.mark.parametrize("typed", COMPLETED)
def test_a_shell_completes(typed: str, folder: Folder) -> None:
    """Levels, roles before people and incidents, items, rules, services."""
    folder.write("policy.yaml", 'extends: sev0-3\ncontacts:\n  "@alice": {channels: [email]}\n')
    folder.put("INC-20250126-120500", action_items="[{id: AI-1, title: t}, {id: AI-2, title: u, status: done}]")
    *words, incomplete = typed.split(" ")
    shell = ShellComplete(cli, {}, "incident-ops", "_INCIDENT_OPS_COMPLETE")
    found = shell.get_completions(["--repo", str(folder.path), *words], incomplete)
    assert [one.value for one in found] == COMPLETED[typed].split()
