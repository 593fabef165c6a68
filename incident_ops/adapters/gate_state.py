"""gate.json on its branch or at an address, and whole records of another repository for one check."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from incident_ops.adapters.git import SETTINGS, Git, quiet_environment
from incident_ops.adapters.git_remote import Move, Remote, Stay, compare_and_set
from incident_ops.adapters.http import LONGEST, NoAnswer, exchange, is_https_or_local
from incident_ops.adapters.processes import run
from incident_ops.errors import Incomplete, UserError, WriteFailed

BRANCH, FILE = "incident-ops/public", "gate.json"
_GIT_SECONDS = 10.0
_HINT = "check the address and the network; or read the records: --records URL@BRANCH"


def publish(remote: Remote, content: bytes, now: datetime, keeps: Callable[[bytes], bool]) -> bool:
    """Puts gate.json on its branch, which holds nothing else and has no history; False where theirs is kept.

    `keeps` tells of what is there already whether it stays: it is as new. Raises WriteFailed or Ambiguous where it
    cannot be put there, Incomplete where the branch cannot be read.
    """
    objects = remote.objects

    def decide(seen: str | None) -> Move[bool] | Stay[bool]:
        theirs = objects.content(seen, FILE) if seen is not None else None
        if theirs is not None and keeps(theirs):
            return Stay(False)
        made = objects.commit(objects.file_tree(FILE, content), (), "What holds deploys\n\nby incident-ops", now)
        return Move(made, True)

    return compare_and_set(remote, BRANCH, decide, "gate.json was not published")


def published(remote: Remote) -> bytes | None:
    """gate.json as it lies on its branch; None where there is none. Incomplete where that cannot be read."""
    seen = remote.tip(BRANCH)
    return remote.objects.content(seen, FILE) if seen is not None else None


def read_branch(remote: Remote) -> tuple[bytes, str]:
    """gate.json of a repository, and the commit that its HEAD is at. Incomplete where one of them cannot be read."""
    content = published(remote)
    if content is None:
        hint = "its reconcile workflow publishes it: incident-ops gate publish"
        raise Incomplete(f"the repository has no {FILE} on branch {BRANCH}", where=remote.url, hint=hint)
    head = remote.head()
    if head is None:
        raise Incomplete("the repository does not tell its HEAD", where=remote.url)
    return content, head


def scratch_clone(folder: Path, url: str, token: str, server: str) -> Remote:
    """An empty clone in `folder` whose remote is `url`; nothing is fetched yet. UserError for another protocol."""
    for words in (("init", "--quiet"), ("remote", "add", "origin", url)):
        done = run(["git", *SETTINGS, "-C", str(folder), *words], quiet_environment(), _GIT_SECONDS)
        if done.code != 0:
            raise WriteFailed("git could not make a folder to read into", where=str(folder))
    git = Git.around(folder)
    if git is None:
        raise Incomplete("git cannot be run", hint="install git")
    return Remote.of(git, token=token, server=server)


def fetch(url: str, seconds: float = LONGEST) -> bytes:
    """The bytes at an https address, at most 2 MiB of them, within `seconds`; redirects are not followed.

    UserError for another protocol (http to this machine is taken). Incomplete for anything but a whole answer of 200;
    the address is named without its query, which may hold a key.
    """
    parts = urlsplit(url)
    where = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    if not is_https_or_local(url):
        raise UserError("gate.json is read over https only", where=where, hint="--records https://...")
    try:
        answer = exchange("GET", url, seconds=seconds)
    except NoAnswer as error:
        raise Incomplete(str(error), where=where, hint=_HINT) from None
    if answer.status != 200:
        raise Incomplete(f"the server answered {answer.status}", where=where, hint=_HINT)
    return answer.body
