"""Where the gate looks: the tip of the default branch of this repository, or what `--records` names.

What lies in the work tree or on a branch was merged by nobody: it neither holds nor releases anything.
"""

from __future__ import annotations

import os
import re
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from incident_ops.adapters import clock
from incident_ops.adapters.git import Git
from incident_ops.app.workspace import Workspace, at_commit, need_remote, open_workspace, token_and_server
from incident_ops.domain.sending import DECLARE_BRANCHES
from incident_ops.domain.time import spell_duration
from incident_ops.errors import Incomplete, UserError
from incident_ops.records.store import Store, record_path

if TYPE_CHECKING:
    from incident_ops.adapters.git_branches import PublishedFile

SECONDS = 10.0
"""How long a remote may take to say what is merged."""

_BRANCH_OF = re.compile(r"(?P<url>[a-z]+://(?:[^@/]*@)?[^@/]*/[^@]+|[^@/:]+@[^@/:]+:[^@]+)@(?P<branch>[^@:\s]+)")
_ADDRESS = re.compile(r"https?://")
_SHORT = 12


GITHUB_ACTIONS = "github-actions[bot]"
"""For whom GitHub signs what a workflow publishes with its own token."""


class PublishedGate(NamedTuple):
    """gate.json as it was read, where it lay, and the commit its repository is at (None: that cannot be read).

    `unproven` says why nobody checked who published it; "" where it was checked, or is the caller's own file.
    """

    raw: bytes
    where: str
    head: str | None
    unproven: str = ""


@dataclass(frozen=True)
class LookedAt:
    """The records that answer, and `place`, what they are for people.

    `here` is the work tree where that is something else, `declared` the incidents that somebody declared on a branch
    of the remote and nobody merged.
    """

    records: Workspace
    place: str
    here: Workspace | None = None
    declared: tuple[str, ...] = ()


def gate_source(
    workspace: Workspace, records: str | None, scratch: ExitStack, trusted: tuple[str, ...] = ()
) -> LookedAt | PublishedGate:
    """What `--records` names; without it what is merged here. UserError where it names nothing that can be read.

    `trusted` are the logins for which GitHub may have signed a published gate.json, none = that of its workflows;
    Incomplete where it did for nobody or for somebody else.
    """
    if records is None:
        return merged_records(workspace)
    path = Path(records)
    if path.is_dir():
        there = open_workspace({"repo": records, "rev": None, "at": None})
        return LookedAt(replace(there, now=workspace.now, is_at_given=workspace.is_at_given), f"the files in {records}")
    if path.is_file():
        return PublishedGate(path.read_bytes(), records, None)
    if address := _BRANCH_OF.fullmatch(records):
        return _branch(workspace, address["url"], address["branch"], scratch, trusted or (GITHUB_ACTIONS,))
    if _ADDRESS.match(records):
        from incident_ops.adapters.git_branches import fetch

        return PublishedGate(fetch(records), records.partition("?")[0].rpartition("@")[2], None, _NO_COMMIT)
    hint = "a folder, a gate.json, https://.../gate.json, or the address of a repository with @BRANCH"
    raise UserError(f"--records {records}: not found", hint=hint)


def _branch(
    workspace: Workspace, url: str, branch: str, scratch: ExitStack, trusted: tuple[str, ...]
) -> LookedAt | PublishedGate:
    from tempfile import TemporaryDirectory

    from incident_ops.adapters.git_branches import GATE_BRANCH, read_branch, scratch_clone

    folder = Path(scratch.enter_context(TemporaryDirectory(prefix="incident-ops-")))
    remote = scratch_clone(folder, url, *token_and_server())
    if branch == GATE_BRANCH:
        file = read_branch(remote)
        unproven = _check_signature(file, remote.url, trusted)
        return PublishedGate(file.content, f"branch {GATE_BRANCH} of {remote.url}", file.head, unproven)
    tip = remote.tip(branch)
    if tip is None:
        raise UserError(f"{remote.url} has no branch {branch!r}", hint="--records URL@main")
    place = f"{branch} of {remote.url}, commit {tip[:_SHORT]}"
    return LookedAt(replace(workspace, root=folder, git=remote.git, store=Store(folder, remote.git, tip)), place)


_NOT_CHECKED = "who published gate.json was not checked: "
_NO_COMMIT = f"{_NOT_CHECKED}an address has no commit; `--records URL@incident-ops/public` has one"


