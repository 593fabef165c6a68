"""From the environment to a tracker: whose token, which repository, which API. The token is never printed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from incident_ops.adapters.github.client import Client, Request, Wire
from incident_ops.adapters.github.commits import CommitsByGitHub
from incident_ops.adapters.github.issues import GitHubTracker
from incident_ops.adapters.github.pulls import compare_address
from incident_ops.adapters.github.records_home import RecordsHome
from incident_ops.adapters.http import is_https_or_local
from incident_ops.errors import UserError

API = "https://api.github.com"
_LONGEST_ID = 18  # digits
_FEW_REQUESTS = 40
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(?:_[A-Za-z0-9]+)?/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}", re.ASCII)
_REMOTE = re.compile(
    r"(?:(?P<scheme>[a-z+]+)://(?:[^/@]*@)?(?P<server>[^/]+?)(?::\d*)?/|(?:[^/@:]+@)?(?P<host>[^/:]+):(?!//))"
    r"(?P<name>.+?)(?:\.git)?/?",
    re.ASCII,
)


class Settings(NamedTuple):
    """What a connection needs: the API's address, the site where people read, `owner/name`, the token."""

    api: str
    site: str
    repository: str
    token: str

    def __repr__(self) -> str:
        """Without the token, so that no traceback or log can show it."""
        return f"Settings(api={self.api!r}, site={self.site!r}, repository={self.repository!r})"


