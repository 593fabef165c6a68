"""The objective in an OpenSLO file, and files that hold none."""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_ops.domain.policy import REQUEST_BUDGET, TIME_BUDGET, Objective
from incident_ops.errors import UserError
from incident_ops.records.openslo import load_objective
from incident_ops.records.store import Store

TEXT = """apiVersion: openslo/v1
kind: SLO
metadata:
  name: api
spec:
  indicatorRef: errors
  budgetingMethod: Occurrences
  timeWindow:
  - duration: 30d
    isRolling: true
  objectives:
  - displayName: good
    target: 0.999
"""


def load(tmp_path: Path, text: str) -> Objective:
    (tmp_path / "slo.yaml").write_text(text)
    return load_objective(Store(tmp_path, None), "slo.yaml")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", Objective(99.9, 30 * 86_400, REQUEST_BUDGET)),
        ("Occurrences", "Timeslices", Objective(99.9, 30 * 86_400, TIME_BUDGET)),
        ("Occurrences", "RatioTimeslices", Objective(99.9, 30 * 86_400, TIME_BUDGET)),
        ("target: 0.999", "targetPercent: 99.95", Objective(99.95, 30 * 86_400, REQUEST_BUDGET)),
        ("30d", "4w", Objective(99.9, 28 * 86_400, REQUEST_BUDGET)),
        ("30d", "1M", Objective(99.9, 30 * 86_400, REQUEST_BUDGET)),
        ("30d", "720h", Objective(99.9, 30 * 86_400, REQUEST_BUDGET)),
    ],
)
def test_the_objective_is_read(tmp_path: Path, old: str, new: str, expected: Objective) -> None:
    assert load(tmp_path, TEXT.replace(old, new) if old else TEXT) == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("openslo/v1", "openslo/v2alpha"),
        ("kind: SLO", "kind: Service"),
        ("Occurrences", "Guesses"),
        ("target: 0.999", "target: 99.9"),
        ("target: 0.999", "target: 0"),
        ("target: 0.999", "target: true"),
        ("target: 0.999", "ratioTarget: 0.999"),
        ("30d", "0d"),
        ("30d", "a month"),
        ("isRolling: true", "isRolling: false"),
        ("spec:", "spec: [\nx:"),
        (TEXT, "- 1\n"),
    ],
)
def test_what_holds_no_objective_is_a_mistake_with_its_file(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(UserError) as caught:
        load(tmp_path, TEXT.replace(old, new))
    assert "slo.yaml" in caught.value.where


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such OpenSLO file"):
        load_objective(Store(tmp_path, None), "slo.yaml")
