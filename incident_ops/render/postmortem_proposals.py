"""What `postmortem open` prints: what became of each pull request, for people, for scripts, for the page of a job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from incident_ops.documents.markdown import code_block
from incident_ops.domain.record import Unread
from incident_ops.errors import IncidentOpsError, Stopped
from incident_ops.render.findings import json_text, quiet

PROPOSED, OPEN, ENDED, LEFT = "proposed", "open", "ended", "left"
_WOULD = {PROPOSED: "would be proposed", ENDED: "would end"}


class PostmortemProposal(NamedTuple):
    """What became of the pull request of a postmortem, or would: PROPOSED (opened, or brought up to date), OPEN (it
    waits for people), ENDED (nothing is left to propose) or LEFT; `reason` says why. `pull` is its number, None before
    there is one.
    """

    incident: str
    branch: str
    outcome: str
    reason: str
    pull: int | None = None


class OpenedPostmortems(NamedTuple):
    """What became of each, by branch; what was done beside them; the records that could not be used, and what failed.
    `was_asked`: GitHub was; `is_dry`: nothing was done."""

    proposals: tuple[PostmortemProposal, ...]
    lines: tuple[str, ...]
    unread: tuple[Unread, ...]
    errors: tuple[IncidentOpsError, ...]
    was_asked: bool = True
    is_dry: bool = False


def proposal_lines(done: OpenedPostmortems) -> list[str]:
    """A line for each pull request, and for what was done beside them."""
    would = _WOULD if done.is_dry else {}
    lines = [f"{one.incident}: {would.get(one.outcome, one.outcome)}: {one.reason}" for one in done.proposals]
    return [quiet(line) for line in (*(lines or ["no postmortem is to be begun"]), *done.lines)]


def proposal_problems(done: OpenedPostmortems) -> list[str]:
    """What was left or went wrong, a line each, with a word such as `error:` before it."""
    asked = () if done.was_asked else (_NOT_ASKED,)
    unread = (f"error: {one.path}: not read: {one.reason}" for one in done.unread)
    errors = (f"{'held' if isinstance(one, Stopped) else 'error'}: {one}" for one in done.errors)
    return [quiet(line) for line in (*asked, *unread, *errors)]


_NOT_ASKED = "note: GITHUB_TOKEN is not set, so GitHub was not asked: what is open there, or was closed, is not in this"


def proposals_json(done: OpenedPostmortems) -> str:
    """The same for a program."""
    data = {
        "schema": 1,
        "dry_run": done.is_dry,
        "postmortems": [one._asdict() for one in done.proposals],
        "done": [*done.lines],
        "failed": [str(one) for one in done.errors],
    }
    unread = [{"path": one.path, "reason": one.reason} for one in done.unread]
    return json_text(data | ({"unread": unread} if unread else {}))


def proposals_summary(lines: Sequence[str]) -> str:
    """The page of a job."""
    return f"### Postmortems\n\n{code_block([*lines], 'text')}\n"
