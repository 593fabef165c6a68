"""The pull request of a branch on which a person sends a record: opened once, then kept up with its branch."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec.structs import replace

from incident_ops.adapters.git import Objects
from incident_ops.adapters.github.connect import Site, site_of
from incident_ops.app.observed_tracker import connect_github
from incident_ops.app.sent_state import SentState
from incident_ops.app.workspace import Workspace
from incident_ops.documents.sent_text import SentFacts, pull_body, pull_title, with_edits
from incident_ops.domain.record import Record, title_of
from incident_ops.domain.sending import PullAddress

if TYPE_CHECKING:
    from incident_ops.adapters.github.pulls import PullRequests

TEMPLATES = tuple(
    f"{folder}{name}"
    for folder in (".github/", "", "docs/")
    for name in ("PULL_REQUEST_TEMPLATE.md", "pull_request_template.md")
)
"""Where GitHub looks for the template of a repository, in this order."""


def pull_site(remote_url: str) -> Site | None:
    """Where the pull requests of a remote are; None where it is not on GitHub."""
    return site_of(os.environ, remote_url)


def pulls_of(workspace: Workspace, site: Site) -> PullRequests:
    """The pull requests of the repository that a remote is."""
    return connect_github(workspace, repository=site.repository).pulls


def put_pull(
    workspace: Workspace, site: Site, state: SentState, record: Record, onto: tuple[str, str], edits: list[str]
) -> tuple[SentState, PullAddress]:
    """Opens the pull request of the branch of `state`, or brings the open one up to date -> what is to be kept, and it.

    `site` is the repository, `onto` its default branch and its tip; `edits` are what its commits say, newest first.
    Text that a person wrote stays. Errors as GitHub's answers.
    """
    main, tip = onto
    pulls = pulls_of(workspace, site)
    title = pull_title(_facts(workspace, record, main), edits)
    pull = pulls.find(state.branch)
    is_new = pull is None
    if pull is None:
        body = pull_body(_facts(workspace, record, main), edits, _template(workspace, tip))
        pull = pulls.create(state.branch, main, title, body)
    else:
        new_title = title if pull.title == state.title else pull.title
        body = with_edits(pull.body, edits)
        if (new_title, body) != (pull.title, pull.body):
            pulls.update(pull.number, new_title, body)
            pull = replace(pull, title=new_title, body=body)
    kept = replace(
        state, number=pull.number, address=pull.url, title=pull.title if pull.title == title else state.title
    )
    return kept, PullAddress(pull.number, pull.url, is_new)


def _facts(workspace: Workspace, record: Record, main: str) -> SentFacts:
    incident, policy = record.incident, workspace.judged_by[0]
    label = " ".join(filter(None, (incident.priority, incident.severity)))
    title = title_of(incident, policy) or ""
    return SentFacts(incident.id, title, label, tuple(incident.services), record.path, main)


def _template(workspace: Workspace, tip: str) -> str:
    """The template of the repository; "" where it has none that can be read."""
    if workspace.git is None:
        return ""
    objects = Objects(workspace.git)
    found = next((raw for name in TEMPLATES if (raw := objects.content(tip, name)) is not None), b"")
    try:
        return found.decode()
    except UnicodeDecodeError:
        return ""
