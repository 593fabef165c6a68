"""What a pager shows after the events it took: it keeps one open alert for each pair of routing key and dedup key,
rings when one opens, and adds to what is open without ringing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.http_sink import HttpSink, Taken

OPEN, ACKNOWLEDGED, RESOLVED = "open", "acknowledged", "resolved"


@dataclass
class PagerState:
    """`alerts`: the states by routing key and dedup key; `rings`: those that rang, in order; `triggers` counts all."""

    alerts: dict[tuple[str, str], str] = field(default_factory=dict)
    rings: list[tuple[str, str]] = field(default_factory=list)
    triggers: int = 0

    @property
    def left_open(self) -> list[tuple[str, str]]:
        """The alerts that are not resolved."""
        return [key for key, state in self.alerts.items() if state != RESOLVED]

    def take(self, event: dict[str, Any]) -> None:
        """One event that was accepted."""
        key = event["routing_key"], event["dedup_key"]
        state = self.alerts.get(key, RESOLVED)
        action = event["event_action"]
        if action == "trigger":
            self.triggers += 1
            if state == RESOLVED:
                self.alerts[key] = OPEN
                self.rings.append(key)
        elif state != RESOLVED:
            self.alerts[key] = ACKNOWLEDGED if action == "acknowledge" else RESOLVED


def pager_state(taken: Iterable[Taken]) -> PagerState:
    """The state after these requests."""
    state = PagerState()
    for one in taken:
        if one.path.startswith("/v2/enqueue"):
            state.take(one.data)
    return state


ANN, STRANGER = ("PANN001", "Ann Smith"), ("PBOB002", "Bob Jones")
API_TOKEN = "u+Abcdefghijklmnop00"
_SERVICE = {"id": "PSERV01", "type": "service_reference", "summary": "Login"}
_INTEGRATION = {"id": "PINTEG1", "type": "inbound_integration_reference", "summary": "Events API v2"}


class PagerDesk:
    """A pager that is read, too, as PagerDuty's REST API v2 is: its incidents by key, and who did what to each.

    `at` is its clock (text, UTC); `loses` = it answers 202 and keeps nothing; `is_down` = it answers 503 to all.
    """

    def __init__(self, sink: HttpSink, at: str = "2025-01-26T12:05:00Z") -> None:
        self.at, self.loses, self.is_down = at, False, False
        self.incidents: list[dict[str, Any]] = []
        self.log: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[str] = []
        sink.service = self.answer

    def acts(self, key: str, status: str, user: tuple[str, str], at: str) -> None:
        """A person acknowledges or resolves what is open under a dedup key."""
        who, name = user
        agent = {"id": who, "type": "user_reference", "summary": name}
        self._change(self._open(key)[0], status, agent, at)

    def answer(self, taken: Taken) -> tuple[int, str] | None:
        """The answer to a request of ours."""
        parts = urlsplit(taken.path)
        if parts.path not in ("/v2/enqueue", "/incidents") and not parts.path.startswith("/incidents/"):
            return None
        if self.is_down:
            return 503, "down"
        if taken.method == "POST":
            if not self.loses:
                self._take(taken.data)
            return None
        self.asked.append(taken.path)
        if taken.headers.get("authorization") != f"Token token={API_TOKEN}":
            return 401, json.dumps({"error": {"code": 2006, "message": "You are not authorized"}})
        assert taken.headers["accept"] == "application/vnd.pagerduty+json;version=2"
        return 200, json.dumps(
            self._read(parts.path, parse_qs(parts.query)) | {"limit": 25, "offset": 0, "more": False}
        )

    def _read(self, path: str, query: dict[str, list[str]]) -> dict[str, Any]:
        if path == "/incidents":
            found = [one for one in self.incidents if one["key"] in query["incident_key"]]
            asked = query.get("statuses[]", ["triggered", "acknowledged", "resolved"])
            shown = [{name: one[name] for name in one if name != "key"} for one in found if one["status"] in asked]
            return {"incidents": sorted(shown, key=lambda one: one["created_at"], reverse=True)}
        return {"log_entries": self.log[path.split("/")[2]][::-1]}

    def _open(self, key: str) -> list[dict[str, Any]]:
        return [one for one in self.incidents if one["key"] == key and one["status"] != "resolved"]

    def _take(self, event: dict[str, Any]) -> None:
        key, action = event["dedup_key"], event["event_action"]
        there = self._open(key)
        if action != "trigger":
            for one in there:
                self._change(one, f"{action}d", _INTEGRATION if action == "acknowledge" else _SERVICE, self.at)
        elif not there:
            one = {"id": f"Q{len(self.incidents):013}", "type": "incident", "incident_key": None, "key": key}
            one |= {"status": "triggered", "created_at": self.at, "last_status_change_at": self.at, "service": _SERVICE}
            self.incidents.append(one)
            self._note(one, "trigger_log_entry", _INTEGRATION, self.at)

    def _change(self, one: dict[str, Any], status: str, agent: dict[str, str], at: str) -> None:
        one["status"], one["last_status_change_at"] = status, at
        self._note(one, f"{status.removesuffix('d')}_log_entry", agent, at)

    def _note(self, one: dict[str, Any], kind: str, agent: dict[str, str], at: str) -> None:
        summary = f"{kind.removesuffix('_log_entry')} by {agent['summary']}"
        entry = {"id": f"R{len(self.log)}", "type": kind, "summary": summary, "created_at": at, "agent": agent}
        self.log.setdefault(one["id"], []).append(entry)
