"""Gate files: everything wrong with one is told at its line and column; commands and addresses are no part of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_ops.canary.config_check import check_gate_file
from incident_ops.records.gate_file import load_gate
from incident_ops.records.yaml_reader import Document

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted((ROOT / "gates").glob("*.yaml"))
TEXT = (ROOT / "gates/playbook.yaml").read_text(encoding="utf-8")
ERRORS = (ROOT / "gates/error-rate.yaml").read_text(encoding="utf-8")


def found(text: str) -> list[str]:
    """`line:column rule: message (hint)` of each finding."""
    loaded = load_gate(text.encode(), "gates/g.yaml", check_gate_file)
    if isinstance(loaded, Document):
        return []
    assert all(one.where.file == "gates/g.yaml" for one in loaded)
    return [f"{one.where.line}:{one.where.column} {one.rule}: {one.message} ({one.hint})" for one in loaded]


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_the_shipped_gates_are_sound(path: Path) -> None:
    """gates/*.yaml of this repository."""
    assert isinstance(load_gate(path.read_bytes(), path.name, check_gate_file), Document)
    assert {path.name for path in SHIPPED} == {"playbook.yaml", "error-rate.yaml"}


@pytest.mark.parametrize(
    ("old", "new", "rule", "message"),
    [
        ("failureCondition: result > 1", "failureCondition: result >", "gate-condition", "column 9 of the condition"),
        ("count: 1\n", "count: 9\n", "gate-settings", "do not fit into the run"),
        ("type: threshold", "type: treshold", "not-allowed", "allowed: errorRate, threshold"),
        ("count: 1\n", "failureLimt: 1\n", "unknown-key", "unknown key 'failureLimt'"),
        ("initialDelay: 10m", "initialDelay: PT10M", "bad-format", "which is not a valid duration"),
        ("datasource: main", "datasource: [main]", "wrong-type", "expected text"),
    ],
)
def test_a_finding_stands_at_its_place(old: str, new: str, rule: str, message: str) -> None:
    """Schema and meaning alike."""
    told = found(TEXT.replace(old, new))
    assert len(told) == 1, told
    assert told[0].startswith(f"{line_of(TEXT, old)}:")
    assert f" {rule}: " in told[0]
    assert message in told[0]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("  onFail: kubectl rollout undo", "commands"),
        ("  on_step: ./deploy", "commands"),
        ("  hooks: {run: x}", "commands"),
        ("  command: x", "commands"),
        ("  webhook: https://example.com", "commands"),
        ("  script: |\n    rm -rf /", "commands"),
        ("  address: http://169.254.169.254", "addresses"),
        ("  url: https://example.com", "addresses"),
    ],
)
def test_a_gate_file_holds_no_commands_and_no_addresses(line: str, rule: str) -> None:
    """They come from the caller and from policy.yaml; the key is told once, as what it is."""
    told = found(ERRORS.replace("  warmup: 60s", line))
    assert len(told) == 1, told
    assert told[0].startswith(f"{line_of(ERRORS, '  warmup')}:3 gate-command: ")
    assert f"cannot contain {rule}" in told[0]


def test_an_address_of_an_older_form_is_explained_where_it_stands() -> None:
    """`provider.prometheus.address` of other tools: the hint names the data source."""
    told = found(ERRORS.replace("datasource: main", "address: ${PROM_URL}"))
    assert any("name a data source of policy.yaml" in one for one in told)
    assert any("key 'datasource' is missing" in one for one in told)


PROVIDER = "    provider: {prometheus: {datasource: main, query: up}}\n    maxRatio: 1\n"


@pytest.mark.parametrize(
    ("old", "new", "place", "told"),
    [
        ("    maxRatio: 1\n", PROVIDER, "    provider", "the query belongs in the metric's `query`"),
        (
            "    maxRatio: 1\n",
            "    minRequests: 9\n",
            "    minRequests",
            "it belongs to the whole file: spec.minRequests",
        ),
        ("    maxRatio: 1\n", "    earlyPass: true\n", "    earlyPass", "spec.earlyPass"),
        ("    maxRatio: 1\n", "    onNoData: fail\n", "    onNoData", "spec.onNoData"),
        ("    maxRatio: 1\n", "    steps: [{weight: 1}]\n", "    steps", "spec.steps"),
        ("  warmup: 60s\n", "  alpha: 0.1\n", "  alpha", "it belongs to each metric: metrics[].alpha"),
        ("  warmup: 60s\n", "  beta: 0.1\n", "  beta", "metrics[].beta"),
        ("  warmup: 60s\n", "  lookback: 1h\n", "  lookback", "metrics[].lookback"),
        ("  warmup: 60s\n", "  maxRatio: 1\n", "  maxRatio", "metrics[].maxRatio"),
    ],
)
def test_a_key_of_the_other_level_is_told_where_it_belongs(old: str, new: str, place: str, told: str) -> None:
    """Such as the provider that Argo writes into each metric."""
    text = ERRORS.replace(old, new, 1)
    (one,) = found(text)
    assert one.startswith(f"{line_of(text, chr(10) + place) + 1}:"), one
    assert "unknown-key" in one
    assert told in one


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("warmup: 60s", "warmup: 60", "a duration: 60s"),
        ("warmup: 60s", "warmup: 1.5", "a duration: e.g. 30m"),
        ("maxRatio: 1", "maxErrorRate: 500", "a percentage: e.g. 1%"),
        ("maxRatio: 1", "lookback: 0", "a duration: 0s"),
        ("maxRatio: 1", "clumpSpan: 90", "a duration: 90s"),
        ("maxRatio: 1", "maxErrorRate: 5", "a percentage: 5%"),
        ("maxRatio: 1", "maxErrorRate: 0.5", "a percentage: 0.5%"),
        ("  warmup: 60s", "  onInconclusive: {extend: 60m}", "e.g. fail or {extend: {max: 60m}}"),
        ("  - weight: 10\n    duration: 10m\n  - weight: 100\n", "    [5, 10]\n", "e.g. [{weight: 10, duration: 10m}]"),
        ("kind: CanaryAnalysis", "kind: X", "write kind: CanaryAnalysis"),
        ("incident-ops/v1", "v1", "write apiVersion: incident-ops/v1"),
    ],
)
def test_a_hint_mends(old: str, new: str, hint: str) -> None:
    """It shows what to write instead, from what stands there or from the schema's examples."""
    told = found(ERRORS.replace(old, new, 1))
    assert told
    assert all(one.endswith(f"({hint})") for one in told), told


@pytest.mark.parametrize("text", ["", "a: [", "a: 1\na: 2\n", "- 1\n", "null\n", "\udcff", "x" * 300_000])
def test_what_cannot_be_read_is_a_finding(text: str) -> None:
    """Never an exception."""
    loaded = load_gate(text.encode("utf-8", "surrogateescape"), "gates/g.yaml", check_gate_file)
    assert isinstance(loaded, list)
    assert loaded
