"""Writes docs/benchmarks.md from what the three benches left: records and clocks as Markdown, the gate as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import gate_page

HERE = Path(__file__).resolve().parent
OUTPUT = HERE.parent / "docs/benchmarks.md"


def main() -> None:
    """Joins the parts that are there; the page of the records is its head."""
    parts = [(HERE / "parts/records.md").read_text(encoding="utf-8").rstrip()]
    clocks, gate = HERE / "parts/sla.md", HERE / "gate_results.json"
    if clocks.exists():
        parts.append(clocks.read_text(encoding="utf-8").rstrip())
    if gate.exists():
        parts.append(gate_page.page(json.loads(gate.read_text(encoding="utf-8"))))
    OUTPUT.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    print(f"written: {OUTPUT}")


if __name__ == "__main__":
    main()
