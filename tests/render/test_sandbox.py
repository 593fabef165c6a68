"""Templates change nothing and reach nothing inside, however often they ask."""

from __future__ import annotations

import pytest
from jinja2 import StrictUndefined
from jinja2.exceptions import SecurityError

from incident_ops.documents.sandbox import Sandbox


@pytest.mark.parametrize(
    "template",
    [
        "{{ rows.append(1) }}",
        "{{ names.update(a=1) }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ work.__globals__ }}",
        "{{ kind.mro() }}",
        "{{ coming.gi_frame.f_back }}",
    ],
)
def test_what_is_refused_stays_refused(template: str) -> None:
    """Also after the same value, and others of its type, were read as they may be."""
    sandbox = Sandbox(undefined=StrictUndefined)
    view = {"rows": [1], "names": {"a": 2}, "work": print_nothing, "kind": str, "coming": (n for n in (1,))}
    assert sandbox.from_string("{{ rows.count(1) }} {{ names.get('a') }} {{ 'x'.upper() }}").render(view) == "1 2 X"
    for _ in range(2):
        with pytest.raises(SecurityError):
            sandbox.from_string(template).render(view)
    assert (view["rows"], view["names"]) == ([1], {"a": 2})


def print_nothing() -> None:
    """A function whose inside a template wants."""
