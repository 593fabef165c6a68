"""Pictures of issues as GitHub shows them: a GFM library, GitHub's stylesheet, and a browser that is installed.

    python docs/issue_pictures.py [FOLDER]     writes PNG files to docs/pictures, or to FOLDER

The scenes are those of the goldens in tests/render/issues.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import cmarkgfm
from cmarkgfm.cmark import Options

ROOT = Path(__file__).parents[1]
SCENES, STYLES = ROOT / "tests/render/issues", ROOT / "tests/pictures/node_modules/github-markdown-css"
EXTENSIONS = ["table", "autolink", "strikethrough", "tagfilter", "tasklist"]
COLOURS = {"light": ("#ffffff", "#d1d9e0"), "dark": ("#0d1117", "#3d444d")}
PHONE, DESK = (390, 844), (1280, 1000)
_PAGE = """<!doctype html><meta charset="utf-8"><style>{css}
body {{ margin: 0; background: {page} }}
main {{ max-width: 860px; margin: 8px auto; padding: 0 8px }}
.markdown-body {{ font-size: 14px; padding: 16px; border: 1px solid {line}; border-radius: 6px }}
</style><main><div class="markdown-body">{html}</div></main>"""


class Picture(NamedTuple):
    """A scene on a screen: its width and height in pixels, in the light or the dark."""

    scene: str
    size: tuple[int, int]
    mode: str

    @property
    def file(self) -> str:
        """`sev0-open-phone-light.png`."""
        return f"{self.scene}-{'phone' if self.size == PHONE else 'desk'}-{self.mode}.png"


PICTURES = (
    Picture("sev0-open", PHONE, "light"),
    Picture("itil-open", DESK, "dark"),
    Picture("sev0-resolved", PHONE, "dark"),
    Picture("sev0-item", PHONE, "light"),
)


def page(markdown: str, mode: str) -> str:
    """The HTML page of an issue's text, with numbers as links and boxes that can be ticked, as on GitHub."""
    options = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_HARDBREAKS
    html = cmarkgfm.markdown_to_html_with_extensions(markdown, options=options, extensions=EXTENSIONS)
    html = re.sub(r"(?<![\w&/#])#(\d+)", r'<a href="#">#\1</a>', html).replace(' disabled=""', "")
    html = html.replace("<li><input type", '<li class="task-list-item"><input class="task-list-item-checkbox" type')
    css = (STYLES / f"github-markdown-{mode}.css").read_text(encoding="utf-8")
    colour, line = COLOURS[mode]
    return _PAGE.format(css=css, page=colour, line=line, html=html)


def found_browser() -> str:
    """The browser of this machine; ends with a message where there is none."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return browser or sys.exit("needed: chromium (apt-get install chromium)")


def shoot(browser: str, source: Path, into: Path, size: tuple[int, int]) -> None:
    """Writes what a window of that size, in pixels, shows of a page."""
    shot = [f"--screenshot={into}", f"--window-size={size[0]},{size[1]}", source.as_uri()]
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    subprocess.run([browser, *flags, *shot], check=True, capture_output=True, timeout=120)


def main() -> None:
    """Writes every picture; ends with a message where the browser or the stylesheet is missing."""
    browser = found_browser()
    if not STYLES.is_dir():
        sys.exit("needed: `npm ci` in tests/pictures")
    into = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/pictures"
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for picture in PICTURES:
            source = Path(folder) / "issue.html"
            text = (SCENES / f"{picture.scene}.md").read_text(encoding="utf-8")
            source.write_text(page(text, picture.mode), encoding="utf-8")
            shoot(browser, source, into / picture.file, picture.size)


if __name__ == "__main__":
    main()
