"""The settings block of an incident coordinator agent -> a policy.yaml that says only what differs."""

from __future__ import annotations

import json
import re
from typing import Any, cast

from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean
from incident_ops.records.policy import Data, preset
from incident_ops.records.yaml_writer import to_yaml

PRESET = "sev0-3"
KEYS = ("enabled", "auto_create_incident_channel", "severity_levels", "notification_channels", "postmortem_required")

_CHANNEL = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)


def import_block(json_text: str) -> str:
    """JSON text with `agents.incident_coordinator` -> policy.yaml text that extends sev0-3 and holds only the
    differences. UserError for what it does not know: nothing is dropped silently. Other agents are ignored."""
    block = _block(json_text)
    base = preset(PRESET)
    levels = {level["id"]: level for level in base["levels"]}
    _check_levels(block, list(levels))
    channels = _channels(block, list(levels))
    own: dict[str, Any] = {"extends": PRESET}
    if not _flag(block, "enabled", True):
        own["mode"] = "observe"
    if changes := _level_changes(block, levels, channels):
        own["levels"] = changes
    if notify := _notify_changes(block, base["notify"], channels):
        own["notify"] = notify
    return to_yaml(own)


def _level_changes(block: Data, levels: dict[str, Data], channels: dict[str, list[str]]) -> list[Data]:
    required = {label for label in levels if levels[label]["postmortem"]["required"]}
    wanted = set(_labels(block, "postmortem_required", list(levels))) if "postmortem_required" in block else required
    changes = []
    for label, level in levels.items():
        change: Data = {}
        if channels.get(label, level["channels"]) != level["channels"]:
            change["channels"] = channels[label]
        if (label in wanted) != (label in required):
            change["postmortem"] = {"required": label in wanted}
        if change:
            changes.append({"id": label, **change})
    return changes


def _notify_changes(block: Data, base: Data, channels: dict[str, list[str]]) -> Data:
    known, create = base["channels"], base["incident_channel"]["create"]
    named = list(dict.fromkeys(name for names in channels.values() for name in names if name not in known))
    changes: Data = {"channels": [*known, *named]} if named else {}
    if _flag(block, "auto_create_incident_channel", create) != create:
        changes["incident_channel"] = {"create": not create}
    return changes


def _block(json_text: str) -> Data:
    try:
        data = json.loads(json_text)
    except ValueError as error:
        place = f"line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise UserError(
            f"this is not JSON: {error.args[0].partition(':')[0]}", where=place, hint="pass the whole settings file"
        ) from None
    except RecursionError:
        raise UserError("this JSON is nested too deeply", hint="pass the settings file") from None
    agents = data.get("agents") if isinstance(data, dict) else None
    block = agents.get("incident_coordinator") if isinstance(agents, dict) else None
    if not isinstance(block, dict):
        raise UserError("the JSON has no block agents.incident_coordinator", hint="pass the whole settings file")
    for key in block:
        if key not in KEYS:
            raise UserError(f"agents.incident_coordinator has the unknown key {key!r}", hint=did_you_mean(key, KEYS))
    return cast("Data", block)


def _flag(block: Data, key: str, default: bool) -> bool:
    value = block.get(key, default)
    if not isinstance(value, bool):
        raise UserError(f"{key} is {value!r}", hint="write true or false")
    return value


def _labels(block: Data, key: str, levels: list[str]) -> list[str]:
    value = block[key]
    if not isinstance(value, list):
        raise UserError(f"{key} is {value!r}", hint=f"write a list of levels out of {', '.join(levels)}")
    for label in value:
        _known(label, key, levels)
    return value


def _known(label: object, key: str, levels: list[str]) -> None:
    if label not in levels:
        raise UserError(f"{key} names the unknown level {label!r}", hint=did_you_mean(label, levels))


def _check_levels(block: Data, levels: list[str]) -> None:
    if "severity_levels" not in block:
        return
    named = _labels(block, "severity_levels", levels)
    missing = [label for label in levels if label not in named]
    if missing:
        raise UserError(
            f"severity_levels leaves out {', '.join(missing)}",
            hint=f"scheme {PRESET} has {', '.join(levels)}; name all of them",
        )


def _channels(block: Data, levels: list[str]) -> dict[str, list[str]]:
    table = block.get("notification_channels", {})
    if not isinstance(table, dict):
        raise UserError(
            f"notification_channels is {table!r}", hint='write a map of levels to lists, e.g. {"SEV0": ["slack"]}'
        )
    for label, names in table.items():
        _known(label, "notification_channels", levels)
        if not isinstance(names, list):
            raise UserError(f"notification_channels.{label} is {names!r}", hint="write a list; an empty one for none")
        for name in names:
            if not isinstance(name, str) or not _CHANNEL.fullmatch(name):
                raise UserError(
                    f"notification_channels.{label} names the channel {name!r}",
                    hint="write a short name in lower case, e.g. slack",
                )
    return table
