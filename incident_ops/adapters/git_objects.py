"""New commits in a repository's object store; the work tree, the index and the branches stay as they are."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from incident_ops.adapters.git import SETTINGS, Git, quiet_environment
from incident_ops.adapters.processes import Ran, one_line, run
from incident_ops.errors import Incomplete, UserError, WriteFailed

_SECONDS = 120.0
_REGULAR = ("100644", "100755")
_FOLDER = "040000"
_WRITES = ("hash-object", "mktree", "read-tree", "update-index", "write-tree", "commit-tree")
_PLAIN = ("core.splitIndex=false", "core.sparseCheckout=false", "index.sparse=false", "i18n.commitEncoding=UTF-8")


class Identity(NamedTuple):
    """Who a commit says made it."""

    name: str
    email: str


BOT = Identity("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")


class Objects:
    """The object store of a repository. The same content, parents, identity and instant make the same commit."""

    def __init__(self, git: Git) -> None:
        self.git = git

    def file_tree(self, name: str, content: bytes) -> str:
        """A tree that holds one file -> its id."""
        blob = self._line("hash-object", "-w", "--no-filters", "--stdin", stdin=content)
        return self._line("mktree", stdin=f"100644 blob {blob}\t{name}\n".encode())

    def changed_tree(self, base: str, files: Mapping[str, bytes | None]) -> str:
        """The tree of a commit with these files changed, made, or taken out (None) -> its id.

        Paths are relative to the records' folder. UserError where one leaves it or is not a regular file.
        """
        full = {self.git.prefix + _inside(path): content for path, content in files.items()}
        modes = self._modes(base, full)
        blobs = self._blobs([content for content in full.values() if content is not None])
        rows = [
            f"0 {'0' * len(base)}\t{path}" if content is None else f"{modes.get(path, '100644')} {next(blobs)}\t{path}"
            for path, content in full.items()
        ]
        with tempfile.TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._line("read-tree", base, more=index)
            listing = os.fsencode("".join(f"{row}\0" for row in rows))
            self._line("update-index", "-z", "--index-info", stdin=listing, more=index)
            return self._line("write-tree", "--missing-ok", more=index)

    def commit(self, tree: str, parents: tuple[str, ...], message: str, at: datetime, identity: Identity = BOT) -> str:
        """A commit of a tree -> its id."""
        who = {
            f"GIT_{role}_{field}": value
            for role in ("AUTHOR", "COMMITTER")
            for field, value in (
                ("NAME", identity.name),
                ("EMAIL", identity.email),
                ("DATE", f"@{int(at.timestamp())} +0000"),
            )
        }
        after = [word for parent in parents for word in ("-p", parent)]
        return self._line("commit-tree", *after, "-F", "-", tree, stdin=f"{message.strip()}\n".encode(), more=who)

    def tree_of(self, commit: str) -> str:
        """The id of a commit's tree."""
        return self._line("rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}")

    def parents(self, commit: str) -> tuple[str, ...]:
        """The parents of a commit as this clone knows them: none at the edge of a shallow one."""
        return tuple(self._line("rev-list", "--parents", "--max-count=1", commit).split()[1:])

    def message(self, commit: str) -> str:
        """What a commit says."""
        return self._line("show", "--no-patch", "--no-show-signature", "--no-color", "--format=%B", commit)

    def content(self, commit: str, name: str) -> bytes | None:
        """The bytes of a file at the top of a commit's tree; None where there is no such file."""
        listed = self._ran("ls-tree", "-z", "--full-tree", commit, "--", name).stdout
        head = listed.partition(b"\t")[0].decode().split(" ")
        if head[0] not in _REGULAR:
            return None
        return self._ran("cat-file", "blob", head[2]).stdout

    def descends(self, commit: str, ancestor: str) -> bool:
        """True where `ancestor` is `commit` or comes before it."""
        return self._compared("--is-ancestor", ancestor, commit).code == 0

    def merge_base(self, one: str, other: str) -> str:
        """The newest commit that both share; "" where this clone knows none."""
        return self._compared(one, other).stdout.decode().strip()

    def difference(self, old: str, new: str) -> bytes:
        """What differs between two commits, with the ids of both sides: equal bytes are equal edits."""
        return self._ran("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", old, new).stdout

    def remember(self, ref: str, commit: str) -> None:
        """Keeps a commit under a ref. Another run may do so at the same moment: it is a memory, not a lock."""
        self._run("update-ref", "--no-deref", ref, commit)

    def _compared(self, *words: str) -> Ran:
        done = self._run("merge-base", *words)
        if done.code not in (0, 1):
            raise Incomplete("git could not compare two commits", hint=_reason(done))
        return done

    def _modes(self, commit: str, paths: Mapping[str, object]) -> dict[str, str]:
        """The mode of each path that is there. UserError where it, or what stands above it, is in the way."""
        above = {str(folder) for path in paths for folder in Path(path).parents}
        for path in sorted(above & paths.keys()):
            raise _refused(path, "cannot be a file and a folder")
        tops = sorted({path.partition("/")[0] for path in paths})
        listed = self._ran("ls-tree", "-r", "-t", "-z", "--full-tree", commit, "--", *tops).stdout if tops else b""
        modes = {}
        for row in os.fsdecode(listed).split("\0")[:-1]:
            head, _, name = row.partition("\t")
            mode = head[:6]
            if (name in above and mode != _FOLDER) or (name in paths and mode not in _REGULAR):
                raise _refused(name, "is not a folder" if name in above else "is not a regular file")
            if name in paths:
                modes[name] = mode
        return modes

    def _blobs(self, contents: list[bytes]) -> Iterator[str]:
        with tempfile.TemporaryDirectory() as folder:
            names = [Path(folder) / str(number) for number in range(len(contents))]
            for name, content in zip(names, contents, strict=True):
                name.write_bytes(content)
            listed = "".join(f"{name}\n" for name in names).encode()
            out = self._ran("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=listed).stdout
        return iter(out.decode().split())

    def _line(self, *words: str, stdin: bytes = b"", more: Mapping[str, str] | None = None) -> str:
        return self._ran(*words, stdin=stdin, more=more).stdout.decode(errors="replace").strip()

    def _ran(self, *words: str, stdin: bytes = b"", more: Mapping[str, str] | None = None) -> Ran:
        done = self._run(*words, stdin=stdin, more=more)
        if done.code != 0:
            what = f"did not end within {_SECONDS:.0f} s" if done.code is None else f"failed: {_reason(done)}"
            error = WriteFailed if words[0] in _WRITES else Incomplete
            raise error(f"git {words[0]} {what}", hint="see `git fsck`", where=str(self.git.directory))
        return done

    def _run(self, *words: str, stdin: bytes = b"", more: Mapping[str, str] | None = None) -> Ran:
        plain = [word for setting in _PLAIN for word in ("-c", setting)]
        command = ["git", *SETTINGS, *plain, "-C", str(self.git.root), *words]
        return run(command, {**quiet_environment(), **(more or {})}, _SECONDS, stdin)


def _inside(path: str) -> str:
    """The path as it was given, where it stays inside the records' folder."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or part.casefold() == ".git" for part in parts) or "\0" in path:
        raise _refused(path, "leaves the records' folder")
    return path


def _refused(path: str, why: str) -> UserError:
    hint = "only regular files inside the records' folder are written"
    return UserError(f"{one_line(path)} {why}", hint=hint, where=one_line(path))


def _reason(done: Ran) -> str:
    return one_line(done.stderr.decode(errors="replace"), 200)
