"""validate --base and its formats, as a pull request meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.scene import Folder, call, record

TIMELINE = "timeline:\n- at: 2025-01-26T12:05:00Z\n  kind: note\n  event: {}\n"
PATH = "incidents/INC-1/incident.yaml"


@pytest.fixture
def merged(folder: Folder) -> Folder:
    """INC-1 with one entry in its timeline is on main; the branch `change` is checked out."""
    folder.put(text=record() + TIMELINE.format("Alert fired"))
    folder.commit()
    folder.git("checkout", "-q", "-b", "change")
    return folder


def rewrite(folder: Folder) -> None:
    folder.put(text=record() + TIMELINE.format("Nothing"))


def test_rewritten_history_is_refused_on_its_line(merged: Folder) -> None:
    """In the work tree, at a revision, for a path; without --base it is a valid record."""
    rewrite(merged)
    for args in (("--base", "main"), (PATH, "--base", "main")):
        done = call("validate", *args, at=merged.path)
        assert done.code == 1, done
        assert f"{PATH}:10:10: error: merged entry 1 of timeline" in done.out
    merged.commit()
    assert call("--rev", "change", "validate", "--base", "main", at=merged.path).code == 1
    assert call("--rev", "main", "validate", "--base", "change", at=merged.path).code == 0
    assert call("validate", at=merged.path).code == 0


def test_a_note_does_not_fail(merged: Folder) -> None:
    merged.git("checkout", "-q", "main")
    merged.put("INC-2", severity="SEVEN")
    merged.commit()
    merged.git("checkout", "-q", "-B", "change")
    merged.put("INC-3")
    done = call("validate", "--base", "main", at=merged.path)
    assert done.code == 0, done
    assert ": note: " in done.out
    assert done.out.endswith("5 files checked: 1 note\n")
    data = json.loads(call("validate", "--base", "main", "--format", "json", at=merged.path).out)
    assert data["summary"] == {"files": 5, "errors": 0, "warnings": 0}
    assert [one["level"] for one in data["findings"]] == ["note"]


@pytest.mark.parametrize("base", ["nowhere", "", "-x", "HEAD:policy.yaml"])
def test_a_base_that_is_none_is_a_mistake_of_the_caller(merged: Folder, base: str) -> None:
    call("validate", f"--base={base}", at=merged.path).told_once(2, "does not exist here")


def test_a_base_needs_git(tmp_path: Path) -> None:
    plain = Folder(tmp_path / "plain", git=False)
    plain.put()
    call("validate", "--base", "main", at=plain.path).told_once(2, "this is not a git repository")


def test_all_records_gone_is_not_fine(merged: Folder) -> None:
    """Exit 3 where the base has some, also when the deletion is committed."""
    (merged.path / PATH).unlink()
    merged.commit()
    done = call("validate", "--base", "main", at=merged.path)
    assert done.code == 3, done
    assert "the base has some" in done.err
    assert "[record-deleted]" in done.out


def test_a_run_that_cannot_tell_writes_no_summary(
    merged: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the summary would say that all is fine."""
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    (merged.path / PATH).unlink()
    assert call("validate", "--base", "main", "--format", "github", at=merged.path).code == 3
    assert call("validate", "--base", "nowhere", "--format", "github", at=merged.path).code == 2
    assert not summary.exists()


def test_a_repository_without_records_is_fine_against_its_base(folder: Folder) -> None:
    done = call("validate", "--base", "HEAD", at=folder.path)
    assert done.code == 0, done
    assert "No incident records yet" in done.err


def test_github_gets_annotations_and_a_summary(merged: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    rewrite(merged)
    done = call("validate", "--base", "main", "--format", "github", at=merged.path)
    first, last = done.out.splitlines()
    assert done.code == 1
    assert first.startswith(f"::error file={PATH},line=10,col=10,title=append-only::merged entry 1 of timeline")
    assert last == "3 files checked: 1 error"
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("## Incident records: fix the errors before merging\n")
    assert f"`{PATH}:10`" in text
    call("validate", "--base", "main", at=merged.path)
    assert summary.read_text(encoding="utf-8") == text


def test_annotations_name_files_from_the_top_of_the_repository(tmp_path: Path) -> None:
    """A folder of records inside a repository: GitHub wants the whole path, SARIF too."""
    outer = Folder(tmp_path / "outer")
    inner = Folder(outer.path / "ops", git=False)
    inner.put(severity="SEVEN")
    outer.commit()
    done = call("validate", "--format", "github", at=inner.path)
    assert f"::error file=ops/{PATH},line=3," in done.out
    data = json.loads(call("validate", "--format", "sarif", at=inner.path).out)
    place = data["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == f"ops/{PATH}"


def test_a_summary_that_cannot_be_written_hides_nothing(merged: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(merged.path))
    rewrite(merged)
    done = call("validate", "--base", "main", "--format", "github", at=merged.path)
    assert done.code == 1
    assert "::error" in done.out
    assert done.err.startswith("warning: ")


def test_the_error_on_a_changed_line_is_among_the_annotations(merged: Folder) -> None:
    """A file with 20 faults, one of them new."""
    merged.git("checkout", "-q", "main")
    services = "".join(f"\n- gone{n}" for n in range(20))
    merged.put("INC-2", services=services)
    merged.commit()
    merged.git("checkout", "-q", "-B", "change")
    merged.put("INC-2", services=f"{services}\n- newest")
    out = call("validate", "--base", "main", "--format", "github", at=merged.path).out.splitlines()
    assert "newest" in out[0]
    assert len(out) == 12


def test_silenced_findings_are_counted_and_listed(folder: Folder) -> None:
    folder.put(services="\n- gone # incident-ops: ignore[service-known] retired in May")
    done = call("validate", at=folder.path)
    assert (done.code, done.out) == (0, "3 files checked: all fine, 1 suppressed\n")
    data = json.loads(call("validate", "--format", "json", at=folder.path).out)
    assert data["findings"] == []
    (one,) = data["silenced"]
    assert (one["rule"], one["reason"], one["line"]) == ("service-known", "retired in May", 6)
    sarif = json.loads(call("validate", "--format", "sarif", at=folder.path).out)
    assert sarif["runs"][0]["results"][0]["suppressions"][0]["justification"] == "retired in May"


def test_the_same_inputs_give_the_same_bytes(merged: Folder) -> None:
    rewrite(merged)
    for form in ("text", "json", "github", "sarif"):
        once, again = (call("validate", "--base", "main", "--format", form, at=merged.path) for _ in range(2))
        assert once == again
        assert once.code == 1
