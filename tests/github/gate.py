"""Every request a test sends is checked against GitHub's published OpenAPI description, and every answer too.

Requests are checked strictly: one that GitHub would not take fails the test. Answers are checked as well; where the
stand-in is thinner than GitHub the gap stands in GAPS, by name, and nothing else passes. All of it is checked against
each of VERSIONS.
"""

from __future__ import annotations

import functools
import gzip
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import requests

HOME = "https://api.github.com"
KEPT = Path(__file__).parent / "openapi/api.github.com.json.gz"
VERSIONS = ("2022-11-28", "2026-03-10")
"""Of GitHub's API. The description is of the first, and says what each later one changes."""
CHANGES = "x-github-breaking-changes"

_PERSON = (
    *("followers_url", "following_url", "gists_url", "gravatar_id", "organizations_url", "received_events_url"),
    *("starred_url", "subscriptions_url"),
)
_PEOPLE_OF_A_PULL = [f"{side}/{who}" for side in ("base", "head") for who in ("user", "repo/owner")]
_PULL = {f"{who}/{name}" for who in _PEOPLE_OF_A_PULL for name in _PERSON}
_REPOSITORY = {"network_count", "subscribers_count", *(f"owner/{name}" for name in _PERSON)}
GAPS = {
    "GET /repos/*/*": _REPOSITORY,
    "PATCH /repos/*/*": _REPOSITORY,
    "GET /repos/*/*/pulls": {f"*/{name}" for name in _PULL},
    "POST /repos/*/*/pulls": _PULL,
    "PATCH /repos/*/*/pulls/*": _PULL,
}
"""What answers of the stand-in lack that the description requires: method and path -> fields."""

# one segment is matched for a parameter, so the slashes of a ref are encoded before the look-up
_REF = re.compile(r"(/repos/[^/]+/[^/]+/(?:git/(?:refs?|matching-refs)|rules/branches)/)(.+)")
_BY_NUMBER = re.compile(r"^/repositories/\d+")  # where GitHub sends requests for a renamed repository
_ANY_REPOSITORY = re.compile(r"^/repos/[^/]+/[^/]+")
_ANY_NUMBER = re.compile(r"/\d+(?=/|$)")
_SPAN = re.compile(r"(?<=\bcreated=)(?:%3E|%3C)(?:%3D)?")  # the prose allows a span, the schema only an instant
_ARRAY_ALLOWED = re.compile(r"/repos/[^/]+/[^/]+/issues/\d+/labels")


def description(version: str = VERSIONS[0]) -> dict[str, Any]:
    """GitHub's description of a version, as it is kept beside this file.

    With null in the enums that are said to be nullable. A field that a version takes out of a request is refused there.
    """
    whole: dict[str, Any] = json.loads(gzip.decompress(KEPT.read_bytes()))
    for node, change in changes(whole):
        if change["version"] <= version:
            change_by = _step if isinstance(change["patch"], list) else _merge
            change_by(node, change["patch"], is_asked=False)
    _allow_null(whole)
    return whole


def changes(node: Any) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """What later versions change: where, and {version, patch}; a null in a patch takes something out."""
    for child in list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from changes(child)
    if isinstance(node, dict):
        yield from ((node, change) for change in node.pop(CHANGES, ()))


def _merge(node: dict[str, Any], patch: dict[str, Any], *, is_asked: bool) -> None:
    for name, value in patch.items():
        if value is None and is_asked:
            node[name] = {"not": {}}
        elif value is None:
            node.pop(name, None)
        elif isinstance(value, dict) and isinstance(node.get(name), dict):
            _merge(node[name], value, is_asked=is_asked or name == "requestBody")
        else:
            node[name] = value


def _step(node: dict[str, Any], steps: list[dict[str, Any]], *, is_asked: bool) -> None:
    """The same as JSON Patch (RFC 6902), in whose form some changes stand."""
    for step in steps:
        *above, last = [part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:]]
        place = functools.reduce(lambda inner, name: inner[name], above, node)
        _merge(place, {last: step.get("value")}, is_asked=is_asked or above[:1] == ["requestBody"])


