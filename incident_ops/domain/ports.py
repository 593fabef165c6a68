"""What the core asks of the world; adapters answer.

A read that did not finish raises `Incomplete`, never "nothing there".

A file of a revision, as git names it.

Who may create issues at this moment.

The workflows of a repository, and their runs.

What a metric source is asked for, and what it answers before anybody judges it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from incident_ops.domain.notification import Ledger, Message, Pair
    from incident_ops.domain.tracker import (
        Act,
        BodyEdit,
        Closing,
        Comment,
        Issue,
        IssueEdit,
        Label,
        Milestone,
        MissingIssue,
    )


class IssueTracker(Protocol):
    """A tracker that holds our issues. Each write is one step: it happens whole or not at all.

    Reads raise `Incomplete`, writes `WriteFailed`; both raise `Stopped` where the run may ask no more. A write of which
    nobody can tell whether it happened raises `Ambiguous`.
    """

    @property
    def source(self) -> str:
        """LOCAL or GITHUB: whether its numbers are those that records carry."""
        ...

    @property
    def repository(self) -> str:
        """`owner/name`, "" for a tracker without one."""
        ...

    @property
    def records_id(self) -> int:
        """The id that GitHub gave the repository with the records; a new name or owner leaves it. 0 without one."""
        ...

    @property
    def repository_id(self) -> int:
        """The id of the repository with the issues, mostly the same one."""
        ...

    @property
    def has_sub_issues(self) -> bool | None:
        """Whether one issue can be the parent of another, as far as the answers so far show; None while unknown."""
        ...

    def owned(self) -> Sequence[Issue]:
        """Every issue with a label of ours, open or closed, complete; other people's issues may be among them."""
        ...

    def labels(self) -> Sequence[Label] | None:
        """Every label; None where the tracker makes labels by itself."""
        ...

    def milestones(self) -> Sequence[Milestone] | None:
        """Every milestone, open or closed; None where the tracker makes them by itself."""
        ...

    def look_up(self, number: int) -> Issue | MissingIssue:
        """One issue by its number, whatever its labels."""
        ...

    def closing(self, number: int) -> Closing:
        """Who closed an issue, when, and with which pull request or commit."""
        ...

    def acts(self, number: int) -> Sequence[Act]:
        """Who closed, reopened, assigned and took off whom on an issue, in order."""
        ...

    def body_edits(self, number: int) -> Sequence[BodyEdit]:
        """The texts that an issue has had, oldest first, as far as the tracker keeps them."""
        ...

    def comments_since(self, at: datetime) -> Sequence[Comment]:
        """What was written under issues, whoever's they are, and written or changed at or after `at` (aware UTC)."""
        ...

    def assignable(self, logins: Collection[str]) -> frozenset[str]:
        """Those of `logins` that an issue can be assigned to: owners, members and collaborators of the repository."""
        ...

    def create(
        self,
        key: str,
        title: str,
        body: str,
        labels: Sequence[str],
        assignees: Sequence[str],
        parent: int | None = None,
        milestone: str | None = None,
    ) -> int:
        """Opens the issue that `key` owns, with all it needs, in one step -> its number.

        Where the key owns an issue already, that one's number is returned and nothing is written. `parent` makes it a
        sub-issue where the tracker has such; without them nothing is lost but the link. A `milestone` (title) that is
        not there is left out.
        """
        ...

    def update(self, number: int, edit: IssueEdit) -> None:
        """Changes what `edit` names."""
        ...

    def close(self, number: int, reason: str, edit: IssueEdit) -> None:
        """Closes as completed, not_planned or duplicate, and changes what `edit` names in the same step."""
        ...

    def reopen(self, number: int, edit: IssueEdit) -> None:
        """Opens again, and changes what `edit` names in the same step."""
        ...

    def link(self, parent: int, child: int) -> None:
        """Makes one issue a sub-issue of another; does nothing where the tracker has no such thing."""
        ...

    def comment(self, number: int, topic: str, text: str) -> None:
        """Our one comment on a topic: written anew, or changed where it says something else."""
        ...

    def create_label(self, label: Label) -> None:
        """Makes a label; one of that name, in any case, stays as it is."""
        ...

    def create_milestone(self, milestone: Milestone) -> None:
        """Makes a milestone; one of that title, in any case, stays as it is."""
        ...


