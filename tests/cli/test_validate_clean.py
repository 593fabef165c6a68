"""What `validate` calls clean makes no command crash: records drawn from the schema, with extreme values."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.time import YEARS
from incident_ops.records.schema import schema
from incident_ops.resources import preset_names
from tests.cli.scene import SERVICES, call
from tests.support.laws import law

DOCUMENTED = {0, 1, 2, 3, 4, 5, 6}
FIRST, LAST = f"{YEARS[0]}-01-01T00:00:00Z", f"{YEARS[-1]}-12-31T23:59:59Z"
CLOCKS = [FIRST, "2025-06-01T12:00:00Z", LAST]
EDGES = [FIRST, "1970-01-02T00:00:00+14:00", "2025-01-26T12:05:00Z", "2024-02-29T23:59:59.999999999Z", LAST]
DAYS = [f"{YEARS[0]}-01-01", "2024-02-29", f"{YEARS[-1]}-12-31"]
DURATIONS = ["0s", "1s", "999999s", "999999d", "999999d999999h999999m999999s"]
FORMATS = {"date-time": EDGES, "date": DAYS}
COMMANDS = (
    ("show", "INC-1"),
    ("show", "INC-1", "--format", "json"),
    ("list",),
    ("list", "--overdue", "--format", "json"),
    ("sla", "check", "--all"),
    ("sla", "check", "--format", "json"),
    ("sla", "report"),
    ("sla", "report", "--by", "month", "--format", "json"),
    ("plan", "--format", "json"),
    ("plan", "--format", "markdown"),
    ("render",),
    ("gate", "check", "-s", "api"),
    ("triage", "--users", "60"),
)


def drawn(node: dict[str, Any], root: dict[str, Any], chance: Random) -> Any:
    """A value that the schema allows, at the ends of what it allows where it has any."""
    if "$ref" in node:
        return drawn(root["$defs"][node["$ref"].removeprefix("#/$defs/")], root, chance)
    if "const" in node:
        return node["const"]
    if "enum" in node:
        return chance.choice(node["enum"])
    if "anyOf" in node:
        return drawn(chance.choice(node["anyOf"]), root, chance)
    if node["type"] == "object":
        return _mapping(node, root, chance)
    if node["type"] == "array":
        count = chance.choice([node.get("minItems", 0), max(1, node.get("minItems", 0)), 2])
        made = [drawn(node["items"], root, chance) for _ in range(count)]
        return made[:1] if node.get("uniqueItems") else made
    if node["type"] == "string":
        return _text(node, chance)
    if node["type"] == "boolean":
        return chance.random() < 0.5
    return chance.choice([node.get("minimum", -(10**17)), node.get("maximum", 10**17)])


def _mapping(node: dict[str, Any], root: dict[str, Any], chance: Random) -> dict[str, Any]:
    needed, share = node.get("required", ()), chance.choice([0.1, 0.5, 0.9])
    known = node.get("properties", {}).items()
    return {name: drawn(inner, root, chance) for name, inner in known if name in needed or chance.random() < share}


def _text(node: dict[str, Any], chance: Random) -> str:
    if "format" in node and node["format"] in FORMATS:
        return chance.choice(FORMATS[node["format"]])
    if "[0-9]{1,6}d" in node.get("pattern", ""):
        return chance.choice(DURATIONS)
    return str(chance.choice(node.get("examples", ["x"])))


def incident(seed: int) -> dict[str, Any]:
    """A record that the schema allows, under an id and a service that are known here."""
    chance, root = Random(seed), schema("incident")
    made = {**drawn(root, root, chance), "id": "INC-1", "title": "Login fails", "services": ["api"]}
    if chance.random() < 0.5:  # one instant for all: every order of times is kept
        at = chance.choice(EDGES)
        made["times"] = dict.fromkeys(made["times"], at)
    for key in chance.sample(sorted(made), chance.randrange(len(made))):
        if key not in root["required"]:
            del made[key]
    return made


def folder_of(record: dict[str, Any], preset: str) -> Path:
    """A repository of that record alone."""
    folder = Path(tempfile.mkdtemp(prefix="poison-"))
    (folder / "policy.yaml").write_text(f"extends: {preset}\n")
    (folder / "services.yaml").write_text(SERVICES)
    (folder / "incidents" / "INC-1").mkdir(parents=True)
    (folder / "incidents" / "INC-1" / "incident.yaml").write_text(json.dumps(record, ensure_ascii=False))
    return folder


@law("records that validate calls clean", whole=4000, sample=20)
@given(
    st.integers(0, 2**32), st.sampled_from(preset_names()), st.sampled_from(CLOCKS), st.sampled_from(sorted(COMMANDS))
)
def test_no_command_crashes_on_it(seed: int, preset: str, clock: str, command: tuple[str, ...]) -> None:
    """Warnings and notes are asked for too: a record with findings is no reason to crash either."""
    folder = folder_of(incident(seed), preset)
    try:
        done = call("validate", at=folder, clock=clock)
        assert done.code in (0, 1), done
        assert "a calculation with" not in done.out, done
        done = call(*command, at=folder, clock=clock)
    finally:
        shutil.rmtree(folder)
    assert done.code in DOCUMENTED, (command, done)
    assert "Traceback" not in done.out + done.err
    assert "incident-ops crashed" not in done.err, (command, done)
    assert "a calculation with the values of" not in done.out + done.err, (command, done)
