"""The history of a branch as facts: who made which commit, what each changed below a folder, what brought it in."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from incident_ops.adapters.git import SETTINGS, Git, quiet_environment
from incident_ops.adapters.processes import Ran, one_line, run
from incident_ops.errors import Incomplete

_SECONDS = 600.0
_FIELD, _COMMIT = "\x02", "\x01"
_FORMAT = f"--format={_COMMIT}%H{_FIELD}%ct{_FIELD}%ce{_FIELD}%ae{_FIELD}%an"
_ABSENT = "0"
_GOOD = "G"
# The programs that look at signatures have their usual names, whatever the configuration of the repository says.
_SIGNATURES = (
    ("gpg.program", "gpg"),
    ("gpg.openpgp.program", "gpg"),
    ("gpg.x509.program", "gpgsm"),
    ("gpg.ssh.program", "ssh-keygen"),
)


class FileChange(NamedTuple):
    """A file as a commit found it, once a parent, and as it left it; an empty id where it was not there."""

    path: str
    before: tuple[str, ...]
    after: str


class Commit(NamedTuple):
    """A commit and what it changed itself: of a merge only what is in none of its parents."""

    id: str
    at: datetime
    committer_email: str
    author_email: str
    author: str
    changes: tuple[FileChange, ...]


class Log:
    """Questions about the history of one repository."""

    def __init__(self, git: Git) -> None:
        self.git = git

    def is_cut(self) -> bool:
        """True for a shallow clone: what lies before its edge is unknown."""
        return self._text("rev-parse", "--is-shallow-repository").strip() == "true"

    def commits(self, tip: str, since: str | None, folder: str) -> Iterator[Commit]:
        """Every commit up to `tip`, and not up to `since`, that changed something below a folder; the newest first."""
        span = [tip, *([f"^{since}"] if since else [])]
        words = ("-c", "--raw", "-z", "--full-history", "--no-renames", "--no-abbrev", "--relative", "--root")
        out = self._text("log", "--topo-order", "--no-show-signature", *words, _FORMAT, *span, "--", folder)
        tokens = iter(out.split("\0"))
        head: list[str] = []
        changes: list[FileChange] = []
        for token in tokens:
            text = token.lstrip("\n")
            if text.startswith(_COMMIT):
                if head:
                    yield _commit(head, changes)
                head, changes = text.removeprefix(_COMMIT).split(_FIELD, 4), []
            elif text.startswith(":"):
                changes.append(_change(text, next(tokens)))
        if head:
            yield _commit(head, changes)

    def changed_since(self, since: datetime, line: str, folder: str, tip: str) -> set[str]:
        """The paths below `folder` that were changed by the commits of that time or later, of those up to `tip`, that
        have this line in their message."""
        words = ("log", "-z", "--no-show-signature", "--format=", "--name-only", "--no-renames", "--relative")
        which = (f"--since=@{int(since.timestamp())}", "--fixed-strings", f"--grep={line}")
        return {name.strip("\n") for name in self._text(*words, *which, tip, "--", folder).split("\0")} - {""}

    def merges(self, tip: str) -> Mapping[str, str]:
        """Each commit that a merge brought to the branch of `tip`, and that merge."""
        parents = {row[0]: row[1:] for row in map(str.split, self._text("rev-list", "--parents", tip).splitlines())}
        chain, at = [], tip
        while at in parents:
            chain.append(at)
            at = parents[at][0] if parents[at] else ""
        own, brought = set(chain), dict[str, str]()
        for merge in reversed(chain):
            todo = list(parents[merge][1:])
            while todo:
                commit = todo.pop()
                if commit in parents and commit not in own and commit not in brought:
                    brought[commit] = merge
                    todo += parents[commit]
        return brought

    def people(self, commit: str) -> tuple[str, str, str]:
        """Committer's address, author's address and name of a commit."""
        committer, author, name = self._text(
            "log", "-1", "--no-show-signature", f"--format=%ce{_FIELD}%ae{_FIELD}%an", commit
        ).rstrip("\n").split(_FIELD, 2)  # fmt: skip
        return committer, author, name

    def is_signed(self, commit: str) -> bool:
        """True where a signature of the commit is good, by a key that this machine trusts."""
        settings = [word for pair in _SIGNATURES for word in ("-c", "=".join(pair))]
        done = self._run(*settings, "log", "-1", "--format=%G?", commit)
        return done.code == 0 and done.stdout.decode(errors="replace").strip() == _GOOD

    def _text(self, *words: str) -> str:
        done = self._run(*words)
        if done.code != 0:
            raise Incomplete(f"git {words[0]} failed", hint=one_line(done.stderr.decode(errors="replace"), 200))
        return os.fsdecode(done.stdout)

    def _run(self, *words: str) -> Ran:
        return run(["git", *SETTINGS, "-C", str(self.git.root), *words], quiet_environment(), _SECONDS)


def _commit(head: list[str], changes: list[FileChange]) -> Commit:
    commit, seconds, committer, email, author = head
    return Commit(commit, datetime.fromtimestamp(int(seconds), UTC), committer, email, author, tuple(changes))


def _change(head: str, path: str) -> FileChange:
    """A row of `git log -c --raw`: as many colons as parents, a mode and an id for each of them and for the result."""
    count = len(head) - len(head.lstrip(":"))
    ids = head[count:].split(" ")[count + 1 : 2 * count + 2]
    known = ["" if not one.strip(_ABSENT) else one for one in ids]
    return FileChange(path, tuple(known[:-1]), known[-1])
