"""What `init --github` adds to the first files: the files of a release, and what is left to be set on GitHub."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from incident_ops import __version__, resources
from incident_ops.adapters.download import text_at
from incident_ops.adapters.git_names import branch_name, fetched_branch
from incident_ops.adapters.notifiers import pagers, variable
from incident_ops.adapters.notifiers.issue_comment import TICKET
from incident_ops.app.existing import there_at
from incident_ops.app.laid_files import (
    RECORD,
    LaidRecord,
    laid_record,
    plan_laid,
    read_laid,
    release_files,
)
from incident_ops.app.notify import pager_variables
from incident_ops.app.workspace import Workspace, remote_of
from incident_ops.domain.notification import INCIDENT_CHANNEL
from incident_ops.domain.pin_file import TOOL, read_pins, tool_pin
from incident_ops.domain.policy import Policy, Service
from incident_ops.errors import UserError
from incident_ops.notifications.trials import TrialOptions, channels_meant
from incident_ops.reconcile.desired import palette
from incident_ops.render.findings import inert
from incident_ops.render.github_steps import SetUpStep, set_up_steps
from incident_ops.render.init import FileOutcome, PlannedFile
from incident_ops.render.laid_texts import OWN_BRANCH, OWNER, LaidValues

_WHEEL = re.compile(r"(?P<place>[^\s#]+\.whl)(?:#sha256=(?P<digest>[0-9a-f]{64}))?", re.ASCII)
_SITE = "https://"
_BOT_TOKEN, _HEARTBEAT = "SLACK_BOT_TOKEN", "INCIDENT_OPS_HEARTBEAT_URL"


class GitHubOptions(NamedTuple):
    """What was asked for; empty = as the last time, or as the clone says.

    `pins` is a release's pin file, or its address; `app` is the id of a GitHub App.
    """

    owners: Sequence[str] = ()
    branch: str = ""
    wheel: str = ""
    pins: str = ""
    app: int | None = None


class GitHubSetUp(NamedTuple):
    """The files of the release, among them the one that says what was laid; what is left to do; the laid values."""

    files: Sequence[PlannedFile]
    steps: Sequence[SetUpStep]
    is_first: bool


def needs_owner(workspace: Workspace, options: GitHubOptions) -> bool:
    """True where nobody has said yet who owns the repository."""
    return not options.owners and read_laid(workspace.root) is None


def owner_of(text: str) -> str:
    """Who owns files, as CODEOWNERS writes them. UserError where it is nobody on GitHub."""
    if not re.search(OWNER, text.strip(), re.ASCII):
        raise UserError(f"{inert(text)!r} cannot own files on GitHub", hint="e.g. @acme/sre or @alice")
    return text.strip()


def plan_set_up(
    workspace: Workspace, options: GitHubOptions, policy: Policy, services: Mapping[str, Service], *, is_dry: bool
) -> GitHubSetUp:
    """What becomes of each file of the release, and the steps. With `is_dry` nothing is kept in git's store either.

    UserError for a value that cannot be used, and where nobody owns the repository.
    """
    if workspace.git is not None and workspace.git.prefix:
        hint = "--github is for a repository whose policy.yaml is at its top"
        raise UserError(
            "GitHub runs workflows from the top of a repository only", hint=hint, where=workspace.git.prefix
        )
    before = read_laid(workspace.root)
    values = _values(workspace, options, policy, services, before)
    wanted = release_files(values)
    state = plan_laid(workspace.root, workspace.git, before, wanted)
    files = [*state.files]
    if not is_dry:
        content = laid_record(workspace.git, before, values, wanted, state)
        files.append(_record_file(workspace, content, is_first=before is None))
    labels = policy.tracker.labels
    kinds = (labels.incident, labels.ticket, labels.action_item, labels.overdue, labels.escalated)
    known = palette(policy, ())
    steps = set_up_steps(values, [known[name.casefold()] for name in kinds], options.app)
    return GitHubSetUp(files, steps, before is None)


def _record_file(workspace: Workspace, content: bytes, *, is_first: bool) -> PlannedFile:
    there = there_at(workspace.root, RECORD)
    if there == content:
        return PlannedFile(RECORD, FileOutcome.KEPT)
    if isinstance(there, str):
        return PlannedFile(RECORD, FileOutcome.LEFT, note=there)
    return PlannedFile(RECORD, FileOutcome.WRITTEN if is_first else FileOutcome.UPDATED, content)


def _values(
    workspace: Workspace,
    options: GitHubOptions,
    policy: Policy,
    services: Mapping[str, Service],
    before: LaidRecord | None,
) -> LaidValues:
    last = before.values if before else LaidValues()
    owners = [owner_of(one) for one in options.owners] or last.owners
    if not owners:
        hint = "--owner @acme/sre; repeat it for several"
        raise UserError("nobody owns the repository: whose review do changes of the policy need?", hint=hint)
    is_same = before is not None and before.version == __version__
    label = policy.labels[min(1, len(policy.labels) - 1)]
    return LaidValues(
        owners=list(dict.fromkeys(owners)),
        branch=_branch(workspace, options.branch, last.branch if before else ""),
        repository=_repository(workspace) or last.repository,
        wheel=_given_wheel(workspace, options) or (last.wheel if is_same else "") or _installed_wheel(),
        level=f"{policy.drives}: {label}",
        variables=list(dict.fromkeys(needed_variables(workspace, policy, services))),
    )


def _branch(workspace: Workspace, given: str, last: str) -> str:
    if given:
        return _checked_branch(given)
    git = workspace.git
    if git is None:
        return last or OWN_BRANCH
    remote = remote_of(git)
    fetched = fetched_branch(git, remote.name).removeprefix(f"{remote.name}/") if remote else ""
    return fetched or last or branch_name(git) or OWN_BRANCH


def _checked_branch(name: str) -> str:
    is_wrong = re.search(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/.]|[/.]$|\.lock$", name)
    if is_wrong or not name.isprintable():
        raise UserError(f"{inert(name)!r} cannot be the name of a branch", hint="e.g. --default-branch trunk")
    return name


def _repository(workspace: Workspace) -> str:
    from incident_ops.adapters.github.connect import repository_on_github

    remote = remote_of(workspace.git)
    return repository_on_github(os.environ, remote.url) if remote else ""


def _given_wheel(workspace: Workspace, options: GitHubOptions) -> str:
    if options.wheel and options.pins:
        raise UserError("--wheel and --pins both say what to install", hint="give one of them")
    return _pinned(options.pins) if options.pins else _wheel(workspace, options.wheel)


def _pinned(place: str) -> str:
    """The version and digest of this program in the pin file of its release, all of which has to be as it is here."""
    text = text_at(place)
    pins, where = read_pins(text), inert(place)
    tool = tool_pin(pins)
    if tool is None or tool.place or len(tool.digests) != 1:
        raise UserError("is not the pin file of a release", hint="incident-ops-VERSION.txt of the release", where=where)
    if tool.version != __version__:
        hint = f"take {resources.pin_file_address(__version__)}, or install that release here"
        raise UserError(f"is of {tool.version}, and this is {__version__}", hint=hint, where=where)
    ours = read_pins(resources.resource_text("requirements/run.txt"))
    if differing := sorted({one.name for one in {*pins} ^ {tool, *ours}}):
        named = ", ".join(differing[:5])
        raise UserError(f"differs from what this release was tested with: {named}", hint="was it edited?", where=where)
    return f"{TOOL}=={tool.version}#sha256={tool.digests[0]}"


def _wheel(workspace: Workspace, given: str) -> str:
    """An address of a wheel with its digest, or a wheel of the repository with the digest that it has."""
    if not given:
        return ""
    found = _WHEEL.fullmatch(given)
    if found is None:
        hint = "--wheel 'https://.../incident_ops-1.0-py3-none-any.whl#sha256=HEX', or a wheel in this repository"
        raise UserError(f"{inert(given)!r} is not a wheel with its hash", hint=hint)
    place, digest = found["place"], found["digest"]
    if place.startswith(_SITE):
        if digest is None:
            raise UserError("the address of the wheel has no hash", hint="add #sha256= and its 64 digits")
        if _has_login(place):
            raise UserError("the address of the wheel has a login in it", hint="the file goes into git: leave it out")
        return f"{place}#sha256={digest}"
    path = workspace.root / place
    if ".." in path.parts or place.startswith(("/", "~")) or "://" in place or not path.is_file():
        raise UserError(f"{inert(place)} is not a file of this repository", hint="its path from the repository's top")
    made = sha256(path.read_bytes()).hexdigest()
    if digest not in (None, made):
        raise UserError(f"{inert(place)} has another hash: {made}", hint="is it the wheel that you mean?")
    return f"./{place.removeprefix('./')}#sha256={made}"


def _installed_wheel() -> str:
    """The wheel that this program was installed from, where the installer noted its address and hash; else ""."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        noted = json.loads(distribution("incident-ops").read_text("direct_url.json") or "{}")
        text = f"{noted['url']}#sha256={noted['archive_info']['hashes']['sha256']}"
    except (PackageNotFoundError, ValueError, KeyError, TypeError):
        return ""
    is_public = _WHEEL.fullmatch(text) is not None and text.startswith(_SITE) and not _has_login(text)
    return text if is_public else ""


def _has_login(address: str) -> bool:
    return "@" in address.removeprefix(_SITE).partition("/")[0]


def needed_variables(workspace: Workspace, policy: Policy, services: Mapping[str, Service]) -> Iterator[str]:
    """The secrets of the channels that the policy names: addresses, routing keys, and what else they need."""
    keys = pager_variables(policy, services)
    channels = channels_meant(policy, TrialOptions(), workspace.now)[0]
    for channel in sorted(channels):
        if channel == INCIDENT_CHANNEL:
            yield _BOT_TOKEN
        elif channel in pagers() and keys:
            continue
        elif channel != TICKET:
            yield variable(channel)
    yield from sorted(keys)
    yield _HEARTBEAT
