"""Pictures of documents as pages: a postmortem of the examples, in a browser that is installed.

python docs/document_pictures.py [FOLDER]     writes PNG files to docs/pictures, or to FOLDER
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from issue_pictures import DESK, PHONE, ROOT, found_browser, shoot

from incident_ops.documents.html_page import html_page

GOLDENS = ROOT / "tests/render/golden"
PICTURES = (
    ("INC-20250120-102000/postmortem.md", "postmortem-desk-light", DESK, False),
    ("INC-2025-05678/incident-report.md", "incident-report-phone-dark", PHONE, True),
)


def page(document: str, *, dark: bool) -> str:
    """The page of a golden; in the dark where that is asked for, whatever this machine prefers."""
    text = html_page((GOLDENS / document).read_text(encoding="utf-8"), lambda _name: None)
    text = re.sub(r"<meta http-equiv=[^>]*>\n", "", text)
    return text.replace("@media (prefers-color-scheme: dark)", "@media all" if dark else "@media not all")


def main() -> None:
    """Writes every picture; ends with a message where the browser is missing."""
    browser = found_browser()
    into = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/pictures"
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for document, name, size, dark in PICTURES:
            source = Path(folder) / "page.html"
            source.write_text(page(document, dark=dark), encoding="utf-8")
            shoot(browser, source, into / f"{name}.png", size)


if __name__ == "__main__":
    main()
