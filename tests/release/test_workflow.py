"""The steps of release.yml by their own text: a tag is built twice, and docker and gh get the files as they should."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from incident_ops import __version__
from tests.release.conftest import Built, commit_all
from tests.release.test_build import CHANGES
from tests.workflows.running import ROOT, WORKFLOWS, Job, describe, run_job

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


def _indexed(tmp_path: Path, **files: str) -> str:
    """A folder with a curl that answers as the index would that has these files."""
    urls = [
        {"filename": name, "digests": {"sha256": sha256(text.encode()).hexdigest()}} for name, text in files.items()
    ]
    answer = json.dumps({"urls": urls})
    return str(_recorder(tmp_path / "fakes", "curl", f"cat <<'ANSWER'\n{answer}\nANSWER\n").parent)


def test_the_index_gets_the_packages_and_nothing_else(taken: Path, tmp_path: Path) -> None:
    """Run again, it is sent what it has not, and what it has is compared."""
    there = _indexed(tmp_path, **{"a.whl": "a.whl", "a.tar.gz": "a.tar.gz"})
    job = _run("publish", taken, tmp_path, INCIDENT_OPS_TEST_PATH=there)
    assert job.conclusion == "success", job
    assert sorted(one.name for one in (taken / "packages").iterdir()) == ["a.tar.gz", "a.whl"]
    publish = describe(WORKFLOWS / "release.yml")[0]["document"]["jobs"]["publish"]["steps"][-2]
    assert publish["with"] == {"packages-dir": "packages", "skip-existing": "true"}


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ({"a.whl": "other bytes", "a.tar.gz": "a.tar.gz"}, "a.whl on the index was not built from this tag: yank"),
        ({"a.whl": "other bytes"}, "a.whl on the index was not built from this tag: yank"),
        ({"a.whl": "a.whl"}, "a.tar.gz is not on the index yet: run this job again"),
    ],
)
def test_other_bytes_on_the_index_end_the_release(
    taken: Path, tmp_path: Path, there: dict[str, str], said: str
) -> None:
    """It knows files by their names alone; the pin file would name a wheel that nobody can install."""
    job = _run("publish", taken, tmp_path, INCIDENT_OPS_TEST_PATH=_indexed(tmp_path, **there))
    assert job.conclusion == "failure"
    assert said in str(job)


RELEASES = """\
import shutil, sys
from pathlib import Path

words, (kept, breaks) = sys.argv[1:], map(Path, {places!r})
assert words[:1] == ["release"] and words[3:5] == ["--repo", "acme/x"], words
release, options, files = kept / words[2], words[5:], [one for one in words if one.startswith("dist/")]
draft = release / ".draft"
match words[1]:
    case "view" | "upload" | "edit" | "download" if not release.is_dir():
        sys.exit("HTTP 502: Bad Gateway" if breaks.exists() else "release not found")
    case "view":
        assert options == ["--json", "isDraft", "--jq", ".isDraft"], options
        print(str(draft.exists()).lower())
    case "create":
        assert options == ["--draft", "--verify-tag", "--title", words[2], "--notes-file", "notes.md"], options
        release.mkdir()
        draft.write_bytes(Path("notes.md").read_bytes())
    case "upload":
        assert draft.exists() and "--clobber" in options
        for file in files:
            shutil.copy(file, release)
            if breaks.exists():
                sys.exit("HTTP 502: Bad Gateway")
    case "edit":
        assert options == ["--draft=false"], options
        draft.unlink()
    case "download":
        assert options == ["--pattern", "SHA256SUMS", "--dir", "released"], options
        Path("released").mkdir()
        shutil.copy(release / "SHA256SUMS", "released")
"""
FILES = ["Dockerfile", "SHA256SUMS", "a.tar.gz", "a.txt", "a.whl"]


class Releases:
    """The releases of a repository, a folder each, and the job that makes one; `breaks`: GitHub's answers fail."""

    def __init__(self, taken: Path, tmp_path: Path) -> None:
        self.taken, self.temp = taken, tmp_path
        self.breaks, self.release = tmp_path / "breaks", tmp_path / "releases" / TAG
        self.release.parent.mkdir()
        (tmp_path / "fakes").mkdir()
        gh = tmp_path / "fakes/gh"
        places = (str(self.release.parent), str(self.breaks))
        gh.write_text(f"#!{sys.executable}\n{RELEASES.format(places=places)}", encoding="utf-8")
        gh.chmod(0o755)
        self.tries = 0

    def run(self) -> Job:
        """Each time in a workspace of its own, as a job that is run again has it."""
        self.tries += 1
        home = self.temp / f"try-{self.tries}"
        shutil.copytree(self.taken, home / "workspace")
        fakes = str(self.temp / "fakes")
        return _run("release", home / "workspace", home, INCIDENT_OPS_TEST_PATH=fakes, GITHUB_REPOSITORY="acme/x")

    def names(self) -> list[str]:
        """What the release holds."""
        return sorted(one.name for one in self.release.iterdir())


def test_the_release_has_every_file_and_its_text(taken: Path, tmp_path: Path) -> None:
    """Nobody sees it before all of them are there."""
    releases = Releases(taken, tmp_path)
    assert releases.run().conclusion == "success"
    assert releases.names() == FILES


def test_a_release_that_stopped_halfway_is_completed_when_the_job_is_run_again(taken: Path, tmp_path: Path) -> None:
    releases = Releases(taken, tmp_path)
    releases.breaks.touch()
    assert releases.run().conclusion == "failure"
    assert not releases.release.exists()  # whether there is one was not answered
    releases.release.mkdir()
    (releases.release / ".draft").touch()
    assert releases.run().conclusion == "failure"
    assert releases.names() == [".draft", "Dockerfile"]
    releases.breaks.unlink()
    assert releases.run().conclusion == "success"
    assert releases.names() == FILES


def test_a_release_that_is_out_stays_as_it_is(taken: Path, tmp_path: Path) -> None:
    """The same once more is well; other files of the same version are refused, with what to do."""
    releases = Releases(taken, tmp_path)
    assert releases.run().conclusion == "success"
    again = releases.run()
    assert again.conclusion == "success", again
    assert f"{TAG} is released already, with these files" in str(again)
    (taken / "dist/SHA256SUMS").write_text("others", encoding="utf-8")
    other = releases.run()
    assert other.conclusion == "failure"
    assert f"{TAG} is released already, with other files: give what is here a new version" in str(other)
    assert (releases.release / "SHA256SUMS").read_text(encoding="utf-8") == "SHA256SUMS"


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
