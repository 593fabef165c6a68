"""The merge driver under the real git: two people at one record, and what each of them finds afterwards."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from incident_ops.cli.main import cli
from incident_ops.cli.merge import merge
from tests.cli.scene import Folder, call
from tests.support.origin import Origin
from tests.support.repository import POLICY, SERVICES, Repo, record_text

PATH = "incidents/INC-1/incident.yaml"
ATTRIBUTES = "incidents/*/incident.yaml merge=incident-ops\n"
EVENT = '- at: 2025-01-26T12:{}:00Z\n  kind: note\n  event: "{}"  # {}\n'


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with one merged record, the attributes of `init`, and the driver of this checkout."""
    made = Repo(tmp_path / "repo")
    made.git("config", "merge.incident-ops.name", "incident records")
    made.git("config", "merge.incident-ops.driver", f"{sys.executable} -m incident_ops merge %O %A %B %L %P")
    made.write(".gitattributes", ATTRIBUTES)
    made.write(PATH, record_text() + "timeline:\n" + EVENT.format("06", "paged", "base"))
    made.commit()
    return made


def branch(repo: Repo, name: str, *pairs: tuple[str, str], more: str = "", encoding: str = "utf-8") -> None:
    """A branch of main with the record changed: words replaced, lines added at its end."""
    repo.git("checkout", "--quiet", "-b", name, "main")
    text = (repo.root / PATH).read_text(encoding="utf-8") + more
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    repo.write(PATH, text.encode(encoding))
    repo.commit(name)


def merge_theirs(repo: Repo) -> tuple[int, str, str]:
    """Merges branch `theirs` into `ours` -> git's exit code, what was said, and the record as it is then."""
    repo.git("checkout", "--quiet", "ours")
    done = subprocess.run(
        ["git", "-C", str(repo.root), "merge", "--no-edit", "theirs"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull},
    )
    return done.returncode, done.stdout + done.stderr, (repo.root / PATH).read_bytes().decode("utf-8", "replace")


def test_two_branches_that_append_to_one_timeline_merge_and_validate(repo: Repo) -> None:
    branch(repo, "ours", more=EVENT.format("20", "rolled back", "ours"))
    branch(repo, "theirs", more=EVENT.format("10", "cause found", "theirs"))
    code, said, text = merge_theirs(repo)
    assert code == 0, said
    events = (("06", "paged", "base"), ("10", "cause found", "theirs"), ("20", "rolled back", "ours"))
    assert text == record_text() + "timeline:\n" + "".join(EVENT.format(*one) for one in events)
    assert repo.git("status", "--porcelain") == ""
    assert repo.report().errors == 0


def test_late_entries_of_two_people_before_the_same_entry_merge(repo: Repo) -> None:
    """Both write up afterwards what happened before something that both had: by time, and valid."""
    paged = EVENT.format("06", "paged", "base")
    branch(repo, "ours", (paged, EVENT.format("04", "alarm", "ours") + paged))
    branch(
        repo, "theirs", (paged, EVENT.format("03", "deploy", "theirs") + paged), more=EVENT.format("20", "late", "x")
    )
    code, said, text = merge_theirs(repo)
    assert code == 0, said
    events = (("03", "deploy", "theirs"), ("04", "alarm", "ours"), ("06", "paged", "base"), ("20", "late", "x"))
    assert text == record_text() + "timeline:\n" + "".join(EVENT.format(*one) for one in events)
    assert repo.report().errors == 0


def test_without_the_driver_the_same_branches_conflict(repo: Repo) -> None:
    """The test above would tell nothing if git could merge this by itself."""
    repo.git("config", "--remove-section", "merge.incident-ops")
    branch(repo, "ours", more=EVENT.format("20", "rolled back", "ours"))
    branch(repo, "theirs", more=EVENT.format("10", "cause found", "theirs"))
    assert merge_theirs(repo)[0] == 1


def test_clashing_scalars_are_marked_and_nothing_else_is(repo: Repo) -> None:
    branch(repo, "ours", ("severity: SEV2", "severity: SEV1"), more=EVENT.format("20", "a", "ours"))
    branch(repo, "theirs", ("severity: SEV2", "severity: SEV3"), more=EVENT.format("10", "b", "theirs"))
    code, said, text = merge_theirs(repo)
    assert code == 1
    assert f"{PATH}: severity: both sides changed it" in said
    marks = "<<<<<<< ours\nseverity: SEV1\n=======\nseverity: SEV3\n>>>>>>> theirs\n"
    timeline = EVENT.format("06", "paged", "base") + EVENT.format("10", "b", "theirs") + EVENT.format("20", "a", "ours")
    assert text == record_text().replace("severity: SEV2\n", marks) + "timeline:\n" + timeline
    assert repo.git("diff", "--name-only", "--diff-filter=U") == PATH


