"""A merge broke policy.yaml or services.yaml: the last one in git that loads is used, and that is said."""

from __future__ import annotations

import pytest

from tests.cli.scene import POLICY, SERVICES, Folder, call

CONFLICT = "<<<<<<< HEAD\nextends: sev0-3\n=======\nextends: p0-p3\n>>>>>>> other\n"
BROKEN = {
    "policy.yaml": ("", "extends: sev9\n", "extends: sev0-3\nlevls: []\n", "extends: 'x\n", CONFLICT),
    "services.yaml": ("", "services: [\n", "services: {api: {}}\n", f"{CONFLICT}{SERVICES}"),
}
CASES = [(name, text) for name, texts in BROKEN.items() for text in texts]
NIGHT = (
    ("declare", "Search is down", "-s", "api", "--severity", "SEV1", "--by", "@a"),
    ("ack", "--by", "@a"),
    ("assign", "commander", "@a", "--by", "@a"),
    ("update", "--internal", "Looking", "--by", "@a"),
    ("timeline", "Rolled back", "--by", "@a"),
    ("resolve", "--restored", "now", "--cause", "deploy", "--by", "@a"),
    ("triage", "--users", "60", "--feature", "core"),
    ("show",),
    ("list",),
    ("sla", "check"),
    ("plan",),
    ("apply",),
    ("render",),
    ("gate", "check", "-s", "web"),
    ("freeze", "year-end", "--reason", "Sales", "--until", "2025-02-01T00:00:00Z", "--by", "@a"),
)


@pytest.fixture
def merged(folder: Folder) -> Folder:
    """An open incident on `api`, all of it committed under a policy that loads."""
    folder.put()
    folder.commit()
    return folder


def break_it(folder: Folder, name: str, text: str) -> str:
    """Merges the broken file -> the commit that wrote the one before it, as it is printed."""
    before = folder.git("log", "-1", "--format=%H", "--", name).strip()[:12]
    folder.write(name, text)
    folder.commit()
    return before


@pytest.mark.slow
@pytest.mark.parametrize(("name", "text"), CASES)
def test_no_command_at_night_is_stopped_by_a_broken_file(merged: Folder, name: str, text: str) -> None:
    before = break_it(merged, name, text)
    for args in NIGHT:
        sound = merged.copy(merged.path.parent / f"sound-{'-'.join(args)[:20].replace(' ', '_')}")
        sound.write("policy.yaml", POLICY)
        sound.write("services.yaml", SERVICES)
        there = merged.copy(merged.path.parent / f"broken-{'-'.join(args)[:20].replace(' ', '_')}")
        wanted, done = call(*args, at=sound.path), call(*args, at=there.path)
        assert (wanted.code, done.code) == (0, 0), (args, done)
        assert done.out.replace(str(there.path), "") == wanted.out.replace(str(sound.path), ""), args
        [note] = [line for line in done.err.splitlines() if line.startswith(f"note: {name}")]
        assert f"using the version from commit {before};" in note
        assert "incident-ops validate" in note
        assert len(note) <= 110


@pytest.mark.parametrize(("name", "text"), CASES)
def test_validate_stays_red_and_says_why(merged: Folder, name: str, text: str) -> None:
    break_it(merged, name, text)
    done = call("validate", at=merged.path)
    assert done.code == 1
    assert f"{name}:" in done.out
    assert "is used" not in done.err


def test_conflict_markers_are_named_as_such(merged: Folder) -> None:
    break_it(merged, "policy.yaml", CONFLICT)
    out = call("validate", at=merged.path).out
    assert "policy.yaml:1:1: error: " in out
    assert "conflict" in out.splitlines()[0]
    assert "a `:` was expected" not in out


def test_what_was_committed_after_it_broke_still_finds_the_last_good_one(merged: Folder) -> None:
    """Two commits on top of the broken one, and an edit that is not committed."""
    before = break_it(merged, "policy.yaml", "extends: sev9\n")
    break_it(merged, "policy.yaml", "extends: sev8\n")
    merged.write("policy.yaml", "extends: sev7\n")
    assert f"using the version from commit {before};" in call("show", at=merged.path).err


def test_a_revision_is_judged_by_its_own_past(merged: Folder) -> None:
    before = break_it(merged, "policy.yaml", "extends: sev9\n")
    merged.write("policy.yaml", "extends: p0-p3\n")
    merged.commit()
    done = call("--rev", "HEAD~1", "show", "INC-1", at=merged.path)
    assert f"using the version from commit {before};" in done.err
    assert call("show", at=merged.path).err == ""


def test_a_declaration_carries_the_policy_that_was_used(merged: Folder) -> None:
    break_it(merged, "policy.yaml", "extends: sev9\n")
    assert call(*NIGHT[0], at=merged.path).code == 0
    merged.write("policy.yaml", POLICY)
    done = call("validate", "--base", "HEAD", at=merged.path)
    assert "[policy-in-force]" not in done.out


@pytest.mark.parametrize("args", [("policy", "show"), ("policy", "lint")])
def test_what_is_about_the_policy_itself_is_about_the_one_that_is_there(merged: Folder, args: tuple[str, ...]) -> None:
    break_it(merged, "policy.yaml", "extends: sev9\n")
    done = call(*args, at=merged.path)
    assert done.code in (1, 2)
    assert "there is no preset 'sev9'" in done.out + done.err


def test_json_is_the_same_and_the_line_is_beside_it(merged: Folder) -> None:
    sound = call("show", "--format", "json", at=merged.path).out
    break_it(merged, "policy.yaml", "")
    done = call("show", "--format", "json", at=merged.path)
    assert done.out == sound
    assert done.err.startswith("note: policy.yaml")
