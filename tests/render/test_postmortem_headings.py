"""The sections of public postmortems have a home in a record and its documents, by a table."""

from __future__ import annotations

import json
import re
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.conformance import document, need_folder

need_folder()

TABLE = yaml.safe_load((Path(__file__).parent / "postmortem_headings.yaml").read_text(encoding="utf-8"))
PATTERNS = [(re.compile(row["pattern"]), row["home"]) for row in TABLE]
ASKED = 0.95


def home_of(text: str) -> str | None:
    plain = re.sub(r"[\W_]+", " ", text.lower()).strip()
    return next((home for pattern, home in PATTERNS if pattern.search(plain)), None)


def homes(paper: Any) -> list[tuple[str, str | None]]:
    """(heading, home) in order. The first heading is the title; a lower one lives where the one above it does."""
    found: list[tuple[str, str | None]] = []
    above: list[tuple[int, str | None]] = []
    for place, one in enumerate(paper["headings"]):
        level = one["level"] or 7
        above = [parent for parent in above if parent[0] < level]
        is_title = place == 0 and level == 1
        inherited = next((home for _, home in reversed(above) if home and home != "title"), None)
        home = "title" if is_title else home_of(one["text"]) or inherited
        above.append((level, home))
        found.append((one["text"], home))
    return found


def half_of(paper: Any) -> str:
    return "seen" if int(sha256(paper["path"].encode()).hexdigest(), 16) % 2 else "unseen"


@pytest.mark.parametrize("half", ["seen", "unseen"])
def test_nearly_every_heading_has_a_home(half: str) -> None:
    """Both halves; the table was written with one of them in sight."""
    papers = document("postmortem_sections")["documents"]
    rows = [row for paper in papers if half_of(paper) == half for row in homes(paper)]
    homeless = Counter(text for text, home in rows if home is None)
    share = 1 - homeless.total() / len(rows)
    assert share >= ASKED, sorted(homeless)


def test_every_home_is_a_field_of_a_record() -> None:
    schema = json.loads((Path(__file__).parents[2] / "schemas/incident.schema.json").read_text(encoding="utf-8"))
    for row in TABLE:
        place = schema
        for name in row["home"].split("."):
            place = place["properties"][name]
