"""A Python in which packages of others are not installed."""

from __future__ import annotations

import sys

import pytest


def without(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    """Nothing can import these packages, by their top-level names, until the test ends; nothing has yet."""
    for name in [one for one in sys.modules if one.partition(".")[0] in packages]:
        monkeypatch.delitem(sys.modules, name)

    class Absent:
        """Finds none of them."""

        def find_spec(self, name: str, *_words: object) -> None:
            """As Python says it of what is nowhere."""
            if name.partition(".")[0] in packages:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(sys, "meta_path", [Absent(), *sys.meta_path])
