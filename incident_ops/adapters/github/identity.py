"""Whose words count as ours, and whose token this is: trusted authors are `tracker.identities`."""

from __future__ import annotations

from collections.abc import Sequence

from incident_ops.adapters.github.client import Client
from incident_ops.adapters.github.faults import refused
from incident_ops.adapters.github.shapes import Login, check
from incident_ops.errors import Incomplete, Stopped, UserError

_DOING = "asking whose the token is"


class Identity:
    """The logins that policy trusts; the token's own login is asked for at most once a run."""

    def __init__(self, client: Client, identities: Sequence[str]) -> None:
        self._client = client
        self._trusted = {login.casefold() for login in identities}
        self._asked = False
        self._login: str | None = None

    def trusts(self, login: str) -> bool:
        """True where a marker written by `login` is ours."""
        return login.casefold() in self._trusted

    def login(self) -> str | None:
        """The login of a person's token; None for an installation's (GITHUB_TOKEN, a GitHub App), which has none."""
        if not self._asked:
            answer = self._client.who_am_i()
            if answer.status >= 300 and answer.status != 403:
                raise refused(answer, Incomplete, _DOING, self._client.repository)
            self._login = None if answer.status == 403 else check(answer.data, Login, _DOING).login
            self._asked = True
        return self._login

    def check_token(self) -> None:
        """Before the first issue or comment of a run: `UserError` for a person's token that policy does not name.

        What it wrote would not be known as ours by the next run, which would write it again.
        """
        login = self.login()
        if login is not None and not self.trusts(login):
            raise UserError(
                f"the token is {login}'s, and policy tracker.identities does not name {login}; nothing was written",
                hint=f"add {login} to tracker.identities in policy.yaml, or leave this to the workflow",
            )

    def check_marker(self, number: int, author: str) -> None:
        """For an issue with a marker of ours: `UserError` where the author is a bot or this token, but not trusted.

        Strangers' markers are text; but a forgotten setting must not open every issue a second time.
        """
        if self.trusts(author) or not author:
            return
        if author.endswith("[bot]") or author.casefold() == (self.login() or "").casefold():
            raise UserError(
                f"issue #{number} carries our marker and was opened by {author}, whom policy does not trust",
                hint=f"add {author} to tracker.identities in policy.yaml; if it is not ours, take our label off it",
            )

    def check_written(self, what: str, author: str) -> None:
        """For what this run just wrote: `Stopped` where its author, as GitHub names it, is not trusted."""
        if not self.trusts(author):
            raise Stopped(
                f"{what} was written as {author or 'nobody'}, whom policy tracker.identities does not name;"
                " no more is written",
                hint=f"add {author} to tracker.identities in policy.yaml: the next run then knows it as ours",
            )
