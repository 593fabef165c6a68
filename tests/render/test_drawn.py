"""Programs that nobody here wrote read the documents: Mermaid draws the pictures, axe and html-validate judge pages."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from incident_ops.documents.html_page import html_page
from tests.render.test_documents import EXAMPLES, HOSTILE, documents, made, rich
from tests.render.test_pictures import TWO_CYCLES
from tests.render.test_war_room import sheet_with
from tests.support.headless import READERS, read_page, reader

WICKED = [
    *("click a href javascript:alert(1)", "%%{init: {'securityLevel': 'loose'}}%%", "section x\n    y :2025-01-01, 1d"),
    *("title T", "<img src=x onerror=alert(1)>", "#quot;#lt;script#gt;", "2025-01-01", "done", "; end", "---", HOSTILE),
    *(
        "dateFormat X",
        "accDescr: x",
        "`code` **bold**",
        "vert",
        "after a until b",
        "$$\\frac{1}{2}$$",
        "東京 größe \u202e",
    ),
]
JUDGED = ("INC-20250126-120500", "INC-1", "INC-2025-05678", "INC-20250120-102000", "two-cycles", "hostile")
FENCE = re.compile(r"^```mermaid\n(.*?)\n```$", re.DOTALL | re.MULTILINE)


def of_a_wicked_record(text: str) -> dict[str, str]:
    hurt = [{"service": text, "degree": text, "from": "2025-03-01T23:30:00Z"}]
    moved = [{"at": "2025-03-02T00:00:00Z", "field": "severity", "from": text, "to": "SEV2"}]
    return made(**{**TWO_CYCLES, "impact": {"services": hurt}, "changes": moved})


def all_documents() -> dict[str, str]:
    found = {f"{path.parent.name}/{name}": text for path in EXAMPLES for name, text in documents(path).items()}
    found |= {f"two-cycles/{name}": text for name, text in made(postmortem={"status": "draft"}, **TWO_CYCLES).items()}
    return found | {f"hostile/{name}": text for name, text in rich(HOSTILE).items()}


def some_pages() -> dict[str, str]:
    """Those of one example of each preset, and of the two made records."""
    chosen = {name: text for name, text in all_documents().items() if name.partition("/")[0] in JUDGED}
    chosen |= {"the sheet of a war room": sheet_with("tame"), "a hostile sheet": sheet_with(HOSTILE)}
    return {name: html_page(text, lambda _name: None) for name, text in chosen.items()}


@pytest.mark.slow
@pytest.mark.parametrize("version", ["mermaid", "mermaid-newest"])
def test_mermaid_draws_every_picture(version: str, tmp_path: Path) -> None:
    """As GitHub shows it, and as the newest does."""
    documents = [*all_documents().values(), *(of_a_wicked_record(text)["timeline.md"] for text in WICKED)]
    pictures = [one for text in documents for one in FENCE.findall(text)]
    assert len(pictures) > len(WICKED) + len(EXAMPLES)
    shutil.copy(reader(f"{version}/dist/mermaid.min.js"), tmp_path / "mermaid.js")
    shutil.copy(READERS / "drawn.html", tmp_path)
    (tmp_path / "pictures.js").write_text(f"const PICTURES = {json.dumps(pictures)};", encoding="utf-8")
    drawn = read_page(tmp_path / "drawn.html")
    assert len(drawn) == len(pictures)
    for one, text in zip(drawn, pictures, strict=True):
        lines = [line.strip() for line in text.split("\n")[9:]]
        written = [
            line.removeprefix("section ") if line.startswith("section ") else line.partition(" :")[0] for line in lines
        ]
        assert (one["error"], one["links"]) == ("", 0), text
        assert f"accTitle: {one['title']}\n" in text
        assert sorted(one["labels"]) == sorted(written), text


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(dark: bool, tmp_path: Path) -> None:
    shutil.copy(reader("axe-core/axe.min.js"), tmp_path / "axe.js")
    shutil.copy(READERS / "judged.html", tmp_path)
    pages = {name: re.sub(r"<meta http-equiv.*?>", "", page) for name, page in some_pages().items()}
    (tmp_path / "pages.js").write_text(f"const PAGES = {json.dumps(pages)};", encoding="utf-8")
    judged = read_page(tmp_path / "judged.html", dark=dark)
    assert isinstance(judged, list), judged
    assert [one["name"] for one in judged] == list(pages)
    assert [one for one in judged if one["violations"]] == []
    assert all({"color-contrast", "document-title"} <= set(one["passes"]) for one in judged)


@pytest.mark.slow
def test_the_pages_are_valid_html(tmp_path: Path) -> None:
    assert reader("html-validate").is_dir()
    (tmp_path / "pages.json").write_text(json.dumps(some_pages()), encoding="utf-8")
    words = ["node", READERS / "validate.mjs", tmp_path / "pages.json"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout == ""
