"""A deploy pipeline of a toy service, whole on this machine: build, canary at 10 % and 50 %, everything, watch.

The service and its load are those of `toy_service`, the numbers come from a real Prometheus that scrapes it, and the
pipeline is a shell script that asks `incident-ops canary run` and rolls back on everything but a pass.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.prometheus import need_prometheus, prometheus
from tests.support.repository import Repo

ROOT = Path(__file__).resolve().parents[2]
RPS = 5000.0
LONGEST_START = 30.0

VERSIONS = {
    "good": {"rate": 0.05},
    "bad": {"rate": 0.4},
    "late": {"rate": 1.0, "from_weight": 50},  # fine at 10 %, dead from 50 % on
    "quiet": {"rate": 0.0},  # of a service without an error, see OLD_RATES
}
OLD_RATES = {"quiet": 0.0}
USUAL_RATE = 0.05
GATE = """\
apiVersion: incident-ops/v1
kind: CanaryAnalysis
metadata: {name: toy}
spec:
  provider: {prometheus: {datasource: main}}
  interval: 1s
  warmup: 2s
  steps: [{weight: 10, duration: 15s}, {weight: 50, duration: 15s}, {weight: 100}]
  watch: 8s
  metrics:
  - name: http-5xx
    type: errorRate
    maxErrorRate: 25%
    lookback: 3s
    canary:
      errors: http_requests_total{track="canary",code="500"}
      requests: http_requests_total{track="canary"}
    baseline:
      errors: http_requests_total{track="stable",code="500"}
      requests: http_requests_total{track="stable"}
"""
SCRIPTS = {
    "build.sh": 'cp "versions/$1.json" build.json',
    "traffic.sh": "cp build.json toy/release.new && mv toy/release.new toy/release\n"
    'echo "$1" > toy/weight.new && mv toy/weight.new toy/weight\n'
    'echo "$1 % of production on $INCIDENT_OPS_SHA" >> deploys.log',
    "rollback.sh": 'echo 0 > toy/weight.new && mv toy/weight.new toy/weight\necho "rolled back" >> deploys.log',
    "deploy.sh": """\
./build.sh "$1" || exit
code=0
incident-ops canary run -f gates/toy.yaml -s toy --sha "$2" \\
  --on-step './traffic.sh "$INCIDENT_OPS_WEIGHT"' --on-fail ./rollback.sh || code=$?
if [ "$code" -gt 1 ]; then ./rollback.sh; fi # a fail was rolled back by --on-fail
exit "$code"
""",
}


class ToyDeploy:
    """The repository of the toy service; `log` is what its deploys did."""

    def __init__(self, folder: Path, source: str) -> None:
        self.repo = Repo(folder / "repo")
        self.repo.write("policy.yaml", f"extends: sev0-3\ndatasources:\n  main: {source}\n")
        self.repo.write("services.yaml", 'services:\n  toy: {owner: "@team"}\n')
        self.repo.write("gates/toy.yaml", GATE)
        self.repo.write(".gitignore", "/toy\n/build.json\n/deploys.log\n")
        for name, version in VERSIONS.items():
            self.repo.write(f"versions/{name}.json", json.dumps(version))
        for name, script in SCRIPTS.items():
            self.repo.write(name, f"#!/bin/sh\n{script}\n").chmod(0o755)
        self.repo.commit("the toy service")

    @property
    def log(self) -> list[str]:
        """A line for each step of the deploys so far; it is emptied."""
        file = self.repo.root / "deploys.log"
        found = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return found

    @property
    def weight(self) -> int:
        """The share of the traffic that is on the new version now."""
        return int((self.repo.root / "toy/weight").read_text(encoding="utf-8"))


@contextmanager
def toy_deploy(folder: Path, version: str) -> Iterator[ToyDeploy]:
    """The toy service that `version` is for with its load, and a Prometheus that scrapes it, until the block ends."""
    need_prometheus()
    toy = folder / "repo" / "toy"
    toy.mkdir(parents=True)
    words = [
        sys.executable,
        "-m",
        "tests.support.toy_service",
        str(toy),
        str(RPS),
        str(OLD_RATES.get(version, USUAL_RATE)),
    ]
    running = subprocess.Popen(words, cwd=ROOT)
    try:
        end = time.monotonic() + LONGEST_START
        while not (toy / "ready").exists():
            assert running.poll() is None and time.monotonic() < end, "the toy service did not start"  # noqa: PT018
            time.sleep(0.05)
        with prometheus(folder / "prometheus", targets=[(toy / "ready").read_text()]) as server:
            source = f'{{kind: prometheus, url: "{server.url}", allow_private: true}}'
            made = ToyDeploy(folder, source)
            server.wait_for('http_requests_total{track="stable"} > 5000')
            yield made
    finally:
        running.kill()
        running.wait(10)
