"""What the core asks of the world; adapters answer.

A read that did not finish raises `Incomplete`, never "nothing there".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from incident_ops.model.blob import Blob
from incident_ops.model.observed import Edit, Issue


class Clock(Protocol):
    """Where "now" comes from; only the command line asks it."""

    def now(self) -> datetime:
        """This instant, aware UTC."""
        ...


class IssueTracker(Protocol):
    """A tracker that holds our issues. Each write is one step: it happens whole or not at all.

    Reads raise `Incomplete`, writes `WriteFailed`.
    """

    def owned(self) -> Sequence[Issue]:
        """Every issue of ours, open or closed, complete; other people's issues may be among them."""
        ...

    def create(self, key: str, title: str, body: str, labels: Sequence[str], assignees: Sequence[str]) -> int:
        """Opens the issue that `key` owns, with all it needs, in one step -> its number.

        Where the key owns an issue already, that one's number is returned and nothing is written.
        """
        ...

    def update(self, number: int, edit: Edit) -> None:
        """Changes what `edit` names."""
        ...

    def close(self, number: int, reason: str, edit: Edit) -> None:
        """Closes as completed, not_planned or duplicate, and changes what `edit` names in the same step."""
        ...

    def reopen(self, number: int, edit: Edit) -> None:
        """Opens again, and changes what `edit` names in the same step."""
        ...


class Repository(Protocol):
    """A git repository seen from the records' folder; every path is relative to that folder.

    Reads raise `Incomplete` when they do not finish; a revision that does not exist is a `UserError`.
    """

    @property
    def head(self) -> str | None:
        """The commit of HEAD, None before the first commit."""
        ...

    @property
    def prefix(self) -> str:
        """Where the records' folder lies in the repository, "" at its top, else ending with `/`."""
        ...

    def resolve(self, revision: str) -> str:
        """The commit id a revision names."""
        ...

    def merge_base(self, revision: str, commit: str) -> str:
        """The newest commit that both share; a `UserError` where there is none."""
        ...

    def knows(self, commit: str) -> bool:
        """True where the commit is in this repository."""
        ...

    def tree(self, commit: str, folders: Iterable[str] = ()) -> Iterator[Blob]:
        """Every file of a commit below `folders` (all of them without)."""
        ...

    def changed(self, old: str, new: str, folders: Iterable[str]) -> Iterator[Blob]:
        """What differs between two commits; a deleted path has an empty blob id."""
        ...

    def edited(self, commit: str, folders: Iterable[str]) -> Callable[[], list[str]]:
        """Starts comparing the work tree with a commit; the call of what it gives waits for the paths that differ."""
        ...

    def read(self, blobs: Iterable[str]) -> Iterator[bytes]:
        """The bytes of blobs, in order."""
        ...

    def read_path(self, commit: str, path: str) -> bytes | None:
        """The bytes of one path at a commit; None where it is not there."""
        ...

    def history(self, path: str, commit: str | None = None) -> Iterator[str]:
        """The commits that changed a path, newest first: those up to `commit`, else up to HEAD."""
        ...
