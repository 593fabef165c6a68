"""A server on this machine that answers what a test wrote down: any status and header, broken bodies, dropped lines."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

DROP, CUT, HANG = "drop", "cut", "hang"


class Reply(NamedTuple):
    """One answer; `text` instead of the JSON of `data`; `fault` drops the line, cuts the body, or never answers."""

    status: int = 200
    data: Any = None
    headers: Mapping[str, str] = MappingProxyType({})
    text: str | None = None
    fault: str = ""


class Asked(NamedTuple):
    """One request as it arrived; `body` is its JSON, or the fields of a form."""

    method: str
    path: str
    body: Any
    headers: dict[str, str]


class ScriptedServer:
    """Gives `replies` in order and keeps what was `asked`; a request past the script is answered 418."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.replies: list[Reply] = []
        self.asked: list[Asked] = []
        self.ended = threading.Event()

    def script(self, *replies: Reply) -> None:
        """What the next requests get."""
        self.replies.extend(replies)

    @property
    def lines(self) -> list[str]:
        """`METHOD path` of each request, without its query."""
        return [f"{one.method} {one.path.partition('?')[0]}" for one in self.asked]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _answer(self) -> None:
        script = self.server.script
        text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        script.asked.append(Asked(self.command, self.path, _body(text, headers), headers))
        reply = script.replies.pop(0) if script.replies else Reply(418, {"message": "nothing is scripted"})
        if reply.fault == HANG:
            script.ended.wait(10)
        if reply.fault in (DROP, HANG):
            self.close_connection = True
            return
        given = json.dumps(reply.data) if reply.text is None and reply.data is not None else reply.text or ""
        sent = given.replace("{url}", script.url).encode()
        self.send_response_only(reply.status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **reply.headers}.items():
            self.send_header(name, value.replace("{url}", script.url))
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        if reply.fault == CUT:
            self.wfile.write(sent[: len(sent) // 2])
            self.close_connection = True
        else:
            self.wfile.write(sent)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer  # noqa: N815

    def log_message(self, format: str, *words: object) -> None:  # noqa: A002
        """Nothing: the test looks at `asked`."""


def _body(text: bytes, headers: Mapping[str, str]) -> Any:
    if headers.get("content-type") == "application/x-www-form-urlencoded":
        return dict(parse_qsl(text.decode()))
    return json.loads(text) if text else None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    script: ScriptedServer


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    """Runs one on a free port until the block ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.script = ScriptedServer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.script
    finally:
        server.script.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
