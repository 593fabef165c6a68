"""One key at a time: what the record asks for, compared with what the tracker holds. Pure.

Which issue belongs to which key, which of several is kept, what is to be changed on the tracker, and what the record
takes over from there: numbers of issues, and items that people closed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from incident_ops.domain import tracker
from incident_ops.domain.issue_places import have_one_owner, spell_issue
from incident_ops.domain.record import Edit, Route, Set, item_key
from incident_ops.reconcile import generated_block, people
from incident_ops.reconcile.called import called_marks, room_on
from incident_ops.reconcile.changes import (
    CLOSE,
    CREATE,
    EDIT,
    NUMBERS,
    REOPEN,
    UPDATE,
    Kept,
    KeyDecision,
    PlannedChange,
    join_decisions,
)
from incident_ops.reconcile.desired import (
    CLOSED_AS_DUPLICATE,
    HANDS_OFF,
    Desired,
    DesiredIssue,
    incident_of,
    milestone_to_set,
)
from incident_ops.reconcile.drift import label_drift, reason_to_change
from incident_ops.reconcile.references import fill_places, kept_address, leave_places

OwnedIssues = Mapping[str, Sequence[tracker.Issue]]
"""Key -> the issues it owns, by number."""


def key_of(issue: tracker.Issue, identities: Collection[str], records_id: int = 0) -> str | None:
    """The key that owns an issue: what the tracker keeps, else the marker on line 1; None = not ours.

    A marker counts only where one of `identities` (case-folded logins) opened the issue: anybody can paste one. One of
    other records than those of the repository `records_id` (0 = any are meant) is not ours.
    """
    if issue.key:
        return issue.key
    return generated_block.owner(issue.body, records_id) if issue.author.casefold() in identities else None


def owned_issues(desired: Desired, snapshot: tracker.Snapshot) -> OwnedIssues:
    """Key -> its issues. The number that a run kept for a key tells before any marker.

    One of ours that lost its marker is known by its number in the one record that names it. Where other records may
    have their issues too, a marker of an older version, which names no repository, counts only with its number.
    """
    recorded = recorded_numbers(desired, snapshot)
    claimed, opened = _by_number(recorded), _by_number(snapshot.numbers)
    by_key: dict[str, list[tracker.Issue]] = defaultdict(list)
    for issue in sorted(snapshot.issues, key=lambda issue: issue.number):
        is_trusted = issue.author.casefold() in desired.identities
        key = (opened.get(issue.number) if is_trusted else None) or key_of(
            issue, desired.identities, snapshot.records_id
        )
        if key is None and is_trusted and generated_block.owner(issue.body) is None:
            key = claimed.get(issue.number)
        if key and not (is_anybodys(issue, snapshot) and recorded.get(key) != issue.number):
            by_key[key].append(issue)
    return by_key


def is_anybodys(issue: tracker.Issue, snapshot: tracker.Snapshot) -> bool:
    """True for a marker without a repository on a tracker that is not in the records' own."""
    is_shared = snapshot.records_id != snapshot.repository_id
    return is_shared and generated_block.parse_body(issue.body).is_of_older_version


def _by_number(numbers: Mapping[str, int]) -> Mapping[int, str]:
    """Number -> the one key that has it."""
    times = Counter(numbers.values())
    return {number: key for key, number in numbers.items() if times[number] == 1}


def recorded_numbers(desired: Desired, snapshot: tracker.Snapshot) -> Mapping[str, int]:
    """Key -> the number in its record, else the one that a run kept.

    Empty where the tracker is not the one that records carry numbers of.
    """
    if snapshot.source != tracker.GITHUB:
        return {}
    here = {wanted.key: wanted.number for wanted in desired.here}
    kept = {key: number for key, number in snapshot.numbers.items() if key in here}
    return kept | {key: number for key, number in here.items() if number is not None}


def issue_to_keep(issues: Iterable[tracker.Issue], number: int | None = None) -> tracker.Issue:
    """The one of several issues of a key that is kept: the record's number, else the lowest.

    One that is closed as a duplicate is the last choice, whatever the record says.
    """
    return min(issues, key=lambda issue: (is_duplicate(issue), issue.number != number, issue.number))


