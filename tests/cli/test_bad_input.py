"""Bad input (issue RECORDS): each ends with the right code and one clear line, and nothing is half-written."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.cli.scene import Folder, contents, record, run
from tests.cli.scene import call_merged as call
from tests.support.patience import patience

BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"
FILES = {
    "malformed": (b"id: INC-1\ntitle: a: b\nstate: new\n", "2:9", "is not allowed here"),
    "binary": (bytes(range(256)), "2:118", "not UTF-8"),
    "control": (b"id: INC-1\ntitle: a\x00b\n", "2:9", "control character"),
    "empty": (b"", "", "the file is empty"),
    "huge": (b"id: INC-1\n" + b"# " + b"x" * 1_000_000, "", "at most 262,144"),
    "alias bomb": (BOMB.encode(), "1:4", "anchor &a"),
    "brackets": (b"[" * 5_000, "1:21", "deeper than 20"),
    "newline in the id": (record().replace("INC-1", '"INC-1\\nINC-2"').encode(), "1:5", "INC-1\\nINC-2"),
    "path as the id": (record().replace("INC-1", "../../x").encode(), "1:5", "../../x"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_bad_record_is_one_finding_at_its_place(folder: Folder, name: str) -> None:
    """validate ends with 1 and names file, line, column, what is wrong and how to mend it; no hang, no traceback."""
    content, place, words = FILES[name]
    folder.put(text=content)
    with patience():
        done = call("validate", at=folder.path)
    assert (done.code, done.err) == (1, "")
    head, mend, summary = done.out.splitlines()
    assert head.startswith(f"incidents/INC-1/incident.yaml{':' + place if place else ''}: error: ")
    assert words in head
    assert mend.startswith("    fix: ")
    assert summary == "3 files checked: 1 error"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("args", [("plan",), ("apply",), ("sla", "check"), ("gate", "check", "-s", "api"), ("render",)])
def test_a_bad_record_is_never_taken_for_nothing(folder: Folder, name: str, args: tuple[str, ...]) -> None:
    """Every other command lists the record it could not read and ends with 3."""
    folder.put(text=FILES[name][0])
    done = call(*args, at=folder.path)
    assert done.code == 3, done
    assert "incidents/INC-1/incident.yaml: " in done.out + done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("title: 12:30", None),
        ("title: no", None),
        ("title: 0123", "0123 is read as 123 by some"),
        ("title: 1e3", "1000.0"),
        ("times: {declared: 12:30}", "'12:30'"),
        ("severity: no", "'no'"),
        ("times: {declared: 2025-01-26T12:05:00}", "zone"),
        ("times: {declared: 2025-02-30T12:05:00Z}", "calendar"),
    ],
)
def test_values_that_readers_disagree_about_are_text_or_refused(folder: Folder, line: str, found: str | None) -> None:
    """`12:30` and `no` are text, `0123` is refused, `1e3` is a number: never a silent guess."""
    key, _, value = line.partition(": ")
    folder.put(**{key: value})
    done = call("validate", at=folder.path)
    assert done.code == (1 if found else 0), done
    assert (found or "all fine") in done.out, done


POLICIES = {
    "unknown preset": ("extends: sev0\n", "policy.yaml:1:10", "there is no preset 'sev0'", "did you mean"),
    "itself": ("extends: policy.yaml\n", "policy.yaml:1:10", "extends itself", "write one of sev0-3"),
    "another file": ("extends: ../p.yaml\n", "policy.yaml:1:10", "not the file", "write one of sev0-3"),
    "no preset": ("mode: active\n", "policy.yaml:1:1", "does not say which preset", "extends: sev0-3"),
    "malformed": ("extends: 'x\n", "policy.yaml:1:10", "never closed", "close it"),
    "unknown key": ("extends: sev0-3\nlevls: []\n", "policy.yaml:2:1", "levls", "levels"),
}


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize(
    "args",
    [
        ("plan",),
        ("apply",),
        ("sla", "check"),
        ("gate", "check", "-s", "api"),
        ("render",),
        ("triage",),
        ("policy", "show"),
    ],
)
def test_an_unusable_policy_stops_what_needs_it(make: Callable[..., Folder], name: str, args: tuple[str, ...]) -> None:
    """Exit 2 and one line: where, what, how to mend. git has no earlier one that could be used in its place."""
    text, *words = POLICIES[name]
    fresh = make("fresh", policy=text)
    fresh.put()
    fresh.commit()
    call(*args, at=fresh.path).told_once(2, *words)
    assert not fresh.tracker.exists()


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("paths", [(), ("policy.yaml",), ("incidents/INC-1",)])
def test_validate_tells_an_unusable_policy_as_a_finding(folder: Folder, name: str, paths: tuple[str, ...]) -> None:
    """Also when only a record was asked about: without its policy it was not judged, and must not look fine."""
    text, where, what, mend = POLICIES[name]
    folder.write("policy.yaml", text)
    folder.put()
    done = call("validate", *paths, at=folder.path)
    assert done.code == 1, done
    assert where in done.out
    assert what in done.out
    assert mend in done.out


@pytest.mark.parametrize("args", [("validate",), ("plan",), ("triage",), ("policy", "lint"), ("policy", "show")])
def test_a_missing_policy_is_told_with_the_line_that_mends_it(folder: Folder, args: tuple[str, ...]) -> None:
    """Exit 2 in a repository without policy.yaml."""
    (folder.path / "policy.yaml").unlink()
    call(*args, at=folder.path).told_once(
        2, str(folder.path), "there is no policy.yaml", "--repo DIR", "incident-ops init"
    )


def test_missing_services_are_told(folder: Folder) -> None:
    """services.yaml is asked for by name."""
    (folder.path / "services.yaml").unlink()
    folder.put()
    call("plan", at=folder.path).told_once(2, "services.yaml", "write one")
    assert call("validate", at=folder.path).code == 1


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("validate", "../../x"), ("../../x", "outside the records' folder", "--repo")),
        (("validate", "/etc/passwd"), ("/etc/passwd", "outside")),
        (("validate", "nope.yaml"), ("nope.yaml", "no such file", "check the path")),
        (("validate", "x\n\x1b[2Jy"), (r"x\n\x1b[2Jy", "no such file")),
        (("--rev", "nope", "validate"), ("'nope'", "does not exist", "git log")),
        (("--rev", "--all", "validate"), ("'--all'", "does not exist")),
        (("--at", "25:30", "validate"), ("'25:30'", "not an instant", "2025-01-26T13:00:00Z")),
        (("--at", "2025-01-26T13", "validate"), ("not an instant",)),
        (("--at", "0001-01-01T00:00:00Z", "validate"), ("0001", "1970")),
        (("--at", "9999-12-31T23:59:59Z", "validate"), ("9999", "1970")),
        (("--repo", "nope", "validate"), ("nope", "no such folder", "policy.yaml")),
        (("--repo", "n" * 5_000, "validate"), ("too long",)),
        (("render", "../../x"), ("../../x",)),
        (("render", "INC-1\nINC-2"), (r"INC-1\nINC-2",)),
        (("render", "INC-11"), ("INC-11", "did you mean INC-1?")),
        (("gate", "check", "-s", "ap"), ("'ap'", "did you mean api?")),
        (("gate", "check", "-s", "\x1b[31m"), (r"\x1b[31m",)),
        (("validate", "--explain", "instant-zon"), ("'instant-zon'", "did you mean instant-zone?")),
        (("apply", "--checksum", "0" * 64), ("not the one that was reviewed", "plan")),
        (("gate", "check"), ("--service",)),
        (("validate", "--format", "yaml"), ("'yaml'", "json")),
        (("valdate",), ("'valdate'", "did you mean validate?")),
        (("sla", "chek"), ("'chek'", "check")),
        (("validate", "--fromat", "json"), ("--fromat", "--format")),
        (("triage", "--users", "120"), ("120",)),
        (("policy", "show", "--preset", "sev0"), ("'sev0'", "sev0-3")),
        (("policy", "import", "nope.json"), ("nope.json", "does not exist")),
    ],
)
def test_a_slip_on_the_command_line_is_one_line_and_exit_2(
    folder: Folder, args: tuple[str, ...], words: tuple[str, ...]
) -> None:
    """What is wrong, as it was typed, and how to mend it; nothing a person typed steers the terminal."""
    folder.put()
    folder.commit()
    before = contents(folder.path)
    done = call(*args, at=folder.path, clock=None)
    code = 4 if "n" * 5_000 in args else 6 if "--checksum" in args else 2
    done.told_once(code, *words)
    assert done.out == ""
    assert "\x1b" not in done.err
    assert contents(folder.path) == before


def test_a_folder_without_git_works_but_has_no_revisions(make: Callable[..., Folder]) -> None:
    """validate, plan and apply run; --rev is refused in one line."""
    plain = make("plain", git=False)
    plain.put()
    assert call("validate", at=plain.path).code == 0
    assert call("apply", at=plain.path).code == 0
    assert plain.open_keys() == ["INC-1"]
    call("--rev", "HEAD", "validate", at=plain.path).told_once(2, "no git repository", "--rev")


def test_a_repository_without_a_commit_works(make: Callable[..., Folder]) -> None:
    """`git init`, write, validate: nobody has to commit first."""
    fresh = make("fresh")
    fresh.put()
    assert call("validate", at=fresh.path) == (0, "3 files checked: all fine\n", "")
    call("--rev", "HEAD", "validate", at=fresh.path).told_once(2, "'HEAD'", "does not exist")


def test_a_quote_left_open_is_told_where_it_opened(folder: Folder) -> None:
    """Both places: where the quote began, and where reading stopped."""
    folder.put(text="id: INC-1\ntitle: 'never closed\nstate: new\n")
    done = call("validate", at=folder.path)
    assert done.code == 1
    assert "incident.yaml:2:8: error: this quote is never closed" in done.out
    assert "3 files checked: 2 errors" in done.out


def test_file_names_cannot_steer_the_terminal(folder: Folder) -> None:
    """A line break, an escape or a byte that is no text in a file's name shows as an escape, in every command."""
    folder.put("INC-7\nerror: x\x1b[2J")
    for args in (("validate",), ("plan",), ("apply",), ("sla", "check"), ("gate", "check", "-s", "api"), ("render",)):
        done = call(*args, at=folder.path)
        assert done.code in (1, 3, 0), done
        assert "\x1b" not in done.out + done.err
        assert "\nerror: x" not in done.out + done.err