def _allow_null(node: Any) -> None:
    """`nullable: true` beside an `enum` or plain types without null: OpenAPI 3.0 refuses the null that GitHub knows."""
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _allow_null(child)
    if isinstance(node, dict) and node.get("nullable") and isinstance(node.get("enum"), list):
        node["enum"] = list({*node["enum"], None})
    plain = node.get("oneOf") if isinstance(node, dict) and node.get("nullable") else None
    if isinstance(plain, list) and all("type" in one and not one.get("nullable") for one in plain):
        plain.append({"nullable": True, "enum": [None]})


@functools.cache
def _checkers() -> list[Any]:
    from openapi_core import Config, OpenAPI

    return [OpenAPI.from_dict(description(one), config=Config(spec_validator_cls=None)) for one in VERSIONS]


class Gate:
    """What went through: `seen` exchanges, `bad` requests, and `gaps` of answers that GAPS does not name."""

    def __init__(self) -> None:
        self.seen = 0
        self.bad: set[tuple[str, str]] = set()
        self.gaps: set[tuple[str, str]] = set()

    def check(self, sent: requests.PreparedRequest, answer: requests.Response | None) -> None:
        """Looks at one exchange; `answer` None where there was none."""
        self.seen += 1
        parts = urlsplit(str(sent.url))
        if parts.path.endswith("/graphql"):
            return  # the description is of REST; tests/adapters/github/test_body_edits.py holds the query to the schema
        path = _BY_NUMBER.sub("/repos/moved/moved", parts.path)
        path = _REF.sub(lambda found: found[1] + quote(found[2], safe=""), path)
        path = _ANY_REPOSITORY.sub("/repos/acme/any", _ANY_NUMBER.sub("/1", path))
        body = _steady(sent.body.encode() if isinstance(sent.body, str) else sent.body or b"") or None
        where, query = f"{sent.method} {_shape(path)}", _SPAN.sub("", parts.query)
        fault = _request_fault(str(sent.method), path, query, body)
        if fault:
            self.bad.add((where, fault))
        elif answer is not None:
            gap = self._gap(sent, path, query, answer)
            known = {_lacks(field) for field in GAPS.get(where, ())}
            if gap and not set(gap.split("; ")) <= known:
                self.gaps.add((f"{where} -> {answer.status_code}", gap))

    @staticmethod
    def _gap(sent: requests.PreparedRequest, path: str, query: str, answer: requests.Response) -> str | None:
        kind = answer.headers.get("Content-Type", "application/json").split(";")[0]
        data = _steady((answer.content or b"").replace(_host(sent), HOME.encode()))
        return _answer_fault(str(sent.method), path, query, answer.status_code, kind, data)

    def must_be_clean(self) -> None:
        """Fails the test where a request was bad, or an answer differs in a way that is not known."""
        assert not self.bad, f"GitHub would refuse: {sorted(self.bad)}"
        assert not self.gaps, f"not as GitHub answers: {sorted(self.gaps)}"


_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_NODE = re.compile(rb'"node_id":\s*"[^"]*"')
_NUMBER = re.compile(rb"\d+")
_VARYING = re.compile(rb'(?<!\d)(?<!"mode": ")\d+')  # git's modes of files are an enum


def _steady(data: bytes) -> bytes:
    """JSON with each number as 1: exchanges that differ in numbers only are checked once."""
    if b"\\u" in data:
        data = json.dumps(json.loads(data), ensure_ascii=False).encode()
    data = _NODE.sub(b'"node_id":"x"', _TIME.sub(b"<time>", data))
    return _VARYING.sub(b"1", data).replace(b"<time>", b"2025-01-26T12:05:00Z")


def _host(sent: requests.PreparedRequest) -> bytes:
    parts = urlsplit(str(sent.url))
    return f"{parts.scheme}://{parts.netloc}".encode()


def _shape(path: str) -> str:
    """A path without what varies from test to test."""
    return re.sub(
        r"(/repos)/[^/]+/[^/]+", r"\1/*/*", re.sub(r"/(?:\d+|(?<=labels/)[^/]+|(?<=assignees/)[^/]+)", "/*", path)
    )


