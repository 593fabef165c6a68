"""The picture of a canary's page in docs/gate.md: a run that breaks in its second step, as a browser shows it.

python docs/canary_picture.py [FOLDER]     writes PNG files to docs/pictures, or to FOLDER
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from random import Random

from issue_pictures import ROOT, found_browser, shoot

from incident_ops.canary.config import to_analysis
from incident_ops.canary.counters import Counts, Gap
from incident_ops.canary.replay import CanaryOutcome, RecordedTick, replay_ticks
from incident_ops.canary.trace import RunFacts
from incident_ops.render.canary_page import canary_page

STEPS = [{"weight": 10, "duration": "10m"}, {"weight": 50, "duration": "10m"}, {"weight": 100}]
GATE = {
    "metadata": {"name": "checkout-errors"},
    "spec": {
        "provider": {"file": {}},
        "warmup": "1m",
        "steps": STEPS,
        "metrics": [{"name": "http-5xx", "type": "errorRate", "maxErrorRate": "5%"}],
    },
}
FACTS = RunFacts("checkout", "production", "7be19f2c", "@alice", "2025-01-26T14:00:00Z")
_EVERY, _RPS, _RATE, _BROKEN = 15, 100, 0.01, 4.0


def late_breaking() -> CanaryOutcome:
    """The outcome of a canary that has four times the errors soon after its second step began."""
    chance, lines = Random(7), []

    def counted(share: float, rate: float) -> Counts:
        requests = round(chance.gauss(1, 0.05) * share * _RPS * _EVERY)
        return Counts(min(requests, max(0, round(chance.gauss(requests * rate, (requests * rate) ** 0.5)))), requests)

    for at in range(-900, 1201, _EVERY):
        share = 0.0 if at <= 0 else 0.1 if at <= 600 else 0.5
        rate = _RATE * (_BROKEN if at > 750 else 1)
        canary = counted(share, rate) if share else Gap("no_data", "not out yet")
        lines.append(RecordedTick(at, canary, counted(1 - share, _RATE)))
    return replace(replay_ticks(to_analysis(GATE), lines), facts=FACTS)


def main() -> None:
    """Writes the pictures; ends with a message where the browser is missing."""
    into = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/pictures"
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "canary.html"
        source.write_text(canary_page(late_breaking()), encoding="utf-8")
        shoot(found_browser(), source, into / "canary-desk-light.png", (760, 1180))


if __name__ == "__main__":
    main()
