"""The heartbeat: a monitor elsewhere is pinged after each complete run, and alerts when the pings stop."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from incident_ops.adapters.http import Place, ask
from incident_ops.errors import IncidentOpsError, WriteFailed
from incident_ops.extras import demand

HEARTBEAT = "INCIDENT_OPS_HEARTBEAT_URL"
_HINT = f"check the address in {HEARTBEAT}, and the monitor behind it"


def ping(url: str) -> None:
    """One GET of the address; any status of 200 to 299 counts. WriteFailed for everything else, never with the address:
    whoever knows it can keep a dead automation looking alive.
    """
    try:
        demand("notify", HEARTBEAT, "requests")
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True)
        place = Place("the heartbeat", parts._replace(query="", fragment="").geturl(), allow_private=True)
        status = ask(place, "GET", params=query).status
    except IncidentOpsError as error:
        raise WriteFailed(f"the heartbeat was not sent: {error}", hint=_HINT) from None
    except ValueError:
        raise WriteFailed("the heartbeat was not sent: its address is not a URL", hint=_HINT) from None
    if not 200 <= status < 300:
        raise WriteFailed(f"the heartbeat was not taken: its monitor answered {status}", hint=_HINT)
