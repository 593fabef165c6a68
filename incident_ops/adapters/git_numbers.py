"""Numbers of ids and of issues, on a branch of the remote.

Each number of an id is taken once: two people never get the same one. The branch holds the last number of each series,
whether it is of incidents, maintenance or problems, and the number of each issue that a run opened or saw, and
the names of the repositories of teams that have some. It only grows, but for the lists of issues that are remembered.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, NamedTuple, TypeVar

import msgspec

from incident_ops.adapters.git import Objects
from incident_ops.adapters.git_remote import Move, Remote, Stay, compare_and_set
from incident_ops.domain.tracker import StoredList
from incident_ops.errors import Incomplete

NUMBERS_BRANCH = "incident-ops/ids"
_FILE, _ISSUES, _NAMES, _LISTS = "last.json", "issues.json", "repositories.json", "lists.json"
_RECORDS = "records.json"
_FILES = (_FILE, _ISSUES, _NAMES, _LISTS, _RECORDS)

Digits = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,19}$")]
RepositoryName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,50}/[A-Za-z0-9._-]{1,100}$")]
_Shape = TypeVar("_Shape")


def take_number(remote: Remote, series: str, highest: Callable[[str | None], int], now: datetime) -> int:
    """The next number of a series, e.g. `INC-2025-`; from now on nobody else gets it.

    `highest` is given the commit at the tip of the remote's default branch (None: it has no commit), and tells the
    highest number of the series that a record has already. WriteFailed where the remote refuses, Incomplete where it
    cannot be read, Ambiguous where its answer was lost: the number may then be taken, and nobody has it.
    """
    objects = remote.objects

    def decide(seen: str | None) -> Move[int]:
        last = _last(objects, seen)
        number = max(last.get(series, 0), highest(remote.default_tip())) + 1
        # two clones that take the same number at the same instant must not make the same commit
        message = f"Number {number} of {series}\n\nby: {secrets.token_hex(8)}"
        tree = _tree(objects, seen, {_FILE: {**last, series: number}})
        return Move(objects.commit(tree, (seen,) if seen else (), message, now), number)

    return compare_and_set(remote, NUMBERS_BRANCH, decide, "no number was taken")


def _last(objects: Objects, seen: str | None) -> dict[str, int]:
    """The last number of each series. Incomplete where the branch holds something else: a guess could be taken."""
    if seen is None:
        return {}
    try:
        last = json.loads(objects.content(seen, _FILE) or b"")
    except (ValueError, RecursionError):
        last = None
    if not isinstance(last, dict) or not all(type(number) is int and number >= 0 for number in last.values()):
        hint = f"its history has the last good one: git log -p origin/{NUMBERS_BRANCH}"
        raise Incomplete(f"branch {NUMBERS_BRANCH} does not hold numbers", hint=hint, where=NUMBERS_BRANCH)
    return last


class KeptIssues(NamedTuple):
    """What runs kept of issues: id of a repository -> key -> number; the names of the repositories of teams; by id the
    lists that are remembered; and by id the names that a repository with records had, in order."""

    by_id: Mapping[int, Mapping[str, int]] = MappingProxyType({})
    names: Mapping[int, str] = MappingProxyType({})
    lists: Mapping[int, StoredList] = MappingProxyType({})
    records: Mapping[int, tuple[str, ...]] = MappingProxyType({})


class NamedHome(NamedTuple):
    """The repository with the records, by id, and what it is called now (owner/name)."""

    id: int
    name: str


def numbers_kept(remote: Remote) -> KeptIssues:
    """All of it. Incomplete where it cannot be read; lists that cannot be read are not remembered."""
    tip = remote.tip(NUMBERS_BRANCH)
    objects = remote.objects
    lists, records = _by_id(_lists(objects, tip)), _by_id(_records(objects, tip))
    return KeptIssues(_by_id(_issues(objects, tip)), _by_id(_names(objects, tip)), lists, records)


def keep_issue_numbers(
    remote: Remote,
    repository_id: int,
    numbers: Mapping[str, int],
    now: datetime,
    name: str = "",
    seen_list: StoredList | None = None,
    home: NamedHome | None = None,
) -> None:
    """Adds numbers of issues to those that are kept; a key that has another one gets this.

    `name` is that of a team's repository, "" for the one with the tracking issues; `seen_list` takes the place of the
    list that is remembered; the name of `home` comes after those that it had. Errors as `take_number`.
    """
    objects = remote.objects

    def decide(seen: str | None) -> Move[None] | Stay[None]:
        last, kept = _last(objects, seen), _issues(objects, seen)
        there, named = kept.get(str(repository_id), {}), _names(objects, seen)
        names = {**named, str(repository_id): name} if name else named
        lists = _lists(objects, seen)
        newer = {**lists, str(repository_id): seen_list} if seen_list else lists
        known = _records(objects, seen)
        records = known if home is None else _with_name(known, home)
        if numbers.items() <= there.items() and names == named and newer == lists and records == known:
            return Stay(None)
        files: dict[str, object] = {_FILE: last, _ISSUES: {**kept, str(repository_id): {**there, **numbers}}}
        files |= ({_NAMES: names} if name else {}) | ({_RECORDS: records} if records != known else {})
        tree = _tree(objects, seen, files, newer if newer != lists else None)
        new = len(numbers.items() - there.items())
        message = f"Numbers of {new} issues" if new or not name else f"Issues are in {name}"
        return Move(objects.commit(tree, (seen,) if seen else (), message, now), None)

    compare_and_set(remote, NUMBERS_BRANCH, decide, "the numbers of issues were not kept")


def _tree(
    objects: Objects,
    seen: str | None,
    changed: Mapping[str, object],
    lists: Mapping[str, StoredList] | None = None,
) -> str:
    """The files of the branch, with those that changed."""
    there = {} if seen is None else {name: objects.content(seen, name) for name in _FILES}
    spelled = {name: f"{json.dumps(data, indent=0, sort_keys=True)}\n".encode() for name, data in changed.items()}
    spelled |= {} if lists is None else {_LISTS: _spelled(lists)}
    return objects.files_tree({name: text for name, text in there.items() if text is not None} | spelled)


def _spelled(lists: Mapping[str, StoredList]) -> bytes:
    """One issue a line, so that git stores what changed and no more."""
    return msgspec.json.encode(lists, order="deterministic").replace(b'{"number":', b'\n{"number":') + b"\n"


def _lists(objects: Objects, seen: str | None) -> dict[str, StoredList]:
    """Id of a repository -> the list that is remembered; nothing where they are damaged: it is then read whole."""
    try:
        return _read(objects, seen, _LISTS, dict[Digits, StoredList])
    except Incomplete:
        return {}


def _by_id(kept: Mapping[str, _Shape]) -> Mapping[int, _Shape]:
    return {int(one): value for one, value in kept.items()}


def _issues(objects: Objects, seen: str | None) -> dict[str, dict[str, int]]:
    """Id of a repository -> key -> number; nothing where no issue has one. Incomplete where it holds something else."""
    return _read(objects, seen, _ISSUES, dict[Digits, dict[str, int]])


def _names(objects: Objects, seen: str | None) -> dict[str, str]:
    """Id of a repository -> its name. Errors as above."""
    return _read(objects, seen, _NAMES, dict[Digits, RepositoryName])


def _records(objects: Objects, seen: str | None) -> dict[str, tuple[RepositoryName, ...]]:
    """Id of a repository with records -> the names that it had. Errors as above."""
    return _read(objects, seen, _RECORDS, dict[Digits, tuple[RepositoryName, ...]])


def _with_name(known: Mapping[str, tuple[str, ...]], home: NamedHome) -> dict[str, tuple[str, ...]]:
    """The names, with the present one where it is new."""
    had = known.get(str(home.id), ())
    is_known = home.name.casefold() in {name.casefold() for name in had}
    return {**known, str(home.id): had if is_known else (*had, home.name)}


def _read(objects: Objects, seen: str | None, file: str, shape: type[_Shape]) -> _Shape:
    content = None if seen is None else objects.content(seen, file)
    try:
        kept = msgspec.json.decode(content or b"{}", type=shape)
    except msgspec.DecodeError as error:
        hint = f"its history has the last good one: git log -p origin/{NUMBERS_BRANCH}"
        message = f"branch {NUMBERS_BRANCH} does not hold numbers of issues"
        raise Incomplete(message, hint=hint, where=NUMBERS_BRANCH) from error
    return kept
