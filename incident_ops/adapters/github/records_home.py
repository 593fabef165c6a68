"""Which repository holds the records, by the id that stays whatever it is called."""

from __future__ import annotations

from typing import NamedTuple

from incident_ops.adapters.github.client import Client
from incident_ops.errors import Incomplete


class RecordsHome:
    """The repository that holds the records, by the id that stays when it gets another name or owner.

    `name` is what the clone's remote names, "" where it is not on this GitHub; `known` the id where somebody gave it.
    """

    def __init__(self, client: Client, name: str, known: int | None) -> None:
        self._client, self.name, self._id = client, name or client.repository, known
        self._other: int | None = None
        self.are_here = name.casefold() == client.repository.casefold()
        """True where the clone's remote is the repository with the issues, on this GitHub."""

    @property
    def id(self) -> int:
        """Asked for once; that of the repository with the issues where the remote is not on this GitHub.

        Incomplete where the remote's is not shown: another id would make our issues another's.
        """
        if self._id is None:
            hint = "set GITHUB_REPOSITORY_ID to its id, or give the token access to it"
            self._id = self._shown(self.name, hint) if self._is_elsewhere else self._issues_id()
        return self._id

    @property
    def id_with_issues(self) -> int:
        """That of the repository with the issues, asked for once where it is not the same one."""
        return self._issues_id() if self._is_elsewhere else self.id

    @property
    def _is_elsewhere(self) -> bool:
        return self.name.casefold() != self._client.repository.casefold()

    def _issues_id(self) -> int:
        if self._other is None:
            hint = "check the name, and that the token may read the repository"
            self._other = self._shown(self._client.repository, hint)
        return self._other

    def _shown(self, name: str, hint: str) -> int:
        found = self._client.repository_id(name)
        if found is None:
            raise Incomplete(f"GitHub shows no repository {name}", hint=hint)
        return found


class HomeIds(NamedTuple):
    """The same where both ids are known: of a team's repository."""

    id: int
    id_with_issues: int
    are_here: bool = False
    name: str = ""
