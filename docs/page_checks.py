"""What is asked of the pages themselves: links that lead somewhere, a place in the site for each page, and few words.

    python docs/page_checks.py        prints what is wrong, and how many words the pages have; ends with 1 if need be

External links are checked for their form only, so no network is needed.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PLACES = ("*.md", "docs/**/*.md", "contrib/**/*.md", "examples/**/*.md", "actions/**/*.md", "template/**/*.md")
PROJECT = "Project"
"""The section of the site for contributors; its words are counted apart."""
WRITTEN = ("cli.md", "fields.md", "policy-keys.md", "postmortem-lint.md", "rules.md", "triage.md")
"""Pages that are generated as a whole."""
_GENERATED = re.compile(r"<!-- (\w+)[ \w-]*: written by `make \w+` -->.*?<!-- \1: end -->", re.DOTALL)
_SHOWN = re.compile(r"^```console\n.*?^```$", re.DOTALL | re.MULTILINE)
"""What the program printed, held word for word by a test."""
_CODE = re.compile(r"^(?P<fence> *`{3,}).*?^(?P=fence) *$|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(<?([^()\s>]+(?:\([^()\s]*\))?)>?\)")


def all_pages() -> list[Path]:
    """Every page that a reader meets."""
    return sorted({page for place in PLACES for page in ROOT.glob(place) if page.is_file()})


def broken_links(page: Path) -> list[str]:
    """The links of a page that lead nowhere: no such file, no such heading in it, or an address of no possible form."""
    return [target for target in _links(page) if not (_has_form(target) if ":" in target else _is_there(page, target))]


def _links(page: Path) -> Iterator[str]:
    yield from _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8")))


def _has_form(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" and "." in (parts.hostname or "")


def _is_there(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    return file.exists() and (not anchor or (file.suffix == ".md" and anchor in _anchors(file)))


@cache
def _anchors(page: Path) -> frozenset[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    found: Counter[str] = Counter()
    anchors = set()
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for heading in re.findall(r"^#{1,6} +(.+)$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower().strip()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        anchors.add(f"{slug}-{found[slug]}" if found[slug] else slug)
        found[slug] += 1
    return frozenset(anchors)


class _Settings(yaml.SafeLoader):
    """Reads mkdocs.yml, whose tags name Python functions, without running any."""


_Settings.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)


def sections() -> dict[str, list[str]]:
    """Section of the site -> its pages, by path below docs/."""
    settings: dict[str, Any] = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), _Settings)
    return {name: list(_paths(value)) for entry in settings["nav"] for name, value in entry.items()}


def _paths(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (path for one in value.values() for path in _paths(one))
    else:
        yield from (path for one in value for path in _paths(one))


def astray() -> list[str]:
    """Pages of docs/ without a place in the site, places without a page, and pages with two places.

    The decisions have one place: the page that lists them.
    """
    placed = [path for paths in sections().values() for path in paths]
    there = [page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")]
    listed = (DOCS / "decisions/README.md").read_text(encoding="utf-8")
    return [
        *(f"{path}: has no page" for path in placed if path not in there),
        *(f"{path}: has two places" for path, count in Counter(placed).items() if count > 1),
        *(f"{path}: is not in mkdocs.yml" for path in there if path not in placed and path.split("/")[0] == path),
        *(f"{path}: is not listed" for path in there if "/" in path and Path(path).name not in listed + "README.md"),
    ]


def words() -> dict[str, int]:
    """Words of the pages: written by hand for users, generated reference, and pages for contributors."""
    counts = {"by hand, for users": _words_of((ROOT / "README.md").read_text(encoding="utf-8")), "generated": 0}
    for section, paths in sections().items():
        for path in paths:
            text = (DOCS / path).read_text(encoding="utf-8")
            by_hand = 0 if path in WRITTEN else _words_of(_SHOWN.sub("", _GENERATED.sub("", text)))
            name = "for contributors" if section == PROJECT else "by hand, for users"
            counts[name] = counts.get(name, 0) + by_hand
            counts["generated"] += _words_of(text) - by_hand
    return counts


def _words_of(text: str) -> int:
    """Whatever stands between blanks and has a letter or a digit."""
    return sum(any(sign.isalnum() for sign in word) for word in text.split())


def main() -> int:
    """Print what is wrong and the words; 1 where something is wrong."""
    wrong = [f"{page.relative_to(ROOT)}: {link}" for page in all_pages() for link in broken_links(page)] + astray()
    print("\n".join([*wrong, *(f"{count:>7,} words {name}" for name, count in words().items())]))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
