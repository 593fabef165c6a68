"""The settings of an editor, with our schemas: they go in as text, so that the rest of the file keeps its layout."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

KEY = "yaml.schemas"
_BY_HAND = f"add the schemas under {KEY} yourself, or rely on the comment on each record's first line"


def with_schemas(now: bytes, schemas: Mapping[str, list[str]]) -> bytes | str:
    """The settings with the schemas that they do not name yet, or why they must not be changed.

    Only plain JSON is changed, and only where reading the result gives exactly the intended settings.
    """
    try:
        text = now.decode()
        data = json.loads(text)
    except ValueError:
        return f"it is not plain JSON; {_BY_HAND}"
    named = data.get(KEY, {}) if isinstance(data, dict) else None
    if not isinstance(named, dict):
        return f"it is not an object of settings; {_BY_HAND}"
    missing = {name: globs for name, globs in schemas.items() if name not in named}
    if not missing:
        return now
    result = _spliced(text, missing, has_key=KEY in data, is_empty=not (named if KEY in data else data))
    if _parsed(result) != {**data, KEY: {**missing, **named}}:
        return _BY_HAND
    return result.encode()


def _spliced(text: str, missing: Mapping[str, list[str]], *, has_key: bool, is_empty: bool) -> str:
    """The text with the missing schemas right after the opening brace of their object."""
    brace = re.search(r'"yaml\.schemas"\s*:\s*\{' if has_key else r"\{", text)
    if brace is None:
        return ""
    end = "\r\n" if "\r\n" in text else "\n"
    body = f",{end}".join(f"    {json.dumps(name)}: {json.dumps(globs)}" for name, globs in missing.items())
    if not has_key:
        body = f'  "{KEY}": {{{end}{body}{end}  }}'
    rest = text[brace.end() :]
    on_one_line = not rest.lstrip(" \t").startswith(("\r", "\n"))
    if is_empty:
        after = f"{end}{'  ' if has_key else ''}" if on_one_line else ""
    else:
        after = f",{end}" if on_one_line else ","
    return f"{text[: brace.end()]}{end}{body}{after}{rest}"


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
