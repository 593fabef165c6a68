"""Worked repositories, and what the command line makes of them: files under tests/house/keys, one of them changed."""

from __future__ import annotations

import contextlib
import io
import math
import shutil
from collections import UserDict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from incident_ops.adapters.metrics.connect import connect
from incident_ops.cli.main import cli
from incident_ops.domain.notification import Message
from incident_ops.domain.ports import Tick
from incident_ops.records.policy import load_policy, preset, resolve_policy
from incident_ops.records.yaml_reader import read_yaml
from incident_ops.records.yaml_writer import to_yaml
from tests.cli.canary_scene import Clock, Source, broken

AT = "2025-01-26T14:00:00Z"
Output = tuple[str, ...]
loaded = cache(load_policy)
"""One text is read once, whatever number of commands run on it."""


class Worked:
    """A repository of records in a folder of its own, and what commands print and write there."""

    def __init__(self, source: Path, into: Path) -> None:
        self.root = into
        shutil.copytree(source, into)
        for path in into.rglob("*.yaml"):
            path.write_text(to_yaml(self.data(path)), encoding="utf-8")
        self.files = self._read()
        self.parsed = {path: self.data(path) for path in self.files if path.suffix == ".yaml"}
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
        out, asked = io.StringIO(), set[str]()
        at = () if output[:2] == ("canary", "run") else ("--at", AT)  # a live run goes by its own clock
        with contextlib.ExitStack() as scene:
            scene.enter_context(contextlib.chdir(self.root))
            scene.enter_context(contextlib.redirect_stdout(out))
            scene.enter_context(contextlib.redirect_stderr(out))
            scene.enter_context(mock.patch("os.fsync"))
            scene.enter_context(mock.patch("incident_ops.records.policy.load_policy", loaded))
            scene.enter_context(mock.patch("incident_ops.app.notify.notifiers", return_value=lambda _: _Printed(out)))
            scene.enter_context(mock.patch("incident_ops.app.canary_run.Ticking", Clock))
            scene.enter_context(mock.patch("incident_ops.app.canary_sources.connect", _connected(out, asked)))
            scene.enter_context(mock.patch("google.auth.default", lambda scopes: (f"allowed to {scopes}", None)))
            try:
                code = cli.main([*at, *output], standalone_mode=False, obj={})
            except Exception as error:
                code = f"{type(error).__name__}: {error}"
        queries = "".join(f"asked: {query}\n" for query in sorted(asked))
        return f"{out.getvalue()}{code}\n{queries}{self._taken_back()}"

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
        if key.endswith("_USER"):
            return "gate"  # a user is no address
        return f"https://{key.replace('_', '-').lower()}.example"


def _connected(out: io.StringIO, asked: set[str]) -> Callable[..., Source]:
    """Stands in for a metric source; how the real one is set up, address and headers, is printed."""

    def stand_in(*given: Any, **named: Any) -> Source:
        unasked = {**named, "is_checked": False}  # nobody knows these hosts
        out.write(_told(connect(*given[:2], _Secrets(), *given[3:], **unasked)))
        return _Listening(asked)

    return stand_in


class _Listening(Source):
    """A source that gives no answer to `/broken`, no number to `/silent`, and keeps what it was asked."""

    def __init__(self, asked: set[str]) -> None:
        super().__init__()
        self.answers = {"/broken": broken, "/silent": lambda _: math.nan}
        self.queries = asked

    def _answer(self, query: str, tick: Tick) -> Any:
        self.queries.add(query)
        return super()._answer(query, tick)


class _Printed(NamedTuple):
    """A channel that prints what it is given."""

    out: io.StringIO

    def send(self, message: Message) -> None:
        self.out.write(f"to {message.channel}: {message.subject}\n{message.text}\n")


def _told(value: Any) -> str:
    inner = getattr(value, "__dict__", None)
    if not type(value).__module__.startswith("incident_ops") or inner is None:
        return "" if callable(value) else repr(value)
    return f"{type(value).__name__}({', '.join(f'{name}={_told(part)}' for name, part in inner.items())})"
