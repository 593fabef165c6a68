"""Our own answers have the shapes that GitHub publishes."""

from __future__ import annotations

import json

import pytest
import requests

from tests.github.answers import ANSWERS, MOST_BODY, MOST_LABEL, MOST_TITLE, Answer, answer, too_long
from tests.github.gate import HOME, Gate, described

REPOSITORY = "/repos/acme/incidents"
ISSUE = {"title": "Login fails"}
# status -> a request for which the description names it
PLACES = {
    401: ("GET", "/user", None),
    403: ("POST", f"{REPOSITORY}/issues", ISSUE),
    404: ("GET", f"{REPOSITORY}/issues", None),
    410: ("POST", f"{REPOSITORY}/issues", ISSUE),
    422: ("POST", f"{REPOSITORY}/issues", ISSUE),
    301: ("GET", f"{REPOSITORY}/issues", None),
    307: ("PATCH", REPOSITORY, {}),
    500: ("GET", f"{REPOSITORY}/pulls/1", None),
    503: ("POST", f"{REPOSITORY}/issues", ISSUE),
}
NOT_PUBLISHED = {429, 502, 504}


def _as_response(made: Answer) -> requests.Response:
    response = requests.Response()
    response.status_code, response._content = made.status, made.body.encode()
    response.headers.update(made.headers)
    return response


def _gaps(made: Answer) -> set[tuple[str, str]]:
    method, path, data = PLACES[made.status]
    assert described(method, path, made.status)
    gate = Gate()
    gate.check(requests.Request(method, HOME + path, json=data).prepare(), _as_response(made))
    assert not gate.bad
    return gate.gaps


@pytest.mark.parametrize("method", ["GET", "PATCH"])
@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_has_the_published_shape(name: str, method: str) -> None:
    """Every refusal that the description knows is as it says; the others are told as not published."""
    made = answer(name, method)
    if made.status in NOT_PUBLISHED:
        return
    assert _gaps(made) == set()


def test_the_statuses_that_are_not_published_are_so_few() -> None:
    """Every other status is checked above, and these really stand nowhere in the description."""
    statuses = {answer(name, method).status for name in ANSWERS for method in ("GET", "POST")}
    assert statuses == set(PLACES) | NOT_PUBLISHED
    for status in NOT_PUBLISHED:
        assert not any(described(method, path, status) for method, path, _ in PLACES.values())


def test_the_check_sees_a_wrong_shape() -> None:
    """The check above can fail: a message that is no text, an `errors` entry without its code."""
    wrong = answer("404", "GET")._replace(body=json.dumps({"message": 4}))
    assert _gaps(wrong)
    wrong = answer("422", "POST")._replace(body=json.dumps({"message": "x", "documentation_url": "y", "errors": [{}]}))
    assert _gaps(wrong)


@pytest.mark.parametrize(
    ("path", "data", "refused"),
    [
        ("/issues", {"title": "x" * MOST_TITLE}, None),
        ("/issues", {"title": "x" * (MOST_TITLE + 1)}, "title"),
        ("/issues", {"title": "x", "body": "y" * MOST_BODY}, None),
        ("/issues", {"title": "x", "body": "y" * (MOST_BODY + 1)}, "body"),
        ("/issues/1/comments", {"body": "y" * (MOST_BODY + 1)}, "body"),
        ("/labels", {"name": "x" * MOST_LABEL}, None),
        ("/labels", {"name": "x" * (MOST_LABEL + 1)}, "name"),
        ("/issues", {"title": "x", "labels": ["x" * (MOST_LABEL + 1)]}, "name"),
        ("/issues", {"title": "x", "labels": None, "body": None}, None),
    ],
)
def test_what_is_too_long_is_refused_as_github_does(path: str, data: dict[str, object], refused: str | None) -> None:
    """Lengths that GitHub documents; the stand-in takes any."""
    made = too_long("POST", f"{REPOSITORY}{path}", json.dumps(data).encode())
    assert (made is None) == (refused is None)
    if made:
        assert _gaps(made) == set()
        assert json.loads(made.body)["errors"][0]["field"] == refused
