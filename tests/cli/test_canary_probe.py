"""`incident-ops canary probe`: each query asked once, before any traffic moves."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from incident_ops.domain.ports import Sampled
from incident_ops.errors import Incomplete
from tests.cli.canary_scene import BEGIN, POLICY, Clock, Scraped, broken, gate, stage, write
from tests.cli.scene import Done, Folder, call
from tests.support.prometheus import exporter, need_prometheus, prometheus

Patch = pytest.MonkeyPatch
STEPS = "[{weight: 10, duration: 10m}]"
LATENCY = """\
  - name: p99
    type: threshold
    query: latency
    successCondition: result < 0.5
"""


class Asked(Scraped):
    """A service whose queries give what `series` says instead, by their names; an error is raised."""

    def __init__(self, every: float = 15, **series: Any) -> None:
        super().__init__(every)
        self.series: Mapping[str, Any] = series

    def counts(self, query: str, tick: Any) -> Any:
        found = self.series.get(query, ...)
        if isinstance(found, Exception):
            raise found
        if callable(found):
            return found(self, tick)
        return super().counts(query, tick) if found is ... else found


def same_as(query: str) -> Callable[[Scraped, Any], Any]:
    """What another query gives."""
    return lambda source, tick: Scraped.counts(source, query, tick)


def probe(here: Folder, text: str, *words: str) -> Done:
    """A probe of a gate."""
    done = call("canary", "probe", "-f", write(here.path, text), *words, at=here.path, clock=None)
    assert "Traceback" not in done.err
    return done


def stepped() -> str:
    """The gate with one step of 10 %."""
    return gate(steps=STEPS).replace("  duration: 10m\n", "")


def flat(done: Done) -> str:
    """What was printed, in one line."""
    return " ".join(done.out.split())


def test_a_gate_that_can_be_used_shows_what_its_queries_find(here: Folder, monkeypatch: Patch) -> None:
    """A row a query, the share beside the step's, the threshold's answer; nothing is rolled out or waited for."""
    source = Asked()
    source.answers = {"latency": lambda at: 0.21}
    clock = stage(monkeypatch, source)
    done = probe(here, stepped().replace("  steps:", f"{LATENCY}  steps:"))
    assert done.code == 0, done
    assert done.out == (
        "gate checkout-errors\n"
        "query                       series  newest sample  every  a second\n"
        "http-5xx canary requests         1         0s ago    15s        32\n"
        "http-5xx canary errors           1         0s ago    15s         1\n"
        "http-5xx baseline requests       1         9s ago    15s       288\n"
        "http-5xx baseline errors         1         9s ago    15s         9\n"
        "p99: 0.21: Successful\n"
        "http-5xx: the canary has 10 % of the requests; its first step gives it 10 %\n"
        "The queries can be used. What they count is judged by incident-ops canary run.\n"
    )
    assert done.err == "asking data source main ...\n"
    assert clock.waits == 0


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        (
            Asked(baseline_requests={}, baseline_errors={}),
            1,
            "problem: http-5xx baseline requests: no series (check",
        ),
        (
            Asked(canary_requests={}, canary_errors={}),
            0,
            "note: http-5xx canary requests: no series (before the",
        ),
        (Asked(canary_errors={}), 0, "note: http-5xx canary errors: no series: either there was no error yet, or"),
        (Asked(300), 1, "samples come every 5m, and the gate needs one within 2m30s (scrape it at 1m)"),
        (Asked(60), 0, "samples come every 1m, so that is how long a tick lasts: 10 of them count in this run"),
        (Asked(canary_errors=Incomplete("data source main: answered 400, bad_data: 1:4")), 1, "answered 400, bad_data"),
    ],
    ids=["no baseline", "no canary yet", "no errors yet", "too seldom", "seldom", "refused"],
)
def test_what_keeps_a_gate_from_a_verdict_is_said(
    here: Folder, monkeypatch: Patch, source: Asked, code: int, words: str
) -> None:
    """Problems end with 1; what may be right before the canary is out is a note."""
    stage(monkeypatch, source)
    done = probe(here, stepped())
    assert done.code == code
    assert words in flat(done)
    assert max(map(len, done.out.splitlines())) <= 80
    told = json.loads(probe(here, stepped(), "--format", "json").out)
    assert any(note["is_problem"] for note in told["notes"]) == (code == 1)


def test_samples_that_are_too_few_for_a_pass_are_a_problem(here: Folder, monkeypatch: Patch) -> None:
    """Four ticks of a minute: however good the canary is, and before any traffic has moved."""
    stage(monkeypatch, Asked(60))
    done = probe(here, gate(steps="[{weight: 10, duration: 4m}]").replace("  duration: 10m\n", ""))
    assert done.code == 1
    assert "samples come every 1m, so only 4 ticks count in this run, and a pass needs 5" in flat(done)


@pytest.mark.parametrize(
    ("series", "words"),
    [
        ({"baseline_requests": same_as("canary_requests")}, "canary and baseline both read {pod="),
        ({"baseline_errors": same_as("baseline_requests")}, "finds the same series as the query for requests"),
    ],
    ids=["same series", "every request an error"],
)
def test_queries_that_read_the_same_are_found_by_what_they_find(
    here: Folder, monkeypatch: Patch, series: dict[str, Any], words: str
) -> None:
    """They differ as text."""

    def labelled(query: str) -> Callable[[Scraped, Any], Any]:
        def counted(source: Scraped, tick: Any) -> Any:
            found = {f'pod="{query}"': value for value in Scraped.counts(source, query, tick).values()}
            return Sampled(found, dict.fromkeys(found, tick.end.timestamp()))

        return counted

    names = [f"{side}_{what}" for side in ("canary", "baseline") for what in ("requests", "errors")]
    given = {name: labelled(name) for name in names}
    for name, other in series.items():
        given[name] = labelled(next(one for one in names if other.__closure__ and one == _query_of(other)))
    stage(monkeypatch, Asked(**given))
    done = probe(here, stepped())
    assert done.code == 1
    assert words in flat(done)


def _query_of(found: Callable[..., Any]) -> str:
    return str((found.__closure__ or ())[0].cell_contents)


def test_a_run_that_is_too_short_for_its_samples_is_said(here: Folder, monkeypatch: Patch) -> None:
    """Four minutes after the warm-up over a scrape of a minute: what would do is named."""
    stage(monkeypatch, Asked(60))
    done = probe(here, gate(duration="4m", warmup="1m"))
    assert done.code == 1
    words = "samples come every 1m, so only 3 ticks count in this run, and a pass needs 5 (scrape it more often, or let"
    assert words in flat(done)
    assert "let the run last 9m" in flat(done)


def test_sides_that_are_swapped_are_seen_by_their_share(here: Folder, monkeypatch: Patch) -> None:
    """90 % of the requests where the step gives 10 %."""

    class Swapped(Asked):
        def history(self, query: str, last: Any, ticks: int) -> Any:
            side, _, what = query.partition("_")
            return super().history(f"{'canary' if side == 'baseline' else 'baseline'}_{what}", last, ticks)

    stage(monkeypatch, Swapped())
    done = probe(here, stepped())
    assert done.code == 1
    assert "are canary and baseline swapped?" in flat(done)


def test_a_source_without_history_is_asked_again_after_a_moment(here: Folder, monkeypatch: Patch) -> None:
    """Five seconds, once, for all of its counters."""

    class Young(Asked):
        def history(self, query: str, last: Any, ticks: int) -> Any:
            return []

    clock = stage(monkeypatch, Young(5), Clock())
    done = probe(here, stepped())
    assert (done.code, clock.waits) == (0, 1)
    assert done.err.endswith("asking again in 5 s, for how fast the counters grow ...\n")
    assert "the canary has 10 % of the requests" in flat(done)


def test_where_nothing_is_answered_the_end_is_4(here: Folder, monkeypatch: Patch) -> None:
    """The source is down, or it is the wrong one."""
    error = broken(0)
    names = ("canary_requests", "canary_errors", "baseline_requests", "baseline_errors")
    stage(monkeypatch, Asked(**dict.fromkeys(names, error)))
    done = probe(here, stepped())
    assert done.code == 4
    assert "HTTP 503" in done.out
    assert "no answer" in done.out
    assert "Nothing was answered: check the address in policy.yaml" in flat(done)


@pytest.mark.allow_hosts(["localhost", "127.0.0.1"])
def test_a_private_address_is_refused_at_once_and_before_any_step(here: Folder) -> None:
    """Exit 2, with the way; a run does not ask its first step for traffic."""
    where = here.path / "policy.yaml"
    where.write_text(POLICY.replace("https://prometheus.example", "https://127.0.0.1:9"), encoding="utf-8")
    write(here.path, stepped())
    for words in (("probe",), ("run", "--on-step", "touch stepped")):
        done = call("canary", words[0], "-f", "g.yaml", *words[1:], at=here.path, clock=None)
        assert done.code == 2
        assert "its host is an address of this machine, which is refused" in done.err
        assert "allow_private: true" in done.err
    assert not (here.path / "stepped").exists()


@pytest.mark.slow
@pytest.mark.allow_hosts(["localhost", "127.0.0.1"])
def test_a_real_prometheus_is_probed(here: Folder, tmp_path: Path) -> None:
    """Scraped four times a second: its series, their age and pace, the share, and a sum that is read by its parts."""
    need_prometheus()
    labels = {"canary": 'track="canary"', "baseline": 'track="stable"'}
    with exporter() as service, prometheus(tmp_path / "p", targets=[service.target]) as server:
        service.counters = {
            f'http_requests_total{{{track},code="{code}",pod="{pod}"}}': 100.0
            for track in labels.values()
            for code in ("200", "500")
            for pod in ("a", "b")
        }
        server.wait_for("count(count_over_time(http_requests_total[1m]) > 12) == 8")
        policy = POLICY.replace('url: "https://prometheus.example"', f'url: "{server.url}", allow_private: true')
        (here.path / "policy.yaml").write_text(policy, encoding="utf-8")
        text = stepped()
        for side, track in labels.items():
            text = text.replace(f"{side}_errors", f"'sum(http_requests_total{{{track},code=\"500\"}})'")
            text = text.replace(f"{side}_requests", f"'sum by (code) (http_requests_total{{{track}}})'")
        told = json.loads(probe(here, text, "--format", "json").out)
    assert [query["series"] for query in told["queries"]] == [4, 2, 4, 2]
    assert all(query["age_seconds"] < 5 and query["error"] is None for query in told["queries"])
    assert all(0 < query["spacing_seconds"] <= 1.25 for query in told["queries"]), "two seconds old, not ten minutes"
    assert BEGIN.year == 2025


PLAN = ("canary", "plan", "--baseline-rate", "0.5%", "--rps", "1000")


def test_a_planned_gate_is_written_checked_and_probed(here: Folder, monkeypatch: Patch) -> None:
    """`--output`: its name is the file's, the figures are printed, and what is there already stays."""
    (here.path / "gates").mkdir()
    done = call(*PLAN, "--output", "gates/checkout.yaml", at=here.path)
    assert done.code == 0, done
    assert done.out.startswith("Canary: 100 of 1,000 requests a second (10 %)")
    assert done.out.endswith(
        "Written to gates/checkout.yaml. Put in your counters, and see what they find:\n"
        "  incident-ops canary probe -f gates/checkout.yaml\n"
    )
    written = (here.path / "gates/checkout.yaml").read_text(encoding="utf-8")
    assert "metadata: {name: checkout}" in written
    assert call("canary", "validate", "-f", "gates/checkout.yaml", at=here.path).code == 0
    stage(monkeypatch, Asked())
    assert call("canary", "probe", "-f", "gates/checkout.yaml", at=here.path, clock=None).code == 0
    again = call(*PLAN, "--output", "gates/checkout.yaml", at=here.path)
    assert (again.code, "exists already" in again.err) == (2, True)
    assert (here.path / "gates/checkout.yaml").read_text(encoding="utf-8") == written


def test_a_planned_gate_may_be_sent_to_a_file_by_the_shell(here: Folder) -> None:
    """All that is printed is the file."""
    (here.path / "gates").mkdir()
    (here.path / "gates/x.yaml").write_text(call(*PLAN, at=here.path).out, encoding="utf-8")
    done = call("canary", "validate", at=here.path)
    assert (done.code, "all fine" in done.out) == (0, True), done


@pytest.mark.parametrize("name", ["gates/x.yml", "gates/", "", "gates/a b.yaml", "nowhere/x.yaml"])
def test_a_file_that_no_gate_can_be_is_refused(here: Folder, name: str) -> None:
    """By its name, or by its folder."""
    done = call(*PLAN, "--output", name, at=here.path)
    assert (done.code, "Traceback" in done.err) == (2, False)
    assert not list(here.path.glob("gates/*"))
