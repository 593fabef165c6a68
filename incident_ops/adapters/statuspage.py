"""Atlassian's Statuspage through its Manage API v1, from its published shape; never run against the service.

The mark of an incident is its `metadata`, whose top-level values have to be objects. An update, its status, the states
of components and the mark are one request, so that no kill comes between them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from incident_ops.adapters.http import Answer, NoAnswer, exchange, is_https_or_local
from incident_ops.adapters.processes import one_line
from incident_ops.domain.record import is_incident_id
from incident_ops.domain.status_page import COMPONENT_STATES, Mark, PageChange, PageIncident, PageSeen
from incident_ops.domain.time import parse_instant
from incident_ops.errors import Ambiguous, Incomplete, UserError, WriteFailed
from incident_ops.extras import demand

TOKEN_VARIABLE, URL_VARIABLE = "INCIDENT_OPS_STATUSPAGE_TOKEN", "INCIDENT_OPS_STATUSPAGE_URL"
STATUSPAGE_API = "https://api.statuspage.io/v1"
SLOWEST = 10.0
"""Seconds that one answer may take."""
HOW_TO_SET = "make an API key in Statuspage (your name > API info), and give it to that secret"
"""For people who see that TOKEN_VARIABLE is not set."""

_MARK = "incident_ops"
_ROWS, _MOST_PAGES, _NEWEST = 25, 40, 4
"""Rows of a page, which stay far below what one answer may have; pages of a list, and of the newest incidents."""
_NEXT = "the next run tries again"
_MEND = "mend the update, or the ids in publish.components"
_MAYBE, _SEES = "it may be published", "the next run looks, and publishes nothing twice"
_KEY = f"check {TOKEN_VARIABLE}; {HOW_TO_SET}"
_BUSY = f"it takes about one request a second; {_NEXT}"
_PAGE = "check publish.page in policy.yaml, and that the key may manage that page"
_HINTS = {401: _KEY, 403: _KEY, 404: _PAGE, 420: _BUSY, 429: _BUSY}
_ID = re.compile(r"[A-Za-z0-9]{1,40}", re.ASCII)
_STATES = frozenset(COMPONENT_STATES)
_REFUSED = (400, 409, 422)
"""Answers about one change, which say nothing of the next one."""
Shape = TypeVar("Shape")


class ChangeRefused(WriteFailed):
    """The page does not take this change; others it may."""


class _Component(msgspec.Struct):
    id: str
    status: str | None = None
    group: bool | None = None


class _Incident(msgspec.Struct):
    id: str
    status: str
    updated_at: str | None = None
    created_at: str | None = None
    metadata: dict[str, Any] | None = None
    components: list[_Component] | None = None


class Statuspage:
    """One page. Its key is in no message."""

    def __init__(self, token: str, page: str, url: str = STATUSPAGE_API, seconds: float = SLOWEST) -> None:
        self._token, self._seconds = token, seconds
        self._place = f"{url}/pages/{quote(page, safe='')}"

    def read(self) -> PageSeen:
        """The components, the unresolved incidents, and the newest others."""
        components = self._listed("/components", list[_Component], "per_page")
        unresolved = self._listed("/incidents/unresolved", list[_Incident], "per_page")
        newest, _ = self._paged("/incidents", list[_Incident], "limit", _NEWEST)
        incidents = {one.id: one for one in (*newest, *unresolved)}
        states = {one.id: one.status for one in components if one.status and not one.group}
        spoiled = tuple(sorted(one.id for one in incidents.values() if _is_spoiled(one.metadata or {})))
        return PageSeen(tuple(map(_seen, incidents.values())), states, spoiled)

    def change(self, change: PageChange) -> None:
        """One request, sent once. ChangeRefused where the page does not take it, Ambiguous where its answer is lost."""
        method, path = ("PATCH", f"/incidents/{change.id}") if change.id else ("POST", "/incidents")
        try:
            answer = self._ask(method, path, json={"incident": _fields(change)})
        except NoAnswer as error:
            if error.was_sent:
                raise Ambiguous(f"Statuspage: {error}: {_MAYBE}", hint=_SEES) from None
            raise WriteFailed(f"Statuspage: {error}", hint=_NEXT) from None
        if answer.status in _REFUSED:
            raise ChangeRefused(_refusal(answer, self._token), hint=_MEND)
        if answer.status not in (200, 201):
            raise WriteFailed(f"Statuspage: it answered {answer.status}", hint=_hint(answer))
        try:
            _converted(answer, _Incident)
        except Incomplete as error:
            raise Ambiguous(f"{error.message}: {_MAYBE}", hint=_SEES) from None

    def _listed(self, path: str, shape: type[list[Shape]], rows: str) -> list[Shape]:
        found, is_whole = self._paged(path, shape, rows, _MOST_PAGES)
        if not is_whole:
            raise Incomplete(f"Statuspage: it has more than {_ROWS * _MOST_PAGES:,} rows at {path}", hint=_PAGE)
        return found

    def _paged(self, path: str, shape: type[list[Shape]], rows: str, most: int) -> tuple[list[Shape], bool]:
        """The rows of the first pages, and whether these are all; `rows` is what the list calls their number."""
        found: list[Shape] = []
        for number in range(1, most + 1):
            page = self._list(f"{path}?page={number}&{rows}={_ROWS}", shape)
            found += page
            if len(page) < _ROWS:
                return found, True
        return found, False

    def _list(self, path: str, shape: type[list[Shape]]) -> list[Shape]:
        try:
            answer = self._ask("GET", path)
        except NoAnswer as error:
            raise Incomplete(f"Statuspage: {error}", hint=_NEXT) from None
        if answer.status != 200:
            kind = UserError if answer.status in (401, 403, 404) else Incomplete
            raise kind(f"Statuspage: it answered {answer.status}", hint=_hint(answer))
        return _converted(answer, shape)

    def _ask(self, method: str, path: str, **words: Any) -> Answer:
        headers = {"Authorization": f"OAuth {self._token}", "Accept": "application/json"}
        return exchange(method, f"{self._place}{path}", seconds=self._seconds, headers=headers, **words)


def statuspage(page: str | None, environment: Mapping[str, str]) -> Statuspage:
    """The page of the policy, with the key of the environment. UserError where one of them is missing or unusable."""
    token = environment.get(TOKEN_VARIABLE, "").strip()
    if not page:
        raise UserError("publish.to is statuspage, and publish.page is not set", hint="set it in policy.yaml")
    if not token:
        raise UserError(f"nothing is published on the status page: {TOKEN_VARIABLE} is not set", hint=HOW_TO_SET)
    demand("notify", TOKEN_VARIABLE, "requests")
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise UserError(f"{TOKEN_VARIABLE} has spaces or characters that are not ASCII", hint=HOW_TO_SET)
    url = environment.get(URL_VARIABLE, "").strip().rstrip("/") or STATUSPAGE_API
    if not is_https_or_local(url):
        raise UserError(f"{URL_VARIABLE} is not an https address", hint="leave it unset for Atlassian's")
    return Statuspage(token, page, url)


def _fields(change: PageChange) -> dict[str, Any]:
    given: dict[str, Any] = {"name": change.name, "status": change.status, "body": change.body}
    fields = {name: value for name, value in given.items() if value is not None}
    if change.components:
        fields["components"] = dict(change.components)
    if held := {*change.components, *change.mark.components}:
        fields["component_ids"] = sorted(held | change.attached)
    fields["metadata"] = {**change.metadata, _MARK: _spelled(change.mark)}
    return {**fields, "deliver_notifications": change.notifies}


def _spelled(mark: Mark) -> dict[str, str]:
    components = " ".join(f"{name}={state}" for name, state in sorted(mark.components.items()))
    published = " ".join(sorted(mark.published))
    return {
        "incident": mark.key,
        "cycle": str(mark.cycle),
        "status": mark.status,
        "published": published,
        "components": components,
    }


def _mark(metadata: Mapping[str, Any]) -> Mark | None:
    """Our mark on an incident; None on one of somebody else's, and where somebody edited it."""
    data = metadata.get(_MARK)
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        return None
    key, cycle = data.get("incident", ""), data.get("cycle", "")
    components = dict(pair.split("=", 1) for pair in data.get("components", "").split() if "=" in pair)
    is_sound = is_incident_id(key) and cycle.isascii() and cycle.isdecimal() and len(cycle) < 6
    if not is_sound or not all(_ID.fullmatch(one) and state in _STATES for one, state in components.items()):
        return None
    return Mark(key, int(cycle), data.get("status", ""), frozenset(data.get("published", "").split()), components)


