"""A comment that suppresses a rule gives a reason.

The comment `# incident-ops: ignore[rule-id] reason`, at the end of a finding's line or alone on the line above,
suppresses the rule there. Without a reason nobody can tell later whether it still applies, so it has no effect.

    before: commander: "@ann"  # incident-ops: ignore[contact-known]
    after:  commander: "@ann"  # incident-ops: ignore[contact-known] left the team, was on duty that night
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.record import Silence
from incident_ops.findings import Finding, Level, Where

ID = "silence-reason"
LEVEL = Level.ERROR
TIMED = False


def check_silence(silence: Silence) -> Iterator[Finding]:
    """The finding where the reason is missing."""
    if not silence.reason:
        where = Where(silence.path, (), silence.line, silence.column)
        yield Finding(
            ID, LEVEL, where, "this comment suppresses a rule without giving a reason", "write the reason after the `]`"
        )
