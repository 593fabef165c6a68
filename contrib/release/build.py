"""Build what a release is made of, from the commit that is checked out: `make dist`, which the workflow calls, too.

The commit is copied to a place of its own, and its own copy of this script builds everything there, with the commit's
time: whoever builds it gets the same bytes, whatever lies about in the checkout. Nothing here knows a secret or uploads
anything.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from cyclonedx.model import HashAlgorithm, HashType  # noqa: E402
from cyclonedx.model.bom import Bom  # noqa: E402
from cyclonedx.model.component import Component, ComponentScope, ComponentType  # noqa: E402
from cyclonedx.output.json import JsonV1Dot6  # noqa: E402
from packageurl import PackageURL  # noqa: E402

from incident_ops import __version__  # noqa: E402
from incident_ops.domain.pin_file import Pin, read_pins  # noqa: E402
from incident_ops.errors import UserError  # noqa: E402
from incident_ops.resources import HOME  # noqa: E402

PINS = {"run": "incident-ops", "core": "incident-ops-core"}
"""Which requirements become a pin file of the release, and how its name begins."""
OWNER = "@acme/sre"
"""Who owns the template's files until a team says who it is."""
DIST = ROOT / "dist"
SUMS = "SHA256SUMS"
MOVE = "move that away, or name another folder with --output"
OWN_NAMES = re.compile(r"incident[-_]ops-\S+|Dockerfile")
"""What a build gives its files for names."""
NOTES = "notes.md"


def main(words: list[str]) -> int:
    """Fill the folder; 2 where the tag does not fit the commit, or somebody else's files are in the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tag", default="", help="the tag of the release, with which notes.md is written: v1.2.3")
    parser.add_argument(
        "--output", type=Path, default=ROOT / "dist", help="a folder that is new, empty, or of an earlier build"
    )
    parser.add_argument("--copied", metavar="SECONDS", type=int, help="this is a copy of a commit that was made then")
    asked = parser.parse_args(words)
    try:
        if asked.copied is None:
            return build_commit(asked.output, asked.tag)
        notes = release_notes(asked.tag, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")) if asked.tag else ""
    except UserError as error:
        print(f"release: {error}", file=sys.stderr)
        return 2
    build(asked.output, notes, asked.copied)
    return 0


def build_commit(folder: Path, tag: str) -> int:
    """Builds the commit elsewhere, and puts what came of it into the folder -> the exit code."""
    earlier = earlier_files(folder)
    with tempfile.TemporaryDirectory() as scratch:
        source, made = Path(scratch, "incident-ops"), Path(scratch, "made")
        seconds = copy_commit(source)
        made.mkdir()
        script = source / Path(__file__).resolve().relative_to(ROOT)
        words = ["--copied", str(seconds), "--tag", tag, "--output", str(made)]
        if code := subprocess.run([sys.executable, "-I", script, *words], check=False).returncode:
            return code
        if _digest(folder / NOTES) not in ("", _digest(made / NOTES)):
            raise UserError(f"holds another {NOTES} than this build's", where=str(folder), hint=MOVE)
        folder.mkdir(parents=True, exist_ok=True)
        for old in earlier:
            old.unlink()
        for file in sorted(made.iterdir()):
            shutil.move(file, folder)
    return 0


def earlier_files(folder: Path) -> list[Path]:
    """What an earlier build left there. UserError where there is anything that none has made."""
    if not folder.exists():
        return []
    if not folder.is_dir():
        raise UserError("is a file", where=str(folder), hint="name a folder with --output")
    found = sorted(folder.iterdir())
    known = dict(reversed(line.split("  ", 1)) for line in _lines(folder / SUMS) if "  " in line)
    if known and all(map(OWN_NAMES.fullmatch, known)):  # notes.md is no file of a release, and in no list
        known |= {name: _digest(folder / name) for name in (SUMS, NOTES)}
    else:
        known = {}
    foreign = [one.name for one in found if not one.is_file() or known.get(one.name) != _digest(one)]
    if foreign:
        raise UserError(f"holds what no build has made: {', '.join(foreign)}", where=str(folder), hint=MOVE)
    return found


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.is_file() else []


def _digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def release_notes(tag: str, changelog: str) -> str:
    """The section of this version in the changelog. UserError where the tag is another version's, or has no section."""
    if tag != f"v{__version__}":
        raise UserError(f"the tag is {tag}, and incident_ops/__init__.py says {__version__}")
    found = re.search(rf"^## \[{re.escape(__version__)}\].*?\n(?P<text>.*?)(?=^## |\Z)", changelog, re.M | re.S)
    if found is None or not found["text"].strip():
        raise UserError(
            f"CHANGELOG.md says nothing of {__version__}", hint=f"a section ## [{__version__}] - YYYY-MM-DD"
        )
    return re.sub(r"\]\((?!https?://|#)([^)]+)\)", rf"]({HOME}/blob/{tag}/\1)", found["text"].strip()) + "\n"


