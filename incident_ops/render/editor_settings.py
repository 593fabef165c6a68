"""An editor's settings with our schemas put in as text, so that all else in the file keeps its shape."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

KEY = "yaml.schemas"
_BY_HAND = f"name the schemas under {KEY} yourself, or trust the comment on each record's first line"


def with_schemas(now: bytes, schemas: Mapping[str, list[str]]) -> bytes | str:
    """The settings with the schemas that they do not name yet, or why they must be left alone.

    Only plain JSON is changed, and only where reading the result gives exactly what was meant.
    """
    try:
        text = now.decode()
        data = json.loads(text)
    except ValueError:
        return f"it is no plain JSON; {_BY_HAND}"
    there = data.get(KEY, {}) if isinstance(data, dict) else None
    if not isinstance(there, dict):
        return f"it is not what an editor's settings are; {_BY_HAND}"
    missing = {name: globs for name, globs in schemas.items() if name not in there}
    if not missing:
        return now
    made = _spliced(text, missing, has_key=KEY in data, is_empty=not (there if KEY in data else data))
    if _parsed(made) != {**data, KEY: {**missing, **there}}:
        return _BY_HAND
    return made.encode()


def _spliced(text: str, missing: Mapping[str, list[str]], *, has_key: bool, is_empty: bool) -> str:
    """The text with the missing schemas right behind the brace that opens their place."""
    opening = re.search(r'"yaml\.schemas"\s*:\s*\{' if has_key else r"\{", text)
    if opening is None:
        return ""
    end = "\r\n" if "\r\n" in text else "\n"
    body = f",{end}".join(f"    {json.dumps(name)}: {json.dumps(globs)}" for name, globs in missing.items())
    if not has_key:
        body = f'  "{KEY}": {{{end}{body}{end}  }}'
    rest = text[opening.end() :]
    on_one_line = not rest.lstrip(" \t").startswith(("\r", "\n"))
    if is_empty:
        after = f"{end}{'  ' if has_key else ''}" if on_one_line else ""
    else:
        after = f",{end}" if on_one_line else ","
    return f"{text[: opening.end()]}{end}{body}{after}{rest}"


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