def test_moves_that_make_no_legal_path_together_conflict(repo: Repo) -> None:
    """One side triaged, the other closed as a false alarm: both are legal alone, together they are no history."""
    move = "changes:\n- at: 2025-01-26T12:{}:00Z\n  field: state\n  from: new\n  to: {}\n"
    branch(repo, "ours", ("state: new", "state: triaged"), more=move.format("10", "triaged"))
    branch(repo, "theirs", ("state: new", "state: closed"), more="outcome: false_alarm\n" + move.format("20", "closed"))
    code, said, text = merge_theirs(repo)
    assert code == 1
    assert "state: both sides changed it" in said
    assert "changes: the entries that both sides added do not form one valid history" in said
    assert text.count("<<<<<<< ours") == 2
    for line in ("state: triaged", "state: closed", "  to: triaged", "  to: closed", "outcome: false_alarm"):
        assert f"{line}\n" in text


def test_moves_that_the_lifecycle_refuses_together_conflict(repo: Repo) -> None:
    """The state is the same on both sides, the chain holds, but the move is not one that there is."""
    base = record_text(state="in_progress", changes=[
        {"at": f"2025-01-26T12:0{n}:00Z", "field": "state", "from": one, "to": two}
        for n, (one, two) in enumerate([("new", "triaged"), ("triaged", "assigned"), ("assigned", "in_progress")])
    ])  # fmt: skip
    move = "- at: 2025-01-26T12:{}:00Z\n  field: state\n  from: {}\n  to: {}\n"
    away = move.format("10", "in_progress", "pending") + move.format("30", "pending", "in_progress")
    repo.git("checkout", "--quiet", "main")
    repo.write(PATH, base)
    repo.commit()
    branch(repo, "ours", more=away)
    branch(repo, "theirs", ("state: in_progress", "state: resolved"), more=move.format("20", "in_progress", "resolved"))
    code, said, text = merge_theirs(repo)
    assert code == 1
    assert "changes: the entries that both sides added do not form one valid history" in said
    assert "state: resolved\n" in text


def test_a_version_that_does_not_parse_is_merged_by_lines(repo: Repo) -> None:
    branch(repo, "ours", ("title: Login fails", "title: [Login"))
    branch(repo, "theirs", more=EVENT.format("10", "b", "theirs"))
    code, said, text = merge_theirs(repo)
    assert code == 0, said
    assert "merged line by line" in said
    assert text.startswith("id: INC-1\ntitle: [Login\n")
    assert text.endswith(EVENT.format("10", "b", "theirs"))


def test_what_lines_cannot_merge_keeps_gits_markers(repo: Repo) -> None:
    branch(repo, "ours", ("title: Login fails", "title: [Login"))
    branch(repo, "theirs", ("title: Login fails", "title: No login"))
    code, _said, text = merge_theirs(repo)
    assert code == 1
    assert "<<<<<<< ours\ntitle: [Login\n=======\ntitle: No login\n>>>>>>> theirs\n" in text


def test_bytes_that_are_no_utf8_are_kept(repo: Repo) -> None:
    branch(repo, "ours", ("Login fails", "Café"), encoding="latin-1")
    branch(repo, "theirs", more=EVENT.format("10", "b", "theirs"))
    code, said, _text = merge_theirs(repo)
    assert code == 0, said
    assert "Café".encode("latin-1") in (repo.root / PATH).read_bytes()
    assert b"theirs" in (repo.root / PATH).read_bytes()


def test_files_that_are_no_text_are_left_as_they_were_and_told(repo: Repo) -> None:
    branch(repo, "ours", ("Login fails", "Login\0fails"))
    branch(repo, "theirs", more=EVENT.format("10", "b", "theirs"))
    code, said, _text = merge_theirs(repo)
    assert code == 1
    assert "git cannot merge these files by lines" in said
    assert "Traceback" not in said
    assert b"Login\0fails" in (repo.root / PATH).read_bytes()


def test_the_same_record_declared_on_both_branches_is_merged_by_lines(repo: Repo) -> None:
    """Without a common version there is nothing to compare with."""
    other = "incidents/INC-2/incident.yaml"
    for name in ("ours", "theirs"):
        repo.git("checkout", "--quiet", "-b", name, "main")
        repo.write(other, record_text(id="INC-2", title=name))
        repo.commit()
    assert merge_theirs(repo)[0] == 1
    assert "<<<<<<< ours\ntitle: ours\n=======\ntitle: theirs\n>>>>>>> theirs\n" in (repo.root / other).read_text()


