"""The review meeting of a postmortem as an iCalendar file, to be sent to those who come.

The record alone decides what it says, and git how often the record changed: the same commit gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import quote

from incident_ops import __version__
from incident_ops.documents.markdown import printable
from incident_ops.domain.incident import Incident
from incident_ops.domain.policy_sections import Contacts
from incident_ops.domain.time import instant, parse_instant
from incident_ops.extras import demand

LENGTH = timedelta(hours=1)
"""How long a meeting is put down for; the record says only when it begins."""
_MAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def mail_of(handle: str, contacts: Contacts) -> str:
    """The mail address by which git knows somebody; "" where no contact has one."""
    contact = contacts.people.get(handle)
    return next((one for one in (contact.git if contact else ()) if _MAIL.fullmatch(one)), "")


def meeting_file(
    incident: Incident, people: Iterable[str], contacts: Contacts, begin: datetime, sequence: int
) -> bytes:
    """The bytes of the file; `people` are the handles of those who come, the organizer first.

    Whoever has no address stands in the description alone: a calendar invites addresses.
    """
    demand("calendars", "an iCalendar file", "icalendar")
    from icalendar import Calendar, Event, vCalAddress  # takes long to load, and two commands need it

    calendar, event = Calendar(), Event()
    calendar.add("prodid", f"-//incident-ops//postmortem {__version__}//EN")
    calendar.add("version", "2.0")
    event.add("uid", f"{incident.id}@postmortem.incident-ops")
    event.add("dtstamp", instant(incident.times.resolved) or parse_instant(incident.times.declared))
    event.add("dtstart", begin)
    event.add("dtend", begin + LENGTH)
    event.add("sequence", sequence)
    event.add("summary", f"Postmortem of {incident.id}: {_one_line(incident.title)}")
    names = [*people]
    event.add("description", f"Who comes: {', '.join(map(_one_line, names)) or 'nobody is named'}\n" + _READ)
    if incident.links.bridge:
        event.add("location", _one_line(incident.links.bridge))
    invited = [(name, mail) for name in names if (mail := mail_of(name, contacts))]
    for place, (name, mail) in enumerate(invited):
        address = vCalAddress(f"mailto:{quote(mail, safe='@')}")
        address.params["CN"] = name
        if place == 0:  # whoever invites has to be named where anybody is invited
            event.add("organizer", address, encode=False)
        event.add("attendee", address, encode=False)
    calendar.add_component(event)
    made: bytes = calendar.to_ical()
    return made


_READ = "We ask what made the mistake possible, not who made it."


def _one_line(text: str) -> str:
    return " ".join(printable(text).split())