class Repository(Protocol):
    """A git repository seen from the records' folder; every path is relative to that folder.

    Reads raise `Incomplete` when they do not finish; a revision that does not exist is a `UserError`.
    """

    @property
    def head(self) -> str | None:
        """The commit of HEAD, None before the first commit."""
        ...

    @property
    def prefix(self) -> str:
        """Where the records' folder lies in the repository, "" at its top, else ending with `/`."""
        ...

    def resolve(self, revision: str) -> str:
        """The commit id a revision names."""
        ...

    def merge_base(self, revision: str, commit: str) -> str:
        """The newest commit that both share; a `UserError` where there is none."""
        ...

    def knows(self, commit: str) -> bool:
        """True where the commit is in this repository."""
        ...

    def tree(self, commit: str, folders: Iterable[str] = ()) -> Iterator[Blob]:
        """Every file of a commit below `folders` (all of them without)."""
        ...

    def top(self, commit: str) -> dict[str, bool]:
        """What lies right in the records' folder at a commit, in order; True for a folder."""
        ...

    def changed(self, old: str, new: str, folders: Iterable[str]) -> Iterator[Blob]:
        """What differs between two commits; a deleted path has an empty blob id."""
        ...

    def edited(self, commit: str, folders: Iterable[str]) -> Callable[[], list[str]]:
        """Starts comparing the work tree with a commit; the call of what it gives waits for the paths that differ."""
        ...

    def read(self, blobs: Iterable[str]) -> Iterator[bytes]:
        """The bytes of blobs, in order."""
        ...

    def read_path(self, commit: str, path: str) -> bytes | None:
        """The bytes of one path at a commit; None where it is not there."""
        ...

    def history(self, path: str, commit: str | None = None) -> Iterator[str]:
        """The commits that changed a path, newest first: those up to `commit`, else up to HEAD."""
        ...

    def branch_history(self, path: str, commit: str) -> Iterator[tuple[str, datetime]]:
        """The commits of a branch itself (first parents) that changed a path, newest first, each with its time."""
        ...


class Notifier(Protocol):
    """One way to reach people: a channel of the policy."""

    def send(self, message: Message) -> None:
        """Sends once and tells what is known of it, within 15 s.

        Returns where the receiver took it; `WriteFailed` where it was certainly not taken; `Ambiguous` where nobody can
        tell. Errors name the channel and a status, never an address, a key or an answer's text.
        """
        ...


class SharedLedger(Protocol):
    """The ledger that all runs share. Reads raise `Incomplete`, changes also `WriteFailed` or `Ambiguous`."""

    def read(self) -> Ledger:
        """The ledger as it is now."""
        ...

    def claim(self, pairs: Collection[Pair], now: datetime, after: timedelta | None = None) -> frozenset[Pair]:
        """Claims pairs -> those that are ours to send; see `domain.notification.claim`."""
        ...

    def confirm(self, pairs: Collection[Pair], now: datetime) -> None:
        """Marks pairs as sent."""
        ...


class WorkflowControl(Protocol):
    """The workflows of the repository with the records, by the name of their file (`tick.yml`).

    Reads raise `Incomplete`, changes `WriteFailed`; both raise `Stopped` past the budget of requests.
    """

    def state(self, file: str) -> str:
        """`active`, `disabled_manually`, `disabled_inactivity` and such, as GitHub says; "" where there is none."""
        ...

    def enable(self, file: str) -> None:
        """Lets its schedule and its events start runs."""
        ...

    def disable(self, file: str) -> None:
        """Lets nothing start it any more; a run that goes on is left alone."""
        ...

    def dispatch(self, file: str, branch: str, inputs: Mapping[str, str]) -> None:
        """Starts a run on the newest commit of a branch."""
        ...

    def runs(self, file: str, since: datetime | None = None) -> Sequence[WorkflowRun]:
        """Its runs that began at or after `since` (aware UTC; None = the newest hundred), newest first, complete."""
        ...


class CommitStatuses(Protocol):
    """What is said of single commits under a name, beside their checks. Raises as `WorkflowControl` does."""

    def newest(self, commit: str, context: str) -> str:
        """The state that was said last under this name: `success`, `failure`, `pending`, `error`; "" = none."""
        ...

    def tell(self, commit: str, context: str, state: str, description: str, address: str = "") -> None:
        """Says it of exactly this commit; `description` is cut to what GitHub takes, `address` "" = no link."""
        ...


