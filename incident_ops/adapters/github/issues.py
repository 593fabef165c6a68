"""GitHub's issues as tracker (`incident_ops.domain.ports.IssueTracker`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import quote

from incident_ops.adapters.github.body_edits import body_edits
from incident_ops.adapters.github.client import Client, Identity
from incident_ops.adapters.github.comments import Comments
from incident_ops.adapters.github.commits import CommitsByGitHub
from incident_ops.adapters.github.issue_creation import IssueCreation
from incident_ops.adapters.github.milestones import Milestones
from incident_ops.adapters.github.pulls import PullRequests
from incident_ops.adapters.github.reach import Reached, reached, readers_of
from incident_ops.adapters.github.records_home import HomeIds, RecordsHome
from incident_ops.adapters.github.responses import (
    PRIVATE,
    PUBLIC,
    IssueSeen,
    LabelSeen,
    Login,
    as_issue,
    as_label,
    check,
    check_body,
    check_label,
    check_title,
    issues_are_off,
    refused,
    says,
)
from incident_ops.adapters.github.runs import WorkflowRuns
from incident_ops.adapters.github.timelines import Event, acts, closing, read
from incident_ops.domain.issue_places import spell_issue
from incident_ops.domain.time import parse_instant, stamp
from incident_ops.domain.tracker import (
    GITHUB,
    ISSUE_DELETED,
    ISSUE_TRANSFERRED,
    ISSUE_UNREACHABLE,
    Act,
    BodyEdit,
    Closing,
    Comment,
    Issue,
    IssueEdit,
    Label,
    Milestone,
    MissingIssue,
    Unreached,
    WholeList,
)
from incident_ops.errors import Ambiguous, Incomplete, Stopped, WriteFailed

_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(?:\[bot\])?")
_OVERLAP = timedelta(minutes=10)  # a change that a list did not show yet is in the next one
_STORED_FOR = timedelta(days=1)


class GitHubTracker:
    """The issues of one repository; `labels` are those by which ours are listed, `site` where people read them.

    `above` has the parents of its issues, None where they are here; `tells_all` is False where more people may read
    these issues than the records, or nobody knows.
    """

    source = GITHUB

    def __init__(
        self,
        client: Client,
        *,
        labels: tuple[str, ...],
        identities: Sequence[str],
        owner_of: Callable[[str, int], str | None],
        site: str,
        records: RecordsHome | HomeIds,
        above: GitHubTracker | None = None,
        tells_all: bool = True,
    ) -> None:
        self.tells_all = tells_all
        self._readers: str | None = None
        self.has_sub_issues: bool | None = None
        self._above, self._identities = above or self, tuple(identities)
        self._teams: dict[str, GitHubTracker | Unreached] = {}
        self._client, self._labels, self._site, self._records = client, labels, site, records
        self._mark_of = owner_of
        self._identity = Identity(client, identities)
        self.pulls = PullRequests(client, self._identity, site)
        self.commits = CommitsByGitHub(client) if records.are_here else None
        self.runs = WorkflowRuns(client)
        self._creation = IssueCreation(client, self._identity, self._owner_of, labels)
        self._comments = Comments(client, self._identity)
        self._milestones = Milestones(client)
        self._ids: dict[int, int] = {}
        self._newest = 0
        self._listed: WholeList | None = None
        self._labels_digest = ""
        self._assignable: dict[str, bool] = {}

    @property
    def repository(self) -> str:
        """`owner/name` as it was given."""
        return self._client.repository

    @property
    def records_id(self) -> int:
        """The id of the repository with the records, asked for once. Incomplete where GitHub does not tell it."""
        return self._records.id

    @property
    def repository_id(self) -> int:
        """The id of the repository with the issues. Errors as `records_id`."""
        return self._records.id_with_issues

    @property
    def renamed_to(self) -> str | None:
        """The present name of a repository that was given by an old one: reads follow, writes are refused."""
        return self._client.renamed_to

    @property
    def requests_made(self) -> int:
        """Requests sent so far, repeats included."""
        return self._client.requests_made

    def beside(self, repository: str, label: str) -> GitHubTracker | Unreached:
        """The issues of a team's repository, listed by `label`, within the same budget; asked about once.

        Unreached where it takes no issues from this token. Incomplete where GitHub does not say.
        """
        name = repository.casefold()
        if name not in self._teams:
            client = self._client.beside(repository)
            found = reached(client)
            self._teams[name] = found if isinstance(found, Unreached) else self._team(found, label)
        return self._teams[name]

    def _team(self, found: Reached, label: str) -> GitHubTracker:
        return GitHubTracker(
            self._client.beside(found.name),
            labels=(label,),
            identities=self._identities,
            owner_of=self._mark_of,
            site=self._site,
            records=HomeIds(self.records_id, found.id),
            above=self,
            tells_all=self._tells_all(found),
        )

    def _tells_all(self, team: Reached) -> bool:
        if team.visibility in ("", PRIVATE):
            return team.visibility == PRIVATE
        if self._readers is None:
            self._readers = readers_of(self._client.beside(self._records.name))
        return self._readers in (PUBLIC, team.visibility)

    def owned(self) -> list[Issue]:
        """Every issue with one of our labels, by number; a marker of ours by an untrusted bot is a `UserError`."""
        found: dict[int, IssueSeen] = {}
        doing = f"listing the issues of {self.repository}"
        began: datetime | None = None
        count, self._listed = 0, None
        for label in self._labels:
            pages = self._client.pages(
                "/issues", doing=doing, labels=label, state="all", sort="created", direction="asc"
            )
            for page in pages:
                began, count = began or self._client.answered_at, count + 1
                found |= {one.number: one for one in check(page, list[IssueSeen], doing) if one.pull_request is None}
        if self._client.was_redirected:
            self._client.current_name()
        for one in found.values():
            self._learn_issue(one)
        if found:
            self._newest = max(found)
        self._listed = WholeList(at=stamp(began), pages=count) if began else None
        return [as_issue(found[number]) for number in sorted(found)]

    @property
    def listed_by(self) -> tuple[str, ...]:
        """The labels by which ours are listed."""
        return self._labels

    @property
    def whole(self) -> WholeList | None:
        """When the whole list was read last; None where that is not known. `labels()` has to be asked before."""
        known = self._listed if self._labels_digest else None
        return None if known is None else WholeList(at=known.at, pages=known.pages, labels=self._labels_digest)

    def changed_since(self, whole: WholeList) -> list[Issue] | None:
        """Every issue that changed since a whole list was read, whatever its labels are by now.

        None where in doubt: after a day by GitHub's clock, where a label of the repository is not what it was, the
        repository has another name, or the whole list takes no more requests. `labels()` has to be asked before.
        """
        if whole.labels != self._labels_digest:
            return None
        at, doing = parse_instant(whole.at), f"listing what changed in {self.repository}"
        since = stamp(at - _OVERLAP)
        found: dict[int, IssueSeen] = {}
        pages = self._client.pages("/issues", doing=doing, state="all", since=since, sort="created", direction="asc")
        for count, page in enumerate(pages, 1):
            now = self._client.answered_at
            is_sure = now is not None and at - _OVERLAP <= now < at + _STORED_FOR
            if not is_sure or count > whole.pages or self._client.was_redirected:
                return None
            found |= {one.number: one for one in check(page, list[IssueSeen], doing) if one.pull_request is None}
        for one in found.values():
            self._learn_issue(one)
        return [as_issue(found[number]) for number in sorted(found)]

    def _learn_issue(self, one: IssueSeen) -> None:
        """Remembers an issue of a list; a marker of ours by an untrusted bot is a `UserError`."""
        self._learn(one)
        if self._owner_of(one.body or ""):
            self._identity.check_marker(one.number, one.author)

    def labels(self) -> list[Label]:
        """Every label of the repository."""
        doing = f"listing the labels of {self.repository}"
        pages = self._client.pages("/labels", doing=doing)
        found = [one for page in pages for one in check(page, list[LabelSeen], doing)]
        names = "\n".join(sorted(f"{one.id} {one.name}" for one in found))
        self._labels_digest = sha256(names.encode()).hexdigest()
        return [as_label(one) for one in found]

    def milestones(self) -> list[Milestone]:
        """Every milestone of the repository, open or closed."""
        return self._milestones.listed()

    def look_up(self, number: int) -> Issue | MissingIssue:
        """One issue; a 404 is UNREACHABLE, as GitHub gives it for deleted ones to those who may not know."""
        doing = f"looking up issue #{number}"
        answer = self._client.ask("GET", f"/issues/{number}")
        if answer.status == 410 and not issues_are_off(answer):
            return MissingIssue(number=number, why=ISSUE_DELETED)
        if answer.status == 404:
            return MissingIssue(number=number, why=ISSUE_UNREACHABLE)
        if answer.status >= 300:
            raise refused(answer, Incomplete, doing, self.repository)
        seen = check(answer.data, IssueSeen, doing)
        ours = {self.repository.casefold(), (self.renamed_to or "").casefold()}
        if seen.repository.casefold() not in ours and seen.repository != self._client.current_name():
            return MissingIssue(number=number, why=ISSUE_TRANSFERRED, place=seen.html_url)
        if seen.pull_request is not None:
            return MissingIssue(number=number, why=ISSUE_UNREACHABLE, place=seen.html_url)
        self._learn(seen)
        return as_issue(seen)

    def closing(self, number: int) -> Closing:
        """The last closing in the issue's timeline."""
        return closing(self._timeline(number), number, self._site)

    def acts(self, number: int) -> list[Act]:
        """Closings, reopenings, assignments and labels in the issue's timeline."""
        return acts(self._timeline(number))

    def body_edits(self, number: int) -> list[BodyEdit]:
        """The last hundred texts of an issue."""
        return body_edits(self._client, number)

    def _timeline(self, number: int) -> list[Event]:
        return read(self._client, number, f"reading what people did to issue #{number}")

    def comments_since(self, at: datetime) -> list[Comment]:
        """Every comment of the repository's issues since then, complete."""
        return self._comments.since(at)

    def assignable(self, logins: Collection[str]) -> frozenset[str]:
        """Asks for the first 100 people at once, and alone for each login that is not among them and may yet be one."""
        wanted = {login: login.casefold() for login in logins if _LOGIN.fullmatch(login)}
        unknown = {name for name in wanted.values() if name not in self._assignable}
        if len(unknown) > 1:
            unknown -= self._learn_assignable(unknown)
        for login, name in sorted(wanted.items()):
            if name in unknown:
                self._assignable[name] = self._is_assignable(login)
                unknown.discard(name)
        return frozenset(login for login, name in wanted.items() if self._assignable[name])

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
        """One POST with all an issue needs, then the link to its parent; a link that fails is left to the next run."""
        place = self._milestones.number_of(milestone) if milestone else None
        made = self._creation.open(key, title, body, labels, assignees, self._newest, place)
        if isinstance(made, int):
            return made
        self._learn(made)
        if parent is not None:
            try:
                self.link(parent, made.number)
            except (Ambiguous, Incomplete, Stopped, WriteFailed):
                return made.number  # the number must not be lost; the next plan shows the missing link
        return made.number

    def update(self, number: int, edit: IssueEdit) -> None:
        """Changes what `edit` names: labels and people one by one, the rest in one request; none for nothing."""
        self._change_one_by_one(number, edit)
        if (fields := self._fields(edit, number)) or edit.milestone:
            self._patch(number, fields, f"changing issue #{number}", edit)

    def close(self, number: int, reason: str, edit: IssueEdit) -> None:
        """Closes and changes in one request, after the labels and people."""
        self._change_one_by_one(number, edit)
        fields = {**self._fields(edit, number), "state": "closed", "state_reason": reason}
        self._patch(number, fields, f"closing issue #{number}", edit)

    def reopen(self, number: int, edit: IssueEdit) -> None:
        """Opens again and changes in one request, after the labels and people."""
        self._change_one_by_one(number, edit)
        fields = {**self._fields(edit, number), "state": "open", "state_reason": "reopened"}
        self._patch(number, fields, f"reopening issue #{number}", edit)

    def link(self, parent: int, child: int) -> None:
        """Makes `child` a sub-issue; doing it twice does no harm, and a server without sub-issues answers 404."""
        if self._above.has_sub_issues is not False:
            self._above._adopt(
                parent, self._id(child), spell_issue(child, "" if self._above is self else self.repository)
            )

    def _adopt(self, parent: int, child_id: int, child: str) -> None:
        doing = f"making issue {child} a sub-issue of #{parent}"
        body = {"sub_issue_id": child_id, "replace_parent": True}
        answer = self._client.ask("POST", f"/issues/{parent}/sub_issues", body=body, again=True)
        if answer.status == 404 and self.has_sub_issues is None:
            self.has_sub_issues = False
        elif answer.status >= 300 and not (answer.status == 422 and says(answer, r"duplicate")):
            raise refused(answer, WriteFailed, doing, self.repository)

    def comment(self, number: int, topic: str, text: str) -> None:
        """Our one comment on a topic."""
        self.tell(number, topic, text)

    def tell(self, number: int, topic: str, text: str) -> bool:
        """The same, also on a pull request; False where it says so already."""
        return self._comments.say(number, topic, text)

    def create_label(self, label: Label) -> None:
        """Makes a label; doing it twice does no harm, and one that is there stays as it is."""
        check_label(label)
        body = {"name": label.name, "color": label.color, "description": label.description}
        answer = self._client.ask("POST", "/labels", body=body, again=True)
        if answer.status >= 300 and not (answer.status == 422 and self._has_label(label.name)):
            raise refused(answer, WriteFailed, f"making the label `{label.name}`", self.repository)

    def create_milestone(self, milestone: Milestone) -> None:
        """Makes a milestone; doing it twice does no harm, and one that is there stays as it is."""
        self._milestones.make(milestone)

    def _has_label(self, name: str) -> bool:
        return self._client.ask("GET", f"/labels/{quote(name, safe='')}").status == 200

    def _owner_of(self, body: str) -> str | None:
        """The key in a body of ours; whose records are meant is only asked about where there is one."""
        return self._mark_of(body, self.records_id) if self._mark_of(body, 0) else None

    def _learn(self, seen: IssueSeen) -> None:
        self._ids[seen.number] = seen.id
        self.has_sub_issues = bool(self.has_sub_issues) or seen.knows_sub_issues

    def _id(self, number: int) -> int:
        """The id by which GitHub's sub-issues name an issue, which is not its number."""
        if number not in self._ids:
            doing = f"looking up issue #{number}"
            self._learn(check(self._client.read(f"/issues/{number}", doing=doing).data, IssueSeen, doing))
        return self._ids[number]

    def _change_one_by_one(self, number: int, edit: IssueEdit) -> None:
        """Labels and people, each step harmless when done twice.

        They come before the text: its first line says which labels are of an older version.
        """
        doing = f"changing the labels of issue #{number}"
        if edit.add_labels:
            added = {"labels": list(edit.add_labels)}
            self._client.write("POST", f"/issues/{number}/labels", added, doing=doing, again=True)
        for name in edit.remove_labels or ():
            answer = self._client.ask("DELETE", f"/issues/{number}/labels/{quote(name, safe='')}")
            if answer.status >= 300 and answer.status != 404:  # 404: somebody took it off meanwhile
                raise refused(answer, WriteFailed, doing, self.repository)
        if edit.add_assignees:
            people = {"assignees": list(edit.add_assignees)}
            doing = f"assigning people to issue #{number}"
            self._client.write("POST", f"/issues/{number}/assignees", people, doing=doing, again=True)
        if edit.remove_assignees:
            people = {"assignees": list(edit.remove_assignees)}
            doing = f"taking people off issue #{number}"
            self._client.write("DELETE", f"/issues/{number}/assignees", people, doing=doing)

    def _fields(self, edit: IssueEdit, number: int) -> dict[str, object]:
        """What one request changes; a milestone that is not there is none of it."""
        fields = _fields(edit, number)
        if edit.milestone == "":
            return {**fields, "milestone": None}
        place = self._milestones.number_of(edit.milestone) if edit.milestone else None
        return fields if place is None else {**fields, "milestone": place}

    def _patch(self, number: int, fields: dict[str, object], doing: str, edit: IssueEdit) -> None:
        """WriteFailed, once everything else is changed, where the milestone is not there."""
        if fields:
            self._client.write("PATCH", f"/issues/{number}", fields, doing=doing)
        if edit.milestone and "milestone" not in fields:
            raise WriteFailed(f"{doing}: there is no milestone `{edit.milestone}`", hint="the next run creates it")

    def _learn_assignable(self, unknown: set[str]) -> set[str]:
        """Those of `unknown` that the first page of assignable people decides on."""
        answer = self._client.ask("GET", "/assignees?per_page=100")
        if answer.status >= 300:
            return set()  # each login is then asked about alone, and that answer counts
        first = {one.login.casefold() for one in check(answer.data, list[Login], "listing who can be assigned")}
        decided = unknown if len(first) < 100 else unknown & first
        self._assignable |= {name: name in first for name in decided}
        return set(decided)

    def _is_assignable(self, login: str) -> bool:
        answer = self._client.ask("GET", f"/assignees/{quote(login, safe='')}")
        if answer.status not in (204, 404):
            raise refused(answer, Incomplete, f"asking whether {login} can be assigned", self.repository)
        return answer.status == 204


def _fields(edit: IssueEdit, number: int) -> dict[str, object]:
    if edit.title is not None:
        check_title(edit.title, f"issue #{number}")
    if edit.body is not None:
        check_body(edit.body, f"issue #{number}")
    fields = {"title": edit.title, "body": edit.body}
    return {name: value for name, value in fields.items() if value is not None}
