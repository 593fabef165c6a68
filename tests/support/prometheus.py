"""A real Prometheus on this machine: Debian's package, with history filled in beforehand or scraping a test's exporter.

It is started with an empty folder of its own and ends with the block.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import pytest

_START_LIMIT = 30.0  # seconds
_MAY_SKIP = "prometheus is not here: apt-get install --no-install-recommends prometheus"


def need_prometheus() -> None:
    """Skips, with the reason, where Prometheus or its promtool is not there."""
    if not (shutil.which("prometheus") and shutil.which("promtool")):
        pytest.skip(_MAY_SKIP)


def open_metrics(series: Sequence[tuple[str, Sequence[tuple[float, float]]]]) -> str:
    """(name with labels, [(unix seconds, value)]) -> a text that `promtool` fills a database with."""
    names = dict.fromkeys(name.partition("{")[0] for name, _ in series)
    lines = []
    for family in names:
        lines.append(f"# TYPE {family} unknown")
        for name, points in series:
            if name.partition("{")[0] == family:
                lines += [f"{name} {value} {at:.3f}" for at, value in points]
    return "\n".join([*lines, "# EOF", ""])


class Prometheus:
    """A running server. `url` is its address."""

    def __init__(self, url: str, running: subprocess.Popen[bytes]) -> None:
        self.url, self._running = url, running

    def stop(self) -> None:
        """Ends the server at once, as a crash does."""
        self._running.kill()
        self._running.wait(10)

    def freeze(self) -> None:
        """The server goes on to accept connections, and answers nothing."""
        self._running.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._running.pid, os.WSTOPPED | os.WNOWAIT)  # a signal takes its time on a busy machine

    def thaw(self) -> None:
        """Ends `freeze`."""
        self._running.send_signal(signal.SIGCONT)

    def wait_for(self, query: str, seconds: float = 20) -> None:
        """Waits until a query has a result."""
        end = time.monotonic() + seconds
        address = f"{self.url}/api/v1/query?query={quote(query)}"
        while time.monotonic() < end:
            with urllib.request.urlopen(address, timeout=5) as answer:
                if b'"result":[]' not in answer.read():
                    return
            time.sleep(0.1)
        raise AssertionError(f"{query} gave nothing within {seconds} s")


def _scrape_configs(jobs: Mapping[str, tuple[int, Sequence[str]]]) -> str:
    """Name -> (milliseconds between scrapes, targets), as the server's settings have it."""
    written = []
    for name, (every, targets) in jobs.items():
        places = ", ".join(f'"{target}"' for target in targets)
        times = f"scrape_interval: {every}ms, scrape_timeout: {min(every, 1000)}ms"
        written.append(f"{{job_name: {name}, {times}, static_configs: [{{targets: [{places}]}}]}}")
    return f"[{', '.join(written)}]"


@contextmanager
def prometheus(
    folder: Path,
    history: str = "",
    targets: Sequence[str] = (),
    jobs: Mapping[str, tuple[int, Sequence[str]]] | None = None,
    users: Mapping[str, str] | None = None,
    flags: Sequence[str] = (),
) -> Iterator[Prometheus]:
    """Starts one on a free port, over `history` (see `open_metrics`), scraping `targets` (host:port) every 0.2 s.

    Or `jobs`: name -> (milliseconds between scrapes, targets). With `users` (name -> bcrypt of the password) it asks
    everybody for them. `flags` are further words of the command.
    """
    need_prometheus()
    data = folder / "data"
    data.mkdir(parents=True)
    if history:
        (folder / "history.om").write_text(history)
        filling = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(folder / "history.om"), str(data)]
        done = subprocess.run(filling, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    scrapes = _scrape_configs(jobs or ({"app": (200, targets)} if targets else {}))
    setting = folder / "prometheus.yml"
    setting.write_text(f"scrape_configs: {scrapes}\n")
    port = _free_port()
    words = [
        "prometheus",
        f"--config.file={setting}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=400d",
        f"--web.listen-address=127.0.0.1:{port}",
        *flags,
    ]
    if users:
        (folder / "web.yml").write_text(json.dumps({"basic_auth_users": dict(users)}))
        words.append(f"--web.config.file={folder / 'web.yml'}")
    log = (folder / "log").open("wb")
    running = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(running, url, folder / "log")
        yield Prometheus(url, running)
    finally:
        running.send_signal(signal.SIGCONT)
        running.kill()
        running.wait(10)
        log.close()


class Exporter:
    """The metrics of a made-up service; a test adds to its counters."""

    kind = "text/plain; version=0.0.4"

    def __init__(self, target: str) -> None:
        self.target = target
        self.counters: dict[str, float] = {}

    def exposed(self) -> bytes:
        """What Prometheus scrapes."""
        return "".join(f"{name} {value}\n" for name, value in list(self.counters.items())).encode()


Made = TypeVar("Made", bound=Exporter)


@contextmanager
def exporter(make: Callable[[str], Made] = Exporter) -> Iterator[Made]:  # type: ignore[assignment]
    """Serves one on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent = found.exposed()
            self.send_response(200)
            self.send_header("Content-Type", found.kind)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, format: str, *words: object) -> None:  # noqa: A002
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = make(f"127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def now() -> datetime:
    """This instant, aware UTC."""
    return datetime.now(UTC)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(running: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + _START_LIMIT
    while time.monotonic() < end:
        assert running.poll() is None, f"Prometheus ended at once: {log.read_text()[-2000:]}"
        try:
            with urllib.request.urlopen(f"{url}/-/ready", timeout=1):
                return
        except (urllib.error.HTTPError, OSError) as error:
            if isinstance(error, urllib.error.HTTPError) and error.code == 401:
                return
            time.sleep(0.05)
    raise AssertionError(f"Prometheus was not ready at {url} within {_START_LIMIT:.0f} s: {log.read_text()[-2000:]}")
