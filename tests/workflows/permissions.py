"""What a job may do, and what it needs: its `permissions:`, and GitHub's own table applied to all that it asked for.

A job runs with a token that may do what its `permissions:` name and nothing else: the stand-in refuses the rest as
GitHub does, and notes each request. So a right that is missing makes the run fail, and one that nothing needed is seen.

The table is `tests/standin/permissions.json`; it says which permission each request of the API needs. Where it names
two for one request: what is asked about an issue by its number needs `issues`, about a pull request `pull-requests`;
`contents` and `workflows` of a moved ref are `contents`, for no job touches a workflow; any other two (labels,
milestones, who can be assigned) are alternatives: the one counts that the job needs for something else, and else that
of issues. Git over HTTPS needs `contents`.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.support.standin import HOME
from tests.workflows.act import Hosted
from tests.workflows.running import WORKFLOWS

TABLE = HOME / "permissions.json"
LEVELS = ("none", "read", "write")
_BY_NUMBER = re.compile(r"/issues/(\d+)(?:/|$)")
_FREE = {"metadata", "workflows"}
_OUTSIDE = {"GET /user": {}, "GET /installation/repositories": {}, "POST /graphql": {"issues": "read"}}
"""Requests that are none of a repository. What is asked by GraphQL is who gave an issue which text; GitHub has no table
for it, and of the REST route beside it (the timeline of an issue) it asks for `issues: read`."""

Rights = dict[str, str]
"""Permission, spelled as in a workflow, -> read or write."""
Asked = tuple[str, str]
"""Method and path."""


class Row(NamedTuple):
    """What a request needs: the names as in a workflow."""

    permission: str
    access: str


@functools.cache
def _table() -> list[tuple[str, re.Pattern[str], Row]]:
    rows = json.loads(TABLE.read_text(encoding="utf-8"))["endpoints"]
    return [
        (
            one["method"],
            re.compile(_pattern(one["path"])),
            Row(one["permission"].replace("_", "-"), one["access"]),
        )
        for one in rows
    ]


def _pattern(path: str) -> str:
    escaped = re.escape(path).replace(r"\{ref\}", ".+").replace(r"\{branch\}", ".+")
    return re.sub(r"\\\{\w+\\\}", "[^/]+", escaped)


def rows_of(asked: Asked, pulls: Collection[int] = ()) -> list[Row]:
    """What a request needs, one of these; LookupError where the table says nothing, for that is no proof of anything.

    `pulls` are the numbers that are pull requests.
    """
    method, path = asked
    if (outside := _OUTSIDE.get(f"{method} {path}")) is not None:
        return [Row(*one) for one in outside.items()]
    found = [row for verb, pattern, row in _table() if verb == method and pattern.fullmatch(path)]
    if not found:
        raise LookupError(f"{method} {path} is not in {TABLE.name}")
    kept = [row for row in found if row.permission not in _FREE]
    if len(kept) > 1 and (number := _BY_NUMBER.search(path)):
        about = "pull-requests" if int(number[1]) in pulls else "issues"
        return [row for row in kept if row.permission == about] or kept
    return kept


def needed(asked: Iterable[Asked], git: Iterable[str] = (), pulls: Collection[int] = ()) -> Rights:
    """The least rights with which all of it is allowed.

    `git` holds `read` for each fetch and `write` for each push, `pulls` the numbers that are pull requests.
    """
    rights: Rights = {}
    for access in git:
        _raise(rights, Row("contents", access))
    every = [rows_of(one, pulls) for one in sorted(set(asked))]
    for rows in every:
        if len(rows) == 1:
            _raise(rights, rows[0])
    for rows in every:
        if len(rows) > 1 and not any(_covers(rights, row) for row in rows):
            _raise(rights, next((row for row in rows if row.permission in rights), _first(rows)))
    return rights


def _first(rows: Iterable[Row]) -> Row:
    return min(rows, key=lambda row: (row.permission != "issues", row.permission))


def _covers(rights: Mapping[str, str], row: Row) -> bool:
    return LEVELS.index(rights.get(row.permission, "none")) >= LEVELS.index(row.access)


def _raise(rights: Rights, row: Row) -> None:
    if not _covers(rights, row):
        rights[row.permission] = row.access


def jobs_of(workflow: str) -> dict[str, dict[str, Any]]:
    """The jobs of a workflow of this house by name."""
    return dict(yaml.load((WORKFLOWS / workflow).read_text(encoding="utf-8"), yaml.BaseLoader)["jobs"])


def granted(workflow: str, job: str) -> Rights:
    """What the `permissions:` of a job name; a workflow grants none by itself."""
    text = yaml.load((WORKFLOWS / workflow).read_text(encoding="utf-8"), yaml.BaseLoader)
    assert text["permissions"] == {}, f"{workflow}: permissions are given to jobs"
    return dict(text["jobs"][job].get("permissions", {}))


def only_reads(rights: Mapping[str, str]) -> bool:
    """True for a job that may write nothing."""
    return "write" not in rights.values()


class JobToken:
    """A token that may do what `rights` name, with the API and with git, and what came with it."""

    def __init__(self, records: Hosted, rights: Mapping[str, str]) -> None:
        self._records, self._github, self._notes = records, records.github, records.machine.git.notes
        self.text = self._github.new_token({name.replace("-", "_"): access for name, access in rights.items()})
        more = self._notes / "more.json"
        known = json.loads(more.read_text(encoding="utf-8")) if more.exists() else {}
        _write(more, {**known, self.text: rights.get("contents", "none")})

    @property
    def asked(self) -> set[Asked]:
        """Every request to the API."""
        return set(self._github.asked_with(self.text))

    @property
    def refused(self) -> list[Asked]:
        """Those that it may not do."""
        return self._github.refused_to(self.text)

    @property
    def git(self) -> set[str]:
        """`read` where something was fetched, `write` where something was pushed."""
        file = self._notes / "asked.jsonl"
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
        return {row["access"] for row in rows if row["token"] == self.text}

    def pulls(self) -> set[int]:
        """The numbers that are pull requests by now."""
        return {int(one["number"]) for one in self._records.ask("/pulls?state=all&per_page=100")}


def _write(place: Path, data: object) -> None:
    """Whole or not at all: the server may be reading it."""
    new = place.with_suffix(".new")
    new.write_text(json.dumps(data), encoding="utf-8")
    new.replace(place)
