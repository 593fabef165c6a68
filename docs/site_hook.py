"""What mkdocs does beside building the pages: links to files of the repository lead to its home, and the schemas of
this version are laid at `schemas/VERSION/`, where editors can fetch them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_LINK = re.compile(r"\]\((?P<path>(?:\.\./)+[^)#\s]*)(?P<anchor>#[^)\s]*)?\)")


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """The page with links that leave docs/ turned to the repository's home; one that leads nowhere is then refused.

    A page without a section needs no list of the pages beside it; what is for contributors is found last.
    """
    if page.parent is None:
        page.meta["hide"] = ["navigation"]
    elif page.ancestors[-1].title == "Project":
        page.meta["search"] = {"boost": 0.1}
    folder = (ROOT / "docs" / page.file.src_uri).parent

    def address(link: re.Match[str]) -> str:
        target = (folder / link["path"]).resolve()
        if target.is_relative_to(ROOT / "docs") or not target.exists():
            return link[0]
        kind = "tree" if target.is_dir() else "blob"
        return f"]({config.repo_url}/{kind}/main/{target.relative_to(ROOT).as_posix()}{link['anchor'] or ''})"

    return _LINK.sub(address, markdown)


def on_post_build(config: Any) -> None:
    """Lays the schemas of this version into the site."""
    version = re.search(r'__version__ = "([^"]+)"', (ROOT / "incident_ops/__init__.py").read_text(encoding="utf-8"))
    if version is None:
        raise ValueError("incident_ops/__init__.py names no version")
    into = Path(config.site_dir) / "schemas" / version[1]
    into.mkdir(parents=True, exist_ok=True)
    for one in sorted((ROOT / "schemas").glob("*.schema.json")):
        shutil.copy(one, into / one.name)
