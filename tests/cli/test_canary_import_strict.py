"""`incident-ops canary import` of sources that a gate cannot hold whole: what would be weaker is refused, and said."""

from __future__ import annotations

import json
from typing import Any

import yaml

from tests.cli.scene import Done, Folder, call
from tests.cli.test_canary_import import FOREIGN

TEMPLATE = """\
---
apiVersion: argoproj.io/v1alpha1
kind: {kind}
metadata: {{name: {name}}}
spec:
  args:
  - name: limit{default}
  metrics:
  - name: {name}
    count: 1
    successCondition: result[0] < {{{{args.limit}}}}
    provider: {{prometheus: {{address: "{address}", query: "vector({number})"}}}}
"""
ROLLOUT = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{name: shop}}
spec:
  strategy:
    canary:
      steps:
      - setWeight: 10
      - analysis: {{templates: [{{templateName: first}}], args: [{{name: limit, value: "{limit}"}}]}}
      - pause: {{duration: 5m}}
      - setWeight: 50
      - analysis: {{templates: [{{templateName: second}}]{second}}}
      - pause: {{duration: 5m}}
"""


def template(name: str, default: str = "", number: int = 1, kind: str = "AnalysisTemplate", address: str = "") -> str:
    """A template of one metric, which fails above its argument `limit`."""
    value = f'\n    value: "{default}"' if default else ""
    address = address or "http://prometheus:9090"
    return TEMPLATE.format(name=name, default=value, number=number, kind=kind, address=address)


def taken(here: Folder, text: str, *words: str) -> tuple[Done, dict[str, Any]]:
    """An import and what it says to programs."""
    (here.path / "source.yaml").write_text(text, encoding="utf-8")
    done = call("canary", "import", "source.yaml", *words, "--format", "json", at=here.path, clock=None)
    assert "Traceback" not in done.err
    return done, json.loads(done.out) if done.out else {}


def weaker(found: dict[str, Any]) -> list[str]:
    """What the gate does not check."""
    return [f"{line['source']}: {line['text']}" for line in found["lines"] if line["weakens"]]


def test_an_argument_with_two_values_is_not_the_first_of_them(here: Folder) -> None:
    """Two analyses of a Rollout, or two templates, that mean other values: a gate has one, and says so."""
    both = ROLLOUT.format(limit="0.05", second=', args: [{name: limit, value: "0.01"}]')
    for text in (
        both + template("first") + template("second", number=2),
        ROLLOUT.format(limit="0.05", second="") + template("first") + template("second", "0.01", 2),
    ):
        done, found = taken(here, text)
        assert done.code == 1
        problem = "an argument has one value in a gate, and limit is '0.05' in another place of this source"
        assert [line.partition(": 0.01: ")[2] for line in weaker(found)] == [problem], found["lines"]
        done, found = taken(here, text, "--arg", "limit=0.01")
        assert (done.code, weaker(found)) == (0, [])


def test_a_value_of_the_rollout_comes_before_that_of_its_template(here: Folder) -> None:
    """As there; the same value twice is no other one."""
    text = ROLLOUT.format(limit="0.05", second=', args: [{name: limit, value: "0.05"}]')
    done, found = taken(here, text + template("first", "0.5") + template("second", "0.7", 2))
    assert (done.code, weaker(found)) == (0, [])
    assert yaml.safe_load(found["gate"])["spec"]["args"] == [{"name": "limit", "value": "0.05"}]


def test_of_two_templates_of_one_name_none_is_guessed(here: Folder) -> None:
    """One of a namespace and one of the cluster are told apart by the reference; two of a kind are not."""
    text = ROLLOUT.format(limit="1", second="")
    first, second = template("first"), template("second", "1", 2)
    other = template("second", "1", 3, "ClusterAnalysisTemplate")
    _, found = taken(here, text + first + other + second)
    assert [metric["query"] for metric in yaml.safe_load(found["gate"])["spec"]["metrics"]] == [
        "vector(1)",
        "vector(2)",
    ]
    done, found = taken(here, text + first + second + template("second", "1", 4))
    assert done.code == 1
    assert weaker(found) == [
        "strategy.canary.steps[4].analysis.templates[0].templateName: second: "
        "there are 2 templates 'second' in this file"
    ]


def test_a_limit_that_is_no_number_is_not_passed_over(here: Folder) -> None:
    """Beside another one that is: then the metric is refused."""
    text = (FOREIGN / "flagger_istio.yaml").read_text(encoding="utf-8")
    done, found = taken(here, text.replace("        max: 500\n", "        max: 500\n        min: 1e3ms\n"))
    assert done.code == 1
    assert weaker(found) == ["analysis.metrics[1].thresholdRange.min: 1e3ms: a number is expected here"]
    assert "request-duration" not in found["gate"].partition("\nspec:")[2]


def test_a_metric_template_is_that_of_the_namespace(here: Folder) -> None:
    """Templates of the same name in other namespaces are not taken for it."""
    text = (FOREIGN / "flagger_istio.yaml").read_text(encoding="utf-8")
    text = text.replace(
        "    - name: request-duration\n", "    - name: p99\n      templateRef: {name: p99, namespace: mine}\n"
    )
    one = """\
