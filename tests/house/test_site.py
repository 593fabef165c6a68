"""The pages as a reader finds them: each has a place, each link leads somewhere, and whatever there is has its line."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest

from incident_ops import __version__
from incident_ops.cli.main import cli
from incident_ops.render.rule_pages import catalogue

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
MOST_WORDS = 25_000
"""Of what people wrote for users: README, tutorial, how-tos, explanations, reference by hand."""
SHORT = 700
MKDOCS = ROOT / ".venv/docs/bin/mkdocs"
SCHEMAS = sorted((ROOT / "schemas").glob("*.schema.json"))


def loaded(name: str) -> ModuleType:
    """A program of docs/."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


checks = loaded("page_checks")


# ------------------------------------------------------------------ places, links, words


def test_every_page_has_one_place_and_every_place_a_page() -> None:
    assert checks.astray() == []


@pytest.mark.parametrize("page", checks.all_pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    """To a file that is there, and a heading in it; external ones have the form of an address."""
    assert checks.broken_links(page) == []


def test_a_link_that_leads_nowhere_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A `b`: c\n[1](#a-b-c) [2](#d) [3](x.md) [4](page.md#d) [5](http://x.org) [6](https://x) `[7](y)`\n"
    )
    assert checks.broken_links(page) == ["#d", "x.md", "page.md#d", "http://x.org", "https://x"]


def test_the_pages_for_users_are_few_words() -> None:
    """Each capability has its room in them."""
    assert checks.words()["by hand, for users"] <= MOST_WORDS


def test_the_readme_is_short() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert sum(any(sign.isalnum() for sign in word) for word in text.split()) <= SHORT


# ------------------------------------------------------------------ nothing is left out of the reference


def keys(schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key of a schema with what it says of it, wherever it is defined; what only tests others (`if`) is none."""
    if isinstance(schema, list):
        for one in schema:
            yield from keys(one)
    elif isinstance(schema, dict):
        for word, inner in schema.items():
            if word in {"properties", "patternProperties"}:
                for name, one in inner.items():
                    yield (name if word == "properties" else "<name>"), one
                    yield from keys(one)
            elif word == "$defs":
                yield from keys(list(inner.values()))
            elif word not in {"if", "then", "examples", "default", "enum", "const"}:
                yield from keys(inner)


@pytest.mark.parametrize("file", SCHEMAS, ids=lambda file: file.name)
def test_every_key_of_a_schema_has_its_line(file: Path) -> None:
    """With what it means; a key that is defined once and used in two places has two lines."""
    schema = json.loads(file.read_text(encoding="utf-8"))
    page = "policy-keys.md" if file.name.startswith("policy") else "fields.md"
    text = (DOCS / page).read_text(encoding="utf-8")
    text = text if page == "policy-keys.md" else text.partition(f"\n## {schema['title']}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (?:\*\*)?`([^`]+)`(?:\*\*)? \| ([^|]+) \| (.+) \|.*\|$", text, re.MULTILINE)
    lines = {path: meaning.strip() for path, _, meaning in rows}
    last = {re.split(r"[.]", path.replace("[]", ""))[-1] for path in lines}
    found = list(keys(schema))
    assert len(found) > 10
    assert {name for name, _ in found} - last == set()
    assert [path for path, meaning in lines.items() if not meaning] == []


def commands(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    """Path -> command, of every command."""
    yield context.command_path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if (inner := command.get_command(context, name)) is not None:
                yield from commands(inner, click.Context(inner, context, name))


def test_every_command_and_every_option_has_its_words() -> None:
    page = (DOCS / "cli.md").read_text(encoding="utf-8")
    missing = []
    for path, command in commands(cli, click.Context(cli, info_name="incident-ops", **cli.context_settings)):
        text = page.partition(f"## `{path}`\n")[2].partition("\n## ")[0]
        missing += [] if text and command.help else [path]
        for one in command.params:
            if isinstance(one, click.Option) and not one.hidden:
                is_there = one.help and all(name in text for name in one.opts)
                missing += [] if is_there else [f"{path} {one.opts}"]
    assert missing == []


def test_every_rule_has_its_words() -> None:
    page = (DOCS / "rules.md").read_text(encoding="utf-8")
    rules = {name: rule for group in catalogue().values() for name, rule in group.items()}
    assert [name for name, rule in rules.items() if f"| `{name}` |" not in page or not rule.sentence] == []


def test_every_exit_code_is_in_the_contract() -> None:
    """Each number that the program can end with."""
    pattern = re.compile(r"exit_code(?:: ClassVar\[int\])? = (\d+)|(?:\bexit|SystemExit|_exit)\((\d+)\)")
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "incident_ops").rglob("*.py")]
    used = {number or other for source in sources for number, other in pattern.findall(source)}
    table = (DOCS / "contract.md").read_text(encoding="utf-8").partition("## Exit codes")[2].partition("\n## ")[0]
    told = {code for cell in re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE) for code in cell.split(", ")}
    assert {"2", "5", "6"} <= used
    assert used - told == set()


# ------------------------------------------------------------------ the site


@pytest.mark.slow
@pytest.mark.skipif(not MKDOCS.exists(), reason="`make lint` makes the environment that builds the site")
def test_the_site_needs_no_network_and_carries_the_schemas(tmp_path: Path) -> None:
    """No page fetches a font, a script or a picture from elsewhere, search included; the schemas lie by version."""
    words = [str(MKDOCS), "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for page in tmp_path.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        fetched = re.findall(r"<(?:script|img|iframe)\b[^>]*\bsrc=\"?(https?:[^\s\">]+)", text)
        fetched += re.findall(
            r"<link\b[^>]*\brel=\"?(?:stylesheet|preconnect|icon)[^>]*\bhref=\"?(https?:[^\s\">]+)", text
        )
        assert fetched == [], page
    assert {one.name for one in (tmp_path / f"schemas/{__version__}").iterdir()} == {one.name for one in SCHEMAS}
    for one in SCHEMAS:
        assert (tmp_path / f"schemas/{__version__}/{one.name}").read_bytes() == one.read_bytes()
    assert (tmp_path / "search/search_index.js").exists()


def test_the_checks_of_the_pages_can_be_run_by_themselves() -> None:
    """As `make lint` does; they print the words of each kind of page."""
    done = subprocess.run([sys.executable, str(DOCS / "page_checks.py")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "words by hand, for users" in done.stdout
