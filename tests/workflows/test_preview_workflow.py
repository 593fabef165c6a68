"""The job `preview` of `.github/workflows/validate.yml`, against the stand-in: what merging a pull request would do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.workflows.running import WORKFLOWS, Job, describe, run_job
from tests.workflows.test_reconcile_workflow import Scene, github, scene

__all__ = ["github", "scene"]
pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])


def preview(scene: Scene, temp: Path, name: str = "pull_request") -> Job:
    """The job on the pull request of the branch `change`; the remote has the merge commit that GitHub makes."""
    git = scene.folder.git
    head, base = git("rev-parse", "change").strip(), git("rev-parse", "main").strip()
    git("checkout", "--quiet", "--detach", "main")
    git("merge", "--quiet", "--no-ff", "--message", "merged", head)
    sha = git("rev-parse", "HEAD").strip()
    git("push", "--quiet", "origin", "HEAD:refs/pull/7/merge")
    git("checkout", "--quiet", "main")
    event: dict[str, Any] = {"pull_request": {"number": 7, "head": {"sha": head}, "base": {"sha": base}}}
    event["repository"] = {"default_branch": "main"}
    environment = scene.github.environment(scene.repository)
    return run_job("validate.yml", "preview", scene.folder.path, temp, name, event, sha=sha, **environment)


@pytest.mark.slow
def test_a_reviewer_sees_what_the_change_adds(scene: Scene, tmp_path: Path) -> None:
    """Main waits for three issues; the pull request brings one more, and that is all it tells of."""
    scene.folder.git("checkout", "--quiet", "-b", "change")
    scene.folder.put("INC-2", title="Search is slow", times="{declared: 2025-01-26T12:05:00Z}")
    scene.folder.commit()
    job = preview(scene, tmp_path / "job")
    assert job.conclusion == "success", job
    assert job.summary.startswith("## What this change does\n")
    assert "**1 issue to create" in job.summary
    assert "`INC-2`" in job.summary
    assert "INC-1" not in job.summary
    assert scene.keys() == []


@pytest.mark.slow
def test_a_record_that_cannot_be_read_is_named_and_no_failure(scene: Scene, tmp_path: Path) -> None:
    """The check of the records is the other job's."""
    scene.folder.git("checkout", "--quiet", "-b", "change")
    scene.folder.put("INC-2", "id: [")
    scene.folder.commit()
    job = preview(scene, tmp_path / "job")
    assert job.conclusion == "success", job
    assert "Could not be read" in job.summary
    assert "INC-2" in job.summary


def test_a_push_has_no_preview(scene: Scene, tmp_path: Path) -> None:
    scene.folder.git("branch", "change")
    assert preview(scene, tmp_path / "job", "push").conclusion == "skipped"


def test_both_jobs_read_and_write_nothing() -> None:
    """The token may read, no more, and no secret is given: what a fork proposes gets no other run."""
    (found,) = describe(WORKFLOWS / "validate.yml")
    assert found["errors"] == []
    jobs = found["document"]["jobs"]
    assert set(jobs) == {"validate", "preview"}
    assert all(set(job["permissions"].values()) == {"read"} for job in jobs.values())
    assert "secrets." not in (WORKFLOWS / "validate.yml").read_text(encoding="utf-8")
