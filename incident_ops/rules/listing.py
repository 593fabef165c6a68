"""The rules of a folder: a file there that has an ID is a rule, and nothing else names it."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType


def rule_modules(package: str, folders: Iterable[str]) -> tuple[ModuleType, ...]:
    """The modules of a package that are rules, by name; folders below it list their own."""
    names = sorted(module.name for module in iter_modules(folders) if not module.ispkg)
    modules = [import_module(f"{package}.{name}") for name in names]
    return tuple(module for module in modules if hasattr(module, "ID"))