def kept_issues(desired: Desired, snapshot: tracker.Snapshot) -> Mapping[str, tracker.Issue]:
    """Key -> the issue that is kept, of all that `owned_issues` finds."""
    recorded = recorded_numbers(desired, snapshot)
    ours = owned_issues(desired, snapshot)
    return {key: issue_to_keep(issues, recorded.get(key)) for key, issues in ours.items()}


def by_repository(desired: Desired, snapshot: tracker.Snapshot) -> Iterator[tuple[Desired, tracker.Snapshot]]:
    """Both sides of each repository that was looked at, that with the tracking issues first."""
    yield desired, snapshot
    yield from ((desired._replace(repository=team.repository), team) for team in snapshot.elsewhere)


def unasked_incidents(desired: Desired, snapshot: tracker.Snapshot) -> frozenset[str]:
    """The incidents with an issue that a run had no room to ask about, in any repository."""
    return frozenset(
        incident_of(key)
        for there, seen in by_repository(desired, snapshot)
        for key, issue in kept_issues(there, seen).items()
        if issue.number in seen.not_asked
    )


def is_duplicate(issue: tracker.Issue) -> bool:
    """True where it is closed because another issue stands for the same."""
    return not issue.is_open and issue.state_reason == CLOSED_AS_DUPLICATE


def is_hands_off(issue: tracker.Issue) -> bool:
    """True where people asked us to leave an issue alone."""
    return any(label.casefold() == HANDS_OFF for label in issue.labels)


def missing_logins(wanted: DesiredIssue, issue: tracker.Issue | None) -> list[str]:
    """Those whom the record or an escalation wants on an open issue and who are not there yet; none where it is closed
    or left alone."""
    if wanted.closed_as is not None or (issue and is_hands_off(issue)):
        return []
    there = {login.casefold() for login in issue.assignees} if issue else set()
    return [login for login in (*wanted.assignees, *(wanted.called or ())) if login.casefold() not in there]


def number_edit(wanted: DesiredIssue, number: int) -> Set:
    """Writes the number of its issue to the record of a key."""
    index = wanted.record.item
    route: Route = ("links", "tracking_issue") if index is None else ("action_items", index, "issue")
    return Set(route, spell_issue(number, wanted.repository) if wanted.repository else number)


def write_back_number(wanted: DesiredIssue, issue: tracker.Issue) -> KeyDecision:
    """The edit that brings the number into a merged record that does not have it."""
    if wanted.number == issue.number or wanted.record.is_pending:
        return KeyDecision()
    named = "" if wanted.number is None else spell_issue(wanted.number, wanted.repository)
    reason = f"the record names {named}" if named else "the record does not name its issue"
    return KeyDecision((_number_change(wanted, issue.number, reason),))


def edits_by_path(changes: Iterable[PlannedChange]) -> Mapping[str, tuple[Edit, ...]]:
    """Path of a record -> its edits, in the plan's order."""
    by_path: dict[str, tuple[Edit, ...]] = defaultdict(tuple)
    for change in changes:
        if change.action == EDIT and change.path is not None:
            by_path[change.path] += change.edits
    return dict(by_path)


def new_numbers(desired: Desired, opened: Mapping[str, int]) -> tuple[PlannedChange, ...]:
    """The edits that bring the numbers of the issues that a run opened (`opened`: key -> number) into the records."""
    return tuple(
        _number_change(wanted, opened[key], "the record does not name its issue")
        for key, wanted in desired.issues.items()
        if key in opened and opened[key] != wanted.number and not wanted.record.is_pending
    )


def _number_change(wanted: DesiredIssue, number: int, reason: str) -> PlannedChange:
    return PlannedChange(
        EDIT,
        wanted.kind,
        wanted.key,
        number,
        reason,
        path=wanted.record.path,
        edits=(number_edit(wanted, number),),
        topic=NUMBERS,
        repository=wanted.repository,
    )


