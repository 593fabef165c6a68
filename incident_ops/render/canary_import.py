"""What an import of another tool's analysis made: the gate file, and its source line by line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from incident_ops.canary.migrate.gate import ImportedFile, ImportedGate
from incident_ops.canary.migrate.notebook import ImportLine, ImportOutcome
from incident_ops.canary.migrate.ratios import RatioAlternative
from incident_ops.records.yaml_writer import flow, to_yaml
from incident_ops.render.findings import inert, json_text
from incident_ops.render.text import fold

_SCHEMA = "# yaml-language-server: $schema=../schemas/gate.schema.json\n"
_LONGEST = 110
_ARGUMENT = re.compile(r"\{\{\s*args\.([A-Za-z0-9._-]+)\s*\}\}", re.ASCII)


def gate_text(gate: ImportedGate, file: str, left_out: Sequence[tuple[int, ImportLine]]) -> str:
    """The gate file; its first lines say where it comes from and what its source checks and it does not."""
    head = [f"From {file} ({gate.tool}, {gate.source}), by incident-ops canary import."]
    if left_out:
        head.append("Not checked by this gate, though its source does:")
        head += [f"  line {number}, {line.source}: {line.text}" for number, line in left_out]
    comments = "".join(f"# {_cut(inert(line))}\n" for line in head)
    return f"{_SCHEMA}{comments}{to_yaml(gate.data())}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


_GROUPS: dict[str, Callable[[ImportLine], bool]] = {
    "not checked by the gate": lambda line: line.weakens,
    "not the same": lambda line: line.outcome is ImportOutcome.DIFFERS,
    "not taken over": lambda line: line.outcome is ImportOutcome.REFUSED and not line.weakens,
    "the same": lambda line: line.outcome is ImportOutcome.SAME,
}


def import_report(made: ImportedFile, output: str | None, width: int) -> str:
    """The source line by line, what policy.yaml needs, alternatives, and the next steps."""
    gate = made.gate
    target = output or "the gate below" if made.text else "no gate: nothing of it can be checked here"
    lines = [inert(f"{made.file} ({gate.tool}, {gate.source}) -> {target}")]
    for title, belongs in _GROUPS.items():
        found = [(number, line) for number, line in made.lines if belongs(line)]
        if found:
            lines += ["", f"{title}:"]
            for number, line in found:
                lines += _line(made.file, number, line, width)
    lines += [*_policy(made), *_commands(gate, width), *_alternatives(gate, width)]
    if made.text:
        lines += ["", "next steps:", *(f"  {step}" for step in steps_after_import(made, output))]
    return "".join(f"{line}\n" for line in lines)


def _line(file: str, number: int, line: ImportLine, width: int) -> Iterator[str]:
    arrow = f"  ->  {line.gate}" if line.gate else ""
    yield from fold(inert(f"{PurePath(file).name}:{number}: {line.source}{arrow}"), "  ", "      ", width)
    if line.text:
        way = f" ({line.way})" if line.way else ""
        yield from fold(inert(f"{line.text}{way}"), "      ", "      ", width)


def _policy(made: ImportedFile) -> Iterator[str]:
    if not made.missing:
        return
    yield from ("", "add to policy.yaml, with your own names of variables:", "  datasources:")
    for name, block in made.missing.items():
        yield f"    {inert(name)}: {inert(flow(block))}"
        if lacking := _lacking(block):
            yield f"    # and {lacking}"
        if block.get("allow_private"):
            yield "    # allow_private: plain http, and addresses that only a runner of your own reaches"


def _lacking(block: Mapping[str, Any]) -> str:
    """What a data source needs that its source does not say."""
    if block["kind"] == "newRelic":
        return "account: the number of your account"
    return "region: that of your metrics" if block["kind"] == "cloudwatch" and "region" not in block else ""


def _commands(gate: ImportedGate, width: int) -> Iterator[str]:
    if not gate.commands():
        return
    yield from ("", "commands to write, each given as --command NAME='...':")
    for name, ran in gate.commands().items():
        yield from fold(inert(f"{name}: instead of {ran}"), "  ", "      ", width)


def _alternatives(gate: ImportedGate, width: int) -> Iterator[str]:
    for one in gate.ratios():
        text = f"{one.metric} is an error ratio. Its counts can be compared with those of the old version, as evidence"
        text += " instead of a limit on one reading: put this in its place, with warmup: 60s and steps as long as"
        text += " `incident-ops canary plan` says."
        yield ""
        yield from fold(inert(text), "", "", width)
        yield from (f"  {inert(line)}" for line in to_yaml({"metrics": [one.data]}).splitlines()[1:])
        if one.missing:
            yield from fold(one.missing, "  # ", "  # ", width)
        if new := _new_arguments(gate, one):
            yield from fold(f"add to args: {', '.join(new)}", "  # ", "  # ", width)


def _new_arguments(gate: ImportedGate, one: RatioAlternative) -> list[str]:
    known = {argument["name"] for argument in gate.spec.get("args", ())}
    return sorted({name for name in _ARGUMENT.findall(str(one.data)) if name not in known})


def steps_after_import(made: ImportedFile, output: str | None) -> list[str]:
    """The commands that come next."""
    where = shlex.quote(inert(output or f"gates/{made.gate.name}.yaml"))
    gave = [one["name"] for one in made.gate.spec.get("args", ()) if "value" not in one]
    words = "".join(f" --arg {name}=..." for name in gave)
    words += "".join(f" --command {name}='...'" for name in made.gate.commands())
    first = [] if output else [f"incident-ops canary import {shlex.quote(inert(made.file))} -o {where}"]
    return [*first, f"incident-ops canary validate {where}", f"incident-ops canary probe -f {where}{words}"]


def import_json(made: ImportedFile, output: str | None) -> str:
    """The same, versioned: docs/contract.md#json."""
    gate = made.gate
    data: dict[str, Any] = {
        "schema": 1,
        "source": made.file,
        "tool": gate.tool,
        "object": gate.source,
        "path": output if made.text else None,
        "gate": made.text or None,
        "is_whole": made.exit_code == 0,
        "lines": [_line_data(number, line) for number, line in made.lines],
        "datasources": dict(made.missing),
        "commands": gate.commands(),
        "alternatives": [
            {"metric": one.metric, "yaml": to_yaml({"metrics": [one.data]}), "missing": one.missing or None}
            for one in gate.ratios()
        ],
        "next_steps": steps_after_import(made, output) if made.text else [],
    }
    return json_text(data)


def _line_data(number: int, line: ImportLine) -> dict[str, Any]:
    return {
        "line": number,
        "outcome": line.outcome.value,
        "weakens": line.weakens,
        "source": line.source,
        "gate": line.gate or None,
        "text": line.text or None,
        "way": line.way or None,
    }
