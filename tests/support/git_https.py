"""A process: serves the bare repositories of a folder over HTTPS through `git http-backend`; see `origin.https`."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import time
from base64 import b64decode, b64encode
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.certificate import server_context

FOLDER, NOTES, MODE = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
TOKEN = os.environ["WANTED_TOKEN"]
WANTED = "Basic " + b64encode(f"x-access-token:{TOKEN}".encode()).decode()


class Handler(http.server.BaseHTTPRequestHandler):
    """One request; the answer's body is sent whole."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        sent = self.headers.get_all("Authorization") or []
        with (NOTES / "seen").open("a") as seen:
            seen.write(f"{self.path} headers={len(sent)} right={sent == [WANTED]} shown={self.shown()}\n")
        if MODE == "silent":
            time.sleep(600)
        if MODE == "token" and (refusal := self.refusal(sent)):
            self.send_response(refusal)
            if refusal == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        head, _, content = self.backend(body).partition(b"\r\n\r\n")
        if MODE == "lost" and self.path.endswith("/git-receive-pack"):
            self.close_connection = True
            return
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def refusal(self, sent: list[str]) -> int:
        """401 for a token that nobody knows, 403 for a push that it may not do, else 0.

        `more.json` in NOTES names further tokens, each with what it may do, read or write; what came with one of them
        is noted in `asked.jsonl`.
        """
        if sent == [WANTED]:
            return 0
        more = NOTES / "more.json"
        known = json.loads(more.read_text(encoding="utf-8")) if more.exists() else {}
        token = b64decode(sent[0].removeprefix("Basic ")).decode().partition(":")[2] if len(sent) == 1 else ""
        if token not in known:
            return 401
        access = "write" if "git-receive-pack" in self.path else "read"
        with (NOTES / "asked.jsonl").open("a", encoding="utf-8") as asked:
            asked.write(json.dumps({"token": token, "access": access}) + "\n")
        return 0 if known[token] in ("write", access) else 403

    def backend(self, body: bytes) -> bytes:
        """What `git http-backend` answers."""
        parts = urlsplit(self.path)
        environment = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(FOLDER),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        if MODE != "readonly":
            environment["REMOTE_USER"] = "somebody"
        return subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True).stdout

    @staticmethod
    def shown() -> bool:
        """True where any process of this machine shows the token in its arguments at this moment."""
        secrets = [TOKEN.encode(), WANTED.removeprefix("Basic ").encode()] if TOKEN else []
        shown = False
        for line in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                text = line.read_bytes()
            except OSError:
                continue
            shown = shown or any(secret in text for secret in secrets)
        return shown

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def main() -> None:
    """Prints the port, then serves until it is killed."""
    server = http.server.ThreadingHTTPServer(("localhost", 0), Handler)
    server.socket = server_context(NOTES).wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


main()
