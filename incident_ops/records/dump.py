"""Data -> YAML text in the shape records have: block style, one value a line, the data's own order."""

from __future__ import annotations

import re
from typing import Any

import yaml


class _Block(yaml.SafeDumper):
    """Quotes every text that a YAML 1.1 or 1.2 reader could take for something else."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True

    def check_simple_key(self) -> bool:
        # PyYAML writes `? key` for the empty key, for keys over 128 characters and for those with line breaks (which
        # `_text` has escaped); our reader refuses that form
        return bool(super().check_simple_key()) or isinstance(self.event, yaml.ScalarEvent)


_NUMBER = re.compile(
    r"[-+]?(?:0o[0-7]+|[0-9_]+(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9_]+(?:[eE][-+]?[0-9]+)?)", re.ASCII
)
# PyYAML's own resolver is YAML 1.1, which takes 1e3 and 0o17 for text; our reader does not
_Block.add_implicit_resolver(
    "tag:yaml.org,2002:number", re.compile(f"^(?:{_NUMBER.pattern})$", re.ASCII), list("-+.0123456789")
)


def _text(dumper: _Block, text: str) -> yaml.ScalarNode:
    # line breaks of any kind are escaped: in other styles readers fold them
    style = '"' if _BREAKS.intersection(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_BREAKS = frozenset("\n\r\x85\u2028\u2029")
_Block.add_representer(str, _text)


def dump(data: dict[str, Any]) -> str:
    """Data of JSON's types as YAML that `incident_ops.records.read.read` reads back to equal data, and whose lines can
    be compared in a review."""
    return yaml.dump(data, Dumper=_Block, sort_keys=False, default_flow_style=False, allow_unicode=True, width=10**6)
