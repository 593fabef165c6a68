"""What a person sends: branches of this clone, moved without a checkout, and commits by git's user, signed if asked."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from incident_ops.adapters.environment import git_identity
from incident_ops.adapters.git import SETTINGS, Git, Identity, Objects, quiet_environment
from incident_ops.adapters.git_remote import own_settings
from incident_ops.adapters.processes import Ran, one_line, run
from incident_ops.errors import Incomplete, UserError, WriteFailed

_SECONDS = 60.0
_HEADS = "refs/heads/"
_TRUE = ("true", "yes", "on", "1", "")
_SIGNERS = {"gpg.program": "gpg", "gpg.ssh.program": "ssh-keygen", "gpg.x509.program": "gpgsm"}
_KEY_COMMAND = "gpg.ssh.defaultkeycommand"


class OutgoingBranches:
    """Branches of this clone below `refs/heads/`, and new commits for them. No index and no work tree is touched."""

    def __init__(self, git: Git) -> None:
        self.git = git
        self.objects = Objects(git)

    def tips(self, *folders: str) -> dict[str, str]:
        """Branch -> its commit, of those below folders such as `incident-ops/edit/`."""
        words = ("for-each-ref", "--format=%(objectname) %(refname)", *(f"{_HEADS}{one}" for one in folders))
        rows = (line.split(" ", 1) for line in self._line(*words).splitlines())
        return {name.removeprefix(_HEADS): commit for commit, name in rows}

    def tip(self, branch: str) -> str | None:
        """The commit a branch of this clone is at; None where there is no such branch."""
        return self.tips(branch).get(branch)

    def move(self, branch: str, commit: str, before: str | None) -> None:
        """Moves a branch of this clone from `before` (None: it is new) to a commit.

        UserError where it is checked out somewhere: what is there would no longer fit. WriteFailed where another
        process was faster, or a branch of another name stands in the way.
        """
        self.demand_free(branch)
        done = self._run(
            "update-ref", "-m", "incident-ops send", f"{_HEADS}{branch}", commit, before or "0" * len(commit)
        )
        if done.code != 0:
            hint = f"see `git branch --list 'incident-ops*'`; {_reason(done)}"
            raise WriteFailed(f"branch {branch} of this clone could not be moved", hint=hint)

    def demand_free(self, branch: str) -> None:
        """UserError where a branch is checked out, here or in another work tree of this clone."""
        place = ""
        for line in self._line("worktree", "list", "--porcelain").splitlines():
            if line.startswith("worktree "):
                place = line.removeprefix("worktree ")
            elif line == f"branch {_HEADS}{branch}":
                hint = "switch to another branch there: git switch -"
                raise UserError(f"branch {branch} is checked out in {place}", hint=hint)

    def paths_between(self, old: str, new: str) -> set[str]:
        """The files in which two commits differ, as paths from the top of the repository."""
        out = self._run("diff-tree", "-r", "-z", "--name-only", "--no-renames", old, new)
        if out.code != 0:
            raise Incomplete("git could not compare two commits", hint=_reason(out))
        return {name for name in os.fsdecode(out.stdout).split("\0") if name}

    def paths_new_in(self, commit: str, known: Sequence[str]) -> set[str]:
        """The files, from the top of the repository, that commits up to `commit` touch, of those that neither the
        commits `known` hold nor what was fetched; also files that a later one of them removes again."""
        fetched = ("--glob=refs/remotes/origin", "--glob=refs/incident-ops")
        words = ("log", "-z", "-c", "--no-show-signature", "--format=", "--name-only", "--no-renames", commit)
        out = self._line(*words, "--not", *known, *fetched)
        return {name.strip("\n") for name in out.split("\0")} - {""}

    def edits(self, since: str, commit: str) -> list[str]:
        """What the commits say that `since` has not, newest first: the lines of their lists, else their first lines."""
        words = ("log", "--no-show-signature", "--format=%B%x00", "--max-count=100", commit, f"^{since}")
        found: list[str] = []
        for message in self._line(*words).split("\0"):
            lines = message.strip().split("\n")
            found += [line.removeprefix("- ") for line in lines[1:] if line.startswith("- ")] or lines[:1]
        return [line for line in found if line]

    def commit(self, tree: str, parents: tuple[str, ...], message: str, at: datetime, name: str, *, sign: bool) -> str:
        """A commit by git's user, else by `name` -> its id. It is signed where git is set to (commit.gpgsign), by the
        person's own programs, unless `sign` is false. WriteFailed where it cannot be signed."""
        who = _person(self.git.root, name)
        signing = self._signing() if sign and self._is_signing() else None
        try:
            return self.objects.commit(tree, parents, message, at, who, signing)
        except WriteFailed as error:
            if signing is None:
                raise
            hint = "fix that and run `incident-ops send`; or once without a signature: incident-ops send --no-sign"
            raise WriteFailed(f"the commit could not be signed (commit.gpgsign): {error.message}", hint=hint) from error

    def _is_signing(self) -> bool:
        return (self.git.config("commit.gpgsign", of_clone=False) or "no").casefold() in _TRUE

    def _signing(self) -> Mapping[str, str]:
        """Git's environment in which it signs with the programs that the person names, never those of the clone."""
        own = dict(own_settings(self.git, r"^gpg\."))
        pairs = [(name, own.get(name, standard)) for name, standard in _SIGNERS.items()]
        pairs.append(("gpg.openpgp.program", own.get("gpg.openpgp.program", own.get("gpg.program", "gpg"))))
        pairs.append((_KEY_COMMAND, own.get(_KEY_COMMAND, "")))
        numbered = {
            key: text
            for n, (name, value) in enumerate(pairs)
            for key, text in ((f"GIT_CONFIG_KEY_{n}", name), (f"GIT_CONFIG_VALUE_{n}", value))
        }
        return {"GIT_CONFIG_COUNT": str(len(pairs)), **numbered}

    def _line(self, *words: str) -> str:
        done = self._run(*words)
        if done.code != 0:
            raise Incomplete(f"git {words[0]} failed", hint=_reason(done))
        return os.fsdecode(done.stdout).strip()

    def _run(self, *words: str) -> Ran:
        return run(["git", *SETTINGS, "-C", str(self.git.root), *words], quiet_environment(), _SECONDS)


def _person(folder: Path, name: str) -> Identity:
    """Who commits, as git would say; where git does not know, `name` (a handle or `user@host`)."""
    known = git_identity(folder)
    plain = name.removeprefix("@") or "incident-ops"
    address = f"{plain}@users.noreply.github.com" if name.startswith("@") else plain.replace(" ", ".")
    said = (os.environ.get("GIT_COMMITTER_NAME", "").strip(), os.environ.get("GIT_COMMITTER_EMAIL", "").strip())
    return Identity(said[0] or known.name or plain, said[1] or known.address or address)


def _reason(done: Ran) -> str:
    return one_line(done.stderr.decode(errors="replace"), 200)
