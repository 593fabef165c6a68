"""How a rule says what it found: a place by route, the engine adds file, line and column."""

from __future__ import annotations

from incident_ops.findings import Finding, Level, Route, Where


def tell(rule: str, level: Level, route: Route, message: str, hint: str = "", *, on_key: bool = False) -> Finding:
    """A finding at `route` of the record under check; `on_key` points at the key instead of its value."""
    return Finding(rule, level, Where("", route, on_key=on_key), message, hint)
