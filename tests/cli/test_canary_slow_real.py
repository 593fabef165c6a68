"""`type: slowRate` against a real Prometheus: histograms of pods that end, restart, and have other buckets.

The verdicts are those of runs over filled history, and one of a toy service that is scraped while it is judged.
"""

from __future__ import annotations

import json
import math
import random
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.canary_scene import Clock
from tests.cli.scene import Done, Folder, call
from tests.support.prometheus import Exporter, Prometheus, exporter, need_prometheus, open_metrics, prometheus

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1"])

FIRST = (time.time() - 3 * 3600) // 60 * 60
BEGIN = FIRST + 3600
SECONDS = 2 * 3600 + 600
NAME = "http_request_duration_seconds"


def histogram(
    labels: str, rps: float, slow: float, *, begun: float = 0.0, last: int = SECONDS, reset: int = -1,
    ends: tuple[str, ...] = ("0.1", "0.25", "0.5", "1.0"), name: str = NAME,
) -> list[tuple[str, list[tuple[float, float]]]]:  # fmt: skip
    """One pod's buckets, scraped every 15 s: of its requests the share `slow` takes 0.7 s, the others 0.2 s."""
    shares = {"0.1": 0.0, "0.25": 1 - slow, "0.5": 1 - slow, "1.0": 1.0, "300": 1 - slow, "+Inf": 1.0}
    series = []
    for end in (*ends, "+Inf"):
        points = []
        for second in range(0, last, 15):
            grown = rps * (second - reset) if 0 <= reset <= second else begun + rps * second
            points.append((FIRST + second + 4, float(int(grown * shares[end]))))
        series.append((f'{name}_bucket{{{labels},le="{end}"}}', points))
    return series


def history() -> str:
    """Three old pods, of which one ends and one restarts, with an outage's slow requests behind them; new versions."""
    old = 'version="old",pod="{}"'
    series = histogram(old.format("a"), 90, 0.009, begun=1e6)
    series += histogram(old.format("b"), 90, 0.009, begun=1e6, last=3600 + 200)
    series += histogram(old.format("c"), 90, 0.009, begun=1e6, reset=3600 + 300)
    series += histogram('version="good",pod="n"', 30, 0.009)
    series += histogram('version="slow",pod="n"', 30, 0.045)
    series.append(('plain_seconds{version="good"}', [(FIRST + second, 1.0) for second in range(0, SECONDS, 15)]))
    series.append(('plain_seconds{version="old"}', [(FIRST + second, 1.0) for second in range(0, SECONDS, 15)]))
    series += histogram('version="mixed",pod="n"', 30, 0.009)
    series += histogram('version="mixed",pod="m"', 30, 0.009, ends=("0.1", "0.25", "1.0"))
    for version, share in (("old", 0.009), ("good", 0.009), ("slow", 0.045)):
        words: dict[str, Any] = {"ends": ("300",), "name": "istio_request_duration_milliseconds"}
        series += histogram(f'version="{version}"', 60, share, **words)
    return open_metrics(series)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    need_prometheus()
    with prometheus(tmp_path_factory.mktemp("prometheus"), history()) as running:
        yield running


def gate(version: str, slower: str = "500ms", name: str = NAME, more: str = "") -> str:
    return f"""\
apiVersion: incident-ops/v1
kind: CanaryAnalysis
metadata: {{name: latency}}
spec:
  provider: {{prometheus: {{datasource: main}}}}
  steps: [{{weight: 10, duration: 10m}}, {{weight: 100}}]
  metrics:
  - name: slow-requests
    type: slowRate
    slowerThan: {slower}
    canary: {{histogram: '{name}{{version="{version}"}}'}}
    baseline: {{histogram: '{name}{{version="old"}}'}}
{more}"""


def folder(server: Prometheus, at: Path) -> Folder:
    source = f'{{kind: prometheus, url: "{server.url}", allow_private: true}}'
    here = Folder(at / "repo", policy=f"extends: sev0-3\ndatasources:\n  main: {source}\n")
    here.commit()
    return here


def run(server: Prometheus, at: Path, patch: pytest.MonkeyPatch, text: str, *words: str) -> Done:
    here = folder(server, at)
    (here.path / "g.yaml").write_text(text, encoding="utf-8")
    clock = Clock()
    clock.at = datetime.fromtimestamp(BEGIN, UTC)
    patch.setattr("incident_ops.app.canary_run.Ticking", lambda: clock)
    patch.setattr("incident_ops.app.canary_probe.Ticking", lambda: clock)
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        patch.delenv(name, raising=False)
    return call("canary", *(words or ("run",)), "-f", "g.yaml", at=here.path, clock=None)


@pytest.mark.parametrize(
    ("name", "slower"), [(NAME, "500ms"), ("istio_request_duration_milliseconds", "0.3s")], ids=["seconds", "ms"]
)
@pytest.mark.parametrize(("version", "code", "reason"), [("good", 0, "ok"), ("slow", 1, "slow_rate")])
def test_as_many_slow_requests_pass_and_five_times_as_many_fail(
    server: Prometheus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    name: str, slower: str, version: str, code: int, reason: str,
) -> None:  # fmt: skip
    """Pods are added up one by one: one ends, one restarts, and what was slow long before the run does not count."""
    done = run(server, tmp_path, monkeypatch, gate(version, slower, name), "run", "--format", "json")
    shown = json.loads(done.out)
    assert (done.code, shown["reason_code"]) == (code, reason), done
    found = shown["metrics"][0]
    assert found["baseline_slow"] / found["baseline_requests"] == pytest.approx(0.009, rel=0.02)
    assert found["slower_than_seconds"] == (0.5 if slower == "500ms" else 0.3)
    assert found["canary_errors"] is None
    if code:
        assert shown["stopped_at_seconds"] <= 240


