"""What a pull request may not do to the record: an id that comes back as another incident, clocks of one's own."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tests.cli.scene import AT, Done, Folder, call, record

PATH = "incidents/INC-1/incident.yaml"
TIMELINE = "timeline:\n- at: 2025-01-26T12:05:00Z\n  kind: note\n  event: {}\n"
GENUINE = record() + TIMELINE.format("Alert fired")


def against_main(folder: Folder, clock: str = AT) -> Done:
    return call("validate", "--base", "main", at=folder.path, clock=clock)


@pytest.fixture
def deleted(folder: Folder) -> Folder:
    """INC-1 was merged and deleted on main; the branch `change` is checked out."""
    folder.put(text=GENUINE)
    folder.commit()
    folder.git("rm", "-q", PATH)
    folder.commit()
    folder.git("checkout", "-q", "-b", "change")
    return folder


def test_a_deleted_record_comes_back_as_it_was(deleted: Folder) -> None:
    deleted.put(text=GENUINE)
    assert against_main(deleted).code == 0


def test_a_deleted_record_does_not_come_back_with_another_history(deleted: Folder) -> None:
    deleted.put(text=record() + TIMELINE.format("Nothing happened"))
    done = against_main(deleted)
    assert done.code == 1, done
    assert f"{PATH}:10:10: error: merged entry 1 of timeline (2025-01-26T12:05:00Z) was changed: event" in done.out


def test_an_id_of_the_past_is_not_given_to_another_incident(deleted: Folder) -> None:
    other = record(title="Search is slow", times="{declared: 2025-01-26T13:00:00Z}")
    deleted.put(text=other)
    done = against_main(deleted)
    assert done.code == 1, done
    commit = deleted.git("rev-parse", "main").strip()[:12]
    assert f"{PATH}:1:5: error: INC-1 was the id of another incident, deleted in {commit}" in done.out
    assert "[id-reused]" in done.out
    deleted.commit()
    assert call("--rev", "change", "validate", "--base", "main", at=deleted.path).code == 1


def test_an_id_that_no_commit_had_is_free(deleted: Folder) -> None:
    deleted.put("INC-2")
    assert against_main(deleted).code == 0


# ------------------------------------------------------------------ the policy block


def declared(folder: Folder, clock: str = AT) -> str:
    """Declares with the command -> the folder's path of the record."""
    done = call("declare", "Login fails", "-s", "api", "--severity", "SEV1", "--format", "json", at=folder.path,
                clock=clock)  # fmt: skip
    assert done.code == 0, done
    path: str = json.loads(done.out)["path"]
    return path


def change_policy(folder: Folder, text: str, at: str) -> None:
    """Another policy on main, committed at that time."""
    folder.write("policy.yaml", text)
    folder.git("add", "-A")
    stamp = str(int(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()))
    env = ("-c", "user.name=a", "-c", "user.email=a@b")
    folder.git(*env, "commit", "-q", "--no-gpg-sign", "-m", "policy", "--date", f"@{stamp} +0000")
    tree, parent = folder.git("rev-parse", "HEAD^{tree}").strip(), folder.git("rev-parse", "HEAD^").strip()
    commit = commit_at(folder, tree, parent, stamp)
    folder.git("reset", "-q", "--hard", commit)


def commit_at(folder: Folder, tree: str, parent: str, stamp: str) -> str:
    import os
    import subprocess

    env = {**os.environ, "GIT_COMMITTER_DATE": f"@{stamp} +0000", "GIT_AUTHOR_DATE": f"@{stamp} +0000"}
    words = ["git", "-C", str(folder.path), "commit-tree", tree, "-p", parent, "-m", "policy"]
    return subprocess.run(words, env=env, capture_output=True, text=True, check=True).stdout.strip()


def own_clocks(folder: Folder, path: str, **values: str) -> None:
    """The record with other values in its policy block, each on its line."""
    lines = (folder.path / path).read_text().splitlines()
    for name, value in values.items():
        place = next(n for n, line in enumerate(lines) if line.strip().startswith(f"{name}:") and line[0] == " ")
        lines[place] = f"{lines[place].split(':')[0]}: {value}"
    folder.write(path, "\n".join(lines) + "\n")


def test_a_declared_record_has_the_clocks_of_the_policy(folder: Folder) -> None:
    folder.git("checkout", "-q", "-b", "change")
    path = declared(folder)
    assert against_main(folder).code == 0
    own_clocks(folder, path, response="3000d", resolution="3000d")
    done = against_main(folder)
    assert done.code == 1, done
    assert "error: targets.response is 3000d; the policy on the default branch gives SEV1 15m" in done.out
    assert "error: targets.resolution is 3000d; the policy on the default branch gives SEV1 2h" in done.out
    assert "[policy-in-force]" in done.out


def test_clocks_of_one_s_own_are_found_in_a_branch_that_changes_the_policy_too(folder: Folder) -> None:
    """A policy that is not merged yet is not one that the default branch has had."""
    folder.git("checkout", "-q", "-b", "change")
    folder.write("policy.yaml", "extends: sev0-3\nlevels:\n- {id: SEV1, response: 3000d}\n")
    declared(folder)
    done = against_main(folder)
    assert done.code == 1, done
    assert "targets.response is 3000d" in done.out


def test_a_digest_that_no_policy_had_is_a_warning(folder: Folder) -> None:
    """Another version of the program gives the same policy another digest, so only the clocks are an error."""
    folder.git("checkout", "-q", "-b", "change")
    path = declared(folder)
    own_clocks(folder, path, digest="sha256:0123456789abcdef")
    done = against_main(folder)
    assert (done.code, "warning: digest sha256:0123456789abcdef" in done.out) == (0, True), done


@pytest.mark.parametrize(("clock", "code"), [("2025-01-31T00:00:00Z", 0), ("2025-02-20T00:00:00Z", 1)])
def test_the_policy_of_the_last_seven_days_is_taken_too(folder: Folder, clock: str, code: int) -> None:
    """A record that was declared while the policy changed is judged by the one that it saw."""
    change_policy(folder, "extends: sev0-3\nlevels:\n- {id: SEV1, response: 20m}\n", "2025-01-20T00:00:00")
    path = declared(folder, "2025-01-29T00:00:00Z")
    text = (folder.path / path).read_text()
    (folder.path / path).unlink()
    change_policy(folder, "extends: sev0-3\nlevels:\n- {id: SEV1, response: 10m}\n", "2025-01-30T00:00:00")
    folder.git("checkout", "-q", "-b", "change")
    folder.write(path, text)
    assert "20m" in text
    if code:  # declared long after the policy changed, too
        own_clocks(folder, path, declared="2025-02-19T00:00:00Z", detected="2025-02-19T00:00:00Z")
        folder.write(path, (folder.path / path).read_text().replace("2025-01-29T00:00:00Z", "2025-02-19T00:00:00Z"))
    done = against_main(folder, clock)
    assert done.code == code, done
    assert ("targets.response is 20m" in done.out) == bool(code)


def test_a_record_without_a_policy_block_is_fine(folder: Folder) -> None:
    folder.git("checkout", "-q", "-b", "change")
    folder.put()
    assert against_main(folder).code == 0
