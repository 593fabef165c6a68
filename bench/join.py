"""Writes docs/benchmarks.md from what the benches left: pages of figures as Markdown, those of the gate as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import gate_page

HERE = Path(__file__).resolve().parent
OUTPUT = HERE.parent / "docs/benchmarks.md"


def main() -> None:
    """Joins the parts that are there; the page of the records is its head."""
    parts = [(HERE / "parts/records.md").read_text(encoding="utf-8").rstrip()]
    gate = HERE / "gate_results.json"
    others = [HERE / f"parts/{name}.md" for name in ("sla", "plan", "render")]
    parts += [part.read_text(encoding="utf-8").rstrip() for part in others if part.exists()]
    if gate.exists():
        parts.append(gate_page.page(json.loads(gate.read_text(encoding="utf-8"))))
    OUTPUT.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    print(f"written: {OUTPUT}")


if __name__ == "__main__":
    main()
