"""The page of a canary run as a file; from the run's first second on it says what is known."""

from __future__ import annotations

import contextlib
from pathlib import Path

from incident_ops.adapters.files import write_text
from incident_ops.canary.replay import CanaryOutcome
from incident_ops.canary.threshold import SOURCE_TIMEOUT
from incident_ops.deploy_gate.verdict import CONFIG_ERROR, INCONCLUSIVE
from incident_ops.errors import UserError, WriteFailed
from incident_ops.render.canary_page import canary_page

_NOT_ENDED = (
    "This page is written anew when the run ends. Where it still says this, the run goes on, or was killed: then the"
    " canary may still be out, and nobody has judged it."
)


def demand_page_name(page: str | None) -> None:
    """UserError for a name that is not that of a page: something else would be written over."""
    if page is not None and not page.endswith(".html"):
        raise UserError(f"--html {page!r} names no page", hint="a file that ends in .html, e.g. canary.html")


def write_page(page: str | None, outcome: CanaryOutcome) -> None:
    """Writes the page of an outcome, where one is wanted. WriteFailed where the system refuses."""
    if page is not None:
        write_text(Path(page), canary_page(outcome))


def begin_page(page: str | None, gate: str) -> None:
    """The page of a run that has not ended: inconclusive. UserError and WriteFailed as above, before the run begins."""
    demand_page_name(page)
    write_page(page, CanaryOutcome(gate, INCONCLUSIVE, SOURCE_TIMEOUT, notes=(_NOT_ENDED,)))


def write_refused_page(page: str | None, gate: str, error: UserError) -> None:
    """The page of a run that cannot begin; without a word where that cannot be written either."""
    if page is not None and page.endswith(".html"):
        with contextlib.suppress(WriteFailed):
            write_page(page, CanaryOutcome(gate, INCONCLUSIVE, CONFIG_ERROR, notes=(str(error),)))
