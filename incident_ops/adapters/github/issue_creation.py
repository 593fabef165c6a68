"""Opening an issue on GitHub: never a second one of a key, even where an answer was lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from incident_ops.adapters.github.client import Client, Identity
from incident_ops.adapters.github.responses import IssueSeen, check, check_body, check_title
from incident_ops.errors import Ambiguous, Incomplete, Stopped

_RETRY = "the next run looks for it before it opens another"


class IssueCreation:
    """Opens issues; remembers for the length of a run which keys have one and which may have one.

    The caller holds the lock of the repository while it opens. `labels` are those by which issues of
    ours are listed; `owner_of` reads the key in a body.
    """

    def __init__(
        self, client: Client, identity: Identity, owner_of: Callable[[str], str | None], labels: tuple[str, ...]
    ) -> None:
        self._client, self._identity, self._owner_of, self._labels = client, identity, owner_of, labels
        self._numbers: dict[str, int] = {}
        self._doubtful: dict[str, str] = {}
        self._has_looked = False

    def open(
        self,
        key: str,
        title: str,
        body: str,
        labels: Sequence[str],
        assignees: Sequence[str],
        known: int,
        milestone: int | None,
    ) -> IssueSeen | int:
        """Opens the issue of `key` -> the issue, or only its number where it has one already.

        `known` is the highest number the plan was made from: what is newer is looked through once, before the first
        issue of the run. `Ambiguous` where an answer was lost and the issue cannot be found; it is not opened again.
        """
        check_title(title, f"the issue of {key}")
        check_body(body, f"the issue of {key}")
        if key in self._doubtful:
            raise Ambiguous(self._doubtful[key], hint=_RETRY)
        if not self._has_looked:
            self._identity.check_token()
            for label in self._labels:
                self._note(self._newer(label, known))
            self._has_looked = True
        if key in self._numbers:
            return self._numbers[key]
        wanted: dict[str, object] = {"title": title, "body": body, "labels": list(labels), "assignees": list(assignees)}
        if milestone is not None:
            wanted["milestone"] = milestone
        return self._post(key, wanted)

    def _post(self, key: str, wanted: dict[str, object]) -> IssueSeen | int:
        doing = f"opening the issue of {key}"
        try:
            made = check(self._client.write("POST", "/issues", wanted, doing=doing).data, IssueSeen, doing)
        except (Ambiguous, Incomplete) as error:
            return self._find(key, error)
        self._numbers[key] = made.number
        self._identity.check_written(f"issue #{made.number} of {key}", made.author)
        if not {label.casefold() for label in self._labels} & {label.name.casefold() for label in made.labels}:
            raise Stopped(
                f"issue #{made.number} of {key} was opened, and GitHub left out its labels; no more is opened",
                hint=f"the token may not set labels: give it write access, and put `{self._labels[0]}` on that issue",
            )
        return made

    def _find(self, key: str, lost: Ambiguous | Incomplete) -> int:
        """The number of an issue whose opening nobody confirmed, from a fresh list; it may be newest or not there."""
        self._client.settle()
        self._doubtful[key] = f"opening the issue of {key}: {lost.message}"
        try:
            for label in self._labels:
                self._note(self._page(label))
                if key in self._numbers:
                    del self._doubtful[key]
                    return self._numbers[key]
        except (Incomplete, Stopped) as error:
            raise Ambiguous(f"{self._doubtful[key]}; {error.message}", hint=_RETRY) from error
        self._doubtful[key] += "; a fresh list does not show it"
        raise Ambiguous(self._doubtful[key], hint=_RETRY) from lost

    def _note(self, issues: Iterator[IssueSeen]) -> None:
        """Remembers, by key, the lowest number among issues of ours."""
        for one in issues:
            key = self._owner_of(one.body or "")
            if key and self._identity.trusts(one.author) and one.state_reason != "duplicate":
                self._numbers[key] = min(one.number, self._numbers.get(key, one.number))

    def _page(self, label: str) -> Iterator[IssueSeen]:
        yield from next(self._pages(label), [])

    def _newer(self, label: str, known: int) -> Iterator[IssueSeen]:
        for page in self._pages(label):
            for one in page:
                if one.number <= known:
                    return
                yield one

    def _pages(self, label: str) -> Iterator[list[IssueSeen]]:
        doing = "listing the newest issues"
        found = self._client.pages("/issues", doing=doing, labels=label, state="all", sort="created", direction="desc")
        for page in found:
            seen = check(page, list[IssueSeen], doing)
            yield [one for one in seen if one.pull_request is None]
