"""Git as the repository of records: one process a question, nothing checked out; and new commits in its object store.

A repository is data: no program that its configuration names is run (hooks, monitors, filters, signature checks,
fetching what a partial clone left out), and no replaced object is followed. Commits are made without touching the work
tree, the index or the branches.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, NamedTuple

from incident_ops.adapters.processes import Ran, one_line, run
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
_CHECK = "check the repository with `git fsck`"
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


SHALLOW = "this is a shallow clone: git fetch --unshallow (in Actions: fetch-depth: 0)"
FETCH_FILTERED = "git fetch --refetch --no-filter, then run it again"


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
            hint = self.shallow_hint() or "`git fetch origin` gets what is new; see `git log` or `git branch --all`"
            raise UserError(f"revision {revision!r} does not exist here", hint=hint)
        return found

    def merge_base(self, revision: str, commit: str) -> str:
        """The newest commit that `revision` and `commit` share. UserError where there is none (shallow clone)."""
        other = self.resolve(revision)
        done = self._run("merge-base", other, commit, check=False)
        found = done.stdout.decode().strip()
        if done.returncode > 1 or (found and not _COMMIT.fullmatch(found)):
            reason = done.stderr.decode(errors="replace").strip()[:200]
            raise Incomplete("git merge-base failed", hint=self.shallow_hint() or reason)
        if not found:
            hint = self.shallow_hint() or "name a revision that this one comes from"
            raise UserError(f"revision {revision!r} shares no history with {commit[:12]}", hint=hint)
        return found

    def shallow_hint(self) -> str:
        """What fetches the history that a shallow clone lacks; "" where it lacks none."""
        return SHALLOW if (self.directory / "shallow").exists() else ""

    def _missing(self, what: str, hint: str) -> Incomplete:
        """An object is not here: the clone was made without it, or else `hint`."""
        filters = self._run("config", "--get-regexp", r"^remote\..*\.promisor$", check=False)
        if filters.stdout:
            return Incomplete("this is a partial clone, and it lacks what this needs", hint=FETCH_FILTERED)
        return Incomplete(what, hint=self.shallow_hint() or hint)

    def tree(self, commit: str, folders: Iterable[str] = ()) -> Iterator[Blob]:
        """Every file of a commit below this folder (or only below `folders`): path, blob id, regular or not."""
        out = self._stdout("ls-tree", "-r", "-z", commit, "--", *folders)
        for row in out.split(b"\0"):
            if row:
                head, _, name = row.partition(b"\t")
                mode, _, blob = head.decode().split(" ")
                yield Blob(os.fsdecode(name), blob, mode in _REGULAR)

    def top(self, commit: str) -> dict[str, bool]:
        """What lies right in this folder at a commit, in order; True for a folder."""
        rows = (row.partition(b"\t") for row in self._stdout("ls-tree", "-z", commit).split(b"\0") if row)
        return {os.fsdecode(name): b" tree " in head for head, _, name in rows}

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
        runs: list[subprocess.CompletedProcess[bytes]] = []

        def ask() -> None:
            environment = quiet_environment() | self._no_filters()
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
            self._command("cat-file", "--batch"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=quiet_environment(),
        ) as process:
            feeder = threading.Thread(target=_feed, args=(process.stdin, blobs), daemon=True)
            feeder.start()
            answers: Any = process.stdout
            for header in iter(answers.readline, b""):
                words = header.split()
                if len(words) != 3:
                    raise self._missing(f"git has no object {words[0].decode()}", _CHECK)
                body = answers.read(int(words[2]) + 1)
                yield body[:-1]
            feeder.join()
        if process.returncode:
            raise self._missing("git cat-file ended early", _CHECK)

    def read_path(self, commit: str, path: str) -> bytes | None:
        """The bytes of one path at a commit; None where it is not there."""
        blob = next((found.id for found in self.tree(commit, (path,)) if found.path == path), None)
        return None if blob is None else next(self.read((blob,)))

    def history(self, path: str, commit: str | None = None) -> Iterator[str]:
        """The commits that changed a path, newest first: those up to `commit`, else up to HEAD."""
        if (last := commit or self.head) is not None:
            yield from self._stdout("rev-list", last, "--", path).decode().split()

    def branch_history(self, path: str, commit: str) -> Iterator[tuple[str, datetime]]:
        """The commits of a branch itself (first parents) that changed a path, newest first, each with its time."""
        words = ("log", "--first-parent", "--no-show-signature", "--format=%H %ct", commit, "--", path)
        for row in self._stdout(*words).decode().splitlines():
            found, _, seconds = row.partition(" ")
            yield found, datetime.fromtimestamp(int(seconds), UTC)

    def committed_at(self, commit: str) -> datetime:
        """When a commit was made, by the clock of the machine that made it."""
        words = ("log", "-1", "--no-show-signature", "--format=%ct", commit)
        return datetime.fromtimestamp(int(self._stdout(*words)), UTC)

    def config(self, name: str, *, of_clone: bool = True) -> str | None:
        """A setting of this clone alone, or as git follows it here, whoever set it; None where it is not set."""
        done = self._run("config", *(["--local"] if of_clone else []), "-z", "--get", name, check=False)
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


_SECONDS = 120.0
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
        return self.files_tree({name: content})

    def files_tree(self, files: Mapping[str, bytes]) -> str:
        """A tree that holds these files at its top -> its id."""
        blobs = self.keep([*files.values()])
        rows = [f"100644 blob {blob}\t{name}\n" for name, blob in zip(files, blobs, strict=True)]
        return self._line("mktree", stdin="".join(rows).encode())

    def changed_tree(self, base: str, files: Mapping[str, bytes | None]) -> str:
        """The tree of a commit with these files changed, made, or taken out (None) -> its id.

        Paths are relative to the records' folder. UserError where one leaves it or is not a regular file.
        """
        import tempfile

        full = {self.git.prefix + _inside(path): content for path, content in files.items()}
        modes = self._modes(base, full)
        blobs = self.keep([content for content in full.values() if content is not None])
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

    def commit(
        self,
        tree: str,
        parents: tuple[str, ...],
        message: str,
        at: datetime,
        identity: Identity = BOT,
        signing: Mapping[str, str] | None = None,
    ) -> str:
        """A commit of a tree -> its id. With `signing`, variables of git's environment, git signs it."""
        who = {
            f"GIT_{role}_{field}": value
            for role in ("AUTHOR", "COMMITTER")
            for field, value in (
                ("NAME", identity.name),
                ("EMAIL", identity.email),
                ("DATE", f"@{int(at.timestamp())} +0000"),
            )
        }
        words = [word for parent in parents for word in ("-p", parent)] + ["-S"] * (signing is not None)
        more = who | dict(signing or {})
        return self._line("commit-tree", *words, "-F", "-", tree, stdin=f"{message.strip()}\n".encode(), more=more)

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
        """The bytes of a file at the top of a commit's tree; None where the tree has none of that name."""
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

    def keep(self, contents: list[bytes]) -> Iterator[str]:
        """Puts contents into the store -> the id of each."""
        import tempfile

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
