"""A canary run and the gate's question as plain functions: values in, values out, nothing printed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pytest

from incident_ops.app.canary_run import CanaryRequest, run_canary
from incident_ops.app.gate_check import GateRequest, check_gate
from incident_ops.app.workspace import open_workspace
from incident_ops.canary.config import Analysis
from incident_ops.canary.run import Run
from incident_ops.canary.verdict import JoinedVerdict
from incident_ops.errors import UserError
from tests.cli.canary_scene import POLICY, Source, gate, stage, write
from tests.cli.scene import Folder

VALUE = "{{args.version}}"
ASKS = gate(args="[{name: version, value: 'a b'}]").replace(
    "errors: canary_errors", f"""errors: 'errors{{version="{VALUE}"}}'"""
)


class Watcher:
    """Keeps what a run shows."""

    def __init__(self) -> None:
        self.ticks, self.notes, self.is_open = 0, list[str](), False

    def __enter__(self) -> Self:
        self.is_open = True
        return self

    def __exit__(self, *error: object) -> None:
        self.is_open = False

    def show(self, analysis: Analysis, run: Run, joined: JoinedVerdict) -> None:
        assert self.is_open
        self.ticks += 1

    def note(self, text: str) -> None:
        self.notes.append(text)

    @contextmanager
    def paused(self) -> Iterator[None]:
        yield


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A repository with a data source, outside any workflow."""
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    folder = Folder(tmp_path / "repo", policy=POLICY)
    folder.commit()
    return folder


def test_a_run_is_a_call_that_prints_nothing(
    here: Folder, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The verdict is the value; who watches was handed in."""
    stage(monkeypatch, Source(5.0))
    here.put("INC-1", severity="SEV3", services=["api"])
    workspace = open_workspace({"repo": str(here.path), "rev": None, "at": None})
    watcher = Watcher()
    file = str(here.path / write(here.path, gate()))
    outcome = run_canary(workspace, CanaryRequest(file), watcher)
    assert (outcome.verdict, outcome.reason_code, outcome.exit_code) == ("fail", "error_rate", 1)
    assert (watcher.ticks > 1, watcher.notes, watcher.is_open) == (True, [], False)
    assert check_gate(workspace, GateRequest("api")).verdict == "pass"
    assert capfd.readouterr() == ("", "")


def test_a_held_service_is_the_outcome_before_anything_is_measured(
    here: Folder, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The run asks the gate and takes its verdict as it is: what holds, and nothing is shown of a run."""
    source = Source()
    stage(monkeypatch, source)
    here.put("INC-1", severity="SEV0", services=["api"])
    here.commit()
    workspace = open_workspace({"repo": str(here.path), "rev": None, "at": None})
    watcher = Watcher()
    file = str(here.path / write(here.path, gate()))
    outcome = run_canary(workspace, CanaryRequest(file, service="api"), watcher)
    held = check_gate(workspace, GateRequest("api"))
    assert (outcome.verdict, outcome.reason_code) == (held.verdict, held.reason_code) == ("frozen", "open_incident")
    assert (outcome.incident_ids, held.incident_ids) == (("INC-1",), ["INC-1"])
    assert (source.asked, watcher.ticks) == ([], 0)
    assert capfd.readouterr() == ("", "")


def test_the_source_says_how_a_value_is_written_into_its_queries(here: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """In PromQL a value is a string literal; where the source speaks another language only plain words are let in."""
    source = Source()
    stage(monkeypatch, source)
    workspace = open_workspace({"repo": str(here.path), "rev": None, "at": None})
    file = str(here.path / write(here.path, ASKS))
    source.answers = {'errors{version="a b"}': lambda at: 1.0}
    run_canary(workspace, CanaryRequest(file), Watcher())
    assert 'errors{version="a b"}' in {query for query, _ in source.asked}
    source.is_promql = False
    with pytest.raises(UserError, match="not allowed in a query"):
        run_canary(workspace, CanaryRequest(file), Watcher())
