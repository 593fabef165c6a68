"""The state file: a re-run continues to the same verdict byte for byte, and nothing else is taken for it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_ops.canary.counters import NO_SAMPLES, Counts, Gap
from incident_ops.canary.evidence import Evidence, begin_evidence, observe_tick
from incident_ops.canary.evidence_settings import MULTIPLES, EvidenceSettings
from incident_ops.canary.judgement import judge_evidence
from incident_ops.canary.run import evidence_from_json, evidence_to_json
from incident_ops.errors import UserError

SETTINGS = EvidenceSettings(interval=15.0, max_error_rate=0.05, min_error_rate=0.001, clump_span=30.0)
LOOKBACK = [Counts(float(tick % 7), 900.0 + tick) for tick in range(60)]
SUBJECT, STARTED = "checkout production 1a2b3c4 http-5xx", "2025-11-04T02:10:00Z"
SIDES = st.one_of(
    st.builds(Counts, st.integers(0, 40).map(float), st.floats(40, 1e5)),
    st.just(Gap(NO_SAMPLES, "canary errors: missing")),
)
TICKS = st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=25)


def _fed(evidence: Evidence, ticks: list[tuple[Counts | Gap, Counts | Gap]], first: int = 1) -> Evidence:
    for number, (canary, baseline) in enumerate(ticks, start=first):
        evidence = observe_tick(SETTINGS, evidence, number * 15.0, canary, baseline)
    return evidence


@settings(max_examples=40)
@given(TICKS, st.integers(0, 25))
def test_a_run_that_was_cut_continues_to_the_same_state(
    ticks: list[tuple[Counts | Gap, Counts | Gap]], cut: int
) -> None:
    """Written and read anywhere in between: the same file, and the same verdict, byte for byte."""
    whole = _fed(begin_evidence(SETTINGS, LOOKBACK), ticks)
    half = evidence_to_json(SETTINGS, _fed(begin_evidence(SETTINGS, LOOKBACK), ticks[:cut]), SUBJECT, STARTED)
    read, started = evidence_from_json(half, SETTINGS, SUBJECT)
    resumed = _fed(read, ticks[cut:], first=cut + 1)
    assert started == STARTED
    assert evidence_to_json(SETTINGS, resumed, SUBJECT, STARTED) == evidence_to_json(SETTINGS, whole, SUBJECT, STARTED)
    assert judge_evidence(SETTINGS, resumed, 300.0) == judge_evidence(SETTINGS, whole, 300.0)


STATE = evidence_to_json(
    SETTINGS, _fed(begin_evidence(SETTINGS, LOOKBACK), [(Counts(1.0, 100.0), Counts(7.0, 900.0))] * 5), SUBJECT, STARTED
)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"alpha": 0.05}, "alpha 0.01, now it is 0.05"),
        ({"max_error_rate": None}, "max_error_rate 0.05, now it is None"),
        ({"dispersion": "none"}, "dispersion 'auto', now it is 'none'"),
        ({"interval": 5.0}, "interval 15.0, now it is 5.0"),
    ],
)
def test_a_file_of_another_question_is_refused(change: dict[str, object], said: str) -> None:
    """Evidence gathered for one question does not answer another."""
    with pytest.raises(UserError, match=said):
        evidence_from_json(STATE, replace(SETTINGS, **change), SUBJECT)  # type: ignore[arg-type]


def test_a_file_of_another_canary_is_refused() -> None:
    """Another SHA starts anew."""
    with pytest.raises(UserError, match="belongs to 'checkout production 1a2b3c4 http-5xx', not to 'checkout 9f'"):
        evidence_from_json(STATE, SETTINGS, "checkout 9f")


def _with(path: str, value: object) -> str:
    data = json.loads(STATE)
    *way, last = path.split(".")
    place = data
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if isinstance(place, list):
        place[int(last)] = value
    else:
        place[last] = value
    return json.dumps(data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        STATE[:-40],
        _with("kind", "plan"),
        _with("schema", 1),
        _with("unknown", 1),
        _with("evidence.ratio", None),
        _with("evidence.passing", None),
        _with("evidence.passing.step.0", "many"),
        _with("evidence.ratio.scores", [0.0]),
        _with("evidence.ratio.scores.3", float("nan")),
        _with("evidence.ratio.scores.3", "1"),
        _with("evidence.ratio.worse.0", [1.0] * 23),
        _with("evidence.ratio.worse.0.0", -1.0),
        _with("evidence.ratio.worse.0", [0.0] * len(MULTIPLES)),
        _with("evidence.block_ticks", 0),
        _with("evidence.ratio.step_scores", [0.0]),
        _with("evidence.ratio.fail_phi", 0.0),
        _with("evidence.ratio.starts.0.0", -1.0),
        _with("evidence.ratio.starts.1", [1.0] * 7),
        _with("evidence.ratio.starts.3", 0.0),
        _with("evidence.ratio.recent.0.1.1", 0.0),
        _with("evidence.ratio.recent.0.3", 1.0),
        _with("evidence.canary.0", float("inf")),
        _with("evidence.limit.total", [1.0]),
        b"\xff\xfe",
    ],
)
def test_a_file_that_is_damaged_or_of_another_kind_is_refused(text: str | bytes) -> None:
    """With a sentence, never a traceback, and never as if nothing had been there."""
    with pytest.raises(UserError, match="start anew"):
        evidence_from_json(text, SETTINGS, SUBJECT)


def test_the_file_is_text_with_a_version() -> None:
    """People may look into it."""
    data = json.loads(STATE)
    assert (data["schema"], data["kind"], data["subject"]) == (2, "canary-evidence", SUBJECT)
    assert STATE.endswith("}\n")
