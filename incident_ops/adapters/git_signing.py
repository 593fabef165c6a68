"""Commits that a rule refuses because nobody signed them, made once more by the host, which signs its own."""

from __future__ import annotations

from collections.abc import Callable

from incident_ops.adapters.git_proposals import ChangedFile, CommitMaker, bring_signed
from incident_ops.adapters.git_remote import Remote

_NO_FILES = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # git's id of an empty tree


def signed_by_host(remote: Remote, maker_of: Callable[[], CommitMaker | None]) -> Callable[[str], str]:
    """A function from a commit of this clone to the same one as the host signs it: "" where it signs none for the
    token. `maker_of` is asked only then. Raises WriteFailed or Ambiguous.
    """

    def signed(commit: str) -> str:
        maker = maker_of()
        if maker is None:
            return ""
        objects = remote.objects
        tree, parents = objects.tree_of(commit), objects.parents(commit)
        made = maker.signed("", tree, _files(remote, commit), next(iter(parents), ""), objects.message(commit))
        return bring_signed(remote, made, tree, parents)

    return signed


def _files(remote: Remote, commit: str) -> list[ChangedFile]:
    """Every file of a commit, with its bytes."""
    fields = remote.objects.difference(_NO_FILES, commit).decode().split("\0")
    rows = [(row.split(" "), path) for row, path in zip(fields[::2], fields[1::2], strict=False)]
    contents = remote.git.read([row[3] for row, _ in rows])
    return [ChangedFile(path, row[1], content) for (row, path), content in zip(rows, contents, strict=True)]
