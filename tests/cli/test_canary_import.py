"""`incident-ops canary import`: analyses of Argo Rollouts and Flagger become gates that can be used, line by line."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import yaml

from incident_ops.canary.config import ThresholdMetric, to_analysis, with_values
from incident_ops.canary.config_check import check_gate_file
from incident_ops.canary.threshold import RunEnd, Threshold, Totals, add_measurement, assess, measure
from incident_ops.records.gate_file import load_gate
from incident_ops.records.yaml_reader import Document
from tests.cli.canary_scene import POLICY, Source, stage
from tests.cli.scene import ROOT, Done, Folder, call

FOREIGN = ROOT / "tests/cli/foreign"
FILES = sorted(path.stem for path in FOREIGN.glob("*.yaml"))
WHOLE = {
    "argo_list",
    "argo_rollout",
    "argo_success_rate",
    "flagger_ab",
    "flagger_blue_green",
    "flagger_istio",
    "flagger_old",
}
"""Those of which every check is taken over."""
NEEDED: dict[str, Any] = {"newRelic": {"account": 1}, "cloudwatch": {"region": "eu-central-1"}}
ARGUMENTS = (
    "--arg",
    "service-name=checkout",
    "--arg",
    "canary-hash=5d9c",
    "--arg",
    "service=checkout",
    "--arg",
    "pod=a1",
)


def bring(here: Folder, name: str, *words: str) -> Done:
    """An import of one of the files, which is copied into the repository."""
    text = (FOREIGN / f"{name}.yaml").read_text(encoding="utf-8")
    (here.path / f"{name}.yaml").write_text(text, encoding="utf-8")
    done = call("canary", "import", f"{name}.yaml", *words, at=here.path, clock=None)
    assert "Traceback" not in done.err
    return done


def brought(here: Folder, name: str, *words: str) -> dict[str, Any]:
    """What an import says to programs."""
    found: dict[str, Any] = json.loads(bring(here, name, *words, "--format", "json").out)
    return found


def gate_of(here: Folder, name: str, *words: str) -> tuple[dict[str, Any], dict[str, Threshold]]:
    """(spec of the gate, the limits of its metrics by name)."""
    data = yaml.safe_load(brought(here, name, *words)["gate"])
    analysis = to_analysis(data)
    filled = with_values(analysis, {**dict.fromkeys(analysis.arguments, "1"), **analysis.arguments})
    metrics = [metric for metric in filled.metrics if isinstance(metric, ThresholdMetric)]
    return data["spec"], {metric.name: metric.threshold for metric in metrics}


def said(here: Folder, name: str, source: str) -> list[dict[str, Any]]:
    """The lines about a place of the source."""
    return [line for line in brought(here, name)["lines"] if line["source"].startswith(source)]


@pytest.mark.parametrize("name", FILES)
def test_every_import_is_a_gate_that_validates(here: Folder, name: str) -> None:
    """With the data sources that it says the policy needs; 1 where a check of the source is missing, and never else."""
    told = brought(here, name)
    sources = "".join(
        f"  {source}: {json.dumps({**NEEDED.get(block['kind'], {}), **block})}\n"
        for source, block in told["datasources"].items()
    )
    policy = (
        POLICY.replace("  main:", f"{sources}  main:")
        if "main" not in told["datasources"]
        else (f"extends: sev0-3\ndatasources:\n{sources}")
    )
    here.write("policy.yaml", policy)
    done = bring(here, name, "-o", "gates/new.yaml")
    assert done.code == int(name not in WHOLE), done
    checked = call("canary", "validate", "gates/new.yaml", at=here.path, clock=None)
    assert checked.code == 0, (checked, (here.path / "gates/new.yaml").read_text())
    written = (here.path / "gates/new.yaml").read_text()
    missing = [line for line in told["lines"] if line["weakens"]]
    assert bool(missing) == (done.code == 1) == ("# Not checked by this gate" in written)
    assert max(map(len, done.out.splitlines())) < 400


@pytest.mark.parametrize("name", FILES)
def test_every_line_of_a_source_is_accounted_for(here: Folder, name: str) -> None:
    """Each refusal says why and the way on, each difference what differs, each line stands where it says."""
    text = (FOREIGN / f"{name}.yaml").read_text().splitlines()
    for line in brought(here, name)["lines"]:
        assert 0 < line["line"] <= len(text)
        assert line["outcome"] == "same" or line["text"]
        assert line["outcome"] != "refused" or line["way"]
        key = line["source"].partition(":")[0].rpartition(".")[2].partition("[")[0]
        if line["source"].startswith("query."):
            continue  # inside the JSON of a query of CloudWatch
        if key.isalpha() and "items[" not in line["source"] and " " not in line["source"].partition(":")[0]:
            assert key in text[line["line"] - 1] or line["source"].endswith("]"), line


def test_what_is_printed_for_a_person(here: Folder) -> None:
    """The whole report of the commonest template: what differs first, then the alternative and what to type."""
    done = bring(here, "argo_success_rate", "-o", "gates/checkout.yaml")
    assert done.code == 0
    assert (
        done.out
        == """\
