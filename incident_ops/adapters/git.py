"""Git as the repository of records: one process a question, nothing checked out, nobody's hooks run."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from incident_ops.errors import Incomplete, UserError
from incident_ops.model.blob import Blob

_REGULAR = ("100644", "100755")
_RAW = ("-r", "-z", "--raw", "--no-renames", "--relative")
_SETTINGS = ("--literal-pathspecs", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")


def _environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name == "GIT_CEILING_DIRECTORIES"
    }
    return {**kept, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


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
        command = ["git", *_SETTINGS, "-C", str(folder), "rev-parse", "--absolute-git-dir", "--show-prefix", "HEAD"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, env=_environment(), check=False)  # noqa: S603
        except FileNotFoundError:
            return None
        lines = done.stdout.split("\n")
        if done.returncode and "not a git repository" in done.stderr:
            return None
        if len(lines) < 3 or not lines[0].startswith("/"):
            if "dubious ownership" in done.stderr:
                hint = f"git config --global --add safe.directory {folder}"
                raise UserError("git refuses this repository: it belongs to another user", hint=hint, where=str(folder))
            return None
        head = lines[2] if not done.returncode else None
        return cls(folder, Path(lines[0]), lines[1], head)

    def resolve(self, revision: str) -> str:
        """The commit a revision names. UserError where it does not exist, with the shallow-clone hint."""
        done = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", check=False)
        found = done.stdout.decode().strip()
        if done.returncode or not found:
            shallow = (self.directory / "shallow").exists()
            hint = (
                "this is a shallow clone: fetch with fetch-depth: 0"
                if shallow
                else "see `git log` or `git branch --all`"
            )
            raise UserError(f"revision {revision!r} does not exist here", hint=hint)
        return found

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
        asked = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment())  # noqa: S603

        def answer() -> list[str]:
            out, told = asked.communicate()
            if asked.returncode:
                raise Incomplete(
                    "git could not compare the work tree", hint=told.decode(errors="replace").strip()[:200]
                )
            return [blob.path for blob in self._raw(out)]

        return answer

    def read(self, blobs: Iterable[str]) -> Iterator[bytes]:
        """The bytes of blobs, in order, through one `git cat-file --batch`. Incomplete where one is missing."""
        with subprocess.Popen(  # noqa: S603
            self._command("cat-file", "--batch"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment()
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
        done = self._run("cat-file", "blob", f"{commit}:./{path}", check=False)
        return None if done.returncode else done.stdout

    def history(self, path: str) -> Iterator[str]:
        """The commits that changed a path, newest first."""
        if self.head is not None:
            out = self._stdout("log", "--format=%H", self.head, "--", path)
            yield from out.decode().split()

    def _raw(self, out: bytes) -> Iterator[Blob]:
        fields = iter(out.split(b"\0"))
        for head in fields:
            if head:
                _, mode, _, blob, status = head.decode().lstrip(":").split(" ")
                yield Blob(os.fsdecode(next(fields)), "" if status == "D" else blob, mode in _REGULAR)

    def _command(self, *words: str) -> list[str]:
        return ["git", *_SETTINGS, "-C", str(self.root), *words]

    def _run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(self._command(*words), capture_output=True, env=_environment(), check=False)  # noqa: S603
        if check and done.returncode:
            raise Incomplete(f"git {words[0]} failed", hint=done.stderr.decode(errors="replace").strip()[:200])
        return done

    def _stdout(self, *words: str) -> bytes:
        return self._run(*words).stdout


def _feed(stdin: IO[bytes] | None, blobs: Iterable[str]) -> None:
    if stdin is None:
        return
    try:
        with stdin:
            for blob in blobs:
                stdin.write(f"{blob}\n".encode())
    except BrokenPipeError:
        return
