"""One remote of a clone: its address, what its branches are, and moving one of them by compare-and-swap.

The secret travels in git's environment, never in an address or an argument. Nothing that the clone's configuration
names is run: no hook, no credential program, no password window. A server that does not answer ends in an error.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

from incident_ops.adapters.git import SETTINGS, Git, Objects, quiet_environment
from incident_ops.adapters.processes import Ran, one_line, run
from incident_ops.errors import Ambiguous, Incomplete, UserError, WriteFailed

DONE, MOVED, REFUSED, UNREACHABLE = "done", "moved", "refused", "unreachable"
TRIES = 5
PROTOCOLS = ("https", "ssh", "file")
Answer = TypeVar("Answer")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)(?:://|::)")

_NAME = "incident-ops-write"  # of the remote as git is given it, so that settings of a person's remote do not apply
_SSH, _SSH_SETTING = "GIT_SSH_COMMAND", "core.sshcommand"
CREDENTIALS = r"^(credential\.|core\.sshcommand$)"
"""The settings by which git finds a person's credentials."""
_QUIET = ("-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "push.pushOption=")
_UNSENT = (
    "unable to access",
    "could not read username",
    "authentication failed",
    "could not read from remote repository",
    "does not appear to be a git repository",
)
_FORBIDDEN = ("could not read username", "authentication failed", "error: 403", "error: 401", "denied", "publickey")
_ALLOW = "a rule or a hook of the remote forbids it: allow pushes to branches incident-ops/*"
_SIGN = (
    "a rule asks for signed commits: take the branches incident-ops/* out of it, and leave `apply` to the workflow:"
    " GitHub signs what its GITHUB_TOKEN proposes"
)
_BUSY = ("cannot lock ref", "failed to update ref", "failed to lock", "unable to create", "already exists")


class Pushed(NamedTuple):
    """What became of a push.

    DONE; MOVED: somebody else was faster, nothing was written; REFUSED: the server said no; UNREACHABLE: it was never
    asked. `reason` is the server's or git's reason, printable, `hint` how to mend it.
    """

    outcome: str
    reason: str = ""
    hint: str = ""

    def error(self, doing: str) -> WriteFailed:
        """The error for a caller that cannot go on; `doing` is what could not be done."""
        if self.outcome == MOVED:
            return WriteFailed(f"{doing}: others were faster {TRIES} times in a row", hint="run it again")
        return WriteFailed(f"{doing}: {self.reason}", hint=self.hint)


class NewestCommit(NamedTuple):
    """The default branch of a remote, the commit at its tip, and what the branches that were asked about are called."""

    branch: str
    commit: str
    names: tuple[str, ...]


class Remote:
    """A remote of the clone that `git` is in."""

    def __init__(
        self, git: Git, name: str, place: Address, secret: str, seconds: float, own: Sequence[tuple[str, str]] = ()
    ) -> None:
        self.git = git
        self.objects = Objects(git)
        self.name = name
        self._place = place
        self._secrets = [one for one in (secret, place.authorization.partition(" ")[2]) if one]
        self._seconds = seconds
        self._own = own
        self.signs: Callable[[str], str] | None = None
        """Makes a commit once more as the host signs it -> its id, "" where it signs none; None: nobody can."""

    @classmethod
    def of(
        cls,
        git: Git,
        name: str = "origin",
        *,
        token: str = "",
        server: str = "https://github.com",
        seconds: float = 60.0,
        own: Sequence[tuple[str, str]] = (),
        only_reads: bool = False,
    ) -> Remote:
        """The remote of that name; `token` opens it where it is on `server`; one question takes `seconds` at most.

        `own` are settings of the person who pushes, by which git finds their credentials where no token opens it.
        `only_reads`: its address is the one that is fetched from, where another one is pushed to.
        UserError where the clone has no such remote, or one that is reached over another protocol.
        """
        words = ("remote", "get-url", *(() if only_reads else ("--push",)), name)
        command = ["git", *SETTINGS, "-C", str(git.root), *words]
        asked = run(command, quiet_environment(), seconds)
        configured = os.fsdecode(asked.stdout).removesuffix("\n")
        if asked.code or not configured:
            raise UserError(f"this clone has no remote {name!r}", hint=f"git remote add {name} <its address>")
        return cls(git, name, address(configured, token, server, name), token, seconds, own)

    @property
    def url(self) -> str:
        """The remote's address, without what opens it."""
        return self._place.url

    def default_branch(self) -> str:
        """The branch that the remote's HEAD names. Incomplete where it does not tell, as before the first push."""
        for line in self._listed("--symref", "HEAD"):
            if line.startswith("ref: refs/heads/"):
                return line.removeprefix("ref: refs/heads/").partition("\t")[0]
        if not any(self._listed("refs/heads/*")):
            raise Incomplete(f"{self.name} has no commit yet", hint=f"once: git push -u {self.name} HEAD:main")
        raise Incomplete(f"{self.name} does not report its default branch", where=one_line(self.url))

    def default_tip(self) -> str | None:
        """The commit its default branch is at, with all it holds fetched; None where the remote has no commit."""
        listed = self._listed("--symref", "HEAD")
        branch = next((line for line in listed if line.startswith("ref: refs/heads/")), "")
        if not any(line.endswith("\tHEAD") and line is not branch for line in listed):
            return None
        return self.tip(branch.removeprefix("ref: refs/heads/").partition("\t")[0]) if branch else None

    def newest(self, folder: str) -> NewestCommit:
        """Its default branch and the tip of it, that commit fetched; and how branches go on that begin with `folder`.

        One question and one fetch, both together within the seconds of this remote; into a shallow clone comes that
        commit alone. Incomplete where the remote cannot be read, has no commit or does not report its default branch.
        """
        until, heads = time.monotonic() + self._seconds, f"refs/heads/{folder}"
        rows = [line.partition("\t") for line in self._listed("--symref", "HEAD", f"{heads}*")]
        symbolic = (first for first, _, ref in rows if ref == "HEAD" and first.startswith("ref: refs/heads/"))
        branch = next(symbolic, "").removeprefix("ref: refs/heads/")
        commit = next((first for first, _, ref in rows if ref == "HEAD" and not first.startswith("ref: ")), "")
        if not commit:
            hint = f"push it, or make another branch the default of {self.name}"
            raise Incomplete(f"{self.name} has no commit on its default branch", hint=hint)
        if not branch:
            raise Incomplete(f"{self.name} does not report its default branch", where=one_line(self.url))
        if not self.git.knows(commit):
            self._fetch(commit, alone=bool(self.git.shallow_hint()), until=until)
            self.objects.remember(f"refs/incident-ops/{branch}", commit)
        names = tuple(ref.removeprefix(heads) for _, _, ref in rows if ref.startswith(heads))
        return NewestCommit(branch, commit, names)

    def head(self) -> str | None:
        """The commit that the remote's HEAD is at; None where it does not tell. Incomplete where it cannot be read."""
        return next((line.partition("\t")[0] for line in self._listed("HEAD") if line.endswith("\tHEAD")), None)

    def tip(self, branch: str) -> str | None:
        """The commit a branch is at now, with all it holds fetched; None where there is no such branch.

        Incomplete where the remote cannot be read.
        """
        ref = f"refs/heads/{branch}"
        for _ in range(TRIES):
            found = next((line.partition("\t")[0] for line in self._listed(ref) if line.endswith(f"\t{ref}")), None)
            if found is None or self.git.knows(found):
                return found
            self._fetch(ref)
            if self.git.knows(found):
                self.objects.remember(f"refs/incident-ops/{branch}", found)
                return found
        raise Incomplete(f"branch {branch} of {self.name} moves faster than it can be read", hint="run it again")

    def bring(self, commit: str) -> None:
        """Fetches a commit that is on no branch. Incomplete where the remote does not give it."""
        if not self.git.knows(commit):
            self._fetch(commit)

    def tips(self, names: tuple[str, ...]) -> dict[str, str]:
        """Branch -> the commit it is at, with all it holds fetched, of those named, or below a name that ends in `/`.

        Incomplete where the remote cannot be read.
        """
        heads = "refs/heads/"
        folders = tuple(name for name in names if name.endswith("/"))
        asked = (f"{heads}{name}{'*' if name in folders else ''}" for name in names)
        rows = (line.partition("\t") for line in self._listed(*asked))
        found = {ref.removeprefix(heads): commit for commit, _, ref in rows if ref.startswith(heads)}
        found = {name: commit for name, commit in found.items() if name in names or name.startswith(folders)}
        unknown = [name for name, commit in found.items() if not self.git.knows(commit)]
        if unknown:
            with suppress(Incomplete):  # one that is gone meanwhile: each is then asked for alone
                self._fetch(*(f"{heads}{name}" for name in unknown))
        for name in unknown:
            if self.git.knows(found[name]):
                self.objects.remember(f"refs/incident-ops/{name}", found[name])
            elif (tip := self.tip(name)) is not None:  # it moved meanwhile
                found[name] = tip
            else:
                del found[name]
        return found

    def push(self, branch: str, commit: str | None, expected: str | None) -> Pushed:
        """Moves a branch to a commit (None deletes it) where it is still at `expected` (None: not there).

        Ambiguous where the answer was lost and the branch cannot be read either.
        """
        ref = f"refs/heads/{branch}"
        done = self._run(
            "push",
            "--porcelain",
            "--no-verify",
            "--no-signed",
            "--no-follow-tags",
            "--recurse-submodules=no",
            "--receive-pack=git-receive-pack",
            f"--force-with-lease={ref}:{expected or ''}",
            _NAME,
            f"{commit or ''}:{ref}",
        )
        said = self._said(done)
        verdict = next((line for line in done.stdout.decode(errors="replace").split("\n") if f":{ref}\t" in line), "")
        if verdict and not verdict.startswith("!"):
            return Pushed(DONE)
        if "[rejected]" in verdict:
            return Pushed(MOVED)
        if not verdict and done.code is not None and any(word in said.casefold() for word in _UNSENT):
            return self._unsent(said)
        return self._look_after(branch, commit, expected, verdict, said)

    def _look_after(self, branch: str, commit: str | None, expected: str | None, verdict: str, said: str) -> Pushed:
        """The server refused, or its answer was lost: only the branch itself tells which."""
        refused = "[remote rejected]" in verdict
        try:
            now = self.tip(branch)
        except Incomplete as error:
            if refused:
                return self._refused(verdict, said)
            hint = "the next run looks before it writes"
            raise Ambiguous(f"nobody can tell whether {branch} was pushed: {said}", hint=hint) from error
        if now == commit or (not refused and commit and now and self.objects.descends(now, commit)):
            return Pushed(DONE)
        if now != expected or (refused and any(word in verdict.casefold() for word in _BUSY)):
            return Pushed(MOVED)
        return self._refused(verdict, said) if refused else self._unsent(said)

    def _refused(self, verdict: str, said: str) -> Pushed:
        reason = one_line(self._hide(verdict.rpartition("[remote rejected]")[2]), 200)
        hint = _SIGN if "verified signature" in said.casefold() else _ALLOW
        return Pushed(REFUSED, f"{self.name} refused the push {reason}: {said}", hint)

    def _unsent(self, said: str) -> Pushed:
        if any(word in said.casefold() for word in _FORBIDDEN):
            return Pushed(REFUSED, said, self._key())
        return Pushed(UNREACHABLE, said, self._way())

    def _key(self) -> str:
        if self.url.startswith("https:"):
            return "set GITHUB_TOKEN to a token of this repository with contents: write (in a job: permissions)"
        return f"check that your key may write to {one_line(self.url)}"

    def _way(self) -> str:
        return f"check the network, and `git remote get-url {self.name}`: {one_line(self.url)}"

    def _listed(self, *words: str) -> list[str]:
        options = [word for word in words if word.startswith("-")]
        refs = [word for word in words if not word.startswith("-")]
        done = self._run("ls-remote", *options, "--upload-pack=git-upload-pack", _NAME, *refs)
        return os.fsdecode(self._read(done)).split("\n")

    def _fetch(self, *refs: str, alone: bool = False, until: float | None = None) -> None:
        """`alone`: without the history before; `until`: when it must be done, by the monotonic clock."""
        self._read(
            self._run(
                "fetch",
                "--quiet",
                *(("--depth=1",) if alone else ()),
                "--no-tags",
                "--no-write-fetch-head",
                "--no-write-commit-graph",
                "--no-recurse-submodules",
                "--upload-pack=git-upload-pack",
                _NAME,
                *refs,
                seconds=self._seconds if until is None else max(until - time.monotonic(), 0.0),
            )
        )

    def _read(self, done: Ran) -> bytes:
        if done.code != 0:
            said = self._said(done)
            hint = self._key() if any(word in said.casefold() for word in _FORBIDDEN) else self._way()
            raise Incomplete(f"{self.name} cannot be read: {said}", hint=hint, where=one_line(self.url))
        return done.stdout

    def _said(self, done: Ran) -> str:
        if done.code is None:
            return f"it did not answer within {self._seconds:g} s"
        return one_line(self._hide(done.stderr.decode(errors="replace"))) or f"git ended with code {done.code}"

    def _hide(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def _run(self, *words: str, seconds: float | None = None) -> Ran:
        command = ["git", *SETTINGS, *_QUIET, "-C", str(self.git.root), *words]
        return run(command, self._environment(), self._seconds if seconds is None else seconds)

    def _environment(self) -> dict[str, str]:
        header = f"http.{self.url}.extraheader"
        settings = [(f"remote.{_NAME}.url", self.url), ("credential.helper", "")]
        if self._place.authorization:  # the empty one takes back what a checkout left there: two would be refused
            settings += [(header, ""), (header, f"Authorization: {self._place.authorization}")]
        else:
            settings += [pair for pair in self._own if pair[0] != _SSH_SETTING]
        numbered = {
            key: text
            for n, (name, value) in enumerate(settings)
            for key, text in ((f"GIT_CONFIG_KEY_{n}", name), (f"GIT_CONFIG_VALUE_{n}", value))
        }
        more = {
            "GIT_ALLOW_PROTOCOL": ":".join(PROTOCOLS),
            "GIT_ASKPASS": "",
            _SSH: os.environ.get(_SSH) or dict(self._own).get(_SSH_SETTING, "ssh -o BatchMode=yes"),
            "GIT_CONFIG_COUNT": str(len(settings)),
        }
        return quiet_environment() | more | numbered


def own_settings(git: Git, pattern: str) -> list[tuple[str, str]]:
    """Settings whose names fit, as the person and the machine have them: none that the clone brings along."""
    words = ("config", "--show-scope", "-z", "--get-regexp", pattern)
    done = run(["git", *SETTINGS, "-C", str(git.root), *words], quiet_environment(), 60.0)
    fields = iter(os.fsdecode(done.stdout).split("\0"))
    pairs = [(scope, *text.partition("\n")[::2]) for scope, text in zip(fields, fields, strict=False)]
    return [(name, value) for scope, name, value in pairs if scope in ("global", "system")]


class Address(NamedTuple):
    """An address without a secret in it, and the value of the `Authorization` header for it ("" without one)."""

    url: str
    authorization: str


def address(configured: str, token: str, server: str, remote: str) -> Address:
    """The address git has for a remote -> one that may be shown.

    A token is for `server` alone (the address of the GitHub that issued it) and goes nowhere else; without one, the
    credentials in the address itself (before an `@`) are used. UserError for any protocol but https, ssh and file.
    """
    scheme = found[1].casefold() if (found := _SCHEME.match(configured)) else ""
    if scheme and scheme not in PROTOCOLS:
        hint = f"git remote set-url {remote} <an address with https, ssh or file>"
        raise UserError(f"remote {remote!r} is reached over {scheme}, which is not used here", hint=hint)
    if scheme != "https":
        return Address(configured, "")
    parts = urlsplit(configured)
    user, _, place = parts.netloc.rpartition("@")
    url = parts._replace(netloc=place).geturl()
    if token and place.casefold() == urlsplit(server).netloc.casefold():
        return Address(url, _basic(f"x-access-token:{token}"))
    return Address(url, _basic(unquote(user)) if user else "")


def _basic(pair: str) -> str:
    return f"Basic {b64encode(pair.encode()).decode()}"


@dataclass(frozen=True, slots=True)
class Move(Generic[Answer]):
    """The branch is to go to `commit` (None deletes it); `answer` is what that means to the caller once it is done.

    `answer_of` gives it where another commit of the same content takes its place; None: it is the same.
    """

    commit: str | None
    answer: Answer
    answer_of: Callable[[str], Answer] | None = None

    def by(self, commit: str) -> Move[Answer]:
        """The same with another commit of the same content."""
        return Move(commit, self.answer_of(commit) if self.answer_of else self.answer, self.answer_of)


@dataclass(frozen=True, slots=True)
class Stay(Generic[Answer]):
    """The branch stays where it is, and `answer` says why."""

    answer: Answer


def compare_and_set(
    remote: Remote, branch: str, decide: Callable[[str | None], Move[Answer] | Stay[Answer]], failed: str
) -> Answer:
    """Asks `decide` with the commit the branch is at (None: not there), and moves it or lets it stay.

    WriteFailed where the remote refuses or others are always faster (`failed` says what was not done), Incomplete where
    it cannot be read, Ambiguous where its answer was lost.
    """
    pushed = Pushed(MOVED)
    for _ in _turns():
        seen = remote.tip(branch)
        decided = decide(seen)
        if isinstance(decided, Stay):
            return decided.answer
        pushed = remote.push(branch, decided.commit, seen)
        if pushed.hint == _SIGN and decided.commit and remote.signs and (signed := remote.signs(decided.commit)):
            decided = decided.by(signed)
            pushed = remote.push(branch, signed, seen)
        if pushed.outcome == DONE:
            return decided.answer
        if pushed.outcome != MOVED:
            break
    raise pushed.error(failed)


def _turns() -> Iterator[int]:
    """The tries, with a wait between them that differs from one run to the other."""
    for turn in range(TRIES):
        if turn:
            time.sleep(secrets.randbelow(200 * 2**turn) / 1000)
        yield turn
