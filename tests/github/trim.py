"""Cuts GitHub's published OpenAPI description down to the paths this program uses.

    npm pack @octokit/openapi@23.0.2 && tar -xzf octokit-openapi-23.0.2.tgz package/generated/api.github.com.json
    python -m tests.github.trim package/generated/api.github.com.json

writes tests/github/openapi/api.github.com.json.gz, the same bytes for the same input. Prose and examples are left out;
paths, parameters and schemas are word for word. The licence lies beside the file.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path
from typing import Any

KEPT = Path(__file__).parent / "openapi/api.github.com.json.gz"
REPOSITORY = "/repos/{owner}/{repo}"
PATHS = re.compile(
    rf"/user|/installation/repositories|{REPOSITORY}|{REPOSITORY}/(?:assignees|labels|milestones|issues|pulls|deployments)(?:/.*)?|/rate_limit|/search/issues"
    rf"|{REPOSITORY}/git/(?:ref|refs|matching-refs)(?:/.*)?|{REPOSITORY}/git/(?:trees|commits)"
    rf"|{REPOSITORY}/actions/runs/{{run_id}}|{REPOSITORY}/commits/{{ref}}(?:/status(?:es)?)?|{REPOSITORY}/statuses/{{sha}}"
    rf"|{REPOSITORY}/actions/workflows(?:/{{workflow_id}}(?:/(?:enable|disable|dispatches|runs))?)?"
    rf"|{REPOSITORY}/actions/permissions(?:/workflow)?|{REPOSITORY}/rulesets(?:/{{ruleset_id}})?"
    rf"|{REPOSITORY}/environments(?:/{{environment_name}}(?:/(?:deployment-branch-policies|secrets))?)?"
    rf"|{REPOSITORY}/actions/secrets"
    rf"|{REPOSITORY}/rules/branches/{{branch}}".replace("{", r"\{").replace("}", r"\}")
)
PROSE = {"description", "summary", "externalDocs", "example", "examples", "x-github", "x-githubEnterpriseOverlays"}


def trim(description: dict[str, Any]) -> dict[str, Any]:
    """The whole description -> the part of it that PATHS names, with every component it refers to."""
    paths = {path: _bare(node) for path, node in description["paths"].items() if PATHS.fullmatch(path)}
    components: dict[str, dict[str, Any]] = {}
    todo: list[Any] = [paths]
    while todo:
        for kind, name in _references(todo.pop()):
            if name not in components.setdefault(kind, {}):
                components[kind][name] = _bare(description["components"][kind][name])
                todo.append(components[kind][name])
    kept = {name: description[name] for name in ("openapi", "info", "servers")}
    return {**kept, "paths": paths, "components": components}


def _bare(node: Any, inside: str = "") -> Any:
    """A node without prose. What stands directly in `properties` are names of fields, never prose."""
    if isinstance(node, list):
        return [_bare(one) for one in node]
    if not isinstance(node, dict):
        return node
    return {name: _bare(value, name) for name, value in node.items() if inside == "properties" or name not in PROSE}


def _references(node: Any) -> list[tuple[str, str]]:
    if isinstance(node, list):
        return [found for one in node for found in _references(one)]
    if not isinstance(node, dict):
        return []
    found = [found for value in node.values() for found in _references(value)]
    target = node.get("$ref")
    if isinstance(target, str):
        _, _, kind, name = target.split("/", 3)
        found.append((kind, name))
    return found


def packed(description: dict[str, Any]) -> bytes:
    """The file as it is kept: compact JSON, gzip without a time."""
    text = json.dumps(description, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    return gzip.compress(text.encode(), compresslevel=9, mtime=0)


if __name__ == "__main__":
    whole = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    KEPT.write_bytes(packed(trim(whole)))
