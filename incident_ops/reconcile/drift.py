"""How an issue differs from what its record asks for: in labels, and why it changes. Pure."""

from __future__ import annotations

from incident_ops.domain.tracker import Issue, IssueEdit
from incident_ops.reconcile import generated_block
from incident_ops.reconcile.desired import OLD_STATES, Desired, DesiredIssue


def label_drift(
    wanted: DesiredIssue, issue: Issue, desired: Desired, *, is_old: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The labels of the record that an issue lacks, and those of ours that are out of place, whatever the case.

    Bare names of states are ours where an older version labelled the issue (`is_old`), and people's ever after.
    """
    there = {label.casefold() for label in issue.labels}
    labels = {label.casefold() for label in wanted.labels}
    ours = desired.vocabulary | (OLD_STATES if is_old else frozenset())
    missing = tuple(label for label in wanted.labels if label.casefold() not in there)
    return missing, tuple(label for label in issue.labels if label.casefold() in ours - labels)


def reason_to_change(edit: IssueEdit, parent: str | None, parts: generated_block.Parts, block: str) -> str:
    """Why an issue changes; `block` is the text that it is to have."""
    if edit.body is not None and (parts.key is None or parts.block is None):
        return "a marker was removed"
    if edit.body is not None and parts.is_of_older_version and parts.is_ours:
        return "an older version wrote its hidden line and its labels"
    if edit.body is not None and generated_block.foreign_lines(parts, block):
        return "what people wrote in the generated text moves below it"
    if edit.body is not None:
        return "the record changed" if parts.is_ours else "the generated text was edited; the record wins"
    differs = {
        "title": edit.title,
        "labels": edit.add_labels or edit.remove_labels,
        "assignees": edit.add_assignees or edit.remove_assignees,
        "milestone": edit.milestone is not None,
    }
    names = [name for name, found in differs.items() if found]
    return f"not as in the record: {' and '.join([*names, 'parent'] if parent else names)}"