def _is_spoiled(metadata: Mapping[str, Any]) -> bool:
    return _MARK in metadata and _mark(metadata) is None


def _seen(incident: _Incident) -> PageIncident:
    if not _ID.fullmatch(incident.id):
        raise Incomplete("Statuspage: it answered with an incident id that is not valid", hint=_NEXT)
    try:
        at = parse_instant(incident.updated_at or incident.created_at or "").timestamp()
    except ValueError:
        raise Incomplete("Statuspage: it answered with a time that is not valid", hint=_NEXT) from None
    metadata = incident.metadata or {}
    components = frozenset(one.id for one in incident.components or [])
    return PageIncident(incident.id, incident.status, at, _mark(metadata), components, metadata)


def _converted(answer: Answer, shape: type[Shape]) -> Shape:
    try:
        return msgspec.convert(json.loads(answer.body), shape)
    except (ValueError, RecursionError):  # msgspec's is one
        raise Incomplete("Statuspage: it answered with something that is not Statuspage's", hint=_NEXT) from None


def _hint(answer: Answer) -> str:
    wait = answer.headers.get("retry-after", "")
    later = f"; it asks to wait {wait} s" if wait.isascii() and wait.isdecimal() and len(wait) < 6 else ""
    return _HINTS.get(answer.status, _NEXT) + later


def _refusal(answer: Answer, token: str) -> str:
    text = answer.body[:2000].decode("utf-8", "replace").replace(token, "***").strip()
    said = "" if text.startswith("<") else one_line(text, 200)
    return f"Statuspage: it answered {answer.status}{f', {said}' if said else ''}"
