"""What `init --github` laid into a repository: its next release is merged with what people changed meanwhile.

`.github/incident-ops-laid.json` has what was filled in, and for each file the digest of what was laid and the blob that
git keeps of it: the base of a three-way merge. Why not the text itself: docs/decisions/0051-laid-files.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec

from incident_ops import __version__, resources
from incident_ops.adapters.git import Git, Objects, merge_lines
from incident_ops.app.existing import there_at
from incident_ops.errors import Incomplete, UserError
from incident_ops.render.init import FileOutcome, PlannedFile
from incident_ops.render.laid_texts import OWNERS_FILE, PULL_FILE, LaidValues, laid_texts
from incident_ops.resources import PULL_TEMPLATE

RECORD = ".github/incident-ops-laid.json"
BESIDE = ".new"
"""How the name ends under which a new version is written that could not be merged."""
_LOWER = PULL_TEMPLATE.lower()
_ELSEWHERE: dict[str, tuple[str, ...]] = {
    OWNERS_FILE: ("CODEOWNERS", "docs/CODEOWNERS"),
    PULL_FILE: (
        f".github/{_LOWER}",
        *(f"{folder}{name}" for folder in ("", "docs/") for name in (_LOWER, PULL_TEMPLATE)),
    ),
}
"""Where else GitHub looks for such a file; ours would stand before it."""
_MARKERS = 7


class LaidFile(msgspec.Struct, frozen=True):
    """What was laid at a path: its digest, and git's id of it; "" without git."""

    sha256: str
    blob: str = ""


class LaidRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The release that was laid last, what was filled in, and each of its files."""

    schema: int = 1
    version: str
    values: LaidValues
    files: dict[str, LaidFile]


class LaidState(NamedTuple):
    """What a run plans: what becomes of each file, and the paths whose new version is now the base."""

    files: list[PlannedFile]
    settled: frozenset[str]


class DriftKind(StrEnum):
    """Why a file is not what this release lays."""

    PEOPLE = "edited here"
    OLDER = "from an older release"
    MISSING = "missing"


class LaidDrift(NamedTuple):
    """A path that differs from this release, and why. `waits`: its new version lies beside it, not taken over."""

    path: str
    kind: DriftKind
    waits: bool = False


def read_laid(root: Path) -> LaidRecord | None:
    """What was laid last; None where nothing was. UserError where the file says nothing that can be used."""
    raw = there_at(root, RECORD)
    if raw is None:
        return None
    hint = "take it from git: git checkout -- " + RECORD
    if isinstance(raw, str):
        raise UserError(raw, hint=hint, where=RECORD)
    try:
        record = msgspec.json.decode(raw, type=LaidRecord)
    except msgspec.MsgspecError as error:
        raise UserError(f"is damaged: {error}", hint=hint, where=RECORD) from error
    if record.schema != 1:
        raise UserError("is from a newer release", hint="use that release of incident-ops", where=RECORD)
    return record


def release_files(values: LaidValues) -> dict[str, bytes]:
    """Path -> content of every file of this release."""
    return laid_texts(resources.template_texts(), values, __version__)


def drift(root: Path) -> list[LaidDrift] | None:
    """The paths that are not what this release lays, in order; None where `init --github` never ran."""
    record = read_laid(root)
    if record is None:
        return None
    wanted = release_files(record.values)
    found = []
    for path in sorted(wanted.keys() | record.files.keys()):
        now, laid = there_at(root, path), record.files.get(path)
        if now is None and (path not in wanted or (laid is None and _elsewhere(root, path))):
            continue
        if now is None or now != wanted.get(path):
            is_laid = isinstance(now, bytes) and laid is not None and _digest(now) == laid.sha256
            kind = DriftKind.MISSING if now is None else DriftKind.OLDER if is_laid else DriftKind.PEOPLE
            found.append(LaidDrift(path, kind, there_at(root, path + BESIDE) is not None))
    return found


def plan_laid(root: Path, git: Git | None, record: LaidRecord | None, wanted: Mapping[str, bytes]) -> LaidState:
    """What becomes of each file of a release, by what was laid before and by what people did to it since."""
    laid = record.files if record else {}
    planner = _Planner(root, git, laid)
    files = [planner.wanted(path, content) for path, content in sorted(wanted.items())]
    files += [one for path in sorted(laid.keys() - wanted.keys()) if (one := planner.dropped(path)) is not None]
    return LaidState(files, frozenset(wanted.keys() - planner.undecided))


def laid_record(
    git: Git | None, before: LaidRecord | None, values: LaidValues, wanted: Mapping[str, bytes], state: LaidState
) -> bytes:
    """The record after this run; the content of each settled file is kept by git, so that it is there as a base."""
    kept = {path: one for path, one in (before.files if before else {}).items() if path in wanted}
    settled = sorted(state.settled)
    blobs = [*Objects(git).keep([wanted[path] for path in settled])] if git else [""] * len(settled)
    now = {path: LaidFile(_digest(wanted[path]), blob) for path, blob in zip(settled, blobs, strict=True)}
    record = LaidRecord(version=__version__, values=values, files=dict(sorted({**kept, **now}.items())))
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"


def _elsewhere(root: Path, path: str) -> str:
    """Where else people have a file that GitHub would find there; "" where they have none."""
    return next((one for one in _ELSEWHERE.get(path, ()) if there_at(root, one) is not None), "")


class _Planner:
    def __init__(self, root: Path, git: Git | None, laid: Mapping[str, LaidFile]) -> None:
        self._root, self._git, self._laid = root, git, laid
        self.undecided: set[str] = set()

    def wanted(self, path: str, new: bytes) -> PlannedFile:
        """What becomes of a file of this release."""
        now, laid = there_at(self._root, path), self._laid.get(path)
        if isinstance(now, str):
            return self._left(path, now)
        if now is None and laid is None and (elsewhere := _elsewhere(self._root, path)):
            return self._left(path, f"{elsewhere} is there, and GitHub would no longer look at it")
        if now is None:
            return (
                PlannedFile(path, FileOutcome.WRITTEN, new)
                if laid is None
                else PlannedFile(path, FileOutcome.LEFT, note="it was deleted here, and stays so")
            )
        if now == new or (laid is not None and laid.sha256 == _digest(new)):
            return self._unchanged(path)
        if laid is not None and laid.sha256 == _digest(now):
            return PlannedFile(path, FileOutcome.UPDATED, new)
        merged = self._merged(now, laid, new)
        if merged is None:
            return self._beside(path, new)
        return self._unchanged(path) if merged == now else PlannedFile(path, FileOutcome.MERGED, merged)

    def dropped(self, path: str) -> PlannedFile | None:
        """What becomes of a file that this release has no longer."""
        now = there_at(self._root, path)
        if now is None:
            return None
        if isinstance(now, bytes) and _digest(now) == self._laid[path].sha256:
            return PlannedFile(path, FileOutcome.REMOVED)
        return PlannedFile(path, FileOutcome.LEFT, note="this release has it no longer; it was edited, so it is yours")

    def _unchanged(self, path: str) -> PlannedFile:
        waits = there_at(self._root, path + BESIDE) is not None
        note = f"take over what you need from {path}{BESIDE}, then remove that file" if waits else ""
        return PlannedFile(path, FileOutcome.LEFT if waits else FileOutcome.KEPT, note=note)

    def _left(self, path: str, why: str) -> PlannedFile:
        self.undecided.add(path)
        return PlannedFile(path, FileOutcome.LEFT, note=why)

    def _beside(self, path: str, new: bytes) -> PlannedFile:
        beside = path + BESIDE
        there = there_at(self._root, beside)
        if there is not None and there != new:
            return self._left(path, f"both sides changed it, and an older {beside} waits: take it over or remove it")
        why = f"{path} was changed here and by this release: take over what you need, then remove this file"
        return PlannedFile(beside, FileOutcome.WRITTEN, new, note=why)

    def _merged(self, now: bytes, laid: LaidFile | None, new: bytes) -> bytes | None:
        """Both sides' changes in one text; None where they touch, or where nothing says what was laid."""
        base = self._base(laid)
        return None if base is None else _merge(base, now, new)

    def _base(self, laid: LaidFile | None) -> bytes | None:
        if laid is None or not laid.blob or self._git is None:
            return None
        try:
            return next(self._git.read((laid.blob,)), None)
        except Incomplete:  # never committed and cleared away since, or a shallow clone
            return None


def _merge(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        paths: Iterator[Path] = (Path(folder) / name for name in ("ours", "base", "theirs"))
        files = dict(zip(paths, (ours, base, theirs), strict=False))
        for path, content in files.items():
            path.write_bytes(content)
        mine, old, new = files
        try:
            merged, has_conflicts = merge_lines(old, mine, new, _MARKERS)
        except Incomplete:  # no text
            return None
    return None if has_conflicts else merged


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
