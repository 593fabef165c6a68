"""What stands at a path of the work tree that a command may write."""

from __future__ import annotations

from pathlib import Path

from incident_ops.findings import Finding
from incident_ops.records.store import is_link, read_regular
from incident_ops.records.yaml_reader import MAX_BYTES
from incident_ops.render.init import Existing


def there_at(root: Path, path: str) -> Existing:
    """What stands at a path: its bytes, nothing, or the reason why it is left alone."""
    folder = path.rpartition("/")[0]
    if folder and is_link(root, folder):
        return f"{folder} is a link, and links are not followed"
    if folder and (root / folder).exists() and not (root / folder).is_dir():
        return f"{folder} is not a folder"
    raw = read_regular(root, path)
    if isinstance(raw, Finding):
        return raw.message
    if raw is None:
        return "a folder stands there" if (root / path).is_dir() else None
    return raw if len(raw) <= MAX_BYTES else f"it has over {MAX_BYTES:,} bytes"
