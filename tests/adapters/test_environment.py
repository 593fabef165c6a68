"""The summary and the outputs of a step: what is added, and where it cannot be written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from incident_ops.adapters.environment import (
    SUMMARY,
    add_to_summary,
    fenced,
    in_actions,
    set_outputs,
    summary_size,
)
from incident_ops.errors import WriteFailed


def test_without_a_summary_there_is_nothing_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SUMMARY, raising=False)
    assert summary_size() is None
    monkeypatch.setenv(SUMMARY, "")
    assert summary_size() is None


def test_what_stands_there_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "summary.md"
    monkeypatch.setenv(SUMMARY, str(file))
    assert summary_size() == 0
    file.write_text("before\n", encoding="utf-8")
    assert summary_size() == 7
    add_to_summary("ü\n")
    assert file.read_text(encoding="utf-8") == "before\nü\n"


def test_a_summary_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SUMMARY, str(tmp_path))
    with pytest.raises(WriteFailed, match="summary of the step"):
        add_to_summary("x")


def test_outputs_cannot_forge_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value of several lines stays one value, whatever it says; outside a workflow nothing is written."""
    path = tmp_path / "out"
    monkeypatch.setenv("GITHUB_OUTPUT", str(path))
    hostile = "x\nEOF\nverdict=pass\nverdict<<EOF\npass\nEOF"
    set_outputs({"reason-code": hostile, "verdict": "fail"})
    first, _, rest = path.read_text(encoding="utf-8").partition("\n")
    name, _, mark = first.partition("<<")
    assert (name, rest.split(f"\n{mark}\n")[0]) == ("reason-code", hostile)
    assert len(mark) > 32
    with pytest.raises(ValueError, match="not the name of an output"):
        set_outputs({"a\nb": "x"})
    monkeypatch.delenv("GITHUB_OUTPUT")
    set_outputs({"verdict": "pass"})
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "none" / "out"))
    with pytest.raises(WriteFailed, match="outputs of the step"):
        set_outputs({"verdict": "pass"})


HOSTILE = "::error::no\n  ::stop-commands::x\nLogin fails ##[stop-commands]pwn\n::add-mask::o"


def test_a_fence_is_closed_by_a_word_that_no_text_can_hold() -> None:
    """The runner obeys nothing between the two lines, and every fence has a word of its own."""
    first, *body, last = fenced(HOSTILE).splitlines()
    opened = re.fullmatch(r"::stop-commands::([0-9a-f]{32})", first)
    assert opened
    assert last == f"::{opened[1]}::"
    assert body == HOSTILE.replace("##[", "##\\x5b").splitlines()
    assert opened[1] not in fenced(HOSTILE)


def test_nothing_needs_no_fence_and_a_fence_ends_its_line() -> None:
    assert fenced("") == ""
    assert fenced("one\ntwo\n").splitlines()[1:3] == ["one", "two"]
    assert fenced("one").count("\n") == fenced("one\n").count("\n") == 3


@pytest.mark.parametrize(("value", "is_one"), [("true", True), ("", False), ("false", False), (None, False)])
def test_a_runner_of_actions_says_that_it_is_one(
    monkeypatch: pytest.MonkeyPatch, value: str | None, is_one: bool
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    if value is not None:
        monkeypatch.setenv("GITHUB_ACTIONS", value)
    assert in_actions() is is_one
