"""Git as the repository of records: one process a question, nothing checked out.

A repository is data: no program that its configuration names is run (hooks, monitors, filters, signature checks,
fetching what a partial clone left out), and no replaced object is followed.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from incident_ops.domain.ports import Blob
from incident_ops.errors import Incomplete, UserError, WriteFailed

_REGULAR = ("100644", "100755")
_RAW = ("-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--relative", "--ignore-submodules=dirty")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.ASCII)
_QUIET = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",  # git before 2.45 does not know it; no transport is allowed either way
    "GIT_ALLOW_PROTOCOL": "none",
    "LC_ALL": "C",
}
_MOST_CONFLICTS = 127  # what `git merge-file` counts to; above it is an error
_NO_FILTER = (("clean", ""), ("smudge", ""), ("process", ""), ("required", "false"))
SETTINGS = (
    "--literal-pathspecs",
    "--no-replace-objects",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
)
"""What stands before every command: paths mean themselves, and nothing that the configuration names is run."""


def quiet_environment() -> dict[str, str]:
    """Our environment for a git process: nobody is asked for a password, nothing is fetched, messages are English.

    Of git's own variables only GIT_CEILING_DIRECTORIES is kept: the others could lead it to another repository.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name == "GIT_CEILING_DIRECTORIES"
    }
    return kept | _QUIET


