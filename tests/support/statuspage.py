"""Atlassian's Statuspage on this machine: its Manage API v1 for one page, from its published shape, with faults.

Components, incidents with their updates and metadata, and the answers that a client meets: a status, silence, a broken
or half answer, and one that is lost after what was asked for is done.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

KEY, PAGE = "0f1e2d3c-status-page-key", "kctbh9vrtdwd"
STATUSES = ("investigating", "identified", "monitoring", "resolved")
STATES = ("operational", "degraded_performance", "partial_outage", "major_outage", "under_maintenance")
FIELDS = {"name", "status", "body", "components", "component_ids", "metadata", "deliver_notifications"}
LOST, DROP, HANG, HALF = "lost", "drop", "hang", "half"
"""Faults: done and no answer; no answer and nothing done; silence; an answer that breaks off."""


class Sent(NamedTuple):
    """One request; `data` is its JSON, None without one."""

    method: str
    path: str
    text: str
    headers: dict[str, str]

    @property
    def data(self) -> Any:
        return json.loads(self.text)["incident"]


class StatuspageDesk:
    """The page. `faults` are used up by changes, `read_faults` by reads; a number is a status.

    `now` is its clock, which each change moves on by a second.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.components = {"login1": "operational", "api2": "operational"}
        self.incidents: list[dict[str, Any]] = []
        self.sent: list[Sent] = []
        self.faults: list[int | str] = []
        self.read_faults: list[int | str] = []
        self.wrong: list[str] = []
        self.ended = threading.Event()
        self.now = datetime(2025, 1, 26, 12, 0, tzinfo=UTC)
        self._lock = threading.Lock()

    @property
    def changes(self) -> list[Sent]:
        """The requests that change something."""
        return [one for one in self.sent if one.method != "GET"]

    @property
    def bodies(self) -> list[tuple[str, str]]:
        """Status and text of every update of every incident, in order."""
        return [(one["status"], one["body"]) for incident in self.incidents for one in incident["incident_updates"]]

    def by_hand(self, number: int, **fields: Any) -> None:
        """What somebody does to an incident on the page."""
        self._apply(self.incidents[number], fields)

    def opened_by_hand(self, name: str, *components: str) -> None:
        """An incident that people open there."""
        self.incidents.append(
            {"id": f"hand{len(self.incidents)}", "name": name, "metadata": {}, "incident_updates": []}
        )
        self.by_hand(-1, status="investigating", body="We look.", component_ids=list(components))

    def answer(self, sent: Sent) -> tuple[int, Any]:
        """The answer to a request, and what comes of it."""
        parts = urlsplit(sent.path)
        steps, query = parts.path.strip("/").split("/"), parse_qs(parts.query)
        if sent.headers.get("authorization") != f"OAuth {KEY}":
            return 401, {"error": "Could not authenticate"}
        if steps[:2] != ["pages", PAGE]:
            return 404, {"error": "Not found"}
        page = int(query.get("page", ["1"])[0])
        rows = int((query.get("per_page") or query.get("limit") or ["100"])[0])
        if sent.method == "GET":
            return 200, self._rows(steps[2:])[(page - 1) * rows : page * rows]
        with self._lock:
            return self._changed(sent, steps[2:])

    def _rows(self, steps: list[str]) -> list[Any]:
        if steps == ["components"]:
            return [{"id": name, "status": state, "group": False} for name, state in self.components.items()]
        shown = [{**one, "components": [{"id": name} for name in one["component_ids"]]} for one in self.incidents]
        newest = shown[::-1]
        return [one for one in newest if one["status"] != "resolved"] if steps[-1] == "unresolved" else newest

    def _changed(self, sent: Sent, steps: list[str]) -> tuple[int, Any]:
        fields = sent.data
        if why := self._refusal(fields, is_new=sent.method == "POST"):
            self.wrong.append(why)
            return 422, {"error": [why]}
        if sent.method == "POST":
            new = {"id": f"inc{len(self.incidents)}", "metadata": {}, "incident_updates": [], "component_ids": []}
            self.incidents.append(new)
            self._apply(new, fields)
            return 201, new
        found = next((one for one in self.incidents if one["id"] == steps[1]), None)
        if found is None:
            return 404, {"error": "Not found"}
        self._apply(found, fields)
        return 200, found

    def _apply(self, incident: dict[str, Any], fields: dict[str, Any]) -> None:
        self.now += timedelta(seconds=1)
        self.components.update(fields.get("components", {}))
        incident.setdefault("component_ids", [])
        for name in ("name", "status", "metadata", "component_ids"):
            incident[name] = fields.get(name, incident.get(name))
        incident["updated_at"] = self.now.isoformat()
        if "body" in fields:
            update = {"status": incident["status"], "body": fields["body"]}
            incident["incident_updates"].append({**update, "notified": fields.get("deliver_notifications", True)})

    def _refusal(self, fields: dict[str, Any], *, is_new: bool) -> str:
        metadata, states = fields.get("metadata", {}), fields.get("components", {})
        faults = {
            f"unknown {sorted(set(fields) - FIELDS)}": set(fields) - FIELDS,
            "name can't be blank": is_new and not fields.get("name"),
            "name is too long": len(fields.get("name", "")) > 255,
            "body is too long": len(fields.get("body", "")) > 25_000,
            "status is not valid": "status" in fields and fields["status"] not in STATUSES,
            "metadata is not valid": not all(isinstance(value, dict) for value in metadata.values()),
            "component is not valid": not set(states) <= set(self.components)
            or not set(states.values()) <= set(STATES),
        }
        return next((text for text, is_so in faults.items() if is_so), "")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        desk = self.server.desk
        text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        sent = Sent(self.command, self.path, text, headers)
        desk.sent.append(sent)
        waiting = desk.read_faults if self.command == "GET" else desk.faults
        fault = waiting.pop(0) if waiting else ""
        if isinstance(fault, int):
            return self._answer(fault, {"error": f"fault {KEY}"}, {"Retry-After": "60"})
        if fault == HANG:
            desk.ended.wait(10)
        if fault in (HANG, DROP):
            self.close_connection = True
            return None
        status, data = desk.answer(sent)
        if fault == LOST:
            self.close_connection = True
            return None
        return self._answer(status, data, {}, is_half=fault == HALF)

    do_POST = do_PATCH = do_GET  # noqa: N815

    def _answer(self, status: int, data: Any, headers: dict[str, str], *, is_half: bool = False) -> None:
        body = json.dumps(data).encode()
        self.send_response_only(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if is_half else body)
        self.close_connection = self.close_connection or is_half

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    desk: StatuspageDesk


@contextmanager
def statuspage_desk() -> Iterator[StatuspageDesk]:
    """The page, on a free port of this machine."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.desk = StatuspageDesk(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.desk
    finally:
        server.desk.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
