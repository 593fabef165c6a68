"""The steps of release.yml by their own text: a tag is built twice, and docker and gh get the files as they should."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from incident_ops import __version__
from tests.release.conftest import Built, commit_all
from tests.release.test_build import CHANGES
from tests.workflows.running import ROOT, Job, run_job

TAG = f"v{__version__}"
DIGEST = "sha256:" + "e" * 64


def _run(job: str, workspace: Path, tmp_path: Path, **environment: str) -> Job:
    return run_job("release.yml", job, workspace, tmp_path, "push", {}, ref=f"refs/tags/{TAG}", **environment)


def _recorder(folder: Path, name: str, more: str = "") -> Path:
    """A program that writes down how it was called."""
    folder.mkdir(exist_ok=True)
    called = folder / f"{name}.txt"
    (folder / name).write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> "{called}"\n{more}', encoding="utf-8")
    (folder / name).chmod(0o755)
    return called


@pytest.fixture
def taken(tmp_path: Path) -> Path:
    """A workspace with what the job before it built."""
    place = tmp_path / "workspace"
    (place / "dist").mkdir(parents=True)
    for name in ("a.whl", "a.tar.gz", "Dockerfile", "SHA256SUMS", "a.txt", "notes.md"):
        (place / "dist" / name).write_text(name, encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", str(place)], check=True)
    commit_all(place)
    return place


@pytest.mark.slow
def test_the_build_job_builds_the_tag_twice(built: Built, tmp_path: Path) -> None:
    checkout = tmp_path / "clone"
    shutil.copytree(built.checkout, checkout, symlinks=True, ignore=shutil.ignore_patterns("dist", ".git"))
    (checkout / "CHANGELOG.md").write_text(CHANGES, encoding="utf-8")
    commit_all(checkout)
    job = _run("build", checkout, tmp_path, HOME=str(Path.home()))
    assert job.conclusion == "success", job
    assert (checkout / "dist/notes.md").read_text(encoding="utf-8").startswith("### New")
    assert sorted(one.name for one in (checkout / "again").iterdir()) == sorted(
        one.name for one in (checkout / "dist").iterdir()
    )


def test_the_image_is_built_from_the_files_of_the_release_and_its_digest_is_kept(taken: Path, tmp_path: Path) -> None:
    pushed = json.dumps({"containerimage.digest": DIGEST})
    called = _recorder(tmp_path / "fakes", "docker", f"cat > /dev/null\nprintf '%s' '{pushed}' > pushed.json\n")
    job = _run(
        "image", taken, tmp_path, INCIDENT_OPS_TEST_PATH=str(called.parent), GITHUB_REPOSITORY="Acme/Incident-Ops"
    )
    assert job.conclusion == "success", job
    login, build = called.read_text(encoding="utf-8").splitlines()
    assert login.startswith("login ghcr.io --username ")
    assert "--password-stdin" in login
    assert build.endswith(f"--tag ghcr.io/acme/incident-ops:{__version__} dist")
    assert f"--build-arg VERSION={__version__} " in build
    assert job.steps["Build and push"]["outputs"] == {"name": "ghcr.io/acme/incident-ops", "digest": DIGEST}


def test_the_index_gets_the_packages_and_nothing_else(taken: Path, tmp_path: Path) -> None:
    job = _run("publish", taken, tmp_path)
    assert job.conclusion == "success", job
    assert sorted(one.name for one in (taken / "packages").iterdir()) == ["a.tar.gz", "a.whl"]


def test_the_release_has_every_file_and_its_text(taken: Path, tmp_path: Path) -> None:
    called = _recorder(tmp_path / "fakes", "gh")
    job = _run("release", taken, tmp_path, INCIDENT_OPS_TEST_PATH=str(called.parent), GITHUB_REPOSITORY="acme/x")
    assert job.conclusion == "success", job
    files = "dist/Dockerfile dist/SHA256SUMS dist/a.tar.gz dist/a.txt dist/a.whl"
    assert called.read_text(encoding="utf-8").strip() == (
        f"release create {TAG} --repo acme/x --verify-tag --title {TAG} --notes-file notes.md {files}"
    )


def test_the_image_belongs_to_nobody_special_and_its_base_is_pinned() -> None:
    """A number as the user, set after everything that needs more; files of the release and no others."""
    lines = re.sub(r"(?m)^#.*\n|\\\n", "", (ROOT / "contrib/Dockerfile").read_text(encoding="utf-8")).splitlines()
    words = [line.split(maxsplit=1) for line in lines]
    assert re.fullmatch(r"[\w./:-]+:[\w.-]+@sha256:[0-9a-f]{64}", words[0][1])
    names = [word for word, _ in words]
    assert [rest for word, rest in words if word == "USER"] == ["10001"]
    assert names.index("USER") > max(number for number, word in enumerate(names) if word in ("RUN", "COPY"))
    assert [rest for word, rest in words if word in ("COPY", "ADD")] == [
        "incident-ops-${VERSION}.txt incident_ops-${VERSION}-py3-none-any.whl /release/"
    ]
