"""What a release is made of: the same bytes whoever builds it, all by its hash, and nothing for a tag that lies."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path
from subprocess import CompletedProcess

import cmarkgfm
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from incident_ops import __version__
from incident_ops.domain.pin_file import read_pins
from incident_ops.resources import HOME
from tests.release.conftest import BUILD, Built, commit_all, run_build
from tests.workflows.running import ROOT

pytestmark = pytest.mark.slow
UNCOMMITTED = (BUILD, "contrib/Dockerfile", "requirements/run.txt", "requirements/core.txt", "template/README.md")
CHANGES = f"""# Changelog

## [Unreleased]

- Later.

## [{__version__}] - 2026-12-01

### New

- It was [released](docs/releasing.md), see [there](https://x.example/a).

## [0.0.9] - 2026-01-01

- Old.
"""


def _digests(folder: Path) -> dict[str, str]:
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in sorted(folder.iterdir())}


def _clone(built: Built, place: Path) -> Path:
    """The checkout at another place, with nothing built yet."""
    shutil.copytree(built.checkout, place, symlinks=True, ignore=shutil.ignore_patterns("dist"))
    return place


def test_two_builds_in_two_places_at_two_times_are_one(built: Built, tmp_path: Path) -> None:
    """Another folder, other times of files, another umask, and what nobody committed: a new file and changed ones."""
    other = _clone(built, tmp_path / "elsewhere" / "clone")
    (other / "incident_ops/left_here.py").write_text("SECRET = 1\n", encoding="utf-8")
    for changed in UNCOMMITTED:
        with (other / changed).open("a", encoding="utf-8") as file:
            file.write("# nobody committed this\n")
    (other / "incident_ops/__init__.py").write_text('__version__ = "9.9.9"\n', encoding="utf-8")
    for number, file in enumerate(sorted(other.rglob("*.py"))):
        os.utime(file, (1_000_000_000 + number, 1_000_000_000 + number))
    before = os.umask(0o077)
    try:
        done = run_build(other, "--output", str(tmp_path / "out"))
    finally:
        os.umask(before)
    assert done.returncode == 0, done.stderr
    assert _digests(tmp_path / "out") == _digests(built.dist)


def test_the_sums_name_every_file(built: Built) -> None:
    lines = (built.dist / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    told = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    assert told == {name: digest for name, digest in _digests(built.dist).items() if name != "SHA256SUMS"}
    names = [*(f"incident-ops-{__version__}{end}" for end in (".cdx.json", ".txt")), built.wheel.name]
    names[2:2] = [f"incident-ops-core-{__version__}.txt", f"incident-ops-template-{__version__}.zip"]
    assert sorted(told) == ["Dockerfile", *names, f"incident_ops-{__version__}.tar.gz"]


@pytest.mark.parametrize(("begin", "tested"), [("incident-ops", "run"), ("incident-ops-core", "core")])
def test_a_pin_file_has_the_tool_and_all_that_it_needs_by_their_hashes(built: Built, begin: str, tested: str) -> None:
    text = (built.dist / f"{begin}-{__version__}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    tool, *others = read_pins(text)
    assert (tool.name, tool.version, tool.place) == ("incident-ops", __version__, "")
    assert tool.digests == (_digests(built.dist)[built.wheel.name],)
    assert others == read_pins((ROOT / f"requirements/{tested}.txt").read_text(encoding="utf-8"))
    assert all(one.digests for one in others)


def test_the_bill_of_materials_is_valid_and_names_every_pinned_package(built: Built) -> None:
    text = (built.dist / f"incident-ops-{__version__}.cdx.json").read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bom = json.loads(text)
    pins = read_pins((ROOT / "requirements/run.txt").read_text(encoding="utf-8"))
    assert {one["purl"] for one in bom["components"]} == {f"pkg:pypi/{one.name}@{one.version}" for one in pins}
    assert all(one["hashes"] for one in bom["components"])
    assert bom["metadata"]["component"]["hashes"][0]["content"] == _digests(built.dist)[built.wheel.name]
    assert bom["metadata"]["timestamp"].startswith("2026-11-30T12:00:00")


def test_the_page_of_the_index_leads_to_the_files_of_the_release(built: Built) -> None:
    """The long description renders as Markdown, and none of its links is relative."""
    with zipfile.ZipFile(built.wheel) as wheel:
        (name,) = [one for one in wheel.namelist() if one.endswith(".dist-info/METADATA")]
        told = message_from_bytes(wheel.read(name))
    assert told["Description-Content-Type"] == "text/markdown"
    page = cmarkgfm.github_flavored_markdown_to_html(told.get_payload())
    targets = re.findall(r'(?:href|src)="([^"]*)"', page)
    assert len(targets) > 20
    assert [one for one in targets if not one.startswith(("https://", "#"))] == []
    ours = [one.removeprefix(f"{HOME}/") for one in targets if one.startswith((f"{HOME}/blob", f"{HOME}/raw"))]
    for one in ours:
        place = re.fullmatch(rf"(?:blob|raw)/v{re.escape(__version__)}/([^#]+)(?:#.*)?", one)
        assert place, one
        assert (ROOT / place[1]).is_file(), one


def test_what_is_published_has_no_file_of_a_workplace(built: Built) -> None:
    with tarfile.open(built.dist / f"incident_ops-{__version__}.tar.gz") as sdist:
        names = {one.partition("/")[2] for one in sdist.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", BUILD} <= names
    assert [
        one for one in names if re.search(r"(?:^|/)(?:\.venv|node_modules|__pycache__|dist|\.git)(?:/|$)", one)
    ] == []


@pytest.mark.parametrize(
    ("tag", "changelog", "why"),
    [
        ("v9.9.9", CHANGES, f"the tag is v9.9.9, and incident_ops/__init__.py says {__version__}"),
        (__version__, CHANGES, "the tag is"),
        (f"v{__version__}", CHANGES.replace(f"[{__version__}]", "[0.0.10]"), f"says nothing of {__version__}"),
    ],
)
def test_a_tag_that_does_not_fit_builds_nothing(
    built: Built, tmp_path: Path, tag: str, changelog: str, why: str
) -> None:
    checkout = _clone(built, tmp_path / "clone")
    (checkout / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    commit_all(checkout)
    _refused(run_build(checkout, "--tag", tag), why)
    assert not (checkout / "dist").exists()


def test_the_committed_section_of_the_version_becomes_the_text_of_the_release(built: Built, tmp_path: Path) -> None:
    """What stands in the changelog of the work tree is no part of the release."""
    checkout = _clone(built, tmp_path / "clone")
    (checkout / "CHANGELOG.md").write_text(CHANGES, encoding="utf-8")
    commit_all(checkout)
    (checkout / "CHANGELOG.md").write_text(CHANGES.replace("released", "changed since"), encoding="utf-8")
    tag = f"v{__version__}"
    assert run_build(checkout, "--tag", tag).returncode == 0
    notes = f"### New\n\n- It was [released]({HOME}/blob/{tag}/docs/releasing.md), see [there](https://x.example/a).\n"
    assert (checkout / "dist/notes.md").read_text(encoding="utf-8") == notes
    (checkout / "dist/notes.md").write_text(notes + "- By hand.\n", encoding="utf-8")
    done = run_build(checkout, "--tag", tag)
    assert (done.returncode, "holds another notes.md than this build's" in done.stderr) == (2, True)
    assert (checkout / "dist/notes.md").read_text(encoding="utf-8") == notes + "- By hand.\n"


def _refused(done: CompletedProcess[str], *words: str) -> None:
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def _everything(folder: Path) -> dict[str, bytes]:
    return {one.relative_to(folder).as_posix(): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_what_a_person_keeps_in_the_folder_stays(built: Built, tmp_path: Path) -> None:
    """The folder of an earlier build is filled anew; with a file of anybody else in it, nothing changes."""
    place = tmp_path / "mine"
    shutil.copytree(built.dist, place)
    old = place / "incident-ops-0.0.1.txt"
    old.write_text("pins", encoding="utf-8")
    with (place / "SHA256SUMS").open("a", encoding="utf-8") as sums:
        sums.write(f"{hashlib.sha256(b'pins').hexdigest()}  {old.name}\n")
    for name in ("thesis.txt", "pictures/me.png", "Dockerfile"):
        kept = (place / name).read_bytes() if (place / name).exists() else b""
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_bytes(kept + b"mine")
        before = _everything(place)
        _refused(run_build(built.checkout, "--output", str(place)), f"{place}: ", name.partition("/")[0], "--output")
        assert _everything(place) == before
        (place / name).write_bytes(kept) if kept else (place / name).unlink()
        shutil.rmtree(place / "pictures", ignore_errors=True)
    assert run_build(built.checkout, "--output", str(place)).returncode == 0
    assert _digests(place) == _digests(built.dist)


def test_sums_of_somebody_else_make_no_folder_ours(built: Built, tmp_path: Path) -> None:
    """As a folder of downloads has them beside what they name."""
    (tmp_path / "disk.iso").write_bytes(b"disk")
    (tmp_path / "SHA256SUMS").write_text(f"{hashlib.sha256(b'disk').hexdigest()}  disk.iso\n", encoding="utf-8")
    before = _everything(tmp_path)
    _refused(run_build(built.checkout, "--output", str(tmp_path)), "no build has made: SHA256SUMS, disk.iso")
    assert _everything(tmp_path) == before


def test_a_file_in_the_place_of_the_folder_stays(built: Built, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine", encoding="utf-8")
    _refused(run_build(built.checkout, "--output", str(tmp_path / "mine")), "mine: is a file")
    assert (tmp_path / "mine").read_text(encoding="utf-8") == "mine"


def test_without_a_commit_nothing_is_built(built: Built, tmp_path: Path) -> None:
    checkout = _clone(built, tmp_path / "clone")
    shutil.rmtree(checkout / ".git")
    subprocess.run(["git", "init", "--quiet", checkout], check=True)
    _refused(run_build(checkout), "there is no commit here to build")
