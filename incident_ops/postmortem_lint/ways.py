"""What to type for each part and piece of structure that a postmortem lacks."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

WAYS: Mapping[str, str] = MappingProxyType(
    {
        "whys-end-in-person": '`incident-ops cause {id} --why-chain "WHY=BECAUSE"`',
        "cause-trigger-only": '`incident-ops cause {id} --why "..." --contributing "..."`',
        "no-went-well": '`incident-ops postmortem edit {id} --well "..."`',
        "action-vague": '`incident-ops action edit AI-N {id} --title "..." --acceptance "..."`',
        "action-training-only": '`incident-ops action add "..." {id} --kind preventative --owner @you`',
        "action-owner": "`incident-ops action edit AI-N {id} --owner @you`",
        "action-due": "`incident-ops action edit AI-N {id} --due 14d`",
        "action-link": '`incident-ops action edit AI-N {id} --description "..."`',
        "part-severity": "`incident-ops triage {id}`",
        "part-postmortem": "`incident-ops postmortem new {id}`",
        "part-summary": '`incident-ops postmortem edit {id} --summary "..."`',
        "part-timeline": '`incident-ops timeline "..." {id} --kind detection --at WHEN`',
        "part-cause": '`incident-ops cause {id} --what "..." --why "..."`',
        "part-impact": '`incident-ops impact {id} --users N --revenue "2500 USD" --budget-minutes N`',
        "part-went-poorly": '`incident-ops postmortem edit {id} --poorly "..."`',
        "part-lessons": '`incident-ops postmortem edit {id} --lesson "technical=..."`',
        "part-actions": '`incident-ops action add "..." {id} --owner @you --due 14d`',
        "part-communication": '`incident-ops timeline "..." {id} --kind communication --at WHEN`',
        "part-runbook": "`runbook_updated: 2026-01-31` below `links:` of the record, or "
        '`incident-ops action add "..." {id} --kind runbook --owner @you`',
    }
)
"""By rule, with the id of the incident to be put in."""