def build(folder: Path, notes: str, made: int) -> None:
    """Wheel, sdist, pin files, SBOM, template, Dockerfile, the digests of all; beside them the notes, if any."""
    wheel = build_packages(folder, made)
    digest = _digest(wheel)
    for name, begin in PINS.items():
        pinned = (ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8")
        line = f"incident-ops=={__version__} \\\n    --hash=sha256:{digest}\n"
        (folder / f"{begin}-{__version__}.txt").write_text(line + pinned, encoding="utf-8")
    pack_template(folder, made)
    pins = read_pins((ROOT / "requirements/run.txt").read_text(encoding="utf-8"))
    bom = bill_of_materials(pins, digest, made)
    (folder / f"incident-ops-{__version__}.cdx.json").write_text(bom, encoding="utf-8")
    shutil.copy(ROOT / "contrib/Dockerfile", folder)
    sums = "".join(f"{_digest(one)}  {one.name}\n" for one in sorted(folder.iterdir()))
    (folder / SUMS).write_text(sums, encoding="utf-8")
    if notes:
        (folder / NOTES).write_text(notes, encoding="utf-8")
    print(sums, end="")


def copy_commit(place: Path) -> int:
    """Puts what is committed there, whatever else lies about -> when it was, in seconds since 1970.

    UserError without a commit.
    """
    try:
        seconds = int(_git("log", "-1", "--format=%ct", "HEAD"))
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().partition("\n")[0]
        raise UserError("there is no commit here to build", hint=said, where=str(ROOT)) from error
    archive = place.with_suffix(".tar")
    _git("archive", "--format=tar", f"--output={archive}", "HEAD")
    place.mkdir()
    subprocess.run(["tar", "-xf", archive, "-C", place], check=True)
    return seconds


def build_packages(folder: Path, made: int) -> Path:
    """Wheel and sdist -> the wheel."""
    quietly = ["sh", str(ROOT / "requirements/quietly.sh")]
    words = [*quietly, sys.executable, "-I", "-m", "hatchling", "build", "-d", str(folder.resolve())]
    subprocess.run(words, cwd=ROOT, env={**os.environ, "SOURCE_DATE_EPOCH": str(made)}, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def pack_template(folder: Path, made: int) -> None:
    """A team's repository to begin with: the records of `template/`, and what `init --github` lays beside them."""
    name = f"incident-ops-template-{__version__}"
    team = ROOT.parent / name
    shutil.copytree(ROOT / "template", team, ignore=shutil.ignore_patterns(".github"))
    # in a repository of git, as a team has it: the next release looks up by git's ids what this one laid
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", team], check=True)
    pins = folder.resolve() / f"incident-ops-{__version__}.txt"
    words = ["-m", "incident_ops", "init", "--github", "--owner", OWNER, "--pins", str(pins)]
    quietly = ["sh", str(ROOT / "requirements/quietly.sh")]
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([*quietly, sys.executable, *words], cwd=team, env=surroundings, check=True)
    shutil.rmtree(team / ".git")
    when = datetime.fromtimestamp(made, UTC).timetuple()[:6]
    with zipfile.ZipFile(folder / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(one for one in team.rglob("*") if one.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(team.parent).as_posix(), when)
            entry.external_attr = 0o100644 << 16
            packed.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)


def bill_of_materials(pins: list[Pin], digest: str, made: int) -> str:
    """What the program is installed with, as CycloneDX 1.6: the pinned packages, each with the digests of its files."""
    tool = _component(Pin("incident-ops", __version__, digests=(digest,)), ComponentType.APPLICATION)
    bom = Bom(serial_number=uuid5(NAMESPACE_URL, digest), components=[_component(one) for one in pins])
    bom.metadata.timestamp = datetime.fromtimestamp(made, UTC)
    bom.metadata.component = tool
    bom.register_dependency(tool, bom.components)
    return str(JsonV1Dot6(bom).output_as_string(indent=2)) + "\n"


def _component(pin: Pin, kind: ComponentType = ComponentType.LIBRARY) -> Component:
    address = PackageURL("pypi", name=pin.name, version=pin.version)
    return Component(
        name=pin.name,
        version=pin.version,
        type=kind,
        bom_ref=str(address),
        purl=address,
        scope=ComponentScope.OPTIONAL if pin.marker else ComponentScope.REQUIRED,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one) for one in pin.digests],
    )


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
