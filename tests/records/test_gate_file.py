"""Gate files: everything wrong with one is told at its line and column; commands and addresses are no part of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_ops.gate.config_check import check
from incident_ops.records.gate_file import load_gate
from incident_ops.records.read import Document

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted((ROOT / "gates").glob("*.yaml"))
TEXT = (ROOT / "gates/playbook.yaml").read_text(encoding="utf-8")
ERRORS = (ROOT / "gates/error-rate.yaml").read_text(encoding="utf-8")


def found(text: str) -> list[str]:
    """`line:column rule: message (hint)` of each finding."""
    loaded = load_gate(text.encode(), "gates/g.yaml", check)
    if isinstance(loaded, Document):
        return []
    assert all(one.where.file == "gates/g.yaml" for one in loaded)
    return [f"{one.where.line}:{one.where.column} {one.rule}: {one.message} ({one.hint})" for one in loaded]


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_the_shipped_gates_are_sound(path: Path) -> None:
    """gates/*.yaml of this repository."""
    assert isinstance(load_gate(path.read_bytes(), path.name, check), Document)
    assert {path.name for path in SHIPPED} == {"playbook.yaml", "error-rate.yaml"}


@pytest.mark.parametrize(
    ("old", "new", "rule", "message"),
    [
        ("failureCondition: result > 1", "failureCondition: result >", "gate-condition", "column 9 of the condition"),
        ("count: 1\n", "count: 9\n", "gate-settings", "do not fit into the run"),
        ("type: threshold", "type: treshold", "not-allowed", "allowed: errorRate, threshold"),
        ("count: 1\n", "failureLimt: 1\n", "unknown-key", "unknown key 'failureLimt'"),
        ("initialDelay: 10m", "initialDelay: PT10M", "bad-format", "which is no duration"),
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
    """They come from the caller and from policy.yaml (contract 8); the key is told once, as what it is."""
    told = found(ERRORS.replace("  warmup: 60s", line))
    assert len(told) == 1, told
    assert told[0].startswith(f"{line_of(ERRORS, '  warmup')}:3 gate-command: ")
    assert f"holds no {rule}" in told[0]


def test_an_address_of_an_older_form_is_explained_where_it_stands() -> None:
    """`provider.prometheus.address` of other tools: the hint names the data source."""
    told = found(ERRORS.replace("datasource: main", "address: ${PROM_URL}"))
    assert any("name a data source of policy.yaml" in one for one in told)
    assert any("key 'datasource' is missing" in one for one in told)


@pytest.mark.parametrize("text", ["", "a: [", "a: 1\na: 2\n", "- 1\n", "null\n", "\udcff", "x" * 300_000])
def test_what_cannot_be_read_is_a_finding(text: str) -> None:
    """Never an exception."""
    loaded = load_gate(text.encode("utf-8", "surrogateescape"), "gates/g.yaml", check)
    assert isinstance(loaded, list)
    assert loaded
