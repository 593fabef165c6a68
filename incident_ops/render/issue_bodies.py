"""The generated text of tracking issues and item issues. Handles stand in code spans: an issue never pings anybody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from incident_ops.lifecycle import effective
from incident_ops.model.ids import item_key
from incident_ops.model.incident import ActionItem, Incident
from incident_ops.model.policy import Policy
from incident_ops.model.record import Record
from incident_ops.render.dates import spell_instant
from incident_ops.render.safe import code, inline, markdown

LIMIT = 58_000  # GitHub takes 65,536 characters; the rest is for people

_INSTANTS = ("started", "detected", "declared", "acknowledged", "mitigated", "restored", "resolved", "closed")
_PENDING = "**Pending: this record is not merged yet.**"


class Bodies(Mapping[str, str]):
    """Key -> generated text, rendered when it is asked for: thousands of closed records cost nothing."""

    def __init__(self, records: Iterable[Record], policy: Policy) -> None:
        self._policy = policy
        self._sources: dict[str, tuple[Record, ActionItem | None]] = {}
        for record in records:
            self._sources[record.incident.id] = (record, None)
            for item in record.incident.action_items:
                self._sources[item_key(record.incident.id, item.id)] = (record, item)

    def __getitem__(self, key: str) -> str:
        record, item = self._sources[key]
        return tracking_body(record, self._policy) if item is None else item_body(record, item)

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)


def tracking_body(record: Record, policy: Policy) -> str:
    """Record -> the text of its tracking issue: what, how bad, since when, who, and the action items."""
    incident = record.incident
    summary = incident.impact.summary or incident.description
    sections = [
        _PENDING if record.pending else "",
        _headline(incident, policy),
        markdown(summary) if summary else "",
        _instants(incident),
        _roles(incident),
        _items(incident),
        _footer(record),
    ]
    return _fit([section for section in sections if section])


def item_body(record: Record, item: ActionItem) -> str:
    """Action item -> the text of its issue."""
    incident = record.incident
    facts = [
        ("Status", item.status.replace("_", " ")),
        ("Owner", code(item.owner or "") or "nobody yet"),
        ("Due", item.due or "no date yet"),
        ("Priority", item.priority or ""),
        ("Kind", item.kind or ""),
        ("Done at", item.done_at or ""),
        ("Done by", code(item.done_by or "")),
        ("Evidence", inline(item.evidence or "")),
        ("Reason", inline(item.reason or "")),
    ]
    sections = [
        _PENDING if record.pending else "",
        f"**{inline(item.title)}**",
        f"From {incident.id}: {inline(incident.title)}",
        _table(("Field", "Value"), [fact for fact in facts if fact[1]]),
        _footer(record),
    ]
    return _fit([section for section in sections if section])


def _headline(incident: Incident, policy: Policy) -> str:
    level = policy.duties(incident.severity, incident.priority)
    name = f" ({inline(level.label)})" if level and level.label else ""
    label = incident.priority if policy.drives == "priority" else incident.severity
    major = f", {incident.severity}" if policy.drives == "priority" and incident.severity else ""
    services = ", ".join(code(service) for service in incident.services)
    drill = "**Drill.** " if incident.drill else ""
    state = incident.state.replace("_", " ")
    return f"{drill}**{inline(label or 'no level')}**{name}{major}, **{state}**. Services: {services}"


def _instants(incident: Incident) -> str:
    at = effective(incident)
    rows = [(name.capitalize(), spell_instant(text)) for name in _INSTANTS if (text := at.get(f"times.{name}"))]
    rows += [
        (f"Cycle {number + 1}: {name}", spell_instant(text))
        for number in range(1, len(incident.cycles) + 1)
        for name in ("reopened", *_INSTANTS)
        if (text := at.get(f"cycles.{number}.{name}"))
    ]
    return _table(("Instant", "At"), rows)


def _roles(incident: Incident) -> str:
    roles = incident.roles
    named = [
        ("Commander", roles.commander),
        ("Technical lead", roles.technical_lead),
        ("Communications lead", roles.communications_lead),
        ("Scribe", roles.scribe),
        *((inline(role).capitalize(), who) for role, who in sorted(roles.others.items())),
    ]
    rows = [(role, code(who)) for role, who in named if who]
    return _table(("Role", "Who"), rows) if rows else ""


def _items(incident: Incident) -> str:
    rows = [
        (item.id, inline(item.title), item.status.replace("_", " "), code(item.owner or ""), item.due or "")
        for item in incident.action_items
    ]
    return "### Action items\n\n" + _table(("Item", "What", "Status", "Owner", "Due"), rows) if rows else ""


def _footer(record: Record) -> str:
    return f"Record: {code(record.path)}. Change the record, not this text; what you write below this line stays yours."


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _fit(sections: list[str]) -> str:
    """Sections as one text that a tracker takes; what does not fit is cut at a line and said to be."""
    text = "\n\n".join(sections)
    if len(text) <= LIMIT:
        return text
    return text[:LIMIT].rsplit("\n", 1)[0] + f"\n\nCut here: the record says more.\n\n{sections[-1]}"
