"""A comment that suppresses a rule has something to suppress.

Once the problem is fixed the comment is no longer needed, and leaving it would hide the next one. Errors of reading
and of the schema, secrets, unsafe characters, state transitions and edits of merged history cannot be suppressed.

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
        yield Finding(ID, LEVEL, where, "this comment names no rule to suppress", "write its id between the brackets")
    for name in silence.rules:
        if name in used:
            continue
        if name in silenceable:
            yield Finding(ID, LEVEL, where, f"{name} finds nothing on line {silence.on}", "remove the comment")
        elif name in every:
            yield Finding(ID, LEVEL, where, f"{name} cannot be suppressed", "fix what it finds, and remove the comment")
        else:
            yield Finding(ID, LEVEL, where, f"there is no rule {name!r}", did_you_mean(name, sorted(silenceable)))
