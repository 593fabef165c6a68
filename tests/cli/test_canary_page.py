"""`canary replay --html` and `canary run --html`: the run as a page, for people and for a job's artifacts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.canary_scene import Source, gate, rows, stage, write
from tests.cli.scene import Done, Folder, call
from tests.support.html_page import HtmlPage, faults

Patch = pytest.MonkeyPatch
STEPS = "[{weight: 10, duration: 5m}, {weight: 50, duration: 5m}, {weight: 100}]"
THRESHOLD = """\
  - name: p95-latency
    type: threshold
    query: p95
    interval: 60s
    failureLimit: 5
    successCondition: result < 0.5
"""


def run(here: Folder, text: str, *words: str) -> tuple[Done, HtmlPage]:
    """A live run and its page, which is sound."""
    done = call("canary", "run", "-f", write(here.path, text), "--html", "run.html", *words, at=here.path, clock=None)
    assert "Traceback" not in done.err
    return done, page_of(here.path / "run.html")


def page_of(path: Path) -> HtmlPage:
    """A page, which is sound."""
    text = path.read_text(encoding="utf-8")
    assert faults(text) == []
    return HtmlPage(text)


def stepped(text: str = "", **lines: str) -> str:
    """A gate of two steps."""
    spec, sign, metrics = (
        gate(warmup="1m").replace("  duration: 10m\n", f"  steps: {STEPS}\n").partition("  metrics:\n")
    )
    more = "".join(f"  {name}: {value}\n" for name, value in lines.items())
    return f"{spec}{more}{sign}{metrics}{text}"


def test_a_recording_is_written_as_a_page(here: Folder) -> None:
    """The verdict on the output stays, its last line names the file; the JSON stays JSON."""
    (here.path / "counts.csv").write_text(rows("300,24"), encoding="utf-8")
    words = ("canary", "replay", "counts.csv", "-f", write(here.path, gate()), "--html", "run.html")
    done = call(*words, at=here.path, clock=None)
    assert (done.code, done.out.splitlines()[-1]) == (1, "The run as a page: run.html")
    page = page_of(here.path / "run.html")
    assert "Recording counts.csv" in page.text
    assert "✕ fail The canary has more errors than the baseline" in page.text
    before = (here.path / "run.html").read_bytes()
    done = call(*words, "--format", "json", at=here.path, clock=None)
    assert json.loads(done.out)["verdict"] == "fail"
    assert "The run as a page: run.html" in done.err
    assert (here.path / "run.html").read_bytes() == before


@pytest.mark.parametrize("command", ["replay", "run"])
def test_a_file_that_is_no_page_is_not_written_over(here: Folder, monkeypatch: Patch, command: str) -> None:
    """A slip of the keyboard costs no gate file."""
    stage(monkeypatch, Source())
    (here.path / "counts.csv").write_text(rows(), encoding="utf-8")
    name, recording = write(here.path, gate()), ["counts.csv"] if command == "replay" else []
    done = call("canary", command, *recording, "-f", name, "--html", name, at=here.path, clock=None)
    assert done.code == 2
    assert "--html 'g.yaml' names no page (a file that ends in .html, e.g. canary.html)" in done.err
    assert (here.path / name).read_text(encoding="utf-8") == gate()


def test_the_page_of_a_run_says_whose_it_is(here: Folder, monkeypatch: Patch) -> None:
    """Service, environment, commit, who, when; a pass names what it ruled out."""
    stage(monkeypatch, Source())
    monkeypatch.setenv("INCIDENT_OPS_BY", "@alice")
    done, page = run(here, stepped(), "--sha", "7be19f2")
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1] == "The run as a page: run.html"
    for words in (
        "✓ pass The canary is not worse than allowed",
        "Twice as many errors are ruled out.",
        "Commit 7be19f2",
        "By @alice",
        "Began 2025-01-26 14:00 UTC",
        "Decided after 10m",
        "5m 50 % of the traffic, with a warm-up until 6m.",
        "10m Pass: the canary is not worse than allowed.",
    ):
        assert words in page.text, words


def test_a_step_that_is_held_stands_on_the_page(here: Folder, monkeypatch: Patch) -> None:
    """With its reason, in the list and in the pictures."""
    stage(monkeypatch, Source(lambda at: 1.0 if at < 100 else 1.6))
    _, page = run(here, stepped())
    assert "5m The step was held for " in page.text
    assert "step held: it looked worse" in page.text


def test_several_metrics_and_a_watch_are_on_one_page(here: Folder, monkeypatch: Patch) -> None:
    """A threshold metric with its condition, and full traffic with a time of its own."""
    source = Source(lambda at: 1.0 if at < 800 else 6.0, rps=50.0)
    source.answers = {"p95": lambda at: 0.3 if at != 120 else 0.7}
    stage(monkeypatch, source)
    done, page = run(here, stepped(THRESHOLD), "--watch")
    assert done.code == 1, done.out
    for words in (
        "http-5xx at full traffic: ✕ fail",
        "That is surely above the limit of 5 %.",
        "p95-latency: ✓ pass",
        "good where result < 0.5",
        "2m 0.7 failed not result < 0.5: 0.7",
        "10m All traffic; from here on only the absolute limit is asked",
        "its time is counted from full traffic on",
        "Evidence that the canary is above its limit",
    ):
        assert words in page.text, words


def test_an_inconclusive_run_and_its_continuation(here: Folder, monkeypatch: Patch) -> None:
    """What was missing, and then a page that says what went before it."""
    stage(monkeypatch, Source(rps=0.5))
    words = ("--state", "s.json", "--sha", "7be19f2")
    _, page = run(here, gate(), *words)
    assert "? inconclusive What was counted does not decide it" in page.text
    assert "No pass: " in page.text or "more canary requests" in page.text
    _, page = run(here, gate(), *words, "--continue", "10m")
    assert "10m Goes on with what an earlier run counted, which the pictures leave out" in page.text
    assert "After 10m: canary 2 % of 300 requests" in page.text


def test_what_was_no_evidence_is_listed_with_its_reason(here: Folder, monkeypatch: Patch) -> None:
    """Ticks without series, without a number, and without a new sample."""
    source = Source()
    source.answers = {"canary_requests": lambda at: {} if 120 < at < 200 else (float("nan") if at == 405 else ...)}
    stage(monkeypatch, source)
    _, page = run(here, gate())
    assert "http-5xx no data that can be counted 6 2m 15s to 6m 45s" in page.text
    assert "canary requests: no series; canary requests: not a number: NaN" in page.text
    assert "no data, or no new sample" in page.text


def test_a_run_that_never_began_has_a_page(here: Folder, monkeypatch: Patch) -> None:
    """A gate that cannot be used: what is wrong, and no picture."""
    stage(monkeypatch, Source())
    done, page = run(here, gate(duration="soon"))
    assert done.code == 2
    assert "? inconclusive The gate cannot be used" in page.text
    assert "is 'soon'" in page.text
    assert "Nothing was measured." in page.text


def test_until_the_end_the_page_says_that_nobody_has_judged(here: Folder, monkeypatch: Patch) -> None:
    """A job that is killed uploads a page that is no yes; where none can be written, nothing is rolled out."""
    stage(monkeypatch, Source())
    _, page = run(here, stepped(), "--on-step", f"cp {here.path}/run.html {here.path}/early.html")
    assert "✓ pass" in page.text
    early = page_of(here.path / "early.html").text
    assert "? inconclusive The run ended early" in early
    assert "the canary may still be out, and nobody has judged it" in early
    words = ("-f", write(here.path, stepped()), "--on-step", f"touch {here.path}/moved", "--html", "g.yaml/run.html")
    done = call("canary", "run", *words, at=here.path, clock=None)
    assert done.code not in (0, 1)
    assert "could not be written" in done.err
    assert not (here.path / "moved").exists()


def test_a_page_that_cannot_be_written_changes_no_verdict(here: Folder, monkeypatch: Patch) -> None:
    """The disk fails under a canary that fails: 1, as without a page."""
    stage(monkeypatch, Source(5.0))
    words = ("-f", write(here.path, gate()), "--html", "out/run.html")
    done = call(
        "canary", "run", *words, "--on-fail", f"rm -r {here.path}/out; touch {here.path}/out", at=here.path, clock=None
    )
    assert done.code == 1
    assert "warning: the page of the run was not written: " in done.err
    assert "The run as a page" not in done.out


def test_a_fault_in_a_picture_costs_no_verdict(here: Folder, monkeypatch: Patch) -> None:
    """The canary passed: 0, with a warning instead of the page."""
    stage(monkeypatch, Source())
    monkeypatch.setattr("incident_ops.render.canary_page.metric_figures", lambda *given: [][1])
    words = ("-f", write(here.path, gate()), "--html", "run.html")
    done = call("canary", "run", *words, at=here.path, clock=None)
    assert done.code == 0
    assert "warning: the page of the run was not written: list index out of range" in done.err


@pytest.mark.parametrize("answer", [10**400, -(10**400), 1e300, -5.0, [0.2], [], "0.2", None, True, {"a": 1}])
def test_no_answer_of_a_source_is_too_odd_for_a_page(here: Folder, monkeypatch: Patch, answer: object) -> None:
    """Numbers too large to draw, lists, texts, nothing."""
    source = Source()
    source.answers = {"p95": lambda at: answer}
    stage(monkeypatch, source)
    done, page = run(here, stepped(THRESHOLD))
    assert done.code in (0, 1, 3, 4)
    assert "p95-latency: " in page.text


def test_the_summary_leads_to_the_page(here: Folder, monkeypatch: Patch) -> None:
    """Its name, and the place of the run's artifacts; the output `page` is the file from the first second on."""
    stage(monkeypatch, Source())
    surroundings = {"SERVER_URL": "https://github.com", "REPOSITORY": "acme/shop", "RUN_ID": "77"}
    for name, value in surroundings.items():
        monkeypatch.setenv(f"GITHUB_{name}", value)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(here.path / "summary.md"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(here.path / "output"))
    run(here, gate())
    artifacts = "[this run's artifacts](<https://github.com/acme/shop/actions/runs/77#artifacts>)"
    summary = (here.path / "summary.md").read_text(encoding="utf-8")
    assert f"The run as a page with pictures: `run.html` in {artifacts}, where the job uploads it." in summary
    assert (here.path / "output").read_text(encoding="utf-8").count("\nrun.html\n") == 2
