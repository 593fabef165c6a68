"""`canary run` against a real Prometheus with filled history, and one that dies in the middle."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.canary_scene import Clock
from tests.cli.scene import Done, Folder, call
from tests.support.prometheus import Prometheus, need_prometheus, open_metrics, prometheus

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1"])

FIRST = (time.time() - 3 * 3600) // 15 * 15
BEGIN = FIRST + 3600
GATE = """\
apiVersion: incident-ops/v1
kind: CanaryAnalysis
metadata: {name: real}
spec:
  provider: {prometheus: {datasource: main}}
  args: [{name: version}]
  steps: [{weight: 10, duration: 5m}, {weight: 50, duration: 5m}]
  metrics:
  - name: http-5xx
    type: errorRate
    canary:
      errors: 'http_requests_total{version="{{args.version}}",code="500"}'
      requests: 'http_requests_total{version="{{args.version}}"}'
    baseline:
      errors: 'http_requests_total{version="stable",code="500"}'
      requests: 'http_requests_total{version="stable"}'
  - name: p99
    type: threshold
    query: 'p99_seconds{version="{{args.version}}"}'
    successCondition: result < 0.5
"""


def counted(rng: random.Random, rps: float, rate: float, reset_at: int) -> tuple[list[Any], list[Any]]:
    """Two counters over two hours, successes and errors, which begin anew at a tick."""
    fine, failed, successes, errors = 0.0, 0.0, [], []
    for number in range(480):
        bad = sum(rng.random() < rate for _ in range(int(15 * rps)))
        fine, failed = (7.0 * rps, 0.0) if number == reset_at else (fine + 15 * rps - bad, failed + bad)
        successes.append((FIRST + 15 * number, fine))
        errors.append((FIRST + 15 * number, failed))
    return successes, errors


def history() -> str:
    """A stable version, a good one, and a bad one; the good one restarts in the middle."""
    rng, series = random.Random(4), []
    for version, rps, rate, reset in (("stable", 90, 0.02, -1), ("good", 20, 0.02, 265), ("bad", 10, 0.12, -1)):
        successes, errors = counted(rng, rps, rate, reset)
        series.append((f'http_requests_total{{version="{version}",code="200"}}', successes))
        series.append((f'http_requests_total{{version="{version}",code="500"}}', errors))
        series.append((f'p99_seconds{{version="{version}"}}', [(at, 0.2) for at, _ in successes]))
    return open_metrics(series)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    need_prometheus()
    with prometheus(tmp_path_factory.mktemp("prometheus"), history()) as running:
        yield running


def run(server: Prometheus, folder: Path, patch: pytest.MonkeyPatch, version: str, clock: Clock) -> tuple[Done, Any]:
    source = f'{{kind: prometheus, url: "{server.url}", allow_private: true}}'
    here = Folder(
        folder / "repo", policy=f"extends: sev0-3\ngate: {{max_error_pct: null}}\ndatasources:\n  main: {source}\n"
    )
    here.commit()
    (here.path / "g.yaml").write_text(GATE, encoding="utf-8")
    clock.at = datetime.fromtimestamp(BEGIN, UTC)
    patch.setattr("incident_ops.app.canary_run.Ticking", lambda: clock)
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        patch.delenv(name, raising=False)
    words = ("canary", "run", "-f", "g.yaml", "--arg", f"version={version}", "--format", "json")
    done = call(*words, at=here.path, clock=None)
    return done, json.loads(done.out)


@pytest.mark.parametrize(
    ("version", "code", "verdict", "reason"),
    [("good", 0, "pass", "ok"), ("bad", 1, "fail", "error_rate"), ("gone", 3, "inconclusive", "no_data")],
)
def test_the_verdict_on_real_answers(
    server: Prometheus,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    version: str,
    code: int,
    verdict: str,
    reason: str,
) -> None:
    """A good version with a restart passes, one six times as bad fails, one without series is no data."""
    done, told = run(server, tmp_path, monkeypatch, version, Clock())
    assert (done.code, told["verdict"], told["reason_code"]) == (code, verdict, reason), done
    if version == "good":
        found = told["metrics"][0]
        assert found["baseline_requests"] == 90 * 480
        assert 0.6 < found["ratio"] < 1.5


def test_a_server_that_dies_in_the_middle_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 4 after the fifth tick without an answer."""
    need_prometheus()
    with prometheus(tmp_path / "prometheus", history()) as running:
        clock = Clock(at_wait=lambda count: running.stop() if count == 10 else None)
        done, told = run(running, tmp_path, monkeypatch, "good", clock)
    assert (done.code, told["verdict"], told["reason_code"]) == (4, "inconclusive", "datasource_error"), done
    assert 100 < told["stopped_at_seconds"] < 300
