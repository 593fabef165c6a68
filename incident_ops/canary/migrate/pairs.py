"""Which arguments of a Rollout mean the new version, and which the old one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Pairs = list[tuple[re.Pattern[str], str]]


def pairs_of_arguments(data: Any) -> Pairs:
    """(an argument in a query, what stands there for the old version), by the hashes of the pods that they are for."""
    hashes = dict(_hashes(data))
    new, old = ([name for name, which in hashes.items() if which == one] for one in ("Latest", "Stable"))
    return [(_place(name), f"{{{{args.{old[0] if old else 'stable-hash'}}}}}") for name in new]


def _place(name: str) -> re.Pattern[str]:
    return re.compile(rf"\{{\{{\s*args\.{re.escape(name)}\s*\}}\}}", re.ASCII)


def _hashes(data: Any) -> Iterator[tuple[str, str]]:
    todo = [data]
    while todo:
        one = todo.pop()
        if isinstance(one, Mapping):
            source = one.get("valueFrom")
            if isinstance(source, Mapping) and isinstance(one.get("name"), str):
                yield one["name"], str(source.get("podTemplateHashValue"))
            todo += one.values()
        elif isinstance(one, list):
            todo += one
