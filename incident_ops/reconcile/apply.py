"""Runs changes against a tracker, one at a time, whatever becomes of the one before.

After a crash there is nothing to repair: the next plan has the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from msgspec.structs import replace

from incident_ops.domain.ports import IssueTracker
from incident_ops.domain.tracker import Issue, IssueEdit, MissingIssue, Snapshot
from incident_ops.errors import Ambiguous, IncidentOpsError, Incomplete, Stopped, WriteFailed
from incident_ops.reconcile.changes import CLOSE, REOPEN, UPDATE, PlannedChange
from incident_ops.reconcile.desired import CLOSED_AS_DUPLICATE, Desired
from incident_ops.reconcile.diff import is_hands_off, kept_issues
from incident_ops.reconcile.field_changes import issue_after
from incident_ops.reconcile.generated_block import Parts, compose, generated_text, normalise, parse_body
from incident_ops.reconcile.observe import list_issues
from incident_ops.reconcile.references import fill_places, leave_places, named_keys

APPLIED = "done"
EXISTS = "exists already"
CHANGED_MEANWHILE = "changed since the plan; left for the next run"
NOT_KNOWN = "unknown; the next run decides"
NOT_APPLIED = "failed"
LEFT_OVER = "left for the next run"

DUPLICATE_TOPIC, UNSETTLED_TOPIC = "duplicate", "unsettled"


class Applied(NamedTuple):
    """What became of a change: `outcome` is one of the words above, `error` why it was not done."""

    change: PlannedChange
    number: int | None
    outcome: str
    error: IncidentOpsError | None = None


class Summary(NamedTuple):
    """A run in numbers; `error` is what ended it before its end, or the first failure."""

    done: int
    left: int
    failed: int
    unknown: int
    error: IncidentOpsError | None

    @property
    def exit_code(self) -> int:
        """4 where something failed or is unknown, 5 where work is only left, 0 where all is done."""
        if self.failed or self.unknown:
            return 4
        if self.error is not None:
            return self.error.exit_code
        return 5 if self.left else 0


class _Run(NamedTuple):
    """What a run knows beside its changes: the issues as listed right before it, by number, and the number of each
    key, which grows with every issue that is made; `written` has their texts by key. `above` and `elsewhere` are the
    numbers and names of tracking issues that another repository has."""

    tracker: IssueTracker
    may_create: Callable[[], bool]
    issues: dict[int, Issue]
    numbers: dict[str, int]
    written: dict[str, str]
    above: Mapping[str, int]
    elsewhere: Mapping[str, str]

    def parent(self, change: PlannedChange) -> int | None:
        """The number of the issue whose sub-issue that of a change becomes."""
        key = change.parent or ""
        return self.numbers.get(key, self.above.get(key))


def always() -> bool:
    """New issues are always allowed: for a tracker that keeps keys apart by itself."""
    return True


def apply_changes(
    changes: Iterable[PlannedChange],
    tracker: IssueTracker,
    desired: Desired,
    may_create: Callable[[], bool] = always,
    observed: Snapshot | None = None,
    above: Mapping[str, int] = MappingProxyType({}),
    elsewhere: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Applied]:
    """Yields each change of the tracker with its outcome, as it is done; record edits and notices are for others.

    The tracker is listed once more before the first write (`Incomplete` where that fails): a key that got its issue
    meanwhile is not created again, and an issue that a person touched meanwhile is not written over; an issue whose
    text is to change is read alone right before, so that what people wrote during the run stays. `desired` and
    `observed` (None = nothing is known) are what was planned from. `may_create` (the lock) is asked before that list,
    and again before each new issue. `above` are the tracking issues (by key) where another repository has them, and
    `elsewhere` how texts name these. A refused write is an outcome and the others go on; a refusal that is final, or
    `Stopped`, leaves the rest.
    At the end the texts that name the issues which were opened get their numbers; of that only what failed is reported.
    """
    todo = [change for change in changes if change.is_on_tracker]
    if not todo:
        return
    if any(change.opens_issue for change in todo):
        may_create()  # the lock first: what another run creates before we hold it is then in the list
    try:
        issues = list_issues(tracker)
    except Stopped as error:
        yield from _left(todo, error)
        return
    numbers = _numbers(todo, issues, desired, observed or _nothing_known(tracker))
    run = _Run(tracker, may_create, {issue.number: issue for issue in issues}, numbers, {}, above, elsewhere)
    for place, change in enumerate(todo):
        applied = _attempt(change, run)
        yield applied
        if _ends_run(applied.error):
            yield from _left(todo[place + 1 :], applied.error)
            return
    yield from _name_numbers(todo, run)


def outcome_summary(outcomes: Iterable[Applied], held_back: int = 0) -> Summary:
    """Outcomes of a run, and how many changes its limits held back -> the run in numbers."""
    every = list(outcomes)

    def count(*words: str) -> int:
        return sum(1 for applied in every if applied.outcome in words)

    return Summary(
        done=count(APPLIED, EXISTS),
        left=count(CHANGED_MEANWHILE, LEFT_OVER) + held_back,
        failed=count(NOT_APPLIED),
        unknown=count(NOT_KNOWN),
        error=next((applied.error for applied in every if applied.error is not None), None),
    )


def _nothing_known(tracker: IssueTracker) -> Snapshot:
    return Snapshot(source=tracker.source, records_id=tracker.records_id, repository_id=tracker.repository_id)


def _numbers(
    todo: Iterable[PlannedChange], issues: Sequence[Issue], desired: Desired, observed: Snapshot
) -> dict[str, int]:
    """Key -> the number of its issue: as the plan has it, and of the others as a plan from this list would."""
    meanwhile: Mapping[str, Issue] = kept_issues(desired, replace(observed, issues=tuple(issues)))
    planned = {key: issue.number for key, issue in kept_issues(desired, observed).items()}
    known = {change.key: change.number for change in todo if change.number is not None and change.action != CLOSE}
    found = {key: issue.number for key, issue in meanwhile.items()} | planned | known
    return {key: number for key, number in found.items() if _is_here(key, desired)}


def _is_here(key: str, desired: Desired) -> bool:
    """False for a key whose issue is in another repository, whatever this one holds."""
    wanted = desired.issues.get(key)
    return wanted is None or wanted.repository == desired.repository


def _ends_run(error: IncidentOpsError | None) -> bool:
    """True where every further write would end in the same way."""
    return isinstance(error, Stopped) or (isinstance(error, WriteFailed) and error.is_final)


def _left(changes: Iterable[PlannedChange], error: IncidentOpsError | None) -> Iterator[Applied]:
    return (Applied(change, change.number, LEFT_OVER, error) for change in changes)


def _attempt(change: PlannedChange, run: _Run) -> Applied:
    """One change, and what became of it; a failure is an outcome."""
    try:
        return _carry_out(change, run)
    except Stopped as error:
        return Applied(change, change.number, LEFT_OVER, error)
    except Ambiguous as error:
        return Applied(change, change.number, NOT_KNOWN, error)
    except (WriteFailed, Incomplete) as error:
        return Applied(change, change.number, NOT_APPLIED, error)


def _carry_out(change: PlannedChange, run: _Run) -> Applied:
    if change.label:
        run.tracker.create_label(change.label)
        return Applied(change, None, APPLIED)
    if change.milestone:
        run.tracker.create_milestone(change.milestone)
        return Applied(change, None, APPLIED)
    if change.number is None:
        return _create(change, run)
    return _change(change, change.number, run)


def _create(change: PlannedChange, run: _Run) -> Applied:
    known = run.numbers.get(change.key)
    if known is not None:
        return Applied(change, known, EXISTS)
    if not run.may_create():
        return Applied(change, None, LEFT_OVER)
    edit, parent = change.edit, run.parent(change)
    body = edit.body or ""
    if change.naming:
        body = _body(change.key, dict(change.naming)[change.key], parse_body(body), run)
    number = run.tracker.create(
        change.key, edit.title or "", body, edit.labels or (), edit.assignees or (), parent, edit.milestone
    )
    run.numbers[change.key], run.written[change.key] = number, body
    return Applied(change, number, APPLIED)


def _change(change: PlannedChange, number: int, run: _Run) -> Applied:
    current: Issue | MissingIssue | None = run.issues.get(number)
    is_replacing = change.edit.body is not None or change.edit.milestone is not None
    if current is None or is_replacing:  # one that lost its label is not in the list
        current = run.tracker.look_up(number)
    if not isinstance(current, Issue) or _content(current) != _content(change.seen):
        is_done = isinstance(current, Issue) and _is_done(change, current)
        return Applied(change, number, EXISTS if is_done else CHANGED_MEANWHILE)
    if change.comment is not None:  # first, so that a crash after it costs no comment
        topic = DUPLICATE_TOPIC if change.state_reason == CLOSED_AS_DUPLICATE else UNSETTLED_TOPIC
        run.tracker.comment(number, topic, change.comment)
    if change.action == CLOSE:
        run.tracker.close(number, change.state_reason or "", change.edit)
    elif change.action == REOPEN:
        run.tracker.reopen(number, change.edit)
    elif change.edit != IssueEdit():
        run.tracker.update(number, change.edit)
    parent = run.parent(change)
    if parent is not None:
        run.tracker.link(parent, number)
    return Applied(change, number, APPLIED)


def _name_numbers(changes: Iterable[PlannedChange], run: _Run) -> Iterator[Applied]:
    """The numbers of issues that this run opened come into the texts that name them; what people wrote stays."""
    texts: dict[str, tuple[str, PlannedChange]] = {}
    for change in changes:
        if change.naming and change.key in run.numbers:
            texts |= {key: (text, change) for key, text in change.naming if key in run.numbers}
    for key, (text, change) in texts.items():
        written = run.written.get(key, "")
        if run.numbers.keys().isdisjoint(named_keys(text)) or written == _body(key, text, parse_body(written), run):
            continue
        try:
            current = run.tracker.look_up(run.numbers[key])
            if isinstance(current, Issue) and not is_hands_off(current):
                body = _body(key, text, parse_body(current.body), run)
                if normalise(body) != normalise(current.body):
                    run.tracker.update(current.number, IssueEdit(body=body))
        except (Ambiguous, Incomplete, WriteFailed, Stopped) as error:  # the next plan has what is missing
            yield Applied(change, run.numbers[key], LEFT_OVER, error)
            if _ends_run(error):
                return


def _body(key: str, text: str, parts: Parts, run: _Run) -> str:
    """The body of a key's issue, with the numbers known by now in its text."""
    block = generated_text(leave_places(fill_places(text, run.numbers, "", run.elsewhere)))
    return compose(key, block, parts, run.tracker.records_id)


def _is_done(change: PlannedChange, current: Issue) -> bool:
    """True where somebody, such as another run, already brought an issue to what an update makes of it."""
    is_plain = change.action == UPDATE and change.comment is None and change.parent is None
    return is_plain and _content(issue_after(change, current)) == _content(current)


def _content(issue: Issue | None) -> object:
    """What a person may have changed; a list and a question about one issue may differ in the rest."""
    if issue is None:
        return None
    given = set(issue.labels), set(issue.assignees), issue.milestone
    return issue.title, issue.body, given, issue.state, issue.state_reason
