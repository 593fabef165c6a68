"""What a tracker was seen to hold: frozen, complete, and all that a plan may know of the outside."""

from __future__ import annotations

from collections.abc import Iterable

from incident_ops.domain.incident import Value

LOCAL, GITHUB = "local", "github"

ISSUE_DELETED, ISSUE_TRANSFERRED, ISSUE_UNREACHABLE = "deleted", "transferred", "unreachable"


class Issue(Value, frozen=True):
    """One issue. `key` is the owner the tracker itself keeps, where it can; otherwise the marker in `body` tells.

    `state` is open or closed; `state_reason` completed, not_planned, duplicate, reopened, or None. `author` is the
    login that opened it, "" where the tracker keeps none; `parent` the number of the issue it is a sub-issue of, which
    may be in another repository; `milestone` the title of its milestone.
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
    milestone: str | None = None

    @property
    def is_open(self) -> bool:
        """True until somebody closed it."""
        return self.state == "open"


class IssueEdit(Value, frozen=True):
    """New values for an issue; None leaves a field as it is.

    Only a new issue gets all its `labels` and `assignees`. One that is there gets and loses single ones, so that what
    somebody adds meanwhile stays. `milestone` is a title, "" takes the milestone off.
    """

    title: str | None = None
    body: str | None = None
    labels: tuple[str, ...] | None = None
    assignees: tuple[str, ...] | None = None
    add_labels: tuple[str, ...] | None = None
    remove_labels: tuple[str, ...] | None = None
    add_assignees: tuple[str, ...] | None = None
    remove_assignees: tuple[str, ...] | None = None
    milestone: str | None = None

    def labels_after(self, labels: Iterable[str]) -> tuple[str, ...]:
        """The labels of an issue that has `labels`, once this is done; case makes no difference."""
        gone = {name.casefold() for name in self.remove_labels or ()}
        kept = {name.casefold(): name for name in labels if name.casefold() not in gone}
        return tuple(({name.casefold(): name for name in self.add_labels or ()} | kept).values())

    def assignees_after(self, assignees: Iterable[str]) -> tuple[str, ...]:
        """The same for people."""
        gone = {login.casefold() for login in self.remove_assignees or ()}
        there = {login.casefold(): login for login in assignees if login.casefold() not in gone}
        return tuple((there | {login.casefold(): login for login in self.add_assignees or ()}).values())


class Label(Value, frozen=True):
    """A label of the tracker: `color` six hexadecimal digits, `description` at most 100 characters."""

    name: str
    color: str = "ededed"
    description: str = ""


class Milestone(Value, frozen=True):
    """A milestone of the tracker: `due` is its day as text, "" for none."""

    title: str
    due: str = ""


def fold_title(title: str) -> str:
    """The title of a milestone as it is compared: spaces and case make no difference."""
    return " ".join(title.split()).casefold()


class Closing(Value, frozen=True):
    """How an issue was closed: by which login, at which instant (text, UTC), and the address of what closed it.

    `belongs` where the same answer names them owner, member or collaborator.
    """

    by: str | None = None
    at: str | None = None
    evidence: str | None = None
    belongs: bool = False


CLOSED_EVENT, REOPENED_EVENT, ASSIGNED_EVENT, UNASSIGNED_EVENT = "closed", "reopened", "assigned", "unassigned"
TICKED, LABELED_EVENT = "ticked", "labeled"
"""What an `Act` may be."""


class Act(Value, frozen=True):
    """Something that was done to an issue: `event` is one of the six above, `by` the login of who did it.

    `at` is an instant (text, UTC), `whom` the login that was assigned or taken off, or the label that was set. None
    where that is not known.
    `belongs` as of a closing.
    """

    event: str
    by: str | None = None
    at: str | None = None
    whom: str | None = None
    belongs: bool = False


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


class PullRequest(Value, frozen=True):
    """A pull request of ours: `state` is open, merged or closed.

    `closed_by` is the person who closed it unmerged; "" where nobody did: we closed it, GitHub, or the deletion of its
    branch.
    """

    number: int
    url: str
    state: str
    title: str
    body: str
    closed_by: str = ""


class ProposedFile(Value, frozen=True):
    """What a proposal does to a file: the sha256 of its bytes before and after; "" where it is not there."""

    before: str
    after: str


class Proposal(Value, frozen=True):
    """Edits of records on a branch of ours, as they were seen; `commit` "" where the branch is not there.

    `files` by path, against the commit that the branch stands on; `holds` are the fingerprints of its edits; `is_ours`
    False where somebody's own commit is on it. `pull` is its open pull request; `refused` those that people closed and
    that hold an edit which is due again, newest first. `is_known` False where a run had no room to ask who closed them,
    or about issues of its incident, so that nothing is done about this one.
    """

    branch: str
    commit: str = ""
    files: dict[str, ProposedFile] = {}
    holds: tuple[str, ...] = ()
    is_ours: bool = True
    pull: PullRequest | None = None
    refused: tuple[PullRequest, ...] = ()
    is_known: bool = True


FAILED, TAKES_NONE, NOT_ASKED = "failed", "takes none", "not asked"
"""Why nothing is known of a repository: a read that did not finish, no issues for this token, or nobody asked."""


class Unreached(Value, frozen=True):
    """A repository of a team whose issues are not known: `kind` is one of the three above.

    `reason` goes on after its name, `hint` says what mends it. `names` are those under which it was asked for,
    `numbers` (by key) the issues that earlier runs opened or saw there.
    """

    repository: str
    kind: str
    reason: str
    hint: str = ""
    names: tuple[str, ...] = ()
    numbers: dict[str, int] = {}

    def why(self, instead: str = "") -> str:
        """One sentence, with the fix; `instead` is what else helps where the repository takes no issues."""
        ways = [way for way in (self.hint, instead if self.kind == TAKES_NONE else "") if way]
        return f"{self.repository} {self.reason}" + (f" ({', or '.join(ways)})" if ways else "")


class WholeList(Value, frozen=True):
    """When a list of issues was read whole: by GitHub's clock (text, UTC), and with how many requests.

    `labels` is a digest over the labels of the repository: what becomes of one of them changes the date of no issue.
    """

    at: str
    pages: int
    labels: str = ""

    def is_longer_than(self, lists: int) -> bool:
        """True where one of so many lists had a second page: then it is worth remembering."""
        return self.pages > lists


class StoredIssue(Value, frozen=True):
    """An issue as a whole list showed it, without a word of it.

    `mark` is line 1 of its text where that is a marker of ours. `title` and `text` are digests, `text` over what is
    ours in it, "" where it cannot be made anew from a record; `ticked` are the keys of ticked boxes, `said` the digest
    that the hidden line of our comment has, `called` what we set because of an escalation. The others as of an `Issue`.
    """

    number: int
    mark: str = ""
    title: str = ""
    text: str = ""
    ticked: tuple[str, ...] = ()
    said: str = ""
    called: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    state: str = "open"
    state_reason: str | None = None
    author: str = ""
    parent: int | None = None
    milestone: str | None = None


class StoredList(Value, frozen=True):
    """A whole list of issues, remembered; `scope` is a digest over what it was read by: labels and identities."""

    whole: WholeList
    scope: str
    issues: tuple[StoredIssue, ...] = ()
    has_sub_issues: bool | None = None


class PagerAct(Value, frozen=True):
    """What a person did to an alert in the pager: ACKNOWLEDGED or RESOLVED_EVENT, by the user with this id and name, at
    an instant (text, UTC)."""

    event: str
    user: str
    name: str
    at: str


class SeenAlert(Value, frozen=True):
    """The alert of an incident as the pager shows it: `status` is triggered, acknowledged or resolved, "" where the
    pager does not know it; `at` when that last changed (text, UTC). `acts` in order, those of people alone."""

    status: str = ""
    at: str = ""
    acts: tuple[PagerAct, ...] = ()


class Snapshot(Value, frozen=True):
    """A tracker at one moment: what `--save-observed` writes and `--observed` reads.

    `records_id` is GitHub's id of the repository that holds the records, `repository_id` that of the one with the
    issues; 0 where there is none. `numbers` by key are those of issues that earlier runs opened or saw. `issues` by
    number: ours, and those that carry a label of ours; `labels` None where the tracker makes them itself,
    `milestones` also where no issue is to get one; `closings` by number, for the issues that a person closed; `acts`
    by number, in order, for those where who did what decides; `ticks` by number, then by the key of a box, who ticked
    it; `not_asked` the numbers that a run had no room to ask about; `members` says of each case-folded login that was
    asked about whether it counts; `gone` by number; `unassignable` are the logins that were asked about and cannot be
    assigned; `has_sub_issues` None where nothing tells; `proposals` are the edits of records that stand on branches of
    ours, `noticed` by key the instant that stands there of an escalation or a return. `comments` are those under
    tracking issues since `heard_since`, None where nobody asked. `ledger` are the lines of the ledger that this run
    may need, None where it could not be read. `records_at` is where people read the files of the records' folder: an
    address that ends with `/`, "" for none; `records_were` are the names (owner/name) that their repository is known to
    have had. `pager` shows the alerts of incidents (by id) that the pager was asked about, `pager_problem` why it did
    not answer for all, "" where it did.

    `elsewhere` are the repositories of teams that hold issues of action items, each seen as this one; `names` the
    other names under which one was asked for, and `unreached` those of which nothing is known. `tells_all` of a team's
    is False where more people may read it than the records. `whole` tells of a list that was read whole and may be
    remembered; `is_incremental` where only what had changed was listed: the words of people are then missing in texts,
    and no change is planned from it.
    """

    schema: int = 1
    source: str = LOCAL
    repository: str = ""
    records_id: int = 0
    repository_id: int = 0
    numbers: dict[str, int] = {}
    issues: tuple[Issue, ...] = ()
    labels: tuple[Label, ...] | None = None
    milestones: tuple[Milestone, ...] | None = None
    closings: dict[int, Closing] = {}
    acts: dict[int, tuple[Act, ...]] = {}
    ticks: dict[int, dict[str, Act]] = {}
    not_asked: tuple[int, ...] = ()
    members: dict[str, bool] = {}
    gone: tuple[MissingIssue, ...] = ()
    unassignable: tuple[str, ...] = ()
    has_sub_issues: bool | None = None
    proposals: tuple[Proposal, ...] = ()
    noticed: dict[str, str] = {}
    comments: tuple[Comment, ...] = ()
    heard_since: str | None = None
    ledger: tuple[str, ...] | None = None
    records_at: str = ""
    records_were: tuple[str, ...] = ()
    pager: dict[str, SeenAlert] = {}
    pager_problem: str = ""
    elsewhere: tuple[Snapshot, ...] = ()
    names: tuple[str, ...] = ()
    unreached: tuple[Unreached, ...] = ()
    tells_all: bool = False
    whole: WholeList | None = None
    is_incremental: bool = False
