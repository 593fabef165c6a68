"""A rollout without waiting: a clock that only moves when somebody waits, and a metric source of made-up counters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from incident_ops.domain.ports import MetricSeries, Sampled, Tick
from incident_ops.errors import Incomplete

BEGIN = datetime(2025, 1, 26, 14, 0, tzinfo=UTC)
POLICY = """\
extends: sev0-3
gate: {max_error_pct: null}
datasources:
  main: {kind: prometheus, url: "https://prometheus.example"}
  dogs: {kind: datadog, token_env: DD_KEY, application_key_env: DD_APP}
"""
GATE = """\
apiVersion: incident-ops/v1
kind: CanaryAnalysis
metadata: {name: checkout-errors}
spec:
  provider: {prometheus: {datasource: main}}
  warmup: 0s
  duration: 10m
  metrics:
  - name: http-5xx
    type: errorRate
    canary: {errors: canary_errors, requests: canary_requests}
    baseline: {errors: baseline_errors, requests: baseline_requests}
"""


def gate(**lines: str) -> str:
    """The gate with further or other lines of `spec`."""
    text = GATE
    for key, value in lines.items():
        found = [line for line in text.splitlines() if line.startswith(f"  {key}:")]
        text = text.replace(found[0], f"  {key}: {value}") if found else f"{text}  {key}: {value}\n"
    return text


class Clock:
    """Stands in for `Ticking`: time is what was waited. `jumps`: with that wait, counted from 1, seconds more."""

    def __init__(self, jumps: dict[int, float] | None = None, at_wait: Callable[[int], None] | None = None) -> None:
        self.at, self.waits, self.jumps, self.at_wait = BEGIN, 0, jumps or {}, at_wait

    def now(self) -> datetime:
        return self.at

    def wait(self, seconds: float) -> None:
        self.waits += 1
        if self.at_wait is not None:
            self.at_wait(self.waits)
        self.at += timedelta(seconds=seconds + self.jumps.get(self.waits, 0.0))


class Source:
    """Counters of a service with `rps` requests a second on the canary and nine times as many beside it.

    `ratio` is how many times worse the canary is, or what that is at an instant. `answers` are taken first, by query:
    a value instead of a count, or an error to raise.
    """

    is_promql = True
    unproven = ""

    def __init__(
        self, ratio: float | Callable[[float], float] = 1.0, *, rps: float = 20.0, rate: float = 0.02,
        cumulative: bool = True,
    ) -> None:  # fmt: skip
        self.ratio, self.rps, self.rate, self.is_cumulative = ratio, rps, rate, cumulative
        self.answers: dict[str, Callable[[float], Any]] = {}
        self.asked: list[tuple[str, Tick]] = []

    def value(self, query: str, tick: Tick) -> object:
        self.asked.append((query, tick))
        return self._answer(query, tick)

    def counts(self, query: str, tick: Tick) -> MetricSeries:
        self.asked.append((query, tick))
        found = self._answer(query, tick)
        return found if isinstance(found, dict) else {"": found}

    def history(self, query: str, last: Tick, ticks: int) -> Sequence[MetricSeries]:
        if not self.is_cumulative:
            return []
        return [{"": self._total(query, last.shifted(-last.seconds * n).end)} for n in range(ticks, -1, -1)]

    def spacing(self, query: str, at: datetime) -> float:
        return 0.0

    def _answer(self, query: str, tick: Tick) -> Any:
        if query in self.answers:
            found = self.answers[query]((tick.end - BEGIN).total_seconds())
            if isinstance(found, Exception):
                raise found
            if found is not ...:
                return found
        after, before = self._total(query, tick.end), self._total(query, tick.begin)
        return after if self.is_cumulative else after - before

    def _total(self, query: str, at: datetime) -> float:
        side, _, what = query.partition("_")
        seconds = int((at - BEGIN).total_seconds()) + 10_000
        requests = self.rps * (9 if side == "baseline" else 1)
        if what == "requests":
            return requests * seconds
        if side == "baseline" or not callable(self.ratio):
            share = self.rate * (self.ratio if side == "canary" and not callable(self.ratio) else 1.0)
            return float(int(requests * share * seconds))
        return float(int(sum(requests * self.rate * self.ratio(n - 10_000) for n in range(seconds))))


class Scraped(Source):
    """The same service as a server sees it that scrapes every `every` seconds, at its own phase for each side.

    Its errors are whole numbers at every second, so that no tick has more of them than another.
    """

    def __init__(self, every: float, ratio: float | Callable[[float], float] = 1.0, **words: Any) -> None:
        super().__init__(ratio, **{"rps": 32.0, "rate": 1 / 32, **words})
        self.every = every

    def counts(self, query: str, tick: Tick) -> MetricSeries:
        phase = 0.4 * self.every if query.startswith("baseline") else 0.0
        seconds = tick.end.timestamp()
        sampled = (seconds - phase) // self.every * self.every + phase
        found = super().counts(query, Tick(tick.end - timedelta(seconds=seconds - sampled), tick.seconds))
        return Sampled(found, dict.fromkeys(found, sampled))

    def spacing(self, query: str, at: datetime) -> float:
        return self.every


def broken(_at: float) -> Incomplete:
    """An answer that does not come."""
    return Incomplete("data source main: HTTP 503", hint="try again")


def stage(monkeypatch: pytest.MonkeyPatch, source: Source, clock: Clock | None = None) -> Clock:
    """Puts both in the place of the real ones."""
    clock = clock or Clock()
    for module in ("canary_run", "canary_probe"):
        monkeypatch.setattr(f"incident_ops.app.{module}.Ticking", lambda: clock)
    monkeypatch.setattr("incident_ops.app.canary_sources.connect", lambda *given, **words: source)
    return clock


def write(folder: Path, text: str, name: str = "g.yaml") -> str:
    """A gate file in a folder -> its name."""
    (folder / name).write_text(text, encoding="utf-8")
    return name


COLUMNS = "t,canary_requests,canary_errors,baseline_requests,baseline_errors\n"


def rows(canary: str = "300,6", baseline: str = "2700,54", count: int = 40, first: int = 1) -> str:
    """A recording: the same tick again and again."""
    return COLUMNS + "".join(f"{15 * number},{canary},{baseline}\n" for number in range(first, first + count))
