"""Commits that passed before, as `--passed FILE` lists them: `SHA`, or `SHA SERVICE ENVIRONMENT`, one a line."""

from __future__ import annotations

from incident_ops.errors import UserError
from incident_ops.gate.release import SHORTEST_SHA, is_same_commit

_HEX = frozenset("0123456789abcdefABCDEF")


def is_listed(text: str, service: str, environment: str, sha: str, file: str) -> bool:
    """True where this commit is listed for this service and environment; a line with a commit alone is for all.

    Blank lines and what follows `#` do not count. UserError for a line of another form: a list that is damaged is no
    list.
    """
    found = False
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) not in (1, 3) or len(words[0]) < SHORTEST_SHA or not _HEX.issuperset(words[0]):
            hint = "write SHA, or SHA SERVICE ENVIRONMENT; a commit has 7 digits at least"
            raise UserError("this line names no commit that passed", where=f"{file}:{number}", hint=hint)
        here = len(words) == 1 or tuple(words[1:]) == (service, environment)
        found = found or (here and is_same_commit(words[0], sha))
    return found