class SideBySide(NamedTuple):
    """Desired and observed side by side: `ours` are the issues of each key, `kept` the one of them that is kept.

    `recorded` are the numbers that records carry, `recreate` the keys that get a new issue in place of one that is
    gone, `acts` what people did; `numbers` by key those that texts name; `texts` are those made so far. `home` are the
    sides of the repository with the tracking issues, None where these are they; `elsewhere` the names of those by key.
    """

    desired: Desired
    snapshot: tracker.Snapshot
    ours: OwnedIssues
    kept: Mapping[str, tracker.Issue]
    recorded: Mapping[str, int]
    gone: Mapping[int, tracker.MissingIssue]
    issues: Mapping[int, tracker.Issue]
    unassignable: frozenset[str]
    recreate: frozenset[str]
    acts: people.Acts
    numbers: Mapping[str, int]
    texts: dict[str, str]
    home: SideBySide | None = None
    elsewhere: Mapping[str, str] = MappingProxyType({})

    @property
    def above(self) -> SideBySide:
        """The two sides of the repository with the tracking issues."""
        return self.home or self

    @property
    def is_known(self) -> bool:
        """True where the tracker is known to be the one with our issues, even if it shows none."""
        return bool(self.home or self.ours or self.snapshot.numbers)

    @property
    def is_hosted(self) -> bool:
        """True where the tracker's numbers are those that records carry."""
        return self.snapshot.source == tracker.GITHUB


def side_by_side(
    desired: Desired,
    snapshot: tracker.Snapshot,
    recreate: frozenset[str],
    returning: frozenset[str] = frozenset(),
    home: SideBySide | None = None,
) -> SideBySide:
    """Everything that deciding about a key asks for; `returning` as in `Acts`."""
    ours, recorded = owned_issues(desired, snapshot), recorded_numbers(desired, snapshot)
    kept = kept_issues(desired, snapshot)
    is_known = bool(ours or snapshot.numbers)
    here = {wanted.key for wanted in desired.here}
    named = {key: number for key, number in recorded.items() if is_known and key not in recreate}
    named |= {key: issue.number for key, issue in kept.items() if key in here}
    return SideBySide(
        desired=desired,
        snapshot=snapshot,
        ours=ours,
        kept=kept,
        recorded=recorded,
        gone={missing.number: missing for missing in snapshot.gone},
        numbers=named,
        texts={},
        issues={issue.number: issue for issue in snapshot.issues},
        unassignable=frozenset(login.casefold() for login in snapshot.unassignable),
        recreate=recreate,
        acts=people.Acts(snapshot, desired.identities, returning, desired.named),
        home=home,
        elsewhere=tracking_names(home.snapshot, home.numbers) if home else {},
    )


def decide_key(wanted: DesiredIssue, sides: SideBySide) -> KeyDecision:
    """What is to be done about one key."""
    issues: Sequence[tracker.Issue] = sides.ours.get(wanted.key, ())
    if not issues:
        return _missing(wanted, sides)
    kept = sides.kept[wanted.key]
    duplicates = [_duplicate(wanted, issue, kept, sides) for issue in issues if issue is not kept and issue.is_open]
    above = sides.above.kept.get(wanted.incident.id)
    is_left = is_hands_off(kept) or above is None or is_hands_off(above)
    ticks = people.ticked(wanted, kept, None if is_left else above, sides.above.acts)
    return join_decisions([_compare(wanted, kept, sides), ticks, *duplicates])


def _missing(wanted: DesiredIssue, sides: SideBySide) -> KeyDecision:
    """A key without an issue of ours: a new one, unless the record is over or names one that is not at hand."""
    number = sides.recorded.get(wanted.key)
    if wanted.closed_as:
        name = "" if number is None else spell_issue(number, wanted.repository)
        never = f"its issue {name} is not among ours" if name else "it never had an issue"
        return _keep(wanted, number, f"{wanted.why}; {never}")
    if number is None and (older := _of_older_version(wanted.key, sides)) is not None:
        return _keep(wanted, older, f"#{older} may be its issue or other records'; write its number into the record")
    if number is not None and sides.is_known and wanted.key not in sides.recreate:
        return _keep(wanted, number, _why_not(number, wanted.key, sides))
    text = numbered_text(wanted.key, sides, sides.above.snapshot.records_at)
    block = generated_block.generated_text(leave_places(text))
    logins = _assignable(wanted, None, sides)
    marks = called_marks(wanted, None, frozenset(), sides.desired, sides.unassignable, len(logins))
    parts = generated_block.new_parts(marks.memory)
    edit = tracker.IssueEdit(
        title=wanted.title,
        body=generated_block.compose(wanted.key, block, parts, sides.snapshot.records_id),
        labels=(*wanted.labels, *marks.add_labels),
        assignees=(*logins, *marks.add_assignees),
        milestone=wanted.milestone,
    )
    why = f"{wanted.why} and has no issue yet"
    if number is not None:
        name = spell_issue(number, wanted.repository)
        why = f"{wanted.why} and its issue {name} is not here" + (" (--recreate)" if sides.is_known else "")
    parent, naming = _parent(wanted, None, sides), ((wanted.key, text), *_naming(wanted, sides))
    return KeyDecision((PlannedChange(CREATE, wanted.kind, wanted.key, None, why, edit, parent=parent, naming=naming),))


