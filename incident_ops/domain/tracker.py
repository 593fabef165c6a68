"""What a tracker was seen to hold: frozen, complete, and all that a plan may know of the outside."""

from __future__ import annotations

from incident_ops.domain.incident import Value

LOCAL, GITHUB = "local", "github"

ISSUE_DELETED, ISSUE_TRANSFERRED, ISSUE_UNREACHABLE = "deleted", "transferred", "unreachable"


class Issue(Value, frozen=True):
    """One issue. `key` is the owner the tracker itself keeps, where it can; otherwise the marker in `body` tells.

    `state` is open or closed; `state_reason` completed, not_planned, duplicate, reopened, or None. `author` is the
    login that opened it, "" where the tracker keeps none; `parent` the number of the issue it is a sub-issue of.
    """

    number: int
    title: str
    body: str
    labels: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    state: str = "open"
    state_reason: str | None = None
    key: str | None = None
    author: str = ""
    parent: int | None = None

    @property
    def is_open(self) -> bool:
        """True until somebody closed it."""
        return self.state == "open"


class IssueEdit(Value, frozen=True):
    """New values for an issue; None leaves a field as it is."""

    title: str | None = None
    body: str | None = None
    labels: tuple[str, ...] | None = None
    assignees: tuple[str, ...] | None = None


class Label(Value, frozen=True):
    """A label of the tracker: `color` six hexadecimal digits, `description` at most 100 characters."""

    name: str
    color: str = "ededed"
    description: str = ""


class Closing(Value, frozen=True):
    """How an issue was closed: by which login, at which instant (text, UTC), and the address of what closed it."""

    by: str | None = None
    at: str | None = None
    evidence: str | None = None


CLOSED_EVENT, REOPENED_EVENT, ASSIGNED_EVENT, UNASSIGNED_EVENT = "closed", "reopened", "assigned", "unassigned"
TICKED = "ticked"
"""What an `Act` may be."""


class Act(Value, frozen=True):
    """Something that was done to an issue: `event` is one of the five above, `by` the login of who did it.

    `at` is an instant (text, UTC), `whom` the login that was assigned or taken off. None where that is not known.
    """

    event: str
    by: str | None = None
    at: str | None = None
    whom: str | None = None


class BodyEdit(Value, frozen=True):
    """The text that an edit gave to an issue: by which login, at which instant (text, UTC); None = not known."""

    body: str
    by: str | None = None
    at: str | None = None


class MissingIssue(Value, frozen=True):
    """An issue that a record names by number and that is not there; `why` is DELETED, TRANSFERRED or UNREACHABLE.

    `place` is where it went, an address, where that is known.
    """

    number: int
    why: str
    place: str = ""


class Comment(Value, frozen=True):
    """What somebody wrote under an issue: by which login, at which instant (text, UTC). `is_bot` = no person.

    `is_stranger` where the tracker does not name them owner, member or collaborator: what they write is text.
    """

    issue: int
    by: str
    at: str
    body: str
    is_bot: bool = False
    is_stranger: bool = False


class Snapshot(Value, frozen=True):
    """A tracker at one moment: what `--save-observed` writes and `--observed` reads.

    `issues` by number: ours, and those that carry a label of ours; `labels` None where the tracker makes them itself;
    `closings` by number, for the issues that a person closed; `acts` by number, in order, for those where who did what
    decides; `ticks` by number, then by the key of a box, who ticked it; `not_asked` the numbers that a run had no room
    to ask about; `members` says of each case-folded login that was asked about whether it counts; `gone` by number;
    `unassignable` are the logins that were asked about and cannot be assigned; `has_sub_issues` None where nothing
    tells; `proposed` is, by path, the sha256 of each file on the branch of our open proposal, `noticed` by key the
    instant that stands there of an escalation or a return. `comments` are those under tracking issues since
    `heard_since`, None where nobody asked. `ledger` are the lines of the ledger that this run may need, None where it
    could not be read.
    """

    schema: int = 1
    source: str = LOCAL
    repository: str = ""
    issues: tuple[Issue, ...] = ()
    labels: tuple[Label, ...] | None = None
    closings: dict[int, Closing] = {}
    acts: dict[int, tuple[Act, ...]] = {}
    ticks: dict[int, dict[str, Act]] = {}
    not_asked: tuple[int, ...] = ()
    members: dict[str, bool] = {}
    gone: tuple[MissingIssue, ...] = ()
    unassignable: tuple[str, ...] = ()
    has_sub_issues: bool | None = None
    proposed: dict[str, str] = {}
    noticed: dict[str, str] = {}
    comments: tuple[Comment, ...] = ()
    heard_since: str | None = None
    ledger: tuple[str, ...] | None = None
