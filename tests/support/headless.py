"""Chromium without a window: what a page of ours, or of another's program, comes to there."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

READERS = Path(__file__).resolve().parents[1] / "documents_reader"


def reader(path: str) -> Path:
    """A file of the programs that read documents; the test is left out where they are not installed."""
    if not (READERS / "node_modules").is_dir():
        pytest.skip("tests/documents_reader has no node_modules: `make test` installs them where npm is")
    return READERS / "node_modules" / path


def read_page(page: Path, *, dark: bool = False) -> Any:
    """What the script of a page leaves in its `pre`, as JSON."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no browser is installed")
    words = [
        *(browser, "--headless", "--disable-gpu", "--no-first-run", f"--user-data-dir={page.parent}/profile"),
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
        *(["--blink-settings=preferredColorScheme=0"] if dark else []),
        *("--virtual-time-budget=120000", "--dump-dom", page.as_uri()),
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=180, check=True)
    found = re.search(r"<pre>(.*?)</pre>", done.stdout, re.DOTALL)
    assert found, done.stdout[-2_000:]
    return json.loads(html.unescape(found[1]))