def _asked(method: str, path: str, query: str, body: bytes | None) -> Any:
    from openapi_core.contrib.requests import RequestsOpenAPIRequest

    headers = {"Content-Type": "application/json"}
    prepared = requests.Request(method, f"{HOME}{path}{'?' if query else ''}{query}", headers=headers, data=body)
    return RequestsOpenAPIRequest(prepared.prepare())


@functools.lru_cache(maxsize=20_000)
def _request_fault(method: str, path: str, query: str, body: bytes | None) -> str | None:
    """What GitHub's description says against a request, or None."""
    if method in {"POST", "PUT"} and _ARRAY_ALLOWED.fullmatch(path) and (body or b"").lstrip().startswith(b"["):
        return None  # the prose of the description allows a bare array, its schema forgot it
    asked = _asked(method, path, query, body)
    return next((fault for one in _checkers() if (fault := _fault(lambda one=one: one.validate_request(asked)))), None)


@functools.lru_cache(maxsize=20_000)
def _answer_fault(method: str, path: str, query: str, status: int, kind: str, data: bytes) -> str | None:
    from openapi_core.testing import MockResponse

    asked, answer = _asked(method, path, query, None), MockResponse(data=data, status_code=status, content_type=kind)
    if status >= 300 and not described(method, path, status):
        return (
            None  # the description names few failures and redirects; which shapes ours have is tested on those it names
        )
    named = [
        one for one, version in zip(_checkers(), VERSIONS, strict=True) if described(method, path, status, version)
    ]
    faults = (_fault(lambda one=one: one.validate_response(asked, answer)) for one in named or _checkers())
    return next((fault for fault in faults if fault), None)


@functools.cache
def _operations(version: str) -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    paths = description(version)["paths"]
    return [(re.compile(re.sub(r"\\{[^}]*\}", "[^/]+", re.escape(path))), node) for path, node in paths.items()]


def described(method: str, path: str, status: int, version: str = VERSIONS[0]) -> bool:
    """True where the description of a version names this status for the operation."""
    nodes = [node for pattern, node in _operations(version) if pattern.fullmatch(path)]
    return any(str(status) in node.get(method.lower(), {}).get("responses", {}) for node in nodes)


def _fault(check: Callable[[], object]) -> str | None:
    from openapi_core.exceptions import OpenAPIError

    try:
        check()
    except OpenAPIError as error:
        return _told(error)
    return None


def _told(error: Exception) -> str:
    cause = error.__cause__
    found = list(getattr(cause, "schema_errors", ()))
    if found:
        return "; ".join(
            sorted(
                f"{_place(one)}: {_NUMBER.sub(b'1', one.message.encode())[:120].decode(errors='replace')}"
                for one in found
            )
        )
    return f"{type(error).__name__}: {cause or error}"[:200]


def _lacks(field: str) -> str:
    """A missing field as `_told` spells it."""
    place, _, name = field.rpartition("/")
    return f"{place}: '{name}' is a required property"


def _place(error: Any) -> str:
    return "/".join("*" if isinstance(part, int) else str(part) for part in error.absolute_path)


@contextmanager
def gated(gate: Gate, home: str = "", *, answers: bool = True) -> Iterator[Gate]:
    """All traffic of `requests` in this process passes `gate` while the block runs.

    `home` is an address: then only what goes there. Without `answers` only requests are looked at.
    """
    real = requests.Session.send

    @functools.wraps(real)  # with the mark of who wrapped it before, which else would wrap it again
    def send(session: requests.Session, request: requests.PreparedRequest, **settings: Any) -> requests.Response:
        if home and not str(request.url).startswith(f"{home}/"):
            return real(session, request, **settings)
        answer = None
        try:
            answer = real(session, request, **settings)
            return answer
        finally:
            gate.check(request, answer if answers else None)

    requests.Session.send = send  # type: ignore[method-assign]
    try:
        yield gate
    finally:
        requests.Session.send = real  # type: ignore[method-assign]