def test_a_fault_of_the_program_never_hides_theirs(repo: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where merging records crashes, lines are merged, and the fault is told."""
    from click.testing import CliRunner

    def crash(*_args: object, **_options: object) -> None:
        raise KeyError("odd")

    monkeypatch.setattr("incident_ops.app.merge.merge_records", crash)
    files = [tmp_path / name for name in ("base", "ours", "theirs")]
    for file, text in zip(files, ("a: 1\n", "a: 2\n", "a: 3\n"), strict=True):
        file.write_text(text)
    done = CliRunner().invoke(merge, [*map(str, files), "9", PATH])
    assert done.exit_code == 1
    assert "incident-ops crashed (KeyError: 'odd')" in done.output
    assert files[1].read_text() == f"{'<' * 9} ours\na: 2\n{'=' * 9}\na: 3\n{'>' * 9} theirs\n"


def test_the_command_is_there() -> None:
    command = cli.get_command(click.Context(cli), "merge")
    assert command is not None
    assert command.name == "merge"


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_two_people_who_acknowledge_within_seconds_merge_and_the_earlier_did(repo: Repo, first: str) -> None:
    """By the command, on two branches, under the real git; the record is valid, and nobody has to settle anything."""
    clocks = {first: "2025-01-26T12:08:00Z", {"ours": "theirs", "theirs": "ours"}[first]: "2025-01-26T12:08:05Z"}
    for name, clock in clocks.items():
        repo.git("checkout", "--quiet", "-b", name, "main")
        done = call("ack", "INC-1", "--by", f"@{name}", at=repo.root, clock=clock)
        assert done.code == 0, done
        repo.commit(name)
    code, said, text = merge_theirs(repo)
    assert code == 0, said
    assert "acknowledged: 2025-01-26T12:08:00Z\n" in text
    assert text.count("to: in_progress") == 1
    assert re.findall(r"to: in_progress\n  by: \"@(\w+)\"", text) == [first]
    assert text.count("event: Acknowledged") == 2
    assert repo.report().errors == 0


def test_an_assignment_and_an_acknowledgement_merge(repo: Repo) -> None:
    """One went a step further than the other; the state is the one that was reached."""
    for name, clock, words in (
        ("ours", "2025-01-26T12:08:00Z", ("assign", "@dana", "INC-1")),
        ("theirs", "2025-01-26T12:08:05Z", ("ack", "INC-1", "--by", "@erin")),
    ):
        repo.git("checkout", "--quiet", "-b", name, "main")
        assert call(*words, at=repo.root, clock=clock).code == 0
        repo.commit(name)
    code, said, text = merge_theirs(repo)
    assert code == 0, said
    assert "state: in_progress\n" in text
    assert repo.report().errors == 0


REMINDER = "note: this clone has no merge driver for records; once: incident-ops init"


def test_a_command_that_writes_in_a_clone_without_the_driver_says_what_installs_it(origin: Origin) -> None:
    """Once a command, on the error stream, until that was done; a person's own setting counts as well."""
    repo = origin.clone()
    repo.git("rm", "--quiet", "-r", "incidents")
    repo.write("policy.yaml", POLICY)
    repo.write("services.yaml", SERVICES)
    words = ("declare", "Login fails", "-s", "api", "--severity", "SEV2")
    for done in (
        call(*words, at=repo.root),
        call("ack", "--format", "json", at=repo.root),
        call("timeline", "paged", at=repo.root),
    ):
        assert done.code == 0, done
        assert done.err.splitlines().count(REMINDER) == 1, done
        assert REMINDER not in done.out
    assert REMINDER not in call("ack", at=repo.root).err, "nothing was written"
    assert REMINDER not in call("show", at=repo.root).err
    assert call("init", at=repo.root).code == 0
    assert REMINDER not in call("timeline", "rolled back", at=repo.root).err


def test_without_a_remote_nobody_merges_and_nothing_is_said(folder: Folder) -> None:
    folder.put()
    assert "driver" not in call("ack", at=folder.path).err


def test_a_driver_that_a_person_has_for_all_clones_is_enough(
    origin: Origin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text('[merge "incident-ops"]\n\tdriver = incident-ops merge %O %A %B %L %P\n')
    monkeypatch.setenv("HOME", str(home))
    repo = origin.clone()
    repo.git("rm", "--quiet", "-r", "incidents")
    repo.put("INC-2")
    repo.write("policy.yaml", POLICY)
    repo.write("services.yaml", SERVICES)
    assert REMINDER not in call("ack", at=repo.root).err
