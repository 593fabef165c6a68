"""A real Prometheus whose samples lie 5, 15, 30 and 60 s apart, with pods that end, restart and come late.

The verdicts are those of runs over filled history; what only a live server does (a scrape that is late, a series that
goes stale, a target that is gone) is read in real time by the slow test.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from incident_ops.adapters.http import Place
from incident_ops.adapters.metrics.prometheus import Prometheus as Source
from incident_ops.app.canary_samples import Sampler
from incident_ops.app.canary_sources import GateSources
from incident_ops.canary.config import Analysis, to_analysis
from incident_ops.canary.counters import NO_NEW_SAMPLE, Counts, Gap
from incident_ops.canary.verdict import SideCounts
from incident_ops.domain.ports import Tick
from tests.cli.canary_scene import Clock
from tests.cli.scene import Folder, call
from tests.support.prometheus import Exporter, Prometheus, exporter, need_prometheus, now, open_metrics, prometheus

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1"])

FIRST = (time.time() - 3 * 3600) // 60 * 60
BEGIN = FIRST + 3600
SECONDS = 2 * 3600 + 600
EVERY = (5, 15, 30, 60)
Points = list[tuple[float, float]]


def counter(every: int, rps: float, begun: float, *, first: int = 0, last: int = SECONDS, reset: int = -1) -> Points:
    """A counter that stood at `begun` in second 0, sampled from second `first` to `last`; it begins anew at `reset`."""
    points = []
    for second in range(first, last, every):
        grown = rps * (second - reset) if 0 <= reset <= second else begun + rps * second
        points.append((FIRST + second + every / 3, float(int(grown))))
    return points


def pod(every: int, version: str, name: str, rps: float, rate: float, **words: Any) -> list[tuple[str, Points]]:
    """One pod's two counters; the old ones have served a million requests, one of twenty of them in an outage."""
    begun = 1e6 if version == "old" else 0.0
    labels = f'job="s{every}",version="{version}",pod="{name}"'
    return [
        (f'http_requests_total{{{labels},code="200"}}', counter(every, rps * (1 - rate), begun * 0.95, **words)),
        (f'http_requests_total{{{labels},code="500"}}', counter(every, rps * rate, begun * 0.05, **words)),
    ]


def history() -> str:
    """For each distance four old pods, one of which ends in the run, one restarts and one comes late; two new ones."""
    series: list[tuple[str, Points]] = []
    for every in EVERY:
        series += pod(every, "old", "stays", 90, 0.005)
        series += pod(every, "old", "ends", 90, 0.005, last=3600 + 120)
        series += pod(every, "old", "restarts", 90, 0.005, reset=3600 + 150)
        series += pod(every, "old", "late", 90, 0.005, first=3600 + 180)
        series += pod(every, "good", "new", 30, 0.005)
        series += pod(every, "bad", "new", 30, 0.05)
    return open_metrics(series)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    need_prometheus()
    with prometheus(tmp_path_factory.mktemp("prometheus"), history()) as running:
        yield running


def gate(every: int, version: str, form: str) -> str:
    """The gate as it ships, ten minutes at 10 %, over one job."""
    asked = {
        f"{side} {what}": form.format(f'http_requests_total{{job="s{every}",version="{name}"{only}}}')
        for side, name in (("canary", version), ("baseline", "old"))
        for what, only in (("errors", ',code=~"5.."'), ("requests", ""))
    }
    return f"""\
apiVersion: incident-ops/v1
kind: CanaryAnalysis
metadata: {{name: scraped}}
spec:
  provider: {{prometheus: {{datasource: main}}}}
  steps: [{{weight: 10, duration: 10m}}, {{weight: 100}}]
  metrics:
  - name: http-5xx
    type: errorRate
    canary: {{errors: '{asked["canary errors"]}', requests: '{asked["canary requests"]}'}}
    baseline: {{errors: '{asked["baseline errors"]}', requests: '{asked["baseline requests"]}'}}
"""


@pytest.mark.parametrize("form", ["{}", "sum({})"], ids=["plain", "sum"])
@pytest.mark.parametrize("every", EVERY)
def test_a_good_canary_passes_and_one_ten_times_worse_fails(
    server: Prometheus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: int, form: str
) -> None:
    """Ticks of 15 s; a pod ends, one restarts and one with an outage in its past comes late while it is measured."""
    source = f'{{kind: prometheus, url: "{server.url}", allow_private: true}}'
    here = Folder(tmp_path / "repo", policy=f"extends: sev0-3\ndatasources:\n  main: {source}\n")
    here.commit()
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    for version, code, verdict in (("good", 0, "pass"), ("bad", 1, "fail")):
        clock = Clock()
        clock.at = datetime.fromtimestamp(BEGIN, UTC)
        monkeypatch.setattr("incident_ops.app.canary_run.Ticking", lambda clock=clock: clock)
        (here.path / "g.yaml").write_text(gate(every, version, form), encoding="utf-8")
        done = call("canary", "run", "-f", "g.yaml", "--format", "json", at=here.path, clock=None)
        told = json.loads(done.out)
        assert (done.code, told["verdict"]) == (code, verdict), done
        found = told["metrics"][0]
        assert found["baseline_errors"] / found["baseline_requests"] == pytest.approx(0.005, rel=0.03)
        assert found["canary_requests"] <= 30 * (told["stopped_at_seconds"] - 60 + 2 * every)
        if version == "bad":
            assert told["stopped_at_seconds"] <= 60 + 120 + 3 * every


