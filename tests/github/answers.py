"""What GitHub answers where the stand-in does not: refusals and failures, written down by hand.

The shapes are those of GitHub's published description (`test_answers.py` holds them to it) and, for what that leaves
out (429, 5xx, rate limits), of its documentation. None of them was recorded from the real service.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from email.utils import formatdate
from typing import NamedTuple

DOCS = "https://docs.github.com/rest"
MOST_BODY, MOST_TITLE, MOST_LABEL = 65_536, 256, 50
SOON, FAR = 2, 7_200  # seconds until a limit is over: one that a run may wait for, and one that it may not

_UNICORN = "<html><head><title>Unicorn! &middot; GitHub</title></head><body>502</body></html>"


class Answer(NamedTuple):
    """An answer of our own: status, headers beside the usual ones, body as text."""

    status: int
    headers: Mapping[str, str]
    body: str


def _error(status: int, message: str, headers: Mapping[str, str] | None = None, **more: object) -> Answer:
    body = {"message": message, "documentation_url": DOCS, "status": str(status), **more}
    return Answer(status, {"content-type": "application/json; charset=utf-8", **(headers or {})}, json.dumps(body))


def _html(status: int) -> Answer:
    return Answer(status, {"content-type": "text/html; charset=utf-8"}, _UNICORN)


def _spent(status: int, seconds: int) -> Answer:
    """The primary limit: nothing remains until an instant."""
    reset = str(int(time.time()) + seconds)
    headers = {"x-ratelimit-limit": "1000", "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
    return _error(status, "API rate limit exceeded for installation ID 1.", headers)


def _secondary(status: int, **headers: str) -> Answer:
    text = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    return _error(status, text, {name.replace("_", "-"): value for name, value in headers.items()})


def _moved(method: str, place: str) -> Answer:
    """A renamed repository: GET is sent on with 301, anything else with 307, to an address by its number."""
    status, place = (301 if method == "GET" else 307), f"{{url}}{place}"
    return _error(status, "Moved Permanently", {"location": place}, url=place)


def invalid(field: str, code: str, message: str = "", resource: str = "Issue") -> Answer:
    """A 422 with its `errors` array, as GitHub sends it."""
    one = {"resource": resource, "field": field, "code": code, **({"message": message} if message else {})}
    return _error(422, "Validation Failed", errors=[one])


def answer(name: str, method: str, moved_to: str = "/repositories/1") -> Answer:
    """The answer of a name in ANSWERS, fresh; `moved_to` is the path that a redirect names."""
    made = {
        "401": lambda: _error(401, "Bad credentials"),
        "403_permission": lambda: _error(
            403, "Resource not accessible by integration", {"x-accepted-github-permissions": "issues=write"}
        ),
        "403_archived": lambda: _error(403, "Repository was archived so is read-only."),
        "404": lambda: _error(404, "Not Found"),
        "410_issues_off": lambda: _error(410, "Issues has been disabled in this repository."),
        "422": lambda: invalid("assignees", "invalid", "assignees is invalid"),
        "moved": lambda: _moved(method, moved_to),
        "403_limit": lambda: _spent(403, SOON),
        "403_limit_far": lambda: _spent(403, FAR),
        "429_limit": lambda: _spent(429, SOON),
        "403_secondary": lambda: _secondary(403),
        "403_secondary_retry_after": lambda: _secondary(403, retry_after=str(SOON)),
        "429": lambda: _secondary(429),
        "429_retry_after": lambda: _secondary(429, retry_after=str(SOON)),
        "429_retry_after_far": lambda: _secondary(429, retry_after=str(FAR)),
        "500": lambda: _error(500, "Server Error"),
        "502": lambda: _html(502),
        "503": lambda: _error(503, "Service unavailable"),
        "504": lambda: _html(504),
    }[name]()
    return made._replace(headers={"date": formatdate(usegmt=True), "server": "github.com", **made.headers})


ANSWERS = (
    *("401", "403_permission", "403_archived", "404", "410_issues_off", "422", "moved"),
    *("403_limit", "403_limit_far", "429_limit", "403_secondary", "403_secondary_retry_after"),
    *("429", "429_retry_after", "429_retry_after_far", "500", "502", "503", "504"),
)


def too_long(method: str, path: str, body: bytes) -> Answer | None:
    """What GitHub refuses for its length and the stand-in takes; None where all is short enough."""
    try:
        data = json.loads(body) if method in {"POST", "PATCH"} and body else None
    except ValueError:
        return None
    if not isinstance(data, dict):
        return None
    if len(str(data.get("body") or "")) > MOST_BODY:
        return invalid("body", "custom", f"body is too long (maximum is {MOST_BODY} characters)")
    if len(str(data.get("title") or "")) > MOST_TITLE:
        return invalid("title", "custom", f"title is too long (maximum is {MOST_TITLE} characters)")
    names = [str(data["name"])] if path.endswith("/labels") and "name" in data else list(data.get("labels") or ())
    if any(len(str(name)) > MOST_LABEL for name in names):
        return invalid("name", "custom", f"name is too long (maximum is {MOST_LABEL} characters)", "Label")
    return None
