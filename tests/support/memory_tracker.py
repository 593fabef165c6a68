"""A tracker in memory that behaves as GitHub does: what the rest is proven against, and tried out on.

It keeps no key of its own, so a second create opens a second issue. It knows who opened an issue and how it was closed,
has labels in one case each, sub-issues, issues that were deleted or moved away, and lists that lag behind.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace

from incident_ops.domain.time import parse_instant
from incident_ops.domain.tracker import (
    GITHUB,
    ISSUE_DELETED,
    ISSUE_TRANSFERRED,
    Act,
    BodyEdit,
    Closing,
    Comment,
    Issue,
    IssueEdit,
    Label,
    Milestone,
    MissingIssue,
    fold_title,
)
from incident_ops.errors import WriteFailed

_LONGEST_TITLE, _LONGEST_BODY = 256, 65_536


class MemoryTracker:
    """Issues of one repository, seen and written by the login `author`.

    `can_be_assigned` None = everybody; `listed` are the labels by which issues are listed. `issues`, `comments` (by
    number, then topic), `said` (what others wrote), `named` (labels by case-folded name) and `planned`
    (milestones by folded title) may be looked at.
    """

    source = GITHUB
    records_id = repository_id = 7

    def __init__(
        self,
        author: str = "github-actions[bot]",
        *,
        repository: str = "acme/incidents",
        listed: Sequence[str] = ("incident", "action-item"),
        can_be_assigned: Collection[str] | None = None,
        has_sub_issues: bool = True,
    ) -> None:
        self.author, self.repository, self.has_sub_issues = author, repository, has_sub_issues
        self.issues: dict[int, Issue] = {}
        self.comments: dict[int, dict[str, str]] = {}
        self.named: dict[str, Label] = {}
        self.planned: dict[str, Milestone] = {}
        self.said: list[Comment] = []
        self._listed = frozenset(name.casefold() for name in listed)
        self._can = None if can_be_assigned is None else frozenset(login.casefold() for login in can_be_assigned)
        self._closings: dict[int, Closing] = {}
        self._acts: dict[int, list[Act]] = {}
        self._bodies: dict[int, list[BodyEdit]] = {}
        self._gone: dict[int, MissingIssue] = {}
        self._list: list[Issue] | None = None

    def seat(self, author: str) -> MemoryTracker:
        """The same repository as another login sees it; a list that lags there does not lag here."""
        other = copy.copy(self)
        other.author, other._list = author, None
        return other

    @property
    def is_stale(self) -> bool:
        """While True the list stays as it was when it was set; questions about one issue are answered as it is now."""
        return self._list is not None

    @is_stale.setter
    def is_stale(self, lags: bool) -> None:
        self._list = self._now() if lags else None

    def owned(self) -> list[Issue]:
        """Every issue with a listed label."""
        return self._now() if self._list is None else list(self._list)

    def labels(self) -> list[Label]:
        """Every label."""
        return list(self.named.values())

    def milestones(self) -> list[Milestone]:
        """Every milestone."""
        return list(self.planned.values())

    def look_up(self, number: int) -> Issue | MissingIssue:
        """One issue, or what became of it."""
        return self.issues.get(number) or self._gone.get(number) or MissingIssue(number=number, why=ISSUE_DELETED)

    def closing(self, number: int) -> Closing:
        """How it was closed."""
        return self._closings.get(number, Closing())

    def acts(self, number: int) -> list[Act]:
        """What people did to it; what we do is not kept."""
        return list(self._acts.get(number, ()))

    def body_edits(self, number: int) -> list[BodyEdit]:
        """Every text it has had."""
        return list(self._bodies.get(number, ()))

    def comments_since(self, at: datetime) -> list[Comment]:
        """What somebody said since then."""
        return [one for one in self.said if parse_instant(one.at) >= at]

    def assignable(self, logins: Collection[str]) -> frozenset[str]:
        """Those of `logins` who belong to the repository."""
        return frozenset(login for login in logins if self._can is None or login.casefold() in self._can)

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
        """Opens an issue, whatever is there."""
        number = self.open_by(self.author, title, body, labels, assignees)
        if milestone and fold_title(milestone) in self.planned:
            self._set(number, IssueEdit(milestone=milestone))
        if parent is not None:
            self.link(parent, number)
        return number

    def update(self, number: int, edit: IssueEdit) -> None:
        """Changes what `edit` names."""
        self._set(number, edit)

    def close(self, number: int, reason: str, edit: IssueEdit) -> None:
        """Closes the issue."""
        self._set(number, edit, state="closed", state_reason=reason)
        self._closings[number] = Closing(by=self.author)

    def reopen(self, number: int, edit: IssueEdit) -> None:
        """Opens the issue again."""
        self._set(number, edit, state="open", state_reason="reopened")

    def link(self, parent: int, child: int) -> None:
        """Makes `child` a sub-issue, where the repository has such."""
        if self.has_sub_issues and parent in self.issues:
            self._set(child, IssueEdit(), parent=parent)

    def comment(self, number: int, topic: str, text: str) -> None:
        """Our one comment on a topic."""
        self._known(number)
        self.comments.setdefault(number, {})[topic] = text

    def create_label(self, label: Label) -> None:
        """Makes a label that is not there in any case."""
        self.named.setdefault(label.name.casefold(), label)

    def create_milestone(self, milestone: Milestone) -> None:
        """Makes a milestone that is not there in any case."""
        self.planned.setdefault(fold_title(milestone.title), milestone)

    def open_by(
        self, login: str, title: str, body: str, labels: Sequence[str] = (), assignees: Sequence[str] = ()
    ) -> int:
        """Somebody opens an issue -> its number; numbers are never given twice."""
        fields = self._fit(IssueEdit(title=title, body=body, labels=tuple(labels), assignees=tuple(assignees)))
        number = max((*self.issues, *self._gone), default=0) + 1
        self.issues[number] = replace(Issue(number=number, title="", body="", author=login), **fields)
        return number

    def edit(self, number: int, **fields: object) -> None:
        """Somebody changes fields of an issue."""
        self.issues[number] = replace(self._known(number), **fields)

    def close_by(self, login: str, number: int, reason: str = "completed", at: str = "", evidence: str = "") -> None:
        """Somebody closes an issue, by hand or by merging what `evidence` is the address of."""
        self.edit(number, state="closed", state_reason=reason)
        self._closings[number] = Closing(by=login, at=at or None, evidence=evidence or None)
        self._acts.setdefault(number, []).append(Act("closed", login, at or None))

    def reopen_by(self, login: str, number: int, at: str = "") -> None:
        """Somebody opens an issue again."""
        self.edit(number, state="open", state_reason="reopened")
        self._acts.setdefault(number, []).append(Act("reopened", login, at or None))

    def assign_by(self, login: str, number: int, assignees: Sequence[str], at: str = "") -> None:
        """Somebody sets the assignees of an issue."""
        before = self._known(number).assignees
        self.edit(number, assignees=tuple(assignees))
        acts = [Act("unassigned", login, at or None, whom) for whom in before if whom not in assignees]
        acts += [Act("assigned", login, at or None, whom) for whom in assignees if whom not in before]
        self._acts.setdefault(number, []).extend(acts)

    def label_by(self, login: str, number: int, label: str, at: str = "") -> None:
        """Somebody sets a label on an issue."""
        self.edit(number, labels=(*self._known(number).labels, label))
        self._acts.setdefault(number, []).append(Act("labeled", login, at or None, label))

    def tick_by(self, login: str, number: int, key: str, at: str = "") -> None:
        """Somebody ticks the box with a key in the text of an issue."""
        lines = self._known(number).body.split("\n")
        body = "\n".join(line.replace("[ ]", "[x]", 1) if f"box:{key} " in line else line for line in lines)
        self.edit(number, body=body)
        self._bodies.setdefault(number, []).append(BodyEdit(body, login, at or None))

    def delete(self, number: int) -> None:
        """Somebody deletes an issue."""
        self._gone[number] = MissingIssue(number=self.issues.pop(number).number, why=ISSUE_DELETED)

    def transfer(self, number: int, place: str) -> None:
        """Somebody moves an issue to another repository, where its address is `place`."""
        self._gone[number] = MissingIssue(number=self.issues.pop(number).number, why=ISSUE_TRANSFERRED, place=place)

    def _now(self) -> list[Issue]:
        return [issue for issue in self.issues.values() if not self._listed.isdisjoint(map(str.casefold, issue.labels))]

    def _known(self, number: int) -> Issue:
        if number not in self.issues:
            raise WriteFailed(f"there is no issue #{number}", where=self.repository)
        return self.issues[number]

    def _set(self, number: int, edit: IssueEdit, **state: object) -> None:
        issue = self._known(number)
        whole = replace(
            edit,
            labels=edit.labels_after(issue.labels) if edit.add_labels or edit.remove_labels else None,
            assignees=edit.assignees_after(issue.assignees) if edit.add_assignees or edit.remove_assignees else None,
        )
        self.issues[number] = replace(issue, **self._fit(whole), **self._moved(edit.milestone), **state)
        if edit.body is not None:
            self._bodies.setdefault(number, []).append(BodyEdit(edit.body, self.author))

    def _fit(self, edit: IssueEdit) -> dict[str, object]:
        """What an edit sets; labels in the case they have, unknown ones made. WriteFailed where GitHub says 422."""
        if len(edit.title or "") > _LONGEST_TITLE or len(edit.body or "") > _LONGEST_BODY:
            raise WriteFailed("the title or the body is too long", where=self.repository)
        strangers = sorted(set(edit.assignees or ()) - self.assignable(edit.assignees or ()))
        if strangers:
            raise WriteFailed(f"{strangers[0]} cannot be assigned", where=self.repository)
        fields = {name: getattr(edit, name) for name in ("title", "body", "assignees")}
        fields["labels"] = None if edit.labels is None else self._spelled(edit.labels)
        return {name: value for name, value in fields.items() if value is not None}

    def _moved(self, title: str | None) -> dict[str, object]:
        if title and fold_title(title) not in self.planned:
            raise WriteFailed(f"there is no milestone `{title}`", where=self.repository)
        return {} if title is None else {"milestone": self.planned[fold_title(title)].title if title else None}

    def _spelled(self, labels: Iterable[str]) -> tuple[str, ...]:
        for name in labels:
            self.create_label(Label(name=name))
        return tuple(dict.fromkeys(self.named[name.casefold()].name for name in labels))