def test_a_title_cannot_steer_the_terminal(folder: Folder) -> None:
    """Escapes in a record's text are found by validate and printed inert by plan and gate."""
    folder.put(title='"a\\e[2Jb"')
    for args in (("validate",), ("plan",), ("gate", "check", "-s", "api")):
        assert "\x1b" not in call(*args, at=folder.path).out, args


def test_output_that_the_encoding_does_not_know_is_still_printed(folder: Folder) -> None:
    """A locale without the letter neither crashes nor changes the bytes of JSON."""
    folder.put(severity="Größe")
    plain, ascii_only = (
        run("validate", "--format", "json", at=folder.path, env=env) for env in ({}, {"PYTHONIOENCODING": "ascii"})
    )
    assert plain.code == 1
    assert "Größe" in plain.out
    assert ascii_only == plain


@pytest.mark.parametrize("name", ["policy.yaml", "services.yaml"])
def test_a_policy_that_is_too_large_is_refused_not_cut_off(folder: Folder, name: str) -> None:
    """What lies beyond the limit would silently not be in force."""
    file = folder.path / name
    file.write_text(file.read_text() + "# pad\n" * 200_000 + "nonsense: true\n")
    folder.put()
    done = call("validate", at=folder.path)
    assert done.code == 1
    assert "262,144" in done.out, done


def test_a_file_name_that_is_no_text_is_a_finding(folder: Folder) -> None:
    """A byte in a name that is not UTF-8 shows as an escape and crashes nothing."""
    folder.put(os.fsdecode(b"INC-\xff"), text=record())
    for args, code in ((("validate",), 1), (("plan",), 3)):
        done = run(*args, at=folder.path)
        assert done.code == code, done
    assert "\\xff" in run("validate", at=folder.path).out
