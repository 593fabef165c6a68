"""A reverse proxy between the program and the stand-in that fails on purpose, and is strict where GitHub is.

It rewrites addresses, so that PyGithub finds the host it asked. One fault is armed at a time: a request, counted from
0, and what befalls it. The proxy counts what it gets, not what the program thinks it sent.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPSConnection, responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests

from tests.github.answers import Answer, answer, too_long

BEFORE, AFTER = "before", "after"

KILL, TIMEOUT, DROP, CUT, OUTAGE, STALE = "kill", "timeout", "drop", "cut", "outage", "stale"
SILENT = (KILL, TIMEOUT, DROP)
"""No byte of an answer comes."""

PATIENCE = 0.25  # seconds

_ISSUE_LIST = re.compile(r"(/repos/[^/]+/[^/]+)/issues")
_REPOSITORY = re.compile(r"/repos/[^/?]+/[^/?]+")
_BY_NUMBER = "/repositories/1"
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "host", "accept-encoding"}


class Fault(NamedTuple):
    """What befalls request number `at`: a name of ANSWERS or a word above, `when` the server acted or before.

    OUTAGE answers 502 to this request and to every later one. CUT sends half an answer. STALE loses the answer as a
    502, and from then on lists do not show what was made in the last 50 requests.
    """

    at: int
    what: str
    when: str = BEFORE

    def __str__(self) -> str:
        return f"{self.what} {self.when} #{self.at}"


class Exchange(NamedTuple):
    """One request as the proxy saw it; `status` 0 where no answer was sent, `acted` whether the server got it."""

    method: str
    path: str
    status: int
    acted: bool


class Killed(BaseException):
    """The process died here, as far as the test is concerned."""


class Proxy:
    """One proxy. `url` is its address; `log` what came since the last `arm`."""

    def __init__(self, upstream: str, url: str) -> None:
        self.upstream, self.url = upstream, url
        self.fault: Fault | None = None
        self.log: list[Exchange] = []
        self.gzip = False
        self.left_out: frozenset[str] = frozenset()
        """Fields that no answer has."""
        self.hidden_for = 0
        self.killed = threading.Event()
        self.on_kill: Callable[[], None] = self.killed.set
        self._made: dict[tuple[str, int], int] = {}
        self._moved = ""
        self._count, self._total = 0, 0
        self._release = threading.Event()
        self._lock = threading.Lock()

    def arm(self, fault: Fault | None = None, *, hidden_for: int = 0) -> None:
        """Starts counting from 0 with this fault. Lists hide what was made in the last `hidden_for` requests."""
        self.release()
        with self._lock:
            self.fault, self.hidden_for, self.log, self._count = fault, hidden_for, [], 0
            self._release = threading.Event()
            self.killed.clear()

    def kill_process(self, pid: int) -> None:
        """From now on a kill is the real one, of this process."""
        self.on_kill = lambda: os.kill(pid, signal.SIGKILL)

    def kill_only_in_name(self) -> None:
        """From now on a kill is `Killed`, raised in this process."""
        self.on_kill = self.killed.set

    def release(self) -> None:
        """Lets the requests go that wait for a client to lose patience."""
        self._release.set()

    def pass_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[Answer | None, bool]:
        """A request -> the answer to send (None for none at all), and whether it breaks off in its middle."""
        path = self._present(path)
        with self._lock:
            at, fault = self._count, self.fault
            self._count += 1
            self._total += 1
        hit = fault is not None and (at == fault.at or (fault.what == OUTAGE and at > fault.at))
        acted = not hit or fault is None or fault.when == AFTER
        refusal = too_long(method, path, body)
        got = refusal or (self._from_upstream(method, path, headers, body) if acted else None)
        sent = self._spoilt(fault, method, path, got) if hit and fault else got
        self.log.append(Exchange(method, path, sent.status if sent else 0, acted and not refusal))
        cut = hit and fault is not None and fault.what == CUT
        return self._finished(sent, method, headers) if sent else None, cut

    def _spoilt(self, fault: Fault, method: str, path: str, got: Answer | None) -> Answer | None:
        if fault.what == KILL:
            self.on_kill()
        if fault.what == TIMEOUT:
            self._release.wait(10)
        if fault.what == STALE:
            self.hidden_for = 50
        if fault.what in SILENT:
            return None
        if fault.what == CUT:
            return got
        inside = _REPOSITORY.match(path)
        self._moved = inside[0] if inside else ""
        place = path.replace(self._moved, _BY_NUMBER, 1) if inside else path
        return answer("502" if fault.what in (OUTAGE, STALE) else fault.what, method, place)

    def _present(self, path: str) -> str:
        """The path as the stand-in knows it, which has no address by number."""
        return self._moved + path.removeprefix(_BY_NUMBER) if path.startswith(_BY_NUMBER) else path

    def _from_upstream(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        parts = urlsplit(self.upstream)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        line = kind(parts.netloc, timeout=20)
        line.request(method, parts.path + path, body or None, {k: v for k, v in headers.items() if k not in _HOP})
        came = line.getresponse()
        text = came.read().decode()
        kept = {name.lower(): value for name, value in came.getheaders() if name.lower() not in _HOP}
        line.close()
        return self._seen(method, path, Answer(came.status, kept, text))

    def _seen(self, method: str, path: str, came: Answer) -> Answer:
        """Notes what was made, and hides from lists what they do not show yet."""
        listed = _ISSUE_LIST.fullmatch(path.split("?")[0])
        if not listed or came.status >= 300:
            return came
        data = json.loads(came.body)
        if method == "POST":
            self._made[listed[1], data["number"]] = self._total
        elif self.hidden_for:
            since = self._total - self.hidden_for
            shown = [one for one in data if self._made.get((listed[1], one["number"]), -1) < since]
            return came._replace(body=json.dumps(shown, ensure_ascii=False))
        return came

    def _finished(self, sent: Answer, method: str, headers: dict[str, str]) -> Answer:
        """With our address in every place, and with the ETag and the 304 that the stand-in lacks."""
        body = sent.body.replace(self.upstream, self.url).replace("{url}", self.url)
        if self.left_out and body:
            body = json.dumps(_without(json.loads(body), self.left_out))
        out = {
            name: value.replace(self.upstream, self.url).replace("{url}", self.url)
            for name, value in sent.headers.items()
        }
        if method == "GET" and sent.status == 200:
            out["etag"] = f'W/"{hashlib.sha256(body.encode()).hexdigest()}"'
            if headers.get("if-none-match") == out["etag"]:
                return Answer(304, out, "")
        return Answer(sent.status, out, body)


def _without(data: Any, names: frozenset[str]) -> Any:
    if isinstance(data, list):
        return [_without(one, names) for one in data]
    if isinstance(data, dict):
        return {name: _without(value, names) for name, value in data.items() if name not in names}
    return data


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            asked = {name.lower(): value for name, value in self.headers.items()}
            sent, cut = proxy.pass_on(self.command, self.path, asked, body)
            if sent is None:
                self.close_connection = True
                return
            data, headers = sent.body.encode(), dict(sent.headers)
            if proxy.gzip and data:
                data, headers["content-encoding"] = gzip.compress(data), "gzip"
            lines = [f"HTTP/1.1 {sent.status} {responses.get(sent.status, '')}"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            if sent.status not in (204, 304):
                lines.append(f"content-length: {len(data)}")
            head = "\r\n".join([*lines, "", ""]).encode("latin-1")
            if cut:
                self.close_connection = True
                data = data[: len(data) // 2]
            with suppress(OSError):
                self.wfile.write(head + data)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = serve  # noqa: N815 - the names the library calls

        def log_message(self, *_args: Any) -> None:
            """Nothing on the terminal."""

    return Handler


@contextmanager
def faulty(upstream: str) -> Iterator[Proxy]:
    """A proxy in front of `upstream`, an address like http://localhost:4100, while the block runs."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that went away is what the tests are about."""

    server = Server(("127.0.0.1", 0), BaseHTTPRequestHandler)
    proxy = Proxy(upstream, f"http://localhost:{server.server_address[1]}")
    server.RequestHandlerClass = _handler(proxy)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.release()
        server.shutdown()
        server.server_close()


@contextmanager
def dying(proxy: Proxy) -> Iterator[None]:
    """While the block runs, a kill of the proxy raises `Killed` out of the request that it hit.

    A request that is to time out waits PATIENCE only, whatever the program would wait.
    """
    real = requests.Session.send

    def send(session: requests.Session, request: requests.PreparedRequest, **settings: Any) -> requests.Response:
        if proxy.fault and proxy.fault.what == TIMEOUT:
            settings["timeout"] = PATIENCE
        try:
            return real(session, request, **settings)
        finally:
            if proxy.killed.is_set():
                raise Killed

    requests.Session.send = send  # type: ignore[method-assign]
    try:
        yield
    finally:
        requests.Session.send = real  # type: ignore[method-assign]