def numbered_text(key: str, sides: SideBySide, address: str) -> str:
    """The generated text of a key, with the numbers of the issues that it names, as far as they have one."""
    return fill_places(sides.desired.bodies[key], sides.numbers, address, sides.elsewhere)


def tracking_names(snapshot: tracker.Snapshot, numbers: Mapping[str, int]) -> Mapping[str, str]:
    """Key -> what another repository calls a tracking issue; `numbers` are those of the repository with these."""
    return {key: spell_issue(number, snapshot.repository) for key, number in numbers.items() if key == incident_of(key)}


def _naming(wanted: DesiredIssue, sides: SideBySide) -> Iterator[tuple[str, str]]:
    """The texts of open issues beside the issue of a key that name it once it has a number: its incident's, or its
    items'."""
    incident = wanted.incident
    items = [item_key(incident.id, item.id) for item in incident.action_items]
    for key in items if wanted.item is None else [incident.id]:
        other = sides.desired.issues.get(key)
        is_there = key in sides.kept or key == incident.id
        if other is not None and other.repository == wanted.repository and other.closed_as is None and is_there:
            if key not in sides.texts:
                sides.texts[key] = numbered_text(key, sides, sides.above.snapshot.records_at)
            yield key, sides.texts[key]


def _of_older_version(key: str, sides: SideBySide) -> int | None:
    """The issue with a marker of this key that may be of other records on the same tracker."""
    issues = (issue for issue in sides.snapshot.issues if is_anybodys(issue, sides.snapshot))
    found = (issue.number for issue in issues if key_of(issue, sides.desired.identities) == key)
    return next(found, None)


def _why_not(number: int, key: str, sides: SideBySide) -> str:
    """Why an issue that the record names is neither changed nor replaced."""
    gone, issue = sides.gone.get(number), sides.issues.get(number)
    name = spell_issue(number, sides.desired.repository)
    new = f"--recreate {key} makes a new one"
    if gone and gone.why == tracker.ISSUE_DELETED:
        return f"{name} was deleted on the tracker; {new}"
    if gone and gone.why == tracker.ISSUE_TRANSFERRED:
        return f"{name} was moved to {gone.place or 'another repository'}; {new}"
    if gone:
        return f"{name} cannot be reached with this token; {new}"
    if issue is None:
        return f"{name} was not asked about when the tracker was observed; observe it again"
    owner = next((name for name, issues in sides.ours.items() if issue in issues), None)
    if owner:
        return f"the record names {name}, which belongs to {owner}; take the number out of the record"
    return f"the record names {name}, which is not an issue of ours; take the number out of the record"


def _duplicate(wanted: DesiredIssue, issue: tracker.Issue, kept: tracker.Issue, sides: SideBySide) -> KeyDecision:
    if is_hands_off(issue):
        return _hands_off(wanted, issue)
    return KeyDecision(
        (
            PlannedChange(
                CLOSE,
                wanted.kind,
                wanted.key,
                issue.number,
                f"#{kept.number} has the same key",
                tracker.IssueEdit(body=generated_block.mark_closed(issue.body, sides.snapshot.records_id)),
                CLOSED_AS_DUPLICATE,
                issue,
                comment=f"#{kept.number} stands for the same record ({wanted.key}), so this one is closed as its "
                "duplicate. Nothing written here is lost; please go on there.",
            ),
        )
    )