def test_the_verdict_speaks_of_slow_requests(
    server: Prometheus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run(server, tmp_path, monkeypatch, gate("slow"))
    assert "fail: the canary has more slow requests than the baseline (slow_rate)" in done.out
    assert "  slow-requests (slower than 500 ms): fail (slow_rate)" in done.out
    assert "canary 101 of 2,250 (4.49 %), baseline 183 of 20,250 (0.904 %)" in done.out
    assert "share of slow requests that the baseline usually has" in " ".join(done.out.split())
    assert "error" not in done.out


def test_a_bucket_that_there_is_not_ends_the_run_before_traffic_moves(
    server: Prometheus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run(server, tmp_path, monkeypatch, gate("good", "300ms"))
    assert done.code == 2
    assert "slow-requests: no bucket ends at 300 ms" in done.err
    assert "write slowerThan: 250ms; its buckets end at 100ms, 250ms, 500ms, 1s" in done.err


def test_a_pod_with_other_buckets_is_no_evidence(
    server: Prometheus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run(server, tmp_path, monkeypatch, gate("mixed"))
    assert (done.code, "no_data" in done.out) == (3, True)
    assert "1 of 2 series have no bucket that ends at 500 ms" in " ".join(done.out.split())


def test_what_is_no_histogram_is_an_error_and_an_argument_names_the_version(
    server: Prometheus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = run(server, tmp_path / "plain", monkeypatch, gate("good", name="plain_seconds"), "probe")
    assert plain.code == 4, plain
    assert "the query gives a number, and no histogram (name a histogram" in " ".join(plain.out.split())
    text = gate("{{args.version}}").replace("  metrics:", "  args: [{name: version}]\n  metrics:")
    done = run(server, tmp_path / "args", monkeypatch, text, "run", "--arg", "version=slow")
    assert (done.code, "(slow_rate)" in done.out) == (1, True), done
    gone = run(server, tmp_path / "gone", monkeypatch, gate("gone"))
    assert (gone.code, "canary requests: no series" in gone.out) == (3, True), gone


def test_the_probe_shows_the_buckets_and_which_one_is_missing(
    server: Prometheus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine = run(server, tmp_path / "fine", monkeypatch, gate("good"), "probe")
    assert fine.code == 0, fine
    assert "slow-requests canary: 0.9" in fine.out
    assert "% of its requests took longer than 500 ms in the last 5m" in " ".join(fine.out.split())
    assert "slow-requests baseline: buckets end at 100ms, 250ms, 500ms, 1s" in fine.out
    wrong = run(server, tmp_path / "wrong", monkeypatch, gate("good", "300ms"), "probe")
    shown = " ".join(wrong.out.split())
    assert wrong.code == 1
    assert "no bucket ends at 300 ms (write slowerThan: 250ms; its buckets end at 100ms, 250ms, 500ms, 1s)" in shown
    mixed = run(server, tmp_path / "mixed", monkeypatch, gate("mixed"), "probe")
    assert mixed.code == 1
    assert "only 1 of 2 series have a bucket that ends at 500 ms" in " ".join(mixed.out.split())


class Served:
    """A service whose requests take lognormal times: half of them 50 ms, one of 100 more than half a second.

    The new version is `slower` times as slow as the old one.
    """

    def __init__(self, found: Exporter, slower: float) -> None:
        self._found, self._slower, self._rng, self.ended = found, slower, random.Random(7), threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._serve_once()
        self._thread.start()

    def end(self) -> None:
        self.ended.set()
        self._thread.join()

    def _serve(self) -> None:
        while not self.ended.wait(0.1):
            self._serve_once()

    def _serve_once(self) -> None:
        after = dict(self._found.counters)
        for version, number, slower in (("old", 450, 1.0), ("new", 50, self._slower)):
            for _ in range(number):
                took = slower * self._rng.lognormvariate(math.log(0.05), 1.0)
                for end in ("0.1", "0.25", "0.5", "1.0", "+Inf"):
                    name = f'{NAME}_bucket{{version="{version}",le="{end}"}}'
                    after[name] = after.get(name, 0.0) + (took <= float(end))
        self._found.counters = after


LIVE = """\
  interval: 1s
  warmup: 2s
  duration: 20s
"""


@pytest.mark.slow
@pytest.mark.parametrize(("slower", "code", "verdict"), [(1.0, 0, "pass"), (2.0, 1, "fail")])
def test_a_toy_service_is_judged_while_it_is_scraped(tmp_path: Path, slower: float, code: int, verdict: str) -> None:
    """In real time: as fast as the old version passes, and twice as slow, by which 5 times as many are slow, fails."""
    need_prometheus()
    with exporter() as found:
        served = Served(found, slower)
        try:
            with prometheus(tmp_path / "prometheus", targets=[found.target]) as server:
                here = folder(server, tmp_path)
                server.wait_for(f'{NAME}_bucket{{version="new",le="+Inf"}} > 1000')
                text = gate("new").replace("  steps: [{weight: 10, duration: 10m}, {weight: 100}]\n", LIVE)
                (here.path / "g.yaml").write_text(f"{text}    lookback: 3s\n", encoding="utf-8")
                done = call("canary", "run", "-f", "g.yaml", "--format", "json", at=here.path, clock=None)
        finally:
            served.end()
    shown = json.loads(done.out)
    assert (done.code, shown["verdict"]) == (code, verdict), done
    counted = shown["metrics"][0]
    assert counted["baseline_slow"] / counted["baseline_requests"] == pytest.approx(0.0107, rel=0.15)
