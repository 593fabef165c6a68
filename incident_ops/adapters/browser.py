"""A browser that prints pages: Chromium or Chrome, as it is installed here."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from incident_ops.adapters.processes import one_line, run
from incident_ops.errors import Incomplete, UserError

BROWSER_VARIABLE = "INCIDENT_OPS_BROWSER"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_SECONDS = 60.0


def print_page(page: Path) -> bytes:
    """The PDF of an HTML file, A4. UserError where no browser is found, Incomplete where it does not print."""
    browser = _browser()
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "page.pdf"
        words = [
            *(browser, "--headless", "--disable-gpu", "--no-first-run", "--no-pdf-header-footer"),
            *(f"--user-data-dir={folder}/profile", f"--print-to-pdf={target}", *_when_root(), page.resolve().as_uri()),
        ]
        ran = run(words, os.environ, _SECONDS)
        content = target.read_bytes() if target.is_file() else b""
        if ran.code != 0 or not content.startswith(b"%PDF"):
            late = f"it took longer than {_SECONDS:g} s" if ran.code is None else "it wrote no PDF"
            reason = one_line(ran.stderr.decode("utf-8", "replace")) or late
            raise Incomplete(f"{Path(browser).name} did not print {page.name}: {reason}")
        return content


def _browser() -> str:
    wanted = os.environ.get(BROWSER_VARIABLE)
    found = next(filter(None, map(shutil.which, [wanted] if wanted else _NAMES)), None)
    if found is None and wanted:
        reason = f"{BROWSER_VARIABLE} names {wanted}, and that is not a program here"
        raise UserError(reason, hint="set it to the path of a Chromium or Chrome, or unset it and install chromium")
    if found is None:
        hint = f"install chromium, or set {BROWSER_VARIABLE} to a Chromium or Chrome; or --format html, and print that"
        raise UserError("a PDF needs a browser, and none was found", hint=hint)
    return found


def _when_root() -> list[str]:
    """Chromium refuses its sandbox to the superuser; the page has no script and loads nothing."""
    return ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
