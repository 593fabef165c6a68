"""Requests to one repository: counted, logged, repeated where that is safe, paged, and refused past the budget."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from incident_ops.adapters.github.exchange import Answer, Lost, Request
from incident_ops.adapters.github.faults import refused
from incident_ops.adapters.github.retry import AGAIN, AMBIGUOUS, DONE, MOST_WAIT, decide, is_limit, limit_wait
from incident_ops.errors import Ambiguous, IncidentOpsError, Incomplete, Stopped, WriteFailed

if TYPE_CHECKING:
    from incident_ops.adapters.github.wire import Wire


_NEXT = re.compile(r'<([^<>]+)>\s*;[^,]*\brel="?next"?')
_MOST_REDIRECTS = 3


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
        self.requests_made = 0
        self.was_redirected = False
        self.renamed_to: str | None = None
        self._wire, self._budget, self._sleep, self._log = wire, requests, sleep, log
        self._name: str | None = None

    def ask(self, method: str, path: str, *, body: object = None, again: bool = False) -> Answer:
        """Sends a request below the repository -> the answer, whatever it says (2xx to 4xx).

        `again` says of a POST that doing it twice does no harm.
        """
        return self._ask(method, f"/repos/{self.repository}{path}", body, again or method != "POST")

    def who_am_i(self) -> Answer:
        """Whose the token is; an installation's token is refused with 403."""
        return self._ask("GET", "/user", None, True)

    def read(self, path: str, *, doing: str) -> Answer:
        """A GET whose answer must be there; `doing` says for people what is read."""
        answer = self.ask("GET", path)
        if answer.status >= 300:
            raise refused(answer, Incomplete, doing, self.repository)
        return answer

    def write(self, method: str, path: str, body: object, *, doing: str, again: bool = False) -> Answer:
        """A write that must be taken; `doing` says for people what is written."""
        answer = self.ask(method, path, body=body, again=again)
        if answer.is_redirect:
            raise self._elsewhere(doing)
        if answer.status >= 300:
            raise refused(answer, WriteFailed, doing, self.repository)
        return answer

    def pages(self, path: str, *, doing: str, **query: object) -> Iterator[list[object]]:
        """Every page of a list, 100 entries each, as the `link` headers chain them."""
        place, seen = f"/repos/{self.repository}{path}?{urlencode({**query, 'per_page': 100})}", set[str]()
        while place not in seen:
            seen.add(place)
            answer = self._ask("GET", place, None, True)
            if answer.status >= 300:
                raise refused(answer, Incomplete, doing, self.repository)
            if not isinstance(answer.data, list):
                raise Incomplete(f"{doing}: GitHub's answer is no list", hint="run it again")
            yield answer.data
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
        self.requests_made += 1
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
            told = got.told if isinstance(got, Lost) else f"GitHub answered {got.status}"
            times = f" {attempt} times" if attempt > 1 else ""
            text, hint = f"{what}: {told}{times}", "see githubstatus.com, and run it again"
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