---
apiVersion: flagger.app/v1beta1
kind: MetricTemplate
metadata: {name: p99, namespace: NS}
spec: {provider: {type: prometheus, address: "http://p:9090"}, query: "vector(NUMBER)"}
"""
    mine, other, third = (
        one.replace("NS", name).replace("NUMBER", str(number)) for number, name in enumerate(("mine", "other", "third"))
    )
    for more in (mine + other, other + mine, mine):
        assert "vector(0)" in taken(here, text + more)[1]["gate"]
    done, found = taken(here, text + other + third)
    assert done.code == 1
    assert any("MetricTemplate 'p99': there are 2, of other namespaces" in line for line in weaker(found))


def test_no_object_of_a_long_list_is_passed_over(here: Folder) -> None:
    """More than are read are refused as a whole."""
    items = [{"apiVersion": "v1", "kind": "ConfigMap"}] * 501
    done, _ = taken(here, json.dumps({"kind": "List", "apiVersion": "v1", "items": items}))
    assert done.code == 2
    assert "source.yaml:1: the list has over 500 objects (split it)" in done.err


def test_a_password_of_an_address_is_shown_nowhere(here: Folder) -> None:
    """It becomes a sign-in by variables."""
    here.write("policy.yaml", "extends: sev0-3\n")
    text = template("first", "1", address="http://gate:pa55word@prometheus:9090")
    done, found = taken(here, text)
    shown = done.out + done.err + call("canary", "import", "source.yaml", at=here.path, clock=None).out
    assert "pa55word" not in shown
    assert "address: http://***@prometheus:9090" in shown
    assert list(found["datasources"].values()) == [
        {
            "kind": "prometheus",
            "url": "http://prometheus:9090",
            "allow_private": True,
            "auth": {"basic": {"user_env": "METRICS_USER", "password_env": "METRICS_PASSWORD"}},
        }
    ]


def test_a_value_that_was_a_pattern_is_said_to_be_none(here: Folder) -> None:
    """A gate matches what it is given literally; a pattern that is known at the import stays one, written out."""
    text = template("first").replace("vector(1)", "sum(rate(e{job=~'{{args.limit}}'}[1m])) or vector(0)")
    line = next(one for one in taken(here, text)[1]["lines"] if "after =~" in (one["text"] or ""))
    assert line["text"] == "after =~ a value is matched as it is written, and no pattern: limit"
    assert line["outcome"] == "differs"
    _, found = taken(here, text.replace("result[0] < {{args.limit}}", "result[0] < 1"), "--arg", "limit=shop-.*")
    assert "job=~'shop-.*'" in found["gate"]
    assert not [one for one in found["lines"] if "after =~" in (one["text"] or "")]


def test_a_webhook_that_can_fail_a_canary_is_missed(here: Folder) -> None:
    """One that only makes load is not: it is never said how that ended."""
    text = (FOREIGN / "flagger_istio.yaml").read_text(encoding="utf-8")
    load = '        cmd: "hey'
    for new in (f"        type: bash\n{load}", '        tests: "hey'):
        done, found = taken(here, text.replace(load, new))
        problem = "webhook load-test: a gate calls no webhook, and this one can fail the canary"
        assert (done.code, [line.partition(": load-test: ")[2] for line in weaker(found)]) == (1, [problem])
        assert "webhook load-test: a gate calls no webhook" in found["gate"]
    assert taken(here, text.replace(load, f"        type: cmd\n{load}"))[0].code == 0
