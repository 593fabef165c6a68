"""Which rules of the lint a comment may name, for those who only read comments."""

from __future__ import annotations

from collections.abc import Sequence, Set

from incident_ops.domain.record import Silence


def rules_of_the_lint(silences: Sequence[Silence]) -> Set[str]:
    """The rules that `postmortem lint` alone looks at, where there is a comment that may name one."""
    if not silences:
        return frozenset()
    from incident_ops.postmortem_lint.catalogue import LINT_RULES  # few records have such a comment

    return LINT_RULES.keys()