argo_success_rate.yaml (Argo Rollouts, AnalysisTemplate success-rate) -> gates/checkout.yaml

not the same:
  argo_success_rate.yaml:8: args[0].name: service-name  ->  args: service-name
      it is required, as there (canary run --arg service-name=VALUE)
  argo_success_rate.yaml:9: metrics  ->  warmup: 0s, duration: 4m
      the verdict comes at the end of this time. A run that is stopped before is
      inconclusive, in Argo successful; no data (nothing, NaN) is never a
      success
  argo_success_rate.yaml:13: metrics[0].successCondition: isNaN(result[0]) ||
      result[0] >= 0.95  ->  result[0] >= 0.95
      left out: isNaN(result[0]). Without data a measurement is not a success
      here, and a failure only where it says so (let the query give a number
      then, or say by onNoData what no data means)
  argo_success_rate.yaml:17: metrics[0].provider.prometheus.address:
      http://prometheus.monitoring:9090  ->  datasource: main
      addresses are kept in policy.yaml (let main there be this one)

the same:
  argo_success_rate.yaml:10: metrics[0].name: success-rate  ->  name:
      success-rate
  argo_success_rate.yaml:11: metrics[0].interval: 1m  ->  interval: 1m
  argo_success_rate.yaml:12: metrics[0].count: 5  ->  count: 5
  argo_success_rate.yaml:14: metrics[0].failureLimit: 3  ->  failureLimit: 3
  argo_success_rate.yaml:18: metrics[0].provider.prometheus.query:
      sum(rate(http_requests_total{service="{{args.service-name}}",code!~"5.."}[2m]))
      / sum(rate(http_r...  ->  query

success-rate is an error ratio. Its counts can be compared with those of the old
version, as evidence instead of a limit on one reading: put this in its place,
with warmup: 60s and steps as long as `incident-ops canary plan` says.
  - name: success-rate
    type: errorRate
    maxErrorRate: 5%
    canary:
      errors: http_requests_total{service="{{args.service-name}}",code=~"5.."}
      requests: http_requests_total{service="{{args.service-name}}"}
  # which label tells the old version from the new one? Write the baseline's two
  # queries

next steps:
  incident-ops canary validate gates/checkout.yaml
  incident-ops canary probe -f gates/checkout.yaml --arg service-name=...
"""
    )


TABLE: dict[str, list[tuple[Any, str, str]]] = {
    # metric of argo_conditions.yaml -> (result, Argo's phase, the phase here)
    "empty-is-fine": [([4.0], "Successful", ""), ([5.0], "Failed", ""), ([], "Successful", "NoData")],
    "nan-is-fine": [([4.0], "Successful", ""), ([5.0], "Failed", ""), ([float("nan")], "Successful", "NoData")],
    "inf-is-fine": [([4.0], "Successful", ""), ([6.0], "Failed", ""), ([float("inf")], "Failed", "NoData")],
    "default-zero": [(4.0, "Successful", ""), (5.0, "Failed", ""), (None, "Successful", "NoData")],
    "one-of": [([2.0], "Successful", ""), ([3.0], "Failed", "")],
    "all-of": [([1.0, 4.0], "Successful", ""), ([1.0, 5.0], "Failed", ""), ([], "Successful", "NoData")],
    "any-of": [([1.0, 4.0], "Successful", ""), ([1.0, 5.0], "Failed", ""), ([], "Successful", "NoData")],
    "nan-fails": [
        ([5.0], "Successful", ""),
        ([6.0], "Failed", ""),
        ([float("nan")], "Failed", ""),
        ([float("inf")], "Failed", ""),
    ],
    "empty-fails": [([5.0], "Successful", ""), ([6.0], "Failed", ""), ([], "Failed", "")],
}


def test_a_measurement_has_argos_phase_but_for_what_is_said(here: Folder) -> None:
    """Row by row; only without data is it another one, and never a success."""
    _, limits = gate_of(here, "argo_conditions")
    limits = {name: limits[name] for name in TABLE}
    for name, rows in TABLE.items():
        for result, argo, ours in rows:
            limit = limits[name]
            found = measure(limit, result).phase
            assert found == (ours or argo), (name, result)
            assert ours in ("", "NoData")


def test_conditions_are_translated_or_refused_with_the_way(here: Folder) -> None:
    """What never acts is taken out and said; what the language lacks is refused with what to write."""
    told = brought(here, "argo_conditions")
    lines = {line["source"].partition(":")[0]: line for line in told["lines"] if "Condition" in line["source"]}
    assert lines["metrics[0].successCondition"]["gate"] == "result[0] < 5"
    assert "left out: len(result) == 0" in lines["metrics[0].successCondition"]["text"]
    assert "or vector(0)" in lines["metrics[0].successCondition"]["way"]
    assert lines["metrics[7].failureCondition"]["gate"] == "result[0] > {{ args.max }}"
    ways = {
        10: "any(result, CONDITION)",
        11: "all(result, # < LIMIT)",
        12: "(a and b) or (not a and c)",
        13: "vector(0)",
    }
    for index, way in ways.items():
        line = lines[f"metrics[{index}].successCondition"]
        assert (line["outcome"], line["weakens"]) == ("refused", True)
        assert way in line["way"]


def test_the_times_of_argo_are_kept(here: Folder) -> None:
    """No interval: once; interval alone: until the end; counts fit; an initial delay is kept, and whole seconds."""
    spec, limits = gate_of(here, "argo_arguments", *ARGUMENTS)
    assert (limits["in-quotes"].count, limits["in-quotes"].initial_delay) == (3, 90)
    assert (limits["fast"].interval, limits["fast"].count) == (2, 3)
    assert (spec["warmup"], spec["duration"]) == ("0s", "3m30s")
    _, limits = gate_of(here, "argo_list")
    assert (limits["up"].count, limits["up"].initial_delay) == (1, 0)
    assert (limits["restarts"].count, limits["restarts"].interval) == (None, 60)
    spec, limits = gate_of(here, "argo_signed")
    assert (limits["managed"].failure_limit, spec["duration"]) == (20, "20m")


def test_the_steps_of_a_rollout_carry_their_analyses(here: Folder) -> None:
    """Weights and pauses; an analysis on the way lengthens its step and begins there, one beside it at its own step."""
    spec, limits = gate_of(here, "argo_rollout")
    assert spec["steps"] == [
        {"weight": 10, "duration": "5m"},
        {"weight": 40, "duration": "8m"},
        {"weight": 60, "duration": "10m"},
        {"weight": 100},
    ]
    assert (limits["p99"].initial_delay, limits["p99"].count) == (600, 4)
    assert (limits["errors"].initial_delay, limits["errors"].consecutive_error_limit) == (0, 5)
    (pause,) = said(here, "argo_rollout", "strategy.canary.steps[6].pause")
    assert "reviewers" in pause["way"]
    (alternative,) = brought(here, "argo_rollout")["alternatives"]
    assert alternative["missing"] is None
    assert 'rollouts_pod_template_hash="{{args.stable-hash}}"' in alternative["yaml"]


def test_arguments_stay_where_a_gate_can_hold_them(here: Folder) -> None:
    """Inside quotes they stay; outside they are written out, or the metric is refused with what to type."""
    (refused,) = said(here, "argo_arguments", "metrics[1].provider.prometheus.query")
    assert refused["way"] == "import again with --arg service=VALUE"
    spec, _ = gate_of(here, "argo_arguments", *ARGUMENTS)
    queries = {metric["name"]: metric["query"] for metric in spec["metrics"]}
    assert queries["in-quotes"].endswith('{service="{{args.service}}",pod=~"{{args.pod}}-.*"}[5m]))')
    assert queries["outside"] == "sum(rate(checkout_errors_total[1m]))"


def test_providers_are_asked_or_refused_with_the_way(here: Folder) -> None:
    """Each as the gate's own words have it: POST, body, headers; secrets and addresses go to the policy."""
    told = brought(here, "argo_cluster_many")
    metrics = {metric["name"]: metric for metric in yaml.safe_load(told["gate"])["spec"]["metrics"]}
    assert yaml.safe_load(told["gate"])["spec"]["provider"]["web"] == {
        "datasource": "web",
        "method": "POST",
        "body": '{"service": "{{args.service}}"}',
        "headers": {"X-Scope-OrgID": "team-a"},
        "jsonPath": "{$.data.errorRate}",
        "timeout": "10s",
    }
    assert metrics["stats"]["dryRun"] is True
    assert metrics["smoke"]["provider"] == {"command": {"name": "smoke", "timeout": "2m"}}
    assert "SINCE" not in metrics["newrelic-success"]["query"]
    assert metrics["newrelic-success"]["successCondition"] == "result >= 0.95"
    assert metrics["elb-errors"]["query"].startswith('SELECT SUM("HTTPCode_Target_5XX_Count") FROM SCHEMA(')
    assert metrics["elb-errors"]["successCondition"] == "all(result, # <= 10)"
    assert told["datasources"]["web"]["token_env"] == "METRICS_TOKEN"
    assert told["commands"] == {"smoke": "curlimages/curl:8: curl -fsS http://checkout-canary/healthz"}
    refused = {line["source"].rpartition("provider.")[2] for line in told["lines"] if line["weakens"]}
    assert refused == {"datadog.formula: a / b", "kayenta"}
    others = [line for line in brought(here, "argo_plugins")["lines"] if line["weakens"]]
    assert len(others) == 9


def test_an_unknown_key_is_named(here: Folder) -> None:
    """A typo of the source is no key of it: it says so, instead of dropping it."""
    (line,) = said(here, "argo_plugins", "metrics[9].sucessCondition")
    assert (line["outcome"], line["line"]) == ("refused", 35)


def test_a_canary_of_flagger_is_a_gate(here: Folder) -> None:
    """Weights, thresholds, the built-in queries of the mesh, an acceptance test as a command; no data is a failure."""
    spec, limits = gate_of(here, "flagger_istio")
    assert [step["weight"] for step in spec["steps"]] == [10, 20, 30, 40, 50, 100]
    assert [step.get("duration") for step in spec["steps"]] == ["1m"] * 4 + ["5m", None]
    assert (spec["onNoData"], spec["warmup"], spec["interval"]) == ("fail", "0s", "1m")
    assert limits["request-success-rate"].failure_limit == 4
    assert measure(limits["request-success-rate"], [99.0]).phase == "Successful"
    assert measure(limits["request-success-rate"], [98.9]).phase == "Failed"
    assert measure(limits["request-success-rate"], [float("nan")]).phase == "Failed"
    queries = {metric["name"]: metric.get("query", "") for metric in spec["metrics"]}
    assert 'destination_workload=~"podinfo",response_code!~"5.*"}[1m]' in queries["request-success-rate"]
    assert "[30s]" in queries["request-duration"]
    told = brought(here, "flagger_istio")
    assert told["commands"]["acceptance-test"].endswith("| grep token")
    (alternative,) = told["alternatives"]
    assert "maxErrorRate: 1%" in alternative["yaml"]
    assert 'destination_workload=~"podinfo-primary"' in alternative["yaml"]


def test_templates_of_flagger_are_written_out(here: Folder) -> None:
    """Names, windows and variables of the Canary stand in the query; what is not in the file is refused."""
    spec, limits = gate_of(here, "flagger_templates")
    queries = {metric["name"]: metric["query"] for metric in spec["metrics"]}
    assert 'destination_workload_namespace="prod"' in queries["404s-percentage"]
    assert 'direction="inbound"}[1m]' in queries["latency"]
    assert measure(limits["latency"], 0.9).phase == measure(limits["latency"], 501.0).phase == "Failed"
    assert measure(limits["latency"], 500.5).phase == "Successful"
    (lost,) = said(here, "flagger_templates", "analysis.metrics[3].templateRef")
    assert lost["way"] == "append it to this file: kubectl get metrictemplate nowhere -o yaml"
    assert [step["weight"] for step in spec["steps"]] == [1, 5, 20, 50, 100]


HOOKS = ("confirm-rollout", "confirm-traffic-increase", "confirm-promotion", "post-rollout", "rollback", "event")


def test_hooks_alerts_and_routing_are_refused_with_the_way(here: Folder) -> None:
    """None of them is silently inert."""
    refused = {line["source"]: line["way"] for line in brought(here, "flagger_blue_green")["lines"] if line["way"]}
    assert all(refused[f"analysis.webhooks[{index}].type: {kind}"] for index, kind in enumerate(HOOKS))
    assert refused["analysis.mirror: true"]
    others = {line["source"] for line in brought(here, "flagger_ab")["lines"] if line["outcome"] == "refused"}
    assert others == {"analysis.match", "analysis.sessionAffinity"}
    spec, _ = gate_of(here, "flagger_ab")
    assert (spec["duration"], "steps" in spec) == ("5m", False)


def flagger_promotes(checks: Sequence[bool], good: int, threshold: int) -> bool:
    """Flagger's loop: a check that fails repeats its step, `threshold` failures roll back, `good` checks promote."""
    passed = failed = 0
    for check in checks:
        passed, failed = passed + check, failed + (not check)
        if failed >= threshold:
            return False
        if passed >= good:
            return True
    return False


@pytest.mark.parametrize(
    ("name", "good", "threshold"), [("flagger_istio", 5, 5), ("flagger_old", 10, 10), ("flagger_ab", 5, 1)]
)
def test_a_metric_passes_where_flagger_promotes(here: Folder, name: str, good: int, threshold: int) -> None:
    """A thousand sequences of checks, each judged by Flagger's own loop and by the gate."""
    spec, limits = gate_of(here, name)
    limit = limits["request-duration"]
    chance = random.Random(name)
    verdicts = set()
    for _ in range(1000):
        share = chance.random()
        checks = [chance.random() > share for _ in range(good + threshold - 1)]
        totals = Totals()
        for check in checks:
            totals = add_measurement(totals, measure(limit, 100.0 if check else 501.0))
        phase = assess(limit, totals, RunEnd.HORIZON, len(checks)).phase
        assert (phase == "Successful") == flagger_promotes(checks, good, threshold), checks
        verdicts.add(phase)
    assert verdicts == {"Successful", "Failed"}
    steps = [step["duration"] for step in spec.get("steps", ()) if "duration" in step]
    assert len(steps) in (0, good)


@pytest.mark.parametrize("name", FILES)
def test_an_alternative_is_a_metric_that_validates(here: Folder, name: str) -> None:
    """Put into the gate, where both sides are known."""
    told = brought(here, name)
    for one in told["alternatives"]:
        if one["missing"]:
            continue
        (metric,) = yaml.safe_load(one["yaml"])["metrics"]
        data = yaml.safe_load(told["gate"])
        args = [*data["spec"].get("args", ()), {"name": "stable-hash"}, {"name": "canary-hash"}]
        spec = {
            "provider": {"prometheus": {"datasource": "main"}},
            "args": list({one["name"]: one for one in args}.values()),
        }
        whole = {**data, "spec": {**spec, "metrics": [metric]}}
        assert isinstance(load_gate(json.dumps(whole).encode(), "g.yaml", check_gate_file), Document)


RATIOS = {
    'sum(rate(r{c=~"5.."}[1m])) / sum(rate(r[1m]))': ("result[0] <= 0.05", "5%", 'r{c=~"5.."}'),
    'sum(rate(r{c=~"5.."}[1m])) / sum(rate(r[1m])) * 100': ("result < 2", "2%", 'r{c=~"5.."}'),
    '100 * (1 - sum(rate(r{c=~"5.."}[1m])) / sum(rate(r[1m])))': ("result >= 99", "1%", 'r{c=~"5.."}'),
    'sum(rate(r{c!~"5.*"}[1m])) / sum(rate(r[1m])) * 100': ("result >= 99.9", "0.1%", 'r{c=~"5.*"}'),
    'sum(rate(r{c=~"2.."}[1m])) / sum(rate(r[1m]))': ("result >= 0.95", "5%", 'r{c!~"2.."}'),
    "sum(rate(errors_total[1m])) / sum(rate(r[1m]))": ("result < 0.01", "1%", "errors_total"),
    'sum(rate(r{c=~"5.."}[1m])) - sum(rate(r[1m]))': ("result < 1", None, None),
    'sum(rate(r{path="/x"}[1m])) / sum(rate(r[1m]))': ("result < 0.5", None, None),
    'sum(rate(r{c=~"5.."}[1m])) / sum(rate(r[1m])) > 0.5': ("result < 0.5", None, None),
}


@pytest.mark.parametrize("query", RATIOS)
def test_only_a_plain_error_ratio_has_an_alternative(here: Folder, query: str) -> None:
    """Errors, requests and the limit are read from it; a shape that is not known is left alone."""
    condition, limit, errors = RATIOS[query]
    query = query.replace("{c", "{code")
    template = yaml.safe_load((FOREIGN / "argo_success_rate.yaml").read_text())
    metric = template["spec"]["metrics"][0]
    metric["provider"]["prometheus"]["query"], metric["successCondition"] = query, condition
    here.write("a.yaml", yaml.safe_dump(template))
    told = json.loads(call("canary", "import", "a.yaml", "--format", "json", at=here.path, clock=None).out)
    found = [yaml.safe_load(one["yaml"])["metrics"][0] for one in told["alternatives"]]
    if limit is None:
        assert found == []
    else:
        assert [(one["maxErrorRate"], one["canary"]["errors"]) for one in found] == [
            (limit, (errors or "").replace("{c", "{code"))
        ]


@contextmanager
def loopback(answers: Callable[[str], Sequence[float]]) -> Iterator[str]:
    """A server that answers instant queries as Prometheus does -> its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            at = float(asked.get("time", ["0"])[0])
            found = [{"metric": {"n": str(n)}, "value": [at, str(v)]} for n, v in enumerate(answers(asked["query"][0]))]
            body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": found}}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.parametrize(
    "name", ["argo_success_rate", "argo_list", "argo_rollout", "flagger_old", "flagger_blue_green"]
)
def test_an_imported_gate_is_probed(here: Folder, name: str) -> None:
    """Every query is asked with its arguments, and answered; the policy's data source is the one that it names."""
    assert bring(here, name, "-o", "gates/new.yaml").code == 0
    given = {"argo_success_rate": ARGUMENTS[:2], "argo_rollout": ARGUMENTS[2:4]}.get(name, ())
    asked = []

    def answers(query: str) -> list[float]:
        asked.append(query)
        return [1.0]

    with loopback(answers) as address:
        here.write(
            "policy.yaml", POLICY.replace('url: "https://prometheus.example"', f'url: "{address}", allow_private: true')
        )
        done = call("canary", "probe", "-f", "gates/new.yaml", *given, at=here.path, clock=None)
    assert done.code == 0, done
    assert asked
    assert not any("{{" in query for query in asked)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [("argo_success_rate", [0.99], [0.9]), ("flagger_old", [9.5], [600.0]), ("argo_rollout", [0.4], [2.5])],
)
def test_an_imported_gate_is_run(
    here: Folder, monkeypatch: pytest.MonkeyPatch, name: str, good: list[float], bad: list[float]
) -> None:
    """A good version passes at the end, a bad one fails, and one without data is not let through."""
    assert bring(here, name, "-o", "gates/new.yaml").code == 0
    given = {"argo_success_rate": ARGUMENTS[:2], "argo_rollout": ARGUMENTS[2:4]}.get(name, ())
    codes = []
    for values in (good, bad, []):

        class Said(Source):
            def value(self, query: str, tick: Any, said: Any = values) -> object:
                is_success = "success" in query or "classification!=" in query or "code!~" in query
                return [99.9] if name == "flagger_old" and is_success and said == good else said

        stage(monkeypatch, Said())
        done = call("canary", "run", "-f", "gates/new.yaml", *given, at=here.path, clock=None)
        assert "Traceback" not in done.err
        codes.append(done.code)
    assert codes[:2] == [0, 1]
    assert codes[2] in (1, 3)


def test_a_gate_file_is_never_written_over_unasked(here: Folder) -> None:
    """Refused before anything is done; --force writes over it, whole."""
    here.write("gates/new.yaml", "mine\n")
    done = bring(here, "argo_list", "-o", "gates/new.yaml")
    assert (done.code, (here.path / "gates/new.yaml").read_text()) == (2, "mine\n")
    assert "--force" in done.err
    assert bring(here, "argo_list", "-o", "gates/new.yaml", "--force").code == 0
    assert "kind: CanaryAnalysis" in (here.path / "gates/new.yaml").read_text()
    assert sorted(path.name for path in (here.path / "gates").iterdir()) == ["new.yaml"]


def test_without_output_the_gate_is_printed_alone(here: Folder) -> None:
    """So that the shell can send it to a file; what is said of it is on the error stream."""
    done = bring(here, "argo_list")
    assert isinstance(load_gate(done.out.encode(), "g.yaml", check_gate_file), Document)
    assert "next steps:" in done.err
    assert not (here.path / "gates").exists()


HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\nmetadata: {name: a}\n"
BAD: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "the file is empty"),
    "nothing of ours": ("apiVersion: v1\nkind: Service\n", "bad.yaml: the file contains no analysis"),
    "another group": (HEAD.replace("argoproj.io", "example.org"), "bad.yaml: the file contains no analysis"),
    "helm": (HEAD + "spec: {{ toYaml .Values.spec | nindent 2 }}\n", "import what helm template prints"),
    "an anchor": (HEAD + "spec: &a {metrics: []}\n", "anchor &a is not allowed"),
    "second document": (HEAD + "spec: {}\n---\na: [\n", "bad.yaml:7:1: "),
    "a bomb": ("---\n" * 200 + "a: 1\n" + "---\nb: 1\n" * 200, "over 100 documents"),
    "deep": (HEAD + "spec: " + "[" * 300 + "]" * 300, "nested deeper"),
    "large": ("# " + "x" * 300_000, "at most"),
    "two": (HEAD + "---\n" + HEAD.replace("name: a", "name: b"), "--name NAME"),
    "no metrics": (HEAD + "spec: {}\n", ""),
    "not UTF-8": (b"a: \xff\n", "is not UTF-8"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_cannot_be_used_is_refused(here: Folder, case: str) -> None:
    """With its line and the way, without a traceback, and nothing is written."""
    text, words = BAD[case]
    path = here.path / "bad.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = call("canary", "import", "bad.yaml", "-o", "gates/new.yaml", at=here.path, clock=None)
    assert done.code in (1, 2)
    assert words in done.err
    assert "Traceback" not in done.err
    assert not (here.path / "gates/new.yaml").exists()


STRANGE: tuple[Any, ...] = (None, True, -1, 1.5, "", "{{args.nope}}", "a\nb", ["x"], {"a": 1}, [{"a": 1}], "9" * 400)


def places(data: Any, route: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every value."""
    steps = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in steps:
        yield (*route, step)
        yield from places(value, (*route, step))


@pytest.mark.parametrize("name", FILES)
def test_no_value_of_a_stranger_breaks_an_import(here: Folder, name: str) -> None:
    """Anything may stand anywhere: it is a gate that validates, or a refusal."""
    documents = list(yaml.safe_load_all((FOREIGN / f"{name}.yaml").read_text()))
    chance = random.Random(name)
    every = [(index, route) for index, document in enumerate(documents) for route in places(document)]
    for index, route in chance.sample(every, 12):
        changed = json.loads(json.dumps(documents))
        holder = changed[index]
        for step in route[:-1]:
            holder = holder[step]
        holder[route[-1]] = chance.choice(STRANGE)
        here.write("odd.yaml", "---\n".join(yaml.safe_dump(document) for document in changed))
        done = call("canary", "import", "odd.yaml", "--format", "json", at=here.path, clock=None)
        assert done.code in (0, 1, 2), (route, done)
        text = json.loads(done.out)["gate"] if done.code < 2 else None
        assert text is None or isinstance(load_gate(text.encode(), "g.yaml", check_gate_file), Document)


def test_options_that_cannot_be_used_say_what_would(here: Folder) -> None:
    """A kind, a name and a value that are none."""
    for words, hint in (
        (("--datasource", "graphite=x"), "one of prometheus"),
        (("--datasource", "a b"), "letters, digits"),
        (("--arg", "x"), "--arg NAME=VALUE"),
        (("-o", "gates/x.txt"), "e.g. gates/checkout.yaml"),
    ):
        done = bring(here, "argo_list", *words)
        assert (done.code, hint in done.err) == (2, True), done
    told = brought(here, "argo_list", "--datasource", "prometheus=metrics")
    assert yaml.safe_load(told["gate"])["spec"]["provider"] == {"prometheus": {"datasource": "metrics"}}
    assert list(told["datasources"]) == ["metrics"]


def test_a_file_that_is_not_there(here: Folder, tmp_path: Path) -> None:
    """It says so."""
    done = call("canary", "import", "none.yaml", at=here.path, clock=None)
    assert (done.code, "cannot be read" in done.err) == (2, True)


def test_a_source_without_an_address_is_the_one_whose_address_is_known(here: Folder) -> None:
    """Flagger's own metrics name no server; a template beside them does, and one Prometheus is the rule."""
    flagger = """\
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: podinfo, namespace: test}
spec:
  provider: istio
  targetRef: {kind: Deployment, name: podinfo}
  analysis:
    interval: 1m
    threshold: 5
    maxWeight: 50
    stepWeight: 10
    metrics:
    - {name: request-success-rate, interval: 1m, thresholdRange: {min: 99}}
    - {name: queue, interval: 1m, thresholdRange: {max: 9}, templateRef: {name: queue}}
    - {name: jobs, interval: 1m, thresholdRange: {max: 9}, templateRef: {name: jobs}}
"""
    for name, host in (("queue", "one"), ("jobs", "other")):
        flagger += f"""---
apiVersion: flagger.app/v1beta1
kind: MetricTemplate
metadata: {{name: {name}, namespace: test}}
spec: {{provider: {{type: prometheus, address: "http://{host}:9090"}}, query: max({name})}}
"""
    (here.path / "f.yaml").write_text(flagger, encoding="utf-8")
    done = call("canary", "import", "f.yaml", "--format", "json", at=here.path, clock=None)
    told = json.loads(done.out)
    metrics = yaml.safe_load(told["gate"])["spec"]
    assert metrics["provider"] == {"prometheus": {"datasource": "main"}}
    asked = {one["name"]: one.get("provider") for one in metrics["metrics"]}
    assert asked == {"request-success-rate": None, "queue": None, "jobs": {"prometheus": {"datasource": "main-2"}}}
