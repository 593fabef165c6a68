"""Settings every test shares: no network, a fixed environment, and in CI no test left out."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.support.standin import Standin


ROOT = Path(__file__).resolve().parent.parent
NO_SKIP = os.environ.get("INCIDENT_OPS_NO_SKIP") == "1"
MAY_SKIP = "conformance folder absent"

settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "ci", deadline=None, derandomize=True, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("INCIDENT_OPS_HYPOTHESIS", "dev"))


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if NO_SKIP and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not reason.removeprefix("Skipped: ").startswith(MAY_SKIP):
            report.outcome = "failed"
            report.longrepr = f"{report.nodeid} was left out where no test may be: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where skips are forbidden, a skipped test is a failed one, unless its reason is the allowed one."""
    report = yield
    _forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file that leaves itself out."""
    report = yield
    _forbid_skip(report)
    return report


@pytest.fixture(autouse=True)
def _steady_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No person's git settings, colours or GitHub variables leak into a test."""
    for name in list(os.environ):
        if name.startswith(("GITHUB_", "GH_", "INCIDENT_OPS_CHANNEL_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "tester")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tester@example.invalid")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture(scope="session")
def running_standin() -> Generator[Standin, None, None]:
    """The stand-in for GitHub, started once for each process of the tests."""
    from tests.support.standin import standin

    with standin() as running:
        yield running


@pytest.fixture
def github(running_standin: Standin) -> Generator[Standin, None, None]:
    """A running stand-in for GitHub; what our client and it said to each other must be as GitHub describes it."""
    from tests.github.gate import Gate, gated

    with gated(Gate(), running_standin.url) as gate:
        yield running_standin
    gate.must_be_clean()


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def python() -> str:
    """The interpreter that runs the tests, for tests of whole processes."""
    return sys.executable
