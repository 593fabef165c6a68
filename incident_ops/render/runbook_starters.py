"""The first text of a runbook, by what it is for: the shipped starters with a service's own name and owner."""

from __future__ import annotations

import json
from datetime import date
from functools import cache

from incident_ops.render.laid_texts import plain_templates
from incident_ops.resources import TEMPLATE_SUFFIX, folder, resource_text

_SUFFIX = f".md{TEMPLATE_SUFFIX}"


@cache
def starter_names() -> tuple[str, ...]:
    """What a runbook can begin from, by name."""
    files = (folder("templates") / "runbooks").glob(f"*{_SUFFIX}")
    return tuple(sorted(one.name.removesuffix(_SUFFIX) for one in files if not one.name.startswith("_")))


def starter_text(name: str, service: str, owner: str, review_by: date) -> str:
    """The text of a starter. `service` is a name of services.yaml, which a shell takes as it is."""
    facts = {"service": service, "owner": json.dumps(owner, ensure_ascii=False), "review_by": review_by.isoformat()}
    shared = {part: _filled(f"_{part}", facts).rstrip("\n") for part in ("look_first", "something_else")}
    return _filled(name, {**facts, **shared})


def _filled(name: str, facts: dict[str, str]) -> str:
    text = resource_text(f"templates/runbooks/{name}{_SUFFIX}")
    return plain_templates().from_string(text).render(facts)
