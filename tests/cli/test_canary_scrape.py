"""`canary run` where the source samples more seldom than the gate reads: a reading without a new sample is no tick."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.cli.canary_scene import BEGIN, POLICY, Scraped, Source, gate, stage, write
from tests.cli.scene import Done, Folder, call

Patch = pytest.MonkeyPatch


@pytest.fixture
def canary_folder(make: Callable[..., Folder], monkeypatch: Patch) -> Folder:
    """A repository with a data source, outside any workflow."""
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ACTOR", "GITHUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    made = make("repo", policy=POLICY)
    made.commit()
    return made


def run(here: Folder, text: str, *words: str) -> tuple[Done, dict[str, Any]]:
    """A live run with its JSON."""
    done = call("canary", "run", "-f", write(here.path, text), "--format", "json", *words, at=here.path, clock=None)
    assert "Traceback" not in done.err
    return done, json.loads(done.out)


@pytest.mark.parametrize("scrape", [5, 15, 30, 60])
def test_a_good_canary_passes_and_one_ten_times_worse_fails_whatever_the_scrape(
    canary_folder: Folder, monkeypatch: Patch, scrape: int
) -> None:
    """Ticks of 15 s over samples of 30 or 60 s: three of four readings wait, and all requests are counted."""
    stage(monkeypatch, Scraped(scrape))
    done, told = run(canary_folder, gate())
    assert (done.code, told["verdict"], told["reason_code"]) == (0, "pass", "ok")
    assert 0 <= 32 * 600 - told["metrics"][0]["canary_requests"] <= 32 * 2 * scrape
    stage(monkeypatch, Scraped(scrape, 10.0))
    done, told = run(canary_folder, gate())
    assert (done.code, told["verdict"], told["reason_code"]) == (1, "fail", "error_rate")
    assert told["stopped_at_seconds"] <= 120 + 3 * scrape


def test_the_assumption_names_the_ticks_that_really_were(canary_folder: Folder, monkeypatch: Patch) -> None:
    """Errors of one cause within one sample's time, not within the time between two readings."""
    stage(monkeypatch, Scraped(60, 10.0))
    name = write(canary_folder.path, gate(duration="40m"))
    done = call("canary", "run", "-f", name, at=canary_folder.path, clock=None)
    assert "errors of one cause come within 1m " in " ".join(done.out.split())


def test_a_canary_whose_samples_stop_has_not_passed(canary_folder: Folder, monkeypatch: Patch) -> None:
    """The series are there and do not move: nothing new, then too old; never a pass, and the reason says so."""
    source = Scraped(15)
    counts = source.counts

    def stuck(query: str, tick: Any) -> Any:
        last = BEGIN.timestamp() + 540
        late = max(0.0, tick.end.timestamp() - last) if query.startswith("canary") else 0.0
        return counts(query, tick.shifted(-late))

    monkeypatch.setattr(source, "counts", stuck)
    stage(monkeypatch, source)
    done, told = run(canary_folder, gate())
    assert (done.code, told["verdict"], told["reason_code"]) == (3, "inconclusive", "no_new_sample")
    done, told = run(canary_folder, gate(duration="30m"))
    assert (done.code, told["verdict"], told["reason_code"]) == (3, "inconclusive", "no_data")
    assert "the newest sample is" in call(
        "canary", "run", "-f", "g.yaml", at=canary_folder.path, clock=None
    ).out.replace("\n    ", " ")


def test_a_step_is_left_with_the_next_sample(canary_folder: Folder, monkeypatch: Patch) -> None:
    """It waits for it, a minute at most; the steps are taken and the verdict comes at the planned end."""
    stage(monkeypatch, Scraped(60))
    steps = "[{weight: 10, duration: 20m}, {weight: 11, duration: 20m}]"
    log = canary_folder.path / "log"
    text = gate(steps=steps).replace("  duration: 10m\n", "")
    done, told = run(canary_folder, text, "--on-step", f'echo "$INCIDENT_OPS_WEIGHT" >> {log}')
    assert (done.code, told["verdict"], told["stopped_at_seconds"]) == (0, "pass", 2400)
    assert log.read_text() == "10\n11\n"