def _compare(wanted: DesiredIssue, issue: tracker.Issue, sides: SideBySide) -> KeyDecision:
    """One wanted issue against the one that is there. What people did to an item counts; an incident ends in git."""
    if is_hands_off(issue):
        return _hands_off(wanted, issue)
    number = write_back_number(wanted, issue) if sides.is_hosted else KeyDecision()
    parts = generated_block.parse_body(issue.body)
    edit, parent, reason = _drift(wanted, issue, parts, sides)

    def step(action: str, why: str, state_reason: str | None = None, said: str = "") -> KeyDecision:
        change = PlannedChange(action, wanted.kind, wanted.key, issue.number, why, edit, state_reason, issue, parent)
        return join_decisions([KeyDecision((change._replace(said=said),)), number])

    if wanted.closed_as and issue.is_open:
        reopened = people.reopened(wanted, issue, sides.acts, was_closed=parts.was_closed)
        return join_decisions([reopened, number]) if reopened else step(CLOSE, wanted.why, wanted.closed_as)
    if not wanted.closed_as and not issue.is_open:
        if parts.was_closed or people.is_opened_later(wanted, issue, sides.acts):
            return step(REOPEN, wanted.why)
        if wanted.item is None and not sides.acts.are_unknown(issue):
            why, said = people.closed_incident(wanted, issue, sides.acts)
            return step(REOPEN, why, said=said)
        return join_decisions([people.closed_item(wanted, issue, sides.acts), number])
    update = step(UPDATE, reason) if edit != tracker.IssueEdit() or parent else number
    by_people = [people.reassigned(wanted, issue, sides.acts), people.ignored_label(wanted, issue, sides.acts)]
    return join_decisions([*by_people, update])


def _drift(
    wanted: DesiredIssue, issue: tracker.Issue, parts: generated_block.Parts, sides: SideBySide
) -> tuple[tracker.IssueEdit, str | None, str]:
    """What differs -> new values, the key of a parent to be linked, and the reason."""
    address = sides.above.snapshot.records_at
    if parts.is_ours:
        address = kept_address(parts.block or "", wanted.record.path, address, sides.above.snapshot.records_were)
    text = leave_places(numbered_text(wanted.key, sides, address))
    block = generated_block.generated_text(text, closed=wanted.closed_as is not None)
    new = _assignable(wanted, issue, sides)
    marks = called_marks(wanted, issue, parts.called, sides.desired, sides.unassignable, len(new))
    new = (*new, *marks.add_assignees)
    body = generated_block.compose(wanted.key, block, parts._replace(called=marks.memory), sides.snapshot.records_id)
    add, remove = label_drift(wanted, issue, sides.desired, is_old=parts.is_of_older_version)
    add, remove = (*add, *marks.add_labels), (*remove, *marks.remove_labels)
    milestone = milestone_to_set(wanted, issue, sides.desired)
    parent = _parent(wanted, issue, sides)
    same_text = body == issue.body or generated_block.normalise(body) == generated_block.normalise(issue.body)
    edit = tracker.IssueEdit(
        title=wanted.title if wanted.title != issue.title else None,
        body=None if same_text else body,
        add_labels=add or None,
        remove_labels=remove or None,
        add_assignees=new or None,
        remove_assignees=marks.remove_assignees or None,
        milestone=milestone,
    )
    return edit, parent, reason_to_change(edit, parent, parts, block)


def _assignable(wanted: DesiredIssue, issue: tracker.Issue | None, sides: SideBySide) -> tuple[str, ...]:
    """Whom to assign to an issue beside those who are there, as far as there is room."""
    if issue and wanted.item and people.leaves_owner_off(wanted, issue, sides.acts):
        return ()
    missing = missing_logins(wanted._replace(called=None), issue)
    new = [login for login in missing if login.casefold() not in sides.unassignable]
    return tuple(new[: room_on(issue)])


def _parent(wanted: DesiredIssue, issue: tracker.Issue | None, sides: SideBySide) -> str | None:
    """The key whose issue becomes the parent: of an issue that has none, where the tracker has sub-issues."""
    home = sides.above.snapshot
    if wanted.parent is None or wanted.closed_as or not sides.is_hosted or home.has_sub_issues is False:
        return None
    if not have_one_owner(home.repository, wanted.repository):
        return None
    above = sides.above.kept.get(wanted.parent)
    if issue is None:  # the parent's issue may be made in the same run
        return None if above and is_hands_off(above) else wanted.parent
    known = above is not None and not is_hands_off(above) and home.has_sub_issues is True
    return wanted.parent if known and issue.parent is None else None


def _hands_off(wanted: DesiredIssue, issue: tracker.Issue) -> KeyDecision:
    return _keep(wanted, issue.number, "people asked that it be left alone")


def _keep(wanted: DesiredIssue, number: int | None, why: str) -> KeyDecision:
    return KeyDecision(kept=(Kept(wanted.key, wanted.kind, number, why),))
