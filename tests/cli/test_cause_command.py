"""`cause`: why it happened and what ended it, by command alone, before and after it is resolved."""

from __future__ import annotations

import json

import pytest

from tests.cli.scene import Done, Folder, call, contents, ok, record
from tests.support.typing import at_terminal

pytestmark = pytest.mark.usefixtures("somebody")

DAY = "2025-01-26"


def put(folder: Folder, **lines: str) -> None:
    folder.put(text=record(**lines))
    folder.commit()


def say(folder: Folder, *args: str, clock: str = "12:30:00") -> Done:
    """The command with these words, which must succeed and leave the record without an error."""
    done = ok(folder, "cause", *args, clock=f"{DAY}T{clock}Z")
    ok(folder, "validate", clock=f"{DAY}T{clock}Z")
    return done


ALL = (
    "--category", "deploy", "--what", "Tokens were rejected", "--why", "The comparison was reversed", "--where",
    "validateToken()", "--trigger", "Release 2.3.1", "--contributing", "No canary", "--contributing", "No test",
    "--why-chain", "Why did logins fail?=Every token looked expired", "--why-chain", "Why so?=A reversed comparison",
    "--ref", "abc123", "--immediate", "Rolled back", "--permanent", "Comparison fixed", "--deployed", "12:20",
    "--fix-ref", "def456",
)  # fmt: skip


@pytest.mark.parametrize("is_resolved", [False, True])
def test_cause_and_resolution_are_written_before_and_after_it_is_resolved(folder: Folder, is_resolved: bool) -> None:
    put(folder)
    if is_resolved:
        call("resolve", "--restored", "12:20", "--cause", "unknown", at=folder.path, clock=f"{DAY}T12:25:00Z")
        folder.commit()
    done = say(folder, *ALL)
    found = folder.data()
    assert found["cause"] == {
        "category": "deploy",
        "what": "Tokens were rejected",
        "why": "The comparison was reversed",
        "where": "validateToken()",
        "trigger": "Release 2.3.1",
        "contributing": ["No canary", "No test"],
        "five_whys": [
            {"why": "Why did logins fail?", "because": "Every token looked expired"},
            {"why": "Why so?", "because": "A reversed comparison"},
        ],
        "ref": "abc123",
    }
    assert found["resolution"] == {
        "immediate": "Rolled back", "permanent": "Comparison fixed", "deployed": f"{DAY}T12:20:00Z", "ref": "def456"
    }  # fmt: skip
    assert "INC-1: cause, category: deploy\n" in done.out
    assert "INC-1: resolution, immediate: Rolled back\n" in done.out
    assert "undo: incident-ops undo INC-1\n" in done.out
    call("render", "INC-1", at=folder.path, clock=f"{DAY}T14:00:00Z")
    document = (folder.path / "incidents/INC-1/postmortem.md").read_text(encoding="utf-8")
    assert "- **Immediate:** Rolled back\n" in document
    assert "1. **Why did logins fail?** Every token looked expired\n" in document


def test_what_is_left_out_stays_and_the_same_again_changes_nothing(folder: Folder) -> None:
    put(folder)
    say(folder, *ALL)
    before = contents(folder.path)
    assert "nothing changed" in say(folder, *ALL).out
    assert contents(folder.path) == before
    say(folder, "--contributing", "-no t", "--contributing", "+At peak", "--why-chain", "Why so?=Never reviewed")
    found = folder.data()["cause"]
    assert found["contributing"] == ["No canary", "At peak"]
    assert found["five_whys"][1] == {"why": "Why so?", "because": "Never reviewed"}
    say(folder, "--why-chain", "-Why so?")
    assert len(folder.data()["cause"]["five_whys"]) == 1
    assert found["what"] == "Tokens were rejected"


def test_without_a_category_it_is_unknown_and_that_is_said(folder: Folder) -> None:
    put(folder)
    done = say(folder, "--what", "Tokens were rejected")
    assert folder.data()["cause"] == {"category": "unknown", "what": "Tokens were rejected"}
    assert "warning: the category of the cause is unknown: --category deploy|database|" in done.err
    assert "warning" not in say(folder, "--where", "auth", "--category", "unknown").err


