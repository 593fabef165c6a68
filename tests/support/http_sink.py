"""An HTTP server on this machine that takes notices: it keeps every request and answers as the path says.

`/200`, `/202`, `/400`, `/429`, `/500`: that status; `/redirect`: 302 to `/200`; `/html`: a sign-in page; `/hang`: no
answer; `/drip`: an answer that never ends, a byte at a time; `/v2/enqueue`: PagerDuty's Events API v2.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

ACTIONS = ("trigger", "acknowledge", "resolve")
SEVERITIES = ("critical", "error", "warning", "info")
TOP = {"routing_key", "event_action", "dedup_key", "payload", "images", "links", "client", "client_url"}
PAYLOAD = {"summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"}
PAGE = "<!DOCTYPE html><html><title>Sign in</title></html>"


class Taken(NamedTuple):
    """One request."""

    method: str
    path: str
    body: str
    headers: dict[str, str]

    @property
    def data(self) -> Any:
        """The JSON of its body."""
        return json.loads(self.body)


class HttpSink:
    """`taken` are the requests so far; `status` replaces the answer of `/v2/enqueue`.

    `script` holds answers, status and text, that come first, whatever the path; None drops the line. `service` is a
    service with a state of its own: what it answers a request, None where the path says it.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.taken: list[Taken] = []
        self.status = 0
        self.script: list[tuple[int, str] | None] = []
        self.service: Callable[[Taken], tuple[int, str] | None] = lambda _taken: None
        self.ended = threading.Event()

    def address(self, path: str) -> str:
        """The address of a path as `apprise` wants it."""
        return self.url.replace("http://", "json://") + path

    @property
    def titles(self) -> list[str]:
        """The titles of the notices that came, in order."""
        return [one.data["title"] for one in self.taken]


def faults(event: Any) -> list[str]:
    """What is wrong with an event, by the documented shape of PagerDuty's Events API v2."""
    out = []
    if not isinstance(event, dict):
        return ["the event is no object"]
    if set(event) - TOP:
        out.append(f"unknown: {sorted(set(event) - TOP)}")
    if len(event.get("routing_key", "")) != 32:
        out.append("routing_key is not 32 characters long")
    if event.get("event_action") not in ACTIONS:
        out.append("event_action is none")
    if len(event.get("dedup_key", "")) > 255 or (event.get("event_action") != "trigger" and not event.get("dedup_key")):
        out.append("dedup_key is missing or longer than 255")
    return out + (_payload_faults(event.get("payload")) if event.get("event_action") == "trigger" else [])


def _payload_faults(payload: Any) -> list[str]:
    if not isinstance(payload, dict):
        return ["payload is missing"]
    out = [f"payload.{name} is missing" for name in ("summary", "source", "severity") if not payload.get(name)]
    out += [f"payload.{name} is unknown" for name in set(payload) - PAYLOAD]
    if len(payload.get("summary") or "") > 1024:
        out.append("payload.summary is longer than 1024")
    if payload.get("severity") not in SEVERITIES:
        out.append("payload.severity is none")
    if not isinstance(payload.get("custom_details", {}), dict):
        out.append("payload.custom_details is no object")
    return out


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        sink = self.server.sink
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        sink.taken.append(Taken(self.command, self.path, body, headers))
        name = self.path.partition("?")[0].strip("/")
        if sink.script:
            self._next(sink.script.pop(0))
        elif (reply := sink.service(sink.taken[-1])) is not None:
            self._next(reply)
        elif name.startswith("hang"):
            sink.ended.wait(30)
            self.close_connection = True
        elif name == "cut":
            self.close_connection = True
        elif name == "drip":
            self._drip(sink)
        elif name == "v2/enqueue":
            self._enqueue(sink, body)
        elif name == "redirect":
            self._answer(302, "", {"Location": f"{sink.url}/200"})
        elif name == "html":
            self._answer(200, PAGE, {"Content-Type": "text/html"})
        else:
            self._answer(int(name), "{}")

    do_GET = do_PUT = do_POST  # noqa: N815

    def _next(self, reply: tuple[int, str] | None) -> None:
        if reply is None:
            self.close_connection = True
        else:
            self._answer(*reply)

    def _enqueue(self, sink: HttpSink, body: str) -> None:
        wrong = faults(json.loads(body))
        status = sink.status or (400 if wrong else 202)
        told = {"status": "invalid event", "errors": wrong} if wrong else {"status": "success"}
        self._answer(status, json.dumps(told))

    def _drip(self, sink: HttpSink) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.close_connection = True
        try:
            while not sink.ended.wait(0.2):
                self.wfile.write(b".")
                self.wfile.flush()
        except OSError:
            return

    def _answer(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *words: object) -> None:  # noqa: A002
        """Nothing: the test looks at `taken`."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    sink: HttpSink


@contextmanager
def http_sink() -> Iterator[HttpSink]:
    """Runs one on a free port until the block ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.sink = HttpSink(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.sink
    finally:
        server.sink.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
