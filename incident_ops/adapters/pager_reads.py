"""What people did in the pager, as PagerDuty's REST API v2 tells it: read by dedup key, never written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TypeVar
from urllib.parse import quote

import msgspec

from incident_ops.adapters.http import NoAnswer, exchange, is_https_or_local
from incident_ops.adapters.processes import one_line
from incident_ops.domain.notification import ACKNOWLEDGED, RESOLVED_EVENT
from incident_ops.domain.time import parse_instant, stamp
from incident_ops.domain.tracker import PagerAct, SeenAlert
from incident_ops.errors import Incomplete, UserError
from incident_ops.extras import demand

TOKEN_VARIABLE, API_VARIABLE = "PAGERDUTY_API_TOKEN", "INCIDENT_OPS_PAGER_API_URL"
PAGER_API = "https://api.pagerduty.com"
SLOWEST = 10.0
"""Seconds that one answer may take."""
MOST_READ = 40
"""So many alerts one run asks about: two requests each, or three, far below what PagerDuty allows in a minute."""

_ACCEPT = "application/vnd.pagerduty+json;version=2"
_EVENTS = {"acknowledge_log_entry": ACKNOWLEDGED, "resolve_log_entry": RESOLVED_EVENT}
_PERSON = ("user", "user_reference")
_STATES = ("triggered", "acknowledged", "resolved")
_ID = re.compile(r"[A-Za-z0-9]{1,40}", re.ASCII)
_NEWEST = 2  # incidents of one key whose log is read: what is over for longer says nothing of now
_LONGEST_NAME = 80
_NEXT = "the next run asks again"
_HINTS = {401: f"check {TOKEN_VARIABLE}", 403: f"check {TOKEN_VARIABLE}", 429: f"too many requests; {_NEXT}"}

Shape = TypeVar("Shape")


class _Incident(msgspec.Struct):
    id: str
    status: str
    created_at: str
    last_status_change_at: str | None = None


class _Incidents(msgspec.Struct):
    incidents: list[_Incident]


class _Agent(msgspec.Struct):
    id: str
    type: str
    summary: str | None = None


class _Entry(msgspec.Struct):
    type: str
    created_at: str
    agent: _Agent | None = None


class _Entries(msgspec.Struct):
    log_entries: list[_Entry]


class PagerReads:
    """The alerts behind dedup keys. `problem` says why not all that was asked for was read; "" until then."""

    def __init__(self, token: str, url: str = PAGER_API, seconds: float = SLOWEST) -> None:
        self._token, self._url, self._seconds = token, url, seconds
        self.problem = ""

    def alerts(self, keys: Mapping[str, str]) -> dict[str, SeenAlert]:
        """The alert of each incident (id -> dedup key), those that were read; the first failure ends the asking."""
        found: dict[str, SeenAlert] = {}
        if len(keys) > MOST_READ:
            self.problem = f"{len(keys) - MOST_READ} of {len(keys)} open alerts were not asked about"
        for name, key in list(keys.items())[:MOST_READ]:
            try:
                found[name] = self._alert(key)
            except Incomplete as error:
                self.problem = str(error)
                break
        return found

    def _alert(self, key: str) -> SeenAlert:
        states = "".join(f"&statuses[]={state}" for state in _STATES)
        path = f"/incidents?incident_key={quote(key, safe='')}{states}&date_range=all&limit=25&sort_by=created_at:desc"
        known = sorted(self._read(path, _Incidents).incidents, key=_changed, reverse=True)
        known.sort(key=lambda one: one.status == RESOLVED_EVENT)
        if not known:
            return SeenAlert()
        acts = {act for one in known[:_NEWEST] if one.status != _STATES[0] for act in self._acts(one)}
        in_order = sorted(acts, key=lambda act: (act.at, act.event, act.user))
        return SeenAlert(known[0].status, _changed(known[0]), tuple(in_order))

    def _acts(self, incident: _Incident) -> Iterator[PagerAct]:
        """What people did; what an integration, a service or we did ourselves is left out."""
        if not _ID.fullmatch(incident.id):
            raise Incomplete("it answered with an incident id that is not valid", hint=_NEXT)
        path = f"/incidents/{incident.id}/log_entries?is_overview=true&limit=100"
        for entry in self._read(path, _Entries).log_entries:
            agent, event = entry.agent, _EVENTS.get(entry.type)
            if event and agent and agent.type in _PERSON:
                name = one_line(agent.summary or "", _LONGEST_NAME)
                yield PagerAct(event, one_line(agent.id, _LONGEST_NAME), name, _at(entry.created_at))

    def _read(self, path: str, shape: type[Shape]) -> Shape:
        """The JSON of an answer. Incomplete, without the token, where there is none or it has another shape."""
        headers = {"Authorization": f"Token token={self._token}", "Accept": _ACCEPT}
        try:
            answer = exchange("GET", f"{self._url}{path}", seconds=self._seconds, headers=headers)
        except NoAnswer as error:
            raise Incomplete(str(error), hint=_NEXT) from None
        if answer.status != 200:
            raise Incomplete(f"it answered {answer.status}", hint=_HINTS.get(answer.status, _NEXT))
        try:
            return msgspec.convert(json.loads(answer.body), shape)
        except (ValueError, RecursionError) as error:  # msgspec's is one
            raise Incomplete("it answered with something that is not PagerDuty's", hint=_NEXT) from error


def _at(text: str) -> str:
    try:
        return stamp(parse_instant(text))
    except ValueError as error:
        raise Incomplete("it answered with a time that is not valid", hint=_NEXT) from error


def _changed(incident: _Incident) -> str:
    return _at(incident.last_status_change_at or incident.created_at)


def pager_reads(environment: Mapping[str, str]) -> PagerReads | None:
    """The pager to read, None where PAGERDUTY_API_TOKEN is not set; `problem` where what is set cannot be used."""
    token = environment.get(TOKEN_VARIABLE, "").strip()
    if not token:
        return None
    url = environment.get(API_VARIABLE, "").strip().rstrip("/") or PAGER_API
    made = PagerReads(token, url)
    try:
        demand("notify", TOKEN_VARIABLE, "requests")
    except UserError as error:
        made.problem = str(error)
    if not is_https_or_local(url):
        made.problem = f"{API_VARIABLE} is not an https address (for PagerDuty it is {PAGER_API}, or not set at all)"
    elif not (token.isascii() and token.isprintable()) or " " in token:
        made.problem = f"{TOKEN_VARIABLE} is not a token (it has spaces or characters that are not ASCII)"
    return made
