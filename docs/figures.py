"""Measure the code of the program, print the figures and write them between the markers of docs/architecture.md.

make figures                       # or: python docs/figures.py --check, which only says whether the page is out of date
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from incident_ops.domain.not_used_yet import POLICY

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "incident_ops"
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- figures: written by `make figures` -->", "<!-- figures: end -->"
COUNTED_BY_HAND = "2 / 2"  # nothing in the code says what a newcomer must touch: count again when that changes


class Module(NamedTuple):
    """A Python file of the package."""

    name: str
    source: str
    tree: ast.Module

    @property
    def code_lines(self) -> int:
        """Lines that are neither empty nor a comment."""
        return count_code_lines(self.source.splitlines())


def count_code_lines(lines: list[str]) -> int:
    """How many of the lines are neither empty nor a comment."""
    return sum(1 for line in lines if line.strip() and not line.lstrip().startswith("#"))


def read_modules(root: Path) -> dict[str, Module]:
    """Dotted name -> module, for every Python file of the package below `root`."""
    found = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        source = path.read_text(encoding="utf-8")
        found[name] = Module(name, source, ast.parse(source))
    return found


def import_lines(module: Module) -> int:
    """Lines that import statements take."""
    nodes = (node for node in ast.walk(module.tree) if isinstance(node, ast.Import | ast.ImportFrom))
    return sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in nodes)


def public_names(module: Module) -> Iterator[str]:
    """Public functions, classes and constants that the module defines at its top."""
    for node in module.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        else:
            names = []
        yield from (name for name in names if not name.startswith("_"))


def repeated_names(modules: dict[str, Module]) -> list[str]:
    """Public names that two or more modules define, but for `check` of rules."""
    counts: Counter[str] = Counter()
    for module in modules.values():
        names = set(public_names(module))
        if module.name.startswith(f"{PACKAGE}.rules."):
            names -= {"check"}
        counts.update(names)
    return sorted(name for name, count in counts.items() if count > 1)


def renaming_imports(modules: dict[str, Module]) -> list[str]:
    """Names of the package that are imported under another name."""
    return [
        f"{module.name}: {alias.name} as {alias.asname}"
        for module in modules.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if alias.asname not in (None, alias.name) and is_ours(getattr(node, "module", None) or alias.name, node)
    ]


def is_ours(name: str, node: ast.Import | ast.ImportFrom) -> bool:
    """True for an import from within the package."""
    return name.split(".")[0] == PACKAGE or bool(getattr(node, "level", 0))


def imports_of(module: Module, modules: dict[str, Module], *, lazy: bool) -> set[str]:
    """The modules of the package that it imports at its top; with `lazy`, inside functions too.

    What is imported for type checkers only does not count.
    """
    body: list[ast.AST] = list(ast.walk(module.tree)) if lazy else list(top_level(module.tree.body))
    only_typing = {inner for node in ast.walk(module.tree) if is_typing_block(node) for inner in ast.walk(node)}
    found = set()
    for node in body:
        if node in only_typing:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in modules else node.module for name in inner}
    return {name for name in found if name in modules} - {module.name}


def top_level(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Statements that run when the module is imported, those in `if` and `try` included."""
    for node in body:
        yield node
        for name in ("body", "orelse", "finalbody"):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from top_level(getattr(node, name, []))


def is_typing_block(node: ast.AST) -> bool:
    """True for `if TYPE_CHECKING:`."""
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def circles(modules: dict[str, Module], *, lazy: bool) -> list[list[str]]:
    """Groups of modules that import each other in a circle."""
    edges = {name: imports_of(module, modules, lazy=lazy) for name, module in modules.items()}
    reached = {name: reach(name, edges) for name in edges}
    groups = {
        tuple(sorted(other for other in reached[name] if name in reached[other]))
        for name in edges
        if name in reached[name]
    }
    return sorted(map(list, groups))


def reach(start: str, edges: dict[str, set[str]]) -> set[str]:
    """Every module that one imports, directly or through others."""
    seen: set[str] = set()
    waiting = [*edges[start]]
    while waiting:
        if (name := waiting.pop()) not in seen:
            seen.add(name)
            waiting += edges[name]
    return seen


def longest_function(modules: dict[str, Module]) -> tuple[int, str]:
    """Code lines and place of the longest function, signature included, docstring not."""
    return max(
        (function_lines(module, node), f"{module.name}.{node.name}")
        for module in modules.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def function_lines(module: Module, node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Code lines of a function without its docstring."""
    lines = module.source.splitlines()
    count = count_code_lines(lines[node.lineno - 1 : node.end_lineno])
    if ast.get_docstring(node) is not None:
        first = node.body[0]
        count -= count_code_lines(lines[first.lineno - 1 : first.end_lineno])
    return count


def rows(modules: dict[str, Module]) -> list[tuple[str, str]]:
    """What is measured, and its figure."""
    lines = sum(len(module.source.splitlines()) for module in modules.values())
    imported = sum(import_lines(module) for module in modules.values())
    function, where = longest_function(modules)
    largest = max(modules.values(), key=lambda module: module.code_lines)
    return [
        ("Python files of `incident_ops/`, lines", f"{len(modules)}, {lines:,}"),
        ("lines of import statements", f"{100 * imported / lines:.1f} %"),
        ("public names defined twice or more (except `check` of rules)", str(len(repeated_names(modules)))),
        ("imports of our own names that rename them", str(len(renaming_imports(modules)))),
        ("import cycles: at import, lazy imports included", " / ".join(counted_circles(modules))),
        ("code lines of the longest function", f"{function} (`{where}`)"),
        ("code lines of the longest module", f"{largest.code_lines} (`{largest.name}`)"),
        ("files to touch for a preset / a notifier (counted by hand)", COUNTED_BY_HAND),
        ("keys of the policy that are accepted and unread", unread_keys()),
    ]


def counted_circles(modules: dict[str, Module]) -> list[str]:
    """Circles of imports when modules are loaded, and of all imports."""
    return [str(len(circles(modules, lazy=lazy))) for lazy in (False, True)]


def unread_keys() -> str:
    """None: tests/house/test_every_key_acts.py fails for any other number. The table lists those that wait."""
    return f"0 ({len(POLICY)} keys and blocks wait for later capabilities, listed)"


def table(modules: dict[str, Module]) -> str:
    """The figures as Markdown."""
    head = ["| figure | value |", "| --- | --- |"]
    return "\n".join(head + [f"| {name} | {value} |" for name, value in rows(modules)])


def written(text: str, figures: str) -> str:
    """The page with these figures between its markers."""
    block = f"{BEGIN}\n{figures}\n{END}"
    new, count = re.subn(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: block, text, flags=re.DOTALL)
    if count != 1:
        raise ValueError("the page must hold the markers of the figures once")
    return new


def main() -> int:
    """Print the figures and write the page; with --check, only say whether it is out of date and exit 1."""
    modules = read_modules(ROOT)
    figures = table(modules)
    before = PAGE.read_text(encoding="utf-8")
    after = written(before, figures)
    print(figures)
    if "-v" in sys.argv[1:]:
        print("\n".join(["", *repeated_names(modules), *renaming_imports(modules)]))
        print("\n".join(" -> ".join(group) for group in circles(modules, lazy=True)))
    if "--check" in sys.argv[1:]:
        if before != after:
            print("docs/architecture.md is out of date: run `make figures`")
        return int(before != after)
    PAGE.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
