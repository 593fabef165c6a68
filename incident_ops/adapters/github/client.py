"""Requests to one repository: counted, logged, repeated where that is safe, paged, and refused past the budget.

`Wire` sends them with PyGithub, once and without redirects: its retry sends a POST again after a 502, which makes a
second issue, and its redirect loses the query, which would list other issues than those asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, ItemsView, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from time import perf_counter
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from incident_ops.adapters import http
from incident_ops.adapters.github.responses import (
    DROPPED,
    GARBLED,
    TIMEOUT,
    UNSENT,
    Account,
    Answer,
    Login,
    Lost,
    RepositorySeen,
    check,
    refused,
    validation_errors,
)
from incident_ops.adapters.github.retry import AGAIN, AMBIGUOUS, DONE, MOST_WAIT, decide, is_limit, limit_wait
from incident_ops.errors import Ambiguous, IncidentOpsError, Incomplete, Stopped, UserError, WriteFailed
from incident_ops.extras import demand

PER_PAGE = 100
TIMEOUT_SECONDS = 15
_MOST_BYTES = 64 * 1024 * 1024
_API_VERSION = "2022-11-28"
_HELD = (202, 301, 302, 307, 308)  # what PyGithub would act upon before anybody sees it
_NEXT = re.compile(r'<([^<>]+)>\s*;[^,]*\brel="?next"?')
_MOST_REDIRECTS = 3
_LOST = {http.LATE: TIMEOUT, http.BROKEN: DROPPED, http.TOO_LARGE: GARBLED}
_ASKING = "asking whose the token is"


class Request(NamedTuple):
    """A line of the request log: never a header, never a body. `status` is 0 where no answer came."""

    method: str
    path: str
    status: int
    seconds: float


class _Held(Exception):
    """An answer taken out of PyGithub's hands."""

    def __init__(self, answer: http.Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class _Response:
    """An answer in the shape that PyGithub reads."""

    def __init__(self, answer: http.Answer) -> None:
        self.status = answer.status
        self._answer = answer

    def getheaders(self) -> ItemsView[str, str]:
        return self._answer.headers.items()

    def read(self) -> str:
        return _text(self._answer)


class _Connection:
    """The connection that PyGithub is handed for each request (`cnx` of its `requestJson`): our own session."""

    def __init__(self, api: str) -> None:
        parts = urlsplit(api)
        self._server = f"{parts.scheme}://{parts.netloc}"
        self._session = http.session()
        self._asked: tuple[str, str, object, Mapping[str, str]] = ("", "", None, {})

    def request(self, verb: str, url: str, body: object, headers: Mapping[str, str], _stream: bool = False) -> None:
        self._asked = (verb, url, body, headers)

    def getresponse(self) -> _Response:
        verb, url, body, headers = self._asked
        answer = http.send_request(
            self._session,
            verb,
            self._server + url,
            data=body,
            headers=headers,
            seconds=TIMEOUT_SECONDS,
            most_bytes=_MOST_BYTES,
        )
        if answer.status in _HELD:
            raise _Held(answer)
        return _Response(answer)

    def close(self) -> None:
        self._session.close()


class Wire:
    """One connection to the API at `api`; `pause` seconds at least lie between two writes."""

    def __init__(self, api: str, token: str, *, pause: float) -> None:
        demand("github", "GitHub")
        from github import Auth, Github

        self.host = urlsplit(api).netloc
        self.graphql = f"{api.removesuffix('/v3')}/graphql" if api.endswith("/api/v3") else "/graphql"
        self._requester = Github(
            auth=Auth.Token(token),
            base_url=api,
            timeout=TIMEOUT_SECONDS,
            user_agent=http.USER_AGENT,
            per_page=PER_PAGE,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=pause,
            api_version=_API_VERSION,
        ).requester
        self._connection: Any = _Connection(api)

    def send(self, method: str, place: str, body: object) -> Answer | Lost:
        """One request, sent once. `place` is a path below the API's address, or an address GitHub gave."""
        try:
            status, headers, text = self._requester.requestJson(method, place, input=body, cnx=self._connection)
        except _Held as held:
            status, headers, text = held.answer.status, dict(held.answer.headers), _text(held.answer)
        except http.NoAnswer as error:
            if not error.was_sent:
                return Lost(UNSENT, f"{self.host} cannot be reached")
            return Lost(_LOST[error.kind], str(error))
        except (ValueError, RuntimeError, AssertionError):
            return Lost(GARBLED, "the answer cannot be read")
        return _answer(method, status, headers, text)


def _text(answer: http.Answer) -> str:
    return answer.body.decode("utf-8", "replace")


def _answer(method: str, status: int, headers: dict[str, Any], text: str) -> Answer | Lost:
    try:
        data = json.loads(text) if text else None
    except (ValueError, RecursionError):
        if status < 300:
            return Lost(GARBLED, "the answer is cut short or is not JSON")
        data = None
    if status in (200, 201) and data is None:
        return Lost(GARBLED, "the answer is empty")
    if status == 202 and method == "GET":
        return Lost(GARBLED, "the answer is not ready")
    return Answer(status, headers, data)


class Client:
    """Asks GitHub about `repository` (`owner/name`), at most `requests` times in all.

    Reads raise `Incomplete`, writes `WriteFailed`, `Ambiguous` or, at a rate limit that outlasts MOST_WAIT, `Stopped`;
    both raise `Stopped` before the request that would pass the budget.
    """

    def __init__(
        self,
        wire: Wire,
        repository: str,
        *,
        requests: int,
        sleep: Callable[[float], None],
        log: Callable[[Request], None] | None = None,
    ) -> None:
        self.repository = repository
        self._meter = [0]
        self.was_redirected = False
        self.answered_at: datetime | None = None  # by GitHub's own clock
        self.renamed_to: str | None = None
        self._wire, self._budget, self._sleep, self._log = wire, requests, sleep, log
        self._name: str | None = None

    @property
    def requests_made(self) -> int:
        """Requests sent so far, those about other repositories included."""
        return self._meter[0]

    def beside(self, repository: str) -> Client:
        """The same about another repository, within the same budget."""
        other = Client(self._wire, repository, requests=self._budget, sleep=self._sleep, log=self._log)
        other._meter = self._meter
        return other

    def ask(self, method: str, path: str, *, body: object = None, again: bool = False) -> Answer:
        """Sends a request below the repository -> the answer, whatever it says (2xx to 4xx).

        `again` says of a POST that doing it twice does no harm.
        """
        return self._ask(method, f"/repos/{self.repository}{path}", body, again or method != "POST")

    def who_am_i(self) -> Answer:
        """Whose the token is; an installation's token is refused with 403."""
        return self._ask("GET", "/user", None, True)

    def installed(self, page: int) -> Answer:
        """A page of the repositories that an App was given; a person's token is refused with 403."""
        return self._ask("GET", f"/installation/repositories?per_page=100&page={page}", None, True)

    def read(self, path: str, *, doing: str, permission: str = "issues: write") -> Answer:
        """A GET whose answer must be there; `doing` says for people what is read, `permission` what a job needs."""
        answer = self.ask("GET", path)
        if answer.status >= 300:
            raise refused(answer, Incomplete, doing, self.repository, permission)
        return answer

    def query(self, text: str, *, doing: str, **variables: object) -> dict[str, object]:
        """The `data` that GraphQL answers to a query of this repository: `$owner` and `$name` are given."""
        owner, _, name = self.repository.partition("/")
        body = {"query": text, "variables": {"owner": owner, "name": name, **variables}}
        try:
            answer = self._ask("POST", self._wire.graphql, body, True)
        except (Ambiguous, WriteFailed) as error:  # a query changes nothing
            raise Incomplete(error.message, hint=error.hint) from error
        if answer.status >= 300:
            raise refused(answer, Incomplete, doing, self.repository)
        if errors := validation_errors(answer):  # with status 200, beside what data there is
            raise Incomplete(f"{doing}: GitHub answered: {'; '.join(errors)}", hint="run it again")
        data = answer.data.get("data") if isinstance(answer.data, dict) else None
        if not isinstance(data, dict):
            raise Incomplete(f"{doing}: GitHub's answer has no data", hint="run it again")
        return data

    def write(
        self,
        method: str,
        path: str,
        body: object,
        *,
        doing: str,
        again: bool = False,
        permission: str = "issues: write",
    ) -> Answer:
        """A write that must be taken; `doing` says for people what is written, `permission` what a job needs."""
        answer = self.ask(method, path, body=body, again=again)
        if answer.is_redirect:
            raise self._elsewhere(doing)
        if answer.status >= 300:
            raise refused(answer, WriteFailed, doing, self.repository, permission)
        return answer

    def pages(
        self, path: str, *, doing: str, permission: str = "issues: write", inside: str = "", **query: object
    ) -> Iterator[list[object]]:
        """Every page of a list, 100 entries each, as the `link` headers chain them.

        `inside` is the key under which the answer holds the list; "" where it is the list.
        """
        place, seen = f"/repos/{self.repository}{path}?{urlencode({**query, 'per_page': 100})}", set[str]()
        while place not in seen:
            seen.add(place)
            answer = self._ask("GET", place, None, True)
            if answer.status >= 300:
                raise refused(answer, Incomplete, doing, self.repository, permission)
            data = answer.data
            if inside:
                data = data.get(inside) if isinstance(data, dict) else None
            if not isinstance(data, list):
                raise Incomplete(f"{doing}: GitHub's answer is not a list", hint="run it again")
            yield data
            following = _NEXT.search(answer.headers.get("link", ""))
            if not following:
                return
            place = following[1]
        raise Incomplete(f"{doing}: GitHub's pages go in a circle", hint="run it again")

    def current_name(self) -> str:
        """The name the repository has now, `owner/name`; asked once, and only after a redirect."""
        if self._name is None:
            data = self.read("", doing=f"looking up {self.repository}").data
            name = data.get("full_name") if isinstance(data, dict) else None
            if not isinstance(name, str):
                raise Incomplete(f"looking up {self.repository}: GitHub's answer names no repository")
            self._name = name
            if name.casefold() != self.repository.casefold():
                self.renamed_to = name
        return self._name

    def repository_id(self, name: str) -> int | None:
        """GitHub's id of any repository, by `owner/name`; None where the token sees none of that name."""
        answer = self._ask("GET", f"/repos/{name}", None, True)
        if answer.status == 404:
            return None
        doing = f"asking for the id of {name}"
        if answer.status >= 300:
            raise refused(answer, Incomplete, doing, name)
        return check(answer.data, RepositorySeen, doing).id

    def settle(self) -> None:
        """Gives GitHub a moment to finish a write whose answer was lost, before it is looked for."""
        self._sleep(2.0)

    def _ask(self, method: str, place: str, body: object, repeatable: bool) -> Answer:
        answer = self._repeat(method, place, body, repeatable)
        for _ in range(_MOST_REDIRECTS if method == "GET" else 0):
            if not answer.is_redirect:
                break
            self.was_redirected = True
            answer = self._repeat(method, _with_query(answer.headers["location"], place), body, repeatable)
        return answer

    def _repeat(self, method: str, place: str, body: object, repeatable: bool) -> Answer:
        waited, doubt = 0.0, False
        for attempt in count(1):
            got = self._send(method, place, body)
            step = decide(repeatable, attempt, got, waited)
            if step.action == DONE and isinstance(got, Answer):
                self.answered_at = got.given_at
                return got
            doubt = doubt or decide(False, attempt, got, waited).action == AMBIGUOUS
            if step.action != AGAIN:
                raise self._given_up(method, place, got, attempt, doubt)
            self._sleep(step.seconds)
            waited += step.seconds
        raise AssertionError("unreachable")

    def _send(self, method: str, place: str, body: object) -> Answer | Lost:
        if self.requests_made >= self._budget:
            hint = "the next run goes on; raise it with --max-requests, or in policy tracker.limits.requests"
            raise Stopped(f"the limit of {self._budget} requests to GitHub in one run is reached", hint=hint)
        self._meter[0] += 1
        start = perf_counter()
        got = self._wire.send(method, place, body)
        if self._log:
            status = got.status if isinstance(got, Answer) else 0
            self._log(Request(method, _path(place), status, perf_counter() - start))
        return got

    def _given_up(self, method: str, place: str, got: Answer | Lost, attempt: int, doubt: bool) -> IncidentOpsError:
        what = f"{method} {_path(place)}"
        if isinstance(got, Answer) and is_limit(got):
            text, hint = _limit_text(got, attempt)
        else:
            reason = got.reason if isinstance(got, Lost) else f"GitHub answered {got.status}"
            times = f" {attempt} times" if attempt > 1 else ""
            text, hint = f"{what}: {reason}{times}", "see githubstatus.com, and run it again"
        if method == "GET":
            return Incomplete(text, hint=hint)
        if doubt:
            return Ambiguous(f"{text}; nobody can tell whether it was done", hint="the next run looks before it writes")
        if isinstance(got, Answer) and is_limit(got):
            return Stopped(text, hint=hint)
        return WriteFailed(text, hint=hint)

    def _elsewhere(self, doing: str) -> WriteFailed:
        name = self.current_name()
        if self.renamed_to:
            hint = f"set GITHUB_REPOSITORY={name}, or point the clone there: git remote set-url origin <its address>"
            return WriteFailed(f"{doing}: {self.repository} is now {name}", hint=hint)
        return WriteFailed(f"{doing}: it was moved to another repository", hint="the next run tells where it went")


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

    def is_bot(self, who: Account) -> bool:
        """True for a bot, and for this program under whatever login."""
        return who.type == "Bot" or who.login.endswith("[bot]") or self.trusts(who.login)

    def login(self) -> str | None:
        """The login of a person's token; None for an installation's (GITHUB_TOKEN, a GitHub App), which has none."""
        if not self._asked:
            answer = self._client.who_am_i()
            if answer.status >= 300 and answer.status != 403:
                raise refused(answer, Incomplete, _ASKING, self._client.repository)
            self._login = None if answer.status == 403 else check(answer.data, Login, _ASKING).login
            self._asked = True
        return self._login

    def check_token(self) -> None:
        """Before the first issue or comment of a run: `UserError` for a person's token that policy does not name.

        What it wrote would not be known as ours by the next run, which would write it again.
        """
        login = self.login()
        if login is not None and not self.trusts(login):
            raise UserError(
                f"the token is {login}'s, and policy tracker.identities does not name {login}; no issue was written",
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


def _limit_text(answer: Answer, attempt: int) -> tuple[str, str]:
    reset = answer.headers.get("x-ratelimit-reset", "")
    if answer.headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        until = datetime.fromtimestamp(int(reset), UTC)
        text = f"GitHub takes no more requests with this token until {until:%H:%M} UTC (rate limit)"
    else:
        wait = limit_wait(answer.headers, attempt)
        text = f"GitHub takes no more requests with this token for {wait:.0f} s (secondary rate limit)"
    return text, f"a request waits at most {MOST_WAIT:.0f} s for that; run it again later"


def _with_query(location: str, asked: str) -> str:
    """Where a redirect leads, still asking the same: a list without its filter would be another list."""
    query = urlsplit(asked).query
    return location if urlsplit(location).query or not query else f"{location}?{query}"


def _path(place: str) -> str:
    parts = urlsplit(place)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