def test_a_resolution_alone_needs_no_cause(folder: Folder) -> None:
    put(folder)
    say(folder, "--immediate", "Restarted", "--deployed", "2.3.2")
    assert "cause" not in folder.data()
    assert folder.data()["resolution"] == {"immediate": "Restarted", "deployed": "2.3.2"}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), ("nothing to write", "--what")),
        (("--category", "weather"), ("weather", "deploy")),
        (("--why-chain", "no question"), ("--why-chain", "WHY=BECAUSE")),
        (("--why-chain", "=because"), ("--why-chain", "WHY=BECAUSE")),
        (("--contributing", "-nothing"), ("'nothing'",)),
        (("--what", " "), ("--what is empty",)),
        (("--what", "..."), ("'...' stands for a text",)),
        (("--deployed", f"{DAY}T18:00:00Z"), ("--deployed", "has not come yet")),
        (("--deployed", "12:99"), ("--deployed '12:99' is not a time",)),
        (("--deployed", "2025-13-01"), ("--deployed '2025-13-01' is not a time",)),
        (("--deployed", "2025-01-26T12:99:00Z"), ("is not a time",)),
        (("--deployed", "tuesdy 14:00"), ("is not a time",)),
    ],
)
def test_what_cannot_be_meant_changes_nothing(folder: Folder, args: tuple[str, ...], words: tuple[str, ...]) -> None:
    put(folder)
    before = contents(folder.path)
    call("cause", *args, at=folder.path).told_once(2, *words)
    assert contents(folder.path) == before


def test_scripts_read_what_was_done(folder: Folder) -> None:
    put(folder)
    printed = json.loads(say(folder, "--category", "deploy", "--format", "json").out)
    assert (printed["changed"], printed["told"]) == (True, ["cause, category: deploy"])


def test_at_a_terminal_it_asks_for_what_is_not_written_yet(folder: Folder) -> None:
    put(folder, cause="{category: deploy, what: Tokens were rejected}")
    shown = at_terminal(
        folder.path, "cause", clock=f"{DAY}T12:30:00Z", answers="A reversed comparison\nRolled back\n\n"
    )
    assert "Why did it break?" in shown
    assert "What broke?" not in shown
    assert folder.data()["cause"]["why"] == "A reversed comparison"
    assert folder.data()["resolution"] == {"immediate": "Rolled back"}


def test_at_a_terminal_no_answer_changes_nothing(folder: Folder) -> None:
    put(folder, cause="{category: deploy, what: x, why: y}")
    before = contents(folder.path)
    shown = at_terminal(folder.path, "cause", clock=f"{DAY}T12:30:00Z", answers="\n\n")
    assert "INC-1: nothing changed" in shown
    assert contents(folder.path) == before


@pytest.mark.parametrize("release", ["2.3.2", "2025-01-26.3", "hotfix", "v2025.1"])
def test_a_release_is_named_as_people_name_it(folder: Folder, release: str) -> None:
    put(folder)
    say(folder, "--deployed", release)
    assert folder.data()["resolution"] == {"deployed": release}


QUERY = "SELECT name FROM columns\nWHERE t = 'x' -- ``` and no database\n"


def snippet(folder: Folder, text: str, *more: str) -> Done:
    file = folder.path / "query.sql"
    file.write_text(text, encoding="utf-8")
    return say(folder, "--snippet", str(file), *more)


def test_code_comes_from_a_file_and_the_postmortem_shows_it_in_a_fence(folder: Folder) -> None:
    put(folder, cause="{category: deploy}")
    done = snippet(folder, QUERY, "--language", "sql", "--caption", "The query")
    assert "INC-1: code: The query\n" in done.out
    assert folder.data()["cause"]["snippets"] == [
        {"language": "sql", "caption": "The query", "text": QUERY.rstrip("\n")}
    ]
    call("render", "INC-1", at=folder.path)
    document = (folder.path / "incidents/INC-1/postmortem.md").read_text(encoding="utf-8")
    assert f"The query:\n\n````sql\n{QUERY}````\n" in document


def test_code_with_the_same_caption_is_replaced_and_the_same_again_changes_nothing(folder: Folder) -> None:
    put(folder, cause="{category: deploy}")
    snippet(folder, QUERY, "--caption", "The query")
    assert "code: The query already; nothing changed" in snippet(folder, QUERY, "--caption", "The query").out
    snippet(folder, "SELECT 1", "--caption", "The query")
    snippet(folder, "SELECT 2")
    snippet(folder, "SELECT 2", "--language", "sql")
    assert folder.data()["cause"]["snippets"] == [
        {"caption": "The query", "text": "SELECT 1"},
        {"language": "sql", "text": "SELECT 2"},
    ]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--language", "sql"), ("--language and --caption", "--snippet FILE")),
        (("--snippet", "missing.sql"), ("missing.sql", "does not exist")),
        (("--snippet", "blank.sql"), ("blank.sql is empty",)),
        (("--snippet", "bytes.sql"), ("bytes.sql", "cannot be read")),
        (("--snippet", "policy.yaml", "--language", "no language"), ("language",)),
    ],
)
def test_code_that_cannot_be_shown_changes_nothing(
    folder: Folder, args: tuple[str, ...], words: tuple[str, ...]
) -> None:
    put(folder, cause="{category: deploy}")
    (folder.path / "blank.sql").write_text("\n \n", encoding="utf-8")
    (folder.path / "bytes.sql").write_bytes(b"\xff\xfe\x00")
    before = contents(folder.path)
    call("cause", *args, at=folder.path).told_once(2, *words)
    assert contents(folder.path) == before