class Seen(Scraped):
    """A service some of whose series are not what the gate takes them for: `series` says what a query gives."""

    def __init__(self, ratio: float = 1.0, rps: float = 100.0, **series: Callable[[Scraped, Any], Any]) -> None:
        super().__init__(15, ratio, rps=rps, rate=0.02)
        self.series = series

    def counts(self, query: str, tick: Any) -> Any:
        return self.series[query](self, tick) if query in self.series else super().counts(query, tick)


def none(_source: Scraped, _tick: Any) -> Any:
    """No series."""
    return {}


def of(query: str) -> Callable[[Scraped, Any], Any]:
    """What another query gives."""
    return lambda source, tick: Scraped.counts(source, query, tick)


def until(second: float) -> Callable[[Scraped, Any], Any]:
    """The canary's errors until then, and no such series any more."""
    return lambda source, tick: (
        Scraped.counts(source, "canary_errors", tick) if tick.end.timestamp() < BEGIN.timestamp() + second else {}
    )


SWAPPED = {
    "canary_requests": of("baseline_requests"),
    "canary_errors": of("baseline_errors"),
    "baseline_requests": of("canary_requests"),
    "baseline_errors": of("canary_errors"),
}
STEPS = "[{weight: 10, duration: 10m}]"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            Seen(8.5, **SWAPPED),
            "The canary has 90 % of the requests that were counted, and its step 10 %: are canary and",
        ),
        (
            Seen(10.0, canary_errors=none),
            "The canary has no series of errors in 60,000 requests, where the old version's",
        ),
        (Seen(1.0, canary_errors=until(200)), "The canary has no series of errors in"),
        (Seen(0.05), "The canary has ten times fewer errors than the old version"),
    ],
    ids=["swapped", "never", "vanished", "stuck"],
)
def test_counts_that_look_too_good_are_no_pass(
    canary_folder: Folder, monkeypatch: Patch, source: Seen, words: str
) -> None:
    """Each of them passed: the counts alone say that the canary is better."""
    stage(monkeypatch, source)
    text = gate(steps=STEPS).replace("  duration: 10m\n", "")
    done, told = run(canary_folder, text)
    assert (done.code, told["verdict"], told["reason_code"]) == (3, "inconclusive", "doubtful_counts")
    done = call("canary", "run", "-f", "g.yaml", at=canary_folder.path, clock=None)
    assert done.out.startswith("inconclusive: the counts look wrong (doubtful_counts), after 10m\n")
    assert words in " ".join(done.out.split())
    assert max(map(len, done.out.splitlines())) <= 80
    for accept in ("pass", "{extend: {max: 10m}}"):
        done, told = run(canary_folder, f"{text}  onInconclusive: {accept}\n")
        assert (done.code, told["verdict"]) == (3, "inconclusive")


class _ErrorsOnly(Source):
    """A service whose query for errors finds all requests, with other words."""

    def _total(self, query: str, at: datetime) -> float:
        return super()._total(query.replace("errors", "requests"), at)


def test_a_query_for_errors_that_finds_all_requests_is_no_pass(canary_folder: Folder, monkeypatch: Patch) -> None:
    """100 % on both sides is the same ratio, and nothing that anybody has looked for."""
    stage(monkeypatch, _ErrorsOnly())
    done = call("canary", "run", "-f", write(canary_folder.path, gate()), at=canary_folder.path, clock=None)
    assert (done.code, "(doubtful_counts)" in done.out) == (3, True), done.out
    assert "Every request of both sides is an error" in " ".join(done.out.split())


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        (Seen(1.0, baseline_errors=none), 1, "The baseline has no series of errors in"),
        (Seen(1.0), 0, ""),
        (Seen(1.0, 15.0, canary_errors=until(590)), 0, ""),
    ],
    ids=["baseline-blind", "good", "vanished-just-now"],
)
def test_a_doubt_takes_back_no_fail_and_little_evidence_is_no_doubt(
    canary_folder: Folder, monkeypatch: Patch, source: Seen, code: int, words: str
) -> None:
    """What is odd beside a fail is said; a pod that ends takes its series along, and a good canary passes."""
    stage(monkeypatch, source)
    name = write(canary_folder.path, gate(steps=STEPS).replace("  duration: 10m\n", ""))
    done = call("canary", "run", "-f", name, at=canary_folder.path, clock=None)
    assert done.code == code, done.out
    assert words in " ".join(done.out.split())
    assert words or "series" not in done.out