class Git:
    """The git repository around a folder; paths given and taken are relative to that folder."""

    def __init__(self, root: Path, directory: Path, prefix: str, head: str | None) -> None:
        self.root = root
        self.directory = directory
        self.prefix = prefix
        self.head = head

    @classmethod
    def around(cls, folder: Path) -> Git | None:
        """The repository that holds `folder`, or None where there is none or no git program."""
        asked = _ask(folder, "--absolute-git-dir", "--show-prefix", "HEAD")
        if asked is None:
            return None
        lines = os.fsdecode(asked.stdout).split("\n")
        if len(lines) == 4:
            return cls(folder, Path(lines[0]), lines[1], None if asked.returncode else lines[2])
        if not asked.stdout:
            if b"not a git repository" in asked.stderr:
                return None
            raise _unusable(folder, os.fsdecode(asked.stderr))
        # a folder's name has a line break: one question a line
        directory, prefix, head = (
            _ask(folder, "--absolute-git-dir"),
            _ask(folder, "--show-prefix"),
            _ask(folder, "--verify", "HEAD"),
        )
        return cls(folder, Path(_line(directory)), _line(prefix), _line(head) or None)

    def resolve(self, revision: str) -> str:
        """The commit a revision names. UserError where it does not exist, with the shallow-clone hint."""
        done = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", check=False)
        found = done.stdout.decode().strip()
        if done.returncode or not _COMMIT.fullmatch(found):
            hint = self._shallow_hint() or "see `git log` or `git branch --all`"
            raise UserError(f"revision {revision!r} does not exist here", hint=hint)
        return found

    def merge_base(self, revision: str, commit: str) -> str:
        """The newest commit that `revision` and `commit` share. UserError where there is none (shallow clone)."""
        other = self.resolve(revision)
        done = self._run("merge-base", other, commit, check=False)
        found = done.stdout.decode().strip()
        if done.returncode > 1 or (found and not _COMMIT.fullmatch(found)):
            reason = done.stderr.decode(errors="replace").strip()[:200]
            raise Incomplete("git merge-base failed", hint=self._shallow_hint() or reason)
        if not found:
            hint = self._shallow_hint() or "name a revision that this one comes from"
            raise UserError(f"revision {revision!r} shares no history with {commit[:12]}", hint=hint)
        return found

    def _shallow_hint(self) -> str:
        shallow = (self.directory / "shallow").exists()
        return "this is a shallow clone: fetch with fetch-depth: 0" if shallow else ""

    def tree(self, commit: str, folders: Iterable[str] = ()) -> Iterator[Blob]:
        """Every file of a commit below this folder (or only below `folders`): path, blob id, regular or not."""
        out = self._stdout("ls-tree", "-r", "-z", commit, "--", *folders)
        for row in out.split(b"\0"):
            if row:
                head, _, name = row.partition(b"\t")
                mode, _, blob = head.decode().split(" ")
                yield Blob(os.fsdecode(name), blob, mode in _REGULAR)

    def changed(self, old: str, new: str, folders: Iterable[str]) -> Iterator[Blob]:
        """What differs between two commits below `folders`; a deleted path has an empty blob id."""
        out = self._stdout("diff-tree", *_RAW, old, new, "--", *folders)
        yield from self._raw(out)

    def knows(self, commit: str) -> bool:
        """True where the commit is in this repository."""
        return self._run("cat-file", "-e", f"{commit}^{{commit}}", check=False).returncode == 0

    def edited(self, commit: str, folders: Iterable[str]) -> Callable[[], list[str]]:
        """Starts comparing the work tree with a commit; the call of what it gives waits for the paths that differ."""
        command = self._command("diff-index", *_RAW, commit, "--", *folders)
        environment = quiet_environment() | self._no_filters()
        runs: list[subprocess.CompletedProcess[bytes]] = []

        def ask() -> None:
            runs.append(subprocess.run(command, capture_output=True, env=environment, check=False))  # noqa: S603

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()

        def answer() -> list[str]:
            asking.join()
            if not runs or runs[0].returncode:
                why = runs[0].stderr.decode(errors="replace").strip()[:200] if runs else ""
                raise Incomplete("git could not compare the work tree", hint=why)
            return [blob.path for blob in self._raw(runs[0].stdout)]

        return answer

    def read(self, blobs: Iterable[str]) -> Iterator[bytes]:
        """The bytes of blobs, in order, through one `git cat-file --batch`. Incomplete where one is missing."""
        with subprocess.Popen(  # noqa: S603
            self._command("cat-file", "--batch"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=quiet_environment()
        ) as process:
            feeder = threading.Thread(target=_feed, args=(process.stdin, blobs), daemon=True)
            feeder.start()
            answers: Any = process.stdout
            for header in iter(answers.readline, b""):
                words = header.split()
                if len(words) != 3:
                    raise Incomplete(
                        f"git has no object {words[0].decode()}", hint="fetch the whole history: fetch-depth: 0"
                    )
                body = answers.read(int(words[2]) + 1)
                yield body[:-1]
            feeder.join()
        if process.returncode:
            raise Incomplete("git cat-file ended early", hint="check the repository with `git fsck`")

    def read_path(self, commit: str, path: str) -> bytes | None:
        """The bytes of one path at a commit; None where it is not there."""
        blob = next((found.id for found in self.tree(commit, (path,)) if found.path == path), None)
        return None if blob is None else next(self.read((blob,)))

    def history(self, path: str, commit: str | None = None) -> Iterator[str]:
        """The commits that changed a path, newest first: those up to `commit`, else up to HEAD."""
        if (last := commit or self.head) is not None:
            out = self._stdout("rev-list", last, "--", path)
            yield from out.decode().split()

    def config(self, name: str) -> str | None:
        """A setting of this clone alone, None where it has none of that name."""
        done = self._run("config", "--local", "-z", "--get", name, check=False)
        return os.fsdecode(done.stdout).removesuffix("\0") if not done.returncode else None

    def set_config(self, name: str, value: str) -> None:
        """Sets a setting of this clone. WriteFailed where git may not write it."""
        done = self._run("config", "--local", name, value, check=False)
        if done.returncode:
            reason = " ".join(done.stderr.decode(errors="replace").split())[:200]
            hint = f"make {self.directory} writable"
            raise WriteFailed(f"git could not keep {name}: {reason}", hint=hint, where=str(self.directory / "config"))

    def _raw(self, out: bytes) -> Iterator[Blob]:
        fields = iter(out.split(b"\0"))
        for head in fields:
            if head:
                _, mode, _, blob, status = head.decode().lstrip(":").split(" ")
                yield Blob(os.fsdecode(next(fields)), "" if status == "D" else blob, mode in _REGULAR)

    def _no_filters(self) -> dict[str, str]:
        """Where size and time do not tell, git looks inside a file, through the filter that the configuration names."""
        done = self._run("config", "-z", "--name-only", "--get-regexp", r"^filter\.", check=False)
        names = {name.rpartition(".")[0] for name in os.fsdecode(done.stdout).split("\0") if name}
        off = [(f"{name}.{key}", value) for name in sorted(names) for key, value in _NO_FILTER]
        numbered = [(f"GIT_CONFIG_KEY_{n}", f"GIT_CONFIG_VALUE_{n}", *pair) for n, pair in enumerate(off)]
        settings = {
            key: text
            for key_name, value_name, name, value in numbered
            for key, text in ((key_name, name), (value_name, value))
        }
        return {"GIT_CONFIG_COUNT": str(len(off)), **settings}

    def _command(self, *words: str) -> list[str]:
        return ["git", *SETTINGS, "-C", str(self.root), *words]

    def _run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(self._command(*words), capture_output=True, env=quiet_environment(), check=False)  # noqa: S603
        if check and done.returncode:
            raise Incomplete(f"git {words[0]} failed", hint=done.stderr.decode(errors="replace").strip()[:200])
        return done

    def _stdout(self, *words: str) -> bytes:
        return self._run(*words).stdout


def merge_lines(base: Path, ours: Path, theirs: Path, size: int) -> tuple[bytes, bool]:
    """What `git merge-file` makes of three files, and whether it holds conflict markers, of `size` characters each.

    Incomplete where git cannot merge them (no text, no git program); no file is written.
    """
    labels = [word for label in ("ours", "base", "theirs") for word in ("-L", label)]
    files = [str(path.absolute()) for path in (ours, base, theirs)]
    command = ["git", *SETTINGS, "merge-file", "-p", f"--marker-size={size}", *labels, *files]
    try:
        done = subprocess.run(command, capture_output=True, env=quiet_environment(), check=False)  # noqa: S603
    except (FileNotFoundError, PermissionError) as error:
        raise Incomplete("git cannot be run to merge by lines", hint="install git", where=str(ours)) from error
    if done.returncode > _MOST_CONFLICTS or done.returncode < 0:
        reason = done.stderr.decode(errors="replace").strip()[:200]
        raise Incomplete("git cannot merge these files by lines", hint=reason, where=str(ours))
    return done.stdout, done.returncode > 0


def _ask(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes] | None:
    command = ["git", *SETTINGS, "-C", str(folder), "rev-parse", *words]
    try:
        return subprocess.run(command, capture_output=True, env=quiet_environment(), check=False)  # noqa: S603
    except (FileNotFoundError, PermissionError):
        return None


def _line(done: subprocess.CompletedProcess[bytes] | None) -> str:
    return os.fsdecode(done.stdout).removesuffix("\n") if done and not done.returncode else ""


def _unusable(folder: Path, reason: str) -> UserError | Incomplete:
    if "dubious ownership" in reason:
        remedy = next((line.strip() for line in reason.splitlines() if "safe.directory" in line), "")
        return UserError("git refuses this repository: it belongs to another user", hint=remedy, where=str(folder))
    return Incomplete("git cannot open this repository", hint=reason.strip()[:200], where=str(folder))


def _feed(stdin: IO[bytes] | None, blobs: Iterable[str]) -> None:
    if stdin is None:
        return
    try:
        with stdin:
            for blob in blobs:
                stdin.write(f"{blob}\n".encode())
    except BrokenPipeError:
        return