class MetricSource(Protocol):
    """Where a gate's measurements come from. Reads raise `Incomplete` with the reason; nothing there is no error.

    An answer that is late, cut, warned about or of another shape than asked for is a read that did not finish.
    """

    @property
    def is_cumulative(self) -> bool:
        """Whether counts are running totals, of which the gate takes differences, or those of the interval."""
        ...

    @property
    def is_promql(self) -> bool:
        """Whether queries are PromQL, where a value is escaped as a string literal; elsewhere only plain words are."""
        ...

    @property
    def unproven(self) -> str:
        """What people have to know where this was never run against the real service, else ""."""
        ...

    def value(self, query: str, tick: Tick, /) -> object:
        """The result of a threshold query: numbers, text, lists and mappings; None or an empty list without data."""
        ...

    def counts(self, query: str, tick: Tick, /) -> MetricSeries:
        """The counts a query gives: totals at the tick's end, or what was counted within the tick.

        Totals are `Sampled` where the source knows when each was taken: one that is read twice is not a second tick.
        """
        ...

    def history(self, query: str, last: Tick, ticks: int, /) -> Sequence[MetricSeries]:
        """Totals at the ends of `ticks` ticks up to `last`, after those at the begin of the first; else nothing."""
        ...

    def spacing(self, query: str, at: datetime, /) -> float:
        """Seconds between two samples of what a query reads, in the minutes before `at`; 0 where it is not known."""
        ...


@runtime_checkable
class HistogramSource(Protocol):
    """A metric source that keeps histograms as counters of buckets; `histogram` is a selector, bounds are seconds.

    Raises as `MetricSource` does.
    """

    def latencies(self, histogram: str, bound: float, tick: Tick, /) -> Latencies:
        """The counters at the tick's end."""
        ...

    def latency_history(self, histogram: str, bound: float, last: Tick, ticks: int, /) -> Sequence[Latencies]:
        """The counters at the ends of `ticks` ticks up to `last`, after those at the begin of the first."""
        ...

    def latency_spacing(self, histogram: str, bound: float, at: datetime, /) -> float:
        """Seconds between two samples in the minutes before `at`; 0 where it is not known."""
        ...

    def bounds(self, histogram: str, at: datetime, /) -> Mapping[float, int]:
        """Where its buckets end, and how many series have such a bucket; infinity: how many there are."""
        ...


class Blob(NamedTuple):
    """A path relative to the records' folder, its blob id ("" where it was deleted), and whether it is a plain file."""

    path: str
    id: str
    regular: bool


class WorkflowRun(NamedTuple):
    """A run of a workflow: `status` is GitHub's (`queued`, `in_progress`, `completed`), `conclusion` "" until then.

    `began` is when it started to run, `ended` None while it is not over; instants are aware UTC.
    """

    id: int
    status: str
    conclusion: str
    began: datetime
    ended: datetime | None

    @property
    def is_over(self) -> bool:
        """True once it has ended, however it did."""
        return self.status == "completed"


class Lease(NamedTuple):
    """A lock that is ours until an instant (aware UTC); `commit` is what proves that it is."""

    commit: str
    until: datetime


class LockHolder(NamedTuple):
    """A lock that somebody else has: who, until when (aware UTC), and the run of Actions, `ID/ATTEMPT` ("" = none)."""

    holder: str
    until: datetime
    run: str = ""


MetricSeries = Mapping[str, object]
"""Value by series, each by its labels as text ("" where there are none). A value may be a number or what stands in its
place (None, NaN): whether it counts is the gate's business. No series at all is an empty mapping."""


class Sampled(dict[str, object]):
    """A `MetricSeries` whose samples have times of their own: unix seconds by series, in `times`.

    `parts`: of how many counters the values are made, where each is not one by itself; 0 where each is.
    """

    def __init__(self, values: MetricSeries, times: Mapping[str, float], parts: float = 0) -> None:
        super().__init__(values)
        self.times, self.parts = times, parts


class Latencies(NamedTuple):
    """The counters of histograms at an instant, by series: all requests, and those within a bound.

    A series without a bucket that ends there is missing from `within`: which of its requests are slower is not known.
    """

    requests: Sampled
    within: MetricSeries


class Tick(NamedTuple):
    """The time between two measurements: its planned end, so that no moment is counted twice, and its seconds."""

    end: datetime
    seconds: float

    def shifted(self, seconds: float) -> Tick:
        """The same time, later by so many seconds."""
        return Tick(self.end + timedelta(seconds=seconds), self.seconds)

    @property
    def begin(self) -> datetime:
        """Where it begins."""
        return self.end - timedelta(seconds=self.seconds)
