"""Write what is generated: docs/rules.md from the rules' own docstrings, docs/cli.md from the help texts,
docs/fields.md and docs/policy-keys.md from the descriptions in schemas/, docs/postmortem-lint.md from the rules of the
lint, the lists of presets in docs/policy.md and schemas/policy.schema.json from the presets' folder, the kinds of
notices in docs/notices.md from the presets, the tables of docs/actions.md from the actions, contrib/schemastore.json
from the schemas, docs/demo.svg by a run of the demo.

make docs                       # or: python docs/generate.py --check, which only tells what is out of date
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import yaml
from field_pages import policy_page, records_page
from picture import demo_picture

from incident_ops import __version__, resources
from incident_ops.cli.main import cli
from incident_ops.records.policy import preset, to_policy
from incident_ops.render import rule_pages
from incident_ops.render.notice_ways import ways_table
from incident_ops.render.postmortem_lint import lint_page

DOCS = Path(__file__).resolve().parent
ACTIONS = DOCS.parent / "actions"
CATALOG = DOCS.parent / "contrib/schemastore.json"
SCHEMA = DOCS.parent / "schemas/policy.schema.json"
WIDTH = 100


def help_page() -> str:
    """Every command's help text, as `--help` prints it."""
    parts = ["# Commands", "<!-- Written by `make docs` from the help texts; do not edit. -->"]
    for command, context in _commands(cli, click.Context(cli, info_name="incident-ops", terminal_width=WIDTH)):
        parts += [f"## `{context.command_path}`", f"```text\n{command.get_help(context).rstrip()}\n```"]
    return "\n\n".join(parts) + "\n"


def _commands(command: click.Command, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    yield command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if (inner := command.get_command(context, name)) is not None:
                yield from _commands(inner, click.Context(inner, context, name, terminal_width=WIDTH))


def preset_table(page: str) -> str:
    """The page with the table of presets between its two marks."""
    presets = map(resources.preset, resources.preset_names())
    rows = ["", "| preset | what it is | field that drives the clocks |", "| --- | --- | --- |"]
    rows += [f"| `{one.name}` | {one.summary} | `{one.drives_clocks}` |" for one in presets]
    begin, end = "<!-- presets: written by `make docs` -->\n", "\n<!-- presets: end -->"
    return re.sub(f"(?<={begin}).*(?={end})", "\n".join([*rows, ""]), page, flags=re.DOTALL)


def kinds_table(page: str) -> str:
    """The page with the ways of each kind of notice in each preset between its two marks."""
    table = ways_table({f"`{name}`": to_policy(preset(name)) for name in resources.preset_names()})
    begin, end = "<!-- kinds: written by `make docs` -->\n", "\n<!-- kinds: end -->"
    return re.sub(f"(?<={begin}).*(?={end})", lambda _: f"\n{table}", page, flags=re.DOTALL)


def action_tables(page: str) -> str:
    """The page with the inputs and outputs of each action between its two marks."""
    begin, end = r"<!-- action ([\w-]+): written by `make docs` -->\n", r"<!-- action: end -->"
    return re.sub(
        f"({begin}).*?({end})",
        lambda found: f"{found[1]}\n{_action_tables(found[2])}\n{found[3]}",
        page,
        flags=re.DOTALL,
    )


def _action_tables(name: str) -> str:
    action = yaml.load((ACTIONS / name / "action.yml").read_text("utf-8"), yaml.BaseLoader)
    inputs = [
        f"| `{one}` | {_cell(about)} | {'required' if about.get('required') == 'true' else _default(about)} |"
        for one, about in action.get("inputs", {}).items()
    ]
    outputs = [f"| `{one}` | {_cell(about)} |" for one, about in action["outputs"].items()]
    tables = ["| input | what | default |", "| --- | --- | --- |", *inputs, ""]
    return "\n".join([*tables, "| output | what |", "| --- | --- |", *outputs, ""])


def _cell(about: dict[str, str]) -> str:
    return " ".join(about["description"].split()).replace("|", "\\|").rstrip(".")


def _default(about: dict[str, str]) -> str:
    default = about.get("default", "")
    return f"`{default}`" if default else ""


def schemastore(text: str) -> str:
    """The entries for SchemaStore's catalog with the schemas of this version beside those of earlier ones."""
    before = {entry["name"]: entry["versions"] for entry in json.loads(text)}
    entries = []
    for path in sorted(resources.folder("schemas").glob("*.json")):
        name = f"incident-ops: {path.name.removesuffix('.schema.json')}"
        url = f"{resources.SITE}schemas/{__version__}/{path.name}"
        title = json.loads(path.read_text("utf-8"))["title"]
        entry = {
            "name": name,
            "description": f"{title} of incident-ops, incidents as YAML in git",
            "fileMatch": ["**/incidents/*/incident.yaml"]
            if name.endswith(" incident")
            else [],  # others may be anybody's
            "url": url,
            "versions": {**before.get(name, {}), __version__: url},
        }
        entries.append(entry)
    return json.dumps(entries, indent=2) + "\n"


def preset_schema(text: str) -> str:
    """The schema of policies with the presets that there are."""
    schema = json.loads(text)
    schema["$defs"]["preset"]["enum"] = list(resources.preset_names())
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def pages() -> dict[Path, str]:
    """Path -> text of every file that is generated, wholly or in part."""
    policy, notices, actions = DOCS / "policy.md", DOCS / "notices.md", DOCS / "actions.md"
    schema = preset_schema(SCHEMA.read_text("utf-8"))
    return {
        DOCS / "rules.md": rule_pages.page(),
        DOCS / "cli.md": help_page(),
        DOCS / "postmortem-lint.md": lint_page(),
        DOCS / "fields.md": records_page(),
        DOCS / "policy-keys.md": policy_page(json.loads(schema)),
        policy: preset_table(policy.read_text("utf-8")),
        notices: kinds_table(notices.read_text("utf-8")),
        actions: action_tables(actions.read_text("utf-8")),
        CATALOG: schemastore(CATALOG.read_text("utf-8") if CATALOG.exists() else "[]"),
        SCHEMA: schema,
        DOCS / "demo.svg": demo_picture(),
    }


def main() -> int:
    """Write the pages; with --check, tell which differ and exit 1."""
    stale = [(path, text) for path, text in pages().items() if not path.exists() or path.read_text("utf-8") != text]
    for path, text in stale:
        if "--check" in sys.argv[1:]:
            print(f"{path.name} is out of date: run `make docs`")
        else:
            path.write_text(text, encoding="utf-8")
            print(f"written: {path.relative_to(DOCS.parent)}")
    return int(bool(stale) and "--check" in sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
