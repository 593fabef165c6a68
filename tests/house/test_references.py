"""A reference leads somewhere in the repository, and no row number of the requirements stands where users look."""

from __future__ import annotations

import ast
import importlib
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import click
import pytest

from incident_ops.cli.main import cli
from incident_ops.deploy_gate.verdict import (
    CONFIG_ERROR,
    HOLDING,
    INCIDENT_REPO_UNREACHABLE,
    NO_DATA,
    OK,
    OVERRIDE,
    ROLLBACK_ALLOWED,
    UNREADABLE_RECORD,
)
from incident_ops.records.policy import preset
from incident_ops.render import rule_pages
from incident_ops.resources import preset_names

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
ROW = re.compile(r"\b[RC][0-9]{1,3}\b")
PAGE = re.compile(r"\b[\w/-]+\.md\b(?:#[\w-]+)?")
NUMBERED = re.compile(r"\b(?:contract [0-9]|decision [0-9]|section [0-9]|examples [0-9])", re.IGNORECASE)
RENDERED = {"incident.md", "timeline.md", "postmortem.md", "action-items.md", "README.md", "incident-report.md"} | {
    "postmortem.notes.md",
    "notes.md",
    "story.md",
}
REASONS = (
    *HOLDING,
    OK,
    OVERRIDE,
    ROLLBACK_ALLOWED,
    UNREADABLE_RECORD,
    NO_DATA,
    INCIDENT_REPO_UNREACHABLE,
    CONFIG_ERROR,
)
BY_NUMBER = {"requirements.md", "coverage.md"}


def sources(*folders: str) -> list[Path]:
    """The Python files below these folders, this one left out: it spells what it forbids."""
    found = chain.from_iterable((ROOT / folder).rglob("*.py") for folder in folders)
    return sorted(path for path in found if path != Path(__file__) and "node_modules" not in path.parts)


def name_of(path: Path) -> str:
    """A path as the tests' ids show it."""
    return path.relative_to(ROOT).as_posix()


def docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    """Every string that stands alone: docstrings, and those below an attribute."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value


@cache
def remarks(path: Path) -> list[str]:
    """What is written for whoever reads the code: docstrings and comments."""
    text = path.read_text(encoding="utf-8")
    comments = [
        token.string for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type == tokenize.COMMENT
    ]
    return [str(node.value) for node in docstrings(ast.parse(text))] + comments


def literals(path: Path) -> list[str]:
    """The strings a program can print: every string literal that is no docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    alone = {id(node) for node in docstrings(tree)}
    strings = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [str(node.value) for node in strings if id(node) not in alone]


def rows() -> set[str]:
    """The ids of the rows of docs/requirements.md, those of its conflicts among them."""
    return set(re.findall(r"^\| ([RC][0-9]+) \|", (DOCS / "requirements.md").read_text("utf-8"), re.MULTILINE))


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def leads_nowhere(reference: str) -> bool:
    """True where a page, or the anchor of a page, is neither at the top nor below docs."""
    name, _, anchor = reference.partition("#")
    page = ROOT / name if (ROOT / name).is_file() else DOCS / name
    return not page.is_file() or (bool(anchor) and anchor not in anchors(page))


def texts_in(data: Any) -> Iterator[str]:
    """Every text in parsed YAML, keys too."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield str(key)
            yield from texts_in(value)
    elif isinstance(data, list):
        for entry in data:
            yield from texts_in(entry)
    elif isinstance(data, str):
        yield data


def helps(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    """Every command's name and what its `--help` prints."""
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from helps(inner, click.Context(inner, context, name))


def program() -> click.Context:
    """The command line as it is started: click keeps the help option that a command is first asked for."""
    return click.Context(cli, info_name="incident-ops", **cli.context_settings)


def shown_files() -> list[Path]:
    """What users read or copy: schemas, templates, gate files, examples, records, workflows, and the pages."""
    folders = ("schemas", "templates", "gates", "examples", "incidents", "actions", ".github")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    pages = [page for page in DOCS.glob("*.md") if page.name not in BY_NUMBER]
    tops = [ROOT / name for name in ("policy.yaml", "services.yaml", "README.md", "CHANGELOG.md")]
    return sorted([*files, *pages, *tops])


def test_the_rows_are_numbered_without_a_gap() -> None:
    """R1 to R266 and C1 to the last conflict, each once."""
    found = re.findall(r"^\| ([RC])([0-9]+) \|", (DOCS / "requirements.md").read_text("utf-8"), re.MULTILINE)
    asked = [int(number) for letter, number in found if letter == "R"]
    conflicts = [int(number) for letter, number in found if letter == "C"]
    assert asked == list(range(1, 267))
    assert conflicts == list(range(1, 38))


def test_a_row_is_later_exactly_where_the_coverage_does_not_name_it() -> None:
    """docs/requirements.md and docs/coverage.md agree on what is built."""
    table = re.findall(r"^\| (R[0-9]+) \|.*\| ([^|]+) \|$", (DOCS / "requirements.md").read_text("utf-8"), re.MULTILINE)
    covered: set[str] = set()
    for first, last in re.findall(r"\bR([0-9]+)(?:-R([0-9]+))?", (DOCS / "coverage.md").read_text("utf-8")):
        covered |= {f"R{number}" for number in range(int(first), int(last or first) + 1)}
    assert {row for row, where in table if where != "later"} == covered