def connect(
    environment: Mapping[str, str],
    remote_url: str | None,
    policy_labels: tuple[str, ...],
    identities: tuple[str, ...],
    *,
    requests: int,
    owner_of: Callable[[str, int], str | None],
    pause: float = 1.0,
    log: Callable[[Request], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> GitHubTracker:
    """The tracker of the repository that the environment names, or else the clone's remote; sends nothing yet.

    `policy_labels` are the labels of incidents and of action items, `identities` the trusted logins, `requests` the
    most this run may send, `owner_of` reads the key in a body, given the id of the repository with the records:
    GITHUB_REPOSITORY_ID, else GitHub is asked for it once. `pause` seconds lie between writes: GitHub asks for 1, only
    tests give less. `sleep` waits out limits. A missing or wrong setting is a `UserError`.
    """
    for label in policy_labels:
        if not label or "," in label:
            raise UserError(f"the label `{label}` of policy tracker.labels cannot be listed by", hint="no comma in it")
    settings = read_settings(environment, remote_url)
    wire = Wire(settings.api, settings.token, pause=pause)
    client = Client(wire, settings.repository, requests=requests, sleep=sleep, log=log)
    records = RecordsHome(client, _named_by(remote_url, settings.site), _id_in(environment))
    return GitHubTracker(
        client, labels=policy_labels, identities=identities, owner_of=owner_of, site=settings.site, records=records
    )


def commits_of(environment: Mapping[str, str], remote_url: str) -> CommitsByGitHub | None:
    """Those of the repository at an address, as the token of the environment may see and make them.

    None where no token is set, or the address is not on the environment's GitHub. UserError as `read_settings`.
    """
    name = repository_on_github(environment, remote_url)
    if not name or not token_in(environment):
        return None
    settings = read_settings({**environment, "GITHUB_REPOSITORY": name}, remote_url)
    wire = Wire(settings.api, settings.token, pause=0.0)
    return CommitsByGitHub(Client(wire, name, requests=_FEW_REQUESTS, sleep=time.sleep))


def client_of(
    environment: Mapping[str, str], remote_url: str | None, requests: int, sleep: Callable[[float], None]
) -> Client:
    """Asks about the repository that the environment names, or else the clone's remote; sends nothing yet.

    At most `requests` times in all. UserError where no token or no repository is named.
    """
    settings = read_settings(environment, remote_url)
    wire = Wire(settings.api, settings.token, pause=0.0)
    return Client(wire, settings.repository, requests=requests, sleep=sleep)


def repository_on_github(environment: Mapping[str, str], remote_url: str) -> str:
    """`owner/name` of the repository at an address; "" where that is not on the environment's GitHub."""
    return _named_by(remote_url, _site_in(environment))


def token_in(environment: Mapping[str, str]) -> str:
    """GITHUB_TOKEN else GH_TOKEN; "" where neither is set."""
    return (environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN") or "").strip()


def repository_address(environment: Mapping[str, str], remote_url: str | None) -> str:
    """Where people read the repository with the records: the one that the clone's remote names; "" where none is
    named. The site is GITHUB_SERVER_URL, else the one behind the API."""
    site = _site_in(environment)
    name = _named_by(remote_url, site) or environment.get("GITHUB_REPOSITORY", "").strip()
    return f"{site}/{name}" if _NAME.fullmatch(name) else ""


def issues_address(environment: Mapping[str, str], remote_url: str | None) -> str:
    """Where people read the tracking issues, without a `/` at its end; "" where nothing says which repository it is."""
    site = _site_in(environment)
    try:
        return f"{site}/{_repository(environment, remote_url, site)}/issues"
    except UserError:
        return ""


def read_settings(environment: Mapping[str, str], remote_url: str | None) -> Settings:
    """GITHUB_TOKEN else GH_TOKEN; GITHUB_REPOSITORY else the remote's; GITHUB_API_URL else api.github.com."""
    api = (environment.get("GITHUB_API_URL") or API).strip().rstrip("/")
    if not is_https_or_local(api):
        raise UserError("GITHUB_API_URL is not an https address", hint=f"for github.com it is {API}")
    token = token_in(environment)
    if not token:
        raise UserError(
            "GitHub needs a token, and neither GITHUB_TOKEN nor GH_TOKEN is set",
            hint='in a workflow: env: GITHUB_TOKEN: ${{ github.token }}; at home: export GH_TOKEN="$(gh auth token)"',
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UserError("the token in GITHUB_TOKEN or GH_TOKEN is damaged", hint="it is one word of plain letters")
    site = _site_in(environment)
    return Settings(api, site, _repository(environment, remote_url, site), token)


class Site(NamedTuple):
    """Where the pull requests of a remote are: the address people read at, `owner/name`, whether a token is set."""

    address: str
    repository: str
    has_token: bool

    def compare(self, base: str, branch: str) -> str:
        """The address at which a person opens the pull request of a branch."""
        return compare_address(self.address, self.repository, base, branch)


def site_of(environment: Mapping[str, str], remote_url: str) -> Site | None:
    """The remote's repository where that is on the environment's GitHub, or else the one that the environment names.

    A job of another repository, which sends records to theirs, has its own there. None for a remote elsewhere: no token
    of GitHub is meant for it.
    """
    address = _site_in(environment)
    name = _named_by(remote_url, address) or environment.get("GITHUB_REPOSITORY", "").strip()
    return Site(address, name, bool(token_in(environment))) if _NAME.fullmatch(name) else None


def _repository(environment: Mapping[str, str], remote_url: str | None, site: str) -> str:
    hint = "set GITHUB_REPOSITORY=owner/name"
    if given := environment.get("GITHUB_REPOSITORY", "").strip():
        if not _NAME.fullmatch(given):
            raise UserError("GITHUB_REPOSITORY is not of the form owner/name", hint=hint)
        return given
    name = _named_by(remote_url, site)
    if not name:
        elsewhere = f"the clone's remote is not a repository on {urlsplit(site).netloc}"
        what = elsewhere if remote_url else "the clone has no remote"
        raise UserError(f"nothing says which repository holds the issues: {what}", hint=hint)
    return name


def _named_by(remote_url: str | None, site: str) -> str:
    """`owner/name` in the address of the clone's remote, "" where it has none or is not on `site`."""
    found = _REMOTE.fullmatch((remote_url or "").strip())
    if found is None or not _is_on(site, found["server"] or found["host"], is_ssh=found["scheme"] in (None, "ssh")):
        return ""
    name = found["name"].strip("/")
    return name if _NAME.fullmatch(name) else ""


def _is_on(site: str, host: str, *, is_ssh: bool) -> bool:
    """True for the site's own host, and for a name that only the settings of ssh know, which may stand for it."""
    host, own = host.casefold(), (urlsplit(site).hostname or "").casefold()
    is_alias = is_ssh and ("." not in host or host.startswith(f"{own}-"))
    return is_alias or host in (own, f"ssh.{own}", f"www.{own}")


def _id_in(environment: Mapping[str, str]) -> int | None:
    """What Actions says of the repository that it runs for: it holds the records, wherever the issues are."""
    given = environment.get("GITHUB_REPOSITORY_ID", "").strip()
    return int(given) if given.isascii() and given.isdigit() and len(given) <= _LONGEST_ID else None


def _site_in(environment: Mapping[str, str]) -> str:
    """Where people read: GITHUB_SERVER_URL, else what is behind GITHUB_API_URL, else github.com."""
    api = (environment.get("GITHUB_API_URL") or API).strip().rstrip("/")
    return (environment.get("GITHUB_SERVER_URL") or _site(api)).rstrip("/")


def _site(api: str) -> str:
    """Where people read what is behind an API: github.com, or the server itself (`https://HOST/api/v3`)."""
    if api == API:
        return "https://github.com"
    parts = urlsplit(api)
    host = parts.netloc.removeprefix("api.")  # data residency: api.NAME.ghe.com
    return f"{parts.scheme}://{host}"