class Pods:
    """Pods of two versions that serve in real time; one in 20 requests of the new fails, one in 200 of the old."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack, self.served = stack, dict[str, float]()
        self.pods: dict[str, tuple[Exporter, ExitStack, str]] = {}
        self._ended = threading.Event()
        for name, version in (("old-1", "old"), ("old-2", "old"), ("old-3", "old"), ("new-1", "new")):
            self.start(name, version)
        threading.Thread(target=self._serve, daemon=True).start()
        stack.callback(self._ended.set)

    def start(self, name: str, version: str) -> None:
        life = self._stack.enter_context(ExitStack())
        self.pods[name] = (life.enter_context(exporter()), life, version)
        self.restart(name, 1e6 if version == "old" else 0.0)

    def restart(self, name: str, served: float = 0.0) -> None:
        counters = {"200": served * 0.95, "500": served * 0.05}
        version = self.pods[name][2]
        self.pods[name][0].counters = {
            f'http_requests_total{{version="{version}",code="{code}"}}': value for code, value in counters.items()
        }

    @property
    def targets(self) -> list[str]:
        return [found.target for found, _, _ in self.pods.values()]

    def end(self, name: str) -> None:
        self.pods.pop(name)[1].close()

    def _serve(self) -> None:
        while not self._ended.wait(0.2):
            for found, _, version in list(self.pods.values()):
                for labels in list(found.counters):
                    rate = 0.05 if version == "new" else 0.005
                    share = rate if '"500"' in labels else 1 - rate
                    found.counters[labels] += 200 * share


FORMS = ("{}", "sum({})", "sum({}) + 0")


@pytest.mark.slow
def test_a_live_server_is_read_without_counting_anything_twice(tmp_path: Path) -> None:
    """Four scrapes at once, for two minutes: a pod ends, one restarts, one with a past is scraped late.

    Each tick has the rates of its own time, there are as many of them as samples, and readings in between wait.
    """
    need_prometheus()
    with ExitStack() as stack:
        pods = Pods(stack)
        late = stack.enter_context(exporter())
        jobs = {f"s{every}": (1000 * every, [*pods.targets, late.target]) for every in EVERY}
        server = stack.enter_context(prometheus(tmp_path, jobs=jobs))
        samplers = {(every, form): sampler_of(server, every, form) for every in EVERY for form in FORMS}
        counted: dict[tuple[int, str], list[SideCounts]] = {key: [] for key in samplers}
        begin, changes = time.monotonic(), {65: lambda: pods.end("old-1"), 75: lambda: pods.restart("old-2")}
        changes[85] = lambda: late.counters.update(
            {'http_requests_total{version="old",code="200"}': 1e6, 'http_requests_total{version="old",code="500"}': 5e5}
        )
        while (seconds := time.monotonic() - begin) < 125:
            for at in [at for at in changes if seconds >= at]:
                changes.pop(at)()
            for key, (found, analysis) in samplers.items():
                answer = found.ask(analysis.metrics[0], Tick(now(), 5.0))
                assert isinstance(answer, SideCounts), answer
                counted[key].append(answer)
            time.sleep(5 - (time.monotonic() - begin) % 5)
    for (every, form), answers in counted.items():
        check_live(every, form, answers)


def check_live(every: int, form: str, answers: list[SideCounts]) -> None:
    """A tick a sample, with the rates of the pods; before the first sample there is nothing, between two a wait."""
    ticks = [one for one in answers if isinstance(one.canary, Counts)]
    assert 125 / every - 3 <= len(ticks) <= 125 / every + 1, (every, form, answers)
    rest = answers[answers.index(ticks[0]) :]
    assert {one.canary.reason for one in rest if isinstance(one.canary, Gap)} <= {NO_NEW_SAMPLE}, (every, form, answers)
    if every > 20 and form == FORMS[2]:
        return  # one pod ends and another comes between two samples: only the counters themselves show that
    for one in ticks:
        assert isinstance(one.canary, Counts)
        assert one.canary.errors == pytest.approx(0.05 * one.canary.requests, rel=0.02)
        if isinstance(one.baseline, Counts):
            assert one.baseline.errors == pytest.approx(0.005 * one.baseline.requests, rel=0.02)
    unclear = [one.baseline for one in ticks if isinstance(one.baseline, Gap)]
    # three changes, each seen by two ticks at most: every pod is scraped at an instant of its own
    assert len(unclear) <= 6, (every, form, unclear)


def sampler_of(server: Prometheus, every: int, form: str) -> tuple[Sampler, Analysis]:
    """What reads one job's counters, and the gate that it reads them for."""
    place = Place("data source main", server.url, allow_private=True)
    analysis = to_analysis(yaml.safe_load(gate(every, "new", form)))
    return Sampler(GateSources(analysis, {analysis.provider: Source(place)}), analysis, {}), analysis
