"""A comment that silences a rule has something to silence.

What was mended needs no comment any more, and one left behind would hide the next fault. What reading and schema find,
secrets, unsafe characters, the moves of a state and what was merged cannot be silenced.

    before: severity: SEV1  # incident-ops: ignore[label] moved over from the old scheme
    after:  severity: SEV1
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from incident_ops.domain.record import Silence
from incident_ops.findings import Finding, Level, Where, did_you_mean

ID = "silence-unused"
LEVEL = Level.WARNING
TIMED = False


def check_silence(
    silence: Silence, used: Collection[str], silenceable: Collection[str], every: Collection[str]
) -> Iterator[Finding]:
    """A finding for each rule of a comment that is not in `used`; `every` is the ids of all rules."""
    where = Where(silence.path, (), silence.line, silence.column)
    if not silence.rules:
        yield Finding(ID, LEVEL, where, "this names no rule to silence", "write its id between the brackets")
    for name in silence.rules:
        if name in used:
            continue
        if name in silenceable:
            yield Finding(ID, LEVEL, where, f"{name} finds nothing on line {silence.on}", "remove the comment")
        elif name in every:
            yield Finding(ID, LEVEL, where, f"{name} cannot be silenced", "mend what it finds, remove the comment")
        else:
            yield Finding(ID, LEVEL, where, f"there is no rule {name!r}", did_you_mean(name, sorted(silenceable)))