def test_a_pass_of_a_canary_that_never_had_a_series_of_errors_says_so(
    canary_folder: Folder, monkeypatch: Patch
) -> None:
    """Two to four errors were expected: too few for a doubt that decides, enough for a pass by the comparison."""
    source = Seen(1.0, 4.0, canary_errors=none)
    source.rate = 0.0018
    stage(monkeypatch, source)
    name = write(canary_folder.path, gate(steps=STEPS).replace("  duration: 10m\n", ""))
    done = call("canary", "run", "-f", name, at=canary_folder.path, clock=None)
    assert (done.code, done.out.splitlines()[0]) == (0, "pass: the canary is not worse than allowed (ok), after 10m")
    said = " ".join(done.out.split())
    assert "The canary never had a series of errors, and about 4 were to be expected" in said
    assert "let it export the counter from 0" in said


def test_a_share_that_is_far_from_its_step_is_said(canary_folder: Folder, monkeypatch: Patch) -> None:
    """Not a swap, so it decides nothing: a baseline of the canary's own size looks like this."""
    stage(monkeypatch, Seen())
    text = gate(steps="[{weight: 2, duration: 10m}]").replace("  duration: 10m\n", "")
    done = call("canary", "run", "-f", write(canary_folder.path, text), at=canary_folder.path, clock=None)
    assert done.code == 0
    assert "The canary has 10 % of the requests that were counted, and its step 2 %: check" in " ".join(
        done.out.split()
    )


class Replicas(Scraped):
    """Two servers behind one address that answer in turn; one lies 7 s behind the other."""

    def counts(self, query: str, tick: Any) -> Any:
        lag = 7 if tick.end.timestamp() // 5 % 2 else 0
        return super().counts(query, tick.shifted(-lag))


@pytest.mark.parametrize(("ratio", "code"), [(1.0, 0), (5.0, 1)])
def test_two_replicas_count_what_one_would(canary_folder: Folder, monkeypatch: Patch, ratio: float, code: int) -> None:
    """Samples older than those before are waited out: no fall, no restart, and no request more than there was."""
    stage(monkeypatch, Replicas(5, ratio, rps=50.0))
    text = gate(interval="5s", duration="20m").replace("type: errorRate", "type: errorRate\n    clumpSpan: 10s")
    done, told = run(canary_folder, text)
    assert done.code == code
    assert told["metrics"][0]["canary_requests"] <= 50 * told["stopped_at_seconds"]
    assert told["stopped_at_seconds"] == 1200 if code == 0 else told["stopped_at_seconds"] <= 240


@pytest.mark.parametrize(("limit", "code", "words"), [("0.5", 0, ""), ("0.1", 1, "not result < 0.1: 0.21")])
def test_a_condition_takes_the_value_of_an_argument(
    canary_folder: Folder, monkeypatch: Patch, limit: str, code: int, words: str
) -> None:
    """The limit is given with the run; without it nothing begins."""
    source = Scraped(15)
    source.answers = {"latency": lambda at: 0.21}
    stage(monkeypatch, source)
    latency = "  - {name: p99, type: threshold, query: latency, successCondition: 'result < {{args.max}}'}\n"
    text = gate(args="[{name: max}]").replace("  args:", f"{latency}  args:")
    name = write(canary_folder.path, text)
    done = call("canary", "run", "-f", name, "--arg", f"max={limit}", at=canary_folder.path, clock=None)
    assert done.code == code, done
    assert words in " ".join(done.out.split())
    done = call("canary", "run", "-f", name, at=canary_folder.path, clock=None)
    assert (done.code, "argument 'max' has no value" in done.err) == (2, True)
