"""Worked repositories, and what the command line makes of them: files under tests/house/keys, one of them changed."""

from __future__ import annotations

import contextlib
import io
import shutil
from collections import UserDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from incident_ops.adapters.metrics.connect import connect
from incident_ops.cli.main import cli
from incident_ops.records.policy import preset, resolve_policy
from incident_ops.records.yaml_reader import read_yaml
from incident_ops.records.yaml_writer import to_yaml
from tests.cli.canary_scene import Clock, Source

AT = "2025-01-26T14:00:00Z"
Output = tuple[str, ...]


class Worked:
    """A repository of records in a folder of its own, and what commands print and write there."""

    def __init__(self, source: Path, into: Path) -> None:
        self.root = into
        shutil.copytree(source, into)
        for path in into.rglob("*.yaml"):
            path.write_text(to_yaml(self.data(path)), encoding="utf-8")
        self.files = self._read()
        self._unchanged: dict[Output, str] = {}

    def data(self, path: Path) -> Any:
        """What stands in a file; of a policy, with the values of its preset."""
        found = read_yaml(path.read_text(encoding="utf-8"), path.name)
        assert not isinstance(found, list), found
        return resolve_policy(found.data, preset(found.data["extends"])) if path.name == "policy.yaml" else found.data

    def unchanged(self, output: Output) -> str:
        """What a command prints and writes as long as no file is changed."""
        if output not in self._unchanged:
            self._unchanged[output] = self.run(output)
        return self._unchanged[output]

    @contextlib.contextmanager
    def changed(self, file: str, text: str) -> Iterator[None]:
        """One file has another text."""
        kept, self.files = self.files, {**self.files, self.root / file: text}
        (self.root / file).write_text(text, encoding="utf-8")
        try:
            yield
        finally:
            self.files = kept
            (self.root / file).write_text(kept[self.root / file], encoding="utf-8")

    def run(self, output: Output) -> str:
        """What a command prints and writes, with its exit code; what it wrote is taken back."""
        out = io.StringIO()
        at = () if output[:2] == ("canary", "run") else ("--at", AT)  # a live run goes by its own clock
        with contextlib.ExitStack() as scene:
            scene.enter_context(contextlib.chdir(self.root))
            scene.enter_context(contextlib.redirect_stdout(out))
            scene.enter_context(contextlib.redirect_stderr(out))
            scene.enter_context(mock.patch("incident_ops.app.canary_run.Ticking", Clock))
            scene.enter_context(mock.patch("incident_ops.app.canary_run.connect", _connected(out)))
            try:
                code = cli.main([*at, *output], standalone_mode=False, obj={})
            except Exception as error:
                code = f"{type(error).__name__}: {error}"
        return f"{out.getvalue()}{code}\n{self._taken_back()}"

    def _read(self) -> dict[Path, str]:
        return {path: path.read_text(encoding="utf-8") for path in sorted(self.root.rglob("*")) if path.is_file()}

    def _taken_back(self) -> str:
        written = {path: text for path, text in self._read().items() if text != self.files.get(path)}
        for path in written:
            if path in self.files:
                path.write_text(self.files[path], encoding="utf-8")
            else:
                path.unlink()
        for folder in sorted(self.root.rglob("*/"), reverse=True):
            if not any(folder.iterdir()):
                folder.rmdir()
        return "".join(f"{path.relative_to(self.root)}\n{text}" for path, text in written.items())


class _Secrets(UserDict[str, str]):
    """Every variable of the environment is set."""

    def get(self, key: str, default: Any = None) -> Any:
        return f"https://{key.replace('_', '-').lower()}.example"


def _connected(out: io.StringIO) -> Callable[..., Source]:
    """Stands in for a metric source; how the real one is set up, address and headers, is printed."""

    def stand_in(*given: Any, **named: Any) -> Source:
        out.write(_told(connect(*given[:2], _Secrets(), *given[3:], **named)))
        return Source()

    return stand_in


def _told(value: Any) -> str:
    inner = getattr(value, "__dict__", None)
    if not type(value).__module__.startswith("incident_ops") or inner is None:
        return "" if callable(value) else repr(value)
    return f"{type(value).__name__}({', '.join(f'{name}={_told(part)}' for name, part in inner.items())})"
