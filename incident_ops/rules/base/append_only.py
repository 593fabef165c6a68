"""Merged entries of a history stay as they are, in their order.

Timeline, updates, changes, corrections, escalations, deadlines and cycles only grow. Four things may be added later:
whether an escalation was `appropriate`, whom it reached later (from `failed` to the end of `notified`), the `ref` of a
report, and a missing time of a cycle. To fix a mistake, add one more entry: `corrects` in the
timeline, a correction for a time, another update. After merging two branches a new entry may be above an older one if
it happened earlier (a note). Only a text that contains a secret may be removed (a warning).

    before: timeline:
            - {at: 2025-01-26T12:05:00Z, kind: detection, event: Alert fired}
    after:  timeline:
            - {at: 2025-01-26T12:05:00Z, kind: detection, event: Alert fired}
            - {at: 2025-01-26T12:04:00Z, kind: detection, event: It fired a minute earlier, corrects: 1}
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from incident_ops.domain.record import Record, World, blocks
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import later, rule_finding
from incident_ops.rules.secret import holds_secret

ID = "append-only"
LEVEL = (Level.ERROR, Level.WARNING, Level.NOTE)
TIMED = False

HistoryEntry = dict[str, Any]


class History(NamedTuple):
    """A list that only grows: the instant of an entry, the keys that may change, how to fix a mistake."""

    name: str
    instant: str
    free: tuple[str, ...]
    fix: str


HISTORIES = (
    History("timeline", "at", ("corrects",), "add an entry with `corrects: {}` at the end"),
    History("updates", "at", (), "write a new update"),
    History("changes", "at", (), "add the next change below"),
    History("corrections", "at", (), "add another correction: the last one counts"),
    History(
        "escalations",
        "at",
        ("appropriate", "notified", "failed"),
        "only `appropriate` may change, and people move from `failed` to the end of `notified`",
    ),
    History("deadlines", "done_at", ("ref",), "only `ref` may change"),
    History("cycles", "reopened", ("restored", "resolved", "verified", "closed"), "to change a time, use corrections"),
)


def check(before: Record, after: Record, _world: World | None) -> Iterator[Finding]:
    """Each history as it was merged against what it is now."""
    for history in HISTORIES:
        was, now = before.data.get(history.name) or [], after.data.get(history.name) or []
        if now[: len(was)] == was:
            continue
        places = _places([_fixed(history, entry) for entry in was], [_fixed(history, entry) for entry in now])
        if places is None:
            yield from _rewritten(history, was, now)
        else:
            yield from _in_part(history, was, now, places)
            yield from _above(history, now, places)


def _fixed(history: History, entry: HistoryEntry) -> bytes:
    """What of an entry can never change, comparable type by type."""
    return msgspec.json.encode({key: entry[key] for key in sorted(entry) if key not in history.free})


def _places(was: Sequence[bytes], now: Sequence[bytes]) -> list[int] | None:
    """Where each merged entry is now; None where they are not all there in their order."""
    places, at = [], 0
    for entry in was:
        while at < len(now) and now[at] != entry:
            at += 1
        if at == len(now):
            return None
        places.append(at)
        at += 1
    return places


def _in_part(
    history: History, was: Sequence[HistoryEntry], now: Sequence[HistoryEntry], places: list[int]
) -> Iterator[Finding]:
    """Keys that may change only in one way."""
    for number, (entry, place) in enumerate(zip(was, places, strict=True)):
        if history.name == "timeline":
            target = entry.get("corrects")
            if target is not None and 1 <= target <= len(places):
                target = places[target - 1] + 1  # the entry it corrects may be further down now
            if now[place].get("corrects") != target:
                yield _edited(history, number, entry, now[place], place)
        elif history.name == "cycles" and any(now[place].get(key) != entry[key] for key in entry):
            yield _edited(history, number, entry, now[place], place)
        elif history.name == "escalations" and not _reached_later(entry, now[place]):
            was_before, is_after = ({**one, "appropriate": None} for one in (entry, now[place]))
            yield _edited(history, number, was_before, is_after, place)


def _reached_later(was: HistoryEntry, now: HistoryEntry) -> bool:
    """True where an escalation tells the same people, some of whom have been reached since."""
    notified, notified_now = (one.get("notified") or [] for one in (was, now))
    failed, failed_now = (one.get("failed") or [] for one in (was, now))
    reached = notified_now[len(notified) :]
    left = [one for one in failed if one not in reached]
    is_moved = all(person in failed for person in reached) and failed_now == left
    return is_moved and notified_now[: len(notified)] == notified


def _above(history: History, now: Sequence[HistoryEntry], places: list[int]) -> Iterator[Finding]:
    """New entries above merged ones."""
    merged = set(places)
    latest, above = "", []
    for place in range(places[-1] + 1):
        if place not in merged:
            above.append(place)
            continue
        at = now[place][history.instant]
        latest = at if not latest or later(at, latest) else latest
        for new in above:
            route = (history.name, new)
            if later(now[new][history.instant], latest):
                message = "this new entry is above merged entries that are earlier"
                yield rule_finding(ID, Level.ERROR, route, message, f"new entries go to the end of {history.name}")
            else:
                message = "this new entry is above a merged entry"
                hint = f"correct after merging two branches; otherwise put it at the end of {history.name}"
                yield rule_finding(ID, Level.NOTE, route, message, hint)
        above = []


def _rewritten(history: History, was: Sequence[HistoryEntry], now: Sequence[HistoryEntry]) -> Iterator[Finding]:
    """Merged entries that were changed, moved or removed; there is at least one."""
    old, new = [_fixed(history, entry) for entry in was], [_fixed(history, entry) for entry in now]
    merged, spare = set(old), Counter(new)
    edited = [number for number, (before, after) in enumerate(zip(old, new, strict=False)) if before != after]
    if len(new) >= len(old) and not any(new[number] in merged for number in edited):
        for number in edited:
            yield _edited(history, number, was[number], now[number], number)
        return
    changed_blocks = [*blocks(old, new)]
    spare.subtract(old[number] for block in changed_blocks if block.same for number in block.was)
    for block in changed_blocks:
        if block.same:
            continue
        places = [place for place in block.now if new[place] not in merged]
        for number in block.was:
            if spare[old[number]] > 0:
                spare[old[number]] -= 1
                yield _entry_finding(history, was, number, "was moved: merged entries keep their order")
            elif places:
                place = places.pop(0)
                yield _edited(history, number, was[number], now[place], place)
            else:
                yield _entry_finding(history, was, number, "is gone")


def _edited(history: History, number: int, was: HistoryEntry, now: HistoryEntry, place: int) -> Finding:
    """The finding at the first key that differs; texts are not repeated, they may be what had to go."""
    keys = [key for key in [*now, *was] if key not in was or key not in now or now[key] != was[key]]
    route = (history.name, place, keys[0]) if keys and keys[0] in now else (history.name, place)
    if all(holds_secret(was.get(key)) and not holds_secret(now.get(key)) for key in keys):
        message = f"{_entry(history, number, was)} was changed where it held a secret"
        return rule_finding(ID, Level.WARNING, route, message, "the secret is still in git history: revoke it")
    changed_keys = " and ".join(dict.fromkeys(keys[:3]))
    message = f"{_entry(history, number, was)} was changed: {changed_keys}"
    return rule_finding(ID, Level.ERROR, route, message, f"put it back, and {_fix(history, number)}")


def _entry_finding(history: History, was: Sequence[HistoryEntry], number: int, what: str) -> Finding:
    message = f"{_entry(history, number, was[number])} {what}"
    return rule_finding(ID, Level.ERROR, (history.name,), message, f"put it back; {_fix(history, number)}", on_key=True)


def _entry(history: History, number: int, entry: HistoryEntry) -> str:
    return f"merged entry {number + 1} of {history.name} ({entry[history.instant]})"


def _fix(history: History, number: int) -> str:
    return history.fix.format(number + 1)
