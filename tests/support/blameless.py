"""How well the lint of postmortems does on sentences, texts and records that others judged.

    python -m tests.support.blameless FILE

A file holds `sentences` (each with the `fault` a reviewer names first, or `none`), `texts` without fault, and
`structures` with their faults. Its two halves are split by a hash, so that rules can be written by looking at one of
them only.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from incident_ops.postmortem_lint.actions import names_day
from incident_ops.postmortem_lint.language import remarks_on
from incident_ops.postmortem_lint.structure import structure_remarks
from incident_ops.postmortem_lint.texts import Kind, RecordText

KINDS = {
    "blame": "blame_person",
    "human-error": "human_error_as_cause",
    "negligence": "negligence_word",
    "judgement": "judgement_of_person",
    "mind-reading": "mind_reading",
    "passive-voice": "passive_hiding",
    "training-fix": "training_only_fix",
    "careful-fix": "be_careful_fix",
}
FAULTS = {
    "whys-end-in-person": "whys_end_in_person",
    "no-went-well": "no_went_well",
    "action-vague": "action_vague",
    "action-training-only": "action_training_only",
    "action-owner": "action_without_owner",
    "action-due": "action_without_due",
    "cause-trigger-only": "cause_is_trigger_only",
}
HALVES = {"seen": (1,), "unseen": (0,), "whole": (0, 1)}


class Share(NamedTuple):
    """How many of how many."""

    part: int
    whole: int

    @property
    def percent(self) -> float:
        """100 where there is nothing to find."""
        return 100 * self.part / self.whole if self.whole else 100.0

    def __str__(self) -> str:
        return f"{self.part} of {self.whole} ({self.percent:.0f} %)" if self.whole else "nothing there"


class Score(NamedTuple):
    """Faults found, and found with their kind; fine sentences flagged; hits a 1,000 words of fine texts; structural
    faults found, and structural findings that no reviewer has; and each miss and false alarm in words."""

    found: Share
    of_kind: Share
    flagged: Share
    hits: float
    words: int
    structural: Share
    structural_flagged: int
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"faults found {self.found}, with their kind {self.of_kind}; fine sentences flagged {self.flagged}; "
            f"hits a 1,000 words of fine texts {self.hits:.2f} ({self.words:,} words); "
            f"structural faults found {self.structural}, false {self.structural_flagged}"
        )


def half(item: dict[str, Any]) -> int:
    """1 for the half that may be looked at while rules are written, 0 for the other."""
    return int(hashlib.sha256(json.dumps(item, sort_keys=True).encode()).hexdigest(), 16) % 2


def language_kinds(text: str) -> list[str]:
    """What the rules of language find in a text of an account, in the words of the file."""
    return [KINDS.get(remark.rule, remark.rule) for remark in remarks_on(RecordText(("x",), text, Kind.ACCOUNT))]


def structural_faults(record: dict[str, Any]) -> set[str]:
    """What the rules of structure find in a record of the file, in its words."""
    data = {
        "cause": {**record.get("cause", {}), "five_whys": record.get("five_whys", [])},
        "postmortem": {"summary": "x", **{key: record[key] for key in ("went_well", "went_poorly") if key in record}},
        "action_items": record.get("actions", []),
    }
    found = structure_remarks(data, lambda _index, item: names_day(item.get("due")))
    return {FAULTS[remark.rule] for remark in found if remark.rule in FAULTS}


def score(data: dict[str, Any], halves: Sequence[int]) -> Score:
    """The figures of the items in these halves."""
    kept = {
        name: [item for item in data.get(name, []) if half(item) in halves]
        for name in ("sentences", "texts", "structures")
    }
    faulty = [item for item in kept["sentences"] if item["fault"] != "none"]
    fine = [item for item in kept["sentences"] if item["fault"] == "none"]
    kinds = {item["id"]: language_kinds(item["text"]) for item in kept["sentences"]}
    hits = {item["id"]: language_kinds(item["text"]) for item in kept["texts"]}
    words = sum(len(item["text"].split()) for item in kept["texts"])
    wanted = {item["id"]: set(item["faults"]) - {"none"} for item in kept["structures"]}
    got = {item["id"]: structural_faults(item["record"]) for item in kept["structures"]}
    wrong = [f"missed {item['id']}: {item['text']}" for item in faulty if not kinds[item["id"]]]
    wrong += [f"false {item['id']} {kinds[item['id']]}: {item['text']}" for item in fine if kinds[item["id"]]]
    wrong += [f"hit {name}: {found}" for name, found in hits.items() if found]
    wrong += [
        f"structure {name}: wanted {wanted[name]}, got {got[name]}" for name in wanted if wanted[name] != got[name]
    ]
    return Score(
        Share(sum(bool(kinds[item["id"]]) for item in faulty), len(faulty)),
        Share(
            sum(not {item["fault"], *item.get("also", [])}.isdisjoint(kinds[item["id"]]) for item in faulty),
            len(faulty),
        ),
        Share(sum(bool(kinds[item["id"]]) for item in fine), len(fine)),
        1000 * sum(map(len, hits.values())) / words if words else 0.0,
        words,
        Share(sum(len(wanted[name] & got[name]) for name in wanted), sum(map(len, wanted.values()))),
        sum(len(got[name] - wanted[name]) for name in wanted),
        tuple(wrong),
    )


def _as_asked(item: dict[str, Any], kinds: Sequence[str]) -> bool:
    """Whether one of the kinds that are right for a sentence was found."""
    return not {item["fault"], *item.get("also", [])}.isdisjoint(kinds)


if __name__ == "__main__":
    asked = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for title, parts in HALVES.items():
        of_half = score(asked, parts)
        lines = [f"{title}: {of_half}", *(f"  {line}" for line in of_half.wrong if title != "whole")]
        sys.stdout.write("\n".join([*lines, ""]))
