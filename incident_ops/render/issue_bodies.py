"""The generated texts of all issues by key. Handles stand in code spans: an issue never pings anybody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from incident_ops.model.fence import alone
from incident_ops.model.ids import item_key
from incident_ops.model.incident import ActionItem
from incident_ops.model.policy import Policy
from incident_ops.model.record import Record
from incident_ops.render.item_body import item_body
from incident_ops.render.tracking_body import tracking_body


class Bodies(Mapping[str, str]):
    """Key -> generated text as of `now` (aware UTC), rendered when it is asked for: closed records cost nothing."""

    def __init__(self, records: Iterable[Record], policy: Policy, now: datetime) -> None:
        self._policy, self._now = policy, now
        self._sources: dict[str, tuple[Record, ActionItem | None]] = {}
        for record in records:
            self._sources[record.incident.id] = (record, None)
            for item in record.incident.action_items:
                self._sources[item_key(record.incident.id, item.id)] = (record, item)

    def __getitem__(self, key: str) -> str:
        record, item = self._sources[key]
        if item is not None:
            return alone(record, lambda one: item_body(one, item))
        return alone(record, lambda one: tracking_body(one, self._policy, self._now))

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)
