"""Reading settled records again without reading their text again: what each blob held is kept between runs.

A blob's id names its content, and what is kept is sealed and tied to the program, so keeping it saves time and changes
no result.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import msgspec

from incident_ops.model.record import Record
from incident_ops.records.catalogue import Catalogue, to_record
from incident_ops.records.recall import read_record
from incident_ops.records.store import Keep, Store

_Kept = tuple[str, dict[str, msgspec.Raw]]


def remembered(
    store: Store, catalogue: Catalogue, keep: Keep | None, stamp: str, wanted: Collection[str] | None = None
) -> Iterator[Record]:
    """All readable records by path, or those whose paths are `wanted`; Incomplete where one changed since.

    `stamp` names the program: what another one kept is not used.
    """
    entries = [one for one in catalogue.entries() if wanted is None or one[0] in wanted]
    known = _load(keep, stamp)
    fresh: dict[str, msgspec.Raw] = {}
    for path, blob, record in entries:
        if record is not None:
            yield record
        elif blob in known:
            yield to_record(path, msgspec.msgpack.decode(known[blob]))
        else:
            record = read_record(store, path)
            if blob:
                fresh[blob] = msgspec.Raw(msgspec.msgpack.encode(record.data))
            yield record
    if fresh and keep is not None:
        keep.save(msgspec.msgpack.encode((stamp, {**known, **fresh})))


def _load(keep: Keep | None, stamp: str) -> Mapping[str, msgspec.Raw]:
    content = keep.load() if keep is not None else None
    if content is None:
        return {}
    try:
        told, known = msgspec.msgpack.decode(content, type=_Kept)
    except msgspec.DecodeError:
        return {}
    return known if told == stamp else {}