CODE = sources("incident_ops", "tests", "bench", "docs")
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


def test_a_cited_row_exists() -> None:
    """Each R or C number in the code, its tests and the presets is a row of docs/requirements.md."""
    known = rows()
    texts = {name_of(path): "\n".join(remarks(path)) for path in CODE}
    texts |= {name: (ROOT / f"incident_ops/presets/{name}.yaml").read_text("utf-8") for name in preset_names()}
    unknown = {name: sorted(set(ROW.findall(text)) - known) for name, text in texts.items()}
    assert {name: numbers for name, numbers in unknown.items() if numbers} == {}


def test_a_cited_page_exists() -> None:
    """A page named in the code is in the repository with that anchor, and no other document is cited by a number."""
    wrong = {name_of(path): unresolved("\n".join(remarks(path))) for path in CODE}
    assert {name: found for name, found in wrong.items() if found} == {}


def unresolved(text: str) -> list[str]:
    """The pages, decisions and numbered references in a text that lead nowhere; runbooks are those of users."""
    pages = {found for found in PAGE.findall(text) if found not in RENDERED and not found.startswith("runbooks/")}
    lost = [found for found in sorted(pages) if leads_nowhere(found)]
    decisions = re.findall(r"docs/decisions/([0-9]{4})", text)
    lost += [number for number in decisions if not list((DOCS / "decisions").glob(f"{number}-*.md"))]
    return [*lost, *NUMBERED.findall(text)]


ROOMS = sorted(path.parent.name for path in (ROOT / "incident_ops").glob("*/__init__.py"))
ONCE = ["model", "ports", "doors", "shipped"]  # rooms and modules that have moved
DOTTED = re.compile(rf"`(?:incident_ops\.)?((?:{'|'.join([*ROOMS, *ONCE])})\.(?!ya?ml|json)\w+(?:\.\w+)*)[`(]")


def leads_to_code(dotted: str) -> bool:
    """Whether `room.module.name` is there."""
    names = dotted.split(".")
    try:
        found: object = importlib.import_module(".".join(["incident_ops", *names[:2]]))
    except ModuleNotFoundError:
        return False
    for name in names[2:]:
        if not hasattr(found, name):
            return False
        found = getattr(found, name)
    return True


def test_a_cited_piece_of_the_code_exists() -> None:
    """A name such as `sla.clocks.clocks` in a docstring or on a page is that of a module or of something in it."""
    texts = {path: "\n".join(remarks(path)) for path in CODE} | {path: path.read_text("utf-8") for path in PAGES}
    del texts[DOCS / "policy-keys.md"]  # `documents.duration` is a key there
    cited = {(name_of(path), dotted) for path, text in texts.items() for dotted in DOTTED.findall(text)}
    assert cited
    assert [one for one in sorted(cited) if not leads_to_code(one[1])] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_link_between_pages_leads_to_a_heading(page: Path) -> None:
    """Each anchor in a link is a heading of the page it leads to."""
    links = re.findall(r"\]\(([^)#:\s]*)#([\w-]+)\)", page.read_text("utf-8"))
    assert [f"{to}#{anchor}" for to, anchor in links if anchor not in anchors(page.parent / to if to else page)] == []


def numbers_in(texts: dict[str, str]) -> dict[str, list[str]]:
    """Name -> the row numbers and numbered references in its text, where there are any."""
    found = {name: ROW.findall(text) + NUMBERED.findall(text) for name, text in texts.items()}
    return {name: numbers for name, numbers in found.items() if numbers}


def test_no_file_for_users_cites_a_row() -> None:
    """Hover texts, rendered documents, workflows and pages speak for themselves."""
    files = shown_files()
    assert len(files) > 60
    assert numbers_in({name_of(path): path.read_text("utf-8", errors="replace") for path in files}) == {}


def test_no_message_cites_a_row() -> None:
    """Whatever the program can print is free of numbers that lead nowhere for its reader."""
    assert numbers_in({name_of(path): "\n".join(literals(path)) for path in sources("incident_ops")}) == {}


def test_no_text_of_a_preset_cites_a_row() -> None:
    """What `policy show`, `triage` and an issue can print of a preset; its comments are not printed."""
    assert numbers_in({name: "\n".join(texts_in(preset(name))) for name in preset_names()}) == {}


def test_no_help_and_no_rule_cites_a_row() -> None:
    """`--help` of every command, `validate --explain` of every rule."""
    shown = dict(helps(cli, program()))
    assert len(shown) > 30
    shown["rules"] = rule_pages.page()
    assert numbers_in(shown) == {}


def test_the_glossary_is_alphabetical_and_says_each_word_once() -> None:
    """A word is found where it is looked for, and has one meaning."""
    words = re.findall(r"^\*\*(.+?)\*\*", (DOCS / "glossary.md").read_text("utf-8"), re.MULTILINE)
    assert len(words) > 40
    assert words == sorted(dict.fromkeys(words), key=str.casefold)


def test_the_contract_names_every_reason() -> None:
    """No reason code of a gate is missing in docs/contract.md."""
    text = (DOCS / "contract.md").read_text("utf-8")
    assert [code for code in REASONS if f"`{code}`" not in text] == []
