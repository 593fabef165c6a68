"""A small HTTP service to run a runbook against.

    python -m tests.support.scratch_service FOLDER

FOLDER/ready holds its address once it listens, FOLDER/requests a line for each request. `/restart` fails while
FOLDER/broken is there, and `/slow` does not answer while FOLDER/held is.
"""

from __future__ import annotations

import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(sys.argv[-1])


class Handler(BaseHTTPRequestHandler):
    """Answers every request."""

    def do_GET(self) -> None:
        """One request, written down first."""
        with (FOLDER / "requests").open("a") as log:
            log.write(f"{self.path}\n")
        while self.path == "/slow" and (FOLDER / "held").exists():
            time.sleep(0.05)
        is_broken = self.path == "/restart" and (FOLDER / "broken").exists()
        body = b"cannot restart: token=s3cretvalue is refused\n" if is_broken else b"fine\n"
        self.send_response(500 if is_broken else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Says nothing."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    (FOLDER / "ready.new").write_text(f"http://127.0.0.1:{server.server_port}")
    (FOLDER / "ready.new").rename(FOLDER / "ready")
    server.serve_forever()
