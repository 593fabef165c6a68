"""Build what a release is made of, from the commit that is checked out: `make dist`, which the workflow calls, too.

The packages are built in a copy of the commit, with its time, so that whoever builds it gets the same bytes. Nothing
here knows a secret or uploads anything.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
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
SUMS = "SHA256SUMS"
NOTES = "notes.md"


def main(words: list[str]) -> int:
    """Fill the folder; 2 where the tag does not fit what is checked out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tag", default="", help="the tag of the release, with which notes.md is written: v1.2.3")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="an empty folder, or one to empty")
    asked = parser.parse_args(words)
    try:
        notes = release_notes(asked.tag, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")) if asked.tag else ""
    except UserError as error:
        print(f"release: {error}", file=sys.stderr)
        return 2
    build(asked.output, notes)
    return 0


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


def build(folder: Path, notes: str) -> None:
    """Wheel, sdist, pin files, SBOM, Dockerfile, and the digests of all of them; beside them the notes, if any."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    made = commit_time()
    wheel = build_packages(folder, made)
    digest = sha256(wheel.read_bytes()).hexdigest()
    for name, begin in PINS.items():
        pinned = (ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8")
        line = f"incident-ops=={__version__} \\\n    --hash=sha256:{digest}\n"
        (folder / f"{begin}-{__version__}.txt").write_text(line + pinned, encoding="utf-8")
    pins = read_pins((ROOT / "requirements/run.txt").read_text(encoding="utf-8"))
    bom = bill_of_materials(pins, digest, made)
    (folder / f"incident-ops-{__version__}.cdx.json").write_text(bom, encoding="utf-8")
    shutil.copy(ROOT / "contrib/Dockerfile", folder)
    files = sorted(folder.iterdir())
    sums = "".join(f"{sha256(one.read_bytes()).hexdigest()}  {one.name}\n" for one in files)
    (folder / SUMS).write_text(sums, encoding="utf-8")
    if notes:
        (folder / NOTES).write_text(notes, encoding="utf-8")
    print(sums, end="")


def commit_time() -> int:
    """When the commit was made, in seconds since 1970: the time of everything in the packages."""
    return int(_git("log", "-1", "--format=%ct", "HEAD"))


def build_packages(folder: Path, made: int) -> Path:
    """Wheel and sdist of what is committed, whatever else lies about -> the wheel."""
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch, "commit.tar")
        _git("archive", "--format=tar", f"--output={archive}", "HEAD")
        source = Path(scratch, "incident-ops")
        source.mkdir()
        subprocess.run(["tar", "-xf", archive, "-C", source], check=True)
        quietly = ["sh", str(ROOT / "requirements/quietly.sh")]
        words = [*quietly, sys.executable, "-I", "-m", "hatchling", "build", "-d", str(folder.resolve())]
        subprocess.run(words, cwd=source, env={**os.environ, "SOURCE_DATE_EPOCH": str(made)}, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


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
