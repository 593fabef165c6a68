"""Settings every test shares: no network, a fixed environment, and in CI no test left out."""

from __future__ import annotations

import datetime
import os
import signal
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.support import laws

if TYPE_CHECKING:
    from incident_ops.adapters.git_remote import Remote
    from tests.support.http_sink import HttpSink
    from tests.support.origin import Origin
    from tests.support.repository import Repo
    from tests.support.scripted_server import ScriptedServer
    from tests.support.standin import Standin


ROOT = Path(__file__).resolve().parent.parent
NO_SKIP = os.environ.get("INCIDENT_OPS_NO_SKIP") == "1"
MAY_SKIP = "conformance folder absent"

settings.register_profile(
    "repeatable", deadline=None, derandomize=True, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--laws-page PAGE`: where `make laws` writes what it went through."""
    parser.addoption("--laws-page", type=Path, help="write the result of the laws between the markers of this page")


def pytest_configure(config: pytest.Config) -> None:
    """The mark of a law, and a run that its tests can interrupt.

    A shell that starts a job in the background makes it ignore SIGINT, and so would all that the tests start.
    """
    config.addinivalue_line(
        "markers", "law(name, part, ran, whole): runs cells of a long law; bare: counted on the way"
    )
    config.addinivalue_line("markers", "slow: takes so long that only continuous integration and `make laws` run it")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def leaves_slow_out(config: pytest.Config) -> bool:
    """Whether this run is a sample, and not one that asks for a mark by itself."""
    return laws.SHARE == "sample" and not config.option.markexpr


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A sample leaves the slow tests to continuous integration."""
    if leaves_slow_out(config):
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """What a law went through is part of its report."""
    item.user_properties += [laws.cells_run(*mark.args) for mark in item.iter_markers("law") if mark.args]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says what was left out of the laws, and writes the page where that is asked for."""
    stats = terminalreporter.stats
    reports = [report for report in stats.get("passed", []) + stats.get("failed", []) if report.when == "call"]
    found = laws.tallies(reports)
    if leaves_slow_out(config):
        terminalreporter.write_line("slow tests: left to .ci/run (`-m slow` runs them here)")
    for line in laws.summary(found):
        terminalreporter.write_line(line)
    if found and (page := config.getoption("--laws-page")):
        laws.write(page, found, datetime.datetime.now(datetime.UTC).date())


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


LEAKING = ("GITHUB_", "GH_", "GIT_", "INCIDENT_OPS_", "XDG_", "LC_", "PYTHONWARNINGS", "PYTHONHASHSEED")
COLOURS = ("FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLORTERM", "COLUMNS", "LINES", "LANGUAGE")
OURS = ("INCIDENT_OPS_CONFORMANCE", "INCIDENT_OPS_LAWS", "INCIDENT_OPS_NO_SKIP")


@pytest.fixture(scope="session", autouse=True)
def _steady_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No person's git settings, home, language, colours, terminal or GitHub variables leak into a test or a fixture."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if (name.startswith(LEAKING) and name not in OURS) or name in COLOURS:
                patch.delenv(name)
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("LANG", "C.UTF-8")
        patch.setenv("TERM", "dumb")
        patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        patch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "tester")
            patch.setenv(f"GIT_{role}_EMAIL", "tester@example.invalid")
        patch.setenv("NO_COLOR", "1")
        yield


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


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    """A bare repository that stands for the remote."""
    from tests.support.origin import Origin

    return Origin(tmp_path)


@pytest.fixture
def clone(origin: Origin) -> Repo:
    """A clone of it."""
    return origin.clone()


@pytest.fixture
def remote(origin: Origin) -> Remote:
    """The remote as our program sees it from a clone."""
    from tests.support.origin import remote_of

    return remote_of(origin.clone())


@pytest.fixture
def sink() -> Iterator[HttpSink]:
    """A server on this machine that takes notices."""
    from tests.support.http_sink import http_sink

    with http_sink() as running:
        yield running


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server on this machine whose answers a test writes."""
    from tests.support.scripted_server import scripted_server

    with scripted_server() as running:
        yield running


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def python() -> str:
    """The interpreter that runs the tests, for tests of whole processes."""
    return sys.executable
