"""What became of a record that was sent, as lines for people and as data: above all whether anybody knows of it yet."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import Any

from incident_ops.domain.sending import EDIT_BRANCHES, FREEZE_BRANCHES, SentRecord, WaitingRecord
from incident_ops.render.findings import command, inert

SHORT_COMMIT = 12


def sent_lines(sent: SentRecord) -> list[str]:
    """What happened, whether anybody has been notified, and what is next."""
    if sent.is_merged:
        done = "nothing to send: the remote's default branch says all of it"
        return [done, *([f"to take it into this clone: {_pull_line(sent)}"] if sent.onto and not sent.is_here else [])]
    lines = [*_happened(sent)]
    if sent.has_others and sent.commit:
        lines.append("joined with what others sent; your file lacks that until it is merged and you pull")
    about = "" if not sent.branch.startswith(EDIT_BRANCHES) else " of this"
    lines.append(f"nobody has been notified{about} yet: {_until(sent)}")
    by_hand = [f"or by hand: open {sent.open_at}"] if sent.open_at and sent.problem else []
    by_git = [f"with git: git push origin {quote(f'{sent.branch}:{sent.onto}')}"] if sent.is_ahead else []
    then = [f"once it is merged: {_pull_line(sent)}"] if sent.is_sent else []
    return [*lines, f"next: {_next(sent)}", *by_hand, *by_git, *then]


def _pull_line(sent: SentRecord) -> str:
    """The command that brings what was merged into the work tree, which git alone does not write over."""
    return f"git fetch && git checkout origin/{quote(sent.onto)} -- {quote(sent.path.rpartition('/')[0])} && git pull"


def exchange_lines(sent: SentRecord) -> list[str]:
    """The same of a swap in a schedule, or of a freeze, which is always on the remote."""
    by_git = [f"with git: git push origin {quote(f'{sent.branch}:{sent.onto}')}"] if sent.is_ahead else []
    meanwhile = "nothing is held" if sent.branch.startswith(FREEZE_BRANCHES) else "the schedule stands"
    until = f"it counts once it is merged; until then {meanwhile}"
    step = f"open {sent.open_at}" if sent.problem else _next(sent)
    return [*_happened(sent), until, f"next: {step}", *by_git]


def _happened(sent: SentRecord) -> list[str]:
    if sent.is_sent and sent.pull is not None:
        verb = "sent" if sent.is_new else "nothing new to send"
        opened = "opened" if sent.pull.is_new else "it is on"
        return [f"{verb}: {opened} pull request #{sent.pull.number} of branch {sent.branch}"]
    if sent.is_sent:
        return [f"{'pushed' if sent.is_new else 'nothing new to push'}: branch {sent.branch}"]
    if sent.commit:
        return [f"waits: commit {sent.commit[:SHORT_COMMIT]} on branch {sent.branch} of this clone"]
    return [f"waits: {sent.path}, which is written here and not committed"]


def _until(sent: SentRecord) -> str:
    if not sent.is_sent:
        return "that follows once it is sent and merged"
    if sent.pull is None and sent.open_at:
        return "that follows once its pull request is open and merged"
    return f"that follows once it is merged into {sent.onto}"


def _next(sent: SentRecord) -> str:
    if sent.problem or not sent.is_sent:
        return f"incident-ops send {sent.incident}"
    if sent.pull is not None:
        return f"merge {sent.pull.url}"
    return f"open {sent.open_at}" if sent.open_at else f"merge branch {sent.branch} into {sent.onto}"


def sent_data(sent: SentRecord) -> dict[str, Any]:
    """The same for a program; `sent` is true where the last commit is on the remote."""
    pull = None if sent.pull is None else {"number": sent.pull.number, "url": sent.pull.url}
    return {
        "branch": sent.branch or None,
        "commit": sent.commit or None,
        "sent": sent.is_sent or sent.is_merged,
        "pull_request": pull,
        "open_at": sent.open_at or None,
        "problem": sent.problem or None,
    }


def step_outputs(sent: SentRecord) -> dict[str, str]:
    """The same as outputs of a workflow's step: what is not on the remote is ""."""
    return {
        "incident-id": sent.incident,
        "branch": sent.branch if sent.is_sent else "",
        "pull-request": sent.pull.url if sent.pull else "",
    }


def step_summary(sent: SentRecord, title: str) -> str:
    """The same as Markdown for the summary of that step; `title` of the incident is "" where nobody may see it."""
    from incident_ops.documents.markdown import inline, link

    pull = [f"- {link(f'Pull request #{sent.pull.number}', sent.pull.url)}"] if sent.pull else []
    problem = [f"- {inline(inert(f'not done: {sent.problem}'))}"] if sent.problem else []
    lines = [f"- {inline(inert(line))}" for line in sent_lines(sent)]
    return "\n".join([f"## {inline(': '.join(filter(None, (sent.incident, title))))}", "", *pull, *problem, *lines, ""])


def step_annotation(sent: SentRecord) -> str:
    """One annotation of the step where something is left to do, else ""."""
    if not sent.problem:
        return ""
    what = "has no pull request" if sent.is_sent else "was not sent"
    return command("error", {"title": f"{sent.incident} {what}"}, sent.problem) + "\n"


def waiting_lines(waiting: Sequence[WaitingRecord]) -> list[str]:
    """A line for each record that waits."""
    return [f"{one.incident}: {waiting_why(one)}" for one in waiting]


def waiting_why(one: WaitingRecord) -> str:
    """Where it waits, and why."""
    if one.is_gone:
        return f"{one.why}, so it is not sent; drop the branch: git branch -D {one.branch}"
    return f"{one.path}: {one.why}" if not one.commit else f"branch {one.branch}: {one.why}"


def waiting_data(one: WaitingRecord) -> dict[str, Any]:
    """The same for a program."""
    return {
        "incident": one.incident,
        "path": one.path,
        "branch": one.branch or None,
        "commit": one.commit or None,
        "why": one.why,
    }
