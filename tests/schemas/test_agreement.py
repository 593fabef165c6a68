"""The fast validator and the explaining one give the same verdict."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_ops.records.schema import SCHEMA_KINDS, check_document, fast_validator, schema
from incident_ops.records.schema_messages import slow_validator
from incident_ops.records.yaml_reader import Document, read_bytes
from tests.support.laws import cells_run, count_of

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {
    "incident": ("incidents/*/incident.yaml", "examples/*/incidents/*/incident.yaml"),
    "policy": ("policy.yaml", "examples/*/policy.yaml", "incident_ops/presets/*.yaml"),
    "services": ("services.yaml", "examples/*/services.yaml"),
    "maintenance": ("examples/*/maintenance/*.yaml",),
    "problem": ("examples/*/problems/*.yaml",),
    "freeze": ("examples/*/freezes/*.yaml",),
    "gate": ("examples/*/gates/*.yaml",),
    "oncall": ("examples/*/oncall/*.yaml",),
}
MUTANTS = {"incident": 600}
OTHERS = 100


@cache
def bases(kind: str) -> tuple[Any, ...]:
    """Valid data of a kind: what is shipped, and the schema's own examples."""
    found = list(schema(kind).get("examples", []))
    for pattern in SOURCES[kind]:
        for path in sorted(ROOT.glob(pattern)):
            document = read_bytes(path.read_bytes(), path.name)
            assert isinstance(document, Document), document
            found.append(document.data)
    return tuple(one for one in found if fast_validator(kind).is_valid(one))


@cache
def pool(kind: str) -> tuple[Any, ...]:
    """Words of the schema itself (enums, constants, examples, property names): mutants that nearly pass."""
    words: dict[str, Any] = {}

    def gather(part: Any) -> None:
        if isinstance(part, dict):
            for word, inner in part.items():
                if word in ("enum", "examples") and isinstance(inner, list):
                    words.update((json.dumps(one), one) for one in inner if not isinstance(one, dict | list))
                elif word == "properties":
                    words.update((json.dumps(name), name) for name in inner)
                gather(inner)
        elif isinstance(part, list):
            for inner in part:
                gather(inner)

    gather(schema(kind))
    return tuple(words.values())


HARD = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        1.0,
        0.5,
        10**17,
        1e300,
        "",
        " ",
        "a\n",
        "a\r",
        "\u0660",
        "é",
        "unknown",
        "a" * 5000,
    ),
    *([], {}, [[]], {"": 1}, "INC-20250126-120500\n", "INC-1", "INC-20251399-996161"),
    *(
        "2025-01-26",
        "2025-02-30",
        "2024-02-29",
        "0000-01-01",
        "9999-12-31",
        "2025-01-26T12:05:00Z",
        "2025-01-26T12:05:00",
    ),
    *("2025-01-26T12:05:60Z", "2025-01-26T24:00:00Z", "2025-01-26T12:05:00+14:00", "2025-01-26T12:05:00.123456789Z"),
    *("2025-01-26t12:05:00z", "2025-01-26T12:05:00Z\n", "0001-01-01T00:00:00+23:59", "2025-01-26T12:05:00+24:00"),
    *("1h30m", "PT1H", "1h ", "0s", "15m\n", "7d1s", "999999d", "1000000d", "100%", "0.5%"),
    *("https://example.com/x", "http://", "not a uri", "https://a b", "https://example.com/\n", "mailto:a@b"),
    *("@a", "@a/b", "@-a", "a@b", "@a\n"),
)


def _places(value: Any) -> Iterator[tuple[Any, str | int]]:
    if isinstance(value, dict | list):
        for step in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, step
            yield from _places(value[step])


@st.composite
def mutants(draw: st.DrawFn, kind: str) -> Any:
    """Valid data with one to three random changes."""
    mutant = copy.deepcopy(draw(st.sampled_from(bases(kind))))
    values = (
        st.sampled_from(HARD)
        | st.sampled_from(pool(kind))
        | st.text(max_size=8)
        | st.floats(allow_nan=False, allow_infinity=False)
    )
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(mutant))
        if not places:
            break
        holder, step = draw(st.sampled_from(places))
        match draw(st.sampled_from(("replace", "delete", "rename", "add", "twice"))):
            case "replace":
                holder[step] = copy.deepcopy(draw(values))
            case "delete":
                del holder[step]
            case "rename" if isinstance(holder, dict):
                holder[draw(st.sampled_from(pool(kind)).map(str) | st.text(max_size=6))] = holder.pop(step)
            case "twice" if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[step]))
            case _ if isinstance(holder, list):
                holder.append(copy.deepcopy(draw(values)))
            case _:
                holder[draw(st.sampled_from(pool(kind)).map(str) | st.text(max_size=6))] = copy.deepcopy(draw(values))
    return mutant


@pytest.mark.parametrize("kind", SCHEMA_KINDS)
def test_there_is_something_to_mutate(kind: str) -> None:
    """Every kind has valid data to begin with, and both validators call it valid."""
    assert bases(kind)
    for base in bases(kind):
        assert list(slow_validator(schema(kind)).iter_errors(base)) == []


@pytest.mark.law
@pytest.mark.parametrize("kind", SCHEMA_KINDS)
def test_both_validators_give_the_same_verdict(kind: str, record_property: Callable[[str, Any], None]) -> None:
    """On hundreds of damaged records neither validator is the stricter one, and a refusal is always explained."""
    whole = MUTANTS.get(kind, OTHERS)
    count = count_of(whole, sample=whole // 5)
    record_property(*cells_run("validators that agree", kind, count, whole))

    @settings(max_examples=count, database=None)
    @given(mutants(kind))
    def agree(mutant: Any) -> None:
        fast = fast_validator(kind).is_valid(mutant)
        slow = [error.message for error in slow_validator(schema(kind)).iter_errors(mutant)]
        assert fast == (not slow), slow or [error.message for error in fast_validator(kind).iter_errors(mutant)]
        found = check_document(Document("f.yaml", "", mutant, []), kind)
        assert bool(found) != fast

    agree()


@pytest.mark.parametrize("value", HARD, ids=lambda value: repr(value)[:40])
def test_hard_values_are_judged_alike_wherever_text_is_meant(value: Any) -> None:
    """Ends of line, foreign digits, leap seconds, odd zones: one verdict, at every property of the incident schema."""
    whole = schema("incident")
    least = {name: bases("incident")[0][name] for name in whole["required"]}
    for name in whole["properties"]:
        data = {**least, name: value}
        slow = not list(slow_validator(whole).iter_errors(data))
        assert fast_validator("incident").is_valid(data) == slow, name