def _check_signature(file: PublishedFile, url: str, trusted: tuple[str, ...]) -> str:
    """Why GitHub was not asked who published it; "" where it was, and names one of `trusted`. Else Incomplete."""
    from incident_ops.adapters.github.connect import commits_of, repository_on_github

    if not repository_on_github(os.environ, url):
        return f"{_NOT_CHECKED}it is not on GitHub"
    commits = commits_of(os.environ, url)
    if commits is None:
        return f"{_NOT_CHECKED}set GITHUB_TOKEN to a token that reads its repository"
    place, hint = f"gate.json, commit {file.commit[:_SHORT]}", f"`--records {url}@main` asks the records themselves"
    if not file.is_alone:
        raise Incomplete(f"{place}: the commit holds other files as well, so no run published it", hint=hint)
    signed = commits.signed_for(file.commit)
    if not signed.login:
        why = f" ({signed.why})" if signed.why else ""
        problem = f"GitHub did not sign it{why}, so anybody who may push can have put it there"
        raise Incomplete(f"{place}: {problem}", hint=hint)
    if signed.login.casefold() not in {one.casefold() for one in trusted}:
        names = f"{', '.join(trusted)} {'is' if len(trusted) == 1 else 'are'} trusted"
        hint = f"`--trusted '{signed.login}'` where that is who publishes it; {hint}"
        raise Incomplete(f"{place}: GitHub signed it for {signed.login}, and {names}", hint=hint)
    return ""


def merged_records(workspace: Workspace) -> LookedAt:
    """What is merged: the tip of the remote's default branch, the last commit where there is no remote.

    A revision that somebody names answers as it is. What is accepted before its merge will be laid over the tip here.
    Incomplete with the ways on where the remote does not answer.
    """
    git, revision = workspace.git, workspace.store.revision
    if git is None:
        return LookedAt(workspace, f"the files in {workspace.root}")
    if revision is not None:
        return LookedAt(_as_of(workspace, revision), _named_revision(workspace))
    name = _remote_to_ask(workspace)
    if name is None and git.head is None:
        return LookedAt(workspace, "the files here, for nothing is committed yet")
    if name is None:
        place = f"HEAD, commit {(git.head or '')[:_SHORT]}, for this clone has no remote"
        return LookedAt(_as_of(workspace, git.head or ""), place, workspace)
    try:
        newest = need_remote(git, SECONDS, by_person=True, name=name, only_reads=True).newest(DECLARE_BRANCHES)
    except Incomplete as error:
        raise _with_ways_on(workspace, name, error) from error
    tip = _as_of(workspace, newest.commit)
    declared = tuple(sorted(one for one in newest.names if tip.store.read(record_path(one)) is None))
    return LookedAt(tip, f"{newest.branch} on {name}, commit {newest.commit[:_SHORT]}", workspace, declared)


def _as_of(workspace: Workspace, commit: str) -> Workspace:
    """The records of a commit, with the history that leads to it."""
    git = workspace.git
    there = Git(git.root, git.directory, git.prefix, commit) if git else None
    return at_commit(replace(workspace, git=there), commit)


def _remote_to_ask(workspace: Workspace) -> str | None:
    """`origin`, or the only remote there is; None without one. Incomplete where nobody can tell which one counts."""
    from incident_ops.adapters.git_names import remote_names

    names = remote_names(workspace.git) if workspace.git else []
    if not names or "origin" in names:
        return "origin" if names else None
    if len(names) > 1:
        error = Incomplete(f"this clone has the remotes {', '.join(names)}, and none is called origin")
        raise _with_ways_on(workspace, next((one for one in names if _fetched_name(workspace, one)), names[0]), error)
    return names[0]


def _fetched_name(workspace: Workspace, remote: str) -> str:
    from incident_ops.adapters.git_names import fetched_branch

    return fetched_branch(workspace.git, remote) if workspace.git else ""


def _with_ways_on(workspace: Workspace, remote: str, error: Incomplete) -> Incomplete:
    """The same, and how to get an answer without the remote."""
    ways = []
    if fetched := _fetched_name(workspace, remote):
        ways.append(f"`--rev {fetched}` answers as of what was last fetched{_age(workspace, ', {} ago')}")
    ways.append("`--records WHERE` asks another place")
    return Incomplete(f"{error.where}: {error.message}" if error.where else error.message, hint="; ".join(ways))


def _named_revision(workspace: Workspace) -> str:
    """`--rev` as it was typed, its commit, and how old what was fetched is."""
    from incident_ops.adapters.git_names import is_fetched

    place = f"{workspace.rev_typed}, commit {(workspace.store.revision or '')[:_SHORT]}"
    if workspace.git is None or not is_fetched(workspace.git, workspace.rev_typed):
        return place
    return place + _age(workspace, ", last fetched {} ago")


def _age(workspace: Workspace, form: str) -> str:
    """How long ago this clone last fetched, by the clock of this machine, in `form`; "" where nothing tells."""
    from incident_ops.adapters.git_names import last_fetched

    at = last_fetched(workspace.git) if workspace.git else None
    return "" if at is None else form.format(spell_duration(max(int((clock.now() - at).total_seconds()), 0)))
