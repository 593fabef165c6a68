"""gate.json on its branch or at an address, and whole records of another repository for one check."""

from __future__ import annotations

import os
import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from incident_ops import __version__
from incident_ops.adapters.git import SETTINGS, Git, quiet_environment
from incident_ops.adapters.remote import Remote
from incident_ops.adapters.run import run
from incident_ops.adapters.swap import Move, Stay, swap
from incident_ops.adapters.within import within
from incident_ops.errors import Incomplete, UserError, WriteFailed

BRANCH, FILE = "incident-ops/public", "gate.json"
SECONDS = 10.0
LARGEST = 2 * 1024 * 1024
_HERE = ("localhost", "127.0.0.1", "::1")
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

    return swap(remote, BRANCH, decide, "gate.json was not published")


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
        done = run(["git", *SETTINGS, "-C", str(folder), *words], quiet_environment(), SECONDS)
        if done.code != 0:
            raise WriteFailed("git could not make a folder to read into", where=str(folder))
    git = Git.around(folder)
    if git is None:
        raise Incomplete("git cannot be run", hint="install git")
    return Remote.of(git, token=token, server=server)


def fetch(url: str, seconds: float = SECONDS) -> bytes:
    """The bytes at an https address, at most LARGEST of them, within `seconds`; redirects are not followed.

    UserError for another protocol (http to this machine is taken). Incomplete for anything but a whole answer of 200;
    the address is named without its query, which may hold a key.
    """
    parts = urlsplit(url)
    where = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _HERE):
        raise UserError("gate.json is read over https only", where=where, hint="--records https://...")
    try:
        return within(seconds, lambda: _get(url, seconds))
    except TimeoutError as error:
        raise Incomplete(f"no answer within {seconds:g} s", where=where, hint=_HINT) from error
    except urllib.error.HTTPError as error:
        error.close()
        raise Incomplete(f"the server answered {error.code}", where=where, hint=_HINT) from error
    except urllib.error.URLError as error:
        raise Incomplete(f"the server cannot be reached: {_why(error.reason)}", where=where, hint=_HINT) from error
    except (HTTPException, OSError, ValueError) as error:
        raise Incomplete(f"the answer broke off ({type(error).__name__})", where=where, hint=_HINT) from error


def _why(reason: str | BaseException) -> str:
    if isinstance(reason, socket.gaierror):
        return "nobody knows its name"
    return os.strerror(reason.errno or 0) if isinstance(reason, OSError) else str(reason)


def _get(url: str, seconds: float) -> bytes:
    opener = urllib.request.build_opener(_NoRedirect)
    asked = urllib.request.Request(url, headers={"User-Agent": f"incident-ops/{__version__}"})  # noqa: S310
    with opener.open(asked, timeout=seconds) as answer:
        if answer.status != HTTPStatus.OK:
            raise urllib.error.HTTPError(url, answer.status, "", answer.headers, None)
        content: bytes = answer.read(LARGEST + 1)
        length = answer.headers.get("Content-Length", "")
    if len(content) > LARGEST:
        raise ValueError("too large")
    if length.isdecimal() and len(content) < int(length):
        raise ValueError("cut short")
    return content


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect could lead anywhere; it is an answer like any other that is not 200."""

    def redirect_request(
        self,
        req: urllib.request.Request,  # noqa: ARG002
        fp: IO[bytes],  # noqa: ARG002
        code: int,  # noqa: ARG002
        msg: str,  # noqa: ARG002
        headers: HTTPMessage,  # noqa: ARG002
        newurl: str,  # noqa: ARG002
    ) -> None:
        return None
