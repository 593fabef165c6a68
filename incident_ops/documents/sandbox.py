"""The sandbox in which templates are rendered: nothing in them changes a value, or reaches what is inside Python."""

from __future__ import annotations

from typing import Any

from jinja2.sandbox import ImmutableSandboxedEnvironment


class Sandbox(ImmutableSandboxedEnvironment):
    """The library's, which judges each attribute of each value; by its type and name, so each pair is judged once."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._judged: dict[tuple[type, str], bool] = {}

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """As the library says of the first value of this type."""
        pair = (type(obj), attr)
        if pair not in self._judged:
            self._judged[pair] = super().is_safe_attribute(obj, attr, value)
        return self._judged[pair]
