"""A toy service on this machine, with an old and a new version side by side and a load generator in front of them.

    python -m tests.support.toy_service FOLDER RPS RATE

Both versions are HTTP servers that count what they answer (`/metrics`); of the old one's answers the share RATE fails.
The generator sends RPS requests a second and splits them by FOLDER/weight, the new version's share in percent;
FOLDER/release says how the new one behaves. Both files are read again all the time, as a router and a deploy would.
FOLDER/ready holds the address for Prometheus.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

PAUSE = 0.02
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_FAILED = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"


class Toy:
    """Both versions, and who sends them requests."""

    def __init__(self, folder: Path, rps: float, old_rate: float) -> None:
        self.folder, self.rps, self.old_rate, self.random = folder, rps, old_rate, random.Random(7)
        self.counted = {(track, code): 0 for track in ("stable", "canary") for code in (200, 500)}
        self.weight, self.release = 0, dict[str, Any]()

    def rate(self, track: str) -> float:
        """The share of failing requests now: of the new version by its share of the traffic."""
        if track == "stable" or self.weight < self.release.get("from_weight", 0):
            return self.old_rate
        return float(self.release["rate"])

    def answer(self, track: str, path: bytes) -> bytes:
        """One request, answered and counted."""
        if path == b"/metrics":
            lines = [f'http_requests_total{{track="{t}",code="{c}"}} {n}\n' for (t, c), n in self.counted.items()]
            body = "".join(lines).encode()
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: "
            return head + str(len(body)).encode() + b"\r\n\r\n" + body
        code = 500 if self.random.random() < self.rate(track) else 200
        self.counted[track, code] += 1
        return _OK if code == 200 else _FAILED

    async def serve(self, track: str) -> int:
        """Starts a version on a free port -> the port."""

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while True:
                    request = await reader.readuntil(b"\r\n\r\n")
                    writer.write(self.answer(track, request.split(b" ", 2)[1]))
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        return int(server.sockets[0].getsockname()[1])

    def look(self) -> None:
        """Reads what the pipeline has set; a file that is being written is read at the next look."""
        try:
            self.weight = int((self.folder / "weight").read_text() or 0)
            self.release = json.loads((self.folder / "release").read_text())
        except (OSError, ValueError):
            return

    async def load(self, ports: dict[str, int]) -> None:
        """Sends requests for ever, several at once on a connection to each version."""
        sides = {track: await asyncio.open_connection("127.0.0.1", port) for track, port in ports.items()}
        readers = [asyncio.ensure_future(_swallow(reader)) for reader, _ in sides.values()]
        sent, began = 0, time.monotonic()
        while not any(reader.done() for reader in readers):
            self.look()
            due = int((time.monotonic() - began) * self.rps) - sent
            sent += due
            canary = sum(self.random.random() * 100 < self.weight for _ in range(due)) if self.release else 0
            for track, count in (("canary", canary), ("stable", due - canary)):
                sides[track][1].write(b"GET / HTTP/1.1\r\nHost: toy\r\n\r\n" * count)
            await asyncio.sleep(PAUSE)


async def _swallow(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass


async def run_toy(folder: Path, rps: float, old_rate: float) -> None:
    """Both versions and the load, until the process ends."""
    toy = Toy(folder, rps, old_rate)
    ports = {track: await toy.serve(track) for track in ("stable", "canary")}
    (folder / "ready").write_text(f"127.0.0.1:{ports['stable']}")
    await toy.load(ports)


if __name__ == "__main__":
    asyncio.run(run_toy(Path(sys.argv[1]), *map(float, sys.argv[2:])))
