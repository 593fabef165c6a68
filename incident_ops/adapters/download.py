"""A small public text, from a file or an https address; redirects are followed: files of a release lie elsewhere."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urljoin

from incident_ops.adapters.http import LONGEST, NoAnswer, exchange, is_https_or_local
from incident_ops.errors import Incomplete, UserError
from incident_ops.extras import demand

_MOST_REDIRECTS = 5
_MOVED = (301, 302, 303, 307, 308)


def text_at(place: str) -> str:
    """What lies at a path or an address. UserError where nothing does, Incomplete where no answer comes."""
    try:
        raw = _fetched(place) if "://" in place else Path(place).read_bytes()
        return raw.decode("utf-8")
    except OSError as error:
        raise UserError(f"{place}: {error.strerror or error}", hint="a file, or an https address") from None
    except UnicodeDecodeError:
        raise UserError(f"{place} is not a text") from None


def _fetched(url: str) -> bytes:
    demand("github", "an address in --pins", "requests")
    at = url
    for _ in range(_MOST_REDIRECTS):
        if not is_https_or_local(at):
            raise UserError(f"{url} does not lead to an https address", hint="https://...")
        try:
            answer = exchange("GET", at, seconds=LONGEST)
        except NoAnswer as error:
            raise Incomplete(f"{url}: {error}", hint="run it again, or give the file") from None
        if answer.status == 200:
            return answer.body
        if answer.status not in _MOVED:
            raise UserError(f"{url}: answered {answer.status}", hint="is that version released?")
        at = urljoin(at, answer.headers.get("location", ""))
    raise UserError(f"{url} leads nowhere", hint="give the file")
