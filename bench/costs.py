"""What each step and each rule costs, in microseconds a record, inside one process: `python bench/costs.py FOLDER`."""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from incident_ops import rules
from incident_ops.domain.record import Record, World
from incident_ops.records.index import to_record
from incident_ops.records.policy import load_policy_and_services
from incident_ops.records.schema import check_document
from incident_ops.records.store import Store
from incident_ops.records.yaml_reader import Document, read_bytes

NOW = datetime(2025, 12, 1, tzinfo=UTC)
PASSES = 5


def best(call: Callable[[], object], records: int) -> float:
    """Microseconds a record, the best of some passes."""
    spent = []
    for _ in range(PASSES):
        gc.collect()
        start = time.perf_counter()
        call()
        spent.append(time.perf_counter() - start)
    return min(spent) * 1e6 / records


def steps(raws: list[tuple[str, bytes]], documents: list[Document]) -> dict[str, float]:
    """The steps before the rules."""
    return {
        "reading (YAML events, places, refusals)": best(
            lambda: [read_bytes(raw, path) for path, raw in raws], len(raws)
        ),
        "schema (jsonschema-rs, own formats)": best(
            lambda: [check_document(one, "incident") for one in documents], len(raws)
        ),
        "model (msgspec)": best(lambda: [to_record(one.file, one.data) for one in documents], len(raws)),
    }


def by_rule(records: list[Record], world: World) -> dict[str, float]:
    """Every rule over one record, by id."""
    checks: list[Any] = [*rules.RULES]
    return {
        rule.ID: best(lambda rule=rule: [list(rule.check(one, world)) for one in records], len(records))
        for rule in checks
    }


def main() -> None:
    """Print the costs as JSON."""
    folder = Path(sys.argv[1])
    paths = sorted(folder.glob("incidents/*/incident.yaml"))[:1_000]
    raws = [(path.relative_to(folder).as_posix(), path.read_bytes()) for path in paths]
    documents = [one for path, raw in raws if isinstance(one := read_bytes(raw, path), Document)]
    world = World(*load_policy_and_services(Store(folder, None)).require(), NOW)
    records = [to_record(one.file, one.data) for one in documents]
    print(json.dumps({"records": len(raws), "steps": steps(raws, documents), "rules": by_rule(records, world)}))


if __name__ == "__main__":
    main()
